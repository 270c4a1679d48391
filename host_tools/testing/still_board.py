"""A simulated board with the whole firmware, on a hand that keeps still."""

from typing import Any

import numpy as np

from host_tools.mqtt.address import BrokerAddress
from host_tools.paths import DEFAULT_MODEL
from host_tools.simulator.radio_delays import RadioDelays
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.movement import RecordedMovement
from host_tools.simulator.unix_board import DEFAULT_HEAP_KIB, SimulatedBoard
from host_tools.units import GRAVITY

_STILL_S = 3600


class StillBoard(SimulatedBoard):
    """settings: more entries for config.json. speed: board time over real time."""

    heap_kib = DEFAULT_HEAP_KIB
    delays: RadioDelays | None = None

    def __init__(self, broker: BrokerAddress, settings: dict[str, Any], speed: float = 1.0):
        self.sensor = SimulatedMPU6500(RecordedMovement(*_stillness()))
        devices: dict[tuple[int, int | None], Any] = {(0, 0x68): self.sensor}
        super().__init__(DEFAULT_MODEL, broker, devices, settings=settings, speed=speed,
                         heap_kib=self.heap_kib, delays=self.delays)  # fmt: skip

    def says(self, start: str) -> str:
        """The first line that begins so, or nothing."""
        return next((line for line in list(self.output) if line.startswith(start)), "")

    def last_words(self) -> str:
        return " / ".join(list(self.output)[-3:]) or "it printed nothing"


def _stillness() -> tuple[np.ndarray, np.ndarray]:
    """Gravity and noise, so that the sensor does not look frozen."""
    rng = np.random.default_rng(1)
    count = _STILL_S * 20
    values = rng.normal(0, 0.02, (count, 6)) + [0, 0, GRAVITY, 0, 0, 0]
    return np.arange(count) * 50.0, values
