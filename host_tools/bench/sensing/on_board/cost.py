"""MicroPython side: what draining costs besides the bus, and what it allocates.

The sampler's own loop runs over a bus that costs next to nothing, in a time that
is made up: 100 Hz, looked at each 30 ms. The same bus calls and waits without the
sampler are measured turn about and taken off. Prints JSON.
"""
import gc
import json
import micropython
import time

from sensing import sampler
from drivers.mpu6500 import MPU6500
from sensing.ring_buffer import RingBuffer
from sensing.sampler import Sampler

_PERIOD_US = 10_000
_FRAMES = 3  # a look, at 100 Hz
_ROUNDS = 401
_LOOKS = 60

now = [0]


def ticks_us():
    return now[0]


def ticks_ms():
    return now[0] // 1000


class Pause:
    """What asyncio.sleep_ms gives: an iterator that yields once."""

    done = True
    over = StopIteration()  # made once, as asyncio does

    def __iter__(self):
        return self

    def __next__(self):
        if self.done:
            self.done = False
            return None
        self.done = True
        self.over.__traceback__ = None
        raise self.over


_pause = Pause()


class FakeAsyncio:
    Event = sampler.asyncio.Event

    @staticmethod
    def sleep_ms(ms):
        now[0] += 1000 * ms
        return _pause


class Bus:
    """Registers and a FIFO that fills by the made-up time."""

    def __init__(self):
        self.registers = bytearray(128)
        self.registers[0x6B] = 1
        self.registers[0x75] = 0x70
        self.popped = 0
        self.start_us = 0
        self.steady = False

    def readfrom_mem_into(self, address, register, buffer):
        if register == 0x72:
            now[0] += 60
            n = 12 * ((now[0] - self.start_us) // _PERIOD_US - self.popped)
            buffer[0] = n >> 8
            buffer[1] = n & 255
        elif register == 0x74:
            self.popped += len(buffer) // 12
            if not self.steady:
                self.fill(buffer)
        elif not self.steady:
            for i in range(len(buffer)):
                buffer[i] = self.registers[register + i]

    def fill(self, buffer):
        for i in range(len(buffer)):
            buffer[i] = (i * 37 + 11) & 0x7F
        for i in range(6):
            self.registers[0x3B + i] = buffer[len(buffer) - 12 + i]
            self.registers[0x43 + i] = buffer[len(buffer) - 6 + i]

    def writeto_mem(self, address, register, buffer):
        if register == 0x6B and buffer[0] & 0x80:
            return
        self.registers[register] = buffer[0]
        if register == 0x6A and buffer[0] & 4:
            self.registers[0x6A] = 0
            self.popped = 0
            self.start_us = now[0]


sampler.ticks_us = ticks_us
sampler.ticks_ms = ticks_ms
sampler.asyncio = FakeAsyncio

bus = Bus()
imu = MPU6500(bus)
ring = RingBuffer(128)
task = Sampler(imu, ring)
for _ in imu.bring_up():
    pass
imu.start_fifo()
task.reader.start(now[0], imu.fifo_frame, imu.fifo_size, imu.fifo_stops)
stream = task._stream()
for _ in range(3000):
    stream.send(None)
assert task.clock.settled
for _ in range(2):
    before = bus.popped
    stream.send(None)
    assert bus.popped - before == _FRAMES, bus.popped - before
bus.steady = True


def idle():
    """The same calls to bus and clock, and the same wait."""
    two = bytearray(2)
    frames = bytearray(12 * _FRAMES)
    other = bytearray(14)
    steady = bus
    while True:
        ticks_us()
        steady.readfrom_mem_into(0x68, 0x72, two)
        ticks_us()
        steady.readfrom_mem_into(0x68, 0x74, frames)
        steady.readfrom_mem_into(0x68, 0x3B, other)
        steady.readfrom_mem_into(0x68, 0x6A, other)
        steady.readfrom_mem_into(0x68, 0x19, other)
        ticks_us()
        FakeAsyncio.sleep_ms(30)
        yield from _pause


def turn(run, looks):
    send = run.send
    start = time.ticks_us()
    for _ in range(looks):
        send(None)
    return time.ticks_diff(time.ticks_us(), start)


nothing = idle()
with_sampler = []
without = []
for _ in range(_ROUNDS):
    before = bus.popped
    us = turn(stream, _LOOKS)
    # The clock sometimes wants a few looks in between; they are part of the cost.
    popped, made_up = bus.popped, now[0]
    with_sampler.append(us / (popped - before))
    without.append(turn(nothing, _LOOKS) / (popped - before))
    bus.popped, now[0] = popped, made_up
with_sampler.sort()
without.sort()

gc.collect()
gc.disable()
allocated = []
for looks in (0, 1000):  # what the measuring itself takes, and that and a thousand looks
    before = gc.mem_alloc()
    turn(stream, looks)
    allocated.append(gc.mem_alloc() - before)
gc.enable()
locked = True
micropython.heap_lock()
try:
    for _ in range(1000):
        stream.send(None)
except MemoryError:
    locked = False
micropython.heap_unlock()
assert task.frames.passed == bus.popped and not task._counts, task._counts
print(
    json.dumps(
        {
            # Lower quartiles, as other programs run beside: they only ever add to it.
            "drain_us_per_sample": with_sampler[_ROUNDS // 4] - without[_ROUNDS // 4],
            "bus_us_per_sample": without[_ROUNDS // 4],
            "alloc_bytes": allocated[1] - allocated[0],
            "heap_locked": locked,
        }
    )
)
