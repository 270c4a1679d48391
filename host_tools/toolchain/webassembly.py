"""MicroPython's WebAssembly port: a current MicroPython with 32-bit objects, under Node.

The tests use it as a board that mpremote can talk to (host_tools/testing/pty_board.py).
"""

from pathlib import Path

from host_tools.toolchain.cache import cached
from host_tools.toolchain.npm import fetch, npm_missing

PACKAGE = "@micropython/micropython-webassembly-pyscript"
VERSION = "1.29.0-6"
_SHA256 = {
    "micropython.mjs": "26cc7a99064a16518ab9a695e848efb248bfce504aee56ae73b2af35f3dcbf8b",
    "micropython.wasm": "d5913c9327072e71d3e7a2e9384ea326f7d784bcc2f50a01b602c52bd2bdcafd",
}


def node_missing() -> str:
    """Why this board cannot be had here, or ""."""
    return npm_missing("node", "npm")


def webassembly_folder() -> Path:
    """A folder with micropython.mjs and micropython.wasm. Raises BeckonError."""
    return cached(f"micropython-webassembly-{VERSION}", _make)


def _make(work: Path) -> None:
    fetch(PACKAGE, VERSION, _SHA256, work, f"MicroPython {VERSION} for Node")
