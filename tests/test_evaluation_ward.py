"""Ward's categories: cases by hand, against the package armetrics, and from events to stretches."""

import numpy as np
import pytest
from armetrics import scorer
from armetrics.models import Segment
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.dataset import Recording, Span
from host_tools.evaluation.emulator import Detected, Windows
from host_tools.evaluation.evaluate import Stream
from host_tools.evaluation.ward import SECONDS, compared, movements_of


@pytest.mark.parametrize("truth, found, category, reported", [
    ([(0, 10)], [(0, 10)], "correct", ["correct"]),
    ([(0, 10)], [], "deleted", []),
    ([], [(0, 10)], None, ["inserted"]),
    ([(0, 10)], [(1, 3), (6, 8)], "fragmented", ["fragmenting"] * 2),
    ([(0, 10), (20, 30)], [(5, 25)], "merged", ["merging"]),
    ([(0, 10), (20, 30)], [(1, 3), (5, 25)], "fragmented and merged",
     ["fragmenting", "fragmenting and merging"]),
])
def test_by_hand(truth, found, category, reported):
    out = compared(truth, found)
    assert sorted(out.reported.elements()) == sorted(reported)
    if category:
        assert out.truth[category] >= 1
    assert sum(out.truth.values()) == len(truth)


def test_overfill_and_underfill_by_hand():
    """2 s too early and 3 s too late; then 1 s late at the start and 4 s early at the end."""
    out = compared([(10_000, 20_000), (50_000, 60_000)], [(8_000, 23_000), (51_000, 56_000)])
    assert out.as_json()["seconds"] == {
        "correct": 15, "deleted": 0, "inserted": 0, "merged": 0, "fragmented": 0,
        "overfill at the start": 2, "overfill at the end": 3,
        "underfill at the start": 1, "underfill at the end": 4}


def frames_of(stretches, n):
    out = np.zeros(n, int)
    for a, b in stretches:
        out[a:b] = 1
    return out


def events_of(frames):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], frames, [0]])))
    return [tuple(e) for e in edges.reshape(-1, 2).tolist()]


def by_armetrics(truth, found):
    """(truth's categories, reported ones, seconds) of two rows of frames."""
    cuts = [0, *(np.flatnonzero(np.diff(truth) | np.diff(found)) + 1).tolist(), len(truth)]
    segments = [Segment(a, b, scorer.segment_basic_score(bool(truth[a]), bool(found[a])))
                for a, b in zip(cuts, cuts[1:], strict=False)]
    scored = scorer.score_segments(segments)
    events = scorer.events_summary(
        *scorer.score_events(scored, events_of(truth), events_of(found)), normalize=False)
    frames = [s.label for s in scored for _ in range(s.end - s.start)]
    return events, scorer.frames_summary(frames, normalize=False)


stretch = st.tuples(st.integers(1, 90), st.integers(1, 25)).map(lambda s: (s[0], sum(s)))


@settings(max_examples=300)
@given(st.lists(stretch, max_size=7), st.lists(stretch, max_size=7))
def test_armetrics_says_the_same(truth, found):
    """In frames of a millisecond, with nothing at both ends (the package names the last
    segment's overfill as if it were at the start)."""
    rows = frames_of(truth, 130), frames_of(found, 130)
    events, frames = by_armetrics(*rows)
    out = compared(*(events_of(row) for row in rows))
    names = {"C": "correct", "D": "deleted", "F": "fragmented", "M": "merged",
             "FM": "fragmented and merged"}
    assert {k: out.truth[name] for k, name in names.items()} == {k: events[k] for k in names}
    names = {"C'": "correct", "I'": "inserted", "F'": "fragmenting", "M'": "merging",
             "FM'": "fragmenting and merging"}
    assert {k: out.reported[name] for k, name in names.items()} == {k: events[k] for k in names}
    keys = ("tp", "d", "i", "m", "f", "oa", "oz", "ua", "uz")
    for key, name in zip(keys, SECONDS, strict=True):
        assert out.seconds[name] == pytest.approx(frames[key] / 1000), key


def test_an_event_stands_for_the_movement_that_it_ended():
    """Two movements with a second of rest between them; an event 0.2 s after the second one."""
    x = np.zeros((400, 6), np.float32)
    x[:, 2] = 9.8
    for a, b in ((100, 150), (250, 300)):
        x[a:b, 5] = 200
    r = Recording("r", x, 100.0, (Span(3500, 4000, "a"),), start_ms=1000.0)

    def stream(*times):
        events = tuple(Detected(t, "a", 90) for t in times)
        return Stream(r, r.spans, Windows(()), events, (), ())

    (first, last), = movements_of(stream(4200.0), 3000.0)
    assert (first, last) == (pytest.approx(3500, abs=60), pytest.approx(4000, abs=60))
    # The movement before belongs to the event before; at rest the event stands for its window
    (_, last), (first, _) = movements_of(stream(3700.0, 4200.0), 3000.0)
    assert last <= 3700 <= first
    assert movements_of(stream(3100.0), 500.0) == [(2600.0, 3100.0)]
