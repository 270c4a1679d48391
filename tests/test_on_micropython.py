"""Every file of tests/both under the real MicroPython, its exit status and count checked."""

import ast
import os
import subprocess
from pathlib import Path

import pytest

from host_tools.toolchain import micropython_command
from host_tools.toolchain.micropython_wheel import wheel_command, wheel_is_for_this_computer

TESTS = Path(__file__).parent
REPOSITORY = TESTS.parent
FILES = sorted((TESTS / "both").glob("test_*.py"))
TIMEOUT_S = 120


def run_on_micropython(
    file: Path, *options: str, interpreter=micropython_command
) -> subprocess.CompletedProcess[str]:
    """Run one file through tests/both/run.py; options go to the interpreter."""
    folders = [REPOSITORY / "firmware", REPOSITORY / "firmware" / "lib", TESTS]
    path = ":".join([*map(str, folders), ".frozen"])
    return subprocess.run(
        [*interpreter(), *options, str(TESTS / "both" / "run.py"), str(file)],
        env={**os.environ, "MICROPYPATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=TIMEOUT_S,
    )


def tests_in(file: Path) -> int:
    body = ast.parse(file.read_text()).body
    names = {n.name for n in body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")}
    return len(names)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_on_micropython(file):
    done = run_on_micropython(file)
    report = done.stdout[-4000:] + done.stderr[-4000:]
    assert done.returncode == 0, report
    assert done.stdout.splitlines()[-1] == f"{tests_in(file)} passed, 0 failed", report


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_with_objects_of_a_board_s_size(file, micropython_32):
    """On 32 bits an integer from 2^30 on is an object: what locks the heap must still pass."""
    done = run_on_micropython(file, interpreter=lambda: micropython_32)
    report = done.stdout[-4000:] + done.stderr[-4000:]
    assert done.returncode == 0, report
    assert done.stdout.splitlines()[-1] == f"{tests_in(file)} passed, 0 failed", report


@pytest.mark.skipif(not wheel_is_for_this_computer(), reason="there is no wheel for this computer")
@pytest.mark.parametrize("name", ["interpreter", "micromlp_engine", "ring_buffer"])
def test_on_the_wheels_micropython(name):
    """All files pass there, too: BECKON_MICROPYTHON can name it. These need viper and native."""
    file = TESTS / "both" / f"test_{name}.py"
    done = run_on_micropython(file, "-X", "heapsize=320K", interpreter=wheel_command)
    report = done.stdout[-4000:] + done.stderr[-4000:]
    assert done.returncode == 0, report
    assert done.stdout.splitlines()[-1] == f"{tests_in(file)} passed, 0 failed", report


def test_the_32_bit_interpreter_finds_an_integer_that_is_an_object(tmp_path, micropython_32):
    file = tmp_path / "test_sample.py"
    file.write_text(
        "import micropython\ndef test_a():\n    x = (1 << 29) + 1\n    micropython.heap_lock()\n"
        "    try:\n        x += x\n    finally:\n        micropython.heap_unlock()\n"
    )
    assert "MemoryError" in run_on_micropython(file, interpreter=lambda: micropython_32).stdout
    assert run_on_micropython(file).returncode == 0


def failing(tmp_path, source: str) -> subprocess.CompletedProcess[str]:
    file = tmp_path / "test_sample.py"
    file.write_text(source)
    return run_on_micropython(file)


@pytest.mark.parametrize(
    "source",
    [
        "def test_a():\n    assert 1 == 2\ndef test_b():\n    pass\n",
        "def test_a():\n    raise OSError(5)\n",
        "def test_a():\n    import no_such_module\n",
        "x = = 1\n",  # the file does not even compile
        "import no_such_module\ndef test_a():\n    pass\n",
        "def helper():\n    pass\n",  # nothing ran: not a success
    ],
)
def test_the_runner_fails_when_a_test_does(tmp_path, source):
    assert failing(tmp_path, source).returncode != 0


def test_the_runner_goes_on_after_a_failure(tmp_path):
    done = failing(tmp_path, "def test_a():\n    assert 0, 'why'\ndef test_b():\n    pass\n")
    assert "FAIL test_a" in done.stdout and "why" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 passed, 1 failed"


def test_a_killed_interpreter_is_no_success(tmp_path):
    done = failing(tmp_path, "import sys\ndef test_a():\n    sys.exit(0)\ndef test_b(): pass\n")
    assert done.stdout.splitlines()[-1:] != ["2 passed, 0 failed"]
