"""Learning on the board: its files, its checks, and that it finds its way in the engine."""

import re
from array import array
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tools.cli.app import main
from host_tools.dataset import read_dataset
from host_tools.errors import BeckonError
from host_tools.evaluation.board_learning import Refused, teach
from host_tools.evaluation.emulator import Board
from host_tools.model import reference
from host_tools.model.codec import decode, encode
from host_tools.model.format import ModelError
from host_tools.model.golden import read_model, seal
from host_tools.model.kept import METRIC_ONE, Kept
from host_tools.paths import DATA, DEFAULT_MODEL, FIRMWARE
from host_tools.recording.learned import write_learned
from host_tools.training.keep import metric_of
from learning import layout
from learning.model_file import ModelFile
from learning.model_writer import check_room, write
from microMLP_engine import Engine

MODEL = read_model(DEFAULT_MODEL)
ROW = bytes(128 + k % 7 for k in range(MODEL.layers[-1].inputs))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.mlp"
    path.write_bytes(encode(MODEL))
    return path


def golden_of(row, bias):
    window = reference.features(MODEL, reference.golden_frames(MODEL))
    u = reference.last_inputs(MODEL, window.values)
    return int(u[0].astype(int) @ (np.frombuffer(row, np.uint8).astype(int) - 128)) + bias


def test_the_default_model_has_examples_of_all_that_it_knows():
    assert set(MODEL.kept.labels) == set(range(len(MODEL.labels)))
    assert decode(encode(MODEL)).kept == MODEL.kept
    # They are what they say: nearly all of them are seen so by the model
    x = MODEL.kept.values.astype(int) << MODEL.kept.shift
    last = MODEL.layers[-1]
    found = (x @ last.weights.T.astype(int) + last.bias).argmax(axis=1)
    assert (found == MODEL.kept.labels).mean() > 0.9


@pytest.mark.parametrize("spoil, words", [
    (lambda b: b[:-1], "cut"), (lambda b: b + b"\0", "cut"), (lambda b: b[:-60], "cut"),
    (lambda b: b[:-30] + bytes([b[-30] ^ 1]) + b[-29:], "damaged"),
    (lambda b: b[:12596] + b"\3" + b[12597:], "version 3, 2 is known; train the model again"),
])  # fmt: skip
def test_damaged_examples_are_refused(spoil, words):
    with pytest.raises(ModelError, match=words):
        decode(spoil(encode(MODEL)))


def test_the_metric_is_the_inverse_of_the_scatter_within_gestures():
    rng = np.random.default_rng(1)
    labels = np.arange(4000) % 4
    away = rng.normal(0, 1, (4000, 3)) * (4, 1, 0)  # what never varies counts most
    away[:, 1] += away[:, 0] / 2
    metric = metric_of(100 + 20 * rng.random((4, 3))[labels] + away, labels)
    assert (metric == metric.T).all() and abs(np.trace(metric) - 3 * METRIC_ONE) <= 2
    scatter = np.array([[16, 8, 0], [8, 5, 0], [0, 0, 0]]) * 3 / 21
    expected = np.linalg.inv(scatter + 0.3 * np.eye(3))
    assert metric == pytest.approx(METRIC_ONE * 3 * expected / np.trace(expected), abs=2)
    assert (metric_of(np.ones((5, 3)), np.zeros(5)) == METRIC_ONE * np.eye(3)).all()


@given(st.integers(1, 20), st.integers(0, 3), st.randoms(use_true_random=False))
def test_kept_examples_are_read_as_they_were_written(width, count, random):
    lower = np.zeros((width, width), np.int8)
    size = width * (width + 1) // 2
    lower[np.tril_indices(width)] = [random.randint(-127, 127) for _ in range(size)]
    roots = np.array([random.randint(0, 15) for _ in range(count * width)], np.uint8)
    kept = Kept(3, np.zeros(count, np.uint8), roots.reshape(count, width),
                lower + np.tril(lower, -1).T)  # fmt: skip
    data = kept.to_bytes(5)
    found = Kept.from_bytes(data, 5, width, 1)
    assert found == kept
    assert (found.metric == kept.metric).all() and (found.roots == kept.roots).all()
    at = random.randrange(len(data))
    spoilt = data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :]
    for wrong in (spoilt, data[:at]):
        with pytest.raises(BeckonError):
            Kept.from_bytes(wrong, 5, width, 1)


