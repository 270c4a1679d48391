"""package.json: what `mpremote mip install` puts on a board."""

import subprocess
import sys
from pathlib import Path

from tests.boards import sensor_board

ROOT = Path(__file__).parents[1]


def test_mip_installs_the_file(tmp_path):
    with sensor_board(tmp_path) as board:
        done = subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", board.port,
             "mip", "install", "--target", "lib", str(ROOT / "package.json")],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    installed = tmp_path / "lib" / "microMLP.py"
    assert installed.read_bytes() == (ROOT / "firmware" / "lib" / "microMLP.py").read_bytes()
