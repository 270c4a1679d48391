"""Training as a whole, on imaginary hands: same seed same model, and models that work."""

import argparse
from dataclasses import replace

import numpy as np
import pytest

from host_tools.cli import train as command
from host_tools.cli.app import main
from host_tools.cli.program import program
from host_tools.cli.train_options import recipe_fields
from host_tools.dataset import Dataset, Recording, Span, read_dataset
from host_tools.dataset.resample import resample_recording
from host_tools.errors import BeckonError
from host_tools.evaluation.emulator import Board
from host_tools.evaluation.span_accuracy import span_results
from host_tools.model import reference
from host_tools.model.codec import encode
from host_tools.model.golden import read_model
from host_tools.training.calibrate import believed, streams_of, temperature
from host_tools.training.export import export, float_layers
from host_tools.training.features import INPUT_SCALE, Features, describe
from host_tools.training.fit import fit, fitted, model_bytes
from host_tools.training.network import softmax
from host_tools.training.recipe import Recipe, choose
from host_tools.training.stream_batches import StreamBank
from host_tools.units import GRAVITY, to_counts


def hands(people="ab", each=8, seed=1):
    """Two gestures: a push along x and a turn about z, with rest around them."""
    rng = np.random.default_rng(seed)
    out = []
    for person in people:
        for label in ("push", "turn"):
            for k in range(each):
                n, size = 150, rng.uniform(0.8, 1.2)
                x = rng.normal(0, 0.1, (n, 6))
                x[:, 2] += GRAVITY
                t = np.clip((np.arange(n) - 50) / 40, 0, 1)
                if label == "push":
                    x[:, 0] += 8 * size * np.sin(2 * np.pi * t)
                else:
                    x[:, 5] += 150 * size * np.sin(np.pi * t) ** 2
                span = Span(500, 900, label, person)
                out.append(Recording(f"{person}_{label}_{k}", x.astype(np.float32), 100.0, (span,),
                                     native_hz=100.0))
    return Dataset("hands", out)


@pytest.fixture(scope="module")
def trained():
    data = hands()
    recipe = choose(data, 100, steps=250, draws=400, seed=3)
    bank = StreamBank(data, recipe)
    net = fit(recipe, bank)
    windows, _ = bank.draw(512, np.random.default_rng(0))
    return data, recipe, net, export(net, recipe, windows), windows


def test_recipe_follows_the_data():
    recipe = choose(hands(), 50)
    assert recipe.labels == ("none", "push", "turn")
    assert (recipe.rate_hz, recipe.decimation, recipe.accel_g, recipe.gyro_dps) == (50, 2, 2, 250)
    assert recipe.feature_hz == 25 and 1.0 <= recipe.window_s <= 4.8


def test_another_person_is_recognised(trained):
    data, recipe, net, model, _ = trained
    assert span_results(Board(model), hands("c", seed=9)).accuracy > 0.9


def test_same_seed_same_weights():
    data = hands(each=4)
    recipe = choose(data, 100, steps=30, draws=100, seed=7)
    one, two = (fit(recipe, StreamBank(data, recipe)) for _ in range(2))
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert np.array_equal(a, b)
    other = fit(choose(data, 100, steps=30, seed=8), StreamBank(data, recipe))
    assert not np.array_equal(one.parameters()[0], other.parameters()[0])


def test_class_weights_move_the_decision():
    """With one class counted ten times, the others are called less often."""
    data = hands(each=3)
    called = []
    for weights in ((), (("push", 20.0),)):
        recipe = choose(data, 100, steps=60, draws=200, weights=weights)
        bank = StreamBank(data, recipe)
        x, _ = bank.draw(1000, np.random.default_rng(2))
        scores = fit(recipe, bank).forward(x)
        called.append((scores.argmax(axis=1) == recipe.labels.index("push")).mean())
    assert called[1] > called[0] + 0.01


def test_temperature_makes_confidence_honest():
    """Truth drawn from softmax(logits / 2.5) is best told with that temperature."""
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 6, (4000, 5))
    truth = [rng.choice(5, p=p) for p in softmax(logits / 2.5)]
    assert temperature(logits, np.array(truth)) == pytest.approx(2.5, rel=0.1)
    assert temperature(logits, logits.argmax(axis=1)) < 1


@pytest.mark.parametrize("steps, heat", [(6000, 1.5), (30, 3.4)])
def test_a_high_temperature_is_not_believed_after_many_steps(steps, heat):
    assert believed(3.4, Recipe(steps=steps)) == heat
    assert believed(1.2, Recipe(steps=steps)) == 1.2


