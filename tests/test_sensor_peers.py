"""Other people's drivers on the simulated sensor: what they read is what it feels.

They are fetched once, into the cache and without what they depend on: no bus of theirs is
needed, and some of it would not install everywhere. None of their code lies here. They know
nothing of our model of the chip, so this is a test of its truth.
"""

import importlib
import os
import struct
import subprocess
import sys
import time
import types

import pytest

from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import Rest
from host_tools.simulator.sensor.signal_chain import PartErrors
from host_tools.toolchain.cache import cached
from host_tools.units import GRAVITY
from tests.sensor_rig import Bus

PEERS = (
    "mpu6050-raspberrypi==1.2",
    "mpu9250-jmdev==1.0.12",
    "micropython-mpu9250==0.4.0",
    "adafruit-circuitpython-mpu6050==1.3.9",
    "adafruit-circuitpython-busdevice==5.2.17",
    "adafruit-circuitpython-register==1.13.0",
    "adafruit-circuitpython-typing==1.13.0",
)
ACCEL_G = (0.3, -0.2, 0.9)
RATE_DPS = (20.0, -35.0, 110.0)


class Wires:
    """One bus in the shapes that drivers expect: smbus, CircuitPython's, MicroPython's."""

    def __init__(self, sensor):
        self.bus = Bus(sensor)
        self.bus.wait_ms(100)

    def sleep(self, seconds):
        self.bus.wait_ms(1000 * seconds)

    # smbus
    def write_byte_data(self, address, register, value):
        self.bus.writeto_mem(address, register, bytes((value,)))

    def read_byte_data(self, address, register):
        return self.read_i2c_block_data(address, register, 1)[0]

    def read_i2c_block_data(self, address, register, length):
        buffer = bytearray(length)
        self.bus.readfrom_mem_into(address, register, buffer)
        return list(buffer)

    # machine.I2C
    def readfrom_mem_into(self, address, register, buffer):
        self.bus.readfrom_mem_into(address, register, buffer)

    def writeto_mem(self, address, register, buffer):
        self.bus.writeto_mem(address, register, buffer)

    # busio.I2C
    def try_lock(self):
        return True

    def unlock(self):
        pass

    def writeto(self, address, buffer, *, start=0, end=None):
        data = bytes(buffer)[start:end]
        self.bus.writeto_mem(address, data[0] if data else 0, data[1:])

    def writeto_then_readfrom(
        self, address, out, into, *, out_start=0, out_end=None, in_start=0, in_end=None
    ):
        register = bytes(out)[out_start:out_end][0]
        part = memoryview(into)[in_start:in_end]
        part[:] = bytes(self.read_i2c_block_data(address, register, len(part)))


@pytest.fixture(scope="module")
def peers():
    """The folder that their modules lie in; skips where they can neither be found nor fetched."""

    def fetch(work):
        subprocess.run(
            [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet",
             "--no-deps", "--target", str(work), *PEERS],
            check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    try:
        return str(cached("peers-2", fetch))
    except subprocess.SubprocessError as fault:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"other people's drivers cannot be fetched: {fault}")


@pytest.fixture
def fresh(monkeypatch, peers):
    """Import a driver again, so that it meets the modules that were put in place."""

    def load(name):
        for known in [m for m in sys.modules if m == name or m.startswith(name + ".")]:
            monkeypatch.delitem(sys.modules, known)
        monkeypatch.syspath_prepend(peers)
        module = importlib.import_module(name)
        assert module.__file__.startswith(peers)
        return module

    return load


def sensor_of(part, **options):
    options.setdefault("errors", PartErrors())
    return SimulatedMPU6500(Rest(ACCEL_G, RATE_DPS), part=part, **options)


def test_mpu6050_raspberrypi(monkeypatch, fresh):
    wires = Wires(sensor_of("MPU6050", temperature_c=31))
    smbus = types.ModuleType("smbus")
    smbus.SMBus = lambda bus: wires
    monkeypatch.setitem(sys.modules, "smbus", smbus)
    driver = fresh("mpu6050").mpu6050
    chip = driver(0x68)
    wires.sleep(0.1)
    for accel_range, gyro_range in ((0x00, 0x00), (0x08, 0x08), (0x10, 0x10), (0x18, 0x18)):
        chip.set_accel_range(accel_range)
        chip.set_gyro_range(gyro_range)
        wires.sleep(0.1)
        accel = chip.get_accel_data(g=True)
        gyro = chip.get_gyro_data()
        assert [accel[a] for a in "xyz"] == pytest.approx(ACCEL_G, abs=0.002)
        assert [gyro[a] for a in "xyz"] == pytest.approx(RATE_DPS, abs=0.1)
    assert chip.read_accel_range() == 16 and chip.read_gyro_range() == 2000
    assert chip.get_temp() == pytest.approx(31, abs=0.01)


def jmdev(monkeypatch, fresh, sensor):
    wires = Wires(sensor)
    smbus2 = types.ModuleType("smbus2")
    smbus2.SMBus = lambda bus: wires
    monkeypatch.setitem(sys.modules, "smbus2", smbus2)
    driver = fresh("mpu9250_jmdev.mpu_9250")
    monkeypatch.setattr(driver.time, "sleep", wires.sleep)
    return wires, driver


