"""The task that empties the sensor's FIFO into the ring, and brings it back after faults.

    sampler = Sampler(imu, ring)
    asyncio.create_task(sampler.run())
    await sampler.ready.wait()

It looks at the FIFO just after a sample is due, moves whole frames in chunks that
never hold the loop for more than 5 ms, and hands on nothing that it has doubts
about. What is missing is known from the sample clock and marked in the ring.
"""
import asyncio
from time import ticks_ms, ticks_us

import micropython
from micropython import const

from sensing.frame_filter import FrameScreen
from sensing.sample_clock import SampleClock

# From a full FIFO in stop mode only the oldest frames are read: ArduPilot found
# the last third of a full one corrupt now and then (24 frames of 14 bytes are fine).
_TRUSTED_BYTES = const(336)
_GREATEST_FIFO = const(4096)  # of the whole family; a greater count is no count
_STALL_MS = const(60)  # without a sample that is due: look what is wrong
_STALL_LOOKS = const(4)
_DOUBTS = const(4)  # in a row without a frame between them, before the sensor is reset
_BUS_TRIES = const(3)  # failing looks in a row, before the sensor is looked after
_RETRY_MS = (1, 10, 20, 50, 100, 200, 500, 1000)  # waits between attempts to find the sensor
_WRAP = const(0x3FFFFFFF)


class _Doubt(Exception):
    """The FIFO cannot be believed any more; the argument names the counter."""


