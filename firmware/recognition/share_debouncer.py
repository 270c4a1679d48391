"""From a run of window results to one event per gesture, by shares and by rest.

A classifier that slides over a gesture names it several times, and torn between
two names it is sure of neither. So the question is split: the mean of the last
windows' shares says whether it was a gesture and which one, and the moment is
when the hand is calm. Time is counted in windows (hops); there is no clock here.
"""

from array import array

NO_EVENT = -1  # as in debounce.py, which a model that uses this does not need


class ShareDebouncer:
    """Report a gesture when its mean share is high enough and the hand has come to rest.

    classes: number of labels; idle: the label that means no gesture.
    span: windows whose shares are summed, 1..64. Windows before the first one add nothing.
    threshold_percent: least evidence per window, 1..100.
    by_gesture: 1: evidence is 100 minus the share of idle, 0: the share of the best label.
    calm_windows: so many calm windows in a row an event needs, 0..255; 0 does not wait.
    calm_ratio, calm_floor: a window is calm when its activity is below calm_floor
        (1/16 of a resting hand), or below calm_ratio / 64 (0..64) of the peak.
    peak_windows: the peak is the greatest activity of the last so many windows, 1..255.
    quiet: so many windows in a row with less than half of the least evidence arm the rule
        for the next event, 1..255.
    refractory: so many windows after an event nothing is reported, 0..255.
    thresholds: a percent for each label in place of threshold_percent, or nothing.

    After an event, `confidence` says how sure it is that it was a gesture, and
    `label_confidence` how sure which one, both in percent. Raises ValueError for
    settings that cannot be.
    """

    def __init__(
        self,
        classes,
        idle,
        span=6,
        threshold_percent=65,
        by_gesture=1,
        calm_windows=2,
        calm_ratio=16,
        calm_floor=16,
        peak_windows=50,
        quiet=7,
        refractory=10,
        thresholds=b"",
    ):
        if classes < 2 or not 0 <= idle < classes:
            raise ValueError("idle must be one of at least 2 classes")
        if not (1 <= span <= 64 and 1 <= peak_windows <= 255 and 1 <= quiet <= 255):
            raise ValueError("span, peak_windows or quiet is out of range")
        if not (0 <= calm_windows <= 255 and 0 <= calm_ratio <= 64 and 0 <= calm_floor <= 65535):
            raise ValueError("a setting of the calm gate is out of range")
        if not (1 <= threshold_percent <= 100 and 0 <= refractory <= 255):
            raise ValueError("threshold_percent or refractory is out of range")
        if thresholds and (
            len(thresholds) != classes or min(thresholds) < 1 or max(thresholds) > 100
        ):
            raise ValueError("thresholds must be 1 to 100 percent for each label")
        self._classes = classes
        self._idle = idle
        self._span = span
        self._by_gesture = by_gesture
        self._calm_windows = calm_windows
        self._calm_ratio = calm_ratio
        self._calm_floor = calm_floor
        self._quiet = quiet
        self._refractory = refractory
        self._own_percent = threshold_percent
        self._own_thresholds = bytes(thresholds)
        self._thresholds = bytearray(classes)
        self.threshold_percent = -1
        self._sums = [0] * classes  # over the last `span` windows
        self._shares = bytearray(span * classes)  # of those windows, a ring
        self._activities = array("H", [0] * peak_windows)  # a ring, too
        self.confidence = 0
        self.label_confidence = 0
        self._since_event = 0
        self.reset()

    @property
    def threshold_percent(self):
        """Least evidence per window. Setting it acts on every label; -1 restores the model's."""
        return self._percent

    @threshold_percent.setter
    def threshold_percent(self, percent):
        own = percent < 0
        self._percent = self._own_percent if own else max(1, min(100, percent))
        for i in range(self._classes):
            one = self._own_thresholds[i] if own and self._own_thresholds else self._percent
            self._thresholds[i] = one

    def reset(self):
        """Forget all windows, as after a gap in the samples. A running dead time goes on."""
        shares, idle = self._shares, self._idle
        for i in range(len(shares)):
            shares[i] = 100 if i % self._classes == idle else 0
        for i in range(self._classes):
            self._sums[i] = 0
        self._sums[idle] = 100 * self._span
        for i in range(len(self._activities)):
            self._activities[i] = 0
        self._oldest = 0  # window in _shares
        self._moving = 0  # windows until nothing but rest is left in _shares
        self._peak = 0
        self._peak_at = 0
        self._calm = 0
        self._low = 0  # windows in a row with less than half of the least evidence
        self._armed = not self._since_event

    def update(self, shares, activity):
        """Take one window's shares (percent, one per label) and activity.

        Returns the label of the event that this window completes, else NO_EVENT.
        """
        if self._since_event:
            self._since_event -= 1
        if self._calm_windows:
            self._weigh_activity(activity)
        label = weight = 0
        limit = 1
        if shares[self._idle] != 100 or sum(shares) != 100:
            self._moving = self._span + 1
        if self._moving:  # else all that is summed is rest, and one more changes nothing
            self._moving -= 1
            label = self._add(shares)
            weight = self._evidence() if self._by_gesture else self._sums[label]
            limit = self._thresholds[label] * self._span
        if 2 * weight >= limit:
            self._low = 0
        elif self._low < self._quiet:
            self._low += 1
        if not self._armed:
            self._armed = self._low >= self._quiet and not self._since_event
            return NO_EVENT
        if weight < limit or self._calm < self._calm_windows:
            return NO_EVENT
        return self._report(label)

    def _add(self, shares):
        """Put a window into the ring and its sums; return the label with the greatest sum."""
        sums, ring, idle = self._sums, self._shares, self._idle
        at = self._oldest * self._classes
        best = most = -1
        for label in range(self._classes):
            share = shares[label]
            total = sums[label] + share - ring[at]
            ring[at] = share
            at += 1
            sums[label] = total
            if total > most and label != idle:
                most = total
                best = label
        self._oldest = self._oldest + 1 if self._oldest + 1 < self._span else 0
        return best

    def _evidence(self):
        """Sum of what the last windows did not give to idle."""
        return 100 * self._span - self._sums[self._idle]

    def _weigh_activity(self, activity):
        """Count the calm windows in a row."""
        ring = self._activities
        at = self._peak_at
        left = ring[at]
        ring[at] = activity
        self._peak_at = at + 1 if at + 1 < len(ring) else 0
        if activity >= self._peak:
            self._peak = activity
        elif left == self._peak:
            self._peak = max(ring)
        calm = max(self._calm_floor, self._peak * self._calm_ratio >> 6)
        if activity >= calm:
            self._calm = 0
        elif self._calm < self._calm_windows:
            self._calm += 1

    def _report(self, label):
        evidence = self._evidence()
        self.confidence = evidence // self._span
        self.label_confidence = min(100, 100 * self._sums[label] // max(1, evidence))
        self._armed = False
        self._low = 0
        self._since_event = self._refractory
        return label
