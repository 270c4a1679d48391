"""The driver on a sensor made of a bytearray: what it writes, reads and refuses."""
from array import array

import micropython

from drivers.mpu6500 import MPU6500


class FakeI2C:
    """128 registers, a FIFO, a list of writes; reset and self-clearing bits as on the chip."""

    def __init__(self, who_am_i=0x70, power=0x01):
        self.registers = bytearray(128)
        self.who_am_i = who_am_i
        self.power = power
        self.writes = []
        self.fifo = bytearray()
        self.fault = None
        self.stuck = {}  # register: value that it keeps whatever is written
        self.reset()

    def reset(self):
        for i in range(128):
            self.registers[i] = 0
        self.registers[0x6B] = self.power
        self.registers[0x75] = self.who_am_i
        self.fifo = bytearray()

    def readfrom_mem_into(self, address, register, buffer):
        self.check(address)
        for i in range(len(buffer)):
            at = register if register == 0x74 else register + i
            if at == 0x74:  # an empty FIFO gives its last byte again
                buffer[i] = self.fifo[min(i, len(self.fifo) - 1)] if self.fifo else 0
            elif at == 0x72:
                buffer[i] = len(self.fifo) >> 8
            elif at == 0x73:
                buffer[i] = len(self.fifo) & 0xFF
            else:
                buffer[i] = self.stuck.get(at, self.registers[at])
        if register == 0x74:
            self.fifo = self.fifo[len(buffer) :]

    def writeto_mem(self, address, register, buffer):
        self.check(address)
        for i in range(len(buffer)):
            value = buffer[i]
            self.writes.append((register + i, value))
            if register + i == 0x6B and value & 0x80:
                self.reset()
                return
            if register + i == 0x6A:
                if value & 4:
                    self.fifo = bytearray()
                value &= 0xF0
            self.registers[register + i] = value

    def check(self, address):
        if address != 0x68:
            raise OSError(19)
        if self.fault:
            raise OSError(self.fault)


def brought_up(bus=None, **options):
    bus = bus or FakeI2C()
    imu = MPU6500(bus, **options)
    waits = list(imu.bring_up())
    assert sum(waits) >= 300 and max(waits) <= 110
    return bus, imu


