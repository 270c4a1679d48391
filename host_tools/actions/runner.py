"""Actions beside the stream of events: a bounded queue, a few threads, a record of each.

An action is carried out at most once. What waits when the program ends is dropped, as a lamp that
goes on an hour late helps nobody.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from host_tools.actions.perform import Failed, Performer
from host_tools.actions.rules import Rules
from host_tools.actions.settings import Action, Actions
from host_tools.mqtt.address import BrokerAddress
from host_tools.store.messages import Event
from host_tools.store.results import Result, keep_result

_THREADS = 4
_WAITING = 1000
_END_S = 10.0


class Runner:
    """say: takes a line for people. engine: None records nothing."""

    def __init__(self, actions: Actions, engine: Engine | None, broker: BrokerAddress | None, *,
                 say: Callable[[str], None] = lambda line: None):  # fmt: skip
        self._rules = Rules(actions)
        self._engine = engine
        self._say = say
        self._performer = Performer(broker)
        self._queue: queue.Queue[tuple[Action, Event] | None] = queue.Queue(_WAITING)
        self.dropped = 0
        self._threads = [threading.Thread(target=self._work, name=f"action-{i}", daemon=True)
                         for i in range(_THREADS)]  # fmt: skip
        for thread in self._threads:
            thread.start()

    def take(self, events: Sequence[Event]) -> None:
        """Queue what these set off. Never waits."""
        now_ms = time.time_ns() // 10**6
        for event in sorted(events, key=lambda e: (e.device, e.boot, e.seq)):
            for action in self._rules.due(event, now_ms):
                try:
                    self._queue.put_nowait((action, event))
                except queue.Full:
                    self.dropped += 1
                    self._say(f"{action.name}: dropped, {_WAITING} others wait")

    def close(self) -> None:
        """Finish what is under way; drop what waits."""
        while True:
            try:
                self._queue.get_nowait()
                self.dropped += 1
            except queue.Empty:
                break
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(_END_S)
        self._performer.close()

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            action, event = item
            started_s = time.monotonic()
            try:
                outcome, detail = "done", self._performer.perform(action, event)
            except Failed as fault:
                outcome, detail = "failed", str(fault)
            except Exception as fault:  # one action must not end the others
                outcome, detail = "failed", type(fault).__name__
            took_ms = int(1000 * (time.monotonic() - started_s))
            self._say(f"{action.name}: {event.gesture!r} of {event.device}: {outcome}, {detail}")
            self._record(Result(time.time_ns() // 10**6, action.name, event.device, event.boot,
                                event.seq, outcome, detail, took_ms))  # fmt: skip

    def _record(self, result: Result) -> None:
        if self._engine is None:
            return
        try:
            keep_result(self._engine, result)
        except DBAPIError:
            self._say(f"{result.rule}: the store does not take the result")
