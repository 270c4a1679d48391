"""The article's comparison and the search of settings, small."""

import json

import numpy as np
import pytest

from host_tools.cli.app import main
from host_tools.dataset import Dataset, Recording, Span
from host_tools.dataset.convert import write_folder
from host_tools.errors import BeckonError
from host_tools.experiments.baselines import BASELINES, PlainMLP
from host_tools.experiments.compare import compare, held_out_streams, whole_model, windows_of


def bumps(label, axis, count=6, name="r", length=200, spans_s=(0.5, 1.5)):
    """A bump of 400 ms along one axis in the middle of a span of one second."""
    rng = np.random.default_rng(len(label) + axis)
    out = []
    for k in range(count):
        x = rng.normal(0, 0.1, (length, 6))
        x[:, 2] += 9.8
        if label != "none":
            t = np.arange(length) / 100
            x[:, axis] += 9 * np.clip(1 - np.abs(t - 0.9) / 0.2, 0, None)
        span = Span(spans_s[0] * 1000, spans_s[1] * 1000, label, "p")
        out.append(Recording(f"{name}_{label}_{k}", x.astype(np.float32), 100.0, (span,)))
    return out


def sets():
    train = Dataset("t", bumps("x", 0) + bumps("y", 1) + bumps("none", 0))
    return train, Dataset("s", bumps("x", 0, 2, "s") + bumps("y", 1, 2, "s"))


def peak(window, rate_hz):
    return np.abs(window.reshape(-1, 6)[:, 0]).argmax() / rate_hz


@pytest.mark.parametrize("placement, at_s", [("labelled", 0.4), ("centre", 0.5), ("end", 0.8)])
def test_placements(placement, at_s):
    x, y = windows_of(sets()[0], ["none", "x", "y"], 100, placement, 1.0)
    assert x.shape == (18, 600) and np.bincount(y).tolist() == [6, 6, 6]
    assert peak(x[0], 100) == pytest.approx(at_s, abs=0.06)


def test_shifts_make_copies_of_gestures_only():
    _, y = windows_of(sets()[0], ["none", "x", "y"], 50, "centre+shifts", 1.0)
    assert np.bincount(y).tolist() == [6, 30, 30]


def test_our_mlp_learns():
    x, y = windows_of(sets()[0], ["none", "x", "y"], 25, "centre", 1.0)
    net = PlainMLP().fit(x, y)
    assert (net.predict(x) == y).all() and net.int8_bytes == 150 * 16 + 16 * 4 + 16 * 3 + 3 * 4


def test_the_table(tmp_path, capsys):
    rows = compare(*sets(), [*BASELINES, "mlp"], ("labelled", "centre+SMOTE"), (10,))
    assert len(rows) == 6 * 2
    for r in rows:
        assert set(r.errors) <= {"x", "y"} and r.truth == 4
        assert r.mean_error is None or 0 <= r.mean_error <= 1
        assert (r.bytes is None) == (r.microseconds is None) == (r.model == "bayes")
    write_folder(sets()[0], tmp_path / "t")
    write_folder(sets()[1], tmp_path / "s")
    assert main(["compare", str(tmp_path / "t"), "--streams", str(tmp_path / "s"), "--rates", "20",
                 "--models", "tree", "--placements", "centre", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["model"] == "tree"
    # Without streams a part is held out
    assert main(["compare", str(tmp_path / "t"), "--rates", "20", "--models", "tree,mlp",
                 "--placements", "centre", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["truth"] == 4
    assert main(["compare", str(tmp_path / "t"), "--streams", str(tmp_path / "s"), "--models",
                 "oracle"]) == 2


def test_exported_networks_say_the_same():
    x, y = windows_of(sets()[0], ["none", "x", "y"], 20, "centre", 1.0)
    net = PlainMLP(epochs=3).fit(x, y)
    scope = {}
    exec(net.python(), scope)
    assert [int(np.argmax(scope["score"](row.tolist()))) for row in x] == net.predict(x).tolist()


def test_held_out_streams_have_one_gesture_each_and_nothing_of_training():
    known, streams = held_out_streams(sets()[0], 1)
    assert {s.label for r in streams.recordings for s in r.spans} == {"x", "y"}
    assert all(len({s.label for s in r.spans}) == 1 for r in streams.recordings)
    assert sum(len(r.spans) for r in streams.recordings) + sum(
        r.spans[0].label != "none" for r in known.recordings) == 12


def test_our_whole_model_in_the_table(monkeypatch):
    from host_tools.training import recipe

    monkeypatch.setattr(recipe, "choose", lambda data, rate, seed, real=recipe.choose: real(
        data, rate, seed=seed, steps=30))
    row = whole_model(*sets())
    assert (row.placement, row.model, row.truth) == ("augmented", "beckon", 4)
    assert row.bytes > 1000 and row.microseconds is None


def test_streams_without_the_gestures():
    train, _ = sets()
    with pytest.raises(BeckonError, match="none of the gestures x, y"):
        compare(train, Dataset("s", bumps("none", 0, 2)), ["mlp"], ("labelled",), (20,))


@pytest.mark.soak
def test_tuning_writes_a_recipe_that_train_takes(tmp_path, capsys):
    few = [r for r in sets()[0].recordings if r.name[-1] in "0123"]
    write_folder(Dataset("t", few), tmp_path / "t")
    out = tmp_path / "recipe.json"
    storage = f"sqlite:///{tmp_path}/study.db"
    for _ in range(2):  # the second run goes on with the same study
        assert main(["tune", str(tmp_path / "t"), "--out", str(out), "--trials", "1", "--folds",
                     "2", "--steps", "10", "--storage", storage]) == 0
    assert "the best of 2 trials" in capsys.readouterr().out
    model = tmp_path / "m.mlp"
    assert main(["train", str(tmp_path / "t"), "--out", str(model), "--steps", "300", "--recipe",
                 str(out)]) == 0
    assert model.exists()
    out.write_text('{"labels": ["x"]}')
    assert main(["train", str(tmp_path / "t"), "--out", str(model), "--recipe", str(out)]) == 1
