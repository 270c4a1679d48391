"""From a run of window results to one event per gesture, by counting windows.

A classifier that slides over a gesture names it several times, sometimes with
a wrong name at the edges, and often again while the hand moves back. The
Debouncer gathers the results of one movement, reports it once, and then waits
until the movement is really over. Time is counted in windows (hops); there is
no clock here.

Models that say more than a label ask for recognition/share_debouncer.py instead.
"""

NO_EVENT = -1


class Debouncer:
    """Report each gesture once, by counting the windows in which it was the best label.

    The rule began as the two conditions of the article in which this project has its
    roots: a least number of inferences, a least span between the first and the last, then
    the majority of the first ones. What is added: results below a confidence count as
    rest, a burst is over after some quiet windows, and nothing is reported again before
    that and before a dead time have passed.

    classes: number of labels; idle: the label that means no gesture.
    threshold_percent: results less confident than this count as idle.
    min_count: so many gesture windows make an event, at least 1.
    min_span: so many windows lie at least between a burst's first gesture
        window and the one that makes the event, 0 for none.
    quiet: so many idle windows in a row end a burst or a gesture, at least 1.
    refractory: so many windows after an event nothing is reported.
    majority_of: the event's label is the most frequent of the first so many
        gesture windows; 0 takes all of them.

    `confidence` is the mean confidence, in percent, of the windows which voted
    for the reported label, `label_confidence` the percentage of votes that it had.
    threshold_percent may be changed at any time; -1 restores the model's. Raises
    ValueError for settings that cannot be.
    """

    def __init__(
        self,
        classes,
        idle,
        threshold_percent=50,
        min_count=3,
        min_span=0,
        quiet=5,
        refractory=0,
        majority_of=0,
    ):
        if classes < 2 or not 0 <= idle < classes:
            raise ValueError("idle must be one of at least 2 classes")
        if min_count < 1 or quiet < 1:
            raise ValueError("min_count and quiet must be at least 1")
        if not 0 <= threshold_percent <= 100 or min_span < 0 or refractory < 0 or majority_of < 0:
            raise ValueError("a debounce setting is out of range")
        self._idle = idle
        self._own_percent = threshold_percent
        self._percent = threshold_percent
        self._min_count = min_count
        self._min_span = min_span
        self._quiet = quiet
        self._refractory = refractory
        self._majority_of = majority_of
        self._votes = [0] * classes
        self._sums = [0] * classes  # of confidence, so that the mean is an integer division
        self.confidence = 0
        self.label_confidence = 0
        self._since_event = 0
        self.reset()

    @property
    def threshold_percent(self):
        """Windows less confident than this count as idle. Setting it to -1 restores the model's."""
        return self._percent

    @threshold_percent.setter
    def threshold_percent(self, percent):
        self._percent = percent if percent >= 0 else self._own_percent

    def reset(self):
        """Forget the burst, as after a gap in the samples. A running dead time goes on."""
        self._count = 0
        self._span = 0
        self._still = 0
        self._held = self._since_event > 0
        self._clear_votes()

    def update(self, label, confidence):
        """Take one window's label and confidence (percent).

        Returns the label of the event that this window completes, else NO_EVENT.
        """
        if self._since_event:
            self._since_event -= 1
        if label == self._idle or confidence < self._percent:
            return self._rest()
        self._still = 0
        if self._held:
            return NO_EVENT
        if self._count:
            self._span += 1
        self._count += 1
        if not self._majority_of or self._count <= self._majority_of:
            self._votes[label] += 1
            self._sums[label] += confidence
        if self._count < self._min_count or self._span < self._min_span:
            return NO_EVENT
        return self._report(label)

    def _rest(self):
        if self._count:
            self._span += 1
        if self._still < self._quiet:
            self._still += 1
        if self._still >= self._quiet:
            if self._count:
                self._count = 0
                self._span = 0
                self._clear_votes()
            if not self._since_event:
                self._held = False
        return NO_EVENT

    def _report(self, latest):
        """The majority, the latest window's label where votes are equal."""
        winner = latest
        for i in range(len(self._votes)):
            if self._votes[i] > self._votes[winner]:
                winner = i
        count = self._votes[winner]
        self.confidence = self._sums[winner] // count if count else 0
        self.label_confidence = 100 * count // sum(self._votes) if count else 0
        self._count = 0
        self._span = 0
        self._clear_votes()
        self._held = True
        self._since_event = self._refractory
        return winner

    def _clear_votes(self):
        for i in range(len(self._votes)):
            self._votes[i] = 0
            self._sums[i] = 0
