"""Our driver on the simulated sensor, in one process, with the bus's time counted."""

from array import array

import numpy as np
import pytest

from drivers import mpu_modes
from drivers.fifo_sums import sum_frames
from drivers.mpu6500 import MPU6500
from drivers.spi_bus import SPIBus
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.faults import Fault
from host_tools.simulator.sensor.movement import Rest, Sines
from host_tools.simulator.sensor.signal_chain import PartErrors
from host_tools.simulator.sensor.variants import PARTS
from sensing import calibration as cal
from tests.sensor_rig import Bus


def brought_up(movement=None, options=None, **sensor_options):
    sensor = SimulatedMPU6500(movement or Sines(), **sensor_options)
    bus = Bus(sensor)
    imu = MPU6500(bus, **(options or {}))
    bus.run(imu.bring_up())
    return sensor, bus, imu


def drain(bus, imu):
    """All frames of the FIFO, int16 (n, 6), each read confirmed."""
    out = b""
    left = imu.fifo_bytes()
    assert left % imu.fifo_frame == 0
    while left:
        n = min(imu.CHUNK_FRAMES, left // imu.fifo_frame)
        left -= imu.fifo_frame * n
        imu.read_fifo(n, left)
        assert imu.sound(n, left)
        out += bytes(imu.frames[: 12 * n])
    return np.frombuffer(out, ">i2").reshape(-1, 6)


@pytest.mark.parametrize("rate_hz", (4, 50, 100, 200, 333, 500, 1000))
@pytest.mark.parametrize("part", ("MPU6500", "MPU6050", "ICM20602"))
def test_the_rate_is_the_one_that_is_said(rate_hz, part):
    sensor, bus, imu = brought_up(options={"rate_hz": rate_hz}, part=part)
    imu.start_fifo()
    seconds = 30 / rate_hz
    begun_us = bus.now_us
    bus.wait_ms(seconds * 1000)
    frames = imu.fifo_bytes() / imu.fifo_frame
    assert frames == pytest.approx((bus.now_us - begun_us) / imu.period_us, abs=1)


@pytest.mark.parametrize("part", list(PARTS))
def test_every_relative_gives_the_frames_that_it_measured(part):
    sensor, bus, imu = brought_up(part=part, temperature_c=31.5)
    imu.start_fifo()
    got = []
    for _ in range(20):
        bus.wait_ms(47)
        got.append(drain(bus, imu))
    got = np.vstack(got)
    assert len(got) > 90
    assert (got == sensor.true_counts[: len(got)]).all()
    assert imu.centi_c() == pytest.approx(3150, abs=1)
    assert bool(imu.warning) == part.startswith("unknown")


@pytest.mark.parametrize("answers", (True, False))
@pytest.mark.parametrize("reset_us", (0, 5_000, 120_000))
def test_comes_up_however_the_chip_behaves_in_its_reset(answers, reset_us):
    if reset_us > 100_000 and not answers:
        # Longer than RM page 42 grants: the sampler tries again.
        with pytest.raises(OSError):
            brought_up(reset_us=reset_us, reset_answers=answers)
        return
    sensor, bus, imu = brought_up(reset_us=reset_us, reset_answers=answers)
    assert imu.intact()


@pytest.mark.parametrize("part", ("MPU6500", "ICM20602"))
@pytest.mark.parametrize("slipped", (0, 5))
def test_no_chunk_holds_the_loop_for_long(part, slipped):
    """At 400 kHz; the longest is a last one that cannot be confirmed."""
    sensor, bus, imu = brought_up(part=part)
    imu.start_fifo()
    bus.wait_ms(85)
    bus.longest_us = 0
    begun_us = bus.now_us
    assert imu.fifo_bytes() == imu.CHUNK_FRAMES * imu.fifo_frame
    sensor.fifo.drop(slipped)
    imu.read_fifo(imu.CHUNK_FRAMES, 0)
    assert imu.sound(imu.CHUNK_FRAMES, 0) == (not slipped)
    assert bus.now_us - begun_us < 5_000
    assert bus.longest_us < 2_700


@pytest.mark.parametrize("rate_hz", (100, 500))
@pytest.mark.parametrize("slipped", (1, 6, 11))
def test_a_slip_in_a_read_is_noticed_at_any_moment_of_a_sample(rate_hz, slipped):
    sensor, bus, imu = brought_up(options={"rate_hz": rate_hz})
    for phase in range(100):
        imu.start_fifo()
        bus.wait_ms((4 + phase / 100) * 1000 / rate_hz)
        n = imu.fifo_bytes() // 12
        sensor.inject(Fault("fifo_slip", bus.now_us, value=slipped, in_read=True))
        imu.read_fifo(n, 0)
        assert not imu.sound(n, 0), phase
        # Without it they are believed, whenever they are read.
        imu.start_fifo()
        bus.wait_ms((4 + phase / 100) * 1000 / rate_hz)
        n = imu.fifo_bytes() // 12
        imu.read_fifo(n, 0)
        assert imu.sound(n, 0), phase


def test_read_into_is_the_newest_sample():
    sensor, bus, imu = brought_up()
    imu.start_fifo()
    row = array("h", bytes(12))
    for _ in range(10):
        bus.wait_ms(37)
        imu.read_into(row)
        assert list(row) == list(sensor.true_counts[-1])


def test_a_reset_under_the_driver_is_noticed():
    sensor, bus, imu = brought_up()
    imu.start_fifo()
    bus.wait_ms(100)
    sensor.write(0x6B, b"\x80", bus.now_us)
    bus.wait_ms(10)
    assert not imu.intact()
    with pytest.raises(OSError, match="settings"):
        imu.start_fifo()
    bus.run(imu.bring_up())
    assert imu.intact()


def test_wrong_address():
    sensor = SimulatedMPU6500(Rest())
    bus = Bus(sensor, address=0x69)
    with pytest.raises(OSError) as fault:
        bus.run(MPU6500(bus).bring_up())
    assert fault.value.errno == 19
    bus.run(MPU6500(bus, address=0x69).bring_up())


class Pins:
    """A machine.SPI and a machine.Pin, wired to the simulated sensor."""

    def __init__(self, sensor):
        self.sensor = sensor
        self.now_us = 0
        self.select = False
        self.level = 1

    def cs(self, level):
        self.select = self.level and not level
        self.level = level

    def write(self, data):
        assert self.level == 0
        self.sensor.spi(bytes(data), self.select, self.now_us)
        self.select = False
        self.now_us += 8 * len(data)

    def readinto(self, buffer):
        assert self.level == 0
        buffer[:] = self.sensor.spi(bytes(len(buffer)), self.select, self.now_us)
        self.select = False
        self.now_us += 8 * len(buffer)


def test_spi():
    sensor = SimulatedMPU6500(Sines())
    pins = Pins(sensor)
    imu = MPU6500(SPIBus(pins, pins.cs))
    for wait_ms in imu.bring_up():
        pins.now_us += 1000 * wait_ms
    imu.start_fifo()
    assert sensor.registers[0x6A] == 0x50  # the sensor must not take SPI for I2C
    pins.now_us += 100_000
    got = drain(pins, imu)
    assert len(got) == 10
    assert (got == sensor.true_counts[:10]).all()
    assert pins.level == 1


def self_test(**options):
    movement = options.pop("movement", None) or Rest((0.05, -0.1, 0.99))
    sensor = SimulatedMPU6500(movement, **options)
    bus = Bus(sensor)
    test = MPU6500(bus).make_self_test()
    bus.run(test.run())
    return test


def test_self_test_passes_a_good_part():
    test = self_test()
    assert test.passed, test.text
    assert test.ratios == pytest.approx([1] * 6, abs=0.02)


@pytest.mark.parametrize(
    "ratio, faulty",
    [
        ((0.45, 1), "gx gy gz"),
        ((1, 0.45), "ax ay az"),
        ((1, 1.55), "ax ay az"),
        ((0.55, 1.45), ""),
        ((2, 1), ""),  # a gyroscope has no upper limit
    ],
)
def test_self_test_limits(ratio, faulty):
    test = self_test(self_test_ratio=ratio)
    assert test.passed == (not faulty)
    for axis in faulty.split():
        assert axis in test.text


def test_self_test_notices_a_bad_offset_and_a_hand():
    test = self_test(errors=PartErrors(gyro_bias_dps=(0, 25, 0)))
    assert not test.passed and "gy reads 25 deg/s" in test.text
    test = self_test(movement=Sines(gyro_dps=60, accel_g=0.1))
    assert not test.passed and "still" in test.text


def test_self_test_is_not_for_other_parts():
    test = self_test(part="MPU6050")
    assert not test.passed and "MPU6050" in test.text


def test_six_positions_of_a_bad_part():
    errors = PartErrors(
        accel_bias_g=(0.05, -0.03, 0.02),
        accel_scale=(1.02, 0.98, 1.0),
        gyro_bias_dps=(3.0, -2.0, 0.5),
        noise=1.0,
    )
    six = cal.SixPositions(4096)
    sums = [0] * 18
    for axis in range(3):
        for sign in (1, -1):
            up = [0.0, 0.0, 0.0]
            up[axis] = sign
            sensor, bus, imu = brought_up(Rest(up), errors=errors, seed=5)
            imu.start_fifo()
            bus.run(sum_frames(imu, 200, sums))
            six.add([s / 200 for s in sums])
    bias = cal.gyro_bias_mdps(sums, 200, imu.gyro_lsb_per_10_dps)
    offset, scale = six.solve()
    assert offset == pytest.approx([50_000, -30_000, 20_000], abs=1000)
    assert scale == pytest.approx([20_000, -20_000, 0], abs=1000)
    assert bias == pytest.approx([3000, -2000, 500], abs=30)


def test_sums_go_on_after_the_program_was_busy_elsewhere():
    sensor, bus, imu = brought_up(Rest((0, 0, 1)))
    sums = [0] * 18
    imu.start_fifo()
    for number, wait_ms in enumerate(sum_frames(imu, 200, sums)):
        bus.wait_ms(600 if number in (3, 9) else wait_ms)  # the FIFO is full after 420
    assert sums[2] / 200 == pytest.approx(imu.accel_lsb_per_g, rel=0.05)
    imu.start_fifo()
    with pytest.raises(OSError, match="ran over again and again"):
        for _ in sum_frames(imu, 200, sums):
            bus.wait_ms(600)


def test_fingerprint_tells_parts_apart():
    prints = set()
    for seed in range(20):
        sensor, bus, imu = brought_up(Rest(), seed=seed)
        prints.add(imu.fingerprint())
        assert imu.fingerprint() in prints
    assert len(prints) == 20


def test_sleep_and_back():
    sensor, bus, imu = brought_up()
    mpu_modes.sleep(imu)
    assert sensor.next_data_ready_us(bus.now_us) is None
    bus.run(imu.bring_up())
    assert imu.intact() and sensor.next_data_ready_us(bus.now_us)


@pytest.mark.parametrize("asked, rate_hz", [(0.24, 0.24), (30, 31.25), (100, 125), (500, 500)])
def test_low_power_accelerometer(asked, rate_hz):
    sensor, bus, imu = brought_up(Rest((0, 0.5, 0)))
    assert mpu_modes.low_power_accel(imu, asked) == rate_hz
    first = sensor.next_data_ready_us(bus.now_us)
    second = sensor.next_data_ready_us(first)
    assert second - first == pytest.approx(1e6 / rate_hz, abs=2)
    bus.wait_ms(10_000)
    row = array("h", bytes(12))
    imu.read_into(row)
    assert row[1] == pytest.approx(2048, abs=300)  # 13 mg of noise at 1.1 kHz


def test_low_power_rate_of_parts_that_use_the_divider():
    sensor, bus, imu = brought_up(Rest(), part="ICM20689")
    assert mpu_modes.low_power_accel(imu, 30) == pytest.approx(30.3, abs=0.01)
    first = sensor.next_data_ready_us(bus.now_us)
    assert sensor.next_data_ready_us(first) - first == pytest.approx(33_000, abs=2)
    with pytest.raises(ValueError, match="from 4 to 500"):
        mpu_modes.low_power_accel(imu, 2)


@pytest.mark.parametrize(
    "part, rate_hz", [("MPU6500", 31.25), ("ICM20608G", 31.25), ("ICM20602", 1000 / 33)]
)
def test_wake_on_motion(part, rate_hz):
    sensor, bus, imu = brought_up(Rest(), part=part)
    assert mpu_modes.wake_on_motion(imu, 101, 30) == (100, pytest.approx(rate_hz))
    bus.wait_ms(2000)
    assert sensor.int_level(bus.now_us) == 0 and not mpu_modes.moved(imu)
    sensor._chain.movement = Sines(accel_g=1)  # somebody takes it up
    bus.wait_ms(2000)
    assert sensor.int_level(bus.now_us) == 1
    bus.wait_ms(3000)
    assert sensor.int_level(bus.now_us) == 1  # latched, so a sleeping board cannot miss it
    assert mpu_modes.moved(imu)
    bus.run(imu.bring_up())
    assert sensor.int_level(bus.now_us) == 0


@pytest.mark.parametrize("threshold_mg", (3, 1021, -4))
def test_wake_on_motion_thresholds_that_cannot_be(threshold_mg):
    sensor, bus, imu = brought_up()
    with pytest.raises(ValueError, match="4 to 1020"):
        mpu_modes.wake_on_motion(imu, threshold_mg)


def test_modes_that_cannot_be():
    sensor, bus, imu = brought_up()
    for rate_hz in (0.2, 501, "31"):
        with pytest.raises(ValueError, match="0.24 to 500"):
            mpu_modes.low_power_accel(imu, rate_hz)
    sensor, bus, imu = brought_up(part="MPU6050")
    with pytest.raises(ValueError, match="MPU6050"):
        mpu_modes.wake_on_motion(imu, 100)