def test_a_person_who_labels_the_other_way_round_is_named(tmp_path, capsys):
    """With the others as they are."""
    data = hands("abcdef", each=6)
    other = {"push": "turn", "turn": "push"}
    data.recordings = [
        r.with_spans([replace(s, label=other[s.label]) for s in r.spans])
        if r.subject == "c" else r for r in data.recordings
    ]
    out, few = tmp_path / "m.mlp", tmp_path / "few.json"
    few.write_text('{"draws": 1500}')
    assert main(["train", str(write(data, tmp_path / "d")), "--steps", "600",
                 "--recipe", str(few), "--out", str(out)]) == 0
    told = [x for x in capsys.readouterr().err.splitlines() if "otherwise than by" in x]
    assert [x.split()[1] for x in told] == ["c:", "c:"]
    assert "push are taken for turn" in told[0] and "turn are taken for push" in told[1]


def test_integers_agree_with_floats(trained):
    """Quantising moves few decisions."""
    _, recipe, net, model, windows = trained
    values = np.clip(np.rint(windows / INPUT_SCALE), -32768, 32767).astype(np.int16)
    found = reference.scores(model, values).argmax(axis=1)
    assert (found == net.forward(windows).argmax(axis=1)).mean() > 0.985
    assert len(float_layers(net)) == len(net.layers)


@pytest.mark.parametrize("normalise", [(False, False), (True, True)])
@pytest.mark.parametrize("rate_hz", [50, 100])
def test_training_sees_what_the_board_computes(rate_hz, normalise):
    """Features of an unchanged window against the board's, from the same samples."""
    data = hands(each=2)
    recipe = choose(data, rate_hz, normalise=normalise, gate=(0.1, 3.0))
    bank = StreamBank(data, replace(recipe, draws=0))
    front_end = describe(recipe)
    r = data.recordings[0]
    raw = to_counts(resample_recording(r, float(rate_hz)).samples, recipe.accel_g, recipe.gyro_dps)
    board = reference.features(front_end, raw)
    frames = bank.frames(r)
    end = (board.end[-1] + 1) // recipe.decimation
    ours, still = Features(recipe).integers(frames[:, None, end - recipe.window : end])
    ours = ours.transpose(1, 2, 0).reshape(-1)
    assert still[0] == board.still[-1]
    worst = np.abs(ours - board.values[-1]).max()
    assert worst <= 0.002 * np.abs(board.values[-1]).max() + 6


@pytest.mark.parametrize("centre", [(True, False), (True, True), (False, False)])
def test_normalising_is_the_references_to_the_bit(centre):
    recipe = choose(hands(each=2), 100, normalise=(True, True), centre=centre, gate=(0.5, 5.0))
    features = Features(recipe)
    rng = np.random.default_rng(4)
    y = (rng.normal(0, 1, (6, 40, recipe.window)) * rng.uniform(0, 9000, (1, 40, 1))).astype(int)
    windows = (y + 0.5) / features._scale[:, None, None]
    ours, still = features.integers(windows.astype(np.float64))
    clipped = np.clip(y, -32768, 32767).astype(np.int16).transpose(1, 2, 0)
    theirs, gated = reference.normalise(features.front_end, clipped)
    assert np.array_equal(still, gated) and still.any() and not still.all()
    assert np.array_equal(ours.transpose(1, 2, 0), theirs)


def test_windows_of_no_gesture_are_drawn(trained):
    data, recipe, *_ = trained
    x, y = StreamBank(data, recipe).draw(900, np.random.default_rng(1))
    assert np.isfinite(x).all() and x.shape[1] == recipe.window * recipe.axes
    shares = np.bincount(y, minlength=3) / len(y)
    assert shares[0] == pytest.approx(0.45, abs=0.03) and shares.min() > 0.25


def test_a_model_that_would_be_too_large_is_narrowed():
    recipe = choose(hands(each=2), 100, window=75, hidden=(200,))
    assert model_bytes(recipe) > 20_000 >= model_bytes(fitted(recipe))
    usual = fitted(choose(hands(each=2), 100, window=75))
    assert usual.hidden == (48,) and usual.conv[-1][1] < 32  # channels go before neurons
    with pytest.raises(BeckonError, match="20000 are allowed"):
        fitted(choose(hands(each=2), 100, conv=((8, 250, 2), (8, 250, 2)), hidden=()))


@pytest.mark.parametrize("most", [12_000, 8_000, 4_000])
def test_a_smaller_file_on_request_narrows_all_layers(most):
    recipe = fitted(choose(hands(each=2), 100, most_bytes=most))
    assert 0.8 * most < model_bytes(recipe) <= most
    with pytest.raises(BeckonError, match="900 are allowed"):
        fitted(replace(recipe, most_bytes=900))


def test_size_is_foretold(trained):
    _, recipe, _, model, _ = trained
    assert abs(len(encode(model)) - model_bytes(recipe)) < 400


