"""MPU-6500 accelerometer and gyroscope, through its FIFO, on I2C or SPI.

    imu = MPU6500(I2C(0, scl=Pin(22), sda=Pin(21)), accel_g=8, gyro_dps=1000, rate_hz=100)
    for wait_ms in imu.bring_up():      # a task awaits instead of sleeping
        time.sleep_ms(wait_ms)
    imu.start_fifo()
    ...
    imu.read_fifo(imu.fifo_bytes() // imu.fifo_frame)

The bus is handed in: any object with readfrom_mem_into(address, register,
buffer) and writeto_mem(address, register, buffer). Nothing here waits.

RM is the register map RM-MPU-6500A-00 rev 2.1, PS the product specification
PS-MPU-6500A-01 rev 1.3.
"""
import errno
import sys

import micropython
from micropython import const

from drivers.mpu_family import ICM20602, MPU6050
from drivers.mpu_family import MPU6500 as _MPU6500
from ops.lazy import forget

_SMPLRT_DIV = const(0x19)
_CONFIG = const(0x1A)
_GYRO_CONFIG = const(0x1B)
_ACCEL_CONFIG = const(0x1C)
_ACCEL_CONFIG2 = const(0x1D)
_FIFO_EN = const(0x23)
_INT_PIN_CFG = const(0x37)
_INT_ENABLE = const(0x38)
_INT_STATUS = const(0x3A)
_ACCEL_XOUT_H = const(0x3B)
_TEMP_OUT_H = const(0x41)
_USER_CTRL = const(0x6A)
_PWR_MGMT_1 = const(0x6B)
_PWR_MGMT_2 = const(0x6C)
_FIFO_COUNT_H = const(0x72)
_FIFO_R_W = const(0x74)
_WHO_AM_I = const(0x75)

_ACCEL_RANGES_G = (2, 4, 8, 16)  # index is AFS_SEL, RM register 28
_GYRO_RANGES_DPS = (250, 500, 1000, 2000)  # index is FS_SEL, RM register 27
_ACCEL_LSB_PER_G = (16384, 8192, 4096, 2048)  # PS table 2
_GYRO_LSB_PER_10_DPS = (1310, 655, 328, 164)  # PS table 1

# RM page 14, 15: DLPF_CFG and A_DLPF_CFG 1 to 6 have these bandwidths on both
# sensors. 0 and 7 run the gyroscope at 8 kHz, where the divider does not work.
_BANDWIDTHS_HZ = (184, 92, 41, 20, 10, 5)

_FIFO_STOP = const(0x40)  # CONFIG: keep the old bytes when full, so frames stay whole
_FIFO_ACCEL_GYRO = const(0x78)
_FIFO_ALL = const(0x18)  # ICM-20602: gyroscope and accelerometer, and with them the temperature
_READY_AND_OVERFLOW = const(0x11)

# SELF_TEST_X_GYRO and on, SELF_TEST_X_ACCEL and on, XA_OFFSET, YA_OFFSET, ZA_OFFSET.
_FACTORY_BYTES = b"\x00\x01\x02\x0d\x0e\x0f\x77\x78\x7a\x7b\x7d\x7e"

_POWER_UP_MS = const(100)  # PS table 4, greatest time to register access
_RESET_MS = const(100)  # RM page 42
_SETTLE_MS = const(110)  # gyro start 35 ms (PS table 1) and the slowest filter, 67 ms

if sys.implementation.name == "micropython":

    @micropython.viper
    def _alike(frame: ptr8, i: int, skip: int, registers: ptr8) -> int:
        """Whether the 12 bytes from frame[i] on are the sample in ACCEL_XOUT_H and on.

        skip: bytes of temperature between accelerometer and gyroscope, none or two.
        """
        j = 0
        while j < 14:
            if j == 6:
                j = 8
                i += skip
            if frame[i] != registers[j]:
                return 0
            i += 1
            j += 1
        return 1

else:  # CPython has no viper; the tests hold the two against each other

    def _alike(frame, i, skip, registers):
        accel = frame[i : i + 6] == registers[:6]
        return accel and frame[i + 6 + skip : i + 12 + skip] == registers[8:]


