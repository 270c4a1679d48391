"""Samples as they come give what whole recordings give: engine, resampler, events, thresholds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.dataset.folder import read_dataset
from host_tools.dataset.resample import LiveResampler, resample
from host_tools.errors import BeckonError
from host_tools.evaluation.emulator import Board
from host_tools.evaluation.live import LiveBoard, with_thresholds
from host_tools.model import reference
from host_tools.model.codec import decode, encode
from host_tools.model.golden import read_model
from host_tools.model.live import LiveEngine
from host_tools.paths import DATA, DEFAULT_MODEL
from tests.random_models import random_frames, random_model


def pieces(n, rng):
    """Where a stream of n samples is divided at random."""
    cuts = np.sort(rng.integers(0, n + 1, 12))
    return zip([0, *cuts], [*cuts, n], strict=True)


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_the_engine_gives_the_same_however_the_frames_are_divided(seed):
    rng = np.random.default_rng(seed)
    model = random_model(seed)
    frames = random_frames(model, seed)
    whole = reference.run(model, frames)
    engine = LiveEngine(model)
    engine.push(frames[: len(frames) // 3])
    engine.reset()  # what was before must not matter
    parts = [engine.push(frames[a:b]) for a, b in pieces(len(frames), rng)]
    for name, value in whole._asdict().items():
        found = np.concatenate([getattr(p, name) for p in parts])
        assert np.array_equal(found, value), name


@pytest.mark.parametrize("to_hz", [100.0, 104.0, 50.0, 31.7, 99.95])
def test_the_resampler_gives_the_same_in_pieces(to_hz):
    rng = np.random.default_rng(1)
    x = rng.normal(0, 5, (700, 6))
    whole = resample(x, 100.0, to_hz)
    resampler = LiveResampler(100.0, to_hz, 6)
    resampler.push(x[:99])
    resampler.reset()
    found = np.concatenate([resampler.push(x[a:b]) for a, b in pieces(len(x), rng)])
    held = int(np.ceil(9 * max(to_hz / 100, 1))) + 1  # they wait for what comes next
    assert len(whole) - held <= len(found) <= len(whole)
    assert np.allclose(found, whole[: len(found)], atol=1e-4)


def test_a_live_board_finds_the_demo_events_and_a_gap_parts_them():
    model = read_model(DEFAULT_MODEL)
    (recording,) = read_dataset(DATA / "demo").recordings
    board = Board(model)
    expected = [(round(e.t_ms), e.label, e.confidence, e.label_confidence)
                for e in board.events(board.windows(recording))]
    live = LiveBoard(model, recording.rate_hz)
    x = recording.samples.astype(float)
    events = [e for a in range(0, len(x), 7) for e in live.push(x[a : a + 7])]
    assert [(round(e.t_ms), e.label, e.confidence, e.label_confidence) for e in events] == expected
    assert len(events) == 9
    lost = LiveBoard(model, recording.rate_hz)
    middle = round((expected[3][0] + expected[4][0]) / 2 * recording.rate_hz / 1000)
    heard = [*lost.push(x[:middle]), *lost.push(x[middle + 20 :], lost=20)]
    assert lost.gaps == 1
    assert [e.label for e in heard] == [e[1] for e in expected]
    assert all(abs(e.t_ms - known[0]) < 400 for e, known in zip(heard, expected, strict=True))


def test_a_gap_just_before_an_event_takes_it_away():
    model = read_model(DEFAULT_MODEL)
    model = with_thresholds(model, dict.fromkeys(model.labels, 20))
    (recording,) = read_dataset(DATA / "demo").recordings
    x = recording.samples.astype(float)
    (first, *_) = LiveBoard(model, recording.rate_hz).push(x)
    before = round(first.t_ms * recording.rate_hz / 1000) - 4  # one window
    rest = np.repeat(x[:1], 500, axis=0)
    rest[:, 3:] = 0
    whole, cut = (LiveBoard(model, recording.rate_hz) for _ in range(2))
    assert whole.push(x[:before]) == cut.push(x[:before]) == []
    assert [e.label for e in whole.push(rest)] == [first.label]
    assert cut.push(rest, lost=50) == []


def test_thresholds_act_at_once_and_survive_the_file():
    model = read_model(DEFAULT_MODEL)
    (recording,) = read_dataset(DATA / "demo").recordings
    x = recording.samples.astype(float)
    named = [e.label for e in LiveBoard(model, recording.rate_hz).push(x)]
    label = named[0]
    strict = with_thresholds(model, {label: 100})
    assert strict.decision.thresholds[model.labels.index(label)] == 100
    live = LiveBoard(model, recording.rate_hz)
    live.push(x[:100])
    live.set_decision(strict.decision)
    rest = [e for e in live.push(x[100:]) if e.label == label]
    assert all(e.confidence == 100 for e in rest)
    read = decode(encode(strict))
    assert read.decision == strict.decision and read.model_id != model.model_id
    same = dict.fromkeys(model.labels, model.decision.threshold_percent)
    assert with_thresholds(strict, same).decision == model.decision
    counting = replace(model, decision=None)
    assert with_thresholds(counting, {"": 55}).debounce[0] == 55


def test_a_model_with_a_gyroscope_refuses_a_stream_without():
    with pytest.raises(BeckonError, match="no gyroscope"):
        LiveBoard(read_model(DEFAULT_MODEL), 100.0, axes=3)
