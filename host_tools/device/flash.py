"""Put MicroPython on a board with esptool's command line; images fetched and kept."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from host_tools.device.console import Console
from host_tools.device.esp_image import CHIPS, Chip, check_image
from host_tools.device.ports import check_port, not_allowed, wait_for_port
from host_tools.errors import BeckonError
from host_tools.toolchain.cache import cache_folder

# As named on micropython.org/download; the date is the build's.
VERSION, DATE = "1.28.0", "20260406"
SITE = "https://micropython.org/resources/firmware/"
# SHA-256 of those images. micropython.org publishes none, so these are what other public
# projects wrote down when they fetched them: four of them agree on ESP32_GENERIC, one of the
# four names the other three. None was found for the S2.
RECORDED = {
    "ESP32_GENERIC": "cd7820d02c35d34dd403b44263129c6a511b350aea8446c229890753fe240784",
    "ESP32_GENERIC_S3": "8c6039d40024cae3c6b04bb434f77901548f5487df9789af15548c54f9e11d7f",
    "ESP32_GENERIC_C3": "c749c22b6fe00cb8211a3b227ed6c0ce9babb518fd8f5a661f7496eb878fa895",
    "ESP32_GENERIC_C6": "d338042d2dd87a00dad2163071f44bf67da1401e1d1d0686f2bb2e336e78f0e6",
}
_BAUD = 460800
_MOST_BYTES = 16 << 20
_TIMEOUT_S = 30
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")


@dataclass(frozen=True)
class Found:
    """The board on a port. flash: its size as esptool says it, e.g. "4MB"."""

    chip: Chip
    flash: str


def esptool_command() -> list[str]:
    """The arguments that start esptool."""
    return [sys.executable, "-m", "esptool"]


def identify(port: str) -> Found:
    """Ask the board's boot ROM what it is. It is reset for that. Raises BeckonError."""
    out = _esptool(port, ["--connect-attempts", "3", "flash-id"])
    return parse_identity(port, out)


def parse_identity(port: str, out: str) -> Found:
    """Chip and flash size in what esptool's flash-id prints."""
    found = (re.search(r"Chip type:\s+(ESP32[-A-Z0-9]*)", out)
             or re.search(r"Detecting chip type\W+(ESP32[-A-Z0-9]*)", out)
             or re.search(r"Chip is (ESP32[-A-Z0-9]*)", out))  # fmt: skip
    size = re.search(r"Detected flash size:\s+(\w+)", out)
    if not found:
        raise BeckonError(f"the chip on {port} does not say what it is; try again")
    # An ESP32-D0WD, -U4WDH, -PICO-... is an ESP32; a letter with a digit is another family.
    family = re.match(r"ESP32-([SCHPE][0-9]+)", found[1])
    name = "esp32" + (family[1].lower() if family else "")
    if name not in CHIPS:
        raise BeckonError(f"the board on {port} has an {found[1]}; supported are "
                          + ", ".join(chip.title for chip in CHIPS.values()))
    return Found(CHIPS[name], size[1] if size else "unknown")


def write(port: str, chip: Chip, image: Path, on_step: Callable[[str, float], None]) -> None:
    """Erase the board's flash and write image; esptool reads back and compares.

    on_step: called with what is done and percent. Raises BeckonError.
    """
    on_step("erasing", 0)
    common = ["--chip", chip.name, "--baud", str(_BAUD)]
    _esptool(port, [*common, "erase-flash"])

    def on_text(text: str) -> None:
        percents = _PERCENT.findall(text)
        if percents:
            on_step("writing", float(percents[-1]))

    out = _esptool(port, [*common, "write-flash", f"{chip.offset:#x}", str(image)], on_text)
    if "verified" not in out:
        raise BeckonError(f"what was written to {port} was not verified; flash again")


def wait_for_micropython(port: str) -> str:
    """MicroPython's version once it answers. Raises BeckonError."""
    wait_for_port(port)
    with Console(port) as console:
        console.catch(20)
        return console.execute(
            "import sys\nprint('%d.%d.%d' % tuple(sys.implementation[1][:3]))"
        ).strip()


