"""The simulated sensor's filters and noise against the tables of the register map."""

import numpy as np
import pytest

from host_tools.simulator.sensor.movement import Rest
from host_tools.simulator.sensor.signal_chain import PartErrors, pole
from host_tools.units import GRAVITY
from tests.sensor_rig import Chip

# RM page 14 and 15: DLPF_CFG, A_DLPF_CFG: (bandwidth Hz, delay ms)
GYRO = {1: (184, 2.9), 2: (92, 3.9), 3: (41, 5.9), 4: (20, 9.9), 5: (10, 17.85), 6: (5, 33.48)}
ACCEL = {1: (184, 5.8), 2: (92, 7.8), 3: (41, 11.8), 4: (20, 19.8), 5: (10, 35.7), 6: (5, 66.96)}


class Wave:
    """The same sine on all axes. amplitude: 1 g, 100 deg/s."""

    filtered = False
    duration_s = None

    def __init__(self, frequency_hz):
        self.w = 2 * np.pi * frequency_hz

    def sample(self, t_s):
        return np.outer(np.sin(self.w * t_s), [GRAVITY] * 3 + [100] * 3)


class Ramp:
    """Rises on all axes: 0.1 g and 10 deg/s in a second."""

    filtered = False
    duration_s = None

    def sample(self, t_s):
        return np.outer(t_s, [0.1 * GRAVITY] * 3 + [10] * 3)


def record(movement, code, frames=600, **options):
    """Frames at 1 kHz, in g and deg/s: (n, 6), and their times in s since the first."""
    chip = Chip(movement, **options)
    chip.write(0x19, 0, code, 0, 0, code)
    chip.wait(0.1)
    chip.write(0x6A, 0x40)
    chip.write(0x23, 0x78)
    out = b""
    while len(out) < 12 * frames:
        chip.wait(0.02)
        out += chip.read(0x74, chip.fifo_count())
    values = np.frombuffer(out[: 12 * frames], ">i2").reshape(-1, 6) / ([16384] * 3 + [131] * 3)
    return values, np.arange(frames) / 1000


def amplitude(values, frequency_hz, t_s):
    basis = np.column_stack(
        [np.sin(2 * np.pi * frequency_hz * t_s), np.cos(2 * np.pi * frequency_hz * t_s)]
    )
    fit, *_ = np.linalg.lstsq(basis, values, rcond=None)
    return np.hypot(*fit)


@pytest.mark.parametrize("code", list(GYRO))
def test_minus_3_db_at_the_bandwidth(code):
    bandwidth_hz, _ = GYRO[code]
    settled = 400  # frames; the slowest filter's time constant is 32 ms
    values, t_s = record(Wave(bandwidth_hz), code, 1600)
    found = amplitude(values[settled:], bandwidth_hz, t_s[settled:])
    assert found[:3] == pytest.approx(np.sqrt(0.5), rel=0.02)
    assert found[3:] == pytest.approx(100 * np.sqrt(0.5), rel=0.02)


@pytest.mark.parametrize("code", list(GYRO))
def test_passes_below_and_stops_above(code):
    bandwidth_hz, _ = GYRO[code]
    values, t_s = record(Wave(bandwidth_hz / 5), code, 1600)
    assert amplitude(values[400:], bandwidth_hz / 5, t_s[400:])[0] > 0.95
    if bandwidth_hz < 90:
        values, t_s = record(Wave(bandwidth_hz * 5), code, 1600)
        assert amplitude(values[400:], bandwidth_hz * 5, t_s[400:])[0] < 0.25


@pytest.mark.parametrize("code", list(GYRO))
def test_delay_of_the_table(code):
    """Behind a filter a ramp runs late by the delay at low frequencies."""
    values, t_s = record(Ramp(), code, 900)
    late_s = t_s[600:] - values[600:, 0] / 0.1
    assert np.mean(late_s) * 1000 == pytest.approx(ACCEL[code][1], abs=0.4)
    late_s = t_s[600:] - values[600:, 3] / 10
    assert np.mean(late_s) * 1000 == pytest.approx(GYRO[code][1], abs=0.4)


@pytest.mark.parametrize("filters", (True, False))
@pytest.mark.parametrize("code", (2, 4, 6))
def test_noise_of_the_data_sheet(code, filters):
    """300 ug and 0.01 deg/s per root Hz, over the noise bandwidth of one pole."""
    values, _ = record(
        Rest(), code, 4000, errors=PartErrors(noise=1.0), filters=filters, seed=code
    )
    noise_hz = np.pi / 2 * GYRO[code][0]
    assert values[200:, :2].std() == pytest.approx(300e-6 * np.sqrt(noise_hz), rel=0.15)
    assert values[200:, 3:].std() == pytest.approx(0.01 * np.sqrt(noise_hz), rel=0.15)


def test_errors_of_a_part():
    errors = PartErrors(
        gyro_bias_dps=(4, -5, 0),
        accel_bias_g=(0.05, 0, -0.02),
        gyro_scale=(1.03, 1, 1),
        accel_scale=(1, 1, 0.97),
        gyro_drift_dps_per_c=(0.24, 0, 0),
        accel_drift_g_per_c=(0, 0.001, 0),
    )
    values, _ = record(
        Rest((0, 0, 1), (100, 0, 0)), 3, 50, errors=errors, temperature_c=35, filters=False
    )
    want = [0.05, 0.01, 0.95, 103 + 4 + 2.4, -5, 0]
    assert values[-1] == pytest.approx(want, abs=0.01)


def test_a_recording_is_not_filtered_again_unless_told():
    class Recorded(Wave):
        filtered = True

    values, t_s = record(Recorded(20), 6, 400, errors=PartErrors())
    assert amplitude(values[100:], 20, t_s[100:])[0] == pytest.approx(1, rel=1e-3)
    values, t_s = record(Recorded(20), 6, 800, errors=PartErrors(), filters=True)
    assert amplitude(values[300:], 20, t_s[300:])[0] < 0.3


@pytest.mark.parametrize("bandwidth_hz", (5, 41, 184, 300))
def test_pole(bandwidth_hz):
    a = pole(bandwidth_hz, 1000)
    gain = (1 - a) / abs(1 - a * np.exp(-2j * np.pi * bandwidth_hz / 1000))
    assert gain == pytest.approx(np.sqrt(0.5))


def test_accelerometer_repeats_where_the_gyroscope_is_faster():
    """8 kHz gyroscope, 1 kHz accelerometer: each of its samples comes eight times."""
    chip = Chip(Wave(7), errors=PartErrors(noise=1.0))
    chip.write(0x6A, 0x40)
    chip.write(0x23, 0x78)
    chip.wait(0.005)
    frames = np.frombuffer(chip.read(0x74, chip.fifo_count()), ">i2").reshape(-1, 6)
    changes = np.flatnonzero((np.diff(frames[:, :3], axis=0) != 0).any(axis=1))
    assert len(frames) >= 39
    assert (np.diff(changes) == 8).all() and len(changes) >= 4
    assert (np.diff(frames[:, 3:], axis=0) != 0).any(axis=1).all()
