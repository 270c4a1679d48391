"""A hand that goes on making a gesture, for boards that learn it."""

import threading

from tests.waiting import TIMEOUT_S, until


class Moves:
    """A hand that goes on making a gesture until it is told to rest."""

    def __init__(self, hand, name):
        self._hand, self._name = hand, name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._stop.is_set():
            self._hand.perform(self._name)
            self._rest(self._hand.now_s + 3.5)

    def _rest(self, until_s):
        until(lambda: self._hand.now_s > until_s or self._stop.is_set())

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *args):
        self._stop.set()
        self._thread.join(TIMEOUT_S)