def error_of(kind, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind as e:
        return str(e)
    raise AssertionError("no %s" % kind)


# RM register 25 and page 14: what a rate needs
RATES = (  # asked, divider, DLPF code, rate
    (1000, 0, 1, 1000),
    (500, 1, 1, 500),
    (333, 2, 2, 1000 / 3),
    (200, 4, 2, 200),
    (100, 9, 3, 100),
    (50, 19, 4, 50),
    (25, 39, 5, 25),
    (10, 99, 6, 10),
    (4, 249, 6, 4),
)


def test_rates_and_filters_as_the_register_map_has_them():
    for asked, divider, code, rate in RATES:
        bus, imu = brought_up(rate_hz=asked)
        assert bus.registers[0x19] == divider
        assert bus.registers[0x1A] & 7 == code
        assert bus.registers[0x1D] == code
        assert abs(imu.rate_hz - rate) < 1e-4
        assert imu.period_us == 1000 * (divider + 1)
        # Half the rate at most, where there is such a filter; the divider needs 1 to 6.
        assert imu.bandwidth_hz <= max(5, imu.rate_hz / 2)


def test_a_bandwidth_can_be_asked_for():
    bus, imu = brought_up(rate_hz=1000, bandwidth_hz=92)
    assert bus.registers[0x1A] & 7 == bus.registers[0x1D] == 2
    assert imu.bandwidth_hz == 92


def test_ranges():
    for code in range(4):
        bus, imu = brought_up(accel_g=(2, 4, 8, 16)[code], gyro_dps=(250, 500, 1000, 2000)[code])
        assert bus.registers[0x1C] == code << 3
        assert bus.registers[0x1B] == code << 3
        assert imu.accel_lsb_per_g == (16384, 8192, 4096, 2048)[code]
        assert imu.gyro_lsb_per_10_dps == (1310, 655, 328, 164)[code]


def test_refuses_what_cannot_be_and_says_what_can():
    bus = FakeI2C()
    for name, bad, allowed in (
        ("accel_g", 3, "2, 4, 8 or 16"),
        ("accel_g", "4", "2, 4, 8 or 16"),
        ("gyro_dps", 300, "250, 500, 1000 or 2000"),
        ("rate_hz", 3, "from 4 to 1000"),
        ("rate_hz", 1001, "from 4 to 1000"),
        ("rate_hz", "100", "from 4 to 1000"),
        ("bandwidth_hz", 42, "41"),
        ("address", 0x67, "0x68 or 0x69"),
    ):
        text = error_of(ValueError, MPU6500, bus, **{name: bad})
        assert name in text and allowed in text and repr(bad) in text, text
    assert not bus.writes


def test_reset_first_then_awake_with_the_pll():
    bus, imu = brought_up()
    assert bus.writes[0] == (0x6B, 0x80)
    assert (0x6B, 0x01) in bus.writes
    assert (0x6B, 0x00) not in bus.writes  # would be the oscillator with +-10 %
    assert str(imu) == "MPU6500 at 0x68"


def test_nothing_there_and_nothing_sensible_there():
    bus = FakeI2C()
    imu = MPU6500(bus, address=0x69)
    assert "19" in error_of(OSError, list, imu.bring_up())
    for value in (0x00, 0xFF):
        text = error_of(OSError, list, MPU6500(FakeI2C(who_am_i=value)).bring_up())
        assert "no sensor at 0x68" in text


def test_a_register_that_does_not_keep_its_value_is_named():
    bus = FakeI2C()
    bus.stuck[0x1C] = 0x00
    text = error_of(OSError, list, MPU6500(bus, accel_g=8).bring_up())
    assert "0x1c" in text and "0x10" in text and "0x00" in text


def test_a_chip_that_stays_in_its_reset():
    bus = FakeI2C()
    bus.stuck[0x6B] = 0x80
    assert "reset" in error_of(OSError, list, MPU6500(bus).bring_up())


def test_the_family_and_its_differences():
    for identity, name, size, stops, power in (
        (0x70, "MPU6500", 512, True, 0x01),
        (0x71, "MPU9250", 512, True, 0x01),
        (0x74, "MPU6515", 512, True, 0x01),
        (0x78, "MPU6880", 4096, True, 0x01),
        (0x68, "MPU6050", 1024, False, 0x40),
        (0x19, "MPU6886", 512, True, 0x41),
        (0x12, "ICM20602", 1008, True, 0x41),
        (0x98, "ICM20689", 512, True, 0x40),
    ):
        bus, imu = brought_up(FakeI2C(identity, power))
        assert (imu.identity, imu.name, imu.fifo_size, imu.fifo_stops) == (
            identity, name, size, stops)
        assert not imu.warning
        assert bool(bus.registers[0x1A] & 0x40) == stops
        if identity == 0x68:  # 0x1D is a free-fall threshold there
            assert 0x1D not in [r for r, _ in bus.writes]


def test_an_unknown_identity_is_named_and_probed():
    for power, kind in ((0x01, "MPU6500"), (0x40, "MPU6050"), (0x41, "ICM206xx")):
        bus, imu = brought_up(FakeI2C(0x5A, power))
        assert "0x5a" in imu.warning and kind in imu.warning
        assert imu.fifo_stops == (kind != "MPU6050")
    bus = FakeI2C(0x5A)
    bus.stuck[0x1A] = 0x03  # a part without the stop mode
    bus, imu = brought_up(bus)
    assert not imu.fifo_stops


def test_temperature_formula_of_each_kind():
    for identity, power, raw, centi in (
        (0x70, 1, 0, 2100),
        (0x70, 1, 3339, 3100),
        (0x70, 1, -10016, -900),
        (0x68, 0x40, 0, 3653),
        (0x68, 0x40, -3920, 2500),
        (0x12, 0x41, 0, 2500),
        (0x12, 0x41, 3268, 3500),
    ):
        bus, imu = brought_up(FakeI2C(identity, power))
        bus.registers[0x41] = raw >> 8 & 0xFF
        bus.registers[0x42] = raw & 0xFF
        assert abs(imu.centi_c() - centi) <= 1


def test_read_into_is_one_burst_with_signs():
    bus, imu = brought_up()
    raw = b"\x7f\xff\x80\x00\xff\xff\x12\x34\x00\x01\x01\x00\xfe\x00"
    for i in range(14):
        bus.registers[0x3B + i] = raw[i]
    row = array("h", bytes(12))
    imu.read_into(row)
    assert list(row) == [32767, -32768, -1, 1, 256, -512]


def test_fifo_starts_in_the_order_that_is_safe():
    bus, imu = brought_up()
    del bus.writes[:]
    imu.start_fifo()
    assert bus.writes == [
        (0x38, 0x00),
        (0x23, 0x00),
        (0x6A, 0x00),
        (0x6A, 0x04),  # never together with FIFO_EN
        (0x6A, 0x40),
        (0x23, 0x78),
        (0x38, 0x11),
    ]


def test_start_fifo_notices_settings_that_are_gone():
    bus, imu = brought_up()
    bus.registers[0x1B] = 0
    assert "settings" in error_of(OSError, imu.start_fifo)


def fill(bus, imu, frames):
    """Put n different frames into the FIFO, the last one into the output registers."""
    for k in range(frames):
        frame = bytes((7 * k + i * 31 + 1) & 0xFF for i in range(12))
        bus.fifo += frame
    for i in range(6):
        bus.registers[0x3B + i] = frame[i]
        bus.registers[0x43 + i] = frame[6 + i]


def test_frames_come_as_they_lie_in_the_fifo():
    bus, imu = brought_up()
    imu.start_fifo()
    fill(bus, imu, 5)
    whole = bytes(bus.fifo)
    assert imu.fifo_bytes() == 60
    imu.read_fifo(3, 24)
    assert bytes(imu.frames[:36]) == whole[:36]
    assert imu.sound(3, 24)
    imu.read_fifo(2, 0)
    assert bytes(imu.frames[:24]) == whole[36:]
    assert imu.sound(2, 0)


def nothing(bus):
    pass


def believed(before=nothing, after=nothing, n=2, left=0):
    """Whether n frames are, with something happening before and after they are read."""
    bus, imu = brought_up()
    imu.start_fifo()
    fill(bus, imu, n)
    before(bus)
    imu.read_fifo(n, left)
    after(bus)
    return imu.sound(n, left)


def next_sample(bus):
    bus.registers[0x44] += 1
    bus.fifo += bytes(bus.registers[0x3B:0x41]) + bytes(bus.registers[0x43:0x49])


def slip(n):
    def change(bus):
        bus.fifo = bus.fifo[n:]

    return change


def both(first, second):
    def change(bus):
        first(bus)
        second(bus)

    return change


def test_settings_that_changed_make_a_read_doubtful():
    def reset(bus):
        bus.reset()

    def asleep(bus):
        bus.registers[0x6B] = 0x41

    def another_range(bus):
        bus.registers[0x1B] ^= 0x08

    def another_frame_size(bus):
        bus.registers[0x23] = 0xF8

    assert believed()
    for change in (reset, asleep, another_range, another_frame_size):
        assert not believed(after=change), change
        assert not believed(before=change), change


def test_bytes_that_slipped_make_a_read_doubtful():
    for n in (1, 5, 6, 11, 12, 13, 23):
        assert not believed(slip(n)), n
        # A sample that comes meanwhile hides nothing, whenever it comes.
        assert not believed(slip(n), next_sample), n
        if n != 12:  # a whole frame's loss shows in the sample clock
            assert not believed(both(next_sample, slip(n))), n
    assert not believed(left=12)  # a frame is missing


def test_samples_that_come_meanwhile_do_not():
    assert believed(next_sample)
    assert believed(nothing, next_sample)
    assert believed(next_sample, next_sample)
    assert believed(nothing, both(next_sample, next_sample))
    assert believed(next_sample, next_sample, n=1, left=12)


def test_frames_left_behind_are_whole_ones():
    def add(n):
        def change(bus):
            bus.fifo += bytes(n)

        return change

    assert believed(after=add(24), left=12)
    assert not believed(after=add(17), left=12)
    assert believed(left=-1)  # after an overflow nothing can be said


def test_frames_with_the_temperature_lose_it():
    bus, imu = brought_up(FakeI2C(0x12, 0x41))
    imu.start_fifo()
    assert bus.registers[0x23] == 0x18 and imu.fifo_frame == 14
    frames = [bytes((20 * k + i) & 0xFF for i in range(14)) for k in range(8)]
    for n in range(1, 9):
        bus.fifo = bytearray(b"".join(frames[:n]))
        imu.read_fifo(n)
        wanted = b"".join(frame[:6] + frame[8:] for frame in frames[:n])
        assert bytes(imu.frames[: 12 * n]) == wanted
    bus.fifo = bytearray(b"".join(frames))
    for i in range(14):
        bus.registers[0x3B + i] = frames[7][i]
    imu.read_fifo(3, 70)
    assert imu.sound(3, 70)
    imu.read_fifo(5, 0)
    assert imu.sound(5, 0)
    bus.fifo = bytearray(b"".join(frames)[2:])
    imu.read_fifo(8, 0)
    assert not imu.sound(8, 0)


def test_another_part_may_take_its_place():
    bus, imu = brought_up(FakeI2C(0x12, 0x41))
    bus.who_am_i, bus.power = 0x70, 0x01
    bus.reset()
    for _ in imu.bring_up():
        pass
    imu.start_fifo()
    fill(bus, imu, 2)
    assert imu.fifo_frame == 12 and bus.registers[0x23] == 0x78
    imu.read_fifo(2, 0)
    assert imu.sound(2, 0)


def test_registers_that_show_a_sample_later_than_the_fifo():
    kept = []

    def behind(bus):
        kept.append(bus.registers[0x44])
        bus.registers[0x44] ^= 0x55

    def caught_up(bus):
        bus.registers[0x44] = kept[-1]

    assert believed(behind, caught_up)


def test_intact():
    bus, imu = brought_up()
    assert imu.intact()
    bus.registers[0x19] = 0
    assert not imu.intact()
    bus, imu = brought_up()
    bus.reset()
    assert not imu.intact()
    bus.who_am_i = 0x71
    bus.reset()
    assert not imu.intact()


def test_bus_errors_pass_through():
    bus, imu = brought_up()
    bus.fault = 116
    for call in (imu.fifo_bytes, imu.intact, imu.start_fifo, imu.centi_c):
        assert "116" in error_of(OSError, call)


def test_an_spi_bus_keeps_its_i2c_interface_off():
    bus = FakeI2C()
    bus.USER_CTRL = 0x10
    bus, imu = brought_up(bus)
    imu.start_fifo()
    assert bus.registers[0x6A] == 0x50
    assert all(value & 0x10 for register, value in bus.writes if register == 0x6A)
    fill(bus, imu, 1)
    imu.read_fifo(1, 0)
    assert imu.sound(1, 0)


def test_draining_allocates_nothing():
    class Silent:
        """As FakeI2C, but itself without allocation."""

        count = 12

        def readfrom_mem_into(self, address, register, buffer):
            if register == 0x72:
                buffer[0] = 0
                buffer[1] = self.count

    bus, imu = brought_up()
    imu.start_fifo()
    fill(bus, imu, 1)
    row = array("h", bytes(12))
    imu.read_fifo(1, 0)
    assert imu.sound(1, 0)
    imu.bus = Silent()
    micropython.heap_lock()
    try:
        for _ in range(3):
            imu.fifo_bytes()
            imu.read_fifo(8, 12)
            imu.sound(8, 12)
            imu.read_fifo(8, 0)
            imu.sound(8, 0)
            imu.read_into(row)
    finally:
        micropython.heap_unlock()
    assert imu.fifo_bytes() == 12
