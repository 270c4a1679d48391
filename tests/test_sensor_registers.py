"""The simulated MPU-6500 against the data sheet's tables, not against our driver."""

import struct

import numpy as np
import pytest

from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import Rest, Sines
from host_tools.simulator.sensor.variants import PARTS
from host_tools.units import GRAVITY
from tests.sensor_rig import Chip


def test_registers_after_a_reset():
    chip = Chip()
    reset = chip.read(0, 0x74) + b"\0"  # a burst over FIFO_R_W would stay there
    reset += chip.read(0x75, 0x0B)
    factory = {*range(0x00, 0x03), *range(0x0D, 0x10), *range(0x77, 0x7F)}
    for register in range(0x80):
        if register == 0x74 or register == 0x3A or 0x3B <= register <= 0x48:
            continue  # it samples
        if register in factory:
            continue
        assert reset[register] == {0x6B: 0x01, 0x75: 0x70}.get(register, 0), hex(register)
    assert all(reset[r] for r in (0x00, 0x01, 0x02, 0x0D, 0x0E, 0x0F))
    assert any(reset[0x77:0x7F])
    assert reset[0x79] == reset[0x7C] == 0  # these lie between the offset pairs


@pytest.mark.parametrize("answers", (True, False))
def test_reset_bit_restores_all_and_clears_itself(answers):
    """What the chip does on the bus meanwhile is not documented: both are offered."""
    chip = Chip(reset_us=3_000, reset_answers=answers)
    before = chip.read(0x00, 0x20)
    chip.write(0x19, 9, 3, 0x10, 0x10, 3)
    chip.write(0x6B, 0x80)
    if answers:
        assert chip.read(0x6B) & 0x80
        chip.write(0x19, 7)  # nobody listens
    else:
        with pytest.raises(OSError) as fault:
            chip.read(0x75)
        assert fault.value.errno == 19
    chip.wait(0.003)
    assert chip.read(0x6B) == 0x01
    assert chip.read(0x00, 0x20) == before


@pytest.mark.parametrize("name", list(PARTS))
def test_identities(name):
    chip = Chip(part=name)
    part = PARTS[name]
    assert chip.read(0x75) == part.who_am_i
    chip.write(0x75, 0x12)
    assert chip.read(0x75) == part.who_am_i
    assert chip.read(0x6B) == part.power_1_reset
    if part.power_1_reset & 0x40:  # asleep: it samples nothing until it is woken
        chip.wait(0.2)
        assert chip.words(0x3B, 3) == (0, 0, 0)
        chip.write(0x6B, 0x01)
    chip.wait(0.2)
    assert chip.words(0x3B, 3) == (0, 0, 16384)


def test_unknown_part_is_refused_by_name():
    with pytest.raises(ValueError, match="MPU6500"):
        SimulatedMPU6500(Rest(), part="MPU1")


