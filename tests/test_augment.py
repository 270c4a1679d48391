"""Augmentations obey the physics that they claim, and the seed."""

from dataclasses import fields, replace

import numpy as np
import pytest

from host_tools.augment import negatives, signal
from host_tools.augment.examples import example
from host_tools.augment.kinds import BETWEEN, KINDS, MOVEMENT, SENSOR, Augment, markdown_table
from host_tools.augment.movements import Movements, Stroke, mirrored
from host_tools.augment.pieces import collect
from host_tools.augment.simulate import Simulator
from host_tools.augment.smote import smote
from host_tools.dataset import Dataset, Recording, Span
from host_tools.paths import REPOSITORY
from host_tools.plots import augment_page
from host_tools.units import GRAVITY


def rng(seed=1):
    return np.random.default_rng(seed)


@pytest.fixture
def windows():
    w = rng(5).normal(0, 3, (6, 20, 60)).astype(np.float32)
    w[2] += GRAVITY
    return w


def test_clip_is_the_range(windows):
    out = signal.clip(windows * 100, 2, 250)
    assert np.abs(out[:3]).max() == pytest.approx(2 * GRAVITY, rel=1e-5)
    assert np.abs(out[3:]).max() == pytest.approx(250)


def test_tilting_agrees_between_sensors():
    """Gravity turns by what the gyroscope says: dg/dt = -w x g."""
    rest = np.repeat(np.float32([[0, 0, GRAVITY, 0, 0, 0]]).T, 30, axis=1)
    out = negatives.tilt(rng(3), rest, 200, 100.0, 150.0).astype(float)
    g, w = out[:3].transpose(1, 2, 0), np.radians(out[3:].transpose(1, 2, 0))
    predicted = np.cumsum(-np.cross(w, g), axis=1) / 100
    moved = g[:, -1] - g[:, 0]
    expected = predicted[:, -1] - predicted[:, 0]
    assert np.linalg.norm(moved, axis=1).max() > 3
    assert np.corrcoef(moved.ravel(), expected.ravel())[0, 1] > 0.97


def test_still_is_still():
    rest = np.repeat(np.float32([[0, 0, GRAVITY, 0, 0, 0]]).T, 200, axis=1)
    out = negatives.still(rng(), rest, 50)
    assert np.median(np.linalg.norm(out[:3], axis=0)) == pytest.approx(GRAVITY, rel=0.02)
    assert np.median(np.abs(out[3:])) < 5


def test_backwards_twice_is_forwards(windows):
    assert np.array_equal(negatives.reverse(negatives.reverse(windows)), windows)
    assert np.array_equal(negatives.reverse(windows)[3:, :, 0], -windows[3:, :, -1])


# -- the registry ------------------------------------------------------------------------


@pytest.fixture(params=[3, 6])
def gesture(request):
    """A second at 50 Hz: a push of 8 m/s^2 with some turning, held obliquely."""
    x = rng(5).normal(0, 0.05, (request.param, 50)).astype(np.float32)
    x[:3] += GRAVITY / np.sqrt(3)
    wave = np.sin(np.linspace(0, 2 * np.pi, 34)).astype(np.float32)
    x[0, 8:42] += 8 * wave
    x[3:, 8:42] += 60 * wave
    return x


