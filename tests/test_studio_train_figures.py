"""What the Train page computes from an evaluation: other debouncers, and why an event came."""

from dataclasses import replace

import numpy as np
import pytest

from host_tools.dataset import Dataset, read_dataset
from host_tools.dataset.held_out import piece
from host_tools.evaluation.evaluate import evaluate
from host_tools.evaluation.explain import reason, shares
from host_tools.evaluation.matching import DUPLICATE, FALSE, HIT, match_events
from host_tools.evaluation.redebounce import redebounced
from host_tools.evaluation.together import together
from host_tools.model.decision import Decision
from host_tools.model.golden import read_model
from host_tools.paths import DEFAULT_MODEL, DEMO
from host_tools.training.debounce_tuning import pack


@pytest.fixture(scope="module")
def result():
    return evaluate(read_model(DEFAULT_MODEL), read_dataset(DEMO))


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


def test_the_shares_around_an_event_are_the_engine_s_answers(result):
    (stream,) = result.streams
    for event in stream.events:
        near = shares(stream.windows, event.t_ms)
        assert event.t_ms in near.t_ms and np.diff(near.t_ms) == pytest.approx(40)
        assert near.t_ms[0] <= event.t_ms - 1900 and near.t_ms[-1] >= event.t_ms + 1400
        rows = np.arange(len(near.label))
        assert near.percent[rows, near.label].tolist() == near.confidence.tolist()
        assert np.abs(near.percent.sum(axis=1) - 100).max() <= 2  # of rounding


def test_no_shares_outside_the_recording(result):
    recording, windows = result.streams[0].recording, result.streams[0].windows
    assert len(shares(windows, -5000).t_ms) == 0
    assert len(shares(windows, recording.seconds * 1000 + 9000).t_ms) == 0
    assert len(shares(windows, recording.start_ms + recording.seconds * 1000 - 20).t_ms) > 10
    assert len(shares(windows, recording.start_ms + 10).t_ms) > 0


def test_parts_that_were_judged_apart_are_one_evaluation(result):
    """Two halves of the demo, each judged on its own, count as the whole does."""
    (whole,) = result.data.recordings
    middle = round(whole.index((whole.spans[4].end_ms + whole.spans[5].start_ms) / 2))
    halves = [evaluate(result.model, Dataset("half", [piece(whole, a, b)]))
              for a, b in ((0, middle), (middle, len(whole.samples)))]
    both = together(result.model, halves)
    found, expected = both.as_json(), result.as_json()
    # Windows begin at each half's own first sample, so that events may come a hop sooner or later
    assert found["events"]["latency_ms"]["p50"] == pytest.approx(
        expected["events"]["latency_ms"]["p50"], abs=40)
    for name in ("truth", "hits", "false", "duplicates", "alarms"):
        assert found["events"][name] == expected["events"][name]
    assert found["span"] == expected["span"]
    assert [both.data.recordings[i].spans[0].start_ms <= s.start_ms <= both.data.recordings[i]
            .spans[-1].start_ms for i, s in both.spans.where] == [True] * 9
    strict = redebounced(both, Decision(30, 100)).tally()
    assert (strict.truth, strict.hits) == (9, 0)


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
