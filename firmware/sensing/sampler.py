"""The task that empties the sensor's FIFO into the ring, and brings it back after faults.

    sampler = Sampler(imu, ring)
    asyncio.create_task(sampler.run())
    await sampler.ready.wait()

It looks at the FIFO just after a sample is due and moves whole frames in chunks that
never hold the loop for more than 5 ms. What a look means, fifo_reader.py decides; what
frames can be believed, frame_filter.py. Here is the waiting, and the care for the sensor.
"""
import asyncio
from time import ticks_ms, ticks_us

import micropython
from micropython import const

from ops.uptime import uptime_ms

from sensing.fifo_reader import FifoReader
from sensing.frame_filter import FrameFilter
from sensing.sample_clock import SampleClock

_STALL_MS = const(60)  # without a sample that is due: look what is wrong
_SILENT_MS = const(3000)  # without a sample: the sensor counts as gone
_RETRY_MS = (1, 10, 20, 50, 100, 200, 500, 1000)  # waits between attempts to find the sensor


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
        self.frames = FrameFilter(ring, max(32, round(imu.rate_hz)))
        self.ready = asyncio.Event()
        """Set when frames were pushed; the reader clears it."""
        self.fault = None
        """The last OSError of the bus, or None."""
        # Samples come whole periods apart, so the wait is cut by half of one.
        self._least_us = max(1000, poll_us - imu.period_us // 2)
        self.reader = FifoReader(self.clock, _STALL_MS + 4 * imu.period_us // 1000)
        self._counts = {}
        self._doubt = ""
        self._warned = ""
        self._passed = 0  # frames when problem() last saw new ones, and the uptime then
        self._passed_ms = uptime_ms()
        self._never = 0  # samples not taken before the first one
        self._data_ready = None
        if pin:
            from sensing.data_ready import DataReady

            samples = max(1, poll_us // imu.period_us)
            self._data_ready = DataReady(pin, samples, 4 * self._least_us // 1000 + 4)

    # -- what others ask ---------------------------------------------------------------

    def t_ms(self, index):
        """Milliseconds from sample 0 to sample `index`, by the board's clock."""
        return self.clock.t_ms(index)

    def age_ms(self, index):
        """Milliseconds since sample `index` was taken, by the board's clock, rounded."""
        return (self.clock.age_us(index, ticks_us()) + 500) // 1000

    def progress(self):
        """Grows while the task works; looking for a sensor that is gone is work, too."""
        frames = self.frames
        return frames.passed + frames.dropped + sum(self._counts.values())

    def problem(self):
        """A line that says why no samples come, or "". To be asked every second or so."""
        passed = self.frames.passed
        if passed != self._passed:
            if not self._passed:  # the clock counts from the first sample on: not these
                self._never = self._due()
            self._passed = passed
            self._passed_ms = uptime_ms()
        if not self._missing():
            return ""
        if self.fault and not self._doubt:
            return "nothing answers at address 0x%02x: %s" % (self._imu.address, self.fault)
        return "it sends no samples: %s" % (self._doubt or "sensor_stalls")

    def _missing(self):
        """Samples that were due since the last one, if that was long ago."""
        return self._due() if self.frames.passed == self._passed else 0

    def _due(self):
        silent_ms = uptime_ms() - self._passed_ms
        return silent_ms * 1000 // self._imu.period_us if silent_ms > _SILENT_MS else 0

    def counters(self, into):
        """Add the sampler's counters to the dict `into`."""
        frames = self.frames
        into["samples"] = frames.passed
        # The gap of an outage is known when it is over; till then, it grows with time.
        into["samples_lost"] = frames.dropped + self._never + self._missing()
        into["samples_saturated"] = frames.saturated
        if self.reader.gaps:
            into["fifo_losses"] = self.reader.gaps
        for name, n in self._counts.items():
            into[name] = n

    def _count(self, name):
        self._counts[name] = self._counts.get(name, 0) + 1

    # -- the task -----------------------------------------------------------------------

    async def run(self):
        """For ever. Faults of the bus and the sensor are counted, never raised."""
        if self._data_ready:
            self._data_ready.start()
        up = False  # whether the sensor has the settings that it should have
        tries = 0
        imu = self._imu
        reader = self.reader
        while True:
            try:
                if not up:
                    await self._bring_up()
                    up = True
                # Before, as the first sample may come while the FIFO is being started.
                reader.start(ticks_us(), imu.fifo_frame, imu.fifo_size, imu.fifo_stops)
                imu.start_fifo()
                tries = 0
                await self._stream()
            except _Doubt as doubt:
                name = self._doubt = doubt.args[0]
                self._count(name)
                self.frames.give_up()
                if reader.give_up(name, self.frames.passed):
                    up = False
            except OSError as error:
                self._bus_fault(error)
                self.frames.give_up()
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
            clock.pass_time(ticks_us())
        self.frames.begin()
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
            self.clock.pass_time(ticks_us())
            tries += 1

    def _free_bus(self):
        recover = getattr(self._imu.bus, "recover", None)
        if recover and recover():
            self._count("bus_recoveries")

    def _bus_fault(self, error):
        self.fault = error
        self._doubt = ""
        self._count("bus_faults")

    async def _stream(self):
        """Move frames from the FIFO to the ring until something is in doubt."""
        imu = self._imu
        clock = self.clock
        reader = self.reader
        ready = self.ready
        chunk = imu.CHUNK_FRAMES
        frame = imu.fifo_frame
        while True:
            before = ticks_us()
            try:
                size = imu.fifo_bytes()
            except OSError as error:  # nothing was moved yet: look again
                self._bus_fault(error)
                if reader.fault() and not await self._look_after():
                    raise _Doubt("sensor_lost")
                await asyncio.sleep_ms(1)
                continue
            reader.look(size, before, ticks_us(), ticks_ms())
            if reader.lost:
                self.frames.gap(reader.lost)
            n = reader.frames
            if n:
                while n > chunk:
                    n -= chunk
                    self._move(chunk, frame * n if reader.known else -1)
                    ready.set()
                    await asyncio.sleep_ms(0)
                self._move(n, 0 if reader.known else -1)
                ready.set()
            if reader.doubt:
                raise _Doubt(reader.doubt)
            if reader.again:
                await asyncio.sleep_ms(1)
            elif self._data_ready:
                await self._data_ready.wait()
            else:
                wait_us = clock.wait_us(ticks_us(), self._least_us)
                await asyncio.sleep_ms(wait_us // 1000 + 1)

    @micropython.native
    def _move(self, n, left):
        """n frames from the FIFO to the ring, if they can be believed.

        left: see MPU6500.read_fifo.
        """
        imu = self._imu
        imu.read_fifo(n, left)
        if not imu.sound(n, left):
            raise _Doubt("reads_in_doubt")
        self.reader.next += n
        if not self.frames.push_fifo(imu.frames, n):
            raise _Doubt("output_stuck")
