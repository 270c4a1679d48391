"""axe-core, which finds what keeps people out of a page: contrast, names, order, roles.

The tests run it in the browser on Studio's pages. Its licence is the MPL 2.0.
"""

from pathlib import Path

from host_tools.toolchain.cache import cached
from host_tools.toolchain.npm import fetch

PACKAGE = "axe-core"
VERSION = "4.14.1"
_SHA256 = {
    "axe.min.js": "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c",
}


def axe_script() -> Path:
    """The script to run in a page. Raises BeckonError."""
    return cached(f"axe-core-{VERSION}", _make) / "axe.min.js"


def _make(work: Path) -> None:
    fetch(PACKAGE, VERSION, _SHA256, work, f"axe-core {VERSION}")
