"""The synthetic recordings: physically sound, and the same from the same seed."""

import csv
import gzip
import hashlib

import numpy as np
import pytest

from host_tools.cli.app import main
from host_tools.simulator.synthesis import trajectory
from host_tools.simulator.synthesis.generate import generate
from host_tools.simulator.synthesis.kinematics import sensed
from host_tools.units import GRAVITY


def content(folder):
    """What a data set says, whatever the compressor's release."""
    files = sorted((folder / "recordings").glob("*.csv.gz"))
    texts = [gzip.decompress(file.read_bytes()) for file in files]
    return [(folder / "labels.csv").read_bytes(), *texts]


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("demo", ["--people", "1", "--each", "3", "--seed", "101", "--pause", "0.9"]),
        ("gestures", ["--people", "10", "--each", "5", "--seed", "1"]),
    ],
)
def test_data_folders_are_made_again_as_the_readme_says(repository, tmp_path, name, arguments):
    said = f"beckon synthesize data/{name} {' '.join(arguments)}"
    assert said in (repository / "data" / "README.md").read_text()
    assert main(["synthesize", str(tmp_path / name), *arguments]) == 0
    assert content(tmp_path / name) == content(repository / "data" / name)


def test_another_seed_gives_other_samples():
    one, other = (generate(seed, 1, 1)[0].values for seed in (1, 2))
    assert hashlib.sha256(one.tobytes()).digest() != hashlib.sha256(other.tobytes()).digest()


def test_existing_data_set_is_kept(tmp_path, capsys):
    arguments = ["synthesize", str(tmp_path), "--people", "1", "--each", "1"]
    assert main(arguments) == 0
    before = content(tmp_path)
    assert main([*arguments, "--seed", "7"]) == 1
    assert "--force" in capsys.readouterr().err
    assert content(tmp_path) == before


def test_rest_feels_gravity_alone():
    still = trajectory.rest(1.0)
    felt = sensed(still, np.zeros_like(still))
    assert np.allclose(felt, [0, 0, GRAVITY, 0, 0, 0])


def test_tilt_moves_gravity_between_the_axes():
    still = trajectory.rest(1.0)
    felt = sensed(still, np.tile([0.0, np.pi / 6, 0.0], (len(still), 1)))
    # Nose down by 30 degrees: x feels minus half of it.
    assert np.allclose(felt[:, :3], [-GRAVITY / 2, 0, GRAVITY * np.sqrt(3) / 2])


def test_turning_in_place_is_felt_by_the_gyroscope_alone():
    still = trajectory.rest(1.0)
    angles = np.zeros_like(still)
    angles[:, 2] = np.linspace(0, np.pi / 2, len(still))
    felt = sensed(still, angles)
    rate = 90 / (len(still) - 1) / trajectory.STEP_S
    assert np.allclose(felt[:, 3:], [0, 0, rate], atol=1e-6)
    assert np.allclose(felt[:, :3], [0, 0, GRAVITY])


def test_double_integration_gives_the_way_back():
    way = trajectory.join([trajectory.rest(0.2), trajectory.shift(1.0, np.array([0.3, 0, 0.1]))])
    felt = sensed(way, np.zeros_like(way))
    felt[:, 2] -= GRAVITY
    speed = np.cumsum(felt[:, :3], axis=0) * trajectory.STEP_S
    place = np.sum(speed, axis=0) * trajectory.STEP_S
    assert np.allclose(place, [0.3, 0, 0.1], atol=2e-3)


def test_labels_lie_within_the_recording_and_apart(repository):
    with open(repository / "data" / "gestures" / "labels.csv") as file:
        rows = list(csv.DictReader(file))
    assert {row["label"] for row in rows} == {"circle", "x", "y"}
    for one, following in zip(rows, rows[1:], strict=False):
        assert int(one["start_ms"]) < int(one["end_ms"])
        if one["recording"] == following["recording"]:
            assert int(one["end_ms"]) + 300 < int(following["start_ms"])
