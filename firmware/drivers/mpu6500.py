"""MPU-6500 accelerometer and gyroscope, through its FIFO, on I2C or SPI.

    imu = MPU6500(I2C(0, scl=Pin(22), sda=Pin(21)), accel_g=8, gyro_dps=1000, rate_hz=100)
    for wait_ms in imu.bring_up():      # a task awaits instead of sleeping
        time.sleep_ms(wait_ms)
    imu.start_fifo()
    ...
    imu.read_fifo(imu.fifo_bytes() // imu.FRAME_BYTES)

The bus is handed in: any object with readfrom_mem_into(address, register,
buffer) and writeto_mem(address, register, buffer). Nothing here waits.

RM is the register map RM-MPU-6500A-00 rev 2.1, PS the product specification
PS-MPU-6500A-01 rev 1.3.
"""
import errno

from micropython import const

from drivers import mpu_family

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
_READY_AND_OVERFLOW = const(0x11)

_POWER_UP_MS = const(100)  # PS table 4, greatest time to register access
_RESET_MS = const(100)  # RM page 42
_SETTLE_MS = const(110)  # gyro start 35 ms (PS table 1) and the slowest filter, 67 ms


class MPU6500:
    """address: 0x68 with AD0 low, 0x69 with AD0 high. accel_g: full scale, one of
    2, 4, 8, 16. gyro_dps: full scale, one of 250, 500, 1000, 2000. rate_hz: 4 to
    1000; the nearest that the sensor can do is taken, see `period_us`.

    Raises ValueError for another value. Touches no bus before bring_up().
    """

    FRAME_BYTES = 12
    """One FIFO frame: ax ay az gx gy gz, big-endian int16."""

    CHUNK_FRAMES = 8
    """The most that read_fifo takes: 2.3 ms on a bus at 400 kHz."""

    def __init__(self, bus, address=0x68, accel_g=8, gyro_dps=1000, rate_hz=100):
        if address not in (0x68, 0x69):
            raise ValueError("address must be 0x68 or 0x69, not %r" % (address,))
        if accel_g not in _ACCEL_RANGES_G:
            raise ValueError("accel_g must be 2, 4, 8 or 16, not %r" % (accel_g,))
        if gyro_dps not in _GYRO_RANGES_DPS:
            raise ValueError("gyro_dps must be 250, 500, 1000 or 2000, not %r" % (gyro_dps,))
        if not isinstance(rate_hz, (int, float)) or not 4 <= rate_hz <= 1000:
            raise ValueError("rate_hz must be from 4 to 1000, not %r" % (rate_hz,))
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
        self.bandwidth_hz = _BANDWIDTHS_HZ[code - 1]
        """-3 dB point of both filters: at most half the rate, from 10 Hz on."""
        fs = _ACCEL_RANGES_G.index(accel_g)
        self.accel_lsb_per_g = _ACCEL_LSB_PER_G[fs]
        gs = _GYRO_RANGES_DPS.index(gyro_dps)
        self.gyro_lsb_per_10_dps = _GYRO_LSB_PER_10_DPS[gs]

        self.identity = -1
        """WHO_AM_I as read; -1 before bring_up()."""
        self.name = "no sensor"
        self.kind = mpu_family.MPU6500
        self.fifo_size = 512
        self.fifo_stops = True
        """Whether a full FIFO keeps its oldest frames whole."""

        self.bus = bus
        # On SPI the sensor's I2C interface is switched off, PS 6.1.
        self._user_ctrl = getattr(bus, "USER_CTRL", 0)
        self._one = bytearray(1)
        self._two = bytearray(2)
        self._power = bytearray(3)
        self._config = bytearray(5)
        self._all = bytearray(14)
        self._want = bytes((divider - 1, _FIFO_STOP | code, gs << 3, fs << 3, code))
        self.frames = bytearray(self.FRAME_BYTES * self.CHUNK_FRAMES)
        """What read_fifo has read."""
        view = memoryview(self.frames)
        self._views = [view[: self.FRAME_BYTES * n] for n in range(self.CHUNK_FRAMES + 1)]

    # -- bringing up ----------------------------------------------------------------

    def bring_up(self):
        """Reset, identify and configure; yields the milliseconds to wait, step by step.

        Raises OSError: of the bus when nothing answers, ENODEV when the answer is
        no sensor's, EIO when a register does not keep what was written.
        """
        yield _POWER_UP_MS
        self._identify()
        self._write(_PWR_MGMT_1, 0x80)
        yield _RESET_MS
        # After a reset only the clock and sleep bits can be set, RM register 107.
        tries = 10
        while self._read(_PWR_MGMT_1) & 0xB8:
            tries -= 1
            if not tries:
                raise OSError(errno.EIO, "%s: still in its reset" % self)
            yield 10
        if self._user_ctrl:
            self._write(_USER_CTRL, self._user_ctrl)
        # CLKSEL 1: the gyroscope's PLL, +-1 %. 0 would be +-10 % over temperature.
        self._write(_PWR_MGMT_1, 0x01)
        yield 10
        self._write(_PWR_MGMT_2, 0x00)
        self._write(_FIFO_EN, 0x00)
        self._write(_INT_PIN_CFG, 0x00)
        for i in range(5 if self.kind != mpu_family.MPU6050 else 4):
            self._write(_SMPLRT_DIV + i, self._want[i])
        for register, got, want in self._differences():
            raise OSError(
                errno.EIO,
                "%s: register 0x%02x reads 0x%02x after writing 0x%02x"
                % (self, register, got, want),
            )
        yield _SETTLE_MS

    def _identify(self):
        identity = self._read(_WHO_AM_I)
        if identity in (0x00, 0xFF):
            # What a bus reads whose data line is held down, or with nothing on it.
            raise OSError(errno.ENODEV, "no sensor at 0x%02x" % self.address)
        known = mpu_family.FAMILY.get(identity)
        self.known = known is not None
        """Whether the identity is one of the family's."""
        if known is None:
            known = ("unknown 0x%02x" % identity, mpu_family.MPU6500, 512)
        self.identity = identity
        self.name, self.kind, self.fifo_size = known
        self.fifo_stops = self.kind != mpu_family.MPU6050
        want = bytearray(self._want)
        want[1] = want[1] & 7 | (_FIFO_STOP if self.fifo_stops else 0)
        self._want = bytes(want)

    def _differences(self):
        """(register, value, wanted value) of each setting that is not as written."""
        got = self._config
        self.bus.readfrom_mem_into(self.address, _SMPLRT_DIV, got)
        out = []
        for i in range(5 if self.kind != mpu_family.MPU6050 else 4):
            if got[i] != self._want[i]:
                out.append((_SMPLRT_DIV + i, got[i], self._want[i]))
        power = self._read(_PWR_MGMT_1)
        if power != 0x01:
            out.append((_PWR_MGMT_1, power, 0x01))
        return out

    def intact(self):
        """Whether the sensor still has the settings that bring_up() gave it.

        False after it was reset or has lost its power. Raises OSError.
        """
        return self._read(_WHO_AM_I) == self.identity and not self._differences()

    def start_fifo(self):
        """Empty the FIFO and fill it anew, beginning with the next sample. Raises OSError."""
        write = self._write
        user = self._user_ctrl
        write(_INT_ENABLE, 0x00)
        write(_FIFO_EN, 0x00)
        write(_USER_CTRL, user)
        write(_USER_CTRL, user | 0x04)  # FIFO_RST, never while the FIFO runs
        write(_USER_CTRL, user | 0x40)
        write(_FIFO_EN, _FIFO_ACCEL_GYRO)
        # Whether a status bit rises while it is masked is documented nowhere.
        write(_INT_ENABLE, _READY_AND_OVERFLOW)
        self._read(_INT_STATUS)  # drops an overflow of before

    # -- the way of the samples: nothing below allocates ------------------------------

    def fifo_bytes(self):
        """How many bytes lie in the FIFO. Raises OSError."""
        two = self._two
        # One burst: reading the high byte latches the low one, RM register 114.
        self.bus.readfrom_mem_into(self.address, _FIFO_COUNT_H, two)
        return two[0] << 8 | two[1]

    def read_fifo(self, n):
        """Move n frames, at most CHUNK_FRAMES, from the FIFO into `frames`.

        Raises OSError; then how far the FIFO was read is unknown, and only
        start_fifo() finds the beginning of a frame again.
        """
        self.bus.readfrom_mem_into(self.address, _FIFO_R_W, self._views[n])

    def running(self):
        """Whether FIFO and clock are still switched on: no reset has happened.

        Asked after a read and before its frames are believed. Raises OSError.
        """
        power = self._power
        self.bus.readfrom_mem_into(self.address, _USER_CTRL, power)
        return power[0] == self._user_ctrl | 0x40 and power[1] == 0x01 and not power[2]

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
        return mpu_family.centi_c(self.kind, raw - 65536 if raw & 0x8000 else raw)

    def _read(self, register):
        one = self._one
        self.bus.readfrom_mem_into(self.address, register, one)
        return one[0]

    def _write(self, register, value):
        one = self._one
        one[0] = value
        self.bus.writeto_mem(self.address, register, one)

    def __str__(self):
        return "%s at 0x%02x" % (self.name, self.address)
