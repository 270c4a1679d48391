"""No copy of a movement, and no person, on both sides of a split."""

import numpy as np
import pytest

from host_tools.dataset import Dataset, Recording, Span, read_datasets
from host_tools.dataset.near_duplicates import assign_groups
from host_tools.dataset.split import folds, hold_out
from host_tools.training.recipe import choose
from host_tools.training.stream_batches import StreamBank


def recording(name, rng, label="wave", subject="", samples=None):
    x = rng.normal(size=(100, 6)).astype(np.float32) * 5 if samples is None else samples
    return Recording(name, x, 100.0, (Span(0, 900, label, subject),))


def test_shifted_and_thinned_copies_are_found():
    rng = np.random.default_rng(1)
    one = recording("one", rng)
    shifted = recording("shifted", rng, samples=one.samples[7:])
    thinned = recording("thinned", rng, samples=one.samples[3::5])
    data = Dataset("d", [one, recording("other", rng), shifted, thinned])
    assert assign_groups(data) == 3
    groups = [r.group for r in data.recordings]
    assert groups[0] == groups[2] == groups[3] != groups[1]


def test_rest_alone_joins_nothing():
    still = np.tile(np.float32([0, 0, 9.8, 0, 0, 0]), (50, 1))
    rng = np.random.default_rng(1)
    data = Dataset("d", [recording(n, rng, samples=still.copy()) for n in "ab"])
    assert assign_groups(data) == 0


def test_folds_keep_people_together():
    rng = np.random.default_rng(2)
    data = Dataset("d", [recording(f"{p}{i}", rng, subject=p) for p in "abcdef" for i in range(5)])
    for part in folds(data, 3):
        mine = {data.recordings[i].subject for i in part}
        others = {r.subject for i, r in enumerate(data.recordings) if i not in set(part)}
        assert mine and not mine & others


def test_one_person_is_split_in_time():
    rng = np.random.default_rng(3)
    data = Dataset("d", [recording(f"r{i:02d}", rng, "xy"[i % 2], "p") for i in range(30)])
    parts = folds(data, 3)
    assert sorted(i for p in parts for i in p) == list(range(30))
    assert {data.recordings[i].name for i in parts[0]} == {f"r{i:02d}" for i in range(10)}


def test_held_out_shares_no_group():
    rng = np.random.default_rng(4)
    base = [recording(f"r{i}", rng) for i in range(12)]
    copies = [recording(f"c{i}", rng, samples=r.samples[::2]) for i, r in enumerate(base)]
    known, held = hold_out(Dataset("d", base + copies))
    assert not {r.group for r in known.recordings} & {r.group for r in held.recordings}
    assert len(known.recordings) + len(held.recordings) == 24


def test_no_augmented_copy_of_what_is_held_out():
    """Every window is the same to the last bit whatever the held-out part holds."""
    rng = np.random.default_rng(6)
    data = Dataset("d", [
        recording(f"{p}{i}", rng, "xy"[i % 2], p) for p in "abc" for i in range(6)])
    recipe = choose(data, 100)
    known, held = hold_out(data)

    def windows():
        return StreamBank(known, recipe).draw(400, np.random.default_rng(1))[0]

    before = windows()
    for r in held.recordings:
        r.samples[:] = np.nan
    assert np.array_equal(before, windows())
    known.recordings[-1].samples[:] *= 2
    assert not np.array_equal(before, windows())


def test_too_little_to_hold_out():
    rng = np.random.default_rng(5)
    with pytest.raises(ValueError, match="too few"):
        hold_out(Dataset("d", [recording("a", rng)]))


def test_the_same_events_at_two_rates(shared_data):
    """128 movements lie in both folders of the article's author."""
    data = read_datasets([shared_data / "tkeyo_mpu6500_100hz",
                          shared_data / "tkeyo_mpu6500_20hz_windows"])
    assign_groups(data)
    fine = {r.group for r in data.recordings if r.native_hz == 100}
    coarse = [r for r in data.recordings if r.native_hz == 20 and r.spans[0].label != "none"]
    assert len(fine) == 128 and all(r.group in fine for r in coarse)
