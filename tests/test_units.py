"""Counts are whole: what the recorder writes gives the very counts of the board back."""

import ast
import re
from datetime import UTC, datetime

import numpy as np
import pytest

from host_tools.dataset.folder import read_recording
from host_tools.errors import BeckonError
from host_tools.paths import FIRMWARE, REPOSITORY
from host_tools.recording.blocks import Block
from host_tools.recording.writer import Segment, write_recording
from host_tools.units import (
    ACCEL_COUNTS_PER_G,
    GRAVITY,
    GYRO_COUNTS_PER_DPS,
    accel_counts,
    at_limit,
    counts_per_unit,
    gyro_counts,
    sensor_ranges,
    to_counts,
)

RANGES = list(zip(ACCEL_COUNTS_PER_G, GYRO_COUNTS_PER_DPS, strict=True))


@pytest.mark.parametrize("accel_g, gyro_dps", RANGES)
def test_every_count_survives_recorder_and_reader(tmp_path, accel_g, gyro_dps):
    """All 65,536 values on all six axes: through the recorder's CSV with its rounding."""
    every = np.arange(-32768, 32768, dtype=np.int16)
    counts = np.stack([np.roll(every, 9973 * axis) for axis in range(6)], axis=1)
    values = counts / counts_per_unit(accel_g, gyro_dps)
    blocks = [Block(0, values, at_limit(counts))]
    path = write_recording(tmp_path, "all", blocks, Segment(0, 65536, ()), 100.0, {}, "",
                           datetime.now(UTC))
    recording, _ = read_recording(path)
    assert recording.rate_hz == pytest.approx(100.0) and len(recording.samples) == 65536
    assert (to_counts(recording.samples, accel_g, gyro_dps) == counts).all()


def test_a_range_is_known_by_its_scales_and_others_are_refused():
    for accel_g, gyro_dps in RANGES:
        found = sensor_ranges(ACCEL_COUNTS_PER_G[accel_g], GYRO_COUNTS_PER_DPS[gyro_dps])
        assert found == (accel_g, gyro_dps)
    with pytest.raises(ValueError):
        sensor_ranges(16384, 131.072)
    with pytest.raises(BeckonError, match="no range of 3 g; choose one of 2, 4, 8, 16"):
        accel_counts(3)
    with pytest.raises(BeckonError, match="no range of 500.5 deg/s"):
        gyro_counts(500.5)


def test_values_beyond_the_range_clip_and_a_gyroscope_that_is_not_there_reads_0():
    samples = np.array([[2.5 * GRAVITY, -2.5 * GRAVITY, GRAVITY]], np.float32)
    counts = to_counts(samples, 2, 250)
    assert counts.tolist() == [[32767, -32768, 16384, 0, 0, 0]]
    assert at_limit(np.array([[0, 32767, 0], [0, 1, -32768], [5, 5, 5]])).tolist() == [1, 1, 0]


def test_the_drivers_tables_are_the_same():
    """The firmware cannot import host tools, so the driver has a table of its own."""
    tree = ast.parse((FIRMWARE / "drivers" / "mpu6500.py").read_text())
    tables = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
    }
    accel = dict(zip(tables["_ACCEL_RANGES_G"], tables["_ACCEL_LSB_PER_G"], strict=True))
    gyro = dict(zip(tables["_GYRO_RANGES_DPS"], tables["_GYRO_LSB_PER_10_DPS"], strict=True))
    assert accel == ACCEL_COUNTS_PER_G
    assert {dps: lsb / 10 for dps, lsb in gyro.items()} == GYRO_COUNTS_PER_DPS


def test_nowhere_else_is_gravity_or_a_scale_written_down():
    """One home: any other literal is a copy that may be wrong."""
    literal = re.compile(r"\b9\.8[01]\d*\b|\b131\.0?7?2?\b|\b65\.5\b|\b32\.8\b|\b16\.4\b"
                         r"|32768 / \w*\.?(accel_g|gyro_dps|GRAVITY)")
    found = []
    for path in sorted((REPOSITORY / "host_tools").rglob("*.py")):
        if path.name != "units.py" and "standins" not in path.parts:
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if literal.search(line.partition("#")[0]):
                    found.append(f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()}")
    assert not found, "\n".join(found)