@pytest.mark.parametrize("code, lsb", list(enumerate((16384, 8192, 4096, 2048))))
def test_accel_scale(code, lsb):
    chip = Chip(Rest((0.5, -0.25, 1.0)))
    chip.write(0x1C, code << 3)
    chip.wait(0.1)
    expected = (lsb // 2, -lsb // 4, lsb)
    assert chip.words(0x3B, 3) == expected


@pytest.mark.parametrize("code, lsb", list(enumerate((131, 65.5, 32.8, 16.4))))
def test_gyro_scale(code, lsb):
    chip = Chip(Rest(rate_dps=(100, -50, 7)))
    chip.write(0x1B, code << 3)
    chip.wait(0.1)
    assert chip.words(0x43, 3) == tuple(round(v * lsb) for v in (100, -50, 7))


def test_output_pins_at_the_end_of_the_range():
    chip = Chip(Rest((5, -5, 2), (999, -999, 250)))
    chip.wait(0.1)
    assert chip.words(0x3B, 3) == (32767, -32768, 32767)
    assert chip.words(0x43, 3) == (32767, -32768, 32750)


@pytest.mark.parametrize("celsius", (-40, 0, 21, 25, 85))
def test_temperature(celsius):
    chip = Chip(temperature_c=celsius)
    chip.wait(0.1)
    (raw,) = chip.words(0x41, 1)
    assert raw / 333.87 + 21 == pytest.approx(celsius, abs=0.002)
    old = Chip(part="MPU6050", temperature_c=celsius)
    old.write(0x6B, 0)
    old.wait(0.1)
    assert old.words(0x41, 1)[0] / 340 + 36.53 == pytest.approx(celsius, abs=0.002)


@pytest.mark.parametrize("ppm", (-10_000, 0, 10_000))
@pytest.mark.parametrize(
    "config, gyro_config, divider, rate_hz",
    [
        (3, 0, 9, 100),
        (1, 0, 0, 1000),
        (6, 0, 255, 3.90625),
        (2, 0x18, 19, 50),
        (0, 0, 9, 8000),  # the divider works with DLPF_CFG 1 to 6 only
        (7, 0, 9, 8000),
        (3, 1, 9, 32000),  # FCHOICE_B bypasses the filter
        (3, 2, 9, 32000),
    ],
)
def test_sample_rate(config, gyro_config, divider, rate_hz, ppm):
    chip = Chip(clock_error_ppm=ppm)
    chip.write(0x19, divider, config, gyro_config)
    first = chip.sensor.next_data_ready_us(chip.now_us)
    chip.now_us = first + 1
    chip.read(0x3A)
    count = 0
    for _ in range(20):
        due = chip.sensor.next_data_ready_us(chip.now_us)
        chip.now_us = due - 1
        assert chip.read(0x3A) == 0
        chip.now_us = due
        assert chip.read(0x3A) & 1
        count += 1
    measured = count / (chip.now_us - first) * 1e6
    # Times are whole microseconds here.
    assert measured == pytest.approx(rate_hz * (1 + ppm * 1e-6), rel=2.0 / (chip.now_us - first))


def test_a_burst_is_one_sample_and_single_addresses_advance():
    chip = Chip(Sines())
    chip.wait(0.5)
    burst = chip.read(0x3B, 14)
    singles = bytes(chip.read(0x3B + i) for i in range(14))
    assert burst == singles


def test_status_is_cleared_as_a_whole_by_reading_it():
    chip = Chip()
    chip.start_fifo()
    chip.wait(0.6)
    assert chip.read(0x3A) == 0x11
    assert chip.read(0x3A) == 0
    chip.wait(0.01)
    chip.read(0x3B, 6)
    assert chip.read(0x3A) == 0x11  # another read does not clear it


def test_any_read_clears_it_when_told_so():
    chip = Chip()
    chip.write(0x37, 0x10)
    chip.wait(0.01)
    chip.read(0x3B, 6)
    assert chip.read(0x3A) == 0


@pytest.mark.parametrize("needs", (False, True))
def test_status_without_its_enable(needs):
    chip = Chip(status_needs_enable=needs)
    chip.wait(0.01)
    assert chip.read(0x3A) == (0 if needs else 1)
    chip.write(0x38, 1)
    chip.wait(0.01)
    assert chip.read(0x3A) == 1


def test_interrupt_pin_pulses_for_50_us_or_is_latched():
    chip = Chip()
    chip.write(0x19, 9, 3)
    chip.write(0x38, 1)
    due = chip.sensor.next_data_ready_us(chip.now_us)
    levels = [chip.sensor.int_level(t) for t in (due - 1, due, due + 49, due + 51)]
    assert levels == [0, 1, 1, 0]
    chip.now_us = due + 60
    chip.write(0x37, 0x20)
    chip.read(0x3A)
    due = chip.sensor.next_data_ready_us(chip.now_us)
    assert [chip.sensor.int_level(t) for t in (due - 1, due, due + 5_000)] == [0, 1, 1]
    chip.now_us = due + 5_000
    chip.read(0x3A)
    assert chip.sensor.int_level(chip.now_us) == 0
    chip.write(0x37, 0xA0)
    assert chip.sensor.int_level(chip.now_us) == 1  # active low


def test_start_up_reads_zeros_first():
    chip = Chip(Rest((0, 0, 1), (50, 50, 50)))
    chip.write(0x6B, 0x40)
    chip.wait(0.1)
    chip.write(0x6B, 0x80)
    chip.wait(0.010)
    assert chip.words(0x3B, 3) == (0, 0, 0)
    chip.wait(0.015)
    assert chip.words(0x3B, 3) == (0, 0, 16384)  # accelerometer after 20 ms
    assert chip.words(0x43, 3) == (0, 0, 0)
    chip.wait(0.015)
    assert chip.words(0x43, 3) == (6550, 6550, 6550)  # gyroscope after 35 ms


def test_sleep_stops_the_samples_and_keeps_the_registers():
    chip = Chip(Sines())
    chip.write(0x19, 9, 3)
    chip.wait(0.1)
    chip.write(0x6B, 0x41)
    held = chip.read(0x3B, 14)
    assert chip.sensor.next_data_ready_us(chip.now_us) is None
    chip.wait(1)
    assert chip.read(0x3B, 14) == held
    assert chip.read(0x19) == 9


def test_clksel_7_stops_the_clock():
    chip = Chip()
    chip.write(0x6B, 0x07)
    assert chip.sensor.next_data_ready_us(chip.now_us) is None


def test_axes_in_standby_hold_while_the_fifo_goes_on():
    chip = Chip(Sines())
    chip.wait(0.1)
    chip.write(0x6C, 0x07)
    held = chip.words(0x43, 3)
    chip.start_fifo()
    chip.wait(0.1)
    assert chip.words(0x43, 3) == held
    frame = struct.unpack(">6h", chip.read(0x74, 12))
    assert frame[3:] == held and frame[:3] != (0, 0, 0)


def test_temperature_sensor_off_holds():
    chip = Chip(temperature_c=30)
    chip.wait(0.1)
    held = chip.words(0x41, 1)
    chip.write(0x6B, 0x09)
    chip.sensor.temperature_c = 50
    chip.wait(0.1)
    assert chip.words(0x41, 1) == held


@pytest.mark.parametrize("fs", range(4))
def test_self_test_answers_what_the_factory_noted(fs):
    chip = Chip(Rest((0, 0, 0)), self_test_ratio=(0.9, 1.1))
    chip.write(0x1B, fs << 3, fs << 3)
    chip.wait(0.1)
    chip.write(0x1B, 0xE0 | fs << 3, 0xE0 | fs << 3)
    chip.wait(0.1)
    accel, gyro = chip.words(0x3B, 3), chip.words(0x43, 3)
    for axis in range(3):
        otp = 2620 / 2**fs * 1.01 ** (chip.read(axis) - 1)
        assert gyro[axis] == pytest.approx(0.9 * otp, abs=1)
        otp = 2620 / 2**fs * 1.01 ** (chip.read(0x0D + axis) - 1)
        assert accel[axis] == pytest.approx(1.1 * otp, abs=1)


def test_offset_registers_in_their_units():
    chip = Chip(Rest((0, 0, 0)))
    chip.write(0x13, *struct.pack(">3h", 328, -164, 0))  # 32.8 LSB a deg/s at any range
    for axis, register in enumerate((0x77, 0x7A, 0x7D)):
        (trim,) = struct.unpack(">h", chip.read(register, 2))
        # 2048 LSB a g at any range, bit 0 is reserved
        chip.write(register, *struct.pack(">h", trim + 512 * axis))
    chip.wait(0.1)
    assert chip.words(0x43, 3) == (1310, -655, 0)
    assert chip.words(0x3B, 3) == (0, 4096, 8192)


def test_unknown_addresses_answer_zero_and_outputs_cannot_be_written():
    chip = Chip()
    for register in (0x03, 0x20, 0x50, 0x62, 0x79):
        assert chip.read(register) == 0
    chip.write(0x3B, 1, 2, 3)
    chip.write(0x72, 9)
    chip.wait(0.1)
    assert chip.words(0x3B, 3) == (0, 0, 16384)
    assert chip.fifo_count() == 0


def test_spi_reads_and_writes_with_the_top_bit():
    chip = Chip(Sines())
    spi = chip.sensor.spi
    assert spi(b"\xf5\0", True, chip.now_us) == b"\0\x70"
    spi(b"\x19\x09\x03", True, chip.now_us)
    assert chip.read(0x19, 2) == b"\x09\x03"
    chip.wait(0.1)
    # Address and data in two calls while nCS stays low, as a driver does it.
    spi(bytes((0x3B | 0x80,)), True, chip.now_us)
    assert spi(bytes(14), False, chip.now_us) == chip.read(0x3B, 14)
    chip.start_fifo()
    chip.wait(0.1)
    spi(b"\xf4", True, chip.now_us)
    first = spi(bytes(12), False, chip.now_us)
    assert first + spi(bytes(12), False, chip.now_us) != first * 2
    assert chip.fifo_count() == 120 - 24


def test_low_power_rates_and_wake_on_motion():
    rates = (0.24, 0.49, 0.98, 1.95, 3.91, 7.81, 15.63, 31.25, 62.5, 125, 250, 500)
    for code, rate_hz in enumerate(rates):
        chip = Chip()
        chip.write(0x6C, 0x07)
        chip.write(0x1E, code)
        chip.write(0x6B, 0x20)
        due = chip.sensor.next_data_ready_us(chip.now_us)
        assert due - chip.now_us == pytest.approx(1e6 / rate_hz, abs=1.5)


class Step:
    """Still, then `step_g` more on x from `at_s` on."""

    filtered = False
    duration_s = None

    def __init__(self, step_g, at_s):
        self.step_g, self.at_s = step_g, at_s

    def sample(self, t_s):
        out = np.zeros((len(t_s), 6))
        out[:, 2] = GRAVITY
        out[:, 0] = np.where(t_s >= self.at_s, self.step_g * GRAVITY, 0)
        return out


@pytest.mark.parametrize("step_mg, fires", ((80, False), (120, True), (-120, True)))
def test_wake_on_motion_compares_with_the_sample_before(step_mg, fires):
    chip = Chip(Step(step_mg / 1000, 2.0))
    chip.start_fifo()  # the movement begins with the first frame
    chip.wait(0.5)
    for register, value in ((0x6C, 7), (0x1D, 1), (0x38, 0x40), (0x69, 0xC0), (0x1F, 25)):
        chip.write(register, value)
    chip.write(0x37, 0x20)
    chip.write(0x1E, 7)
    chip.write(0x6B, 0x20)
    chip.wait(1)
    assert chip.sensor.int_level(chip.now_us) == 0
    chip.wait(1)
    assert chip.sensor.int_level(chip.now_us) == int(fires)
    assert bool(chip.read(0x3A) & 0x40) == fires
    chip.wait(1)  # it lies still in its new place
    assert not chip.read(0x3A) & 0x40


@pytest.mark.parametrize(
    "part, thresholds",
    [("ICM20608G", {0x1F: 25}), ("ICM20602", {0x20: 25, 0x21: 255, 0x22: 255})],
)
def test_wake_on_motion_of_an_icm_206xx_names_the_axis(part, thresholds):
    """Linux inv_mpu6050: INT_ENABLE and INT_STATUS have bits 7 to 5 for x, y, z."""
    chip = Chip(Step(0.12, 2.0), part=part)
    chip.write(0x6B, 0x01)
    chip.start_fifo()
    chip.wait(0.5)
    settings = {0x6C: 7, 0x1D: 1, 0x38: 0xE0, 0x69: 0xC0, **thresholds, 0x37: 0x20, 0x1E: 7}
    for register, value in settings.items():
        chip.write(register, value)
    chip.write(0x6B, 0x20)
    chip.read(0x3A)
    chip.wait(1)
    assert chip.sensor.int_level(chip.now_us) == 0
    chip.wait(1)
    assert chip.sensor.int_level(chip.now_us) == 1
    assert chip.read(0x3A) & 0xE0 == 0x80


@pytest.mark.parametrize("name", ("ICM20600", "ICM20602", "ICM20609", "ICM20689", "ICM20690"))
def test_low_power_rate_of_newer_parts_is_the_dividers(name):
    chip = Chip(part=name)
    for register, value in ((0x6B, 0x01), (0x6C, 0x07), (0x19, 19), (0x1E, 11), (0x6B, 0x20)):
        chip.write(register, value)
    due = chip.sensor.next_data_ready_us(chip.now_us)
    assert due - chip.now_us == pytest.approx(20_000, abs=1.5)


@pytest.mark.parametrize("code, lsb", list(enumerate((131, 65.5, 32.8, 16.4))))
def test_gyro_range_of_the_icm_20690_lies_one_bit_lower(code, lsb):
    chip = Chip(Rest(rate_dps=(100, -50, 7)), part="ICM20690")
    chip.write(0x6B, 0x01)
    chip.write(0x1B, code << 2)
    chip.wait(0.1)
    assert chip.words(0x43, 3) == tuple(round(v * lsb) for v in (100, -50, 7))


@pytest.mark.parametrize("name", ("ICM20600", "ICM20602", "MPU6886"))
def test_fifo_frames_that_always_hold_the_temperature(name):
    chip = Chip(Rest((0, 0, 1), (10, 0, 0)), part=name, temperature_c=35)
    chip.write(0x6B, 0x01)
    chip.start_fifo(mask=0xF8)
    assert chip.read(0x23) == 0x18  # one bit a sensor
    chip.wait(0.1)
    assert chip.fifo_count() == 140
    assert struct.unpack(">7h", chip.read(0x74, 14)) == (0, 0, 16384, 3268, 1310, 0, 0)
