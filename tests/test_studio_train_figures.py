"""What the Train page computes from an evaluation: other debouncers, and why an event came."""

from dataclasses import replace

import numpy as np
import pytest

from host_tools.dataset import read_dataset
from host_tools.evaluation.emulator import Board
from host_tools.evaluation.evaluate import evaluate
from host_tools.evaluation.explain import reason, shares
from host_tools.evaluation.matching import DUPLICATE, FALSE, HIT, match_events
from host_tools.evaluation.redebounce import redebounced
from host_tools.model.decision import Decision
from host_tools.model.golden import read_model
from host_tools.paths import DEFAULT_MODEL, DEMO
from host_tools.training.debounce_tuning import pack


@pytest.fixture(scope="module")
def result():
    return evaluate(read_model(DEFAULT_MODEL), read_dataset(DEMO))


@pytest.fixture(scope="module")
def board(result):
    return Board(result.model)


def test_other_settings_give_what_a_model_with_them_gives(result):
    for decision in (Decision(4, 30), Decision(8, 90), result.model.decision):
        other = redebounced(result, decision)
        again = evaluate(replace(result.model, decision=decision), result.data)
        found, expected = other.as_json(), again.as_json()
        assert found["events"] == expected["events"]
        assert found["per_class"] == expected["per_class"]
        assert found["model"]["id"] == expected["model"]["id"]
        assert [s.events for s in other.streams] == [s.events for s in again.streams]
    quick = redebounced(result, pack(30, 1, 0, 1, 0)).tally()
    slow = redebounced(result, pack(30, 9, 0, 6, 0)).tally()
    assert np.median(quick.latencies_ms) < np.median(slow.latencies_ms) - 100


def test_settings_that_cannot_be_are_refused(result):
    with pytest.raises(ValueError, match="min_count"):
        redebounced(result, pack(80, 0))


def test_the_shares_around_an_event_are_the_engine_s_answers(result, board):
    (stream,) = result.streams
    t_ms = np.concatenate([p[0] for p in stream.windows.pieces])
    label = np.concatenate([p[1] for p in stream.windows.pieces])
    confidence = np.concatenate([p[2] for p in stream.windows.pieces])
    for event in stream.events:
        near = shares(board, stream.recording, event.t_ms)
        at = np.searchsorted(t_ms, near.t_ms[0] - 1e-6)
        whole = slice(at, at + len(near.t_ms))
        assert near.t_ms == pytest.approx(t_ms[whole])
        assert near.label.tolist() == label[whole].tolist()
        assert near.confidence.tolist() == confidence[whole].tolist()
        assert near.t_ms[0] <= event.t_ms - 1900 and near.t_ms[-1] >= event.t_ms + 1400
        rows = np.arange(len(near.label))
        assert near.percent[rows, near.label].tolist() == near.confidence.tolist()
        assert np.abs(near.percent.sum(axis=1) - 100).max() <= 2  # of rounding


def test_no_shares_outside_the_recording(result, board):
    recording = result.streams[0].recording
    assert len(shares(board, recording, -5000).t_ms) == 0
    assert len(shares(board, recording, recording.seconds * 1000 + 9000).t_ms) == 0
    end = shares(board, recording, recording.start_ms + recording.seconds * 1000 - 20)
    assert len(end.t_ms) > 10
    assert len(shares(board, recording, recording.start_ms + 10).t_ms) > 0


def test_reasons(result):
    (stream,) = result.streams
    model = result.model
    hit = [v.kind for v in stream.verdicts].index(HIT)
    assert "the label's end" in reason(stream, hit, model)
    spans = list(stream.gestures)

    def judged(changed):
        other = evaluate(model, replace_spans(result.data, changed)).streams[0]
        return reason(other, hit, model), other.verdicts[hit].kind

    here = next(k for k, g in enumerate(spans) if g == stream.gestures[stream.verdicts[hit].span])
    others = [g for k, g in enumerate(spans) if k != here]
    wrong = next(label for label in model.labels[1:] if label != spans[here].label)
    found, kind = judged(sorted([*others, replace(spans[here], label=wrong)],
                               key=lambda s: s.start_ms))
    assert kind == FALSE and f"a {wrong} is labelled here" in found
    alone = [replace(spans[here], start_ms=spans[here].start_ms - 2500,
                     end_ms=spans[here].end_ms - 2500)]
    found, kind = judged(alone)
    assert kind == FALSE and "after its end (later than 1 s does not count)" in found
    found, kind = judged([replace(spans[here], label="none")])
    assert kind == FALSE and "nothing is labelled here" in found
    first = stream.events[hit]
    events = (first, replace(first, t_ms=first.t_ms + 300))
    gestures = [(s.start_ms, s.end_ms, s.label) for s in spans]
    verdicts = match_events(gestures, [(e.t_ms, e.label) for e in events])
    twice = replace(stream, events=events, verdicts=tuple(verdicts))
    again = [v.kind for v in twice.verdicts].index(DUPLICATE)
    assert "reported already" in reason(twice, again, model)


def replace_spans(data, spans):
    (recording,) = data.recordings
    return type(data)(data.name, [recording.with_spans(spans)])
