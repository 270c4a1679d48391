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
from collections.abc import Callable
from typing import Any

import numpy as np

from host_tools.simulator.sensor import registers as reg
from host_tools.simulator.sensor import tables, variants
from host_tools.simulator.sensor.faults import Fault, Faults
from host_tools.simulator.sensor.fifo import Fifo
from host_tools.simulator.sensor.ground_truth import GroundTruth
from host_tools.simulator.sensor.int_pin import IntPin
from host_tools.simulator.sensor.signal_chain import PartErrors, SignalChain
from host_tools.simulator.sensor.trim import Trim

_BLOCK = 32  # samples computed ahead

ACCEL_START_US = 20_000  # from sleep to valid output, PS table 2
GYRO_START_US = 35_000  # PS table 1


class SimulatedMPU6500:
    """The chip, from its registers down to the movement.

    movement: see sensor/movement.py. Its time zero is the first sample latched
    after the FIFO was first enabled; before that it stands at its beginning.
    part: an identity of the family, see sensor/variants.py.
    clock_error_ppm: how much too fast the chip's sample clock runs; +10000 is the
    data sheet's limit of 1 %.
    filters: whether the digital low-pass filters filter. None, the default: only
    a movement that has not been through a sensor's filter already. A recording has,
    and goes through unchanged but for range and rounding.
    errors: bias, scale and noise of this part. None: noise as in the data sheet for
    a synthetic movement, nothing for a recording.
    self_test_ratio: response of gyroscope and accelerometer to the self-test over
    what the factory noted; 1 is a good part.
    reset_us, reset_answers: how long a reset takes, and whether the chip answers
    meanwhile, with DEVICE_RESET set and deaf to writes, or not at all. Not documented;
    drivers that poll the bit after 1 ms work on real parts.
    status_needs_enable: whether an interrupt's status bit stays 0 while the
    interrupt is not enabled; not documented either.
    seed: of the noise and of the factory's trim values.

    Attributes for the host: `frames_latched`, `overflow_bytes`, `ended`, `played_s`,
    `truth` (see sensor/ground_truth.py), `faults`, `temperature_c`, `int_edges` (how often INT
    became active).
    """

    def __init__(
        self,
        movement: Any,
        *,
        part: str = "MPU6500",
        clock_error_ppm: float = 0.0,
        filters: bool | None = None,
        errors: PartErrors | None = None,
        temperature_c: float = 25.0,
        self_test_ratio: tuple[float, float] = (1.0, 1.0),
        reset_us: int = 5_000,
        reset_answers: bool = True,
        status_needs_enable: bool = False,
        seed: int = 0,
    ) -> None:
        recorded = getattr(movement, "filtered", False)
        self.movement = movement
        self.part = variants.part_named(part)
        self.clock_error_ppm = clock_error_ppm
        self.reset_us = reset_us
        self.reset_answers = reset_answers
        rng = np.random.default_rng(seed)
        if errors is None:
            errors = PartErrors(noise=0.0 if recorded else 1.0)
        self._trim = Trim(rng, self.part, self_test_ratio)
        filtering = not recorded if filters is None else filters
        self._chain = SignalChain(movement, errors, filtering, rng)
        self.temperature_c = temperature_c
        self.frames_latched = 0
        self.truth = GroundTruth()
        self.faults = Faults()
        self.registers = bytearray(128)
        self._int = IntPin(self.registers, status_needs_enable)
        self.fifo = Fifo(self.part.fifo_size)
        self.now_us = 0
        self._zero_us: float | None = None
        self._next_us: float | None = None
        self._count_latch = 0
        self._spi_register = -1
        self._spi_reading = False
        self._silent_until_us = 0
        self._resetting_until_us = 0
        self._effects: dict[int, Callable[[int], int | None]] = {
            reg.PWR_MGMT_1: self._write_power_1,
            reg.PWR_MGMT_2: self._write_power_2,
            reg.FIFO_EN: self._write_fifo_enable,
            reg.USER_CTRL: self._write_user_control,
            reg.FIFO_R_W: self._write_fifo,
            reg.SIGNAL_PATH_RESET: self._write_path_reset,
        }
        self._reset(0)

    # -- what the host asks ---------------------------------------------------------

    @property
    def overflow_bytes(self) -> int:
        return self.fifo.lost_bytes

    @property
    def int_edges(self) -> int:
        return self._int.edges

    @property
    def true_times_us(self):
        return self.truth.times_us

    @property
    def true_counts(self):
        return self.truth.counts

    @property
    def played_s(self) -> float:
        """Seconds of board time since the movement began, 0 before."""
        return 0.0 if self._zero_us is None else (self.now_us - self._zero_us) / 1e6

    @property
    def ended(self) -> bool:
        """Whether the movement is over."""
        duration = getattr(self.movement, "duration_s", None)
        return duration is not None and self.played_s > duration

    @property
    def temperature_c(self) -> float:
        return self._chain.temperature_c

    @temperature_c.setter
    def temperature_c(self, value: float) -> None:
        self._chain.temperature_c = value
        self._block_first = -1

    def inject(self, fault: Fault) -> None:
        """Let it strike at its time."""
        self.faults.add(fault)

    # -- the bus --------------------------------------------------------------------

    def read(self, register: int, n: int, now_us: int) -> bytes:
        """n registers from `register` on; raises OSError where the chip would not answer."""
        self.advance(now_us)
        self._check_answering(n if register == reg.FIFO_R_W else 0)
        if register == reg.FIFO_R_W:
            out = self._pop_fifo(n)
        elif register == reg.FIFO_COUNT_H or register + n > reg.INT_STATUS:
            out = self._read_with_effects(register, n)
        else:
            out = bytes(self.registers[register : register + n])
        if n and self.registers[reg.INT_PIN_CFG] & reg.INT_ANYRD_2CLEAR:
            self._int.clear()
        return out

    def write(self, register: int, data: bytes, now_us: int) -> None:
        self.advance(now_us)
        self._check_answering()
        for value in data:
            self._write_one(register, value)
            if register != reg.FIFO_R_W:
                register = (register + 1) & 0x7F

    def spi(self, data: bytes, select: bool, now_us: int) -> bytes:
        """Full-duplex bytes; with `select` the first one is R/W bit and register, PS 6.5."""
        self.advance(now_us)
        out = bytearray()
        i = 0
        if select and data:
            self._spi_register, self._spi_reading = data[0] & 0x7F, bool(data[0] & 0x80)
            out.append(0)
            i = 1
        rest = data[i:]
        if self._spi_reading:
            out += self.read(self._spi_register, len(rest), now_us)
        else:
            self.write(self._spi_register, rest, now_us)
            out += bytes(len(rest))
        if self._spi_register != reg.FIFO_R_W:
            self._spi_register = (self._spi_register + len(rest)) & 0x7F
        return bytes(out)

    def lines(self, scl: int, sda: int, now_us: int) -> tuple[int, int]:
        """The two bus lines as the board drives them (1: released), and as they are."""
        self.advance(now_us)
        return self.faults.lines(scl, sda)

    def next_data_ready_us(self, now_us: int) -> int | None:
        """When the next sample is latched, or None while the chip sleeps."""
        self.advance(now_us)
        return None if self._next_us is None else int(np.ceil(self._next_us))

    def int_level(self, now_us: int) -> int:
        """Level of the INT pin."""
        self.advance(now_us)
        return self._int.level(now_us)

    # -- time -----------------------------------------------------------------------

    def advance(self, now_us: int) -> None:
        """Sample up to now_us, faults included."""
        while (fault_us := self.faults.next_us) is not None and fault_us <= now_us:
            self._sample_until(fault_us)
            self._strike(self.faults.pop())
        self._sample_until(now_us)

    def _sample_until(self, now_us: int) -> None:
        if now_us > self.now_us:
            self.now_us = now_us
        if self._resetting_until_us and self.now_us >= self._resetting_until_us:
            self._resetting_until_us = 0
            self.registers[reg.PWR_MGMT_1] &= ~reg.DEVICE_RESET
        next_us = self._next_us
        if next_us is None or self.now_us < next_us:
            return
        n = int((self.now_us - next_us) // self._period_us) + 1
        if not (self.truth.following or self._fifo_on() or self._comparing()):
            # Nobody sees these but as the output registers' last state.
            self._tick += n - 1
            self._int.skip(n - 1)
            n = 1
        for _ in range(n):
            self._latch()

    def _strike(self, fault: Fault) -> None:
        f = self.faults
        if fault.in_read:
            f.in_read = fault
        elif fault.kind == "no_answer":
            f.no_answer_until_us = fault.at_us + fault.duration_us
        elif fault.kind == "timeout":
            f.timeout_until_us = fault.at_us + fault.duration_us
        elif fault.kind == "sda_low":
            f.clocks_missing = fault.value
        elif fault.kind == "chip_reset":
            self._reset(fault.duration_us)
        elif fault.kind == "fifo_slip":
            self.fifo.drop(fault.value)
        elif fault.kind == "settings":
            self._write_one(fault.value >> 8, fault.value & 0xFF)
        elif fault.kind == "frozen":
            f.freeze = True
        elif fault.kind == "blank":
            f.stuck_row = struct.pack(">h", fault.value) * 6

    def _fifo_on(self) -> bool:
        r = self.registers
        return bool(r[reg.USER_CTRL] & reg.USER_FIFO_EN and r[reg.FIFO_EN] & 0xF8)

    def _comparing(self) -> bool:
        """Whether wake-on-motion is on."""
        return self.registers[reg.ACCEL_INTEL_CTRL] & 0xC0 == 0xC0

    def _restart_clock(self) -> None:
        r = self.registers
        self._block_first = -1
        self._accel_held = 1
        self.truth.restart()
        power = r[reg.PWR_MGMT_1]
        if power & reg.SLEEP or power & 7 == 7:  # CLKSEL 7 stops the clock
            self._next_us = None
            return
        if power & reg.CYCLE:  # the low-power accelerometer
            if self.part.low_power_by_divider:
                period = 1000.0 * (1 + r[reg.SMPLRT_DIV])
            else:
                period = 1e6 / tables.LOW_POWER_HZ[min(r[reg.LP_ACCEL_ODR] & 15, 11)]
        else:
            gyro = variants.gyro_filter(self.part, r[reg.GYRO_CONFIG], r[reg.CONFIG])
            # RM page 12: the divider works only behind a filter that runs at 1 kHz.
            divider = 1 + r[reg.SMPLRT_DIV] if gyro.rate_hz == 1000 else 1
            period = 1e6 / gyro.rate_hz * divider
            if gyro.rate_hz > 1000:  # the accelerometer is slower: each sample comes again
                settings = self._trim.chain_settings(r)
                self._accel_held = gyro.rate_hz // settings.accel_filter.rate_hz
        self._period_us = period / (1 + self.clock_error_ppm * 1e-6)
        self._origin_us = float(self.now_us)
        self._tick = 0
        self._next_us = self._origin_us + self._period_us

    def _latch(self) -> None:
        """One tick of the sample clock."""
        time_us = self._origin_us + (self._tick + 1) * self._period_us
        r = self.registers
        to_fifo = self._fifo_on()
        if to_fifo and self._zero_us is None:
            self._zero_us = time_us
            self._block_first = -1
        row = self._row(time_us)
        if time_us < self._accel_ready_us:
            row = bytes(6) + row[6:]
        if time_us < self._gyro_ready_us:
            row = row[:6] + bytes(6)
        off = r[reg.PWR_MGMT_2] & 0x3F | (0x07 if r[reg.PWR_MGMT_1] & reg.CYCLE else 0)
        if off:
            row = self._hold_standby(row, off)
        if self.faults.freeze and self.faults.stuck_row is None:
            self.faults.stuck_row = self._outputs()
        if self.faults.stuck_row is not None:
            row = self.faults.stuck_row
        status = reg.RAW_RDY
        if self._comparing():
            status |= self._moved(row)
        temperature = self._temperature_bytes()
        r[reg.ACCEL_OUT : reg.TEMP_OUT] = row[:6]
        r[reg.TEMP_OUT : reg.GYRO_OUT] = temperature
        r[reg.GYRO_OUT : reg.GYRO_OUT + 6] = row[6:]
        if to_fifo:
            self.truth.following = True
            self.frames_latched += 1
            if self.fifo.push(self._fifo_frame(row, temperature), self._fifo_stops()):
                status |= reg.FIFO_OFLOW
        if self.truth.following:
            self.truth.note(time_us, row)
        self._int.signal(status, time_us)
        self._tick += 1
        self._next_us = self._origin_us + (self._tick + 1) * self._period_us

    def _row(self, time_us: float) -> bytes:
        """Twelve bytes, ax ay az gx gy gz, of the tick under way."""
        k = self._tick - self._block_first
        if self._block_first < 0 or k >= _BLOCK:
            k = self._tick % self._accel_held
            counts = self._chain.counts(
                time_us - k * self._period_us,
                self._period_us,
                _BLOCK,
                self._zero_us,
                self._trim.chain_settings(self.registers),
            )
            if self._accel_held > 1:
                i = np.arange(_BLOCK)
                counts[:, :3] = counts[i - i % self._accel_held, :3]
            self._block = counts.astype(">i2").tobytes()
            self._block_first = self._tick - k
        return self._block[12 * k : 12 * k + 12]

    def _outputs(self) -> bytes:
        r = self.registers
        return bytes(r[reg.ACCEL_OUT : reg.TEMP_OUT] + r[reg.GYRO_OUT : reg.GYRO_OUT + 6])

    def _moved(self, row: bytes) -> int:
        """Status bits of the axes further from the last sample than the threshold, 4 mg each."""
        r = self.registers
        lsb_per_g = tables.ACCEL_LSB_PER_G[r[reg.ACCEL_CONFIG] >> 3 & 3]
        new = struct.unpack(">3h", row[:6])
        old = struct.unpack(">3h", r[reg.ACCEL_OUT : reg.TEMP_OUT])
        status = 0
        for axis in range(3):
            limit = r[self.part.wom_thresholds[axis]] * 4 * lsb_per_g / 1000
            if abs(new[axis] - old[axis]) > limit:
                status |= self.part.wom_bits[axis]
        return status

    def _hold_standby(self, row: bytes, off: int) -> bytes:
        held = bytearray(row)
        old = self._outputs()
        for axis in range(6):
            if off & 0x20 >> axis:
                held[2 * axis : 2 * axis + 2] = old[2 * axis : 2 * axis + 2]
        return bytes(held)

    def _temperature_bytes(self) -> bytes:
        if self.registers[reg.PWR_MGMT_1] & reg.TEMP_DIS:
            return bytes(self.registers[reg.TEMP_OUT : reg.GYRO_OUT])
        part = self.part
        raw = round((self.temperature_c - part.temperature_zero_c) * part.temperature_lsb_per_c)
        return struct.pack(">h", max(-32768, min(32767, raw)))

    # -- the FIFO ---------------------------------------------------------------------

    def _fifo_stops(self) -> bool:
        return self.part.fifo_can_stop and bool(self.registers[reg.CONFIG] & reg.FIFO_MODE_STOP)

    def _fifo_frame(self, row: bytes, temperature: bytes) -> bytes:
        """The enabled fields in the order of their registers, RM register 35."""
        mask = self.registers[reg.FIFO_EN]
        if self.part.fifo_bit_a_sensor:
            accel = row[:6] if mask & reg.FIFO_ACCEL else b""
            return accel + temperature + (row[6:] if mask & reg.FIFO_GYRO else b"")
        if mask & 0xF8 == reg.FIFO_ACCEL_GYRO:
            return row
        out = row[:6] if mask & reg.FIFO_ACCEL else b""
        if mask & reg.FIFO_TEMP:
            out += temperature
        for axis in range(3):
            if mask & reg.FIFO_XG >> axis:
                out += row[6 + 2 * axis : 8 + 2 * axis]
        return out

    def _pop_fifo(self, n: int) -> bytes:
        # RM register 106: without FIFO_EN the serial interface has no access.
        if not self.registers[reg.USER_CTRL] & reg.USER_FIFO_EN:
            return bytes(n)
        fault = self.faults.in_read
        if fault is None or n < 12:
            return self.fifo.pop(n)
        self.faults.in_read = None
        half = n // 2 + 1
        out = self.fifo.pop(half)
        if fault.kind == "chip_reset":
            self._reset(fault.duration_us)
            return out + bytes(n - half)
        self.fifo.drop(fault.value)
        return out + self.fifo.pop(n - half)

    # -- registers ------------------------------------------------------------------

    def _check_answering(self, fifo_bytes: int = 0) -> None:
        if fifo_bytes and self.now_us < self.faults.timeout_until_us:
            self.fifo.drop(fifo_bytes // 3 + 1)  # it had begun
        self.faults.check_bus(self.now_us)
        if self.now_us < self._silent_until_us:
            raise OSError(19, "the chip is in its reset")

    def _reset(self, silent_us: int) -> None:
        """All registers to their reset values; the chip answers nothing for silent_us."""
        r = self.registers
        self._resetting_until_us = 0
        r[:] = bytes(128)
        r[reg.PWR_MGMT_1] = self.part.power_1_reset
        r[reg.WHO_AM_I] = self.part.who_am_i
        self._trim.fill(r)
        self.faults.chip_was_reset()
        self.fifo.clear()
        self._count_latch = 0
        self._silent_until_us = self.now_us + silent_us
        self._wake()
        self._restart_clock()

    def _wake(self) -> None:
        self._accel_ready_us = self.now_us + ACCEL_START_US
        self._gyro_ready_us = self.now_us + GYRO_START_US

    def _read_with_effects(self, register: int, n: int) -> bytes:
        out = bytearray()
        for i in range(n):
            at = (register + i) & 0x7F
            if at == reg.FIFO_R_W:  # the address stays here for the rest of the burst
                return bytes(out) + self._pop_fifo(n - i)
            if at == reg.FIFO_COUNT_H:
                self._count_latch = len(self.fifo)
                out.append(self._count_latch >> 8)
            elif at == reg.FIFO_COUNT_L:
                out.append(self._count_latch & 0xFF)
            elif at == reg.INT_STATUS:
                out.append(self.registers[reg.INT_STATUS])
                self._int.clear()
            else:
                out.append(self.registers[at])
        return bytes(out)

    def _write_one(self, register: int, value: int) -> None:
        r = self.registers
        if register in reg.READ_ONLY or self._resetting_until_us:
            return
        effect = self._effects.get(register)
        kept = effect(value) if effect else value
        if kept is None:
            return
        changed = r[register] ^ kept
        r[register] = kept
        if register == reg.CONFIG:
            changed &= ~reg.FIFO_MODE_STOP  # concerns the FIFO alone
        if changed and register in reg.CLOCKING:
            self._restart_clock()
        if changed and register in reg.SHAPING:
            self._block_first = -1

    # What writing a register does, and the value that it keeps; None: nothing is kept.

    def _write_power_1(self, value: int) -> int | None:
        power = self.registers[reg.PWR_MGMT_1]
        if value & reg.DEVICE_RESET:
            self._reset(0 if self.reset_answers else self.reset_us)
            if self.reset_answers and self.reset_us:
                self._resetting_until_us = self.now_us + self.reset_us
                self.registers[reg.PWR_MGMT_1] |= reg.DEVICE_RESET
            return None
        if power & reg.SLEEP and not value & reg.SLEEP:
            self._wake()
        elif power & reg.CYCLE and not value & reg.CYCLE:
            self._gyro_ready_us = self.now_us + GYRO_START_US
        return value

    def _write_power_2(self, value: int) -> int:
        if self.registers[reg.PWR_MGMT_2] & ~value & 0x07:
            self._gyro_ready_us = self.now_us + GYRO_START_US
        return value

    def _write_fifo_enable(self, value: int) -> int:
        if self.part.fifo_bit_a_sensor:
            value &= reg.FIFO_GYRO | reg.FIFO_ACCEL
        return value

    def _write_user_control(self, value: int) -> int:
        if value & reg.USER_FIFO_RST:
            self.fifo.clear()
        if value & reg.USER_SIG_COND_RST:  # clears the sensor registers, too
            n = reg.EXT_SENS_END - reg.ACCEL_OUT
            self.registers[reg.ACCEL_OUT : reg.EXT_SENS_END] = bytes(n)
        return value & 0xF0  # the low four clear themselves

    def _write_fifo(self, value: int) -> None:
        self.fifo.push(bytes((value,)), self._fifo_stops())

    def _write_path_reset(self, value: int) -> int:
        self._block_first = -1  # only the filters; the outputs keep their values
        return 0
