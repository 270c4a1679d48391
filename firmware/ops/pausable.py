"""A task that can be stopped for a while, so that others may use what it uses."""

import asyncio


class Pausable:
    """make(*args): the coroutine; called again after each pause."""

    def __init__(self, make, *args):
        self._make = make
        self._args = args
        self._task = None
        self._ended = False  # by pause(), which may be over before run() learns of it
        self.paused = False
        self._resumed = asyncio.Event()

    async def run(self):
        """For as long as the coroutine runs."""
        while True:
            while self.paused:
                await self._resumed.wait()
            self._task = asyncio.create_task(self._make(*self._args))
            try:
                await self._task
                return
            except asyncio.CancelledError:
                if not self._ended:
                    raise
            self._task = None
            self._ended = False

    def pause(self):
        """Stop at the next point where it waits. Raises ValueError if it is paused already."""
        if self.paused:
            raise ValueError("busy with another command that needs the sensor")
        self.paused = True
        self._resumed.clear()
        if self._task and not self._ended:
            self._ended = True
            self._task.cancel()

    def resume(self):
        self.paused = False
        self._resumed.set()
