"""The pretend boards that run on this computer (`beckon board`), and how to reach their hand.

A pretend board is on a serial port like a real one. Beside the port lies a socket on which its
hand takes orders, one line each: what a person in front of a real board reads on the screen.
"""

import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from host_tools.toolchain.cache import cache_folder

_HAND = "hand"


def pretend_ports() -> list[str]:
    """The serial ports of the pretend boards that run now."""
    found: list[str] = []
    if sys.platform == "win32":  # it has no pseudo-terminals
        return found
    for path in sorted(_folder().glob("*.json")):
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            port, process = str(entry["port"]), int(entry["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if _runs(process) and os.path.exists(port):
            found.append(port)
    return found


def is_pretend(port: str) -> bool:
    """Whether a pretend board is on this port."""
    return hand_address(port).exists()


def hand_address(port: str) -> Path:
    """Where the hand of the board on port listens."""
    return Path(port).with_name(_HAND)


def tell_hand(port: str, order: str) -> None:
    """Give the hand of a pretend board an order; does nothing for a real board."""
    if sys.platform == "win32" or not is_pretend(port):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line, contextlib.suppress(OSError):
        line.connect(str(hand_address(port)))
        line.send(order.encode())


@contextlib.contextmanager
def lying_still(port: str | None) -> Iterator[None]:
    """Have a pretend board lie on a table meanwhile. port: None for the only one."""
    ports = pretend_ports() if port is None else [port]
    for each in ports:
        tell_hand(each, "lay")
    try:
        yield
    finally:
        for each in ports:
            tell_hand(each, "take")


@contextlib.contextmanager
def listed(port: str) -> Iterator[None]:
    """Let pretend_ports() find the board on port as long as the context lasts."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    entry = folder / f"{os.getpid()}-{Path(port).parent.name}.json"
    entry.write_text(json.dumps({"port": port, "pid": os.getpid()}), encoding="utf-8")
    try:
        yield
    finally:
        entry.unlink(missing_ok=True)


def _folder() -> Path:
    """Where the boards that run are listed; BECKON_BOARDS names another place, for tests."""
    return Path(os.environ.get("BECKON_BOARDS") or cache_folder() / "boards")


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True
