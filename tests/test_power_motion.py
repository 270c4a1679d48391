"""The sensor while the board sleeps, by the firmware's own code on CPython: INT and the FIFO."""

import numpy as np
import pytest

from drivers.mpu6500 import MPU6500
from drivers.mpu_modes import wake_on_motion
from host_tools.simulator.sensor import registers as reg
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import RecordedMovement, Rest
from host_tools.simulator.sensor.signal_chain import PartErrors
from host_tools.units import GRAVITY
from power import motion
from tests.sensor_rig import Bus

MOVED_S = 3.0


def rig(movement):
    """(driver, bus, sensor), sampling at 100 Hz."""
    sensor = SimulatedMPU6500(movement, errors=PartErrors(noise=1.0))
    bus = Bus(sensor)
    imu = MPU6500(bus, accel_g=8, gyro_dps=1000, rate_hz=100)
    bus.run(imu.bring_up())
    imu.start_fifo()
    return imu, bus, sensor


def shaken():
    """Still for three seconds, then shaken and turned."""
    t_ms = np.arange(600) * 10.0
    samples = np.tile([0, 0, GRAVITY, 0, 0, 0.0], (600, 1))
    phase = np.clip(t_ms / 1000 - MOVED_S, 0, None) * 2 * np.pi
    samples[:, 0] = 6 * np.sin(phase)
    samples[:, 3] = 200 * np.sin(phase)
    return RecordedMovement(t_ms, samples)


class IntPin:
    """A GPIO at INT, or one that always reads `stuck`."""

    def __init__(self, bus, stuck=None):
        self._bus, self._stuck = bus, stuck

    def value(self):
        return self._bus.sensor.int_level(self._bus.now_us) if self._stuck is None else self._stuck


@pytest.mark.parametrize("stuck, works", [(None, True), (0, False), (1, False)])
def test_a_pin_that_does_not_follow_int_is_found(stuck, works):
    imu, bus, sensor = rig(Rest())
    bus.run(motion.follows(imu, IntPin(bus, stuck)))
    assert imu.int_works is works
    assert sensor.registers[reg.INT_PIN_CFG] == 0 and imu.intact()


def test_noise_wakes_nobody_in_light_sleep():
    imu, bus, sensor = rig(Rest())
    motion.watch(imu, 24)
    bus.wait_ms(60_000)
    assert not sensor.int_level(bus.now_us) and not motion.moved(imu)


@pytest.mark.parametrize("threshold_mg, seconds, woken", [(120, 200, False), (40, 10, True)])
def test_the_threshold_of_deep_sleep_is_above_the_unfiltered_noise(threshold_mg, seconds, woken):
    imu, bus, sensor = rig(Rest())
    wake_on_motion(imu, threshold_mg, 31.25)
    bus.wait_ms(1000 * seconds)
    assert sensor.int_level(bus.now_us) == woken


def test_the_fifo_holds_the_beginning_of_the_movement_in_whole_frames_without_a_gap():
    imu, bus, sensor = rig(shaken())
    motion.watch(imu, 24)
    while not sensor.int_level(bus.now_us):
        bus.wait_ms(1)
    woken_s = sensor.played_s
    assert MOVED_S < woken_s < MOVED_S + 0.15
    assert motion.moved(imu) and not sensor.int_level(bus.now_us)
    bus.wait_ms(10)
    motion.resume(imu)
    assert imu.intact()
    frames = []
    while len(frames) < 120:
        n = min(imu.CHUNK_FRAMES, imu.fifo_bytes() // 12)
        imu.read_fifo(n)
        frames += np.frombuffer(bytes(imu.frames[: 12 * n]), ">i2").reshape(-1, 6).tolist()
        bus.wait_ms(10)
    assert imu.fifo_bytes() % 12 == 0 and sensor.int_level(bus.now_us) in (0, 1)
    truth = sensor.true_counts.tolist()
    first = truth.index(frames[0])
    assert truth[first : first + len(frames)] == frames  # each sample, once
    times_s = np.array(sensor.true_times_us[first:]) / 1e6
    assert times_s[0] < sensor.now_us / 1e6 - (sensor.played_s - MOVED_S) - 0.2  # still, then
    gyro = np.array(frames)[:, 3]
    assert len(set(gyro[:38].tolist())) == 1  # it was off
    assert np.abs(gyro[60:]).max() > 100 * 32  # and is back
