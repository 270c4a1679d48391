"""Wait for the sensor's INT pin to signal enough samples. Loaded if the pin is wired."""

import asyncio


class DataReady:
    """pin: machine.Pin at the sensor's INT. samples: so many signals make one wake-up.

    give_up_ms: wait no longer than this, as a loose wire must not stop the samples.
    """

    def __init__(self, pin, samples, give_up_ms):
        self._pin = pin
        self._samples = samples
        self._left = samples
        self._give_up_ms = give_up_ms
        self._flag = asyncio.ThreadSafeFlag()
        self._waker = None

    def start(self):
        """Call when the task that waits begins; again after it was cancelled."""
        self._pin.irq(self._signal, self._pin.IRQ_RISING)
        if not self._waker:
            self._waker = asyncio.create_task(self._wake_anyway())

    def wait(self):
        """To be awaited."""
        return self._flag.wait()

    def _signal(self, pin):
        """Runs between bytecodes, once a sample."""
        self._left -= 1
        if self._left <= 0:
            self._left = self._samples
            self._flag.set()

    async def _wake_anyway(self):
        while True:
            await asyncio.sleep_ms(self._give_up_ms)
            self._flag.set()
