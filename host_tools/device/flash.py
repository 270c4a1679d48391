"""Put MicroPython on a board with esptool; images fetched and kept."""

import contextlib
import errno
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from esptool.cmds import (
    attach_flash,
    detect_chip,
    detect_flash_size,
    erase_flash,
    reset_chip,
    run_stub,
    write_flash,
)
from esptool.loader import ESPLoader
from esptool.util import FatalError

from host_tools.device.console import Console
from host_tools.device.esp_image import CHIPS, Chip, check_image
from host_tools.device.esptool_log import listening
from host_tools.device.ports import check_port, not_allowed, wait_for_port
from host_tools.errors import BeckonError
from host_tools.files import write_atomically
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
_CONNECT_ATTEMPTS = 3


@dataclass(frozen=True)
class Found:
    """The board on a port. flash: its size as esptool says it, e.g. "4MB"."""

    chip: Chip
    flash: str


def identify(port: str) -> Found:
    """Ask the board's boot ROM what it is. It is reset for that. Raises BeckonError."""
    with listening(), _connected(port) as (chip, esp):
        return Found(chip, detect_flash_size(esp) or "unknown")


def write(port: str, chip: Chip, image: Path, on_step: Callable[[str, float], None]) -> None:
    """Erase the board's flash and write image; esptool reads back and compares.

    on_step: called with what is done and percent. Raises BeckonError.
    """
    with (
        listening(lambda percent: on_step("writing", percent)),
        _connected(port) as (found, esp),
    ):
        if found is not chip:
            raise BeckonError(f"another chip is on {port} than before; try again")
        on_step("erasing", 0)
        esp.change_baud(_BAUD)
        erase_flash(esp)
        write_flash(esp, [(chip.offset, str(image))])


@contextlib.contextmanager
def _connected(port: str) -> Iterator[tuple[Chip, ESPLoader]]:
    """The chip on port, with esptool's flasher running; it is reset when all went well.

    Raises BeckonError for whatever goes wrong, within the context too.
    """
    check_port(port)
    try:
        with detect_chip(port, connect_attempts=_CONNECT_ATTEMPTS) as rom:
            chip = _chip(port, rom)
            esp = run_stub(rom)
            attach_flash(esp)
            yield chip, esp
            reset_chip(esp)
    except (FatalError, OSError) as error:  # pyserial's errors are OSErrors
        raise BeckonError(explain(port, error)) from None


def _chip(port: str, rom: ESPLoader) -> Chip:
    chip = next((chip for chip in CHIPS.values() if chip.title == rom.CHIP_NAME), None)
    if chip is None:
        raise BeckonError(f"the board on {port} has an {rom.CHIP_NAME}; supported are "
                          + ", ".join(chip.title for chip in CHIPS.values()))
    if rom.secure_download_mode:  # what is written could not be read back
        raise BeckonError(f"the {chip.title} on {port} is locked (secure download mode): it keeps "
                          "the program that it has")
    return chip


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
    write_atomically(path, data)


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


def explain(port: str, error: BaseException) -> str:
    """The line for an error of esptool or of the port."""
    causes = []
    cause: BaseException | None = error
    while cause is not None:
        causes.append(cause)
        cause = cause.__cause__ or cause.__context__
    numbers = {cause.errno for cause in causes if isinstance(cause, OSError)}
    if numbers & {errno.EACCES, errno.EPERM}:
        return not_allowed(port)
    if numbers & {errno.EBUSY, errno.EAGAIN}:
        return (f"port {port} is in use by another program; close the serial monitor, mpremote or "
                "Thonny that holds it")
    if numbers:
        return f"the board on {port} went away; check cable and plug, then flash again"
    if "Failed to connect" in str(error):
        return (f"the chip on {port} does not enter its boot mode: hold BOOT, press and release "
                "RESET, release BOOT, then try again")
    return f"esptool failed on {port}: {str(error).splitlines()[0]}"
