"""Rule gestures: tap, double tap, shake, face down and free fall, straight from the raw frames.

Pure and integer: a frame costs some comparisons and allocates nothing. Magnitudes are squared
after two bits are dropped, so that all stays below 2^30.

    rules = Rules("tap,shake", rate_hz=100, accel_g=4)
    rules.push(row, lost, index)      # each frame of the ring buffer
    rules.network()                   # when the network has an event: whether it counts
    rules.take()                      # number of the rule whose event is due, or -1

One movement gives one event: a rule waits until the hand is calm, and if the network names a
gesture meanwhile, that counts and the rule does not. With `both` neither waits for the other.
"""

from array import array
from math import cos, pi

from micropython import const

NONE = -1
_TAP = const(0)
_DOUBLE = const(1)
_SHAKE = const(2)
_FACE_DOWN = const(3)
_FREE_FALL = const(4)
_LAG_MS = const(10)  # a change is measured over this time
# A tap: quiet before, short, and quiet after. Times in ms.
_QUIET_BEFORE_MS = const(120)
_TAP_MS = const(80)
_QUIET_AFTER_MS = const(60)
_ALONE_MS = const(200)  # so long nothing else may follow a tap
_SECOND_MS = const(450)  # from the end of the first to the end of the second
_QUIET_PART = const(4)  # quiet is below this part of the tap's threshold
_TURNS = const(4)  # changes of direction that make a shake
_TURN_MS = const(300)  # at most from one to the next
_KNOCK_MS = const(80)  # what comes back sooner is a knock, not a hand
_EVEN = const(3)  # the longest time from turn to turn over the shortest, at most
# A shake begins from calm, which ended at most so long before its first turn. Who walks,
# dribbles or claps is not calm.
_BEFORE_MS = const(700)
_START_MS = const(200)
_LOUD_PART = const(6)  # tenths of the threshold: below, all axes are calm
_DOWN_MS = const(500)  # face down at rest for so long
_DOWN_AGAIN_MG = const(300)  # up by more than that, and it can be turned down again
_STILL_MG = const(60)  # a resting hand changes by less
_FALL_MS = const(160)  # a fall from 13 cm
_CALM_MG = const(150)  # change below which the hand is calm
_HOLD_MS = const(400)  # calm for so long: the network would have spoken
_MOST_HOLD_MS = const(3000)
_AFTER_MS = const(600)  # after any event, nothing of the other kind