def test_every_amount_belongs_to_one_kind():
    amounts = [amount.field for kind in KINDS for amount in kind.amounts]
    assert sorted(amounts) == sorted(f.name for f in fields(Augment))
    assert len({kind.name for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
def test_every_kind_is_seeded_and_changes_nothing_given(kind, gesture):
    kept = gesture.copy()
    one, two = (example(kind, gesture, 50.0, rng(7)) for _ in range(2))
    assert np.array_equal(one, two) and np.isfinite(one).all()
    assert len(one) == len(gesture) and one.dtype == np.float32
    assert np.array_equal(gesture, kept)
    if kind.name != "clipping":  # which this gentle gesture does not need
        assert one.shape != gesture.shape or not np.array_equal(one, gesture)
    assert np.abs(example(kind, 3 * gesture, 50.0, rng(7))[:3]).max() < 200


def simulator(augment, seed=3):
    x = rng(5).normal(0, 0.05, (6, 150)).astype(np.float32)
    x[2] += GRAVITY
    x[0, 50:80] += 8 * np.sin(np.linspace(0, 2 * np.pi, 30)).astype(np.float32)
    r = Recording("a", x.T, 50.0, (Span(900, 1700, "push"),))
    made = Simulator(collect(Dataset("d", [r]), [x], 50.0, ("none", "push")), augment, rng(seed))
    made.make._noise[:] = 0
    made.material.rest.clear()
    return made


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.amounts], ids=lambda kind: kind.name
)
def test_training_does_what_each_amount_says(kind):
    """A stream with this amount alone differs from one without any, and nowhere else."""
    none = Augment(**{f.name: 0.0 for f in fields(Augment)})
    plain = simulator(none)
    other = simulator(replace(none, **{amount.field: amount.shown for amount in kind.amounts}))
    piece = plain.material.pieces[0]
    varied = [s.varied(piece).samples for s in (plain, other)]
    same = varied[0].shape == varied[1].shape and np.allclose(*varied)
    assert same == (kind.stage != MOVEMENT)
    plain, other = simulator(none), simulator(other.amounts)
    worn = [s.worn(piece.samples) for s in (plain, other)]
    assert np.allclose(worn[0], worn[1], atol=1e-6) == (kind.stage != SENSOR)


def test_the_other_way_round_gravity_stays_and_the_strokes_turn():
    amounts = replace(Augment(**{f.name: 0.0 for f in fields(Augment)}), heading_deg=180.0)
    made = simulator(amounts)
    x = made.material.pieces[0].samples
    turned = [made.worn(x) for _ in range(20)]
    assert all(np.allclose(t[2], x[2], atol=0.5) for t in turned)
    ways = [t[:2, np.argmax(np.abs(x[0]))] for t in turned]
    assert min(w[0] for w in ways) < -5 and max(w[0] for w in ways) > 5
    assert np.allclose([np.linalg.norm(w) for w in ways], np.abs(x[0]).max(), atol=0.5)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_mirrored_tilt_still_agrees_between_sensors(axis):
    x = simulator(Augment()).make.turn(
        np.array([0, 3, 9.3, 0, 0, 0]), np.array([4, 0, 9, 0, 0, 0]), 60)
    m = mirrored(x, axis)
    assert m[axis, 10] == -x[axis, 10] and np.array_equal(mirrored(m, axis), x)
    for y in (x, m):  # dg/dt = -w x g of a body that turns
        change = np.gradient(y[:3], axis=1) * 50
        turning = -np.cross(np.radians(y[3:]).T, y[:3].T).T
        assert np.abs(turning).max() > 5 and np.allclose(change, turning, atol=0.3)


def noted(method, name, seen):
    def wrapper(*args, **more):
        seen.add(name)
        return method(*args, **more)

    return wrapper


def test_training_makes_every_movement_that_is_shown(monkeypatch):
    """What the pictures show between gestures is what streams are made of."""
    seen = set()
    names = {"way back": (Stroke, "undone")}
    for kind in KINDS:
        if kind.stage == BETWEEN:
            where, name = names.get(kind.name, (Movements, kind.name))
            monkeypatch.setattr(where, name, noted(getattr(where, name), kind.name, seen))
    made = simulator(Augment())
    for _ in range(40):
        made.stream(made.material.pieces * 10)
    assert seen == {kind.name for kind in KINDS if kind.stage == BETWEEN}


def test_the_page_shows_every_kind(gesture):
    page = augment_page.html_page(gesture, 50.0, "x < y")
    assert page.count("<svg") == 2 * len(KINDS) and "x &lt; y" in page
    assert all(f"<h2>{kind.name}</h2>" in page for kind in KINDS)


def test_the_docs_show_the_same_table():
    assert markdown_table() in (REPOSITORY / "docs" / "data.md").read_text()


def test_smote_fills_up_inside_the_class():
    pytest.importorskip("imblearn")
    x = np.concatenate([rng(1).normal(0, 1, (40, 5)), rng(2).normal(9, 1, (6, 5))])
    y = np.repeat([0, 1], [40, 6])
    more, labels = smote(x, y)
    assert np.bincount(labels).tolist() == [40, 40]
    made = more[labels == 1]
    assert (made >= x[y == 1].min(axis=0) - 1e-9).all()
    assert (made <= x[y == 1].max(axis=0) + 1e-9).all()
