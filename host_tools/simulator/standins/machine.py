"""Stand-in for `machine`: an ESP32's I2C, pins and reset.

I2C transactions go through two named pipes to the host, where the simulated
sensors are (host_tools/simulator/wire.py describes the records). Errors carry
the numbers that an ESP32 gives.
"""

import os
import sys

import board_clock as clock
from micropython import const

# As in wire.py, which a test compares; a module of names would take heap here.
_REQUEST_SIZE = const(16)
_RESPONSE_SIZE = const(16)
_OP_READ_MEM = const(0)
_OP_WRITE_MEM = const(1)
_OP_PROBE = const(2)
_OP_READ = const(3)
_OP_WRITE = const(4)
_OP_LINES = const(6)

PWRON_RESET = 1
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_RESET_STATUS = const(42)  # the process's exit status that asks the host for a new boot
_ADDRESS_MASK = const(0x7F)
_LATENCY_US = const(400)  # of a transaction, with what MicroPython does around it on an ESP32
_BYTE_US = const(23)  # 9 bits at 400 kHz

_requests = None  # the pipes, opened by power_on.py
_responses = None
_unique_id = b"\x24\x0a\xc4\x00\x00\x01"
_lines = {}  # GPIO that carries a bus: (its I2C, 1 for SCL or 2 for SDA)
_reset_cause = PWRON_RESET
_freq_hz = 160_000_000


class I2C:
    """Hardware I2C: the same arguments and errors as on an ESP32."""

    def __init__(self, id=0, *, scl=None, sda=None, freq=400000, timeout=50000):
        self._id = id
        self._request = bytearray(_REQUEST_SIZE)
        self._response = bytearray(_RESPONSE_SIZE)
        self._drive = 3  # the lines as this board drives them as GPIOs; 1 is released
        if scl is not None:
            _lines[scl._id] = self, 1
            _lines[sda._id] = self, 2

    def _line(self, id, x):
        """Drive SCL (id 1) or SDA (2), unless x is None; the level that is there."""
        if x is not None:
            self._drive = self._drive & ~id | (id if x else 0)
        level = bytearray(1)
        self._transact(_OP_LINES, 0, self._drive, 0, None, level)
        return int(level[0] & id != 0)

    def _transact(self, op, addr, memaddr, nbytes, out, buf):
        request = self._request
        began_us = now_us = clock.now_us()
        request[0] = op
        request[1] = self._id
        request[2] = addr & _ADDRESS_MASK
        request[3] = memaddr
        request[4] = nbytes & 0xFF
        request[5] = nbytes >> 8
        for i in range(8):
            request[8 + i] = now_us & 0xFF
            now_us >>= 8
        try:
            _requests.write(request)
            if out is not None:
                _requests.write(out)
        except OSError:  # nobody reads: the host is gone, and the board with it
            exit(1)
        response = self._response
        _fill(response)
        count = response[2] | response[3] << 8
        if count and buf is not None:
            _fill(buf)
        clock.took(began_us, _LATENCY_US + _BYTE_US * nbytes)
        status = response[0] | response[1] << 8
        if status:
            raise OSError(status)
        return count

    def scan(self):
        found = []
        for address in range(0x08, 0x78):
            try:
                self._transact(_OP_PROBE, address, 0, 0, None, None)
                found.append(address)
            except OSError:
                pass
        return found

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        self._transact(_OP_READ_MEM, addr, memaddr, len(buf), None, buf)

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        buf = bytearray(nbytes)
        self._transact(_OP_READ_MEM, addr, memaddr, nbytes, None, buf)
        return bytes(buf)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        self._transact(_OP_WRITE_MEM, addr, memaddr, len(buf), buf, None)

    def readfrom_into(self, addr, buf, stop=True):
        self._transact(_OP_READ, addr, 0, len(buf), None, buf)

    def readfrom(self, addr, nbytes, stop=True):
        buf = bytearray(nbytes)
        self.readfrom_into(addr, buf)
        return bytes(buf)

    def writeto(self, addr, buf, stop=True):
        self._transact(_OP_WRITE, addr, 0, len(buf), buf, None)
        return len(buf)


SoftI2C = I2C


def _fill(buf):
    count = _responses.readinto(buf)
    if count == len(buf):
        return
    view = memoryview(buf)
    while count < len(buf):
        more = _responses.readinto(view[count:])
        if not more:
            exit(1)
        count += more


class Pin:
    """A GPIO. Those of a bus have the level that board and sensor make of it; any one with
    an irq() is taken to be wired to the sensor's INT.
    """

    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1

    def __init__(self, id, mode=-1, pull=-1, *, value=None):
        if not 0 <= id < 40:
            raise ValueError("invalid pin")
        self._id = id
        self._value = 1
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None):
        if pull == Pin.PULL_DOWN:
            self._value = 0
        if value is not None:
            self.value(value)

    def value(self, x=None):
        if x is not None:
            self._value = x
        if self._id in _lines:
            bus, line = _lines[self._id]
            level = bus._line(line, x)
            return level if x is None else None
        if x is None:
            try:  # the host holds a button down by making this file
                os.stat("%s/pin%d" % (sys.argv[1], self._id))
                return 0
            except OSError:
                pass
            try:  # wired to the sensor's INT
                os.stat("%s/int%d" % (sys.argv[1], self._id))
            except OSError:
                return self._value
            return __getattr__("int_level")()

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def __getattr__(self, name):
        """irq, which few programs use."""
        return __getattr__(name)(self)


def __getattr__(name):
    """What few programs use lies in a file of its own, to spare the heap."""
    if name == "WDT":
        import machine_watchdog as more
    elif name == "Timer":
        import machine_timer as more
    elif name == "irq":
        import machine_interrupt as more
    elif "sleep" in name or name in ("wake_reason", "TIMER_WAKE", "int_level"):
        import machine_sleep as more
    else:
        import machine_more as more
    return getattr(more, name)


def unique_id():
    return _unique_id


def freq(x=None):
    global _freq_hz
    if x is None:
        return _freq_hz
    _freq_hz = x


def reset_cause():
    return _reset_cause


def reset():
    exit(_RESET_STATUS)


soft_reset = reset


def idle():
    clock.sleep_us(1000)


def exit(x):
    """End the process at once, without unwinding, as a reset does."""
    try:
        import ffi

        ffi.open(None).func("v", "_exit", "i")(x)
    except ImportError:  # the interpreter out of the wheel: toolchain/on_wheel.py
        import os

        os.putenv("BECKON_EXIT_STATUS", str(x))
        os.system("kill -USR1 $PPID")
