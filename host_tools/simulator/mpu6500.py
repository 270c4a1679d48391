"""A register-level MPU-6500 with its own sample clock, for a bus without a chip.

    sensor = SimulatedMPU6500(RecordedMovement(t_ms, values), clock_error_ppm=10_000)
    sensor.write(0x6B, b"\\x01", now_us)
    sensor.read(0x75, 1, now_us)      # b"\\x70"

Time comes with every access: microseconds of the board's clock, never falling.
Between two accesses the sensor samples as its registers tell it to. RM and PS
are RM-MPU-6500A-00 rev 2.1 and PS-MPU-6500A-01 rev 1.3.
"""
from __future__ import annotations

import struct
from array import array
from typing import Any

import numpy as np

from host_tools.simulator import wire
from host_tools.simulator.sensor import tables
from host_tools.simulator.sensor.chain import ChainSettings, PartErrors, SignalChain
from host_tools.simulator.sensor.fifo import Fifo

SMPLRT_DIV, CONFIG, GYRO_CONFIG, ACCEL_CONFIG, ACCEL_CONFIG2 = 0x19, 0x1A, 0x1B, 0x1C, 0x1D
LP_ACCEL_ODR, WOM_THR, FIFO_EN, INT_PIN_CFG, INT_ENABLE = 0x1E, 0x1F, 0x23, 0x37, 0x38
INT_STATUS, ACCEL_OUT, TEMP_OUT, GYRO_OUT = 0x3A, 0x3B, 0x41, 0x43
SIGNAL_PATH_RESET, USER_CTRL, PWR_MGMT_1, PWR_MGMT_2 = 0x68, 0x6A, 0x6B, 0x6C
FIFO_COUNT_H, FIFO_COUNT_L, FIFO_R_W, WHO_AM_I = 0x72, 0x73, 0x74, 0x75

RAW_RDY, FIFO_OFLOW, WOM = 0x01, 0x10, 0x40
FIFO_ACCEL, FIFO_TEMP, FIFO_GYRO = 0x08, 0x80, 0x70
_READ_ONLY = frozenset((*range(0x3A, 0x61), FIFO_COUNT_H, FIFO_COUNT_L, WHO_AM_I))
# Every register whose value the way or the rate of samples depends on.
_SHAPING = frozenset((*range(0x13, 0x20), PWR_MGMT_1, PWR_MGMT_2, *range(0x77, 0x7F)))
_CLOCKING = frozenset((SMPLRT_DIV, CONFIG, GYRO_CONFIG, LP_ACCEL_ODR, PWR_MGMT_1))
_BLOCK = 32  # samples computed ahead

ACCEL_START_US = 20_000  # from sleep to valid output, PS table 2
GYRO_START_US = 35_000  # PS table 1


