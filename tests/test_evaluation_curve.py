"""Recall against false alarms: the events of another threshold, and what the hours prove."""

from dataclasses import replace

import numpy as np
import pytest

from host_tools.dataset import Dataset, Recording, Span
from host_tools.evaluation.curve import Point, curve, hours_to_prove, recall_at, together
from host_tools.evaluation.emulator import Piece, Windows
from host_tools.evaluation.evaluate import Evaluation, Stream
from host_tools.evaluation.in_words import recall_at as recall_in_words
from host_tools.evaluation.matching import judge
from host_tools.evaluation.metrics import Tally
from host_tools.evaluation.redebounce import redebounced
from host_tools.model.decision import Decision


class Model:
    """As much of a model as the rules need."""

    labels, idle = ("none", "a", "b"), 0

    def __init__(self, decision=None, debounce=bytes((60, 3, 0, 4, 6, 0, 0, 0))):
        self.decision, self.debounce, self.version = decision, debounce, 2


def stream(seed, gap=True):
    """80 s with a gesture now and then, and shares that mostly follow them; start_ms is not 0."""
    rng = np.random.default_rng(seed)
    n = 2000
    start_ms = 1e6 * seed
    shares = np.zeros((n, 3), np.uint8)
    shares[:, 0] = 100
    activity = np.zeros(n, int)
    spans = []
    for at in range(60, n - 60, 90):
        k = int(rng.integers(1, 3))
        if rng.random() < 0.7:
            spans.append(Span(start_ms + 40 * (at - 20), start_ms + 40 * at, "none a b".split()[k]))
        activity[at - 20 : at] = rng.integers(20, 300)
        share = int(rng.integers(20, 101))
        shares[at : at + 12] = 0
        shares[at : at + 12, k] = share
        shares[at : at + 12, 0] = 100 - share
    cuts = [0, 700, n] if gap else [0, n]
    t_ms = start_ms + 40.0 * np.arange(n)
    label, sure = shares.argmax(axis=1), shares.max(axis=1).astype(int)
    pieces = tuple(Piece(t_ms[a:b], label[a:b], sure[a:b], shares[a:b], activity[a:b])
                   for a, b in zip(cuts, cuts[1:], strict=False))
    recording = Recording(f"r{seed}", np.zeros((n, 6), np.float32), 25.0, tuple(spans), start_ms)
    return Stream(recording, tuple(spans), Windows(pieces), (), *judge(spans, []))


MODELS = [
    Model(Decision()), Model(Decision(4, 60, thresholds=(50, 45, 95))),
    Model(Decision(5, 80, by_gesture=False, calm_windows=0)), Model(),
]


@pytest.mark.parametrize("model", MODELS, ids=["shares", "own thresholds", "by label", "counts"])
def test_each_point_is_the_model_with_that_threshold(model, monkeypatch):
    streams = [stream(k, gap=k % 2 == 0) for k in range(1, 5)]
    monkeypatch.setattr("host_tools.evaluation.redebounce.replace", with_settings)
    whole = Evaluation(model, Dataset("d", []), None, streams, 1.0, [])
    points = curve(model, streams)
    assert sum(p.own for p in points) == 1
    base = model.decision.threshold_percent if model.decision else model.debounce[0]
    checked = 0
    for p in points[::6] + [p for p in points if p.own]:
        if model.decision:
            own = tuple(min(100, max(1, t + p.threshold - base)) for t in model.decision.thresholds)
            settings = replace(model.decision, threshold_percent=p.threshold, thresholds=own)
        else:
            settings = bytes([p.threshold]) + model.debounce[1:]
        tally = redebounced(whole, settings).tally()
        assert p.tally.latencies_ms == pytest.approx(tally.latencies_ms)
        assert replace(p.tally, latencies_ms=[]) == replace(tally, latencies_ms=[])
        checked += p.tally.hits > 0
    assert checked > 3
    assert points[0].tally.recall > points[-1].tally.recall


def with_settings(thing, **changes):
    """dataclasses.replace that also takes the stand-in for a model."""
    if isinstance(thing, Model):
        out = Model()
        out.__dict__.update(thing.__dict__, **changes)
        return out
    return replace(thing, **changes)


def point(threshold, hits, alarms, hours):
    return Point(threshold, Tally(truth=10, hits=hits, alarms=alarms, idle_s=3600 * hours))


def test_recall_at_a_rate_by_hand():
    """Upper bounds of 0, 1 and 5 events are 3.689, 5.572 and 11.668."""
    points = [point(50, 10, 6, 20), point(70, 9, 5, 20), point(90, 7, 1, 20), point(99, 4, 0, 20)]
    assert recall_at(points) == {"0.1": None, "0.6": 0.9, "2": 1.0}  # 11.67 of 12; 13.06 of 40
    assert recall_at(points, (0.25, 0.28)) == {"0.25": 0.4, "0.28": 0.7}
    assert hours_to_prove(0.1) == pytest.approx(36.89, abs=0.01)


def test_a_limit_that_no_threshold_keeps_is_kept_by_silence_only():
    assert recall_at([point(50, 10, 900, 20), point(99, 9, 300, 20)]) == {
        "0.1": None, "0.6": 0.0, "2": 0.0}


def test_without_gestures_or_time_nothing_is_said():
    assert recall_at([Point(50, Tally(idle_s=3600 * 50))]) == {"0.1": None, "0.6": None, "2": None}
    assert recall_at([point(50, 10, 0, 0.1)]) == {"0.1": None, "0.6": None, "2": None}
    assert recall_at([]) == {"0.1": None, "0.6": None, "2": None}


def test_in_words():
    figures = {"events": {"truth": 10},
               "recall_at_false_per_hour": {"0.1": None, "0.6": 0.9, "2": 1.0}}
    assert recall_in_words(figures) == (
        "0.900 at 0.6 false per hour; 1.000 at 2 false per hour; 0.1 per hour cannot be proven: "
        "that takes 37 hours without gestures")
    figures["recall_at_false_per_hour"]["0.6"] = None
    assert recall_in_words(figures) == (
        "1.000 at 2 false per hour; 0.1 and 0.6 per hour cannot be proven: that takes 37 and 6.1 "
        "hours without gestures")
    assert recall_in_words({"events": {"truth": 0}}) == ""


def test_curves_of_several_models_are_added():
    total = together([[point(50, 10, 2, 1), point(60, 8, 1, 1)],
                      [point(50, 9, 0, 1), point(55, 9, 0, 1), point(60, 7, 0, 1)]])
    assert [(p.threshold, p.tally.hits, p.tally.alarms, p.tally.truth) for p in total] == [
        (50, 19, 2, 20), (60, 15, 1, 20)]
