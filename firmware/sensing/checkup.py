"""Is the sensor there, healthy and wired well? A check-up that prints what it finds.

    from sensing import checkup
    checkup.main(I2CBus(0, scl=22, sda=21))

Lay the board still. It takes about five seconds and leaves the sensor at rest. Each
finding is (name, whether it is all right, one line of text); main() prints them as
JSON, one per line, for `beckon doctor`.
"""
import asyncio
import json
from time import ticks_us

from micropython import const

from drivers.fifo_sums import sum_frames
from drivers.mpu6500 import MPU6500

_WRAP = const(0x3FFFFFFF)
_EDGES = const(40)  # samples whose arrival is timed; the FIFO holds 42
_READINGS = const(200)
_OVERFLOW_MS = const(600)  # 100 Hz fills the FIFO in 420 ms

# Noise that a sensor at rest stays below, standard deviations: twice to three times the
# data sheet's density (PS tables 1, 2) behind a filter of 41 Hz.
_NOISE_MG = const(8)
_NOISE_MDPS = const(300)


async def _follow(steps):
    for wait_ms in steps:
        await asyncio.sleep_ms(wait_ms)


async def check(bus, address, report):
    """Call report(name, ok, text) for each finding; ends early when nothing answers."""
    imu = MPU6500(bus, address, accel_g=8, gyro_dps=1000, rate_hz=100)
    try:
        await _follow(imu.bring_up())
    except OSError as fault:
        report("identity", False, "%s; check power, SDA, SCL and address 0x%02x" % (fault, address))
        return
    report("identity", not imu.warning, imu.warning or str(imu))
    _bus_speed(imu, report)
    centi_c = imu.centi_c()
    report("temperature", -2000 < centi_c < 7000, "%.1f degrees Celsius" % (centi_c / 100))
    try:
        await _rate(imu, report)
        await _at_rest(imu, report)
        await _fifo(imu, report)
        test = imu.make_self_test()
        await _follow(test.run())
        report("self-test", test.passed, test.text)
        await _follow(imu.bring_up())
    except OSError as fault:
        report("bus", False, "failed on the way: %s" % fault)


def _bus_speed(imu, report):
    """From the difference of a long and a short read, so that the calls' own cost falls out."""
    row = bytearray(1)
    long = bytearray(97)
    best = [1 << 20, 1 << 20]
    for k in range(2):
        buffer = (row, long)[k]
        for _ in range(8):
            start = ticks_us()
            # The long one ends before the FIFO's registers; reading INT_STATUS does no harm.
            imu.bus.readfrom_mem_into(imu.address, 0x00, buffer)
            best[k] = min(best[k], (ticks_us() - start) & _WRAP)
    us = best[1] - best[0]
    if us < 600:  # more than 1.4 MHz: too fast for I2C
        report("bus speed", True, "96 bytes took no time: a simulated bus, or SPI")
        return
    khz = 96 * 9 * 1000 // us
    report("bus speed", khz >= 80, "%d kHz (96 bytes in %.1f ms)" % (khz, us / 1000))


async def _rate(imu, report):
    """Time the arrival of samples, by looking at the FIFO's count as often as the bus lets."""
    imu.start_fifo()
    samples = []
    times = []
    seen = 0
    missed_us = -1  # when the last look began, if it was one that saw nothing new
    while seen < _EDGES:  # nothing is drained: 42 samples fit
        start = ticks_us()
        n = imu.fifo_bytes() // imu.fifo_frame
        if n == seen:
            missed_us = start
            await asyncio.sleep_ms(0)
            continue
        took = (ticks_us() - missed_us) & _WRAP
        if missed_us >= 0 and took < 1000:  # else it came at some time before
            samples.append(n)
            times.append(missed_us + took // 2)
        seen = n
        missed_us = -1
        # Not much before the next one is due, so that other tasks have their time.
        await asyncio.sleep_ms(max(0, imu.period_us // 1000 - 3))
    if len(samples) < _EDGES // 4:
        report("rate", False, "the board was too busy to time the samples; try again")
        return
    count = samples[-1] - samples[0]
    period_us = ((times[-1] - times[0]) & _WRAP) / count
    off = (imu.period_us / period_us - 1) * 100
    rate = "%.2f Hz, %+.2f %% off %g Hz" % (1e6 / period_us, off, imu.rate_hz)
    report("rate", abs(off) < 2.5, rate)
    late = [((times[k] - times[0]) & _WRAP) - (samples[k] - samples[0]) * period_us
            for k in range(len(times))]
    jitter_ms = (max(late) - min(late)) / 2000
    report("jitter", jitter_ms < 1, "+-%.2f ms around a steady pace" % jitter_ms)


async def _at_rest(imu, report):
    """Gravity, zero rate and noise of a board that lies still."""
    sums = [0] * 18
    squares = [0] * 6  # whole numbers: 24 bits of a float would not do
    imu.start_fifo()
    await _follow(sum_frames(imu, _READINGS, sums, squares))
    n = _READINGS
    means = [s / n for s in sums[:6]]
    g = [m / imu.accel_lsb_per_g for m in means[:3]]
    total = sum(v * v for v in g) ** 0.5
    report("gravity", 0.9 < total < 1.1, "%.3f g (%.2f %.2f %.2f)" % (total, g[0], g[1], g[2]))
    dps = [10 * m / imu.gyro_lsb_per_10_dps for m in means[3:]]
    worst = max(abs(v) for v in dps)
    report("zero rate", worst < 20, "%.1f %.1f %.1f deg/s at rest" % (dps[0], dps[1], dps[2]))
    noise = [(n * squares[i] - sums[i] * sums[i]) ** 0.5 / n for i in range(6)]
    mg = max(noise[:3]) * 1000 / imu.accel_lsb_per_g
    mdps = max(noise[3:]) * 10_000 / imu.gyro_lsb_per_10_dps
    silent = min(noise) == 0
    text = "%.1f mg, %d mdps" % (mg, mdps)
    if silent:
        text += ": an axis does not move at all"
    elif mg > _NOISE_MG or mdps > _NOISE_MDPS:
        text += ": more than at rest; keep the board still"
    report("noise", not silent and mg <= _NOISE_MG and mdps <= _NOISE_MDPS, text)


async def _fifo(imu, report):
    """It fills, reports it, and is empty after a restart."""
    imu.start_fifo()
    await asyncio.sleep_ms(_OVERFLOW_MS * imu.fifo_size // 512)
    size = imu.fifo_bytes()
    ok = size > imu.fifo_size - imu.fifo_frame
    imu.start_fifo()
    left = imu.fifo_bytes()
    report("FIFO", ok and left <= imu.fifo_frame, "%d of %d bytes when full, %d after a restart"
           % (size, imu.fifo_size, left))


def main(bus, address=0x68):
    """Check and print; True when everything is all right."""
    findings = []

    def report(name, ok, text):
        findings.append(ok)
        print(json.dumps({"check": name, "ok": bool(ok), "text": text}))

    asyncio.run(check(bus, address, report))
    return all(findings)
