"""Events against spans, by DESIGN's rules: worked cases, and what must always hold."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from host_tools.dataset import Span
from host_tools.evaluation.emulator import Detected
from host_tools.evaluation.matching import (
    DUPLICATE,
    FALSE,
    GRACE_MS,
    HIT,
    Gestures,
    Verdict,
    judge,
    match_events,
    missed,
)
from host_tools.evaluation.metrics import Tally

SPANS = [(1000, 1800, "circle"), (3000, 3500, "x")]


def kinds(events, spans=SPANS):
    return [verdict.kind for verdict in match_events(spans, events)]


def test_first_in_time_hits_second_is_a_duplicate():
    assert kinds([(1900, "circle"), (2100, "circle")]) == [HIT, DUPLICATE]
    assert kinds([(2100, "circle"), (1900, "circle")]) == [DUPLICATE, HIT]


def test_borders():
    assert kinds([(999, "circle")]) == [FALSE]
    assert kinds([(1000, "circle")]) == [HIT]
    assert kinds([(1800 + GRACE_MS, "circle")]) == [HIT]
    assert kinds([(1801 + GRACE_MS, "circle")]) == [FALSE]


def test_an_event_may_come_one_second_late_and_no_more():
    """The grace is a second, whatever the constant says."""
    assert kinds([(2800, "circle"), (4501, "x")]) == ["hit", "false"]
    assert kinds([(1100, "circle"), (1200, "circle")]) == ["hit", "duplicate"]


def test_of_two_spans_the_one_that_began_first_is_hit():
    """Also if it ends last."""
    verdicts = match_events([(1200, 1300, "x"), (1000, 2000, "x")], [(1250, "x"), (1280, "x")])
    assert [(v.kind, v.span) for v in verdicts] == [(HIT, 1), (HIT, 0)]


def test_a_streams_gestures_and_events():
    events = [Detected(1900.0, "circle", 80, 80), Detected(1000.0, "x", 80, 80)]
    verdicts, lost = judge([Span(1000, 1800, "circle"), Span(3000, 3500, "x")], events)
    assert not verdicts[1].alarm  # a gesture was made, and called by a wrong name
    assert verdicts == (Verdict(HIT, 0, 100.0), Verdict(FALSE))
    assert lost == (1,)


def test_wrong_label_is_false_and_the_span_missed():
    verdicts = match_events(SPANS, [(1900, "x"), (3600, "x")])
    assert [v.kind for v in verdicts] == [FALSE, HIT]
    assert missed(SPANS, verdicts) == [0]


def test_latency_counts_from_the_end():
    early, late = match_events(SPANS, [(1700, "circle"), (3650, "x")])
    assert (early.latency_ms, late.latency_ms) == (-100, 150)


def test_two_spans_within_the_grace_take_one_event_each():
    spans = [(1000, 1400, "x"), (1800, 2200, "x")]
    verdicts = match_events(spans, [(1900, "x"), (2300, "x"), (2350, "x")])
    assert [(v.kind, v.span) for v in verdicts] == [(HIT, 0), (HIT, 1), (DUPLICATE, 1)]


label = st.sampled_from(["circle", "x"])
span = st.tuples(st.integers(0, 9000), st.integers(1, 900), label)


@given(st.lists(span, max_size=8), st.lists(st.tuples(st.integers(0, 12000), label), max_size=12))
def test_hits_and_missed_share_out_the_spans(raw, events):
    spans = [(start, start + length, name) for start, length, name in raw]
    verdicts = match_events(spans, events)
    hits = [v.span for v in verdicts if v.kind == HIT]
    assert len(hits) == len(set(hits))
    assert sorted([*hits, *missed(spans, verdicts)]) == list(range(len(spans)))
    for verdict, (t_ms, name) in zip(verdicts, events, strict=True):
        if verdict.span is not None:
            start, end, wanted = spans[verdict.span]
            assert name == wanted and start <= t_ms <= end + GRACE_MS


def by_the_words(spans, events):
    """(kind, span, alarm) of each event, written as the rule is worded, one look at everything."""
    out, taken = {}, set()
    for i in sorted(range(len(events)), key=lambda i: events[i][0]):
        t, name = events[i]
        there = [k for k, (a, b, _) in enumerate(spans) if a <= t <= b + GRACE_MS]
        fitting = sorted((k for k in there if spans[k][2] == name), key=lambda k: spans[k][0])
        free = [k for k in fitting if k not in taken]
        if free:
            taken.add(free[0])
            out[i] = (HIT, free[0], False)
        else:
            out[i] = (DUPLICATE, fitting[-1], False) if fitting else (FALSE, None, not there)
    return [out[i] for i in range(len(events))]


long_span = st.tuples(st.integers(0, 9000), st.integers(1, 6000), label)  # within each other


@given(st.lists(span | long_span, max_size=12),
       st.lists(st.tuples(st.integers(0, 16000), label), max_size=16))
def test_the_rule_is_as_it_is_worded(raw, events):
    spans = [(start, start + length, name) for start, length, name in raw]
    found = match_events(spans, events)
    assert [(v.kind, v.span, v.alarm) for v in found] == by_the_words(spans, events)
    for v, (t_ms, _) in zip(found, events, strict=True):
        if v.kind == HIT:
            assert v.latency_ms == t_ms - spans[v.span][1]


@given(st.lists(span, max_size=8), st.lists(st.tuples(st.integers(0, 12000), label), max_size=12))
def test_training_counts_as_evaluate_does(raw, events):
    """Spans and events as numbers on one clock, and the sum of both tallies."""
    spans = [(start, start + length, name) for start, length, name in raw]
    named = Gestures([s[0] for s in spans], [s[1] for s in spans], [len(s[2]) for s in spans])
    t_ms = np.array([t for t, _ in events], float)
    quick = named.match(t_ms, [len(name) for _, name in events])
    assert quick == match_events(spans, events)
    tally = Tally.of(len(spans), quick, 1800.0)
    assert tally.hits + tally.false + tally.duplicates == len(events)
    assert tally.alarms <= tally.false and tally.missed == len(missed(spans, quick))
    both = tally + tally
    assert (both.alarms, both.missed, both.idle_s) == (2 * tally.alarms, 2 * tally.missed, 3600)
    assert both.false_per_hour == 2 * tally.alarms
