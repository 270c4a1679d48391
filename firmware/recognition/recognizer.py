"""From frames to events: ring buffer, engine and debouncer in a row. Pure.

`step` does a bounded piece of work, so that the task around it can let others
run in between; it allocates nothing.
"""

from array import array

NO_EVENT = -1  # as the rules say it
EMPTY = -2  # the ring holds no more frames


class Recognizer:
    """engine: microMLP_engine.Engine; its model also holds the debouncer's settings."""

    def __init__(self, engine):
        self._engine = engine
        classes = len(engine.labels)
        self._by_shares = engine.decision is not None
        if self._by_shares:  # either rule takes heap: only the one in use is imported
            from recognition.share_debouncer import ShareDebouncer

            self._debouncer = ShareDebouncer(classes, engine.idle, *engine.decision)
        else:
            from debounce import Debouncer

            self._debouncer = Debouncer(classes, engine.idle, *engine.debounce[:6])
        self._row = array("h", bytes(12))
        self.confidence = 0  # that the last event was a gesture, percent
        self.label_confidence = 0  # which one it was
        self.index = 0  # of the sample that completed it
        self.windows = 0
        self.gaps = 0
        self.events = 0

    @property
    def threshold_percent(self):
        """How sure a gesture must be. Setting it to -1 restores the model's."""
        return self._debouncer.threshold_percent

    @threshold_percent.setter
    def threshold_percent(self, percent):
        self._debouncer.threshold_percent = percent

    def reset(self):
        """Forget the window and the burst: what comes next has nothing to do with them."""
        self._engine.reset()
        self._debouncer.reset()

    def step(self, ring, frames=8):
        """Take up to so many frames from ring.

        Returns the label (index) of an event, NO_EVENT when there was none in
        these frames, EMPTY when the ring ran out. After an event `index`, `confidence`
        and `label_confidence` belong to it; the rest of the frames stays in the ring.
        """
        engine = self._engine
        row = self._row
        for _ in range(frames):
            index = ring.read_into(row)
            if index < 0:
                return EMPTY
            if ring.lost:  # no window spans a gap
                self.gaps += 1
                self.reset()
            if engine.push(row):
                label = engine.infer()
                self.windows += 1
                if self._by_shares:
                    event = self._debouncer.update(engine.shares, engine.activity)
                else:
                    event = self._debouncer.update(label, engine.confidence)
                if event != NO_EVENT:
                    self.events += 1
                    self.index = index
                    self.confidence = self._debouncer.confidence
                    self.label_confidence = self._debouncer.label_confidence
                    return event
        return NO_EVENT

    def counters(self, into):
        into["windows"] = self.windows
        into["gaps"] = self.gaps
        into["events"] = self.events
