"""Labels that are wrong on purpose come first; takes that look alike lie beside each other."""

import json
from dataclasses import replace

import numpy as np
import pytest

from host_tools.cli import app, data
from host_tools.cli.data_errors import summary
from host_tools.dataset import Dataset, read_dataset
from host_tools.errors import BeckonError
from host_tools.evaluation.take_map import hidden_layer, plane, signal_features, takes_of
from host_tools.experiments.label_errors import LabelErrors, Suspect, label_errors
from host_tools.model.golden import read_model
from host_tools.paths import DATA, DEFAULT_MODEL


@pytest.fixture(scope="module")
def gestures():
    """Four recordings with 60 takes of three gestures."""
    whole = read_dataset(DATA / "gestures")
    return Dataset("some", whole.recordings[:4])


def run(*argv):
    return data.run(app.make_parser("data", data).parse_args([str(a) for a in argv]))


def test_a_swapped_label_comes_first(gestures, tmp_path, capsys):
    folder = tmp_path / "some"
    (folder / "recordings").mkdir(parents=True)
    lines = ["recording,start_ms,end_ms,label,subject"]
    for r in gestures.recordings:
        (folder / "recordings" / r.path.name).write_bytes(r.path.read_bytes())
        lines += [f"{r.name},{s.start_ms:g},{s.end_ms:g},{s.label},{s.subject}" for s in r.spans]
    parts = lines[20].split(",")
    was = parts[3]
    parts[3] = "x" if was != "x" else "y"
    lines[20] = ",".join(parts)
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    assert run("errors", folder, "--folds", 3, "--repeats", 1, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["takes"] == 60
    first = found["suspects"][0]
    assert (first["recording"], first["line"], first["label"], first["suggested"]) == (
        parts[0], 21, parts[3], was)
    assert first["share"] > first["own_share"]
    text = summary(LabelErrors((Suspect(**first),), ()), 1)
    assert text.startswith(f"{parts[0]} {first['start_ms'] / 1000:.2f} s (labels.csv:21): ")


def test_too_little_is_refused(gestures):
    first = gestures.recordings[0]
    one = [r.with_spans([s for s in r.spans if s.label == "x"]) for r in gestures.recordings]
    with pytest.raises(BeckonError, match="one label is not enough"):
        label_errors(Dataset("one", one))
    with pytest.raises(BeckonError, match="6 takes are too few"):
        label_errors(Dataset("few", [first.with_spans(first.spans[3:9])]))
    with pytest.raises(BeckonError, match="--folds 1"):
        run("errors", DATA / "gestures", "--folds", 1)


def test_the_network_lays_takes_of_a_gesture_beside_each_other(gestures):
    labels = np.array([s.label for _, s in takes_of(gestures)])
    for x in (hidden_layer(read_model(DEFAULT_MODEL), gestures), signal_features(gestures)):
        assert len(x) == len(labels) == 60
        xy, shown = plane(x)
        assert xy.shape == (60, 2) and 0.3 < shown <= 1
        centres = {k: xy[labels == k].mean(axis=0) for k in set(labels)}
        nearest = [min(centres, key=lambda k, p=p: np.linalg.norm(centres[k] - p)) for p in xy]
        assert (np.array(nearest) == labels).mean() > 0.9


def test_the_plane_is_that_of_the_greatest_variance():
    rng = np.random.default_rng(1)
    hidden = rng.normal(0, 1, (200, 2))
    x = np.concatenate([hidden @ [[1, 0], [0, 1]], hidden[:, :1] * 3, np.ones((200, 1))], axis=1)
    xy, shown = plane(x)
    assert shown == pytest.approx(1)  # a constant and a copy add no dimension
    turned = np.linalg.lstsq(xy, hidden - hidden.mean(axis=0), rcond=None)[0]
    assert np.allclose(xy @ turned, hidden - hidden.mean(axis=0), atol=1e-3)
    assert (plane(x)[0] == xy).all() and plane(x[:2])[0].shape == (2, 2)


def test_takes_of_a_label_that_the_model_does_not_know_have_a_place(gestures):
    r = gestures.recordings[0]
    other = r.with_spans([replace(s, label="knock") for s in r.spans[:3]])
    assert len(hidden_layer(read_model(DEFAULT_MODEL), Dataset("d", [other]))) == 3
