"""The rules for events: against their description, and over long rests."""

import inspect
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.evaluation.emulator import (
    Piece,
    Windows,
    debounce_module,
    events_of,
    share_debounce_module,
)
from host_tools.model.decision import Decision, settings_of
from host_tools.model.golden import read_model
from host_tools.paths import DEFAULT_MODEL
from host_tools.training.debounce_tuning import pack

MODEL = read_model(DEFAULT_MODEL)
CLASSES = len(MODEL.labels)


def described(d, idle, shares, activity):
    """(window, label, confidence, label confidence) of events, as Decision describes the rule.

    shares : int (n, classes). activity : int (n,). One window after the other, each sum made
    from nothing.
    """
    found, low, last, armed = [], 0, None, True
    calm = 0
    for t in range(len(shares)):
        some = shares[max(0, t + 1 - d.span) : t + 1].astype(int)
        sums = some.sum(axis=0)
        sums[idle] = -1
        label = int(sums.argmax())
        gesture = int((100 - some[:, idle]).sum())
        evidence = gesture if d.by_gesture else int(sums[label])
        least = (d.thresholds[label] if d.thresholds else d.threshold_percent) * d.span
        peak = activity[max(0, t + 1 - d.peak_windows) : t + 1].max()
        calm = calm + 1 if activity[t] < max(d.calm_floor, peak * d.calm_ratio >> 6) else 0
        low = low + 1 if 2 * evidence < least else 0
        if not armed:
            armed = low >= d.quiet and t - last >= d.refractory
        elif evidence >= least and calm >= d.calm_windows:
            sure = min(100, 100 * int(sums[label]) // max(1, gesture))
            found.append((t, label, gesture // d.span, sure))
            armed, low, last = False, 0, t
    return found


def by_the_rule(d, classes, idle, pieces):
    """Events of the firmware's class, fed with every window."""
    rule = share_debounce_module().ShareDebouncer(classes, idle, *settings_of(d))
    found = []
    for shares, activity in pieces:
        rule.reset()
        for t, (row, e) in enumerate(zip(shares, activity, strict=True)):
            label = rule.update(row.tobytes(), int(e))
            if label >= 0:
                found.append((t, label, rule.confidence, rule.label_confidence))
    return found


decisions = st.builds(
    Decision,
    span=st.integers(1, 9), threshold_percent=st.integers(1, 100), by_gesture=st.booleans(),
    calm_windows=st.integers(0, 4), calm_ratio=st.integers(0, 64), calm_floor=st.integers(0, 60),
    peak_windows=st.integers(1, 20), quiet=st.integers(1, 9), refractory=st.integers(0, 20),
    thresholds=st.one_of(
        st.just(()), st.lists(st.integers(1, 100), min_size=CLASSES, max_size=CLASSES).map(tuple)
    ),
)  # fmt: skip


def stretch(rng, idle):
    """Shares and activity of a while: gestures of every clearness between rests of any length."""
    shares, activity = [], []
    for _ in range(int(rng.integers(0, 12))):
        n = int(rng.choice([1, 2, 3, 5, 8, 40]))
        some = np.zeros((n, CLASSES), np.uint8)
        kind = rng.random()
        if kind < 0.4:
            some[:, idle] = 100
        elif kind < 0.8:
            label = int(rng.integers(CLASSES))
            some[:, label] = rng.integers(50, 101, n)
            some[:, idle] = np.where(label == idle, some[:, idle], 100 - some[:, label])
        else:
            part = rng.random((n, CLASSES)) ** 3
            some[:] = (100 * part / part.sum(axis=1, keepdims=True)).astype(np.uint8)
        shares.append(some)
        activity.append(rng.integers(0, int(rng.choice([10, 40, 400])), n))
    none = [np.zeros((0, CLASSES), np.uint8)]
    return np.concatenate(shares or none), np.concatenate([np.zeros(0, int), *activity])


@settings(max_examples=400, deadline=None)
@given(decisions, st.integers(0, CLASSES - 1), st.integers(0, 2**32 - 1))
def test_the_rule_does_what_its_description_says(d, idle, seed):
    shares, activity = stretch(np.random.default_rng(seed), idle)
    expected = described(d, idle, shares, activity)
    assert by_the_rule(d, CLASSES, idle, [(shares, activity)]) == expected


def test_the_recorded_case_is_as_described():
    """tests/both/decision.json, which both interpreters run: the demo's answers, cut at 40 s."""
    case = json.loads((Path(__file__).parent / "both" / "decision.json").read_text())
    shares, activity = np.array(case["shares"]), np.array(case["activity"])
    for numbers, expected in case["events"]:
        d = Decision(*numbers[:-1], tuple(numbers[-1]))
        found = described(d, case["idle"], shares, activity)
        assert [list(event) for event in found] == expected


def test_the_examples_have_events():
    """Those above would pass with a rule that never reports."""
    counts = [
        len(described(Decision(span=4, threshold_percent=50), 0, *stretch(
            np.random.default_rng(seed), 0)))
        for seed in range(50)
    ]
    assert sum(counts) > 30 and sum(n > 1 for n in counts) > 3, counts


@settings(max_examples=200, deadline=None)
@given(decisions, st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3))
def test_skipping_long_rests_changes_no_event_of_the_rule_on_shares(d, seeds):
    pieces = [stretch(np.random.default_rng(seed), MODEL.idle) for seed in seeds]
    windows = Windows(tuple(as_piece(*piece) for piece in pieces))
    found = events_of(replace(MODEL, decision=d, version=2), windows)
    expected = by_the_rule(d, CLASSES, MODEL.idle, pieces)
    assert [(round(e.t_ms / 40), MODEL.labels.index(e.label), e.confidence, e.label_confidence)
            for e in found] == expected


def as_piece(shares, activity):
    label = shares.argmax(axis=1)
    sure = shares[np.arange(len(label)), label].astype(int)
    return Piece(np.arange(len(label)) * 40.0, label, sure, shares, activity)


window = st.tuples(st.integers(0, CLASSES - 1), st.integers(0, 100))
runs = st.lists(st.tuples(window, st.sampled_from((1, 1, 2, 5, 30))), max_size=40)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(runs, min_size=1, max_size=3),
    st.builds(pack, st.integers(0, 100), st.integers(1, 6), st.integers(0, 8), st.integers(1, 9),
              st.integers(0, 25), st.integers(0, 5)),
)  # fmt: skip
def test_skipping_long_rests_changes_no_event_of_the_rule_that_counts(pieces, debounce):
    rule = debounce_module().Debouncer(CLASSES, MODEL.idle, *debounce[:6])
    found, expected = [], []
    for piece in pieces:
        rule.reset()
        rows = [w for w, n in piece for _ in range(n)]
        label, confidence = (np.array([r[i] for r in rows], np.int64) for i in (0, 1))
        none = np.zeros((len(rows), CLASSES), np.uint8)
        found.append(Piece(np.arange(len(rows)) * 40.0, label, confidence, none, none[:, 0]))
        for t, (k, c) in enumerate(rows):
            event = rule.update(k, c)
            if event >= 0:
                expected.append((t, event, rule.confidence, rule.label_confidence))
    events = events_of(replace(MODEL, debounce=debounce, decision=None), Windows(tuple(found)))
    assert [(round(e.t_ms / 40), MODEL.labels.index(e.label), e.confidence, e.label_confidence)
            for e in events] == expected


def test_settings_in_place_of_the_model_s():
    shares, activity = stretch(np.random.default_rng(3), MODEL.idle)
    windows = Windows((as_piece(shares, activity),))
    d = Decision(span=3, threshold_percent=40, calm_windows=0)
    with_rule = replace(MODEL, decision=d, version=2)
    assert events_of(MODEL, windows, d) == events_of(with_rule, windows)
    counting = pack(10, 1, 0, 1, 0)
    assert events_of(with_rule, windows, counting) == events_of(
        replace(MODEL, debounce=counting, decision=None), windows)


def test_the_usual_settings_are_the_same_on_both_sides():
    usual = inspect.signature(share_debounce_module().ShareDebouncer).parameters.values()
    assert tuple(p.default for p in usual)[2:] == settings_of(Decision())
