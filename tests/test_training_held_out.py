"""What training draws, whatever the held-out part holds. It learns from streams: slow."""

import numpy as np

from host_tools.dataset import Dataset
from host_tools.dataset.split import hold_out
from host_tools.training.recipe import choose
from host_tools.training.stream_batches import StreamBank
from tests.test_dataset_split import recording


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
