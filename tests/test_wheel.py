"""What `python -m build` makes is all that a computer without a clone needs."""

import os
import re
import shlex
import subprocess
import sys
import sysconfig
import urllib.request
import zipfile
from pathlib import Path

import pytest

from host_tools.paths import FIRMWARE, REPOSITORY
from host_tools.toolchain.cache import cache_folder
from tests.boards import sensor_board

BESIDES_CODE = ("firmware", "data", "docs", "bench")
TIMEOUT_S = 300


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder)],
        cwd=REPOSITORY, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return path


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(REPOSITORY).as_posix() for path in folder.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts}


def test_the_wheel_holds_every_file_that_commands_read(wheel):
    expected = files_below(REPOSITORY / "host_tools") - {"host_tools/cli/test.py"}
    for name in BESIDES_CODE:
        expected |= {f"host_tools/share/{path}" for path in files_below(REPOSITORY / name)}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == expected


@pytest.fixture(scope="module")
def version() -> str:
    found = re.findall(r'^VERSION = "(.*)"', (FIRMWARE / "app.py").read_text(), re.MULTILINE)
    assert len(found) == 1
    return found[0]


def test_one_version_everywhere(wheel, version):
    assert wheel.name.startswith(f"beckon-{version}-")
    assert f'"version": "{version}"' in (REPOSITORY / "package.json").read_text()
    assert f"\n## {version}" in (REPOSITORY / "CHANGELOG.md").read_text()


class Installed:
    """The commands of a wheel in an environment of its own, as a user without a clone has them."""

    def __init__(self, folder: Path, cache: Path | None = None):
        self.python = folder / "bin" / "python"
        self.folder = folder / "elsewhere"  # where the user is
        self.folder.mkdir()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "BECKON_"))}
        self.env = {**kept, "OMP_NUM_THREADS": "1", "HOME": str(folder)}
        if cache:
            self.env["BECKON_CACHE"] = str(cache)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen([self.python.with_name("beckon"), *words], cwd=self.folder,
                                env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def run(self, *words: str, status: int = 0) -> tuple[str, str]:
        process = self.start(*words)
        try:
            out, err = process.communicate(timeout=TIMEOUT_S)
        finally:
            process.kill()
        assert process.returncode == status, out + err
        return out, err


    def share(self) -> Path:
        """Where its data and firmware lie."""
        code = "from host_tools.paths import REPOSITORY; print(REPOSITORY)"
        done = subprocess.run([self.python, "-c", code], cwd=self.folder, env=self.env, check=True,
                              capture_output=True, text=True, timeout=TIMEOUT_S)
        return Path(done.stdout.strip())


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Installed:
    """The wheel alone in a new environment, beside the packages of this one."""
    folder = tmp_path_factory.mktemp("installed")
    venv = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(venv, check=True, timeout=TIMEOUT_S)
    python = folder / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps",
         "--no-index", "--no-compile", str(wheel)], check=True, timeout=TIMEOUT_S)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    # The packages, without the .pth file beside them that leads to this repository.
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(folder, cache_folder())


def test_the_command_is_the_wheels_own(installed, version):
    out, _ = installed.run("--version")
    assert out == f"beckon {version}\n"
    out, _ = installed.run("--help")
    documentation = Path(out.splitlines()[-1].removeprefix("documentation: "))
    assert documentation.is_relative_to(installed.folder.parent)
    assert (documentation / "first-afternoon.md").exists()


def test_firmware_model_and_data_are_found(installed):
    share = installed.share()
    out, _ = installed.run("evaluate", str(share / "data/model.mlp"), str(share / "data/demo"))
    assert "events  9 of 9 found" in out


def test_what_needs_the_repository_is_not_offered(installed):
    _, err = installed.run("test", status=2)
    assert err == "beckon: unknown command 'test': see beckon --help\n"


def studio_page(installed: Installed) -> str:
    """The first page of Studio, and the script that draws its signals."""
    process = installed.start("studio", "my-gestures", "--no-browser", "--port", "0")
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        opener.open(address, timeout=TIMEOUT_S).close()  # gives the cookie
        origin = address.split("/?")[0]
        with opener.open(origin + "/", timeout=TIMEOUT_S) as answer:
            page = answer.read().decode()
        script = origin + "/studio/signal/signal_view.js"
        with opener.open(script, timeout=TIMEOUT_S) as answer:
            return page + answer.read().decode()
    finally:
        process.terminate()
        process.communicate(timeout=TIMEOUT_S)


@pytest.mark.soak
def test_an_empty_environment_needs_nothing_else(wheel, tmp_path):
    """The packages come from the index; the board is the one of the tests."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path)], check=True, timeout=TIMEOUT_S)
    pip = [str(tmp_path / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, str(wheel)], check=True, timeout=4 * TIMEOUT_S)
    user = Installed(tmp_path)

    _, err = user.run("studio", status=1)
    assert err.startswith("beckon studio: needs more packages: install them with ")
    cure = shlex.split(err.partition(" with ")[2])
    assert cure[:4] == pip[:4] and any(x.startswith("nicegui") for x in cure[4:])
    subprocess.run(cure, check=True, timeout=4 * TIMEOUT_S, capture_output=True)
    page = studio_page(user)
    assert "my-gestures" in page and "export" in page

    out, _ = user.run("demo", "--speed", "10")
    assert "9 of 9 gestures recognised" in out
    user.run("train", str(user.share() / "data" / "gestures"), "--out", "my.mlp")
    out, _ = user.run("image", "board", "--model", "my.mlp", "--json")
    assert (user.folder / "board" / "model.mlp").read_bytes() == \
        (user.folder / "my.mlp").read_bytes()
    with sensor_board(tmp_path / "flash") as board:
        out, _ = user.run("deploy", board.port, "--model", "my.mlp")
    assert " files copied " in out
    assert (tmp_path / "flash" / "model.mlp").read_bytes() == \
        (user.folder / "my.mlp").read_bytes()
