"""Simulated streams: the physics that they claim, the labels of their windows, the shares."""

from dataclasses import fields

import numpy as np
import pytest

from host_tools.augment.energy import energy, moving_part
from host_tools.augment.kinds import Augment
from host_tools.augment.movements import Movements, rotation_between
from host_tools.augment.pieces import collect, gravity_courses
from host_tools.augment.simulate import Simulator
from host_tools.dataset import Dataset, Recording, Span
from host_tools.errors import BeckonError
from host_tools.model.decision import Decision
from host_tools.training import probes
from host_tools.training.export import export
from host_tools.training.fit import layers_of
from host_tools.training.network import Network
from host_tools.training.recipe import choose, cut_labels
from host_tools.training.stream_batches import StreamBank
from host_tools.training.stream_labels import UNLABELLED, seeming_ends, window_labels

GRAVITY = 9.80665
HZ = 50.0
STILL = Augment(*[0.0] * len(fields(Augment)))


def take(label="push", seed=1, seconds=3.0, axes=6, level=(0, 0, GRAVITY), where=(1.0, 1.6),
         waves=1):
    """Rest, a push there and back along x, rest."""
    rng = np.random.default_rng(seed)
    n = int(seconds * HZ)
    x = rng.normal(0, 0.02, (n, axes)).astype(np.float32)
    x[:, :3] += level
    t = np.clip((np.arange(n) / HZ - where[0]) / (where[1] - where[0]), 0, 1)
    x[:, 0 if label == "push" else 1] += (8 * np.sin(2 * np.pi * t * waves)).astype(np.float32)
    span = Span(500, 1000 * seconds - 500, label, "p")
    return Recording(f"{label}{seed}", x, HZ, (span,), native_hz=HZ)


def takes(each=4, **more):
    return Dataset("takes", [take(label, k, **more) for label in ("lift", "push")
                             for k in range(each)])


def material(data):
    return collect(data, [r.samples.T for r in data.recordings], HZ, ("none", "lift", "push"))


def test_energy_does_not_care_how_the_hand_is_held():
    for level in ((0, 0, GRAVITY), (GRAVITY, 0, 0), (5, 5, 6.7)):
        x = take(level=level).samples.T
        first, last = moving_part(x, HZ)
        assert first / HZ == pytest.approx(1.0, abs=0.08)
        assert last / HZ == pytest.approx(1.6, abs=0.08)
    x = np.zeros((6, 200), np.float32)
    x[0, :100] = GRAVITY  # the hand rests otherwise after 2 s
    x[1, 100:] = GRAVITY
    level = energy(x, HZ)
    assert level[:95].max() < 0.1 and level[120:].max() < 0.1 and level[100:106].max() > 3


def test_gravity_follows_the_gyroscope():
    """A hand that turns by 90 degrees about x within a second: gravity goes from z to y."""
    n = 50
    x = np.zeros((6, n), np.float32)
    angle = np.linspace(0, np.pi / 2, n)
    x[1], x[2] = GRAVITY * np.sin(angle), GRAVITY * np.cos(angle)
    x[3] = np.degrees(np.gradient(angle)) * HZ
    (course,), size = gravity_courses([x], HZ)
    assert size == pytest.approx(GRAVITY, rel=0.01)
    assert np.abs(course - x[:3]).max() < 0.02 * GRAVITY
    (course,), size = gravity_courses([x * 0.01], HZ)  # no gravity in the data
    assert size == 0 and not course.any()


def test_turning_agrees_with_the_gyroscope():
    made = Movements(material(takes()), np.random.default_rng(1))
    start, stop = np.zeros(6, np.float32), np.zeros(6, np.float32)
    start[2], stop[1] = GRAVITY, GRAVITY
    made.material.rest.clear()
    made._noise[:] = 0
    x = made.turn(start, stop, 50)
    (course,), _ = gravity_courses([x], HZ)
    assert np.abs(course - x[:3]).max() < 0.02 * GRAVITY
    assert np.allclose(x[:3, 0], start[:3], atol=0.1) and np.allclose(x[:3, -1], stop[:3], atol=0.1)


@pytest.mark.parametrize("a, b", [((0, 0, 1), (0, 1, 0)), ((1, 2, 3), (-2, 0.5, 1))])
def test_the_shortest_rotation(a, b):
    a, b = np.array(a, float), np.array(b, float)
    turned = rotation_between(a, b) @ (a / np.linalg.norm(a))
    assert np.allclose(turned, b / np.linalg.norm(b), atol=1e-6)
    assert np.array_equal(rotation_between(np.zeros(3), b), np.eye(3))


def test_a_stream_holds_the_gestures_where_it_says():
    data = material(takes())
    s = Simulator(data, STILL, np.random.default_rng(3)).stream(data.pieces)
    assert s.label.tolist() == [p.label for p in data.pieces]
    assert np.isfinite(s.samples).all() and s.samples.dtype == np.float32
    for a, b, k in zip(s.first, s.last, s.label, strict=True):
        axis = 0 if k == 2 else 1
        assert (b - a) / HZ == pytest.approx(0.6, abs=0.1)
        assert np.ptp(s.samples[axis, a : b + 1]) > 10
    assert (s.first[1:] > s.last[:-1]).all()


def test_a_way_back_is_weaker_and_gravity_stays():
    data = material(takes())
    simulator = Simulator(data, STILL, np.random.default_rng(3))
    stroke = simulator.varied(data.pieces[-1])
    back = stroke.undone(2.0)
    assert back.shape[1] == pytest.approx(2 * stroke.samples.shape[1], abs=1)
    assert np.ptp(back[0]) == pytest.approx(np.ptp(stroke.samples[0]) / 4, rel=0.1)
    assert back[2].mean() == pytest.approx(GRAVITY, rel=0.02)