@dataclass(frozen=True)
class Image:
    """A checked image. compared: whether its SHA-256 was compared with one that was known."""

    path: Path
    sha256: str
    compared: bool


def image_for(
    chip: Chip, given: Path | None, sha256: str | None = None, site: str = SITE
) -> Image:
    """A checked image for chip: the one given, else out of the cache, else fetched.

    sha256: what the whole file must have; without it, one that is not given must have the one
    in RECORDED, if there is any. Raises BeckonError.
    """
    if given:
        path = given
        data = _read(path)
    else:
        name = f"{chip.board}-{DATE}-v{VERSION}.bin"
        path = cache_folder() / "images" / name
        data = _read(path) if path.exists() else _fetch(site + name)
    found = hashlib.sha256(data).hexdigest()
    if sha256 and found != sha256.lower():
        raise BeckonError(f"{path.name} has SHA-256 {found}, not {sha256}; fetch it again")
    recorded = sha256 or (None if given else RECORDED.get(chip.board))
    try:
        check_image(path.name, data, chip)
    except BeckonError:
        if not given:
            path.unlink(missing_ok=True)  # a damaged one must not stay in the cache
        raise
    if recorded and found != recorded.lower():
        path.unlink(missing_ok=True)
        raise BeckonError(f"{path.name} from {site} has SHA-256 {found}, others got {recorded}: it "
                          "may be forged; if you trust it, download it in a browser and name it "
                          "with --image")
    if not given and not path.exists():
        _keep(path, data)
    return Image(path, found, recorded is not None)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BeckonError(f"{path}: {error.strerror}; name the image with --image") from None


def _keep(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _fetch(url: str) -> bytes:
    import requests

    cure = "download it in a browser, and name it with --image"
    try:
        with requests.get(url, timeout=_TIMEOUT_S, stream=True) as answer:
            if answer.status_code != 200:
                raise BeckonError(f"{url} answers {answer.status_code}: {cure}")
            data = b""
            for chunk in answer.iter_content(1 << 16):
                data += chunk
                if len(data) > _MOST_BYTES:
                    raise BeckonError(f"{url} is larger than any image: {cure}")
            return data
    except requests.RequestException as error:
        raise BeckonError(f"{url} cannot be fetched ({type(error).__name__}): {cure}") from None


def _esptool(port: str, arguments: list[str], on_text: Callable[[str], None] | None = None) -> str:
    """Run esptool; what it printed. Raises BeckonError."""
    check_port(port)
    command = [*esptool_command(), "--port", port, *arguments]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env={**os.environ, "NO_COLOR": "1"}) as process:
        assert process.stdout
        out = ""
        try:
            while chunk := os.read(process.stdout.fileno(), 4096):
                text = chunk.decode(errors="replace")
                out += text
                if on_text:
                    on_text(text)
        except BaseException:
            process.terminate()
            raise
        status = process.wait()
    if status:
        raise BeckonError(explain(port, out))
    return out


def explain(port: str, out: str) -> str:
    """The line for what a failing esptool printed."""
    if "No module named" in out:
        return "esptool is missing: start with ./beckon, which installs it"
    if "Permission denied" in out:
        return not_allowed(port)
    if "busy" in out or "exclusive" in out or "Resource temporarily unavailable" in out:
        return (f"port {port} is in use by another program; close the serial monitor, mpremote or "
                "Thonny that holds it")
    if "Failed to connect" in out or "No serial data received" in out or "boot mode" in out:
        return (f"the chip on {port} does not enter its boot mode: hold BOOT, press and release "
                "RESET, release BOOT, then try again")
    if "This chip is" in out or "wrong chip" in out.lower():
        return f"another chip is on {port} than before; try again"
    if "Input/output error" in out or "device disconnected" in out or "read failed" in out:
        return f"the board on {port} went away; check cable and plug, then flash again"
    fatal = re.search(r"fatal error occurred: (.+)", out)
    lines = [line.strip(" │") for line in out.splitlines() if re.search(r"[a-z]", line)]
    return f"esptool failed on {port}: {fatal[1] if fatal else lines[-1] if lines else 'nothing'}"
