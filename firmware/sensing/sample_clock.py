"""When the sensor took which sample, by the board's clock.

The sensor gives no times, only how many samples its FIFO holds, and its clock is
off by up to 1 % (PS table 4). But each look at that count shows two things: the
newest sample had been taken when the look ended, and the next one had not when
it began. SampleClock keeps the interval in which the newest sample can have been
taken, and the one in which the period can lie, cuts both with each look, and
widens them as time goes on. So it knows how well it knows, a lost sample shows
as a contradiction, and no error adds up.

Pure: times are arguments, microseconds that may wrap at 2^30 or any multiple of
it. Two looks must not lie more than 17 minutes apart. Integers only. An age is
kept in 1/16 us ("_16"), a period in 1/1024 us, so that both stay small integers
on a 32-bit board: an age to 67 s, a period to 1 s.
"""
import micropython
from micropython import const

_WRAP = const(0x3FFFFFFF)
_NARROW_16 = const(1_200 * 16)  # knowing a sample's time this well is enough
_BASE_US = const(30_000_000)  # the period is measured over one to two of these
_SLACK_16 = const(600 * 16)  # how well a sample's time is known after a surprise
_QUIET = const(128)  # samples for which the short cut in look() holds
_TOLERANCE = const(50)  # one over the most that a period is believed to be off
_FLOOR_SHIFT = const(15)  # the period is never believed to better than 30 ppm


