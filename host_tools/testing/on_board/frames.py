"""main.py of a board that only samples: writes each frame that it gets to frames.bin.

bench.json: rate_hz, until_us, stalls ([board us, ms] during which the program is busy
elsewhere), interrupt_until_us (0, or until when the INT pin is connected). A frame's
record: see RECORD in ../records.py. At the end counters.json is written.
"""
import asyncio
import json
import struct
import time
from array import array

import board_clock
from drivers.i2c_bus import I2CBus
from drivers.mpu6500 import MPU6500
from machine import Pin
from sensing.ring_buffer import RingBuffer
from sensing.sampler import Sampler

with open("bench.json") as file:
    settings = json.load(file)

imu = MPU6500(I2CBus(0, scl=22, sda=21), rate_hz=settings["rate_hz"])
ring = RingBuffer(128)
pin = Pin(4, Pin.IN) if settings["interrupt_until_us"] else None
sampler = Sampler(imu, ring, pin=pin)


def both_clocks():
    """Board time and ticks_us() of the same moment, to 0.1 ms."""
    while True:
        before = board_clock.now_us()
        ticks = time.ticks_us()
        now = board_clock.now_us()
        if now - before < 200:
            return (before + now) // 2, ticks


async def stall(stalls):
    for at_us, ms in stalls:
        while board_clock.now_us() < at_us:
            await asyncio.sleep_ms(max(1, min(1000, (at_us - board_clock.now_us()) // 1000)))
        time.sleep_ms(ms)


async def cut_wire():
    """INT's wire falls off."""
    while board_clock.now_us() < settings["interrupt_until_us"]:
        await asyncio.sleep_ms(10)
    pin.irq(None)


async def main():
    asyncio.create_task(sampler.run())
    asyncio.create_task(stall(settings["stalls"]))
    if pin:
        asyncio.create_task(cut_wire())
    row = array("h", bytes(12))
    record = bytearray(36)
    with open("frames.bin", "wb") as out:
        while board_clock.now_us() < settings["until_us"]:
            await sampler.ready.wait()
            sampler.ready.clear()
            while True:
                index = ring.read_into(row)
                if index < 0:
                    break
                now, ticks = both_clocks()
                taken = now - sampler.clock.age_us(index, ticks)
                struct.pack_into("<iiqii", record, 0, index, ring.lost, taken,
                                 sampler.t_ms(index), now // 1000)
                struct.pack_into("<6h", record, 24, *row)
                out.write(record)
    counters = {}
    sampler.counters(counters)
    ring.counters(counters)
    with open("counters.json", "w") as out:
        json.dump(counters, out)


asyncio.run(main())
