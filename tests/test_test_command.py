"""`beckon test` is green only if every tool was."""

import argparse
import threading

import pytest

from host_tools.cli import test as command
from host_tools.errors import BeckonError
from host_tools.toolchain import activity


@pytest.fixture
def run(monkeypatch, tmp_path):
    """run(source, found): the command over one test file, the linters finding `found`."""
    monkeypatch.setattr(command, "_ALL_CORES", [])  # one test needs no workers
    for name in ("micropython_command", "umqtt_folder", "mosquitto_command", "stubs_folder",
                 "browser_command", "webassembly_folder"):
        monkeypatch.setattr(command, name, lambda: None)
    monkeypatch.setattr(command, "provide", lambda extra: None)

    def start(source: str, found: list[command.Check]) -> int:
        file = tmp_path / "test_sample.py"
        file.write_text(source)
        monkeypatch.setattr(command, "_checks", lambda: found)
        monkeypatch.setattr(command, "REPOSITORY", tmp_path)
        return command.run(argparse.Namespace(rest=[], soak=False, mutants=False))

    return start


def test_all_green(run, capfd):
    assert run("def test_a(): pass\n", []) == 0
    out, err = capfd.readouterr()
    assert out.splitlines()[-1].startswith("1 passed") and err == ""


@pytest.mark.parametrize("source", ["def test_a(): assert 0\n", "x = = 1\n", "# nothing to run\n"])
def test_pytest_red(run, source):
    assert run(source, []) == 1


def test_a_linter_red(run, capfd):
    assert run("def test_a(): pass\n", [command.Check("ruff", "F401")]) == 1
    out, err = capfd.readouterr()
    assert "ruff: FAILED\nF401" in out and "failed besides pytest: ruff" in err


@pytest.mark.parametrize("code, faults", [("pass", ""), ("print('bad'); exit(1)", "bad"),
                                          ("exit(3)", "exit status 3")])
def test_a_tool_that_fails_has_faults_even_when_silent(code, faults):
    assert command._tool("x", ["-c", code]).faults == faults


def test_a_fault_in_a_file_is_found(tmp_path, monkeypatch):
    """Not only the plumbing: ruff and mypy do see what is wrong."""
    (tmp_path / "sample.py").write_text("import os\nx: int = 'a'\n")
    monkeypatch.setattr(command, "REPOSITORY", tmp_path)
    assert "F401" in command._tool("ruff", ["-m", "ruff", "check", "--isolated"]).faults
    mypy = ["-m", "mypy", "--cache-dir", str(tmp_path / "cache"), "sample.py"]
    assert "Incompatible types" in command._tool("mypy", mypy).faults


def test_what_windows_lacks_is_found_and_missing_packages_are_no_fault(tmp_path, monkeypatch):
    (tmp_path / "sample.py").write_text(
        "import os\nimport sys\nimport nicegui\n"
        "class Button(nicegui.ui.button, component='x.js'): pass\n"
        "print(os.geteuid(), sys.argv)\n"
        "if sys.platform != 'win32': print(os.getuid())\n")
    monkeypatch.setenv("BECKON_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(command, "REPOSITORY", tmp_path)
    (check,) = command._other_systems(["win32"], ["sample.py"])
    assert check.name == "mypy for win32"
    assert check.faults.startswith("sample.py:5: error: Module has no attribute \"geteuid\"")
    assert len(check.faults.splitlines()) == 1
    (check,) = command._other_systems(["win32"], ["--no-such-option", "sample.py"])
    assert "no-such-option" in check.faults


def test_tools_are_fetched_while_packages_are_installed(run, monkeypatch, capfd):
    both = threading.Barrier(2, timeout=60)

    def fetch():
        with activity.doing("fetching a broker"):
            both.wait()

    monkeypatch.setattr(command, "mosquitto_command", fetch)
    monkeypatch.setattr(command, "provide", lambda extra: both.wait())
    shown = activity.display
    assert run("def test_a(): pass\n", []) == 0
    assert "beckon: fetching a broker ..." in capfd.readouterr().err
    assert activity.display is shown


def test_a_tool_that_cannot_be_fetched_ends_it_but_the_browser_does_not(run, monkeypatch, capfd):
    def fails():
        raise BeckonError("no connection")

    monkeypatch.setattr(command, "browser_command", fails)
    assert run("def test_a(): pass\n", []) == 0
    assert "pages are skipped: no connection" in capfd.readouterr().err
    monkeypatch.setattr(command, "umqtt_folder", fails)
    with pytest.raises(BeckonError, match="no connection"):
        run("def test_a(): pass\n", [])


def test_byte_code_is_kept_apart_where_none_is_wanted_beside_sources(run, monkeypatch, tmp_path):
    monkeypatch.setenv("BECKON_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "beside.py").write_text("")
    assert run(f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n"
               "import beside\ndef test_a(): pass\n", []) == 0
    assert not list(tmp_path.glob("__pycache__/beside*"))
    assert list((tmp_path / "cache" / "byte-code").rglob("beside*.pyc"))
