"""The version of Beckon: one number for the tools and the firmware."""

import re

from host_tools.paths import FIRMWARE


def version() -> str:
    """As firmware/app.py has it, since a board reports it too; pyproject.toml reads the same."""
    found = re.search(r'^VERSION = "([^"]+)"', (FIRMWARE / "app.py").read_text(), re.MULTILINE)
    return found[1] if found else "unknown"
