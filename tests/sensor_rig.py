"""The simulated sensor on a bench of its own, and the driver on CPython wired straight to it."""

import struct

from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import Rest
from host_tools.simulator.sensor.signal_chain import PartErrors

QUIET = PartErrors()
POWERED_US = 100_000  # PS table 4: registers may be used after 100 ms


class Bus:
    """A bus at 400 kHz to a simulated sensor, with a clock that its traffic moves on."""

    def __init__(self, sensor: SimulatedMPU6500, address: int = 0x68) -> None:
        self.sensor = sensor
        self.address = address
        self.now_us = 0
        self.longest_us = 0.0

    def _spend(self, count: int) -> None:
        took = (count + 3) * 9 * 2.5  # address, register, address again; 9 bits a byte
        self.longest_us = max(self.longest_us, took)
        self.now_us += round(took)

    def _find(self, address: int) -> None:
        if address != self.address:
            raise OSError(19, "nothing there")

    def readfrom_mem_into(self, address, register, buffer):
        self._find(address)
        buffer[:] = self.sensor.read(register, len(buffer), self.now_us)
        self._spend(len(buffer))

    def writeto_mem(self, address, register, buffer):
        self._find(address)
        self.sensor.write(register, bytes(buffer), self.now_us)
        self._spend(len(buffer))

    def run(self, steps) -> None:
        """Let the time pass that a generator of waits asks for."""
        for wait_ms in steps:
            self.now_us += 1000 * wait_ms

    def wait_ms(self, ms: float) -> None:
        self.now_us += round(1000 * ms)


class Chip:
    """A sensor, a clock, and the datasheet's names for what one does with it."""

    def __init__(self, movement=None, **options):
        options.setdefault("errors", QUIET)
        self.sensor = SimulatedMPU6500(movement or Rest(), **options)
        self.now_us = POWERED_US

    def read(self, register, n=1):
        out = self.sensor.read(register, n, self.now_us)
        return out if n > 1 else out[0]

    def write(self, register, *values):
        self.sensor.write(register, bytes(values), self.now_us)

    def wait(self, seconds):
        self.now_us += round(seconds * 1e6)
        self.sensor.advance(self.now_us)

    def words(self, register, n):
        return struct.unpack(f">{n}h", self.sensor.read(register, 2 * n, self.now_us))

    def fifo_count(self):
        return int.from_bytes(self.read(0x72, 2), "big")

    def start_fifo(self, mask=0x78, divider=9, config=0x03):
        self.write(0x1A, config)
        self.write(0x19, divider)
        self.wait(0.1)
        self.write(0x6A, 0x40)
        self.write(0x23, mask)
