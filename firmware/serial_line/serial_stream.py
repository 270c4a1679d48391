"""Samples over the serial line, instead of recognition: what `beckon record` starts.

    from serial_line import serial_stream
    serial_stream.run(rate_hz=100)          # binary frames, see stream_frame.py
    serial_stream.run(text=True)            # lines of six numbers, m/s^2 and deg/s

Runs until Ctrl-C. With a `baud` other than the console's it changes over, and goes back
when no Ctrl-C at the new rate shows that somebody hears it.
"""

import asyncio
import json
import sys
from array import array

import machine
from micropython import const

from serial_line.stream_frame import FrameWriter

_CONSOLE_BAUD = const(115200)
_RING_FRAMES = const(128)
_INFO_MS = const(1000)
_HELLOS = const(30)
_HELLO_MS = const(50)
_FEED_TURNS = const(600)
_NEVER_MS = const(2_000_000)  # a watchdog that the firmware has set goes on counting


def run(rate_hz=100, accel_g=8, gyro_dps=1000, baud=0, text=False):
    """Stream until Ctrl-C. Raises ValueError for what the sensor cannot do."""
    from ops import config
    from drivers.i2c_bus import I2CBus
    from drivers.mpu6500 import MPU6500
    from sensing.ring_buffer import RingBuffer
    from sensing.sampler import Sampler

    settings = config.load(chip_id=machine.unique_id())
    freq = min(settings.i2c_hz, 400_000)
    bus = I2CBus(settings.i2c_id, settings.i2c_scl, settings.i2c_sda, freq)
    imu = MPU6500(bus, settings.imu_address, accel_g=accel_g, gyro_dps=gyro_dps, rate_hz=rate_hz)
    ring = RingBuffer(_RING_FRAMES)
    sampler = Sampler(imu, ring)
    out = FrameWriter(sys.stdout.buffer.write)
    info = _about(settings, imu)
    changed = False
    try:
        if baud and baud != _CONSOLE_BAUD:
            changed = _change_baud(out, baud)
        if text:
            asyncio.run(_lines(sampler, ring, imu))
        else:
            asyncio.run(_frames(sampler, ring, out, info, imu, settings.take_button_pin))
    except KeyboardInterrupt:
        pass
    if not text:
        _send_info(out, info, sampler, ring)
        out.end()
    if changed:
        machine.UART(0, baudrate=_CONSOLE_BAUD)
    asyncio.new_event_loop()


def _about(settings, imu):
    try:
        with open("deployed.json") as file:
            firmware = json.loads(file.read())["version"]
    except (OSError, ValueError, KeyError, TypeError):
        firmware = None  # it was not copied by beckon deploy
    return {
        "device": settings.device,
        "firmware": firmware,
        "micropython": "%d.%d.%d" % sys.implementation[1][:3],
        "accel_g": imu.accel_g,
        "gyro_dps": imu.gyro_dps,
        "gyro_lsb_per_10_dps": imu.gyro_lsb_per_10_dps,
        "rate_hz": imu.rate_hz,
    }


def _change_baud(out, baud):
    """Change over; False if nobody hears it."""
    machine.UART(0, baudrate=baud)
    try:
        asyncio.run(_hello(out, baud))
    except KeyboardInterrupt:
        asyncio.new_event_loop()
        return True
    machine.UART(0, baudrate=_CONSOLE_BAUD)
    return False


async def _hello(out, baud):
    for _ in range(_HELLOS):
        out.info({"baud": baud})
        out.end()
        await asyncio.sleep_ms(_HELLO_MS)


def _send_info(out, info, sampler, ring):
    sampler.counters(info)
    ring.counters(info)
    info["period_1024"] = sampler.clock.period_1024
    info["uncertainty_us"] = sampler.clock.uncertainty_us
    info["fault"] = str(sampler.fault) if sampler.fault else ""
    out.info(info)


async def _frames(sampler, ring, out, info, imu, button):
    asyncio.create_task(sampler.run())
    asyncio.create_task(_infos(sampler, ring, out, info, imu))
    if button >= 0:
        from ops.button import watch

        asyncio.create_task(watch(button, lambda count: out.info({"presses": count})))
    while True:
        await sampler.ready.wait()
        sampler.ready.clear()
        out.samples(ring)


async def _infos(sampler, ring, out, info, imu):
    turn = 0
    while True:
        if not turn % _FEED_TURNS:
            _relax_watchdog()
        turn += 1
        info["sensor"] = imu.name
        info["who_am_i"] = imu.identity
        info["warning"] = imu.warning
        _send_info(out, info, sampler, ring)
        await asyncio.sleep_ms(_INFO_MS)


def _relax_watchdog():
    try:
        machine.WDT(timeout=_NEVER_MS)
    except (AttributeError, ValueError, OSError):
        pass  # a port without, or whose watchdog keeps its time


async def _lines(sampler, ring, imu):
    asyncio.create_task(sampler.run())
    row = array("h", bytes(12))
    accel = 9.80665 / imu.accel_lsb_per_g
    gyro = 10 / imu.gyro_lsb_per_10_dps
    while True:
        await sampler.ready.wait()
        sampler.ready.clear()
        while ring.read_into(row) >= 0:
            ax, ay, az, gx, gy, gz = row
            print(
                "%.4f,%.4f,%.4f,%.3f,%.3f,%.3f"  # a count at 2 g is 0.0006 m/s^2
                % (ax * accel, ay * accel, az * accel, gx * gyro, gy * gyro, gz * gyro)
            )