def test_the_window_is_a_gesture_only_after_its_end():
    first, last, label = np.array([50, 63]), np.array([60, 80]), np.array([1, 2])
    out, inside = window_labels(first, last, label, 120, 3, 0)
    assert (out[:59] == 0).all() and inside[50:61].all() and not inside[62]
    assert (out[59:63] == UNLABELLED).all() and (out[63:65] == 1).all()
    assert (out[65:79] == 0).all()  # the next one has begun, every window inside is none
    assert (out[79:83] == UNLABELLED).all() and (out[83:93] == 2).all()
    assert (out[93:105] == UNLABELLED).all() and (out[105:] == 0).all()
    none, _ = window_labels(first, last, np.array([-1, -1]), 120, 3, 0)
    assert (none == 0).all()


def test_seeming_ends_are_where_movement_stops():
    x = take(seconds=6.0).samples[::2].T  # 25 Hz
    ends = np.flatnonzero(seeming_ends(x, 25.0)) / 25
    assert len(ends) and ends.min() > 1.2 and ends.max() < 2.3


def test_the_bank_repeats_and_holds_all_kinds():
    data = takes()
    recipe = choose(data, 50, draws=200)
    one, two = StreamBank(data, recipe), StreamBank(data, recipe)
    drawn = [bank.draw(500, np.random.default_rng(1)) for bank in (one, two)]
    assert all(np.array_equal(a, b) for a, b in zip(*drawn, strict=True))
    _, labels = one.draw(1000, np.random.default_rng(1))
    shares = np.bincount(labels, minlength=3) / 1000
    assert shares == pytest.approx([0.45, 0.275, 0.275], abs=0.03)


@pytest.mark.parametrize("axes", [3, 6])
@pytest.mark.parametrize("gravity", [0.0, GRAVITY])
def test_any_data_makes_streams(axes, gravity):
    data = takes(each=3, axes=axes, level=(0, 0, gravity))
    bank = StreamBank(data, choose(data, 100, draws=60))
    assert bank.material.axes == axes and (bank.material.size > 9) == (gravity > 0)
    x, _ = bank.draw(100, np.random.default_rng(1))
    assert np.isfinite(x).all()


def test_recorded_streams_and_movements_that_go_on():
    rng = np.random.default_rng(1)
    parts = [take("push", k) for k in range(4)]
    x = np.concatenate([p.samples for p in parts])
    spans = [Span(3000 * k + 900, 3000 * k + 1700, "push", "p") for k in range(4)]
    stream = Recording("stream", x, HZ, tuple(spans), native_hz=HZ)
    t = np.arange(600) / HZ
    shake = rng.normal(0, 0.1, (600, 6)).astype(np.float32)
    shake[:, 0] += (6 * np.sin(2 * np.pi * 2 * t)).astype(np.float32)
    shake[:, 2] += GRAVITY
    on = Recording("shake", shake, HZ, (Span(0, 11900, "shake", "p"),), native_hz=HZ)
    data = Dataset("both", [stream, on])
    recipe = choose(data, 50, draws=80)
    assert recipe.continuing == ("shake",)
    _, labels = StreamBank(data, recipe).draw(400, np.random.default_rng(1))
    assert (np.bincount(labels, minlength=3) > 80).all()


def test_what_does_not_fit_into_the_window_is_said():
    slow = [take("push", k, seconds=8.0, where=(1.0, 6.5), waves=5) for k in range(4)]
    long = Dataset("long", [*slow, *(take("lift", k) for k in range(4))])
    recipe = choose(long, 50)
    assert cut_labels(long, recipe) == {"push": 1.0}
    assert cut_labels(takes(), choose(takes(), 50)) == {}


def test_a_gyroscope_that_clips_all_the_time_levels_nothing():
    data = takes()
    assert choose(data, 50).levelled
    for r in data.recordings:
        r.samples[30:120, 3] = 250
    assert not choose(data, 50).levelled


def test_a_restless_model_is_refused():
    """A network that calls all a gesture, also when the hand rests."""
    data = takes()
    recipe = choose(data, 50, draws=40, hidden=(), conv=())
    bank = StreamBank(data, recipe)
    net = Network.create(layers_of(recipe), recipe.window * recipe.axes, np.random.default_rng(1))
    inputs, _ = bank.draw(64, np.random.default_rng(1))
    net.layers[-1].weights[:] *= 0.01
    probes.refuse_restless(export(net, recipe, inputs), bank)  # sure of nothing
    net.layers[-1].bias[2] = 20
    with pytest.raises(BeckonError, match="a slow walk for push: it would never be quiet"):
        probes.refuse_restless(export(net, recipe, inputs, Decision(calm_windows=0)), bank)
    still, walk = probes.probes(bank).values()
    assert energy(still.samples.T, HZ).max() < 1.2 < np.quantile(energy(walk.samples.T, HZ), 0.9)


def test_rest_holds_no_movement():
    """But for the slow beginning of one, also in a recording that is hardly ever at rest."""
    data = takes()
    short = take("push", 9, seconds=0.9, where=(0.1, 0.7))
    data.recordings.append(short.with_spans([Span(0, 880, "push", "p")]))
    for x in material(data).rest:
        assert np.ptp(x[:3], axis=1).max() < 2 and len(x[0]) >= 0.3 * HZ
