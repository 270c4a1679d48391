"""What is wrong with a board, and what to do: one finding after the other.

    for finding in examine(port):
        print(finding)

Each part is asked on its own, so that one that fails hides no other; what depends on a
part that failed is skipped.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from host_tools.device.console import BoardError, Console
from host_tools.device.deploy import MANIFEST, OLDEST, Survey, firmware_files, sha256
from host_tools.device.ports import find_port
from host_tools.errors import BeckonError

OK, WARNING, FAULT, SKIPPED = "ok", "warning", "fault", "skipped"

_ON_BOARD = Path(__file__).parent / "on_board"
_FOLDERS = ["", "lib", "lib/umqtt", "drivers"]
_LITTLE_HEAP = 60_000
_LITTLE_FLASH = 64 << 10
_WIFI_S = 15
_BROKER_S = 5
_SAMPLING_S = 5.0
_WEAK_DBM = -78
_CLOCK_OFF_S = 5
# MicroPython's network.STAT_* on an ESP32, esp_wifi's reasons.
_WIFI_STATUS = {
    201: "no such network in range; it must be a 2.4 GHz one, spelt exactly so",
    202: "the password is wrong",
    203: "the access point refuses this board",
    204: "the handshake timed out; the password may be wrong, or the signal weak",
    1001: "still connecting; the password may be wrong, or the signal weak",
}


@dataclass(frozen=True)
class Finding:
    """state: ok, warning, fault or skipped. cure: what to do, "" when all is well."""

    part: str
    state: str
    text: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.part:<11} {self.state:<8} {self.text}" + (f": {self.cure}" if self.cure
                                                                 else "")  # fmt: skip


class Doctor:
    """Examines the board on one port."""

    def __init__(self, port: str | None):
        self._named = port
        self.port = port or ""
        self._console: Console | None = None
        self._settings: dict[str, Any] = {}

    def examine(self) -> Iterator[Finding]:
        """All findings, as they come; the board is restarted at the end."""
        try:
            self.port = find_port(self._named)
            self._console = Console(self.port)
        except BeckonError as error:
            yield Finding("port", FAULT, str(error))
            return
        try:
            yield Finding("port", OK, f"{self.port}, free and allowed")
            yield from self._on_console(self._console)
        except BeckonError as error:
            yield Finding("line", FAULT, str(error))
        finally:
            self._restart()

    def _restart(self) -> None:
        try:
            if self._console:
                self._console.catch(3)
                self._console.restart()
        except BeckonError:
            pass  # it was told already that the board does not listen
        finally:
            if self._console:
                self._console.close()

    def _on_console(self, console: Console) -> Iterator[Finding]:
        try:
            console.catch()
        except BeckonError as error:
            yield Finding("REPL", FAULT, str(error))
            return
        console.refresh()
        yield Finding("REPL", OK, "the board listens")
        survey = self._survey(console)
        yield from micropython_findings(survey)
        yield firmware_finding(survey, self.port)
        if "config.py" not in survey.files and "config.mpy" not in survey.files:
            yield Finding("sensor", SKIPPED, "needs the firmware")
            return
        console.execute((_ON_BOARD / "checkup.py").read_text())
        yield self._ask("settings", "settings()", self._settings_finding)
        if not self._settings:
            return
        yield self._ask("model", "model()", _model)
        yield from self._sensor(survey)
        yield from self._network()

    def _survey(self, console: Console) -> Survey:
        source = (_ON_BOARD / "survey.py").read_text()
        out = console.execute(f"WHERE = {_FOLDERS!r}\n{source}", timeout_s=60)
        found = re.search(r"^survey (.*)$", out, re.MULTILINE)
        try:
            told = json.loads(found[1] if found else "")
            return Survey(**{**told, "version": tuple(told["version"])})
        except (ValueError, TypeError, KeyError):
            raise BeckonError(f"what comes from {self.port} is damaged: try another cable or USB "
                              "port, without a hub") from None

    def _ask(self, part: str, call: str, judge: Callable[[dict[str, Any]], Finding],
             timeout_s: float = 30.0, cure: str = "") -> Finding:  # fmt: skip
        """Have the board call a function of checkup.py and judge what it tells."""
        assert self._console
        try:
            out = self._console.execute(f"told({call})", timeout_s)
            found = re.search(r"^told (.*)$", out, re.MULTILINE)
            return judge(json.loads(found[1] if found else ""))
        except BoardError as error:
            return Finding(part, FAULT, *explain(error.traceback, cure))
        except ValueError:
            return Finding(part, FAULT, "what the board answered is damaged",
                           "try another cable or USB port")  # fmt: skip

    def _settings_finding(self, told: dict[str, Any]) -> Finding:
        self._settings = told
        if told["wifi_ssid"] and told["broker_host"]:
            return Finding("settings", OK, f"device {told['device']}, Wi-Fi {told['wifi_ssid']}, "
                                           f"broker {told['broker_host']}")
        return Finding("settings", WARNING, "no Wi-Fi or no broker is set",
                       "beckon setup, then beckon deploy --settings")  # fmt: skip

    # -- the sensor ---------------------------------------------------------------------

    def _sensor(self, survey: Survey) -> Iterator[Finding]:
        found = self._ask("I2C", "scan()", _scan)
        yield found
        if found.state == FAULT:
            yield Finding("sensor", SKIPPED, "needs I2C")
            return
        found = self._ask("sensor", "identity()", _identity)
        yield found
        if found.state == FAULT:
            return
        yield self._ask("self-test", "self_test()", _self_test)
        if any(path.startswith("serial_stream.") for path in survey.files):
            yield self._sampling()

    def _sampling(self) -> Finding:
        """Record for some seconds, as beckon record does."""
        from host_tools.recording.session import Session
        from host_tools.recording.sources import BoardSource

        assert self._console
        self._console.close()
        self._console = None
        try:
            with BoardSource(self.port, restart=False) as source:
                session = Session(source)
                while session.step() and session.seconds < _SAMPLING_S:
                    pass
                told = dict(source.counters())
                rate = source.measured_hz or 0.0
        except BeckonError as error:
            return Finding("sampling", FAULT, str(error))
        finally:
            self._console = Console(self.port)
            self._console.catch()
            self._console.refresh()
            self._console.execute((_ON_BOARD / "checkup.py").read_text())
        return sampling_finding(session.lost, session.fault, rate, source.rate_hz, told)

    # -- the network --------------------------------------------------------------------

    def _network(self) -> Iterator[Finding]:
        if not self._settings["wifi_ssid"]:
            yield Finding("Wi-Fi", SKIPPED, "no network is set")
            return
        found = self._ask("Wi-Fi", f"wifi({_WIFI_S})", _wifi, _WIFI_S + 10)
        yield found
        if found.state == FAULT:
            yield Finding("broker", SKIPPED, "needs Wi-Fi")
            return
        if self._settings["broker_host"]:
            where = f"{self._settings['broker_host']}:{self._settings['broker_port']}"
            yield self._ask("broker", f"broker({_BROKER_S})", lambda told: _broker(told, where))
        yield self._ask("clock", "clock()", _clock,
                        cure="let the board reach UDP port 123, or set another time_server")


def examine(port: str | None) -> Iterator[Finding]:
    """All findings about the board on port, or on the only port there is."""
    return Doctor(port).examine()


def explain(traceback: str, cure: str = "") -> tuple[str, str]:
    """(text, cure) for what a check raised on the board."""
    last = (traceback.strip().splitlines() or ["nothing"])[-1]
    known = (
        (r"OSError.*\b(19|ENODEV)\b",
         "check power, SCL and SDA at the sensor; AD0 to GND is 0x68, to 3V3 is 0x69"),
        (r"OSError.*\b(116|110|ETIMEDOUT)\b",
         "the bus hangs: check for SCL and SDA exchanged, missing pull-ups (4.7 kOhm to 3V3)"),
        (r"OSError.*\b(5|EIO)\b",
         "the sensor answers but does not keep its settings: shorten the wires, try i2c_hz "
         "100000, or another sensor"),
        (r"MemoryError|\b(12|ENOMEM)\b",
         "the memory is full: beckon deploy, which copies compiled files, then press reset"),
        (r"ImportError", "beckon deploy"),
        (r"ModelError", "beckon deploy --model FILE copies it anew"),
        (r"ENOENT", "beckon deploy"),
        (r"ValueError.*(json|JSON|setting|config)", "beckon setup, then beckon deploy --settings"),
    )  # fmt: skip
    for pattern, help_ in known:
        if re.search(pattern, last):
            return last, cure or help_
    return last, cure


def micropython_findings(survey: Survey) -> Iterator[Finding]:
    what = f"{survey.version_text} on {survey.machine}"
    if survey.version < OLDEST:
        yield Finding("MicroPython", FAULT, what, f"{OLDEST[0]}.{OLDEST[1]} or later is needed: "
                                                  "beckon flash")
    elif survey.version[:3] == (1, 25, 0) and survey.platform == "esp32":
        yield Finding("MicroPython", WARNING, f"{what}, whose compiler has a fault on this chip",
                      "beckon flash installs a newer one")  # fmt: skip
    else:
        yield Finding("MicroPython", OK, what)
    heap, flash = survey.heap_free, survey.free
    yield Finding("memory", WARNING if heap < _LITTLE_HEAP else OK,
                  f"{heap / 1024:.0f} KiB of heap free",
                  "remove boot.py's extras, or use a board with PSRAM" if heap < _LITTLE_HEAP
                  else "")  # fmt: skip
    yield Finding("flash", WARNING if flash < _LITTLE_FLASH else OK,
                  f"{flash / 1024:.0f} of {survey.size / 1024:.0f} KiB free",
                  "remove files of yours" if flash < _LITTLE_FLASH else "")  # fmt: skip


def firmware_finding(survey: Survey, port: str) -> Finding:
    cure = f"beckon deploy {port}"
    if "main.py" not in survey.files and "main.mpy" not in survey.files:
        return Finding("firmware", FAULT, "no main.py: nothing starts", cure)
    if MANIFEST not in survey.files and "sampler.mpy" not in survey.files:
        return Finding("firmware", FAULT, "the program on this board is not Beckon's", cure)
    try:
        files = firmware_files(survey)
    except BeckonError as error:
        return Finding("firmware", FAULT, str(error))
    differ = [path for path, data in files.items() if survey.files.get(path) != sha256(data)]
    if differ:
        return Finding("firmware", WARNING, f"{len(differ)} of {len(files)} files differ from this "
                                            "checkout's", cure)
    return Finding("firmware", OK, f"{len(files)} files, as in this checkout")


def sampling_finding(lost: int, fault: str, rate: float, nominal: float,
                     told: dict[str, Any]) -> Finding:  # fmt: skip
    jitter = told.get("uncertainty_us", 0)
    text = f"{rate:.2f} Hz of {nominal:g}, {lost} lost, times known to {jitter / 1000:.1f} ms"
    if fault:
        return Finding("sampling", FAULT, f"{text}; {fault}", "check the wires")
    if lost or told.get("bus_faults"):
        faults = told.get("bus_faults", 0)
        return Finding("sampling", WARNING, f"{text}, {faults} faults on the bus",
                       "shorten the wires, add pull-ups of 4.7 kOhm")  # fmt: skip
    if abs(rate / nominal - 1) > 0.02:  # the part's data sheet allows 1 %
        return Finding("sampling", WARNING, text, "this sensor's clock is off; models still work, "
                                                  "more slowly or quickly by that much")
    return Finding("sampling", OK, text)


def _model(told: dict[str, Any]) -> Finding:
    return Finding("model", OK, f"{told['id']}, {told['rate_hz']} Hz, {', '.join(told['labels'])}, "
                                f"takes {told['heap'] / 1024:.0f} KiB")


def _scan(told: dict[str, Any]) -> Finding:
    found = told["found"]
    listed = ", ".join(f"0x{address:02x}" for address in found) or "nothing"
    pins = f"SCL on GPIO {told['scl']}, SDA on GPIO {told['sda']}"
    if len(found) > 100:
        return Finding("I2C", FAULT, "every address answers, so SDA is held low",
                       f"check {pins}, and that the sensor has power")  # fmt: skip
    if told["address"] in found:
        if told["freed"]:
            return Finding("I2C", WARNING, f"{listed} answers, after SDA was held low",
                           "power the sensor off and on once; if it comes back, check the wires")
        return Finding("I2C", OK, f"{listed} answers; {pins}")
    others = [address for address in (0x68, 0x69) if address in found]
    if others:
        return Finding("I2C", FAULT, f"the sensor is at 0x{others[0]:02x}, not at "
                       f"0x{told['address']:02x}", f"set imu_address to {others[0]} (its AD0 pin "
                       "decides), then beckon deploy --settings")  # fmt: skip
    return Finding("I2C", FAULT, f"{listed} answers; {pins}",
                   "check VCC to 3V3, GND, and that SCL and SDA are not exchanged")  # fmt: skip


def _identity(told: dict[str, Any]) -> Finding:
    text = f"{told['name']} (WHO_AM_I 0x{told['identity']:02x})"
    if told["warning"]:
        return Finding("sensor", WARNING, told["warning"], "watch the self-test")
    if told["identity"] == 0x70:
        text += ", a genuine MPU-6500; 0x68 would be an MPU-6050"
    return Finding("sensor", OK, text)


def _self_test(told: dict[str, Any]) -> Finding:
    if told["passed"]:
        return Finding("self-test", OK, told["text"])
    if not told["ran"]:
        return Finding("self-test", SKIPPED, told["text"])
    return Finding("self-test", FAULT, told["text"], "lay the board still and try again; if it "
                                                     "stays so, the sensor is damaged")


def _wifi(told: dict[str, Any]) -> Finding:
    if told["up"]:
        text = f"{told['ssid']}, {told['address']}, {told['rssi_dbm']} dBm"
        if told["rssi_dbm"] < _WEAK_DBM:
            return Finding("Wi-Fi", WARNING, text, "the signal is weak: move closer")
        return Finding("Wi-Fi", OK, text)
    why = _WIFI_STATUS.get(told["status"], f"status {told['status']}")
    return Finding("Wi-Fi", FAULT, f"{told['ssid']}: {why}", "beckon setup")


def _broker(told: dict[str, Any], where: str) -> Finding:
    if told["up"]:
        return Finding("broker", OK, where)
    return Finding("broker", FAULT, f"{where}: {told['why']}",
                   "beckon setup tests it from this computer, too")  # fmt: skip


def _clock(told: dict[str, Any]) -> Finding:
    if not told["server"]:
        return Finding("clock", OK, "no time server is set; events carry no time of day")
    year, month, day, hour, minute, second = told["utc"]
    try:
        board = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return Finding("clock", FAULT, f"{told['server']} gives no sound time",
                       "set another time_server")  # fmt: skip
    off = board.timestamp() - time.time()
    if abs(off) > _CLOCK_OFF_S:
        return Finding("clock", WARNING, f"{told['server']} and this computer are {abs(off):.0f} s "
                       "apart", "one of the two is wrong")  # fmt: skip
    return Finding("clock", OK, f"{board:%H:%M:%S} UTC from {told['server']}")