def test_streams_hold_every_gesture_once():
    data = hands()
    recipe = choose(data, 100)
    streams = streams_of(data, recipe, np.random.default_rng(1))
    assert sum(len(r.spans) for r in streams) == 2 * 32  # few gestures: spliced twice
    for r in streams:
        times = [(s.start_ms, s.end_ms) for s in r.spans]
        assert all(a[1] < b[0] for a, b in zip(times, times[1:], strict=False))
        assert np.isfinite(r.samples).all() and times[-1][1] / 1000 < r.seconds


def write(data, folder):
    from host_tools.dataset.convert import write_folder

    write_folder(data, folder)
    return folder


def test_the_command_writes_a_model(tmp_path, capsys):
    base = write(hands(each=4), tmp_path / "hands")
    out = tmp_path / "m.mlp"
    assert main(["train", str(base), "--out", str(out), "--steps", "20", "--window", "800",
                 "--hidden", "12", "--rate", "50", "--seed", "5"]) == 0
    model = read_model(out)
    assert model.front_end.rate_hz == 50 and model.front_end.window_ms == 800
    assert model.labels == ("none", "push", "turn") and "seed 5" in model.notes
    told = capsys.readouterr().out
    assert model.decision.span >= 1 and model.activity.accel_mul
    for words in (f"{out}: ", "held out: each person in turn", "found: ", " of 16 gestures that ",
                  " false, ", "weakest gesture: ", "false alarms to expect: ", "per hour (95 %: ",
                  "what would help most: more takes: push has 8",
                  f"next: {program()} deploy --model {out}"):
        assert words in told
    assert main(["evaluate", str(out), str(base)]) == 0
    assert "trained on these very recordings" in capsys.readouterr().err


def test_without_a_gyroscope(tmp_path):
    data = hands(each=4)
    three = Dataset("accel", [
        Recording(r.name, r.samples[:, :3].copy(), 100.0, r.spans, native_hz=100.0)
        for r in data.recordings if "push" in r.name
    ])
    out = tmp_path / "m.mlp"
    base = write(three, tmp_path / "accel")
    assert main(["train", str(base), "--out", str(out), "--steps", "20"]) == 0
    assert len(read_model(out).front_end.axes) == 3
    assert read_dataset(base).axes == 3


def test_axes_by_hand():
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    data = hands(each=3)
    for options, axes in (([], 6), (["--axes", "ax,ay,az"], 3)):
        args = parser.parse_args(["data", "--out", "m.mlp", *options])
        assert choose(data, **recipe_fields(args)).axes == axes


def test_augmentation_by_hand():
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    data = hands(each=3)
    usual = choose(data).augment.rotate_deg
    assert usual > 0
    for options, degrees in (([], usual), (["--augment", "rotate_deg=0"], 0)):
        fields = recipe_fields(parser.parse_args(["data", "--out", "m.mlp", *options]))
        assert choose(data, **fields).augment.rotate_deg == degrees


@pytest.mark.parametrize("labels, words", [
    ("none", "labels.csv:2: none is all there is, no gesture"),
    ("push", "labels.csv:2: the only example of 'push'"),
])
def test_nothing_to_learn(tmp_path, capsys, labels, words):
    r = hands("a", 1).recordings[0]
    one = Dataset("one", [r.with_spans([Span(500, 900, labels, "a")])])
    base, out = write(one, tmp_path / "one"), tmp_path / "m.mlp"
    assert main(["train", str(base), "--out", str(out), "--steps", "5"]) == 1
    assert words in capsys.readouterr().err and not out.exists()


@pytest.mark.parametrize("options, words", [
    (["--window", "0"], "--window 0"),
    (["--size", "4m"], "--size 4m"),
    (["--size", "500"], "--size 500"),
    (["--size", "21k"], "--size 21k"),
    (["--hidden", "a"], "--hidden a"),
    (["--window", "90000"], "choose a window"),
    (["--recipe", "missing.json"], "missing.json"),
    (["--weight", "push"], "--weight push"),
    (["--weight", "push=0"], "--weight push=0"),
    (["--weight", "jump=2"], "--weight jump"),
    (["--augment", "stretch=-1"], "--augment stretch=-1"),
    (["--augment", "jump=1"], "--augment jump: choose from speed, "),
    (["--axes", "ax"], "invalid choice: 'ax'"),
])
def test_wrong_usage(tmp_path, capsys, options, words):
    base, out = write(hands(each=2), tmp_path / "h"), tmp_path / "m.mlp"
    assert main(["train", str(base), "--out", str(out), *options]) in (1, 2)
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert words in error and not out.exists()
    assert command.__doc__
