"""Gestures turned, mirrored and on top of a walk: what each change does, and what it costs."""

import json

import numpy as np
import pytest

from host_tools.cli.app import main
from host_tools.cli.evaluate import summary
from host_tools.dataset import Dataset, Recording, Span
from host_tools.dataset.convert import write_folder
from host_tools.errors import BeckonError
from host_tools.evaluation.robustness import changes, robustness, turned_about
from host_tools.model.golden import write_model
from host_tools.model.quantize import FloatLayer, quantise
from host_tools.training.debounce_tuning import pack
from host_tools.training.features import describe
from host_tools.training.recipe import Recipe


@pytest.fixture(scope="module")
def model():
    """Says "push" while the mean of ax over 8 frames is over 4 m/s^2, else none."""
    recipe = Recipe(rate_hz=50, decimation=2, window=8, labels=("none", "push"),
                    centre=(False, False), gain=(1.0, 1.0))
    weights = np.zeros((2, 48))
    weights[1, 0::6] = 50.0 / 8
    calibration = np.random.default_rng(1).integers(-32768, 32767, (64, 48)).astype(np.int16)
    layer = FloatLayer(weights, np.array([0.0, -50.0 * 4 / (4 * 9.80665)]))
    return quantise([layer], describe(recipe), recipe.labels, 0, calibration,
                    debounce=pack(60, 2, 0, 3, 0))


def pushes(name="s", label="push", gyro=True):
    """20 s with gravity along z, a push of 10 m/s^2 along x every 4 s, and some turning."""
    x = np.zeros((1000, 6 if gyro else 3), np.float32)
    x[:, 2] = 9.8
    spans = []
    for k in range(4):
        x[200 * k + 100 : 200 * k + 140, 0] = 10
        x[200 * k + 100 : 200 * k + 140, 3:] = (10, 20, 30)[: x.shape[1] - 3]
        spans.append(Span(4000 * k + 2000, 4000 * k + 2800, label, "p"))
    return Recording(name, x, 50.0, tuple(spans))


def change(name, recordings, **options):
    (found,) = [c for c in changes(recordings, **options) if c.name == name]
    return found


def test_a_turn_is_right_handed():
    assert turned_about(2, 90) @ [1, 0, 0] == pytest.approx([0, 1, 0], abs=1e-6)
    assert turned_about(0, 90) @ [0, 1, 0] == pytest.approx([0, 0, 1], abs=1e-6)
    assert turned_about(1, 180) @ [1, 2, 3] == pytest.approx([-1, 2, -3], abs=1e-6)


def test_every_sample_is_turned_and_mirrored():
    r = pushes()
    turned = change("turned 90 deg about z", [r]).apply(r)
    assert turned.samples[110] == pytest.approx([0, 10, 9.8, -20, 10, 30], abs=1e-5)
    mirrored = change("other hand, mirrored along x", [r]).apply(r)
    # Turning about the mirrored axis stays; about the others it is the other way round
    assert mirrored.samples[110] == pytest.approx([-10, 0, 9.8, 10, -20, -30], abs=1e-5)
    assert turned.spans == mirrored.spans == r.spans
    three = pushes(gyro=False)
    assert change("turned 180 deg about x", [three]).apply(three).samples.shape == (1000, 3)


def test_nobody_is_mirrored_upside_down():
    names = [c.name for c in changes([pushes()])]
    assert "other hand, mirrored along z" not in names
    assert len(names) == 6 + 2 + 1
    lying = Recording("l", np.roll(pushes().samples, 1, axis=1), 50.0)
    assert "other hand, mirrored along z" in [c.name for c in changes([lying])]


def test_what_is_lost_by_hand(model):
    """The model looks at x alone: turned about x and mirrored along y nothing changes for it."""
    found = robustness(model, Dataset("d", [pushes()]))
    lost = {c.name: found.lost(t) for c, t in found.changed}
    assert found.plain.recall == 1
    assert lost["turned 90 deg about x"] == lost["turned 180 deg about x"] == 0
    assert lost["other hand, mirrored along y"] == 0
    assert lost["other hand, mirrored along x"] == 100
    assert lost["turned 90 deg about z"] == lost["turned 180 deg about z"] == 100


def test_a_walk_lies_under_everything_and_times_stay():
    r = pushes()
    walked = change("while walking", [r]).apply(r)
    assert walked.seconds == r.seconds + 3 and walked.start_ms == -1500
    own = walked.samples[75:-75] - r.samples
    assert own[100:-100].std(axis=0).min() > 0.1  # on all axes, at rest and in gestures
    assert np.abs(own.mean(axis=0)[:3]).max() < 0.7  # gravity is there once


def test_a_recorded_walk_is_turned_upright_and_takes_the_place_of_a_made_one():
    t = np.arange(600) / 50
    walk = np.zeros((600, 6), np.float32)
    walk[:, 0] = 9.8 + 3 * np.sin(2 * np.pi * 2 * t)  # its up is x, that of the pushes z
    r = pushes()
    walked = change("while walking", [r], walking=[Recording("w", walk, 50.0)]).apply(r)
    own = walked.samples[75:-75] - r.samples
    assert own[:, 2].std() == pytest.approx(3 / np.sqrt(2), rel=0.1)
    assert own[:, :2].std() < 0.4  # the pushes tilt what is taken for down a little
    with pytest.raises(BeckonError, match="4 s at least"):
        list(changes([r], [Recording("w", walk[:100], 50.0)]))


def test_the_command(model, tmp_path, capsys):
    write_model(tmp_path / "m.mlp", model)
    write_folder(Dataset("d", [pushes()]), tmp_path / "set")
    write_folder(Dataset("n", [pushes(label="none")]), tmp_path / "idle")
    page = tmp_path / "r.html"
    command = ["evaluate", str(tmp_path / "m.mlp"), str(tmp_path / "set"), "--robustness"]
    assert main([*command, "--json", "--report", str(page)]) == 0
    every = json.loads(capsys.readouterr().out)
    figures = every["robustness"]
    assert figures["recall"] == 1 and len(figures["changes"]) == 9
    by_name = {c["name"]: c for c in figures["changes"]}
    assert by_name["turned 180 deg about z"]["lost_points"] == 100
    assert "turned 180 deg about z" in summary(every)
    assert "turned 180 deg about z" in page.read_text()
    command[2] = str(tmp_path / "idle")
    assert main(command) == 1
    assert "no gesture of the model is in it" in capsys.readouterr().err
    assert main([*command[:3], "--walking", str(tmp_path / "idle")]) == 2