def test_examples_take_no_memory_of_the_engine(path, tmp_path):
    bare = tmp_path / "bare.mlp"
    bare.write_bytes(encode(replace(MODEL, kept=None)))
    assert len(Engine.load(str(path)).buffer) == len(Engine.load(str(bare)).buffer)
    assert Engine.load(str(path)).model_id == Engine.load(str(bare)).model_id == MODEL.model_id
    bare.write_bytes(encode(replace(MODEL, kept=None)) + b"more")
    with pytest.raises(ValueError, match="not known"):
        Engine.load(str(bare))


def test_the_layout_is_the_engines():
    text = (FIRMWARE / "lib" / "microMLP_engine.py").read_text()
    there = dict(re.findall(r"^(_[A-Z]+) = const\((\d+)\)", text, re.MULTILINE))
    mine = {k: getattr(layout, k) for k in ("_STATUS", "_FIRST", "_LAYER_WORDS", "_IN")}
    there["_LAYER_WORDS"] = re.search(r"_LAYER_WORDS = const\((\d+)\)", text)[1]
    assert {k: int(there[k]) for k in mine} == mine


def test_the_last_layers_values_are_found_in_the_engine():
    engine = Engine(encode(MODEL))
    frames = reference.golden_frames(MODEL)
    for frame in frames:
        engine.push(array("h", frame.tolist()))
    engine.infer()
    at = layout.place_of(engine, len(MODEL.layers))
    values = np.frombuffer(engine.buffer, "<u2", MODEL.layers[-1].inputs, at)
    expected = reference.last_inputs(MODEL, reference.features(MODEL, frames).values)[0]
    assert (values == expected).all() and values.any()
    assert engine.buffer[layout.place_of(engine, layout.STATUS)] == 1


@pytest.mark.parametrize("thresholds", [(), (50, 60, 70, 80)])
@pytest.mark.parametrize("label", ["wave", "circle", "é"])
def test_a_written_model_is_what_the_computer_would_write(path, label, thresholds):
    decision = replace(MODEL.decision, thresholds=thresholds)
    model = seal(replace(MODEL, decision=decision))
    path.write_bytes(encode(model))
    file = ModelFile(str(path))
    index = model.labels.index(label) if label in model.labels else -1
    extra = [bytes([k] * file.row_bytes) for k in range(3)]
    golden = golden_of(ROW, -7000)
    written = write(file, str(path) + ".learn", label, index, ROW, -7000, golden, extra)
    found = read_model(str(path) + ".learn")  # its golden window, too
    assert found.model_id == written
    last = found.layers[-1]
    k = index if index >= 0 else len(model.labels)
    assert last.bias[k] == -7000 and bytes((last.weights[k].astype(int) + 128).tolist()) == ROW
    others = [i for i in range(len(model.labels)) if i != k]
    assert (last.weights[others] == model.layers[-1].weights[others]).all()
    assert found.labels == (model.labels if index >= 0 else (*model.labels, label))
    if thresholds and index < 0:
        assert found.decision.thresholds == (*thresholds, decision.threshold_percent)
    assert (found.kept.metric == MODEL.kept.metric).all()
    mine = found.kept.labels == k
    assert mine.sum() == 3 + 27 * (index >= 0)
    assert np.count_nonzero(np.diff(found.kept.labels.astype(int))) == found.kept.labels.max()
    assert encode(found) == (path.with_name(path.name + ".learn")).read_bytes()
    # And another one on top of it
    again = ModelFile(str(path) + ".learn")
    assert (again.classes, again.kept) == (len(found.labels), file.kept + 3)


