"""What doctor says of what a board reported: a state, a line, and the cure. Pure."""

import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from host_tools.device.deploy import MANIFEST, OLDEST, Survey, firmware_files, sha256
from host_tools.errors import BeckonError
from host_tools.mqtt.address import is_only_here

OK, WARNING, FAULT, SKIPPED = "ok", "warning", "fault", "skipped"

_LITTLE_HEAP = 60_000
_LITTLE_FLASH = 64 << 10
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
        cure = f" -> {self.cure}" if self.cure else ""
        return f"{self.part:<11} {self.state:<8} {self.text}{cure}"


def refused(part: str, error: BeckonError) -> Finding:
    """A fault whose line says what is wrong, and after a semicolon what to do."""
    text, _, cure = str(error).partition("; ")
    return Finding(part, FAULT, text, cure)


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
        (r"ModelError", "beckon deploy --model FILE copies it again"),
        (r"ENOENT", "beckon deploy"),
        (r"ValueError.*(json|JSON|setting|config)", "beckon setup, then beckon deploy --settings"),
    )  # fmt: skip
    if "ENOENT" in last:
        last = f"a file is missing on the board ({last})"
    for pattern, help_ in known:
        if re.search(pattern, last):
            return last, cure or help_
    return last, cure


def micropython(survey: Survey) -> Iterator[Finding]:
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


def firmware(survey: Survey, port: str) -> Finding:
    cure = f"beckon deploy {port}"
    if "main.py" not in survey.files and "main.mpy" not in survey.files:
        return Finding("firmware", FAULT, "no main.py: nothing starts", cure)
    if MANIFEST not in survey.files and "sensing/sampler.mpy" not in survey.files:
        return Finding("firmware", FAULT, "the program on this board is not Beckon's", cure)
    try:
        files = firmware_files(survey)
    except BeckonError as error:
        return refused("firmware", error)
    differ = [path for path, data in files.items() if survey.files.get(path) != sha256(data)]
    if differ:
        return Finding("firmware", WARNING, f"{len(differ)} of {len(files)} files differ from this "
                                            "checkout's", cure)
    return Finding("firmware", OK, f"{len(files)} files, as in this checkout")


def line(lost: int, fault: str, rate: float, nominal: float, counters: dict[str, Any]) -> Finding:
    """What became of samples that were recorded as beckon record does it.

    counters: those of the board.
    """
    text = f"recorded at {rate:.2f} Hz of {nominal:g}, {lost} samples lost"
    if fault:
        return Finding("recording", FAULT, f"{text}; {fault}", "check the wires")
    faults = counters.get("bus_faults", 0)
    if faults:
        return Finding("recording", WARNING, f"{text}, {faults} faults on the I2C bus",
                       "shorten the wires, add pull-ups of 4.7 kOhm to SCL and SDA")  # fmt: skip
    if lost:
        return Finding("recording", WARNING, text, "close what keeps this computer busy, and plug "
                                                   "the board in without a hub")
    return Finding("recording", OK, text)


def model(answer: dict[str, Any]) -> Finding:
    labels = ", ".join(answer["labels"])
    return Finding("model", OK, f"{answer['id']}, {answer['rate_hz']} Hz, {labels}, takes "
                                f"{answer['heap'] / 1024:.0f} KiB")


def bus(answer: dict[str, Any]) -> Finding:
    found = answer["found"]
    listed = ", ".join(f"0x{address:02x}" for address in found) or "nothing"
    pins = f"SCL on GPIO {answer['scl']}, SDA on GPIO {answer['sda']}"
    if len(found) > 100:
        return Finding("I2C", FAULT, "every address answers, so SDA is held low",
                       f"check {pins}, and that the sensor has power")  # fmt: skip
    if answer["address"] in found:
        if answer["freed"]:
            return Finding("I2C", WARNING, f"{listed} answers, after SDA was held low",
                           "power the sensor off and on once; if it comes back, check the wires")
        return Finding("I2C", OK, f"{listed} answers; {pins}")
    others = [address for address in (0x68, 0x69) if address in found]
    if others:
        return Finding("I2C", FAULT, f"the sensor is at 0x{others[0]:02x}, not at "
                       f"0x{answer['address']:02x}", f"set imu_address to {others[0]} (its AD0 pin "
                       "decides), then beckon deploy --settings")  # fmt: skip
    return Finding("I2C", FAULT, f"{listed} answers; {pins}",
                   "check VCC to 3V3, GND, and that SCL and SDA are not exchanged")  # fmt: skip


_STILL = "lay the board still and try again"
# What a complaint of firmware/sensing/checkup.py means: its state and its cure.
_COMPLAINTS = {
    "bus speed": (WARNING, "set i2c_hz to 400000 and shorten the wires, then beckon deploy "
                           "--settings"),
    "temperature": (WARNING, "keep the sensor away from what is hot, the ESP32 included"),
    "rate": (WARNING, "its clock is off; models still work, more slowly or quickly by that much"),
    "jitter": (WARNING, "shorten the wires; if it happens again, use another sensor"),
    "gravity": (WARNING, f"{_STILL}; if it happens again, use another sensor"),
    "zero rate": (WARNING, f"{_STILL}; the command calibrate removes it, see docs/mqtt.md"),
    "noise": (WARNING, f"{_STILL}, away from fans and motors"),
    "FIFO": (FAULT, "use another sensor: samples would be lost"),
    "self-test": (FAULT, f"{_STILL}; if it happens again, the sensor is damaged"),
}  # fmt: skip


