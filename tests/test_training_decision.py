"""The decision rule over stored answers: what is an event, and which settings are chosen."""

import numpy as np
import pytest

from host_tools.evaluation.emulator import Piece, Windows, events_of
from host_tools.evaluation.metrics import Tally
from host_tools.evaluation.share_events import Answers, run_lengths
from host_tools.evaluation.share_events import events as fast_events
from host_tools.model.decision import Decision
from host_tools.training import decision_tuning
from host_tools.training.answers import Heard
from host_tools.training.decision_tuning import made, tune, worth

MOVING, RESTING = 160, 0
RULE = made(4, 70, (2, 16))


def answers(*parts, starts=(0,)):
    """parts: (windows, share of class 1, share of class 2, activity); the rest is none."""
    rows = [(100 - a - b, a, b, e) for n, a, b, e in parts for _ in range(n)]
    table = np.array(rows)
    return Answers(table[:, :3].astype(np.uint8), table[:, 3], np.array(starts))


def events(found, rule=RULE):
    when, label = fast_events(rule, found, 0)
    return list(zip(when.tolist(), label.tolist(), strict=True))


def test_a_gesture_is_reported_once_and_at_rest():
    found = answers((20, 0, 0, MOVING), (10, 95, 0, MOVING), (30, 95, 0, RESTING))
    ((when, label),) = events(found)
    assert label == 1 and when == 31  # the second calm window


def test_without_a_calm_gate_it_is_reported_in_motion():
    found = answers((20, 0, 0, MOVING), (10, 95, 0, MOVING))
    ((when, _),) = events(found, made(4, 70, (0, 16)))
    assert when == 22  # 3 of 4 windows: 285 of 400


def test_unsure_between_two_names_is_still_a_gesture():
    """55 % beside 40 % is a gesture of 95 %, and the likelier name."""
    found = answers((20, 0, 0, MOVING), (10, 55, 40, MOVING), (10, 55, 40, RESTING))
    assert [k for _, k in events(found)] == [1]


def test_not_armed_again_before_quiet_and_a_dead_time():
    found = answers((10, 0, 0, MOVING), (40, 95, 0, MOVING), (3, 0, 0, MOVING),
                    (20, 0, 95, MOVING), (30, 0, 0, MOVING), (20, 0, 95, MOVING))
    rule = made(4, 70, (0, 16))
    assert [k for _, k in events(found, rule)] == [1, 2]  # 3 windows are no quiet
    assert len(events(found, rule)) == 2


def test_nothing_is_carried_from_one_stream_to_the_next():
    rule = made(4, 70, (0, 16))
    twice = answers((30, 95, 0, MOVING), (30, 95, 0, MOVING), starts=(0, 30))
    assert [w for w, _ in events(twice, rule)] == [2, 32]


class Labels:
    """As much of a model as the firmware's rule needs."""

    labels, idle, decision, debounce = ("none", "a", "b"), 0, None, bytes(8)


def on_the_board(found, rule):
    """Events of firmware/recognition/share_debouncer.py; a piece that goes on comes after a gap."""
    n = np.arange(len(found.activity))
    streams = []
    for a, b, more in zip(found.starts, [*found.starts[1:], len(n)], found.goes_on, strict=True):
        none = np.zeros(b - a, int)
        piece = Piece(n[a:b].astype(float), none, none, found.shares[a:b], found.activity[a:b])
        if not more:
            streams.append([])
        streams[-1].append(piece)
    return [(int(e.t_ms), Labels.labels.index(e.label)) for pieces in streams
            for e in events_of(Labels, Windows(tuple(pieces)), rule)]


OTHER_RULES = (
    Decision(4, 50, by_gesture=False, calm_windows=0),
    Decision(6, 70, thresholds=(1, 40, 90), calm_windows=1, refractory=40),
    Decision(3, 55, by_gesture=False, thresholds=(99, 60, 30), quiet=2, refractory=0),
)


@pytest.mark.parametrize("seed", range(40))
def test_the_events_are_the_boards(seed):
    rng = np.random.default_rng(seed)
    parts = [(int(rng.integers(1, 25)), *rng.multinomial(100, rng.dirichlet([0.4] * 3))[:2],
              int(rng.choice([0, 5, 17, 18, 19, 30, 100, 400]))) for _ in range(60)]
    n = sum(p[0] for p in parts)
    starts = (0, *sorted(rng.choice(np.arange(1, n), 6, replace=False).tolist()))
    found = answers(*parts, starts=starts)
    found.goes_on = np.array([False, *(rng.random(6) < 0.5)])
    rules = (RULE, made(8, 40, (0, 16)), made(6, 60, (1, 26)), made(1, 99, (3, 40)))
    for rule in (*rules, *OTHER_RULES):
        assert events(found, rule) == on_the_board(found, rule)


