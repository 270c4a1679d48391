"""What to do with the frames that lie in the FIFO: move them, wait, or doubt them.

The sampler looks at the FIFO's count and asks here what that look means. What was lost
is known from the sample clock. Pure: the looks and their times are arguments.
"""
from micropython import const

# From a full FIFO in stop mode only the oldest frames are read: ArduPilot found
# the last third of a full one corrupt now and then (24 frames of 14 bytes are fine).
_TRUSTED_BYTES = const(336)
_GREATEST_FIFO = const(4096)  # of the whole family; a greater count is a reading error
_STALL_LOOKS = const(4)  # in a row that moved nothing, before time counts
_ODD_LOOKS = const(3)  # in a row at half a frame
_BUS_TRIES = const(3)  # failing looks in a row, before the sensor is looked after
_DOUBTS = const(4)  # in a row without a frame between them, before the sensor is reset


class FifoReader:
    """clock: SampleClock. stall_ms: so long without a sample that is due is too long.

    After look(): `lost` samples come before the first of the `frames` that are to be moved
    now; then `doubt` names the counter of what is wrong, or is empty; if not, the FIFO must be
    started again. `again`: look again in a millisecond, not when samples are due.
    """

    def __init__(self, clock, stall_ms):
        self._clock = clock
        self._stall_ms = stall_ms
        self.next = 0
        """Index of the frame that comes next out of the FIFO. Whoever moves n adds n."""
        self.gaps = 0
        """How often the clock found samples lost from a FIFO that was not full."""
        self.lost = self.frames = 0
        self._doubts = 0
        self._passed = -1  # frames, at the last doubt
        self.start(0, 12, 512, True)

    def start(self, now_us, frame_bytes, fifo_bytes, stops):
        """The FIFO is about to be emptied and started. stops: it keeps its oldest frames."""
        self.doubt = ""
        self.again = True
        self.known = True
        """Whether it is known what lies in the FIFO behind `frames`; False after an overflow."""
        self._frame = frame_bytes
        self._full = fifo_bytes - frame_bytes
        self._stops = stops
        self._empty_us = now_us  # when it was last seen to hold nothing of this run
        self.joined = False
        """Whether the index of the FIFO's first frame is known."""
        self._timed = False  # whether the times of the first frames are known well
        self._failed = self._odd = 0
        self._held = 0  # frames in the FIFO at the last look that moved nothing
        self._waits = 0  # such looks in a row
        self._since_ms = 0  # when the first of them was

    def fault(self):
        """The count could not be read. True: look after the sensor before the next look."""
        self._failed += 1
        if self._failed < _BUS_TRIES:
            return False
        self._failed = self._waits = 0
        return True

    def give_up(self, doubt, passed):
        """The FIFO was given up for `doubt`, after so many frames passed on since the start
        of the program. True if only a reset of the sensor may help.
        """
        self._doubts = self._doubts + 1 if passed == self._passed else 1
        self._passed = passed
        return self._doubts > _DOUBTS or doubt == "output_stuck"

    def look(self, size, before_us, after_us, now_ms):
        """size bytes lay in the FIFO at a look from before_us to after_us. Allocates nothing."""
        self._failed = self.lost = self.frames = 0
        frame = self._frame
        if size > self._full:
            self._overflow(size)
            return
        if size % frame:  # may be half written; a frame that stays so is half lost
            self.again = True
            self._odd += 1
            if self._odd == _ODD_LOOKS:
                self.doubt = "fifo_misaligned"
            return
        self._odd = 0
        clock = self._clock
        n = size // frame
        if self.joined:  # nothing new is news, too: the next sample has not been taken
            lost = clock.look(before_us, after_us, self.next + n - 1)
            if lost:
                if lost < 0:
                    self.doubt = "fifo_garbled"
                    return
                if n:
                    self.gaps += 1
                    self._lose(lost)
                    clock.accept()
        else:
            self.joined = self._join(n, before_us, after_us, 2 * size > self._full)
        # The first frames may wait, half a FIFO long, for looks that fix their time.
        if not self._timed:
            self._timed = self.joined and (clock.narrow or 2 * size > self._full)
        if n and self._timed and not clock.unsure:
            self.frames = n
            self._waits = 0
        elif self._stalls(n, now_ms):
            self.doubt = "sensor_stalls"
        # Look often until one look lies just behind a sample.
        self.again = clock.unsure or not clock.settled or not self.joined

    def _overflow(self, size):
        if size > _GREATEST_FIFO:
            self.doubt = "fifo_garbled"
            return
        self.doubt = "fifo_overflows"
        if self.joined and self._stops:
            self.frames = _TRUSTED_BYTES // self._frame
            self.known = False

    def _stalls(self, n, now_ms):
        """Whether n frames have lain there for too long."""
        if not self._waits or n != self._held:  # frames still come in
            self._since_ms = now_ms
            self._waits = 0
        self._held = n
        self._waits += 1
        # Time alone proves nothing: the program may have been busy elsewhere.
        waited_ms = (now_ms - self._since_ms) & 0x3FFFFFFF
        return self._waits > _STALL_LOOKS and waited_ms > self._stall_ms

    def _join(self, n, before_us, after_us, must):
        """Find the index of the FIFO's first frame; False if this look is not enough.

        must: the FIFO cannot wait any longer for a better look.
        """
        clock = self._clock
        if clock.known:  # the sensor's clock ran on
            newest = clock.locate(before_us, after_us, not must)
            if newest < 0:
                return False
            self._lose(newest + 1 - n - self.next)
            return True
        if not n:
            self._empty_us = before_us
            return False
        newest = n - 1
        if clock.index >= 0:
            # A new phase: count by the time that has passed since the last one.
            guess = clock.guess(before_us, after_us, self._empty_us)
            newest = max(guess, self.next + n - 1)
            self._lose(newest + 1 - n - self.next)
        clock.start(newest, before_us, after_us, self._empty_us)
        return True

    def _lose(self, n):
        if n > 0:
            self.lost = n
            self.next += n