def sensor(lines: Iterable[str]) -> Iterator[Finding]:
    """Findings for the lines that firmware/sensing/checkup.py printed."""
    for text in lines:
        try:
            found = json.loads(text)
            name, ok, text = found["check"], found["ok"], str(found["text"])
        except (ValueError, KeyError, TypeError):
            continue
        part = "sensor" if name == "identity" else name
        if ok and text.startswith("MPU6500 "):
            text += ", genuine (WHO_AM_I 0x70; 0x68 would be an MPU-6050)"
        if ok:
            yield Finding(part, OK, text)
        elif name == "identity" and "is not a known part" in text:
            yield Finding(part, WARNING, text, "watch the self-test")
        elif "too busy" in text or "ran over" in text:
            yield Finding(part, WARNING, "the board was too busy to follow the sensor", "try again")
        elif name in ("identity", "bus"):
            text, _, wires = text.partition("; check ")
            cure = explain(f"OSError: {text}")[1] or f"check {wires or 'the wires'}"
            yield Finding(part, FAULT, text, cure)
        elif "another self-test" in text:
            yield Finding(part, SKIPPED, text)
        elif "does not move at all" in text:
            yield Finding(part, FAULT, text, "the sensor is damaged")
        else:
            state, cure = _COMPLAINTS.get(name, (WARNING, ""))
            yield Finding(part, state, text, cure)


def wifi(answer: dict[str, Any]) -> Finding:
    if answer["up"]:
        text = f"{answer['ssid']}, {answer['address']}, {answer['rssi_dbm']} dBm"
        if answer["rssi_dbm"] < _WEAK_DBM:
            return Finding("Wi-Fi", WARNING, text, "the signal is weak: move closer")
        return Finding("Wi-Fi", OK, text)
    why = _WIFI_STATUS.get(answer["status"], f"status {answer['status']}")
    return Finding("Wi-Fi", FAULT, f"{answer['ssid']}: {why}", "beckon setup")


# What mbedTLS says of a certificate (x509_crt.c), which part that is, and the cure.
_CERTIFICATES = (
    (r"not correctly signed", "chain",
     "beckon setup --ca FILE with the one that signed it, then beckon deploy --settings"),
    (r"does not match with the expected CN", "name",
     "set broker_host or tls_name to the name in it, then beckon deploy --settings"),
    (r"validity has expired", "dates", "renew the broker's certificate"),
    (r"starts in the future", "dates", "check the clocks of the broker's computer and time server"),
)  # fmt: skip
_LINK_CURES = (
    (r"is not on the board", "beckon deploy --settings copies it"),
    (r"time of day is not known", "let the board reach UDP port 123, or set another time_server"),
    (r"MQTT 5 only", "allow MQTT 3.1.1 in the broker's settings"),
)


def broker(answer: dict[str, Any], settings: dict[str, Any]) -> Finding:
    """answer: of the board. settings: the board's."""
    tls = bool(settings["tls_ca"])
    where = f"{settings['broker_host']}:{settings['broker_port']}{' with TLS' if tls else ''}"
    if answer["up"]:
        if tls or is_only_here(settings["broker_host"]):
            return Finding("broker", OK, where)
        what = "user, password and events" if settings["user"] else "all events"
        return Finding("broker", WARNING, f"{where}, not encrypted: the network can read {what}",
                       "beckon setup --ca FILE, then beckon deploy --settings")  # fmt: skip
    why = " ".join(answer["why"].split())
    wrong = [(part, cure) for pattern, part, cure in _CERTIFICATES if re.search(pattern, why)]
    if wrong:
        parts = " and ".join(dict.fromkeys(part for part, _ in wrong))
        return Finding("broker", FAULT, f"{where}: {parts}: {why}", wrong[0][1])
    cure = next((cure for pattern, cure in _LINK_CURES if re.search(pattern, why)),
                "beckon setup tests it from this computer, too")  # fmt: skip
    return Finding("broker", FAULT, f"{where}: {why}", cure)


def clock(answer: dict[str, Any]) -> Finding:
    if not answer["server"]:
        return Finding("clock", OK, "no time server is set; events carry no time of day")
    year, month, day, hour, minute, second = answer["utc"]
    try:
        board = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return Finding("clock", FAULT, f"{answer['server']} gives no valid time",
                       "set another time_server")  # fmt: skip
    off = board.timestamp() - time.time()
    if abs(off) > _CLOCK_OFF_S:
        return Finding("clock", WARNING, f"{answer['server']} and this computer are "
                       f"{abs(off):.0f} s apart", "one of the two is wrong")  # fmt: skip
    return Finding("clock", OK, f"{board:%H:%M:%S} UTC from {answer['server']}")
