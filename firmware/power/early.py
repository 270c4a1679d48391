"""Just after a wake-up from deep sleep: the sensor's FIFO, before the firmware is there.

main.py asks for this first. While the board slept, motion.record() let the FIFO keep the newest
1.7 s of the accelerometer, and the firmware's imports take longer than that. So this reads the FIFO
at once, switches the sensor to its full rate, and empties the FIFO again by a timer while the
firmware starts. Saver gives the frames to the recogniser then.

What is needed to talk to the sensor lies in front of the sleep record in RTC memory.
"""

import binascii
import struct

from micropython import const

_NOTE = "<HBBBHBBB"  # magic, bus, SCL, SDA, kHz, address, dividers in sleep and awake
_MAGIC = const(0xBE02)
NOTE_BYTES = const(14)  # with a CRC-32

# Again, as in drivers/mpu6500.py: nothing else may be loaded yet.
_SMPLRT_DIV = const(0x19)
_CONFIG = const(0x1A)
_WOM_THR = const(0x1F)
_FIFO_EN = const(0x23)
_INT_PIN_CFG = const(0x37)
_INT_ENABLE = const(0x38)
_INT_STATUS = const(0x3A)
_ACCEL_INTEL_CTRL = const(0x69)
_USER_CTRL = const(0x6A)
_PWR_MGMT_2 = const(0x6C)
_FIFO_COUNT_H = const(0x72)
_FIFO_R_W = const(0x74)

_FULL = const(500)  # bytes: from here on frames may be missing
_EVERY_MS = const(100)
_MOST = const(600)  # frames that are kept, 7.2 kB

taken = None
"""The Early of this start, if the board was moved awake."""


def note(settings, period_ms, awake_ms):
    """The bytes for RTC memory. settings: of the board. Periods of the samples."""
    data = struct.pack(
        _NOTE, _MAGIC, settings.i2c_id, settings.i2c_scl, settings.i2c_sda,
        settings.i2c_hz // 1000, settings.imu_address, period_ms - 1, awake_ms - 1,
    )  # fmt: skip
    return data + struct.pack("<I", binascii.crc32(data))


def read_note(memory):
    """The values of a note in RTC memory, or None if there is no note that is whole."""
    if len(memory) < NOTE_BYTES:
        return None
    data = memory[: NOTE_BYTES - 4]
    if struct.unpack_from("<I", memory, NOTE_BYTES - 4)[0] != binascii.crc32(data):
        return None
    fields = struct.unpack(_NOTE, data)
    return fields[1:] if fields[0] == _MAGIC else None


def begin():
    """Take what there is; the board starts in any case."""
    global taken
    import machine

    try:
        found = read_note(machine.RTC().memory())
        if found and machine.wake_reason() != machine.TIMER_WAKE:
            bus, scl, sda, khz, address, divider, awake = found
            pin = machine.Pin
            i2c = machine.I2C(bus, scl=pin(scl), sda=pin(sda), freq=khz * 1000)
            taken = Early(i2c, address, divider, awake)
            timer = taken.timer = machine.Timer(0)
            timer.init(period=_EVERY_MS, mode=timer.PERIODIC, callback=taken.on_timer)
    except (OSError, ValueError, MemoryError) as fault:
        print("beckon: the movement that woke the board is lost,", fault)


class Early:
    """i2c: machine.I2C. divider, awake: SMPLRT_DIV in sleep, and from here on. is_whole: False
    once frames were lost. Raises OSError.
    """

    def __init__(self, i2c, address, divider, awake):
        self._i2c = i2c
        self._address = address
        self._one = bytearray(1)
        self._chunks = []
        self._at = 0  # bytes of the first chunk that are taken
        self.count = 0
        self.is_whole = True
        times = (divider + 1) // (awake + 1)
        size = self._size()
        data = bytearray(size)
        self._read(_FIFO_R_W, data)
        self._switch(awake)
        self._keep(_six_axes(data, size % 6, times))
        self.timer = None

    def drain(self):
        """Move what lies in the FIFO here. Raises OSError."""
        size = self._size()
        if size >= _FULL or self.count > _MOST:
            self.is_whole = False
        size -= size % 12
        if size and self.is_whole:
            data = bytearray(size)
            self._read(_FIFO_R_W, data)
            self._keep(data)

    def on_timer(self, timer):
        """Runs between any two steps of the program, while the firmware starts."""
        try:
            self.drain()
        except OSError:
            self.is_whole = False

    def finish(self):
        """From here on only drain() empties the FIFO."""
        if self.timer:
            self.timer.deinit()

    def take(self, frames, most):
        """Move up to `most` frames into the bytearray `frames`; how many they were."""
        while self._chunks and self._at == len(self._chunks[0]):
            self._chunks.pop(0)
            self._at = 0
        if not self._chunks:
            return 0
        chunk = self._chunks[0]
        size = min(12 * most, len(chunk) - self._at)
        frames[:size] = memoryview(chunk)[self._at : self._at + size]
        self._at += size
        return size // 12

    def _keep(self, data):
        self._chunks.append(data)
        self.count += len(data) // 12

    def _switch(self, awake):
        """The gyroscope on, the full rate, and frames of six axes from here on."""
        for register, value in (
            (_INT_ENABLE, 0x00),
            (_FIFO_EN, 0x00),
            (_USER_CTRL, 0x00),
            (_USER_CTRL, 0x04),
            (_PWR_MGMT_2, 0x00),
            (_ACCEL_INTEL_CTRL, 0x00),
            (_WOM_THR, 0x00),
            (_INT_PIN_CFG, 0x00),
            (_SMPLRT_DIV, awake),
        ):
            self._write(register, value)
        self._read(_CONFIG, self._one)
        self._write(_CONFIG, self._one[0] | 0x40)  # a full FIFO stops
        self._write(_USER_CTRL, 0x40)
        self._write(_FIFO_EN, 0x78)
        self._read(_INT_STATUS, self._one)

    def _size(self):
        two = bytearray(2)
        self._read(_FIFO_COUNT_H, two)
        return two[0] << 8 | two[1]

    def _read(self, register, data):
        if data:
            self._i2c.readfrom_mem_into(self._address, register, data)

    def _write(self, register, value):
        self._i2c.writeto_mem(self._address, register, bytes((value,)))


def _six_axes(data, cut, times):
    """Frames as awake, of accelerometer frames that came `times` as slowly. cut: bytes of the
    first one, which was overwritten in part. The gyroscope was off: zeros."""
    n = (len(data) - cut) // 6
    if not n:
        return b""
    frames = bytearray(12 * ((n - 1) * times + 1))
    before = struct.unpack_from(">3h", data, cut)
    struct.pack_into(">3h", frames, 0, *before)
    at = 12
    for i in range(1, n):
        after = struct.unpack_from(">3h", data, cut + 6 * i)
        for k in range(1, times + 1):
            for axis in range(3):
                value = before[axis] + (after[axis] - before[axis]) * k // times
                struct.pack_into(">h", frames, at + 2 * axis, value)
            at += 12
        before = after
    return frames
