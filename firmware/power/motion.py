"""The sensor while the board sleeps: it watches for motion, and INT wakes the board.

RM is the register map RM-MPU-6500A-00 rev 2.1, PS the product specification rev 1.3.
"""

import errno

from micropython import const

from drivers import mpu_family

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
_FIFO_R_W = const(0x74)

_FIFO_STOP = const(0x40)
_LATCH_INT_EN = const(0x20)
_READY_AND_OVERFLOW = const(0x11)
_WOM_EN = const(0x40)
_GYRO_OFF = const(0x07)
_ROUNDS = const(6)
STILL_FRAMES = 8  # of the FIFO's first ones, which are repeated
STILL_TIMES = 8
_SLOW_MS = const(20)
_WRAP = const(0x3FFFFFFF)
_SPARE = const(24)  # bytes: two frames of room, for what comes while the FIFO is being read


def input_pin(number):
    """The GPIO at INT. A wire that is missing reads 0."""
    from machine import Pin

    try:
        return Pin(number, Pin.IN, Pin.PULL_DOWN)
    except ValueError:  # GPIO 34 to 39 have no pull
        return Pin(number, Pin.IN)


def follows(imu, pin):
    """Generator: provoke INT and see whether `pin` follows it; yields ms to wait.

    The sensor samples as usual. Afterwards `imu.int_works` is True or False. Raises OSError.
    """
    good = 0
    imu.write(_INT_PIN_CFG, _LATCH_INT_EN)
    try:
        for _ in range(_ROUNDS):
            yield 2 * imu.period_us // 1000 + 2
            high = pin.value()
            for _ in range(2):  # the next sample may come just now
                imu.read(_INT_STATUS)
                if not pin.value():
                    good += high
                    break
    finally:
        imu.write(_INT_PIN_CFG, 0x00)
    imu.int_works = good >= _ROUNDS - 1


def watch(imu, threshold_mg):
    """INT goes high when an axis moves by more than threshold_mg from one sample to the next.

    The gyroscope is off, the accelerometer and the FIFO run on: 0.45 mA (PS table 3). The FIFO
    keeps the newest frames; in place of the gyroscope's values they repeat its last ones
    (RM register 35). resume() brings sampling back. Raises OSError.
    """
    write = imu.write
    write(_INT_ENABLE, 0x00)
    write(_CONFIG, imu.read(_CONFIG) & ~_FIFO_STOP)
    write(_WOM_THR, max(1, threshold_mg // 4))
    write(_PWR_MGMT_2, _GYRO_OFF)
    write(_INT_PIN_CFG, _LATCH_INT_EN)
    imu.read(_INT_STATUS)
    write(_ACCEL_INTEL_CTRL, 0xC0)
    write(_INT_ENABLE, _WOM_EN)


def record(imu, threshold_mg):
    """As watch(), for deep sleep: the FIFO keeps the newest 1.7 s of the accelerometer alone.

    It samples at 50 Hz or at a lower rate then. Returns that period in ms. early.py reads the
    FIFO, and brings the full rate back. Raises OSError.
    """
    write = imu.write
    awake_ms = imu.period_us // 1000
    period_ms = awake_ms * max(1, (_SLOW_MS + awake_ms - 1) // awake_ms)
    write(_FIFO_EN, 0x00)
    write(_USER_CTRL, 0x00)
    write(_USER_CTRL, 0x04)  # empty
    write(_SMPLRT_DIV, period_ms - 1)
    write(_USER_CTRL, 0x40)
    watch(imu, threshold_mg)
    write(_FIFO_EN, 0x08)
    return period_ms


def catch_up(imu, sampler, early, recognise):
    """In place of starting the FIFO: what came while the board started, then sample on.

    early: Early. recognise: called for each few frames in the ring, until it has none. Up to two
    samples are lost where the FIFO is started again. Raises OSError.
    """
    from time import ticks_us

    reader = sampler.reader
    frames = sampler.frames
    early.drain()
    imu.start_fifo()
    now = ticks_us()
    n = early.take(imu.frames, STILL_FRAMES)
    still = STILL_TIMES * STILL_FRAMES if n == STILL_FRAMES else 0
    oldest = now - imu.period_us & _WRAP
    sampler.clock.start(still + early.count - 1, oldest, now, oldest)
    reader.joined = True
    for _ in range(still // STILL_FRAMES):  # as in adopt()
        frames.push_fifo(imu.frames, n)
    reader.next += still
    while n and early.is_whole:
        frames.push_fifo(imu.frames, n)
        reader.next += n
        recognise()
        early.drain()
        n = early.take(imu.frames, imu.CHUNK_FRAMES)


def can_watch(imu):
    """Whether watch() knows the registers of this part."""
    return imu.kind == mpu_family.MPU6500 and imu.fifo_frame == 12


def moved(imu):
    """Whether watch() or wake_on_motion() has seen something; releases INT. Raises OSError."""
    return bool(imu.read(_INT_STATUS) & _WOM_EN)


def resume(imu):
    """Sample on, gyroscope and all, without a gap: the FIFO keeps what it has.

    Afterwards it holds whole frames, of the last 0.4 s at 100 Hz. The gyroscope needs 35 ms
    (PS table 1). Raises OSError.
    """
    write = imu.write
    write(_PWR_MGMT_2, 0x00)
    write(_INT_ENABLE, 0x00)
    write(_ACCEL_INTEL_CTRL, 0x00)
    write(_WOM_THR, 0x00)
    write(_INT_PIN_CFG, 0x00)
    # Frames are whole at the FIFO's end; what was overwritten last is cut at its beginning. One
    # burst takes the piece, and makes room before the next sample.
    size = imu.fifo_bytes()
    cut = size % imu.fifo_frame
    if size > imu.fifo_size - _SPARE:
        cut += _SPARE
    if cut:
        imu.bus.readfrom_mem_into(imu.address, _FIFO_R_W, bytearray(cut))
    write(_CONFIG, imu.read(_CONFIG) | _FIFO_STOP)
    imu.read(_INT_STATUS)
    write(_INT_ENABLE, _READY_AND_OVERFLOW)


def adopt(imu, sampler):
    """After resume(), in place of starting the FIFO: sample on with what it holds.

    Behind the gap of the sleep: samples that were never taken are not lost. Raises OSError.
    """
    from time import ticks_us

    reader = sampler.reader
    clock = sampler.clock
    frames = sampler.frames
    before = ticks_us()
    n = imu.fifo_bytes() // imu.fifo_frame
    after = ticks_us()
    oldest = before - imu.period_us & _WRAP
    newest = max(reader.next + n - 1, clock.guess(before, after, oldest))
    asleep = newest + 1 - n - reader.next
    # A model's window reaches further back than the FIFO. It was still then, or INT would have
    # come earlier, so the FIFO's first frames stand for the time before them, too.
    times = min(STILL_TIMES, asleep // STILL_FRAMES) if n >= STILL_FRAMES else 0
    still = times * STILL_FRAMES
    frames.gap(asleep - still)
    frames.dropped -= asleep - still
    frames.passed -= still
    reader.next += asleep
    if times:
        imu.read_fifo(STILL_FRAMES)
        if not imu.sound(STILL_FRAMES, (n - STILL_FRAMES) * imu.fifo_frame):
            raise OSError(errno.EIO, "the FIFO cannot be believed")
        for _ in range(times + 1):
            frames.push_fifo(imu.frames, STILL_FRAMES)
        reader.next += STILL_FRAMES
    clock.start(newest, before, after, oldest)
    reader.joined = True