class SimulatedMPU6500:
    """The chip, from its registers down to the movement.

    movement: see sensor/movement.py. Its time zero is the first sample latched
    after the FIFO was first enabled; before that it stands at its beginning.
    clock_error_ppm: how much too fast the chip's sample clock runs; +10000 is the
    data sheet's limit of 1 %.
    filters: whether the digital low-pass filters filter. None, the default: only
    a movement that has not been through a sensor's filter already. A recording has,
    and goes through unchanged but for range and rounding.
    errors: bias, scale and noise of this part. None: noise as in the data sheet for
    a movement that is no recording, else nothing.
    reset_us: how long the chip answers nothing after a reset; not documented.

    Attributes for the host: `frames_latched`, `overflow_bytes`, `ended`, and the
    truth about every tick of the sample clock since the first frame:
    `true_times_us` and `true_counts` (n, 6). A restart of that clock (reset,
    sleep, another rate) is noted in `restarts` as the number of ticks before it.
    """

    def __init__(
        self,
        movement: Any,
        *,
        clock_error_ppm: float = 0.0,
        filters: bool | None = None,
        errors: PartErrors | None = None,
        temperature_c: float = 25.0,
        reset_us: int = 5_000,
        seed: int = 0,
    ) -> None:
        recorded = getattr(movement, "filtered", False)
        self.movement = movement
        self.clock_error_ppm = clock_error_ppm
        self.reset_us = reset_us
        self._rng = np.random.default_rng(seed)
        if errors is None:
            errors = PartErrors(noise=0.0 if recorded else 1.0)
        self._chain = SignalChain(
            movement, errors, not recorded if filters is None else filters, self._rng
        )
        self.temperature_c = temperature_c
        self.frames_latched = 0
        self.true_times_us = array("d")
        self._true_bytes = bytearray()
        self.restarts: list[int] = []
        self._following = False  # ticks are noted: the FIFO ran since the clock started
        self._zero_us: float | None = None
        self.registers = bytearray(128)
        self.fifo = Fifo(512)
        self._now_us = 0
        self._count_latch = 0
        self._spi_register = -1
        self._spi_reading = False
        self._silent_until_us = 0
        self._int_until_us = 0.0
        self._reset(0)

    # -- what the host asks ---------------------------------------------------------

    @property
    def overflow_bytes(self) -> int:
        return self.fifo.lost_bytes

    @property
    def true_counts(self):
        """int16 (n, 6): what the sample clock's ticks measured."""
        return np.frombuffer(bytes(self._true_bytes), ">i2").reshape(-1, 6).astype(np.int16)

    @property
    def ended(self) -> bool:
        """Whether the movement is over."""
        duration = getattr(self.movement, "duration_s", None)
        if duration is None or self._zero_us is None:
            return False
        return self._now_us - self._zero_us > duration * 1e6

    @property
    def temperature_c(self) -> float:
        return self._chain.temperature_c

    @temperature_c.setter
    def temperature_c(self, value: float) -> None:
        self._chain.temperature_c = value
        self._block_first = -1
        self._block: bytes = b""

    # -- the bus --------------------------------------------------------------------

    def read(self, register: int, n: int, now_us: int) -> bytes:
        """n registers from `register` on; raises OSError where the chip would not answer."""
        self.advance(now_us)
        self._check_answering()
        if register == FIFO_R_W:
            out = self._pop_fifo(n)
        elif register in (INT_STATUS, FIFO_COUNT_H) or register + n > INT_STATUS:
            out = self._read_with_effects(register, n)
        else:
            out = bytes(self.registers[register : register + n])
        if n and self.registers[INT_PIN_CFG] & 0x10:  # INT_ANYRD_2CLEAR
            self._clear_interrupts()
        return out

    def write(self, register: int, data: bytes, now_us: int) -> None:
        self.advance(now_us)
        self._check_answering()
        for value in data:
            self._write_one(register, value)
            if register != FIFO_R_W:
                register = (register + 1) & 0x7F

    def spi(self, data: bytes, select: bool, now_us: int) -> bytes:
        """Full-duplex bytes; with `select` the first one is R/W bit and register, PS 6.5."""
        self.advance(now_us)
        out = bytearray()
        for value in data:
            if select:
                select = False
                self._spi_register, self._spi_reading = value & 0x7F, bool(value & 0x80)
                out.append(0)
                continue
            if self._spi_reading:
                out += self.read(self._spi_register, 1, now_us)
            else:
                self.write(self._spi_register, bytes((value,)), now_us)
                out.append(0)
            if self._spi_register != FIFO_R_W:
                self._spi_register = (self._spi_register + 1) & 0x7F
        return bytes(out)

    def next_data_ready_us(self, now_us: int) -> int | None:
        """When the next sample is latched, or None while the chip sleeps."""
        self.advance(now_us)
        return None if self._next_us is None else int(np.ceil(self._next_us))

    def int_level(self, now_us: int) -> int:
        """Level of the INT pin: active high unless INT_PIN_CFG says otherwise."""
        self.advance(now_us)
        r = self.registers
        pending = r[INT_STATUS] & r[INT_ENABLE]
        active = bool(pending) if r[INT_PIN_CFG] & 0x20 else now_us < self._int_until_us
        return int(active) ^ (r[INT_PIN_CFG] >> 7)

    # -- time -----------------------------------------------------------------------

    def advance(self, now_us: int) -> None:
        """Sample up to now_us."""
        if now_us > self._now_us:
            self._now_us = now_us
        next_us = self._next_us
        if next_us is None or now_us < next_us:
            return
        n = int((now_us - next_us) // self._period_us) + 1
        if not (self._following or self._fifo_on()):
            # Nobody sees these but as the output registers' last state.
            self._tick += n - 1
            n = 1
        for _ in range(n):
            self._latch()

    def _fifo_on(self) -> bool:
        return bool(self.registers[USER_CTRL] & 0x40 and self.registers[FIFO_EN] & 0xF8)

    def _restart_clock(self) -> None:
        r = self.registers
        self._block_first = -1
        if self._following:
            self._following = False
            self.restarts.append(len(self.true_times_us))
        power = r[PWR_MGMT_1]
        if power & 0x40 or power & 7 == 7:  # SLEEP, or the clock stopped
            self._next_us = None
            return
        if power & 0x20:  # CYCLE: the low-power accelerometer
            rate_hz = tables.LOW_POWER_HZ[min(r[LP_ACCEL_ODR] & 15, 11)]
            period = 1e6 / rate_hz
        else:
            gyro = tables.gyro_filter(r[GYRO_CONFIG], r[CONFIG])
            # RM page 12: the divider works only behind a filter that runs at 1 kHz.
            divider = 1 + r[SMPLRT_DIV] if gyro.rate_hz == 1000 else 1
            period = 1e6 / gyro.rate_hz * divider
        self._period_us = period / (1 + self.clock_error_ppm * 1e-6)
        self._origin_us = float(self._now_us)
        self._tick = 0
        self._next_us = self._origin_us + self._period_us

    def _latch(self) -> None:
        """One tick of the sample clock."""
        time_us = self._origin_us + (self._tick + 1) * self._period_us
        to_fifo = self._fifo_on()
        if to_fifo and self._zero_us is None:
            self._zero_us = time_us
            self._block_first = -1
        row = self._row(time_us)
        r = self.registers
        if time_us < self._accel_ready_us:
            row = bytes(6) + row[6:]
        if time_us < self._gyro_ready_us:
            row = row[:6] + bytes(6)
        off = r[PWR_MGMT_2] & 0x3F
        if off:
            row = self._hold_standby(row, off)
        temperature = self._temperature_bytes()
        r[ACCEL_OUT:TEMP_OUT] = row[:6]
        r[TEMP_OUT:GYRO_OUT] = temperature
        r[GYRO_OUT : GYRO_OUT + 6] = row[6:]
        status = RAW_RDY
        if to_fifo:
            self._following = True
            self.frames_latched += 1
            if self.fifo.push(self._fifo_frame(row, temperature), bool(r[CONFIG] & 0x40)):
                status |= FIFO_OFLOW
        if self._following:
            self.true_times_us.append(time_us)
            self._true_bytes += row
        r[INT_STATUS] |= status
        if status & r[INT_ENABLE]:
            self._int_until_us = time_us + 50  # RM register 55
        self._tick += 1
        self._next_us = self._origin_us + (self._tick + 1) * self._period_us

    def _row(self, time_us: float) -> bytes:
        """Twelve bytes, ax ay az gx gy gz, of the tick under way."""
        k = self._tick - self._block_first
        if self._block_first < 0 or k >= _BLOCK:
            counts = self._chain.counts(
                time_us, self._period_us, _BLOCK, self._zero_us, self._chain_settings()
            )
            self._block = counts.astype(">i2").tobytes()
            self._block_first = self._tick
            k = 0
        return self._block[12 * k : 12 * k + 12]

    def _chain_settings(self) -> ChainSettings:
        r = self.registers
        return ChainSettings(
            accel_lsb_per_g=tables.ACCEL_LSB_PER_G[r[ACCEL_CONFIG] >> 3 & 3],
            gyro_lsb_per_dps=tables.GYRO_LSB_PER_DPS[r[GYRO_CONFIG] >> 3 & 3],
            accel_filter=tables.accel_filter(r[ACCEL_CONFIG2]),
            gyro_filter=tables.gyro_filter(r[GYRO_CONFIG], r[CONFIG]),
        )

    def _hold_standby(self, row: bytes, off: int) -> bytes:
        held = bytearray(row)
        old = self.registers[ACCEL_OUT:TEMP_OUT] + self.registers[GYRO_OUT : GYRO_OUT + 6]
        for axis in range(6):
            if off & 0x20 >> axis:
                held[2 * axis : 2 * axis + 2] = old[2 * axis : 2 * axis + 2]
        return bytes(held)

    def _temperature_bytes(self) -> bytes:
        if self.registers[PWR_MGMT_1] & 0x08:  # TEMP_DIS
            return bytes(self.registers[TEMP_OUT:GYRO_OUT])
        raw = round(
            (self.temperature_c - tables.TEMPERATURE_ZERO_C) * tables.TEMPERATURE_LSB_PER_C
        )
        return struct.pack(">h", max(-32768, min(32767, raw)))

    def _fifo_frame(self, row: bytes, temperature: bytes) -> bytes:
        """The enabled fields in the order of their registers, RM register 35."""
        mask = self.registers[FIFO_EN]
        if mask & 0xF8 == 0x78:
            return row
        out = row[:6] if mask & FIFO_ACCEL else b""
        if mask & FIFO_TEMP:
            out += temperature
        for axis in range(3):
            if mask & 0x40 >> axis:
                out += row[6 + 2 * axis : 8 + 2 * axis]
        return out

    # -- registers ------------------------------------------------------------------

    def _check_answering(self) -> None:
        if self._now_us < self._silent_until_us:
            raise OSError(wire.ENODEV, "the chip is in its reset")

    def _reset(self, silent_us: int) -> None:
        r = self.registers
        for i in range(128):
            r[i] = 0
        r[PWR_MGMT_1] = 0x01
        r[WHO_AM_I] = 0x70
        self.fifo.clear()
        self._count_latch = 0
        self._silent_until_us = self._now_us + silent_us
        self._wake()
        self._restart_clock()

    def _wake(self) -> None:
        self._accel_ready_us = self._now_us + ACCEL_START_US
        self._gyro_ready_us = self._now_us + GYRO_START_US

    def _clear_interrupts(self) -> None:
        self.registers[INT_STATUS] = 0
        self._int_until_us = 0.0

    def _pop_fifo(self, n: int) -> bytes:
        # RM register 106: without FIFO_EN the serial interface has no access.
        if not self.registers[USER_CTRL] & 0x40:
            return bytes(n)
        return self.fifo.pop(n)

    def _read_with_effects(self, register: int, n: int) -> bytes:
        out = bytearray()
        for i in range(n):
            at = (register + i) & 0x7F
            if at == FIFO_R_W:  # the address stays here for the rest of the burst
                return bytes(out) + self._pop_fifo(n - i)
            if at == FIFO_COUNT_H:
                self._count_latch = len(self.fifo)
                out.append(self._count_latch >> 8)
            elif at == FIFO_COUNT_L:
                out.append(self._count_latch & 0xFF)
            elif at == INT_STATUS:
                out.append(self.registers[INT_STATUS])
                self._clear_interrupts()
            else:
                out.append(self.registers[at])
        return bytes(out)

    def _write_one(self, register: int, value: int) -> None:
        r = self.registers
        if register in _READ_ONLY:
            return
        if register == PWR_MGMT_1:
            if value & 0x80:
                self._reset(self.reset_us)
                return
            if r[PWR_MGMT_1] & 0x40 and not value & 0x40:
                self._wake()
        elif register == USER_CTRL:
            if value & 0x04:
                self.fifo.clear()
            if value & 0x01:  # SIG_COND_RST also clears the sensor registers
                r[ACCEL_OUT:0x61] = bytes(0x61 - ACCEL_OUT)
            value &= 0xF0  # the low four clear themselves
        elif register == FIFO_R_W:
            self.fifo.push(bytes((value,)), bool(r[CONFIG] & 0x40))
            return
        elif register == SIGNAL_PATH_RESET:
            value = 0
        elif register == PWR_MGMT_2 and r[PWR_MGMT_2] & ~value & 0x07:
            self._gyro_ready_us = self._now_us + GYRO_START_US
        changed = r[register] != value
        r[register] = value
        if changed and register in _CLOCKING:
            self._restart_clock()
        if changed and register in _SHAPING:
            self._block_first = -1