class Sampler:
    """imu: an MPU6500. ring: a RingBuffer; the sampler is its only writer.

    poll_ms: about how often the FIFO is looked at; by default 25 ms, or as often
    as it takes to keep a fast one from becoming a third full.
    pin: machine.Pin at the sensor's INT; the sampler then sleeps until enough
    samples were signalled instead of by the clock.

    Raises ValueError for a poll_ms that cannot be.
    """

    def __init__(self, imu, ring, poll_ms=0, pin=None):
        most_ms = imu.fifo_size // imu.fifo_frame // 3 * imu.period_us // 1000
        if not isinstance(poll_ms, int) or not 0 <= poll_ms <= most_ms:
            raise ValueError("poll_ms must be from 0 to %d, not %r" % (most_ms, poll_ms))
        poll_us = 1000 * (poll_ms or min(25, most_ms))
        self._imu = imu
        self._ring = ring
        self.clock = SampleClock(imu.period_us)
        """When which sample was taken; for t_ms() and age_ms() in full."""
        self._screen = FrameScreen(ring, max(32, round(imu.rate_hz)))
        self.ready = asyncio.Event()
        """Set when frames were pushed; the reader clears it."""
        self.fault = None
        """The last OSError of the bus, or None."""
        # Samples come whole periods apart, so the wait is cut by half of one.
        self._least_us = max(1000, poll_us - imu.period_us // 2)
        self._stall_ms = _STALL_MS + 4 * imu.period_us // 1000
        self._next = 0  # index of the frame that comes next out of the FIFO
        self._seen_us = 0  # when the FIFO was last seen to hold nothing of this run
        self._lost = 0  # known from the clock; the screen counts its own
        self._counts = {}
        self._warned = ""
        self._pin = pin
        self._per_wake = max(1, poll_us // imu.period_us)
        self._signals = self._per_wake
        self._flag = asyncio.ThreadSafeFlag() if pin else None
        self._waker = None

    # -- what others ask ---------------------------------------------------------------

    def t_ms(self, index):
        """Milliseconds from sample 0 to sample `index`, by the board's clock."""
        return self.clock.t_ms(index)

    def age_ms(self, index):
        """Milliseconds since sample `index` was taken, by the board's clock, rounded."""
        return (self.clock.age_us(index, ticks_us()) + 500) // 1000

    @property
    def period_1024(self):
        """The measured sample period in 1/1024 us."""
        return self.clock.period_1024

    @property
    def uncertainty_us(self):
        """Width of the interval that the newest sample's time was found in."""
        return self.clock.uncertainty_us

    def counters(self, into):
        """Add the sampler's counters to the dict `into`."""
        screen = self._screen
        into["samples"] = screen.passed
        into["samples_lost"] = self._lost + screen.dropped
        into["samples_saturated"] = screen.saturated
        for name, n in self._counts.items():
            into[name] = n

    def _count(self, name):
        self._counts[name] = self._counts.get(name, 0) + 1

    # -- the task -----------------------------------------------------------------------

    async def run(self):
        """For ever. Faults of the bus and the sensor are counted, never raised."""
        if self._pin:
            self._pin.irq(self._signal, self._pin.IRQ_RISING)
            if not self._waker:  # run() may have been cancelled and started again
                self._waker = asyncio.create_task(self._wake_anyway())
        up = False  # whether the sensor has the settings that it should have
        tries = doubts = 0
        passed = 0  # frames, at the last doubt
        while True:
            try:
                if not up:
                    await self._bring_up()
                    up = True
                # Before, as the first sample may come while the FIFO is being started.
                self._seen_us = ticks_us()
                self._imu.start_fifo()
                tries = 0
                await self._stream()
            except _Doubt as doubt:
                self._count(doubt.args[0])
                self._screen.give_up()
                doubts = doubts + 1 if self._screen.passed == passed else 1
                passed = self._screen.passed
                if doubts > _DOUBTS or doubt.args[0] == "output_stuck":
                    up = False  # only a reset may help
            except OSError as error:
                self._bus_fault(error)
                self._screen.give_up()
            if up:
                up = await self._look_after()
            else:
                await asyncio.sleep_ms(_RETRY_MS[min(tries, len(_RETRY_MS) - 1)])
                tries += 1

    async def _bring_up(self):
        clock = self.clock
        clock.forget()
        for wait_ms in self._imu.bring_up():
            await asyncio.sleep_ms(wait_ms)
            clock.rest(ticks_us())
        self._screen.begin()
        self._count("sensor_starts")
        if self._imu.warning != self._warned:
            self._warned = self._imu.warning
            print("sampler:", self._warned)

    async def _look_after(self):
        """Wait until the sensor answers; True if it kept its settings, and so its clock."""
        tries = 0
        while True:
            try:
                if self._imu.intact():
                    return True
                self._count("sensor_resets")
                return False
            except OSError as error:
                self._bus_fault(error)
            if tries:
                self._free_bus()
            await asyncio.sleep_ms(_RETRY_MS[min(tries, len(_RETRY_MS) - 1)])
            self.clock.rest(ticks_us())
            tries += 1

    def _free_bus(self):
        recover = getattr(self._imu.bus, "recover", None)
        if recover and recover():
            self._count("bus_recoveries")

    def _bus_fault(self, error):
        self.fault = error
        self._count("bus_faults")

    async def _stream(self):
        """Move frames from the FIFO to the ring until something is in doubt."""
        imu = self._imu
        clock = self.clock
        ready = self.ready
        chunk = imu.CHUNK_FRAMES
        frame = imu.fifo_frame
        full = imu.fifo_size - frame
        joined = False  # whether the index of the FIFO's first frame is known
        settled = False  # whether the times of the first frames are known well
        failed = odd = 0
        held = 0  # frames in the FIFO at the last of such looks
        waits = 0  # looks in a row that moved nothing
        since_ms = 0  # when the first of such looks was
        while True:
            before = ticks_us()
            try:
                size = imu.fifo_bytes()
            except OSError as error:  # nothing was moved yet: look again
                self._bus_fault(error)
                failed += 1
                if failed == _BUS_TRIES:
                    failed = 0
                    if not await self._look_after():
                        raise _Doubt("sensor_lost")
                    waits = 0
                await asyncio.sleep_ms(1)
                continue
            failed = 0
            after = ticks_us()
            n = size // frame
            if size > full:
                if size > _GREATEST_FIFO:
                    raise _Doubt("fifo_garbled")
                if joined and imu.fifo_stops:
                    n = _TRUSTED_BYTES // frame
                    while n:
                        n -= self._move(min(n, chunk), -1)
                        ready.set()
                        await asyncio.sleep_ms(0)
                raise _Doubt("fifo_overflows")
            if size % frame:
                # A frame may be half written; one that stays so is half lost.
                odd += 1
                if odd == 3:
                    raise _Doubt("fifo_misaligned")
                await asyncio.sleep_ms(1)
                continue
            odd = 0
            waited_ms = (ticks_ms() - since_ms) & _WRAP if waits else 0
            if not joined:
                joined = self._join(n, before, after, 2 * n * frame > full)
            else:  # none is news, too: the next sample has not been taken
                missing = clock.look(before, after, self._next + n - 1)
                if missing:
                    if missing < 0:
                        raise _Doubt("fifo_garbled")
                    if n:
                        self._count("fifo_losses")
                        self._lose(missing)
                        clock.accept()
            # The first frames may wait, half a FIFO long, for looks that fix their time.
            if not settled:
                settled = joined and (clock.narrow or 2 * n * frame > full)
            if n and settled and not clock.unsure:
                while n > chunk:
                    n -= self._move(chunk, frame * (n - chunk))
                    ready.set()
                    await asyncio.sleep_ms(0)
                self._move(n, 0)
                ready.set()
                waits = 0
            else:
                if not waits or n != held:  # frames still come in
                    since_ms = ticks_ms()
                    waits = 0
                held = n
                waits += 1
                # Time alone says nothing: the program may have been busy elsewhere.
                if waits > _STALL_LOOKS and waited_ms > self._stall_ms:
                    raise _Doubt("sensor_stalls")
            if clock.unsure or not clock.settled or not joined:
                # Look often until one look lies just behind a sample.
                await asyncio.sleep_ms(1)
            elif self._flag:
                await self._flag.wait()
            else:
                now = ticks_us()
                await asyncio.sleep_ms(clock.wait_us(now, self._least_us) // 1000 + 1)

    def _join(self, n, before, after, guess):
        """Find the index of the FIFO's first frame; False if it cannot be told yet.

        guess: the FIFO cannot wait any longer for a look that can tell.
        """
        clock = self.clock
        if clock.known:  # the sensor's clock ran on
            newest = clock.locate(before, after, not guess)
            if newest < 0:
                return False
            self._lose(newest + 1 - n - self._next)
            return True
        if not n:
            self._seen_us = before
            return False
        newest = n - 1
        if clock.index >= 0:
            # A new phase: count by the time that has passed since the last one.
            newest = max(clock.guess(before, after, self._seen_us), self._next + n - 1)
            self._lose(newest + 1 - n - self._next)
        clock.start(newest, before, after, self._seen_us)
        return True

    @micropython.native
    def _move(self, n, left):
        """n frames from the FIFO to the ring, if they can be believed; returns n.

        left: see MPU6500.read_fifo.
        """
        imu = self._imu
        imu.read_fifo(n, left)
        if not imu.sound(n, left):
            raise _Doubt("reads_in_doubt")
        self._next += n
        if not self._screen.push_fifo(imu.frames, n):
            raise _Doubt("output_stuck")
        return n

    def _lose(self, n):
        if n > 0:
            self._screen.give_up()  # a gap lies behind what is held back
            self._ring.gap(n)
            self._next += n
            self._lost += n

    # -- the data-ready interrupt ----------------------------------------------------------

    def _signal(self, pin):
        """Runs between bytecodes, once a sample."""
        self._signals -= 1
        if self._signals <= 0:
            self._signals = self._per_wake
            self._flag.set()

    async def _wake_anyway(self):
        """A loose INT wire must not stop the samples."""
        while True:
            await asyncio.sleep_ms(4 * self._least_us // 1000 + 4)
            self._flag.set()
