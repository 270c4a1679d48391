"""The stand-ins of the simulated board: clock, event loop, console, bus client.

Small programs run on the real MicroPython as the board's main.py.
"""

import os
import re
import shutil
import struct
import subprocess
import threading

import pytest

from host_tools.paths import FIRMWARE
from host_tools.simulator import wire
from host_tools.simulator.asleep import sleep_deeply
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.faults import Fault
from host_tools.simulator.sensor.movement import Sines
from host_tools.simulator.unix_board import (
    DEEP_SLEEP_STATUS,
    RESET_STATUS,
    STANDINS,
    WATCHDOG_STATUS,
    power_on_settings,
)
from host_tools.testing.script_board import ScriptBoard
from host_tools.toolchain import micropython_command
from host_tools.toolchain.micropython_wheel import wheel_command, wheel_is_for_this_computer

_TIMEOUT_S = 120


def run(tmp_path, program, speed=1000, bus=("/dev/null", "/dev/null"), typed="", hold_open=True,
        heap_kib=64, interpreter=micropython_command, standins=STANDINS):  # fmt: skip
    """Start program as main.py; its status and lines. typed goes to its console."""
    (tmp_path / "main.py").write_text(program)
    process = subprocess.Popen(
        [*interpreter(), "-X", f"heapsize={64 + heap_kib}K",
         str(standins / "start.py"), str(standins),
         power_on_settings(bus, speed, 1, heap_kib * 1024)],
        cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    guard = threading.Timer(_TIMEOUT_S, process.kill)
    guard.start()
    try:
        process.stdin.write(typed)
        process.stdin.flush()
        if not hold_open:
            process.stdin.close()
        out = process.stdout.read()
        return process.wait(), out.splitlines()
    finally:
        guard.cancel()
        process.kill()
        process.wait()
        process.stdout.close()
        if hold_open:
            process.stdin.close()


def test_ticks_wrap_at_two_to_the_thirty(tmp_path):
    status, lines = run(tmp_path, """
import time
first = time.ticks_ms()
time.sleep_ms(6000)
last = time.ticks_ms()
print(first > last, time.ticks_diff(last, first), time.ticks_add((1 << 30) - 1, 2))
print(time.time(), time.gmtime(0)[0])
""")
    assert status == 0, lines
    wrapped, passed, added = lines[0].split()
    assert wrapped == "True" and 6000 <= int(passed) < 6100 and added == "1"
    assert lines[1] == "6 2000"


def test_asyncio_keeps_its_promises_in_board_time(tmp_path):
    status, lines = run(tmp_path, """
import asyncio, time

async def count(n, ms):
    for _ in range(n):
        await asyncio.sleep_ms(ms)
    return n

async def fail():
    await asyncio.sleep_ms(1)
    raise ValueError("told")

async def main():
    start = time.ticks_ms()
    print(await asyncio.gather(count(3, 2000), count(5, 1000)),
          time.ticks_diff(time.ticks_ms(), start) // 100)
    try:
        await asyncio.wait_for_ms(count(9, 1000), 2500)
    except asyncio.TimeoutError:
        print("timeout", time.ticks_diff(time.ticks_ms(), start) // 100)
    task = asyncio.create_task(count(9, 1000))
    await asyncio.sleep_ms(10)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled", task.done())
    try:
        await asyncio.create_task(fail())
    except ValueError as error:
        print("caught", error)
    event, flag, lock = asyncio.Event(), asyncio.ThreadSafeFlag(), asyncio.Lock()
    async def wait():
        await event.wait()
        await flag.wait()
        async with lock:
            return "met"
    task = asyncio.create_task(wait())
    await asyncio.sleep_ms(1)
    event.set()
    flag.set()
    print(await task)
    order = []
    async def note(i):
        order.append(i)
    await asyncio.gather(*[note(i) for i in range(5)])
    print(order)

asyncio.run(main())
""", speed=20)
    assert status == 0, lines
    assert lines == ["[3, 5] 60", "timeout 85", "cancelled True", "caught told", "met",
                     "[0, 1, 2, 3, 4]"]  # fmt: skip


def test_busy_program_cannot_make_fast_time_run_away(tmp_path):
    """At 100 times real time a busy second of the computer is not 100 s of board time."""
    status, lines = run(tmp_path, """
import asyncio, time

async def main():
    worst = 0
    for _ in range(20):
        before = time.ticks_ms()
        for _ in range(20000):  # some milliseconds of the computer's time
            pass
        worst = max(worst, time.ticks_diff(time.ticks_ms(), before))
        await asyncio.sleep_ms(1)
    print(worst)

asyncio.run(main())
""", speed=100)
    assert status == 0, lines
    assert int(lines[0]) <= 11  # board_clock._AHEAD_US, and the waited millisecond


def test_reading_the_clock_allocates_nothing(tmp_path):
    status, lines = run(tmp_path, """
import micropython, time
a = b = c = time.ticks_ms()
micropython.heap_lock()
a = time.ticks_ms(); b = time.ticks_us(); c = time.ticks_diff(time.ticks_add(a, 5), a)
micropython.heap_unlock()
print(c)
""")
    assert (status, lines) == (0, ["5"])


def test_ctrl_c_on_the_console_interrupts_the_wait(tmp_path):
    status, lines = run(tmp_path, """
import asyncio
async def main():
    await asyncio.sleep(30)
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
""", typed="x\x03")
    assert (status, lines) == (0, ["interrupted"])


def test_board_ends_when_its_host_is_gone(tmp_path):
    status, lines = run(tmp_path, """
import asyncio
async def main():
    while True:
        await asyncio.sleep_ms(100)
asyncio.run(main())
""", hold_open=False)
    assert status != 0 or lines == ["the host is gone"]


@pytest.mark.parametrize("interpreter", [
    micropython_command,
    pytest.param(wheel_command, marks=pytest.mark.skipif(
        not wheel_is_for_this_computer(), reason="there is no wheel for this computer")),
])
def test_reset_and_watchdog_end_with_their_status(tmp_path, interpreter):
    status, lines = run(tmp_path, """
import machine
try:
    machine.reset()
finally:
    print("unwound")
""", interpreter=interpreter)
    assert (status, lines) == (RESET_STATUS, [])
    status, lines = run(tmp_path, """
import asyncio, machine
watchdog = machine.WDT(timeout=500)
async def main():
    for _ in range(10):
        await asyncio.sleep_ms(100)
        watchdog.feed()
    print("fed")
    await asyncio.sleep_ms(5000)
    print("never")
asyncio.run(main())
""", interpreter=interpreter)
    assert (status, lines) == (WATCHDOG_STATUS, ["fed"])


def test_firmware_gets_the_heap_it_is_promised(tmp_path):
    status, lines = run(tmp_path, "import gc; gc.collect(); print(gc.mem_free())")
    assert status == 0
    assert 63 * 1024 < int(lines[0]) <= 64 * 1024


def test_wall_clock_is_set_by_ntp(tmp_path):
    status, lines = run(tmp_path, """
import time, ntptime
print(time.gmtime()[0])
ntptime.settime()
print(time.gmtime()[0] >= 2026, time.time() > 800000000)
import machine
print(machine.RTC().datetime()[0] >= 2026)
""")
    assert (status, lines) == (0, ["2000", "True True", "True"])


@pytest.fixture
def bus(tmp_path):
    """Two pipes with a device behind them that answers as the test says."""
    paths = tmp_path / "request", tmp_path / "reply"
    for path in paths:
        os.mkfifo(path)
    return paths


def test_client_and_server_agree_on_the_wire():
    client = (STANDINS / "machine.py").read_text()
    found = dict(re.findall(r"^_([A-Z_]+) = const\((\d+)\)", client, re.MULTILINE))
    shared = {name: int(value) for name, value in found.items() if hasattr(wire, name)}
    client = (STANDINS / "machine_interrupt.py").read_text()
    shared["OP_NEXT"] = int(re.findall(r"^_OP_NEXT = const\((\d+)\)", client, re.MULTILINE)[0])
    assert len(shared) == 9
    assert shared == {name: getattr(wire, name) for name in shared}


def test_bus_records_carry_address_register_data_and_errno(tmp_path, bus):
    seen = []

    def serve():
        with open(bus[0], "rb", buffering=0) as requests, open(bus[1], "wb", buffering=0) as out:
            while head := requests.read(wire.REQUEST_SIZE):
                op, bus_id, address, register, length, now_us = struct.unpack(wire.REQUEST, head)
                data = requests.read(length) if op == wire.OP_WRITE_MEM else b""
                seen.append((op, bus_id, address, register, length, data))
                reads = op == wire.OP_READ_MEM and address == 0x68
                status = 0 if address == 0x68 else wire.ENODEV
                body = bytes(i % 256 for i in range(length)) if reads else b""
                out.write(struct.pack(wire.RESPONSE, status, len(body), 0, 0, wire.NEVER) + body)

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    status, lines = run(tmp_path, """
import micropython
from machine import I2C, Pin
i2c = I2C(1, scl=Pin(22), sda=Pin(21))
buf = bytearray(300)
i2c.readfrom_mem_into(0x68, 0x3B, buf)
print(buf[299], buf[255])
i2c.writeto_mem(0x68, 0x6B, b"\\x80")
try:
    i2c.readfrom_mem(0x69, 0x75, 1)
except OSError as error:
    print(error.errno)
print(i2c.scan())
one = bytearray(1)
micropython.heap_lock()
i2c.readfrom_mem_into(0x68, 0x75, one)
i2c.writeto_mem(0x68, 0x19, one)
micropython.heap_unlock()
print("no heap")
""", bus=bus)
    server.join(_TIMEOUT_S)
    assert status == 0, lines
    assert lines == ["43 255", "19", "[104]", "no heap"]
    assert seen[0] == (wire.OP_READ_MEM, 1, 0x68, 0x3B, 300, b"")
    assert seen[1] == (wire.OP_WRITE_MEM, 1, 0x68, 0x6B, 1, b"\x80")


def on_a_board(tmp_path, program, sensor, speed=4):
    script = tmp_path / "script.py"
    script.write_text(program)
    with ScriptBoard(script, {(0, 0x68): sensor}, files={}, speed=speed) as board:
        assert board.wait(_TIMEOUT_S) == 0, list(board.output)
        return list(board.output)


def test_pins_of_a_bus_show_its_lines(tmp_path):
    sensor = SimulatedMPU6500(Sines())
    sensor.inject(Fault("sda_low", 50_000, value=3))
    lines = on_a_board(tmp_path, """
from machine import I2C, Pin
import time
led = Pin(2, Pin.OUT, value=0)
print(led.value(), led(), led.on(), led.value())
i2c = I2C(0, scl=Pin(22), sda=Pin(21))
scl, sda = Pin(22, Pin.OPEN_DRAIN, value=1), Pin(21, Pin.OPEN_DRAIN, value=1)
print(scl.value(), sda.value())
sda.value(0)
print(scl.value(), sda.value())
sda.on()
time.sleep_ms(100)
seen = []
for _ in range(4):
    seen.append(sda.value())
    scl.off()
    scl.on()
print(seen)
""", sensor)  # fmt: skip
    assert lines == ["0 0 None 1", "1 1", "1 0", "[0, 0, 0, 1]"]


def test_the_sensors_interrupts_reach_a_pin(tmp_path):
    lines = on_a_board(tmp_path, """
import asyncio, time
from machine import I2C, Pin
i2c = I2C(0, scl=Pin(22), sda=Pin(21))
flag = asyncio.ThreadSafeFlag()
count = [0]
def signal(pin):
    count[0] += 1
    flag.set()
async def main():
    pin = Pin(4, Pin.IN)
    i2c.writeto_mem(0x68, 0x19, b"\\x13\\x03")  # 50 Hz
    pin.irq(signal, Pin.IRQ_RISING)
    await asyncio.sleep_ms(200)
    print(count)  # it is not enabled
    i2c.writeto_mem(0x68, 0x38, b"\\x01")
    start = time.ticks_ms()
    for _ in range(50):
        await asyncio.wait_for_ms(flag.wait(), 200)
    print(time.ticks_diff(time.ticks_ms(), start), count[0])
    time.sleep_ms(1000)
    await asyncio.sleep_ms(5)
    print(count[0])  # as many as the queue holds
    pin.irq(None)
    await asyncio.sleep_ms(500)
    print(count[0])
asyncio.run(main())
""", SimulatedMPU6500(Sines()))  # fmt: skip
    assert lines[0] == "[0]"
    ms, after = map(int, lines[1].split())
    assert 50 <= after <= ms / 20 + 2
    assert 8 <= int(lines[2]) - after <= 12
    assert lines[3] == lines[2]


def test_buses_and_addresses_that_cannot_be(tmp_path):
    lines = on_a_board(tmp_path, """
from drivers.i2c_bus import I2CBus
from drivers.mpu6500 import MPU6500
from ops import config
def attempt(make, *arguments, **named):
    try:
        make(*arguments, **named)
        print("made")
    except ValueError as error:
        print(error)
attempt(I2CBus, 0, 22, 22)
attempt(I2CBus, 0, 22, 48)
_, _, least, most = config.SETTINGS["i2c_hz"]
for freq in (least - 1, least, most, most + 1):
    attempt(I2CBus, 0, 22, 21, freq)
_, _, least, most = config.SETTINGS["imu_address"]
for address in (least - 1, least, most, most + 1):
    attempt(MPU6500, None, address)
""", SimulatedMPU6500(Sines()))  # fmt: skip
    assert "two pins, not both 22" in lines[0]
    assert "scl 22, sda 48: invalid pin" in lines[1]
    # What the settings allow is what bus and driver take.
    assert lines[3:5] == lines[7:9] == ["made", "made"]
    assert "10000 to 400000 Hz, not 9999" in lines[2] and "not 400001" in lines[5]
    assert "0x68 or 0x69, not 103" in lines[6] and "not 106" in lines[9]


def test_a_sampler_started_again_keeps_its_one_waker(tmp_path):
    status, lines = run(tmp_path, f"import sys; sys.path.append({str(FIRMWARE)!r})" + """
import asyncio
from machine import I2C, Pin
from sensing.ring_buffer import RingBuffer
from sensing.sampler import Sampler

class Imu:
    fifo_size, fifo_frame, period_us, rate_hz = 512, 12, 10_000, 100
    def bring_up(self):
        raise OSError(19)

async def main():
    sampler = Sampler(Imu(), RingBuffer(8), pin=Pin(4))
    started = []
    waker = sampler._data_ready._wake_anyway
    sampler._data_ready._wake_anyway = lambda: started.append(1) or waker()
    for _ in range(3):
        task = asyncio.create_task(sampler.run())
        await asyncio.sleep_ms(50)
        task.cancel()
    print(len(started), sampler.fault)
Pin.irq = lambda self, *options: None  # there is no bus to ask
asyncio.run(main())
""", heap_kib=256)
    assert (status, lines) == (0, ["1 [Errno 19] ENODEV"])


def test_only_the_interrupt_that_the_firmware_needs(tmp_path):
    status, lines = run(tmp_path, """
from machine import Pin
try:
    Pin(4).irq(print, 2)
except ValueError as error:
    print(error)
""")
    assert status == 0 and "IRQ_RISING" in lines[0]


def test_sleep_ends_by_timer_or_pin_and_wakes_with_what_an_esp32_keeps(tmp_path):
    """Light sleep runs board time on, the watchdog with it; deep sleep is the host's."""
    folder = tmp_path / "standins"
    shutil.copytree(STANDINS, folder)
    program = """
import esp32, machine, time
machine.RTC().memory(b"kept")
print(machine.RTC().memory(), machine.wake_reason())
began = time.ticks_ms()
machine.lightsleep(5000)
print(time.ticks_diff(time.ticks_ms(), began) // 100, machine.wake_reason() == machine.TIMER_WAKE)
try:
    esp32.wake_on_ext0(machine.Pin(5), esp32.WAKEUP_ANY_HIGH)
except ValueError as error:
    print(error)
wdt = machine.WDT(timeout=1000)
machine.WDT(timeout=9000)
wdt.feed()  # there is only one
machine.lightsleep(5000)
time.sleep_ms(10)
print("alive")
machine.deepsleep(7000)
"""
    status, lines = run(tmp_path, program, standins=folder)
    assert (status, lines) == (DEEP_SLEEP_STATUS, ["b'kept' 0", "50 True", "invalid pin", "alive"])
    assert (folder / "deepsleep").read_text().startswith("7000 -1 1 ")
    assert len((folder / "asleep").read_text().splitlines()) == 2


class _Clocked:
    """A device that only lets time pass; INT rises at high_us."""

    def __init__(self, high_us):
        self.now_us, self.high_us = 1_000_000, high_us

    def int_level(self, now_us):
        self.now_us = max(self.now_us, now_us)
        return int(now_us >= self.high_us)

    def advance(self, now_us):
        self.now_us = now_us


@pytest.mark.parametrize("wired, high_us, reason, slept_us", [
    (True, 3_000_000, "2", 2_000_000), (True, 99_000_000, "4", 7_000_000),
    (False, 3_000_000, "4", 7_000_000),
])  # fmt: skip
def test_the_host_sleeps_deeply_until_pin_or_timer(tmp_path, wired, high_us, reason, slept_us):
    (tmp_path / "deepsleep").write_text("7000 34 1 500000")
    if wired:
        (tmp_path / "int34").touch()
    device = _Clocked(high_us)
    nap = sleep_deeply(tmp_path, {(0, 0x68): device}, 20, 250_000, lambda: False)
    assert nap.ended_us - nap.began_us == slept_us
    assert device.now_us == 1_000_000 + slept_us + 250_000  # and the start takes time
    assert (tmp_path / "wake").read_text() == reason
    assert int((tmp_path / "rtc_time").read_text()) == 500_000 + slept_us + 250_000
