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

from micropython import const

from sample_clock import SampleClock

# From a full FIFO in stop mode only the oldest frames are read: ArduPilot found
# the last third of a full one corrupt now and then (24 frames of 14 bytes are fine).
_TRUSTED_BYTES = const(336)
_STALL_MS = const(60)  # without a sample that is due: look what is wrong
_BUS_TRIES = const(3)  # failing looks in a row, before the sensor is looked after
_LOCATE_TRIES = const(40)
_RETRY_MS = (10, 20, 50, 100, 200, 500, 1000)  # waits between attempts to find the sensor
_CHECK_EVERY = const(64)  # looks between two checks of the settings


class _Fault(Exception):
    """The FIFO cannot be believed any more; the argument names the counter."""


class Sampler:
    """imu: an MPU6500. ring: a RingBuffer; the sampler is its only writer.

    poll_ms: about how often the FIFO is looked at; by default 25 ms, or as often
    as it takes to keep a fast one from becoming a third full.
    """

    def __init__(self, imu, ring, poll_ms=0):
        most_ms = imu.fifo_size // imu.FRAME_BYTES // 3 * imu.period_us // 1000
        if not isinstance(poll_ms, int) or not 0 <= poll_ms <= most_ms:
            raise ValueError("poll_ms must be from 0 to %d, not %r" % (most_ms, poll_ms))
        self._imu = imu
        self._ring = ring
        self._least_us = 1000 * (poll_ms or min(25, most_ms)) - imu.period_us // 2
        if self._least_us < 1000:
            self._least_us = 1000
        self._clock = SampleClock(imu.period_us)
        self.ready = asyncio.Event()
        """Set when frames were pushed; the reader clears it."""
        self._next = 0  # index of the frame that comes next out of the FIFO
        self._started = False  # whether a frame has ever come
        self._seen_us = 0  # when the FIFO was last seen to hold nothing of this run
        self.samples = 0
        self.lost = 0
        self._counts = {}
        self.fault = None
        """The last OSError of the bus, or None."""

    # -- what others ask ---------------------------------------------------------------

    def t_ms(self, index):
        """Milliseconds from sample 0 to sample `index`, by the board's clock."""
        return self._clock.t_ms(index)

    def age_ms(self, index):
        """Milliseconds since sample `index` was taken, by the board's clock."""
        return self._clock.age_us(index, ticks_us()) // 1000

    @property
    def period_1024(self):
        """The measured sample period in 1/1024 us."""
        return self._clock.period_1024

    def counters(self, into):
        """Add the sampler's counters to the dict `into`."""
        into["samples"] = self.samples
        into["samples_lost"] = self.lost
        for name, n in self._counts.items():
            into[name] = n

    def _count(self, name):
        self._counts[name] = self._counts.get(name, 0) + 1

    # -- the task -----------------------------------------------------------------------

    async def run(self):
        """For ever. Faults of the bus and the sensor are counted, never raised."""
        fresh = False
        while True:
            try:
                if not fresh:
                    fresh = await self._bring_up()
                self._imu.start_fifo()
                self._seen_us = ticks_us()
                await self._stream()
            except _Fault as fault:
                self._count(fault.args[0])
            except OSError as error:
                self.fault = error
                self._count("bus_faults")
            fresh = await self._look_after()

    async def _bring_up(self):
        self._clock.forget()
        for wait_ms in self._imu.bring_up():
            await asyncio.sleep_ms(wait_ms)
        self._count("sensor_starts")
        return True

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
                self.fault = error
                self._count("bus_faults")
            if tries >= 1:
                recover = getattr(self._imu.bus, "recover", None)
                if recover and recover():
                    self._count("bus_recoveries")
            await asyncio.sleep_ms(_RETRY_MS[min(tries, len(_RETRY_MS) - 1)])
            tries += 1

    async def _stream(self):
        """Move frames from the FIFO to the ring until something is wrong."""
        imu = self._imu
        clock = self._clock
        frame_bytes = imu.FRAME_BYTES
        full = imu.fifo_size - frame_bytes
        joined = False  # whether the index of the FIFO's first frame is known
        failed = odd = tries = 0
        checks = _CHECK_EVERY
        last_ms = ticks_ms()
        while True:
            before = ticks_us()
            try:
                size = imu.fifo_bytes()
                failed = 0
            except OSError as error:  # nothing was lost yet: look again
                failed += 1
                if failed == _BUS_TRIES:
                    raise
                self.fault = error
                self._count("bus_faults")
                await asyncio.sleep_ms(1)
                continue
            after = ticks_us()
            if size > imu.fifo_size:
                raise _Fault("fifo_garbled")
            n = size // frame_bytes
            if size > full:
                if joined and imu.fifo_stops:
                    n = min(n, _TRUSTED_BYTES // frame_bytes)
                    while n:
                        n -= self._move(min(n, imu.CHUNK_FRAMES))
                        await asyncio.sleep_ms(0)
                raise _Fault("fifo_overflows")
            if size % frame_bytes:
                # A frame may be half written; one that stays so is half lost.
                odd += 1
                if odd == 3:
                    raise _Fault("fifo_misaligned")
                await asyncio.sleep_ms(1)
                continue
            odd = 0
            if not joined:
                joined = self._join(n, before, after, tries)
                tries += 1
                if not joined:
                    if ((ticks_ms() - last_ms) & 0x3FFFFFFF) > _STALL_MS + imu.period_us // 250:
                        raise _Fault("sensor_stalls")
                    await asyncio.sleep_ms(1)
                    continue
            else:  # none is news, too: the next sample has not been taken
                missing = clock.look(before, after, self._next + n - 1)
                if missing > 0:
                    self._count("fifo_losses")
                    self._lose(missing)
                elif missing < 0:
                    raise _Fault("fifo_garbled")
            if n:
                last_ms = ticks_ms()
                while n > imu.CHUNK_FRAMES:
                    n -= self._move(imu.CHUNK_FRAMES)
                    self.ready.set()
                    await asyncio.sleep_ms(0)
                self._move(n)
                self.ready.set()
                checks -= 1
                if not checks:
                    checks = _CHECK_EVERY
                    if not imu.intact():
                        raise _Fault("settings_lost")
            elif ((ticks_ms() - last_ms) & 0x3FFFFFFF) > _STALL_MS + imu.period_us // 250:
                raise _Fault("sensor_stalls")
            if clock.narrow:
                now = ticks_us()
                await asyncio.sleep_ms(clock.wait_us(now, self._least_us) // 1000 + 1)
            else:
                # Look often until one look lies just behind a sample.
                await asyncio.sleep_ms(1)

    def _join(self, n, before, after, tries):
        """Find the index of the FIFO's first frame; False if it cannot be told yet."""
        clock = self._clock
        if clock.known:  # the sensor's clock ran on
            newest = clock.locate(before, after, tries < _LOCATE_TRIES)
            if newest < 0:
                return False
            self._lose(newest + 1 - n - self._next)
            return True
        if not n:
            self._seen_us = before
            return False
        newest = n - 1
        if self._started:
            # A new phase: count by the time that has passed since the last one.
            newest = max(clock.locate(before, after, False), self._next + n - 1)
            self._lose(newest + 1 - n - self._next)
        clock.start(newest, before, after, self._seen_us)
        return True

    def _move(self, n):
        """n frames from the FIFO to the ring; returns n."""
        if n:
            imu = self._imu
            imu.read_fifo(n)
            if not imu.running():  # it was reset under the read
                raise _Fault("sensor_resets")
            self._ring.push_fifo(imu.frames, n)
            self._next += n
            self.samples += n
            self._started = True
        return n

    def _lose(self, n):
        if n > 0:
            self._ring.gap(n)
            self._next += n
            self.lost += n
