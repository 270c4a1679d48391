"""How you type the command here, for lines that you copy."""

import os
import shutil
from pathlib import Path

from host_tools.paths import REPOSITORY


def program() -> str:
    """`./beckon` in the folder of a clone whose command is not on the PATH, else `beckon`."""
    in_clone = Path.cwd() == REPOSITORY and (REPOSITORY / "beckon").is_file()
    return "./beckon" if in_clone and os.name != "nt" and not shutil.which("beckon") else "beckon"
