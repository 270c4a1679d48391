"""A recogniser with rule gestures beside the network. Pure."""

from feedback.rules import NONE, Rules
from ops.lazy import forget
from recognition.recognizer import EMPTY, NO_EVENT, Recognizer


class _Tee:
    """A ring buffer whose frames the rules see as they are read."""

    def __init__(self, rules):
        self.ring = None
        self.lost = 0
        self._rules = rules

    def read_into(self, row):
        if self._rules.is_due():  # first this event, then the next frame
            return EMPTY
        ring = self.ring
        index = ring.read_into(row)
        self.lost = ring.lost
        if index >= 0:
            self._rules.push(row, self.lost, index)
        return index


class RuledRecognizer(Recognizer):
    """Adds the rules' names to engine.labels. text: the setting `rules`.

    Its attributes are not private: those are shortened file by file when the image is made, and
    would meet the ones of Recognizer.
    """

    def __init__(self, engine, text):
        Recognizer.__init__(self, engine)
        self.rules = rules = Rules(text, engine.rate_hz, engine.accel_g)
        forget("options.together", "feedback.patterns", "feedback.rule_list")
        self.tee = _Tee(rules)
        self.first = len(engine.labels)
        engine.labels = list(engine.labels) + rules.names

    def reset(self):
        Recognizer.reset(self)
        self.rules.reset()

    def step(self, ring, frames=8):
        """As Recognizer.step(); a rule's event has the confidence 100."""
        self.tee.ring = ring
        event = Recognizer.step(self, self.tee, frames)
        rules = self.rules
        if event >= 0:
            return event if rules.network() else NO_EVENT
        due = rules.take()
        if due == NONE:
            return event
        self.events += 1
        self.index = rules.index
        self.confidence = self.label_confidence = 100
        return self.first + due

    def counters(self, into):
        Recognizer.counters(self, into)
        self.rules.counters(into)
