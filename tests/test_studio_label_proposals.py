"""Proposals, and agreement of two people: what labelling stands on."""


import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.dataset import Recording, Span, read_dataset
from host_tools.dataset.agreement import agreement, match_spans
from host_tools.dataset.proposals import propose
from host_tools.errors import BeckonError
from host_tools.evaluation.model_proposals import propose_with_model
from host_tools.model.golden import read_model
from host_tools.paths import DATA, DEFAULT_MODEL, DEMO

RATE_HZ = 100.0


def recording(moves, seconds=30, noise=0.05, rate_hz=RATE_HZ, gaps=()):
    """A still board, moved for (start_s, end_s) at a time."""
    rng = np.random.default_rng(1)
    n = int(seconds * rate_hz)
    x = rng.normal(0, [noise] * 3 + [10 * noise] * 3, (n, 6))
    x[:, 2] += 9.81
    t = np.arange(n) / rate_hz
    for start, end in moves:
        inside = (t >= start) & (t < end)
        phase = np.pi * (t[inside] - start) / (end - start)
        swing = np.sin(phase) * np.sin(2 * np.pi * 3 * t[inside])
        x[inside] += swing[:, None] * [6, 5, 3, 150, 120, 90]
    return Recording("r", x.astype(np.float32), rate_hz, gaps=gaps)


def test_movement_is_found_where_it_is():
    moves = [(3, 4), (8, 8.7), (15, 16.4)]
    found = propose(recording(moves))
    assert len(found) == 3
    for proposal, (start, end) in zip(found, moves, strict=True):
        assert abs(proposal.start_ms - 1000 * start) < 200
        assert abs(proposal.end_ms - 1000 * end) < 200


@pytest.mark.parametrize("noise", [0, 0.02, 0.2])
def test_rest_is_no_movement(noise):
    assert propose(recording([], noise=noise)) == []


def test_turning_slowly_is_no_gesture():
    r = recording([(10, 11)])
    t = np.arange(len(r.samples)) / RATE_HZ
    r.samples[:, 0] += 9.81 * np.sin(2 * np.pi * t / 20)  # gravity wanders over the axes
    r.samples[:, 2] += 9.81 * (np.cos(2 * np.pi * t / 20) - 1)
    assert [round(p.start_ms / 1000) for p in propose(r)] == [10]


def test_what_is_labelled_is_not_proposed_again():
    r = recording([(3, 4), (8, 9)])
    assert len(propose(r, [Span(3500, 3600, "x")])) == 1


def test_lost_samples_are_no_movement():
    r = recording([(3, 4), (8, 9)], gaps=((790, 910),))
    assert len(propose(r)) == 1


@pytest.mark.parametrize("axes, rate_hz", [(3, 100), (6, 30), (3, 26)])
def test_other_sensors_will_do(axes, rate_hz):
    r = recording([(3, 4), (8, 9), (20, 21)], rate_hz=rate_hz)
    r = Recording("r", r.samples[:, :axes].copy(), float(rate_hz))
    assert len(propose(r)) == 3


@given(st.integers(2, 40), st.sampled_from([3, 6]))
def test_very_short_recordings_do_no_harm(n, axes):
    propose(Recording("r", np.random.default_rng(n).normal(0, 9, (n, axes)).astype("f4"), 50.0))


def matched(data, find):
    """How many gestures have a proposal that shares half of the time; how many were proposed."""
    hits = made = 0
    for r in data.recordings:
        proposals = [Span(p.start_ms, p.end_ms, p.label) for p in find(r)]
        pairs = match_spans(r.name, [s for s in r.spans if s.label != "none"], proposals)
        hits += sum(p.first is not None and p.second is not None for p in pairs)
        made += len(proposals)
    return hits, made


def test_proposals_match_the_labels_of_our_own_data():
    data = read_dataset(DATA / "gestures")
    truth = sum(s.label != "none" for r in data.recordings for s in r.spans)
    hits, made = matched(data, propose)
    assert hits >= 0.95 * truth and made <= 1.1 * truth