class SampleClock:
    """period_us: nominal, 1000 to 256000; the true period may differ by 2 %.

    Raises ValueError outside of these.
    """

    def __init__(self, period_us):
        if not 1000 <= period_us <= 256_000:
            raise ValueError("period_us must be from 1000 to 256000, not %r" % (period_us,))
        self.nominal_us = period_us
        off = (period_us << 10) // _TOLERANCE
        self._low = (period_us << 10) - off  # bounds of the period
        self._high = (period_us << 10) + off
        self.known = False
        """Whether a phase is known: False before the first sample and after forget()."""
        self.narrow = False
        """Whether sample times are known to about a millisecond."""
        self.settled = False
        """Whether they will stay so for a while: the period is known to 0.4 %."""
        self.index = -1
        """The sample that the state below belongs to."""
        self._t = 0  # board time of the look
        self._min = 0  # 1/16 us: the sample's least and greatest age at that time
        self._max = 0
        # Time of the sample since sample 0: whole ms, and 1/16 us.
        self._ms = 0
        self._ms_16 = 0
        self._quiet_least = self._quiet_most = self._period_16 = self._mid = 0
        self._based = False  # whether sample 0's time has been settled
        self.unsure = False
        """Whether the last look found a sample overdue: it may be late, or lost."""
        self._missed = -1  # the newest sample at a look that found the next one overdue
        self._missed_us = 0  # when that look began
        # Two bases for the measurement of the period: index, time, age's bounds.
        self._old = [-1, 0, 0, 0]
        self._young = [-1, 0, 0, 0]

    @property
    def period_1024(self):
        """The measured period in 1/1024 us."""
        return (self._low + self._high) >> 1

    @property
    def uncertainty_us(self):
        """Width of the interval that `index` was taken in, at the time of the look."""
        return (self._max - self._min) >> 4

    def forget(self):
        """The sensor's clock was restarted; the next start() gives the new phase."""
        self.known = self.narrow = self.settled = False
        self._old[0] = self._young[0] = -1

    def pass_time(self, now_us):
        """Keep up with the board's clock while the sensor cannot be looked at.

        Call it at least every 17 minutes then.
        """
        dt = ((now_us - self._t) & _WRAP) << 4
        self._min += dt
        self._max += dt
        self._quiet_most = self._quiet_least  # never
        self._t = now_us
        self._mid += dt
        self.narrow = self.settled = False
        self._old[0] = self._young[0] = -1

    def start(self, index, before_us, after_us, oldest_us):
        """A new phase: `index` was taken after oldest_us and by after_us, the next one
        not by before_us.
        """
        least = 0
        most = self._most(before_us, after_us, oldest_us)
        self._missed = -1
        self.unsure = False
        self.known = True
        self._move(index, after_us, least, most)

    def _most(self, before_us, after_us, oldest_us):
        """The greatest age of the first sample of a run, from these times alone."""
        limit = (((after_us - before_us) & _WRAP) << 4) + (self._high >> 6)
        return min(limit, ((after_us - oldest_us) & _WRAP) << 4)

    def guess(self, before_us, after_us, oldest_us):
        """Index that start() would best be given, by the time since the last known sample."""
        age = ((after_us - self._t) & _WRAP) << 4
        age += self._mid - (self._most(before_us, after_us, oldest_us) >> 1)
        period = self.period_1024
        return self.index + self._periods(age + (period >> 7), period)

    @micropython.native
    def look(self, before_us, after_us, newest):
        """Sample `newest` was the newest at a look from before_us to after_us.

        Returns how many samples more must have been taken by then: 0, or the
        number that was lost in front of what the sensor holds (call accept()
        once they are skipped); negative if the sensor gave more than it can have
        taken. After a 0 `unsure` may be set: then look again a little later,
        before anything is believed.
        """
        ahead = newest - self.index
        dt = ((after_us - self._t) & _WRAP) << 4
        # Well inside its period a look says nothing new, and most do lie there.
        if ahead < _QUIET and self._quiet_least < dt - ahead * self._period_16 < self._quiet_most:
            self.unsure = False
            return 0
        high = self._high
        low = self._low
        # Split, so that the products stay small integers for minutes.
        least = dt + self._min - ahead * (high >> 6) - (ahead * (high & 63) >> 6) - 1
        most = dt + self._max - ahead * (low >> 6) - (ahead * (low & 63) >> 6)
        self.unsure = False
        period = low >> 6
        if least >= 0 and most < period and self._missed < 0:
            return 0  # nothing new
        if most >= period:
            return self._overdue(before_us, after_us, newest, least, most)
        if most < 0:
            if most < 0 - (period >> 2):
                return (most + 1) // period
            # The sensor's clock has become faster.
            self._wander(newest, after_us, 0, _SLACK_16)
            return 0
        if self._missed >= 0:
            if newest > self._missed:
                # It came after the look that missed it.
                age = ((after_us - self._missed_us) & _WRAP) << 4
                age -= (newest - self._missed - 1) * period
                if age < least - (period >> 2):  # too late for it: this is the one after it
                    return self._count_lost(least - age, most)
                if age < least:  # the sensor's clock has become slower
                    self._wander(newest, after_us, max(0, age - _SLACK_16), age)
                    return 0
                if age < most:
                    most = age
            self._missed = -1
        self._move(newest, after_us, max(0, least), most)
        self._measure(newest, after_us, max(0, least), most)
        return 0

    def _overdue(self, before_us, after_us, newest, least, most):
        """The sample after `newest` may be due: it has been lost, or comes any moment."""
        limit = (((after_us - before_us) & _WRAP) << 4) + (self._high >> 6)
        if most - least > self._low >> 7:  # not known well enough to tell
            if least > limit:
                return self._count_lost(least - limit, most)
            if most > limit:
                self._move(newest, after_us, max(0, least), limit)
                self._measure(newest, after_us, max(0, least), limit)
            return 0
        self._missed_us = before_us
        self._missed = newest
        if least - limit > self._high >> 8:  # late by more than a quarter of a period
            return self._count_lost(least - limit, most)
        self.unsure = True
        return 0

    def locate(self, before_us, after_us, certain):
        """Index of the newest sample that a look from before_us to after_us can show.

        -1 if that look lies too near the edge between two samples to say; with
        certain=False the likelier one of the two.
        """
        dt = (after_us - self._t) & _WRAP
        if not certain:
            age = (dt << 4) + ((self._min + self._max) >> 1)
            return self.index + self._periods(age, self.period_1024)
        width = (after_us - before_us) & _WRAP
        few = self._periods(((dt - width) << 4) + self._min, self._high)
        many = self._periods((dt << 4) + self._max, self._low)
        return self.index + few if few == many else -1

    def age_us(self, index, now_us):
        """Microseconds from the taking of sample `index` to now_us.

        Negative when that lies in the future. now_us may lie up to 9 minutes
        before or after the last look.
        """
        dt = (now_us - self._t) & _WRAP
        if dt > _WRAP >> 1:
            dt = dt - _WRAP - 1  # 2^30 itself is an object on a 32-bit board
        age = (self._min + self._max) >> 5
        return dt + age - self._span_us(index - self.index)

    def t_ms(self, index):
        """Milliseconds from sample 0 to sample `index`, by the board's clock, rounded."""
        return self._ms + ((self._ms_16 >> 4) + self._span_us(index - self.index) + 500) // 1000

    @micropython.native
    def wait_us(self, now_us, least_us):
        """Microseconds from now_us to the first sample at least least_us away.

        That is the middle of the interval that it will be taken in.
        """
        period = self._period_16
        age = ((((now_us - self._t) & _WRAP) + least_us) << 4) + self._mid
        return least_us + ((period - age % period) >> 4)

    # -- inside ---------------------------------------------------------------------

    def _span_us(self, samples):
        period = self.period_1024
        return samples * (period >> 10) + (samples * (period & 1023) >> 10)

    @staticmethod
    def _periods(age_16, period_1024):
        """Whole periods in an age."""
        n = age_16 // (period_1024 >> 6)
        # The divisor above lost its last bits; step to the exact answer.
        while n * (period_1024 >> 6) + (n * (period_1024 & 63) >> 6) > age_16:
            n -= 1
        return n

    def _move(self, index, t, least, most):
        """Make sample `index` the reference."""
        mid = (least + most) >> 1
        if self._based:
            dt = ((t - self._t) & _WRAP) << 4
            us_16 = self._ms_16 + dt + ((self._min + self._max) >> 1) - mid
            self._ms += us_16 // 16_000
            self._ms_16 = us_16 % 16_000
        else:  # sample 0 lies `index` periods back, until that is known well enough
            self._based = most - least <= _NARROW_16 or index >= 64
            us = self._span_us(index)
            self._ms = us // 1000
            self._ms_16 = us % 1000 << 4
        self.index = index
        self._t = t
        self._min = least
        self._max = most
        self._hush()

    def _hush(self):
        """Prepare what each look needs: between which ages, less the reference's, it
        says nothing new, and how well the times are known.
        """
        width = self._max - self._min
        self.narrow = self.known and width <= _NARROW_16
        self.settled = self.narrow and self._high - self._low <= self._low >> 8
        self._mid = (self._min + self._max) >> 1
        period = self.period_1024
        self._period_16 = period >> 6
        # What _QUIET samples can add: half the period's uncertainty and the bits cut off.
        drift = _QUIET * (((self._high - self._low) >> 7) + 2)
        self._quiet_least = drift - self._min
        self._quiet_most = (self._low >> 6) - drift - self._max

    def accept(self):
        """The samples that look() found lost are accounted for from here on."""
        self._missed = -1

    def _count_lost(self, at_least, at_most):
        """How many samples were lost, when that takes so much of their time."""
        period = self.period_1024 >> 6
        few = (at_least + period - 1) // period
        self.unsure = at_most // period > few
        return 0 if self.unsure else few

    def _wander(self, index, t, least, most):
        """The sensor's clock has changed its speed: begin again, with wider bounds."""
        self._missed = -1
        wide = self.period_1024 >> 11  # 500 ppm
        self._low -= wide
        self._high += wide
        self._old[0] = self._young[0] = -1
        self._move(index, t, least, most)

    def _measure(self, index, t, least, most):
        """Cut the bounds of the period by the distance to an older look."""
        young = self._young
        old = self._old
        n = index - old[0]
        if old[0] < 0 or (n < 8 and most - least < old[3] - old[2]):
            self._set(old, index, t, least, most)
            self._set(young, index, t, least, most)
            return
        if n < 8:
            return
        elapsed = (t - old[1]) & _WRAP
        low = self._per(elapsed - ((most - old[2]) >> 4) - 1, n)
        high = self._per(elapsed - ((least - old[3]) >> 4) + 1, n)
        mid = (low + high) >> 1
        floor = mid >> _FLOOR_SHIFT
        if high - low < 2 * floor:
            low = mid - floor
            high = mid + floor
        # The speed may wander, so what was believed before counts a little less
        # each time.
        low = max(low, self._low - (floor >> 2))
        high = min(high, self._high + (floor >> 2))
        if high - low < floor:  # it has wandered further than that: believe the newer ones
            low = mid - 4 * floor
            high = mid + 4 * floor
        self._low = low
        self._high = high
        self._hush()
        if (t - young[1]) & _WRAP > _BASE_US:
            self._old = young
            self._young = old
            self._set(old, index, t, least, most)

    @staticmethod
    def _set(base, index, t, least, most):
        base[0] = index
        base[1] = t
        base[2] = least
        base[3] = most

    @staticmethod
    def _per(us, n):
        """us / n in 1/1024, with products that stay small."""
        return ((us // n) << 10) + ((us % n) << 10) // n