class MPU6500:
    """address: 0x68 with AD0 low, 0x69 with AD0 high. accel_g: full scale, one of
    2, 4, 8, 16. gyro_dps: full scale, one of 250, 500, 1000, 2000. rate_hz: 4 to
    1000; the nearest that the sensor can do is taken, see `period_us`. bandwidth_hz: of
    both filters, one of 184, 92, 41, 20, 10, 5; by default the widest that fits the rate.

    Raises ValueError for another value. Touches no bus before bring_up().
    """

    CHUNK_FRAMES = 8
    """The most that read_fifo takes: 2.3 ms on a bus at 400 kHz."""

    def __init__(
        self, bus, address=0x68, accel_g=8, gyro_dps=1000, rate_hz=100, bandwidth_hz=0
    ):
        if address not in (0x68, 0x69):
            raise ValueError("address must be 0x68 or 0x69, not %r" % (address,))
        if accel_g not in _ACCEL_RANGES_G:
            raise ValueError("accel_g must be 2, 4, 8 or 16, not %r" % (accel_g,))
        if gyro_dps not in _GYRO_RANGES_DPS:
            raise ValueError("gyro_dps must be 250, 500, 1000 or 2000, not %r" % (gyro_dps,))
        if not isinstance(rate_hz, (int, float)) or not 4 <= rate_hz <= 1000:
            raise ValueError("rate_hz must be from 4 to 1000, not %r" % (rate_hz,))
        if bandwidth_hz and bandwidth_hz not in _BANDWIDTHS_HZ:
            raise ValueError(
                "bandwidth_hz must be 184, 92, 41, 20, 10 or 5, not %r" % (bandwidth_hz,)
            )
        self.address = address
        self.accel_g = accel_g
        self.gyro_dps = gyro_dps
        divider = round(1000 / rate_hz)
        self.period_us = 1000 * divider
        """Nominal sample period; the sensor's own clock is off by up to 1 %."""
        self.rate_hz = 1000 // divider if 1000 % divider == 0 else 1000 / divider
        """The rate really set: 1000 Hz over a whole number."""
        code = 1
        while code < 6 and 2 * _BANDWIDTHS_HZ[code - 1] > self.rate_hz:
            code += 1
        if bandwidth_hz:
            code = 1 + _BANDWIDTHS_HZ.index(bandwidth_hz)
        self.bandwidth_hz = _BANDWIDTHS_HZ[code - 1]
        """-3 dB point of both filters; if not asked for, at most half the rate, from 10 Hz on."""
        self.accel_lsb_per_g = _ACCEL_LSB_PER_G[_ACCEL_RANGES_G.index(accel_g)]
        self.gyro_lsb_per_10_dps = _GYRO_LSB_PER_10_DPS[_GYRO_RANGES_DPS.index(gyro_dps)]

        self.identity = -1
        """WHO_AM_I as read; -1 before bring_up()."""
        self.name = "no sensor"
        self.warning = ""
        """What a person should know about this part, or empty."""
        self.kind = _MPU6500
        self.fifo_size = 512
        """Bytes; an overflow is believed from here on, though some relatives hold more."""
        self.fifo_stops = True
        """Whether a full FIFO keeps its oldest frames whole."""
        self.fifo_frame = 12
        """Bytes of a frame in the FIFO: 14 where the temperature cannot be left out of it."""

        self.bus = bus
        # On SPI the sensor's I2C interface is switched off, PS 6.1.
        self._user_ctrl = getattr(bus, "USER_CTRL", 0)
        self._running = self._user_ctrl | 0x40
        self._divider = divider
        self._test_bits = 0
        self._known = False  # whether the family knows its identity
        self._code = code
        self._one = bytearray(1)
        self._two = bytearray(2)
        self._power = bytearray(3)
        self._powered = bytearray((self._running, 0x01, 0x00))  # USER_CTRL and PWR_MGMT
        self._all = bytearray(14)
        self._before = bytearray(14)
        self.frames = bytearray(14 * self.CHUNK_FRAMES)
        """What read_fifo has read, 12 bytes a frame: ax ay az gx gy gz, big-endian int16."""
        self._squeeze = None
        self._view()
        self._derive_settings()
        # SMPLRT_DIV to FIFO_EN, as found after the FIFO was started.
        self._settings = bytearray(_FIFO_EN - _SMPLRT_DIV + 1)
        self._config = bytearray(_FIFO_EN - _SMPLRT_DIV + 1)

    # -- bringing up ----------------------------------------------------------------

    def bring_up(self):
        """Reset, identify and configure; yields the milliseconds to wait, step by step.

        Raises OSError: the bus's own when nothing answers, ENODEV when the answer is not
        a sensor's, EIO when a register does not keep what was written.
        """
        yield _POWER_UP_MS
        self._test_bits = 0
        self.identify()
        self.write(_PWR_MGMT_1, 0x80)
        yield _RESET_MS
        # After a reset only the clock and sleep bits can be set, RM register 107.
        tries = 10
        while self.read(_PWR_MGMT_1) & 0xB8:
            tries -= 1
            if not tries:
                raise OSError(errno.EIO, "%s: still in its reset" % self)
            yield 10
        if not self._known:
            from drivers.mpu_unknown import probe

            self.kind, self.warning = probe(self)
            self.fifo_stops = self.kind != MPU6050
            self._derive_settings()
        if self._user_ctrl:
            self.write(_USER_CTRL, self._user_ctrl)
        # CLKSEL 1: the gyroscope's PLL, +-1 %. 0 would be +-10 % over temperature.
        self.write(_PWR_MGMT_1, 0x01)
        yield 10
        self.write(_PWR_MGMT_2, 0x00)
        self.write(_FIFO_EN, 0x00)
        self.write(_INT_PIN_CFG, 0x00)
        for i in range(len(self._want)):
            self.write(_SMPLRT_DIV + i, self._want[i])
        if self.fifo_stops and not self.read(_CONFIG) & _FIFO_STOP:
            self.fifo_stops = False
            self._derive_settings()
            self.write(_CONFIG, self._want[1])
        for register, got, want in self._differences():
            raise OSError(
                errno.EIO,
                "%s: register 0x%02x reads 0x%02x after writing 0x%02x"
                % (self, register, got, want),
            )
        yield _SETTLE_MS

    def identify(self):
        """Which part it is, by WHO_AM_I: identity, name and kind. Raises OSError."""
        identity = self.read(_WHO_AM_I)
        if identity in (0x00, 0xFF):
            # What a bus reads whose data line is held down, or with nothing on it.
            raise OSError(errno.ENODEV, "no sensor at 0x%02x" % self.address)
        self.identity = identity
        self.warning = ""
        from drivers.mpu_family import find

        known = find(identity)
        forget("drivers.mpu_family")  # its table is used once a start of the sensor
        self._known = bool(known)
        self.name, self.kind, self.fifo_size = known or (
            "unknown 0x%02x" % identity, _MPU6500, 512
        )
        self.fifo_stops = self.kind != MPU6050
        self._derive_settings()

    def _derive_settings(self):
        """What the settings and the kind of part want: registers SMPLRT_DIV and on, FIFO."""
        wide = self.kind == ICM20602
        if wide != bool(self._squeeze):
            self._squeeze = None
            if wide:
                from drivers.mpu_wide import squeeze

                self._squeeze = squeeze
            self.fifo_frame = 14 if wide else 12
            self._view()
        self._fifo_en = _FIFO_ALL if wide else _FIFO_ACCEL_GYRO
        fs = _ACCEL_RANGES_G.index(self.accel_g)
        gs = _GYRO_RANGES_DPS.index(self.gyro_dps)
        # FS_SEL lies one bit lower on the ICM-20690.
        shift = 2 if self.identity == 0x20 else 3
        code = self._code
        stop = _FIFO_STOP if self.fifo_stops else 0
        test = self._test_bits
        want = [self._divider - 1, stop | code, gs << shift | test, fs << 3 | test, code]
        if self.kind == MPU6050:
            want.pop()  # one filter for both sensors
        self._want = bytes(want)

    def _view(self):
        view = memoryview(self.frames)
        self._views = [view[: self.fifo_frame * n] for n in range(self.CHUNK_FRAMES + 1)]

    def _differences(self):
        """(register, value, wanted value) of each setting that is not as written."""
        got = self._config
        self.bus.readfrom_mem_into(self.address, _SMPLRT_DIV, got)
        out = []
        for i in range(len(self._want)):
            if got[i] != self._want[i]:
                out.append((_SMPLRT_DIV + i, got[i], self._want[i]))
        power = self.read(_PWR_MGMT_1)
        if power != 0x01:
            out.append((_PWR_MGMT_1, power, 0x01))
        return out

    def intact(self):
        """Whether the sensor still has the settings that bring_up() gave it.

        False after it was reset or has lost its power. Raises OSError.
        """
        return self.read(_WHO_AM_I) == self.identity and not self._differences()

    def fingerprint(self):
        """Text that no two sensors share in practice. Raises OSError.

        The part has no serial number, but its factory notes the answers to the self-test
        and trims the accelerometer: 12 bytes.
        """
        out = "%02x" % self.identity
        for register in _FACTORY_BYTES:
            out += "%02x" % self.read(register)
        return out

    def make_self_test(self):
        """A mpu_selftest.SelfTest. The sensor needs bring_up() after its run()."""
        from drivers.mpu_selftest import SETTINGS, SelfTest

        return SelfTest(MPU6500(self.bus, self.address, **SETTINGS))

    def push_masses(self, on):
        """Push the masses of all six axes, or let them go. Raises OSError."""
        self._test_bits = 0xE0 if on else 0
        self._derive_settings()
        self.write(_GYRO_CONFIG, self._want[2])
        self.write(_ACCEL_CONFIG, self._want[3])

    def start_fifo(self):
        """Empty the FIFO and fill it again, beginning with the next sample.

        Raises OSError: the bus's own, or EIO when a setting has changed.
        """
        write = self.write
        user = self._user_ctrl
        write(_INT_ENABLE, 0x00)
        write(_FIFO_EN, 0x00)
        write(_USER_CTRL, user)
        write(_USER_CTRL, user | 0x04)  # FIFO_RST, never while the FIFO runs
        write(_USER_CTRL, self._running)
        write(_FIFO_EN, self._fifo_en)
        # Whether a status bit rises while it is masked is documented nowhere.
        write(_INT_ENABLE, _READY_AND_OVERFLOW)
        self.read(_INT_STATUS)  # drops an overflow of before
        self.bus.readfrom_mem_into(self.address, _SMPLRT_DIV, self._settings)
        settings = self._settings
        if settings[: len(self._want)] != self._want or settings[-1] != self._fifo_en:
            raise OSError(errno.EIO, "%s: the settings have changed" % self)

    # -- the way of the samples: nothing below allocates ------------------------------

    @micropython.native
    def fifo_bytes(self):
        """How many bytes lie in the FIFO. Raises OSError."""
        two = self._two
        # One burst: reading the high byte latches the low one, RM register 114.
        self.bus.readfrom_mem_into(self.address, _FIFO_COUNT_H, two)
        return two[0] << 8 | two[1]

    @micropython.native
    def read_fifo(self, n, left=-1):
        """Move n frames, at most CHUNK_FRAMES, from the FIFO into `frames`.

        left: bytes that must lie in the FIFO afterwards, more only by whole frames;
        -1 if that cannot be said, as after an overflow. sound() says whether they did.
        Raises OSError; then how far the FIFO was read is unknown, and only
        start_fifo() finds the beginning of a frame again.
        """
        bus = self.bus  # its methods are called in place: a bound method would be allocated
        address = self.address
        if not left:
            bus.readfrom_mem_into(address, _ACCEL_XOUT_H, self._before)
        bus.readfrom_mem_into(address, _FIFO_R_W, self._views[n])
        if self._squeeze:
            self._squeeze(self.frames, n)

    @micropython.native
    def sound(self, n, left):
        """Whether the frames that read_fifo(n, left) has read can be believed.

        False, too, when the sensor was reset or a setting has changed since the last
        time. Raises OSError.
        """
        bus = self.bus
        address = self.address
        frame = self.fifo_frame
        tries = 3  # a frame may be half written at this moment
        last = 12 * n - 12
        if left > 0:
            while True:
                size = self.fifo_bytes()
                if size >= left and not (size - left) % frame:
                    break
                tries -= 1
                if not tries:
                    return False
        elif not left and not _alike(self.frames, last, 0, self._before):
            # The FIFO was emptied, so the last frame must be the sample that was the newest
            # before, unless a newer one came before the read. Had bytes slipped, the read would
            # have broken into that one's frame, or gone beyond the end.
            newest = self._all
            while True:
                size = self.fifo_bytes()
                # After the count, so that it shows whatever sample is counted.
                bus.readfrom_mem_into(address, _ACCEL_XOUT_H, newest)
                if _alike(self.frames, last, 0, newest):
                    break  # the registers show a sample later than the FIFO does
                if not _alike(self._before, 0, 2, newest):
                    left = frame  # another one has come since
                if size > left and not size % frame:
                    break
                tries -= 2
                if tries < 0:
                    return False
        bus.readfrom_mem_into(address, _USER_CTRL, self._power)
        if self._power != self._powered:
            return False
        bus.readfrom_mem_into(address, _SMPLRT_DIV, self._config)
        return self._config == self._settings

    def read_into(self, row):
        """Fill row[0:6] with the newest ax ay az gx gy gz, int16 counts. Raises OSError."""
        buf = self._all  # one burst: all axes from one instant
        self.bus.readfrom_mem_into(self.address, _ACCEL_XOUT_H, buf)
        for i in range(6):
            j = 2 * i + 2 * (i > 2)  # bytes 6, 7 are the temperature
            v = buf[j] << 8 | buf[j + 1]
            row[i] = v - 65536 if v & 0x8000 else v

    def centi_c(self):
        """Temperature of the chip in 1/100 degree Celsius. Raises OSError."""
        two = self._two
        self.bus.readfrom_mem_into(self.address, _TEMP_OUT_H, two)
        raw = two[0] << 8 | two[1]
        from drivers.mpu_family import centi_c

        return centi_c(self.kind, raw - 65536 if raw & 0x8000 else raw)

    def read(self, register):
        """One register's value. Raises OSError."""
        one = self._one
        self.bus.readfrom_mem_into(self.address, register, one)
        return one[0]

    def write(self, register, value):
        """Set one register. Raises OSError."""
        one = self._one
        one[0] = value
        self.bus.writeto_mem(self.address, register, one)

    def __str__(self):
        return "%s at 0x%02x" % (self.name, self.address)
