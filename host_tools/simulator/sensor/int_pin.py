"""The sensor's INT pin and the status register behind it, RM registers 55 to 58."""
from __future__ import annotations

from host_tools.simulator.sensor import registers as reg

PULSE_US = 50  # length of an interrupt that is not latched


class IntPin:
    """registers: the sensor's. status_needs_enable: see SimulatedMPU6500."""

    def __init__(self, registers: bytearray, status_needs_enable: bool) -> None:
        self._registers = registers
        self._status_needs_enable = status_needs_enable
        self._until_us = 0.0
        self.edges = 0
        """How often it became active."""

    def signal(self, status: int, time_us: float) -> None:
        """Something happened: bits of INT_STATUS."""
        r = self._registers
        enabled = status & r[reg.INT_ENABLE]
        if enabled:
            pending = r[reg.INT_STATUS] & r[reg.INT_ENABLE]
            self.edges += not (pending if self._latches() else time_us < self._until_us)
            self._until_us = time_us + PULSE_US
        r[reg.INT_STATUS] |= enabled if self._status_needs_enable else status

    def skip(self, samples: int) -> None:
        """So many samples were ready that nobody looked at."""
        if self._registers[reg.INT_ENABLE] & reg.RAW_RDY and not self._latches():
            self.edges += samples

    def clear(self) -> None:
        self._registers[reg.INT_STATUS] = 0
        self._until_us = 0.0

    def level(self, now_us: int) -> int:
        """Active high unless INT_PIN_CFG says otherwise."""
        r = self._registers
        pending = r[reg.INT_STATUS] & r[reg.INT_ENABLE]
        active = bool(pending) if self._latches() else now_us < self._until_us
        return int(active != bool(r[reg.INT_PIN_CFG] & reg.ACTIVE_LOW))

    def _latches(self) -> bool:
        return bool(self._registers[reg.INT_PIN_CFG] & reg.LATCH_INT_EN)
