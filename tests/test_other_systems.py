"""Windows and macOS: the commands but the simulated board need nothing that only Unix has.

Nothing here runs on such a system. It shows what can be shown here: our modules import and work
without Unix's modules and functions (tests/without_unix.py), and mypy agrees for each system
(host_tools/cli/test.py).
"""

import json
import os
import subprocess
import sys
import urllib.request

import pytest

from tests.conftest import REPOSITORY

TIMEOUT_S = 300
NEED_UNIX = ("host_tools.bench", "host_tools.testing", "host_tools.simulator.serial_board",
             "host_tools.simulator.pretend")  # fmt: skip
PROGRAM = """
import importlib, json, pkgutil, sys
from tests.without_unix import hide
hide()
import host_tools
seen = []
for module in pkgutil.walk_packages(host_tools.__path__, "host_tools."):
    parts = module.name.split(".")
    if module.name.startswith(tuple(sys.argv[1:])) or {"on_board", "standins"} & set(parts):
        continue
    if parts[-1] != "__main__" and module.name != "host_tools.toolchain.on_wheel":
        importlib.import_module(module.name)
        seen.append(module.name)
assert "host_tools.studio.record.page" in seen and len(seen) > 150, len(seen)
from host_tools.cli.app import main
for line in sys.stdin:
    print("STATUS", main(json.loads(line)), flush=True)
"""


def test_modules_import_and_commands_run_without_unix(tmp_path):
    recording = next((REPOSITORY / "data/demo/recordings").glob("*.csv.gz"))
    folder, model = str(tmp_path / "mine"), str(tmp_path / "my.mlp")
    commands = [
        (0, "data", "check", "data/demo"),
        (0, "record", "--from", str(recording), "--speed", "0", "--free", "--labels", "none",
         "--out", folder),
        (0, "train", "data/demo", "--out", model, "--steps", "30", "--no-background"),
        (0, "evaluate", model, "data/demo"),
        (0, "setup", "--folder", folder, "--set", "wifi_ssid=home", "--no-test"),
        (1, "watch", "--broker", "mqtt://127.0.0.1:9"),
        (1, "ask", "kitchen", "diag", "--broker", "mqtt://127.0.0.1:9"),
        (1, "deploy", "--mqtt", "kitchen", "--broker", "mqtt://127.0.0.1:9", "--model", model,
         "--settings", folder),
    ]  # fmt: skip
    lines = "".join(json.dumps(words) + "\n" for _, *words in commands)
    done = subprocess.run([sys.executable, "-c", PROGRAM, *NEED_UNIX], input=lines, text=True,
                          capture_output=True, timeout=TIMEOUT_S, cwd=REPOSITORY,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    statuses = [int(line.split()[1]) for line in done.stdout.splitlines()
                if line.startswith("STATUS")]  # fmt: skip
    assert statuses == [status for status, *_ in commands], done.stderr[-3000:]
    assert done.stderr.count("no broker answers at") == 3 and "a bug in" not in done.stderr
    assert (tmp_path / "my.mlp").stat().st_size > 1000


def test_studio_starts_without_unix(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.without_unix", "studio", str(tmp_path), "--no-browser",
         "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY,
    )  # fmt: skip
    try:
        assert process.stdout
        address = process.stdout.readline().strip()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(address, timeout=TIMEOUT_S) as answer:
            assert answer.status == 200 and "Studio" in answer.read().decode()
    finally:
        process.terminate()
        _, err = process.communicate(timeout=TIMEOUT_S)
    assert "Traceback" not in err, err[-2000:]


def test_the_hook_takes_away(tmp_path):
    """Were it not so, the other tests would show nothing."""
    done = subprocess.run([sys.executable, "-m", "tests.without_unix", "board"], text=True,
                          capture_output=True, timeout=TIMEOUT_S, cwd=REPOSITORY)
    assert done.returncode == 1 and "pty" in done.stderr


@pytest.mark.parametrize("name", ["beckon.cmd"])
def test_windows_finds_a_way_to_start(name):
    text = (REPOSITORY / name).read_bytes()
    assert b"bootstrap.py" in text and b"-m host_tools %*" in text
    assert text.count(b"\r\n") == text.count(b"\n")  # cmd.exe needs them at jumps
