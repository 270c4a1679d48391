"""What is held out: training never draws from it, and each part has everyday movement."""

import numpy as np
import pytest

from host_tools.dataset import Dataset, Recording, Span
from host_tools.dataset.split import hold_out
from host_tools.training.calibrate import held_out, temperature
from host_tools.training.recipe import choose
from host_tools.training.stream_batches import StreamBank
from tests.test_dataset_split import recording


def test_no_augmented_copy_of_what_is_held_out():
    """Every window is the same to the last bit whatever the held-out part holds."""
    rng = np.random.default_rng(6)
    data = Dataset("d", [
        recording(f"{p}{i}", rng, "xy"[i % 2], p) for p in "abc" for i in range(6)])
    recipe = choose(data, 100, draws=300)
    known, held = hold_out(data)

    def windows():
        return StreamBank(known, recipe).draw(400, np.random.default_rng(1))[0]

    before = windows()
    for r in held.recordings:
        r.samples[:] = np.nan
    assert np.array_equal(before, windows())
    known.recordings[-1].samples[:] *= 2
    assert not np.array_equal(before, windows())


def quiet(name: str, seconds: float, subject: str = "") -> Recording:
    """A recording of no gesture. Each sample is another one, so that it can be told."""
    n = round(seconds * 20)
    start = sum(map(ord, name)) * 10_000
    samples = np.repeat(np.arange(start, start + n, dtype=np.float32)[:, None], 6, axis=1)
    return Recording(name, samples, 20.0, (Span(0.0, 1000 * seconds, "none", subject),))


def gestures(people: str = "a") -> list[Recording]:
    rng = np.random.default_rng(1)
    return [recording(f"{p}{i}", rng, "xy"[i % 2], p) for p in people for i in range(6)]


def life_of(part: Dataset) -> list[Recording]:
    return [r for r in part.recordings if r.spans[0].label == "none"]


@pytest.mark.parametrize("people", ["a", "abc"])
@pytest.mark.parametrize("life", [
    [quiet(f"evening{p}", 400, f"other{p}") for p in range(6)],  # people enough
    [quiet("evening", 2400)],  # a long recording of nobody in particular
    [quiet(f"walk{i}", 100, "a") for i in range(24)],  # short ones of who makes the gestures
])
def test_every_part_has_its_share_of_everyday_movement(people, life):
    parts = held_out(Dataset("d", [*gestures(people), *life]), 1)
    assert len(parts) == 3
    seconds = [sum(r.seconds for r in life_of(held)) for _, held in parts]
    if people == "a" or life[0].subject != "a":
        assert min(seconds) == pytest.approx(800, rel=0.01)
    assert sum(seconds) == pytest.approx(2400, rel=0.01)
    for known, held in parts:
        heard = {float(x) for r in life_of(held) for x in r.samples[:, 0]}
        assert not heard & {float(x) for r in life_of(known) for x in r.samples[:, 0]}
        subjects = {r.subject for r in life_of(held)} & {r.subject for r in life_of(known)} - {""}
        assert not subjects or people == "a" and subjects == {"a"}


@pytest.mark.parametrize("true_heat", [1.0, 1.3, 4.0])
def test_temperature_is_found_and_not_believed_where_it_is_high(true_heat):
    """Logits that are too large by `true_heat`, and labels drawn as the cool ones say."""
    rng = np.random.default_rng(2)
    cool = rng.normal(0, 2, (4000, 4))
    gumbel = -np.log(-np.log(rng.random(cool.shape)))
    found = temperature(cool * true_heat, (cool + gumbel).argmax(axis=1))
    assert found == pytest.approx(min(true_heat, 1.5), rel=0.06)
