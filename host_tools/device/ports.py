"""Which serial port the board is on, and why one cannot be opened."""

import errno
import os
import sys
import time
from pathlib import Path

from host_tools.device.pretend import pretend_ports
from host_tools.errors import BeckonError, Sentence

# USB vendor ids of the bridges on ESP32 boards, and of Espressif's own USB.
_VENDORS = {0x10C4: "CP210x", 0x1A86: "CH340", 0x0403: "FTDI", 0x303A: "Espressif",
            0x2341: "Arduino", 0x239A: "Adafruit"}  # fmt: skip


def candidates() -> list[tuple[str, str]]:
    """(port, what it is) of the serial ports that may be a board."""
    from serial.tools.list_ports import comports

    found = []
    for port in comports():
        if port.vid in _VENDORS:
            found.append((port.device, f"{_VENDORS[port.vid]} {port.product or ''}".strip()))
    return sorted(found) + [(port, "pretend board") for port in pretend_ports()]


def find_port(named: str | None) -> str:
    """The port that is named, or the only one there is.

    Raises BeckonError: it is not there, not allowed, or there are none or several.
    """
    if named:
        check_port(named)
        return named
    found = candidates()
    if not found:
        raise BeckonError(
            "no board found on USB; plug it in with a cable that carries data (many only charge), "
            "or name the port; without a board, practise on a pretend one: beckon board"
        )
    if len(found) > 1:
        ports = ", ".join(f"{port} ({what})" for port, what in found)
        raise BeckonError("there are several boards, name one of the ports: {ports}", status=2,
                          ports=ports)
    check_port(found[0][0])
    return found[0][0]


def check_port(port: str) -> None:
    """Raises BeckonError if port is missing, is not a serial port or may not be used."""
    if "://" in port:  # rfc2217 and the like
        return
    path = Path(port)
    if sys.platform == "win32":  # COM3 is not a file; opening it tells
        return
    if not path.exists():
        there = ", ".join(name for name, _ in candidates()) or "none"
        raise BeckonError("port {port} is not there; is the board plugged in? boards found: "
                          "{there}", port=port, there=there)  # fmt: skip
    if not path.is_char_device():
        raise BeckonError("{port} is not a serial port; name one like /dev/ttyUSB0", port=port)
    if not os.access(port, os.R_OK | os.W_OK):
        raise BeckonError(not_allowed(port))


def wait_for_port(port: str, timeout_s: float = 15.0) -> None:
    """Wait until port can be used: some go away while the board resets. Raises BeckonError."""
    until = time.monotonic() + timeout_s
    while True:
        try:
            check_port(port)
            return
        except BeckonError:
            if time.monotonic() > until:
                raise
        time.sleep(0.1)


def wait_for_return(port: str, leaves_within_s: float = 0.7, timeout_s: float = 10.0) -> None:
    """After a reset: where MicroPython itself is the USB device, the port goes away and comes
    back; wait for that, so that the next command finds it. Returns in any case."""
    if "://" in port or sys.platform == "win32":
        return
    until = time.monotonic() + leaves_within_s
    while os.path.exists(port):
        if time.monotonic() > until:
            return
        time.sleep(0.02)
    try:
        wait_for_port(port, timeout_s)
    except BeckonError:
        pass  # it was unplugged meanwhile; whoever needs it will say so


def not_allowed(port: str) -> str:
    """The line for a port that this user may not open."""
    group = _group(port) or "dialout"
    return Sentence("you may not use port {port}: run `sudo usermod -aG {group} $USER`, then log "
                    "out and in again", port=port, group=group)


def open_fault(port: str, error: Exception) -> BeckonError:
    """What to say for what pyserial raised when it opened port."""
    number = getattr(error, "errno", None)
    text = str(error)
    if is_busy(error):
        return BeckonError("port {port} is in use by another program; close the serial monitor, "
                           "mpremote or Thonny that holds it", port=port)
    if number in (errno.EACCES, errno.EPERM):
        return BeckonError(not_allowed(port))
    if number in (errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.EIO):
        return BeckonError("port {port} is not there any more; is the board plugged in?",
                           port=port)
    return BeckonError("port {port} cannot be opened: {text}", port=port, text=text)


def is_busy(error: Exception) -> bool:
    """Whether pyserial says with error that another program holds the port."""
    if getattr(error, "errno", None) in (errno.EAGAIN, errno.EBUSY):
        return True
    return "exclusively lock" in str(error) or "busy" in str(error)


def _group(port: str) -> str | None:
    if sys.platform == "win32":
        return None
    import grp

    try:
        return grp.getgrgid(os.stat(port).st_gid).gr_name
    except (OSError, KeyError):
        return None
