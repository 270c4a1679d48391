"""Every driver against drivers/imu.py: the names it must have, and what they must do."""

import struct

import pytest

from drivers.fifo_sums import sum_frames
from drivers.imu import Imu, lacks
from drivers.mpu6500 import MPU6500
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import Rest
from tests.sensor_rig import Bus

NAMES = [name for name in dir(Imu(None, 0, 0, 0, 0)) if not name.startswith("_")]


class FakeBus:
    """A clock, and what has happened on a bus with a sensor that lies still."""

    def __init__(self):
        self.now_us = 0
        self.transactions = 0

    def run(self, steps):
        for wait_ms in steps:
            self.wait_ms(wait_ms)

    def wait_ms(self, ms):
        self.now_us += round(1000 * ms)


class FakeImu:
    """The smallest driver: 100 Hz, 8 g, 1000 deg/s, a FIFO of 20 frames without any extra."""

    CHUNK_FRAMES = 4

    def __init__(self, bus, address=0x19, accel_g=8, gyro_dps=1000, rate_hz=100):
        if (accel_g, gyro_dps, rate_hz) != (8, 1000, 100):
            raise ValueError("this one does 8 g, 1000 deg/s at 100 Hz only")
        self.bus, self.address = bus, address
        self.accel_g, self.gyro_dps, self.rate_hz, self.period_us = 8, 1000, 100, 10_000
        self.accel_lsb_per_g, self.gyro_lsb_per_10_dps = 4096, 328
        self.identity, self.name, self.warning = -1, "no sensor", ""
        self.fifo_frame, self.fifo_size, self.fifo_stops = 12, 240, True
        self.frames = bytearray(12 * FakeImu.CHUNK_FRAMES)
        self._start_us = self._read = 0
        self._up = False

    def bring_up(self):
        self.bus.transactions += 1
        yield 5
        self.identity, self.name, self._up = 0x42, "fake", True

    def intact(self):
        self.bus.transactions += 1
        return self._up

    def start_fifo(self):
        self.bus.transactions += 1
        self._start_us, self._read = self.bus.now_us, 0

    def fifo_bytes(self):
        self.bus.transactions += 1
        taken = (self.bus.now_us - self._start_us) // self.period_us
        return 12 * min(20, taken - self._read)

    def read_fifo(self, n, left):
        self.bus.transactions += 1
        for k in range(n):
            struct.pack_into(">6h", self.frames, 12 * k, self._read + k, 0, 4096, 0, 1, 2)
        self._read += n

    def sound(self, n, left):
        return left < 0 or self.fifo_bytes() >= left

    def centi_c(self):
        return 2500

    def fingerprint(self):
        return "fake-1"

    def make_self_test(self):
        self._up = False

        class Test:
            passed, text, ratios = True, "moves", [1.0] * 6

            def run(self):
                yield 10

        return Test()


def hold_against(make, bus):
    """What the firmware expects of a driver. make(**settings): a driver on bus."""
    before = getattr(bus, "transactions", bus.now_us)
    imu = make()
    assert lacks(imu) == []
    assert getattr(bus, "transactions", bus.now_us) == before, "it touches the bus too early"
    for wrong in ({"accel_g": 3}, {"gyro_dps": 7}, {"rate_hz": 0}):
        with pytest.raises(ValueError):
            make(**wrong)
    bus.run(imu.bring_up())
    assert imu.intact() and imu.identity >= 0 and imu.name and isinstance(imu.warning, str)
    assert imu.fingerprint() == imu.fingerprint() != ""
    assert -4000 < imu.centi_c() < 8500
    assert abs(imu.period_us * imu.rate_hz - 1_000_000) < 1000
    _samples(imu, bus)
    _sums(imu, bus)
    _full_fifo(imu, bus)
    test = imu.make_self_test()
    bus.run(test.run())
    assert test.passed in (True, False) and isinstance(test.text, str)
    bus.run(imu.bring_up())
    assert imu.intact()


def _samples(imu, bus):
    """Of a sensor that lies still."""
    imu.start_fifo()
    assert imu.fifo_bytes() <= imu.fifo_frame
    bus.wait_ms(10.5 * imu.period_us / 1000)
    size = imu.fifo_bytes()
    assert size % imu.fifo_frame == 0 and 9 <= size // imu.fifo_frame <= 11
    assert len(imu.frames) >= 12 * imu.CHUNK_FRAMES
    n = imu.CHUNK_FRAMES
    imu.read_fifo(n, size - n * imu.fifo_frame)
    assert imu.sound(n, size - n * imu.fifo_frame)
    assert imu.fifo_bytes() - (size - n * imu.fifo_frame) in (0, imu.fifo_frame)
    for k in range(n):
        row = struct.unpack_from(">6h", imu.frames, 12 * k)
        g = sum((v / imu.accel_lsb_per_g) ** 2 for v in row[:3]) ** 0.5
        assert g == pytest.approx(1, abs=0.3)
        assert all(abs(10 * v / imu.gyro_lsb_per_10_dps) < 30 for v in row[3:])


def _sums(imu, bus):
    sums = [0] * 18
    imu.start_fifo()
    bus.run(sum_frames(imu, 50, sums))
    g = sum((v / 50 / imu.accel_lsb_per_g) ** 2 for v in sums[:3]) ** 0.5
    assert g == pytest.approx(1, abs=0.3)


def _full_fifo(imu, bus):
    imu.start_fifo()
    bus.wait_ms(1.5 * imu.fifo_size / imu.fifo_frame * imu.period_us / 1000)
    assert imu.fifo_bytes() > imu.fifo_size - imu.fifo_frame
    imu.start_fifo()
    assert imu.fifo_bytes() <= imu.fifo_frame


@pytest.mark.parametrize("part", ["MPU6500", "MPU6050", "ICM20602"])
def test_the_mpu_6500_and_its_relatives(part):
    bus = Bus(SimulatedMPU6500(Rest(), part=part))
    hold_against(lambda **settings: MPU6500(bus, **settings), bus)


def test_a_driver_that_shares_no_code_with_it():
    bus = FakeBus()
    hold_against(lambda **settings: FakeImu(bus, **settings), bus)


@pytest.mark.parametrize("name", NAMES)
def test_a_driver_that_lacks_something_fails_with_its_name(name):
    class Lacking(FakeImu):
        def __getattribute__(self, wanted):
            if wanted == name:
                raise AttributeError(wanted)
            return super().__getattribute__(wanted)

    assert lacks(Lacking(FakeBus())) == [name]


def test_a_method_that_is_no_method_is_named():
    imu = FakeImu(FakeBus())
    imu.intact = True
    assert lacks(imu) == ["intact"]


@pytest.mark.parametrize("name, wrong, message", [
    ("fifo_bytes", lambda self: 7, "7 % 12"),
    ("sound", lambda self, n, left: False, "sound"),
    ("intact", lambda self: False, "intact"),
    ("fingerprint", lambda self: "", "fingerprint"),
])  # fmt: skip
def test_a_driver_that_does_something_else_is_found(monkeypatch, name, wrong, message):
    monkeypatch.setattr(FakeImu, name, wrong)
    bus = FakeBus()
    with pytest.raises(AssertionError, match=message):
        hold_against(lambda **settings: FakeImu(bus, **settings), bus)