def test_what_cannot_learn_is_refused_in_one_line(path, tmp_path):
    for model, reason in (
        (replace(MODEL, kept=None), "without examples"),
        (seal(replace(MODEL, version=1, activity=None, decision=None, kept=None)), "older kind"),
    ):
        path.write_bytes(encode(model))
        with pytest.raises(ValueError, match=reason):
            ModelFile(str(path))
    path.write_bytes(encode(MODEL))
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="damaged"):
        ModelFile(str(path)).examples(lambda values, label: None, lambda piece: None)
    path.write_bytes(encode(seal(replace(MODEL, notes="x" * 7420))))
    with pytest.raises(ValueError, match="20000 are the most; train it again"):
        check_room(ModelFile(str(path)), "wave")
    file = ModelFile(str(DEFAULT_MODEL))
    file.classes = 32
    with pytest.raises(ValueError, match="32 labels, which is the most"):
        check_room(file, "wave")


@pytest.fixture(scope="module")
def takes():
    """label -> single takes of the synthetic hands."""
    from host_tools.dataset.held_out import piece

    found = {}
    for r in read_dataset(str(DATA / "gestures")).recordings:
        for s in r.spans:
            a, b = round(r.index(s.start_ms)) - 60, round(r.index(s.end_ms)) + 60
            if s.label != "none" and a > 0 and b < len(r.samples):
                found.setdefault(s.label, []).append(piece(r, a, b))
    return found


def test_a_known_gesture_is_refused_by_another_name_and_learned_by_its_own(takes):
    with pytest.raises(Refused, match="'mine' is too close to 'circle'"):
        teach(MODEL, takes["circle"][:5], "mine")
    more = teach(MODEL, takes["circle"][:5], "circle")
    assert more.labels == MODEL.labels and more.model_id != MODEL.model_id
    board, before = Board(more), Board(MODEL)
    for r in takes["x"][:6]:
        events = [e.label for e in board.events(board.windows(r))]
        assert events == [e.label for e in before.events(before.windows(r))]


def test_too_few_repetitions_say_which_was_of_no_use(takes):
    still = replace(takes["circle"][0], samples=np.repeat(takes["circle"][0].samples[:1], 300, 0))
    with pytest.raises(Refused, match=r"2 of 5 repetitions can be used, 3 are the least"):
        teach(MODEL, [*takes["circle"][:2], still, still, still], "wave")


def test_kept_samples_become_a_recording_with_labels(tmp_path):
    import json

    counts = np.zeros((300, 6), "<i2")
    counts[:, 2] = 8192
    about = {"label": "wave", "spans": [[50, 100], [220, 260]], "bad": [[120, 180]],
             "gaps": [[40, 7]], "samples": 300, "rate_hz": 100, "period_us": 10000,
             "accel_lsb_per_g": 8192, "gyro_lsb_per_10_dps": 1310, "model": "abc",
             "before": "abb", "source": "button", "unix_ms": 1_700_000_000_000}  # fmt: skip
    paths = write_learned(tmp_path, "glove", json.dumps(about).encode(), counts.tobytes())
    assert len(paths) == 2  # the bad one between them is left out
    data = read_dataset(str(tmp_path))
    assert [(s.label, s.end_ms - s.start_ms) for r in data.recordings for s in r.spans] == [
        ("wave", 500), ("wave", 400)]
    assert data.recordings[0].gaps == ((40, 47),)
    assert data.recordings[0].samples[0, 2] == pytest.approx(9.80665, abs=1e-3)
    with pytest.raises(BeckonError, match="kept 1 of 300 samples"):
        write_learned(tmp_path / "b", "glove", json.dumps(about).encode(), counts[:1].tobytes())
    for bad in (b"{", b"[]", b"{}"):
        with pytest.raises(BeckonError, match="cannot be read"):
            write_learned(tmp_path / "b", "glove", bad, b"")


def test_the_commands_refuse_what_cannot_be(tmp_path, capsys):
    for arguments, words in (
        (["learn", "glove"], "name a LABEL"), (["learn", "glove", "x", "--undo"], "not both"),
        (["learn", "glove", "x", "--takes", "2"], "must be 3 to 9"),
        (["deploy", "--pull", "glove", "--mqtt", "glove"], "and no --mqtt"),
    ):  # fmt: skip
        assert main(arguments) == 2
        assert words in capsys.readouterr().err
    (tmp_path / "config.json").write_text('{"broker_host": "127.0.0.1"}')
    assert main(["learn", "glove", "x", "--settings", str(tmp_path)]) == 1
    assert "no update_key" in capsys.readouterr().err
