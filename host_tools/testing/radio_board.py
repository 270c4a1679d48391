"""A simulated board with the whole firmware whose gestures the host makes up, and its radios."""

import json
import time
from pathlib import Path
from typing import Any

from host_tools.mqtt.address import BrokerAddress
from host_tools.simulator.radio import Central
from host_tools.simulator.unix_board import DEFAULT_HEAP_KIB
from host_tools.testing.still_board import StillBoard

_MAIN = Path(__file__).resolve().parent / "on_board" / "posting_main.py"
_NOBODY = BrokerAddress("127.0.0.1", 1)


class RadioBoard(StillBoard):
    """broker: None for a board that has no Wi-Fi. `central` is a phone near it."""

    # The stand-ins of the radios are loaded with them, and lie in the firmware's heap.
    heap_kib = DEFAULT_HEAP_KIB + 16

    def __init__(
        self, settings: dict[str, Any], broker: BrokerAddress | None = None, speed: float = 4.0
    ):
        wifi = {} if broker else {"wifi_ssid": "", "time_server": ""}
        super().__init__(broker or _NOBODY, {**wifi, **settings}, speed)
        self.central = Central(self.radio_folder)

    def _fill_flash(self) -> None:
        super()._fill_flash()
        (self.flash / "main.py").write_text(_MAIN.read_text())

    def post(self, label: str, confidence: int) -> None:
        """The board has recognised a gesture."""
        with open(self.radio_folder / "post.in", "a") as file:
            file.write(f"{label} {confidence}\n")

    def diag(self, timeout_s: float = 60.0) -> dict[str, Any]:
        """The counters of a board without Wi-Fi, as they are from now on. Raises TimeoutError."""
        before = self._diags()[-1:]
        self.post("diag", 0)
        until = time.monotonic() + timeout_s
        while self._diags()[-1:] == before:  # its uptime differs
            if time.monotonic() > until:
                raise TimeoutError(f"no counters came; the board said {self.last_words()}")
            time.sleep(0.05)
        return json.loads(self._diags()[-1][5:])

    def _diags(self) -> list[str]:
        return [line for line in list(self.output) if line.startswith("diag ")]