def test_mpu9250_jmdev(monkeypatch, fresh):
    wires, driver = jmdev(monkeypatch, fresh, sensor_of("MPU6500", temperature_c=27))
    chip = driver.MPU9250(gfs=driver.GFS_500, afs=driver.AFS_4G)
    chip.configureMPU6500(chip.gfs, chip.afs)
    wires.sleep(0.1)
    assert chip.readAccelerometerMaster() == pytest.approx(ACCEL_G, abs=0.001)
    assert chip.readGyroscopeMaster() == pytest.approx(RATE_DPS, abs=0.1)
    assert chip.readTemperatureMaster() == pytest.approx(27, abs=0.05)


def test_mpu9250_jmdev_calibrates_through_the_fifo(monkeypatch, fresh):
    errors = PartErrors(
        gyro_bias_dps=(3.0, -2.0, 0.5), accel_bias_g=(0.05, -0.03, 0.02), noise=1.0
    )
    sensor = SimulatedMPU6500(Rest(), errors=errors)
    wires, driver = jmdev(monkeypatch, fresh, sensor)
    chip = driver.MPU9250()
    chip.calibrateMPU6500()
    assert 35 <= sensor.frames_latched <= 42  # 40 ms at 1 kHz
    assert chip.gbias == pytest.approx([3.0, -2.0, 0.5], abs=0.2)
    assert chip.abias == pytest.approx([0.05, -0.03, 0.02], abs=0.005)


def pack_into(layout, buffer, offset, value):
    """As MicroPython does it: "<b" takes 0x80, of which it keeps the bits."""
    size = struct.calcsize(layout)
    value &= (1 << 8 * size) - 1
    buffer[offset : offset + size] = value.to_bytes(size, "big" if layout[0] == ">" else "little")


def micropython_modules(monkeypatch, wires):
    machine = types.ModuleType("machine")
    machine.I2C = machine.Pin = object
    utime = types.ModuleType("utime")
    utime.sleep_ms = lambda ms: wires.sleep(ms / 1000)
    monkeypatch.setitem(sys.modules, "machine", machine)
    monkeypatch.setitem(sys.modules, "utime", utime)
    ustruct = types.ModuleType("ustruct")
    ustruct.unpack = struct.unpack
    ustruct.pack_into = pack_into
    monkeypatch.setitem(sys.modules, "ustruct", ustruct)


@pytest.mark.parametrize("part", ("MPU6500", "MPU9250"))
def test_micropython_mpu9250(monkeypatch, fresh, part):
    wires = Wires(sensor_of(part, temperature_c=27))
    micropython_modules(monkeypatch, wires)
    driver = fresh("mpu6500")
    for accel_fs, gyro_fs in (
        (driver.ACCEL_FS_SEL_2G, driver.GYRO_FS_SEL_250DPS),
        (driver.ACCEL_FS_SEL_4G, driver.GYRO_FS_SEL_500DPS),
        (driver.ACCEL_FS_SEL_8G, driver.GYRO_FS_SEL_1000DPS),
        (driver.ACCEL_FS_SEL_16G, driver.GYRO_FS_SEL_2000DPS),
    ):
        chip = driver.MPU6500(wires, accel_fs=accel_fs, gyro_fs=gyro_fs, gyro_sf=1)
        wires.sleep(0.1)
        assert chip.acceleration == pytest.approx([g * GRAVITY for g in ACCEL_G], abs=0.01)
        # Its divisor for 500 deg/s is 62.5 where the data sheet has 65.5: 4.8 % too much.
        off = 65.5 / 62.5 if gyro_fs == driver.GYRO_FS_SEL_500DPS else 1
        assert chip.gyro == pytest.approx([off * v for v in RATE_DPS], abs=0.1)
    assert chip.temperature == pytest.approx(27, abs=0.1)


def test_micropython_mpu9250_refuses_another_part(monkeypatch, fresh):
    wires = Wires(sensor_of("MPU6050"))
    micropython_modules(monkeypatch, wires)
    driver = fresh("mpu6500")
    with pytest.raises(RuntimeError, match="not found"):
        driver.MPU6500(wires)


def test_adafruit_circuitpython_mpu6050(monkeypatch, fresh):
    wires = Wires(sensor_of("MPU6050", temperature_c=27))
    monkeypatch.setattr(time, "sleep", wires.sleep)
    for name, kinds in (
        ("busio", ("I2C", "SPI")),
        ("digitalio", ("DigitalInOut",)),
    ):
        module = types.ModuleType(name)  # for annotations only
        for kind in kinds:
            setattr(module, kind, object)
        monkeypatch.setitem(sys.modules, name, module)
    for helper in ("adafruit_bus_device", "adafruit_register"):
        fresh(helper)
    driver = fresh("adafruit_mpu6050")
    chip = driver.MPU6050(wires)
    wires.sleep(0.1)
    for accel_range in range(4):
        chip.accelerometer_range = accel_range
        chip.gyro_range = accel_range
        wires.sleep(0.1)
        assert chip.acceleration == pytest.approx([g * GRAVITY for g in ACCEL_G], abs=0.01)
        # rad/s
        assert chip.gyro == pytest.approx([v * 0.0174533 for v in RATE_DPS], abs=0.002)
    assert chip.temperature == pytest.approx(27, abs=0.05)
    chip.filter_bandwidth = 3
    chip.sample_rate_divisor = 9
    chip.accel_fifo_en = True
    chip.fifo_en = True
    wires.sleep(0.2)
    raw = chip.read_whole_fifo()
    assert 110 <= len(raw) <= 126 and len(raw) % 6 == 0  # 20 frames of the accelerometer
    expected = [round(g * 2048) for g in ACCEL_G]
    assert struct.unpack(">3h", raw[:6]) == pytest.approx(expected, abs=1)