def test_proposals_match_real_labels(shared_data):
    data = read_dataset(shared_data / "uhh_phone_streams")
    hits, made = matched(data, propose)
    assert hits >= 0.95 * 300 and made <= 1.1 * 300


def test_the_model_names_what_it_knows():
    model, data = read_model(DEFAULT_MODEL), read_dataset(DEMO)
    r = data.recordings[0]
    found = propose_with_model(r, model)
    pairs = match_spans("r", r.spans, [Span(p.start_ms, p.end_ms, p.label) for p in found])
    assert sum(p.kind == "same" for p in pairs) >= 8  # of 9
    assert all(0 <= p.confidence <= 100 for p in found if p.label)
    # What is labelled already is left alone
    assert propose_with_model(r, model, r.spans) == []


def test_a_model_that_needs_a_gyroscope_says_so():
    r = recording([(3, 4)])
    r = Recording("phone", r.samples[:, :3], RATE_HZ)
    with pytest.raises(BeckonError, match="phone: no gyroscope"):
        propose_with_model(r, read_model(DEFAULT_MODEL))


# agreement


def test_equal_labels_agree_wholly():
    spans = {"a": [Span(0, 1000, "x"), Span(2000, 3000, "y")]}
    found = agreement(spans, spans)
    assert (found.same, found.kappa, found.edges_ms, found.disputes) == (2, 1.0, 0, [])


def test_each_kind_of_dispute():
    first = {"a": [Span(0, 1000, "x"), Span(2000, 3000, "y"), Span(5000, 6000, "x")]}
    second = {"a": [Span(100, 1000, "x"), Span(2000, 3100, "z"), Span(8000, 9000, "x")],
              "b": [Span(0, 1, "q")]}
    found = agreement(first, second)  # b was labelled by one of them alone
    assert (found.same, found.differing, found.only_first, found.only_second) == (1, 1, 1, 1)
    assert [p.kind for p in found.pairs] == ["same", "label", "first", "second"]
    assert found.edges_ms == 100


def test_kappa_as_worked_by_hand():
    # Ten pairs; x/x five times, y/y twice, x/y twice, y/x once: po = 0.7,
    # pe = 0.7 * 0.6 + 0.3 * 0.4 = 0.54, kappa = 0.16 / 0.46
    labels = [("x", "x")] * 5 + [("y", "y")] * 2 + [("x", "y")] * 2 + [("y", "x")]
    first = {"a": [Span(1000 * i, 1000 * i + 500, a) for i, (a, _) in enumerate(labels)]}
    second = {"a": [Span(1000 * i, 1000 * i + 500, b) for i, (_, b) in enumerate(labels)]}
    assert agreement(first, second).kappa == pytest.approx(0.16 / 0.46)


def test_a_span_finds_its_best_partner_once():
    pairs = match_spans("a", [Span(0, 1000, "x")], [Span(0, 700, "x"), Span(50, 1000, "x")])
    assert {(p.kind, p.second.start_ms) for p in pairs} == {("second", 0), ("same", 50)}


def test_nothing_in_common_is_no_kappa():
    assert agreement({"a": [Span(0, 1, "x")]}, {}).kappa is None


_SPANS = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 9), st.sampled_from("xy")),
                  max_size=8).map(lambda xs: [Span(a, a + n, k) for a, n, k in xs])


@given(_SPANS, _SPANS)
def test_every_span_is_counted_once(first, second):
    pairs = match_spans("a", first, second)
    assert sorted(map(repr, first)) == sorted(repr(p.first) for p in pairs if p.first)
    assert sorted(map(repr, second)) == sorted(repr(p.second) for p in pairs if p.second)
    turned = agreement({"a": second}, {"a": first}, ["a"])
    assert turned.only_first == agreement({"a": first}, {"a": second}, ["a"]).only_second
