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
from power import early, motion
from power.sleep_record import SleepRecord
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


def asleep_deeply(wait_ms):
    """(driver, bus, sensor, Early): shaken awake, main.py comes wait_ms later."""
    imu, bus, sensor = rig(shaken())
    period_ms = motion.record(imu, 24)
    assert period_ms == 20
    while not sensor.int_level(bus.now_us):
        bus.wait_ms(1)
    bus.wait_ms(wait_ms)
    return imu, bus, sensor, early.Early(bus, imu.address, period_ms - 1, 9)


def all_of(kept, imu):
    frames = []
    while n := kept.take(imu.frames, imu.CHUNK_FRAMES):
        frames += np.frombuffer(bytes(imu.frames[: 12 * n]), ">i2").reshape(-1, 6).tolist()
    return np.array(frames)


def test_what_came_while_the_board_started_is_there_at_the_full_rate():
    imu, bus, sensor, kept = asleep_deeply(1000)
    began = kept.count
    assert 160 < began <= 170  # 1.7 s at 100 Hz
    for _ in range(10):
        bus.wait_ms(100)
        kept.drain()
    assert kept.is_whole and 95 <= kept.count - began <= 102
    imu.identify()
    imu.start_fifo()  # finds the settings as bring_up() had left them
    frames = all_of(kept, imu)
    assert len(frames) == kept.count
    # 6 m/s^2 of a sine that began 0.6 s before the first of them: the same curve all the way
    x = frames[:, 0] / 4096 * GRAVITY
    shake = np.flatnonzero(np.abs(x) > 0.5)[0]
    t_s = (np.arange(len(x)) - shake) / 100
    assert np.abs(x[shake:] - 6 * np.sin(2 * np.pi * t_s[shake:] + 0.1)).max() < 1.5
    gyro = frames[:, 3]
    assert not gyro[:began].any() and np.abs(gyro[began + 10 :]).max() > 100 * 32


@pytest.mark.parametrize("wait_ms", [0, 400])
def test_a_start_that_is_held_up_for_too_long_gives_nothing(wait_ms):
    imu, bus, sensor, kept = asleep_deeply(300)
    bus.wait_ms(100 + wait_ms)
    kept.drain()
    assert kept.is_whole == (wait_ms == 0)


class Settings:
    i2c_id, i2c_scl, i2c_sda, i2c_hz, imu_address = 1, 22, 21, 400_000, 0x69


def test_the_note_for_the_next_start_comes_back_whole_or_not_at_all():
    data = early.note(Settings, 20, 10)
    assert len(data) == early.NOTE_BYTES
    assert early.read_note(data + b"more") == (1, 22, 21, 400, 0x69, 19, 9)
    for at in range(len(data)):
        assert early.read_note(data[:at]) is None
        assert early.read_note(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]) is None
    record = SleepRecord()
    record.light = 7
    found = SleepRecord()
    found.unpack(data + record.pack(len(data)))
    assert found.light == 7
