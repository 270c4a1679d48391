"""What is wrong with a board, and what to do: one finding after the other.

    for finding in examine(port):
        print(finding)

Each part is asked on its own, so that one that fails hides no other; what depends on a
part that failed is skipped.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from host_tools import device
from host_tools.device.console import BoardError, Console, Silent
from host_tools.device.deploy import Survey
from host_tools.device.ports import find_port, wait_for_return
from host_tools.doctor import asleep, diagnosis
from host_tools.doctor.diagnosis import FAULT, OK, SKIPPED, WARNING, Finding
from host_tools.errors import BeckonError
from host_tools.paths import FIRMWARE

_ON_BOARD = Path(__file__).parent / "on_board"
_LIST_FILES = Path(device.__file__).parent / "on_board" / "list_files.py"
_FOLDERS = ["", "lib/umqtt", *sorted({p.parent.relative_to(FIRMWARE).as_posix()
                                      for p in FIRMWARE.rglob("*/*.py")})]
_WIFI_S = 15
_BROKER_S = 5
_CHECK_UP_S = 30.0
_RECORDING_S = 3.0


class Doctor:
    """Examines the board on one port. folder: its settings on this computer, which name the
    broker that knows whether it sleeps; by default where `beckon setup` keeps them."""

    def __init__(self, port: str | None, folder: Path | None = None):
        self._named = port
        self._folder = folder
        self.port = port or ""
        self._console: Console | None = None
        self._settings: dict[str, Any] = {}

    def examine(self) -> Iterator[Finding]:
        """All findings, as they come; the board is restarted at the end."""
        try:
            self.port = find_port(self._named)
            self._console = Console(self.port)
        except BeckonError as error:
            # A chip with a USB of its own, as the C3, takes it away while it sleeps.
            yield self._perhaps_asleep("port", error)
            return
        try:
            yield Finding("port", OK, f"{self.port}, free and allowed")
            yield from self._on_console(self._console)
        except BeckonError as error:
            yield diagnosis.refused("line", error)
        finally:
            self._restart()

    def _restart(self) -> None:
        try:
            if self._console:
                self._console.catch(3)
                self._console.restart()
        except BeckonError:
            pass  # it was reported already that the board does not listen
        finally:
            if self._console:
                self._console.close()
                wait_for_return(self.port)

    def _on_console(self, console: Console) -> Iterator[Finding]:
        try:
            console.catch()
        except BeckonError as error:
            silent = isinstance(error, Silent)
            yield (self._perhaps_asleep if silent else diagnosis.refused)("REPL", error)
            console.close()  # it does not listen, so it cannot be asked to restart
            self._console = None
            return
        console.refresh()
        yield Finding("REPL", OK, "the board listens")
        survey = self._survey(console)
        yield from diagnosis.micropython(survey)
        yield diagnosis.firmware(survey, self.port)
        if not {"ops/config.py", "ops/config.mpy"} & set(survey.files):
            yield Finding("sensor", SKIPPED, "needs the firmware")
            return
        console.execute((_ON_BOARD / "checkup.py").read_text())
        yield self._ask("settings", "settings()", self._settings_finding)
        if not self._settings:
            return
        yield self._ask("model", "model()", diagnosis.model)
        yield from self._sensor(survey)
        yield from self._network()

    def _perhaps_asleep(self, part: str, error: BeckonError) -> Finding:
        """error as a finding, or that the board sleeps, if the broker knows of it."""
        boards = asleep.sleeping_boards(self._folder)
        if not boards:
            return diagnosis.refused(part, error)
        return asleep.finding(part, boards)

    def _survey(self, console: Console) -> Survey:
        source = _LIST_FILES.read_text()
        out = console.execute(f"WHERE = {_FOLDERS!r}\n{source}", timeout_s=60)
        found = re.search(r"^survey (.*)$", out, re.MULTILINE)
        try:
            survey = json.loads(found[1] if found else "")
            return Survey(**{**survey, "version": tuple(survey["version"])})
        except (ValueError, TypeError, KeyError):
            raise BeckonError(f"what comes from {self.port} is damaged: try another cable or USB "
                              "port, without a hub") from None

    def _ask(self, part: str, call: str, judge: Callable[[dict[str, Any]], Finding],
             timeout_s: float = 30.0, cure: str = "") -> Finding:  # fmt: skip
        """Have the board call a function of checkup.py and judge what it tells."""
        assert self._console
        try:
            out = self._console.execute(f"report({call})", timeout_s)
            found = re.search(r"^report (.*)$", out, re.MULTILINE)
            return judge(json.loads(found[1] if found else ""))
        except BoardError as error:
            return Finding(part, FAULT, *diagnosis.explain(error.traceback, cure))
        except ValueError:
            return Finding(part, FAULT, "what the board answered is damaged",
                           "try another cable or USB port")  # fmt: skip

    def _settings_finding(self, settings: dict[str, Any]) -> Finding:
        self._settings = settings
        chip = settings.get("chip", "")
        radio = settings.get("radio", "")
        if radio:
            address = ":".join(chip[i : i + 2] for i in range(0, 12, 2))
            radio = f", radio {radio}, address {address}"
            if not settings["wifi_ssid"]:
                return Finding("settings", OK, f"device {settings['device']}, no Wi-Fi{radio}")
        if settings["wifi_ssid"] and settings["broker_host"]:
            return Finding("settings", OK, f"device {settings['device']}, Wi-Fi "
                           f"{settings['wifi_ssid']}, broker {settings['broker_host']}{radio}")
        return Finding("settings", WARNING, "no Wi-Fi or no broker is set",
                       "beckon setup, then beckon deploy --settings")  # fmt: skip

    # -- the sensor ---------------------------------------------------------------------

    def _sensor(self, survey: Survey) -> Iterator[Finding]:
        found = self._ask("I2C", "scan()", diagnosis.bus)
        yield found
        if found.state == FAULT:
            yield Finding("sensor", SKIPPED, "needs I2C")
            return
        checked = self._checked_up()
        yield from checked
        streams = any(path.startswith("serial_line/serial_stream.") for path in survey.files)
        if checked[0].state != FAULT and streams:
            yield self._recording()

    def _checked_up(self) -> list[Finding]:
        """What the firmware's own check-up of the sensor says."""
        assert self._console
        try:
            said = self._console.execute("sensor()", _CHECK_UP_S)
        except BoardError as error:
            return [Finding("sensor", FAULT, *diagnosis.explain(error.traceback))]
        return list(diagnosis.sensor(said.splitlines())) or [
            Finding("sensor", FAULT, "what the board answered is damaged",
                    "try another cable or USB port")]  # fmt: skip

    def _recording(self) -> Finding:
        """Record for some seconds, as beckon record does."""
        from host_tools.recording.board_source import BoardSource
        from host_tools.recording.session import Session

        assert self._console
        self._console.close()
        self._console = None
        try:
            with BoardSource(self.port, restart=False) as source:
                session = Session(source)
                while session.step() and session.seconds < _RECORDING_S:
                    pass
                counters = dict(source.counters())
                rate = source.measured_hz or 0.0
        except BeckonError as error:
            return diagnosis.refused("recording", error)
        finally:
            self._console = Console(self.port)
            self._console.catch()
            self._console.refresh()
            self._console.execute((_ON_BOARD / "checkup.py").read_text())
        return diagnosis.line(session.lost, session.fault, rate, source.rate_hz, counters)

    # -- the network --------------------------------------------------------------------

    def _network(self) -> Iterator[Finding]:
        if not self._settings["wifi_ssid"]:
            yield Finding("Wi-Fi", SKIPPED, "no network is set")
            return
        found = self._ask("Wi-Fi", f"wifi({_WIFI_S})", diagnosis.wifi, _WIFI_S + 10)
        yield found
        if found.state == FAULT:
            yield Finding("broker", SKIPPED, "needs Wi-Fi")
            return
        if self._settings["broker_host"]:
            yield self._ask("broker", f"broker({_BROKER_S})",
                            lambda answer: diagnosis.broker(answer, self._settings),
                            _BROKER_S + 30)  # fmt: skip
        yield self._ask("clock", "clock()", diagnosis.clock,
                        cure="let the board reach UDP port 123, or set another time_server")


def examine(port: str | None, folder: Path | None = None) -> Iterator[Finding]:
    """All findings about the board on port, or on the only port there is. folder: see Doctor."""
    return Doctor(port, folder).examine()
