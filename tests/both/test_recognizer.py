"""The recogniser: what goes from the ring to the engine, and from the engine to the debouncer.

The engine here is a script, so that what each window says is known; ring and debouncers
are the real ones. tests/test_same_events.py runs the whole chain with real models.
"""
from array import array

import micropython

from debounce import NO_EVENT
from recognition.recognizer import EMPTY, Recognizer
from sensing.ring_buffer import RingBuffer


class ScriptEngine:
    """A window per frame: the frame's values are the window's result.

    Of a frame, ax is the label, ay its confidence (percent), az the activity; gx, gy and
    gz are the shares of the three labels. A frame with label -1 completes no window.
    """

    labels = ("none", "circle", "x")
    idle = 0

    def __init__(self, debounce=(50, 3, 0, 2, 0, 0, 0, 0), decision=None):
        self.debounce = debounce
        self.decision = decision
        self.shares = bytearray(3)
        self.confidence = 0
        self.activity = 0
        self.resets = 0
        self._row = None

    def reset(self):
        self.resets += 1

    def push(self, row):
        self._row = row
        return row[0] >= 0

    def infer(self):
        row = self._row
        self.confidence = row[1]
        self.activity = row[2]
        for i in range(3):
            self.shares[i] = row[3 + i]
        return row[0]


def filled(*rows):
    """A ring with these rows; a number is a gap of so many samples."""
    ring = RingBuffer(64)
    for row in rows:
        if isinstance(row, int):
            ring.gap(row)
        else:
            ring.push(array("h", row))
    return ring


def window(label, confidence=90):
    return (label, confidence, 0, 0, 0, 0)


REST = window(0)
NO_WINDOW = window(-1)


def test_an_event_and_what_belongs_to_it():
    recognizer = Recognizer(ScriptEngine())
    ring = filled(REST, NO_WINDOW, window(2, 60), window(1, 70), window(2, 81), REST)
    assert recognizer.step(ring) == 2
    assert recognizer.index == 4
    assert recognizer.confidence == 70  # the mean of those that said so
    assert recognizer.label_confidence == 66  # two of three
    assert len(ring) == 1  # the rest stays in the ring
    assert recognizer.step(ring) == EMPTY
    counted = {}
    recognizer.counters(counted)
    assert counted == {"windows": 5, "gaps": 0, "events": 1}


def test_nothing_has_happened_yet():
    recognizer = Recognizer(ScriptEngine())
    counted = {}
    recognizer.counters(counted)
    assert counted == {"windows": 0, "gaps": 0, "events": 0}
    assert recognizer.index == recognizer.confidence == recognizer.label_confidence == 0
    assert recognizer.step(RingBuffer(4)) == EMPTY < NO_EVENT  # nor any label


def test_a_step_takes_so_many_frames_and_no_more():
    recognizer = Recognizer(ScriptEngine())
    ring = filled(*[REST] * 20)
    assert recognizer.step(ring) == NO_EVENT and len(ring) == 12
    assert recognizer.step(ring, 3) == NO_EVENT and len(ring) == 9
    assert recognizer.step(ring, 9) == NO_EVENT and len(ring) == 0
    assert recognizer.step(ring, 1) == EMPTY


def test_a_gap_resets_engine_and_burst():
    """No window spans a gap, nor does a gesture: two windows before it and one after
    are not the three in a row that an event needs."""
    engine = ScriptEngine()
    recognizer = Recognizer(engine)
    ring = filled(window(1), window(1), 3, window(1), window(1))
    assert recognizer.step(ring) == EMPTY
    assert engine.resets == 1 and recognizer.gaps == 1 and recognizer.events == 0
    ring.push(array("h", window(1)))
    assert recognizer.step(ring) == 1
    assert recognizer.index == 7  # the three samples lost are counted
    assert engine.resets == 1


def test_reset_forgets_what_was_before():
    engine = ScriptEngine()
    recognizer = Recognizer(engine)
    recognizer.step(filled(window(1), window(1)))
    recognizer.reset()
    assert engine.resets == 1
    assert recognizer.step(filled(window(1), window(1))) == EMPTY


def test_the_model_settles_the_counting_rule():
    """Threshold, count, span, quiet, dead time and majority, in this order."""
    recognizer = Recognizer(ScriptEngine(debounce=(80, 2, 1, 1, 4, 0, 99, 99)))
    ring = filled(window(1, 79), window(1, 80), window(1, 80), REST, window(2), window(2), REST)
    assert recognizer.step(ring) == 1
    assert recognizer.index == 2
    assert recognizer.step(ring) == EMPTY  # within four windows of dead time


def test_the_threshold_can_be_changed_and_restored():
    recognizer = Recognizer(ScriptEngine())
    assert recognizer.threshold_percent == 50
    recognizer.threshold_percent = 95
    assert recognizer.threshold_percent == 95
    assert recognizer.step(filled(*[window(1)] * 3)) == EMPTY
    recognizer.threshold_percent = -1
    assert recognizer.threshold_percent == 50
    assert recognizer.step(filled(*[window(1)] * 3)) == 1


# span 2, 70 percent, by gesture, 1 calm window, ratio 16/64, floor 16, peak of 9 windows,
# 2 quiet windows, no dead time
DECISION = (2, 70, 1, 1, 16, 16, 9, 2, 0)


def shared(activity, *shares):
    best = max(shares)
    return (shares.index(best), best, activity) + shares


def test_a_model_with_a_decision_is_judged_by_shares_and_rest():
    recognizer = Recognizer(ScriptEngine(decision=DECISION))
    assert recognizer.threshold_percent == 70
    calm = shared(0, 100, 0, 0)
    moving = (shared(400, 10, 30, 60), shared(400, 0, 20, 80))
    assert recognizer.step(filled(calm, calm, calm, *moving)) == EMPTY  # still moving
    assert recognizer.step(filled(shared(5, 0, 20, 80))) == 2
    assert recognizer.confidence == 100
    assert recognizer.label_confidence == 80
    assert recognizer.events == 1


def test_a_step_allocates_nothing():
    rest, wave = shared(3, 100, 0, 0), shared(3, 0, 95, 5)
    for engine in (ScriptEngine(), ScriptEngine(decision=DECISION)):
        recognizer = Recognizer(engine)
        ring = filled(rest, rest, rest, 2, *[wave] * 4)
        micropython.heap_lock()
        try:
            event = recognizer.step(ring, 8)
        finally:
            micropython.heap_unlock()
        assert event == 1 and recognizer.gaps == 1