class Rules:
    """text: the setting, see rule_list.py. rate_hz, accel_g: of the frames.

    names: of the rules that are on. Raises ValueError for a text that cannot be.
    """

    def __init__(self, text, rate_hz, accel_g):
        from feedback.rule_list import NAMES, parse

        found, self._both = parse(text)
        per_g = 32768 // accel_g
        self.names = [name for name in NAMES if name in found]
        self._number = bytearray([255] * len(NAMES))  # of each among `names`; 255: it is off
        for i in range(len(self.names)):
            self._number[NAMES.index(self.names[i])] = i

        def frames(ms):
            return max(1, (ms * rate_hz + 500) // 1000)

        def counts(mg):
            return mg * per_g // 1000

        self._lag = min(8, frames(_LAG_MS))
        self._past = array("h", [0] * (3 * self._lag))  # ring of the last frames
        self._at = 0
        self._seen = 0  # frames since the last gap, up to _lag
        tap = min(found.get("tap", 99999), found.get("double_tap", 99999))
        self._tap = counts(tap) if tap < 99999 else 0
        self._quiet_tap = self._tap // _QUIET_PART
        self._single = "tap" in found
        self._double = "double_tap" in found
        self._quiet_before = frames(_QUIET_BEFORE_MS)
        self._tap_frames = frames(_TAP_MS)
        self._quiet_after = frames(_QUIET_AFTER_MS)
        self._alone = frames(_SECOND_MS if self._double else _ALONE_MS)
        self._shake = counts(found.get("shake", 0))
        # Knocks are smoothed: a mean over 20 ms or so.
        self._smooth = array("i", [0, 0, 0])  # 16ths
        self._shift = 0 if rate_hz < 75 else 1 if rate_hz < 150 else 2
        self._loud = self._shake * _LOUD_PART // 10
        self._turn_frames = frames(_TURN_MS)
        self._knock = frames(_KNOCK_MS)
        self._before = frames(_BEFORE_MS)
        self._start = frames(_START_MS)
        self._mean = array("i", [0, 0, 0])  # slow mean of each axis, 64ths
        self._sign = bytearray(3)  # of each axis: 0 none, 1 up, 2 down
        self._turns = bytearray(3)
        self._since_turn = array("H", [0, 0, 0])
        self._shortest = array("H", [0, 0, 0])  # from turn to turn, of this shake
        self._longest = array("H", [0, 0, 0])
        angle = found.get("face_down", 0)
        # A resting sensor reads 1 g up to its offset of some 60 mg
        self._down = int(per_g * (cos(angle * pi / 180) - 0.06)) if angle else 0
        self._down_again = counts(_DOWN_AGAIN_MG)
        self._still = counts(_STILL_MG)
        self._down_frames = frames(_DOWN_MS)
        fall = counts(found.get("free_fall", 0)) >> 2
        self._fall = fall * fall
        self._fall_frames = frames(_FALL_MS)
        self._calm_counts = counts(_CALM_MG)
        self._hold = frames(_HOLD_MS)
        self._most_hold = frames(_MOST_HOLD_MS)
        self._after = frames(_AFTER_MS)
        self.index = 0  # of the sample at which the last event's rule held
        self.yielded = 0  # rule events for which the network had another name
        self.silenced = 0  # events of the network after a rule's, of the same movement
        self._armed_down = False
        self._block = 0  # frames in which no rule may begin
        self._mute = 0  # frames in which the network's events do not count
        self.reset()

    def reset(self):
        """After a gap: what comes next has nothing to do with what was."""
        self._seen = self._at = 0
        self._quiet = 0
        self._spike = 0
        self._pending = 0  # frames since a tap that may become two
        self._taps = 0
        self._falling = 0
        self._lying = 0
        self._waiting = NONE  # rule that has held
        self._waited = 0
        self._calm = 0
        self._hushed = 0  # frames in which all axes were calm
        self._since_hush = 30000  # since they had been so for long
        for i in range(3):
            self._sign[i] = self._turns[i] = 0
            self._since_turn[i] = 0

    def push(self, row, lost, index):
        """Take a frame: row, int16 x y z first, `lost` samples after the one before."""
        if lost:
            self.reset()
        x = row[0]
        y = row[1]
        z = row[2]
        past = self._past
        at = self._at
        change = 0
        if self._seen < self._lag:
            self._seen += 1
            if self._seen == 1:
                self._mean[0] = x << 6
                self._mean[1] = y << 6
                self._mean[2] = z << 6
                self._smooth[0] = x << 4
                self._smooth[1] = y << 4
                self._smooth[2] = z << 4
        else:
            change = abs(x - past[at]) + abs(y - past[at + 1]) + abs(z - past[at + 2])
        past[at] = x
        past[at + 1] = y
        past[at + 2] = z
        self._at = at + 3 if at + 3 < 3 * self._lag else 0
        if self._block:
            self._block -= 1
        if self._mute:
            self._mute -= 1
        if change < self._calm_counts:
            if self._calm < 30000:
                self._calm += 1
        else:
            self._calm = 0
        if self._waiting != NONE:
            self._waited += 1
        if self._tap:
            self._see_tap(change, index)
        if self._shake:
            loud = self._see_axis(0, x, index)
            loud |= self._see_axis(1, y, index)
            loud |= self._see_axis(2, z, index)
            self._listen(loud)
        if self._down:
            self._see_face(z, change, index)
        if self._fall:
            self._see_fall(x >> 2, y >> 2, z >> 2, index)

    def network(self):
        """The network has an event: whether it counts. It takes the place of a rule's."""
        if self._both:
            return True
        if self._mute:
            self.silenced += 1
            return False
        if self._waiting != NONE:
            self.yielded += 1
            self._waiting = NONE
        self._pending = self._taps = 0
        self._block = self._after
        return True

    def is_due(self):
        """Whether a rule's event waits no longer."""
        return self._waiting != NONE and (
            self._both or self._waited >= self._most_hold or self._calm >= self._hold
        )

    def take(self):
        """Number (in names) of the rule whose event is due, or NONE."""
        if not self.is_due():
            return NONE
        rule = self._waiting
        self._waiting = NONE
        self._block = self._mute = self._after
        return self._number[rule]

    def counters(self, into):
        into["rules_yielded"] = self.yielded
        into["rules_silenced"] = self.silenced

    def _hold_event(self, rule, index):
        """A rule holds. A shake or a fall says more than the tap that it begins with."""
        if self._number[rule] == 255 or self._block:
            return
        if self._waiting == NONE or rule > self._waiting:
            self._waiting = rule
            self._waited = 0
            self.index = index

    def _see_tap(self, change, index):
        if self._spike:
            self._spike += 1
            if change >= self._quiet_tap:
                self._quiet = 0
            else:
                self._quiet += 1
            if self._spike - self._quiet > self._tap_frames:  # a movement, not a tap
                self._spike = self._pending = self._taps = 0
            elif self._quiet >= self._quiet_after:
                self._spike = 0
                self._taps += 1
                self._pending = 1
                if self._taps == 2:
                    if self._double:
                        self._hold_event(_DOUBLE, index)
                    self._pending = self._taps = 0
            return
        if self._pending:
            self._pending += 1
            if change >= self._tap:
                if self._double:
                    self._spike = 1  # the second one
                    self._quiet = 0
                else:
                    self._pending = self._taps = self._quiet = 0
                return
            if self._pending > self._alone:
                if self._single:
                    self._hold_event(_TAP, index)
                self._pending = self._taps = 0
        if change >= self._tap:
            if self._quiet >= self._quiet_before:
                self._spike = 1
            self._quiet = 0
        elif change >= self._quiet_tap:
            self._quiet = 0
        elif self._quiet < 30000:
            self._quiet += 1

    def _listen(self, loud):
        """Note how long the hand has been calm, and how long ago that was."""
        if self._since_hush < 30000:
            self._since_hush += 1
        if loud:
            self._hushed = 0
        elif self._hushed < self._before:
            self._hushed += 1
        else:
            self._since_hush = 0

    def _see_axis(self, axis, value, index):
        """Count how often the acceleration of an axis swings from one side to the other.

        Returns whether the axis is far from its mean.
        """
        mean = self._mean
        smooth = self._smooth
        smooth[axis] += ((value << 4) - smooth[axis]) >> self._shift
        value = smooth[axis] >> 4
        mean[axis] += value - (mean[axis] >> 6)
        away = value - (mean[axis] >> 6)
        if self._since_turn[axis] < self._turn_frames:
            self._since_turn[axis] += 1
        else:
            self._sign[axis] = self._turns[axis] = 0
        loud = away > self._loud or away < -self._loud
        sign = 1 if away > self._shake else 2 if away < -self._shake else 0
        if not sign or sign == self._sign[axis]:
            return loud
        since = self._since_turn[axis]
        self._sign[axis] = sign
        self._since_turn[axis] = 0
        if self._turns[axis]:
            self._shortest[axis] = min(self._shortest[axis], since)
            self._longest[axis] = max(self._longest[axis], since)
            if since < self._knock or self._longest[axis] > _EVEN * self._shortest[axis]:
                self._turns[axis] = 0
        if not self._turns[axis]:
            self._shortest[axis] = 0xFFFF
            self._longest[axis] = 0
            if self._since_hush > self._start:
                return loud
        self._turns[axis] += 1
        if self._turns[axis] == _TURNS:
            self._hold_event(_SHAKE, index)
        elif self._turns[axis] > _TURNS:  # the same shake goes on
            self._turns[axis] = _TURNS + 1
            if self._waiting == _SHAKE:
                self.index = index
        return loud

    def _see_face(self, z, change, index):
        if z > -self._down_again:
            self._armed_down = True
            self._lying = 0
        elif z > -self._down or change > self._still:
            self._lying = 0
        elif self._armed_down:
            self._lying += 1
            if self._lying >= self._down_frames:
                self._armed_down = False
                self._hold_event(_FACE_DOWN, index)

    def _see_fall(self, x, y, z, index):
        if x * x + y * y + z * z < self._fall:
            self._falling += 1
            if self._falling == self._fall_frames:
                self._hold_event(_FREE_FALL, index)
        else:
            self._falling = 0