def test_a_dead_time_goes_on_after_a_gap_and_not_in_another_stream():
    rule = Decision(4, 70, calm_windows=0, refractory=30)
    found = answers((10, 95, 0, MOVING), (60, 0, 95, MOVING), starts=(0, 10))
    assert [w for w, _ in events(found, rule)] == [2, 12]
    found.goes_on = np.array([False, True])
    assert [w for w, _ in events(found, rule)] == [2]  # not quiet since


def test_runs_are_counted():
    flags = np.array([1, 1, 0, 1, 1, 1, 0, 0, 1], bool)
    assert run_lengths(flags).tolist() == [1, 2, 0, 1, 2, 3, 0, 0, 1]


# --- tuning ---------------------------------------------------------------


def heard(found, spans=(), label=1):
    """A stream at 25 windows a second."""
    t_ms = np.arange(len(found.activity)) * 40.0
    start, end = np.array(spans, float).reshape(-1, 2).T
    idle_s = len(t_ms) / 25 - float((end - start).sum()) / 1000
    return Heard(found, t_ms, np.zeros((len(t_ms), 3), np.int32), start, end,
                 np.full(len(start), label), idle_s, 0)


def gestures(share, count=10):
    """Gestures of 0.8 s, 4 s apart, called with `share` percent from their end on."""
    parts = []
    for _ in range(count):
        parts += [(40, 0, 0, RESTING), (20, 0, 0, MOVING), (12, share, 0, RESTING),
                  (28, 0, 0, RESTING)]
    spans = [(4000 * k + 1600, 4000 * k + 2400) for k in range(count)]
    return heard(answers(*parts), spans)


def life(share, hours, per_hour):
    """Hours without gestures in which something is called with `share` percent now and then."""
    n = round(hours * 3600 * 25)
    shares = np.tile(np.array([100, 0, 0], np.uint8), (n, 1))
    activity = np.full(n, RESTING)
    for k in range(round(hours * per_hour)):
        at = int((k + 0.5) * n / (hours * per_hour))
        activity[at : at + 20] = MOVING
        shares[at + 20 : at + 30] = (100 - share, share, 0)
    return heard(Answers(shares, activity, np.array([0])))


def test_what_is_counted():
    c = gestures(90).judge(RULE)
    assert (c.truth, c.hits, c.false, c.duplicates, c.f1) == (10, 10, 0, 0, 1)
    assert c.latency_ms(0.5) == 40 * 3  # evidence of 3 of 4 windows
    other = gestures(90)
    other.label[:] = 2
    c = other.judge(RULE)
    assert (c.hits, c.false, c.alarms) == (0, 10, 0)  # wrong names are no alarms
    c = life(90, 1, 5).judge(RULE)
    assert (c.alarms, c.false, c.truth) == (5, 5, 0)


def test_delay_costs_and_little_delay_is_free():
    quick, slow = Tally(10, 10, latencies_ms=[150.0]), Tally(10, 10, latencies_ms=[700.0])
    assert worth(quick) == 1 > worth(slow) > 0.8


def test_a_lower_limit_gives_a_quieter_rule():
    """Alarms of 80 %, more than 1 but less than 10 an hour; gestures of 95 %, some of 70 %."""
    streams = [gestures(95), gestures(70)]
    quiet = life(80, 6.0, 4)
    loose, reached = tune(streams, [quiet], 10.0)
    assert reached.recall == 1 and reached.proven and reached.alarms == 24
    strict, reached = tune(streams, [quiet], 1.0)
    assert strict.threshold_percent > 80 >= loose.threshold_percent
    assert reached.alarms == 0 and reached.proven and reached.recall == 0.5


@pytest.mark.parametrize("limit", [0.2, 2.0])
def test_what_is_not_counted_to_the_end_changes_nothing(limit, monkeypatch):
    """Low thresholds that make far too many alarms are left out of the count."""
    streams = [gestures(95), gestures(70)]
    quiet = [life(88, 1.0, 3), life(60, 1.0, 90)]
    quick = tune(streams, quiet, limit)
    counted = []
    whole = Heard.judge
    monkeypatch.setattr(Heard, "judge", lambda h, d: counted.append(d) or whole(h, d))
    tune(streams, quiet, limit)
    some, counted[:] = len(counted), []
    monkeypatch.setattr(decision_tuning, "_FAR_TOO_MANY", np.inf)
    assert tune(streams, quiet, limit) == quick
    assert some < len(counted)


def test_too_little_time_proves_nothing_and_says_so():
    rule, reached = tune([gestures(95)], [life(80, 0.5, 4)], 1.0)
    assert reached.alarms == 0 and not reached.proven and rule.threshold_percent > 60
    assert reached.per_hour_95[1] == pytest.approx(3.689 / (0.5 * 1.5), abs=0.01)


def test_of_equals_one_person_gets_a_strict_one_and_several_the_usual():
    streams = [gestures(99), gestures(99)]
    own, _ = tune(streams, [life(0, 0.1, 0)], 1.0, recorded=False)
    several, _ = tune(streams, [life(0, 0.1, 0)], 1.0, recorded=False, people=True)
    assert own.threshold_percent == 75 and several.threshold_percent == 65
