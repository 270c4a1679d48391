"""./beckon makes its environment once, mends it, and stops with one line when it cannot.

A small clone stands for the repository: the real ./beckon and bootstrap.py, and a
pyproject.toml with a build backend of its own, so that pip needs no network.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "beckon"
version = "0"
"""

# The least that PEP 517/660 ask for. It leaves a line in builds.txt each time.
BACKEND = '''
import pathlib, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    with open("builds.txt", "a") as log:
        log.write("built\\n")
    name = "beckon-0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w") as wheel:
        info = "beckon-0.dist-info/"
        wheel.writestr("beckon.pth", str(pathlib.Path.cwd()))
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: beckon\\nVersion: 0\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n"
                                       "Generator: test\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name
'''

MAIN = "import sys; print('main', sys.prefix, *sys.argv[1:]); sys.exit(len(sys.argv) - 1)"


def make_clone(folder: Path) -> Path:
    tools = folder / "host_tools" / "toolchain"
    tools.mkdir(parents=True)
    shutil.copy(REPOSITORY / "beckon", folder)
    shutil.copy(REPOSITORY / "host_tools" / "toolchain" / "bootstrap.py", tools)
    (folder / "host_tools" / "__init__.py").touch()
    (folder / "host_tools" / "__main__.py").write_text(MAIN)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "packages.lock").write_text("# nothing\n")
    return folder


def lock(clone: Path, package: str) -> None:
    (clone / "packages.lock").write_text(
        f"# for: base\n{package} \\\n    --hash=sha256:{'0' * 64}\n"
        "# for: other\nother==1 \\\n    --hash=sha256:1\n")


def environment(**changes: str) -> dict[str, str]:
    """Without network: pip and apt find a closed port."""
    closed = "http://127.0.0.1:9"
    kept = {k: v for k, v in os.environ.items() if not k.lower().startswith(("pip_", "beckon_"))}
    return {**kept, "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": closed + "/simple",
            "http_proxy": closed, "https_proxy": closed, "CI": "true", **changes}


def start(clone: Path, *words: str, **changes: str) -> subprocess.Popen[str]:
    return subprocess.Popen([str(clone / "beckon"), *words], env=environment(**changes), text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, cwd="/")


def beckon(clone: Path, *words: str, **changes: str) -> tuple[int, str, str]:
    process = start(clone, *words, **changes)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def builds(clone: Path) -> int:
    log = clone / "builds.txt"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_the_life_of_a_clone(tmp_path):
    clone = make_clone(tmp_path / "a clone")
    greeting = f"main {clone}/.venv"

    # Two first runs at once: one installs, the other waits for it.
    both = [start(clone, "a"), start(clone, "b")]
    ends = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [1, 1]  # as MAIN exits: its arguments
    assert [out for out, _ in ends] == [f"{greeting} a\n", f"{greeting} b\n"]
    assert builds(clone) == 1
    said = "".join(err for _, err in ends)
    assert said.count("making the environment") == 1 and "waiting for another" in said
    assert said.count("in this folder, type `./beckon COMMAND`") == 1

    # From then on it is quiet and passes everything on, from a symbolic link as well.
    assert beckon(clone, "x y", "*") == (2, f"{greeting} x y *\n", "")
    (tmp_path / "link").symlink_to(clone / "beckon")
    done = subprocess.run([tmp_path / "link"], env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{greeting}\n", "")

    # Packages of another program do not come first.
    foreign = tmp_path / "foreign" / "host_tools"
    foreign.mkdir(parents=True)
    (foreign / "__init__.py").write_text("raise SystemExit('foreign')\n")
    changes = {"PYTHONPATH": str(foreign.parent), "PYTHONHOME": "/no/such/folder"}
    assert beckon(clone, **changes) == (0, f"{greeting}\n", "")

    # Other packages: installed into the same environment.
    (clone / ".venv" / "kept").touch()
    with open(clone / "pyproject.toml", "a") as file:
        file.write("# changed\n")
    status, _, err = beckon(clone)
    assert status == 0 and "installing" in err and "making" not in err
    assert builds(clone) == 2 and (clone / ".venv" / "kept").exists()

    # Moved: made again, as an environment holds its own path.
    clone = clone.rename(tmp_path / "moved")
    status, out, err = beckon(clone)
    assert (status, out) == (0, f"main {clone}/.venv\n")
    assert "making" in err and not (clone / ".venv" / "kept").exists()

    # An unfinished environment, as an interrupted run leaves it: made again.
    (clone / ".venv" / "beckon-stamp").unlink()
    shutil.rmtree(clone / ".venv" / "lib")
    assert beckon(clone)[:2] == (0, f"main {clone}/.venv\n")


def test_a_broken_venv_is_made_anew(tmp_path):
    clone = make_clone(tmp_path / "clone")
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to("/no/such/python")  # an upgraded system
    (clone / ".venv" / "beckon-stamp").write_text("nonsense\n")
    status, out, err = beckon(clone)
    assert (status, out) == (0, f"main {clone}/.venv\n") and "making" in err


def test_offline_is_one_line(tmp_path):
    clone = make_clone(tmp_path / "clone")
    lock(clone, "setuptools==84.0.0")
    status, out, err = beckon(clone)
    assert (status, out) == (1, "")
    *doing, last = err.splitlines()
    assert all(line.endswith(" ...") for line in doing)
    assert last.startswith("beckon: cannot reach the Python package index: connect")
    assert "127.0.0.1" not in err
    assert "setuptools" in (clone / ".cache" / "install.log").read_text()
    # The next run, online, goes on from there.
    (clone / "packages.lock").write_text("# nothing\n")
    assert beckon(clone)[0] == 0


def test_a_package_with_another_hash_is_not_installed(tmp_path):
    """The wheel lies in a folder that pip looks into, as a wrong index would offer it."""
    clone = make_clone(tmp_path / "clone")
    wheel = tmp_path / "probe_of_beckon-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        info = "probe_of_beckon-1.dist-info/"
        made.writestr("probe_of_beckon.py", "")
        made.writestr(info + "METADATA",
                      "Metadata-Version: 2.1\nName: probe-of-beckon\nVersion: 1\n")
        made.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
                                      "Generator: test\nTag: py3-none-any\n")
        made.writestr(info + "RECORD", "")
    offered = {"PIP_FIND_LINKS": str(tmp_path), "PIP_NO_INDEX": "1"}
    lock(clone, "probe-of-beckon==1")
    status, out, err = beckon(clone, **offered)
    assert (status, out) == (1, "")
    assert "the package index gives another probe-of-beckon==1 than packages.lock names" in err
    installed = list((clone / ".venv").rglob("probe_of*"))
    assert installed == [] and builds(clone) == 0


def test_the_lock_file_has_what_pyproject_asks_for(repository):
    """Else run python -m host_tools.toolchain.lock."""
    from packaging.requirements import Requirement

    from host_tools.toolchain.bootstrap import LOCK, blocks, locked
    from host_tools.toolchain.lock import build_requires

    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    wanted = {"base": [*project["dependencies"], *build_requires()],
              **project["optional-dependencies"]}
    for extra, requirements in wanted.items():
        lines = [block.splitlines()[0].rstrip("\\") for block in blocks(locked(extra))]
        pins = [Requirement(line) for line in lines]
        for requirement in map(Requirement, requirements):
            if requirement.name == "beckon":  # its own extras
                for other in requirement.extras:
                    assert set(blocks(locked(other))) <= set(blocks(locked(extra)))
                continue
            found = [p for p in pins if canonical(p.name) == canonical(requirement.name)]
            versions = [next(iter(p.specifier)).version for p in found]
            assert found and all(requirement.specifier.contains(v) for v in versions), requirement
    text = LOCK.read_text()
    assert all("--hash=sha256:" in block for block in blocks(text)) and "://" not in text


def canonical(name):
    return name.lower().replace("_", "-")


def only(folder: Path, **programs: str) -> str:
    """A PATH with what ./beckon calls and these shell scripts, nothing else."""
    folder.mkdir()
    for name in ("sh", "dirname", "readlink", "cksum", "cat"):
        (folder / name).symlink_to(shutil.which(name))
    for name, script in programs.items():
        (folder / name).write_text("#!/bin/sh\n" + script)
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("programs", [{}, {"python3": "exit 1\n"}])
def test_without_a_new_enough_python(tmp_path, programs):
    clone = make_clone(tmp_path / "clone")
    status, out, err = beckon(clone, PATH=only(tmp_path / "bin", **programs))
    assert (status, out) == (1, "")
    assert err == ("beckon: needs Python 3.11 or later: install it "
                   "(Debian, Ubuntu: the package python3)\n")


@pytest.fixture
def bootstrap(tmp_path):
    """bootstrap.py as a module, in a small clone."""
    clone = make_clone(tmp_path / "clone")
    path = clone / "host_tools" / "toolchain" / "bootstrap.py"
    spec = importlib.util.spec_from_file_location("bootstrap_of_clone", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pip_says(bootstrap, monkeypatch, text: str, status: int) -> None:
    """Put an environment there whose pip says text."""

    def make_venv():
        python = bootstrap.VENV / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {status}\n")
        python.chmod(0o755)

    monkeypatch.setattr(bootstrap, "_make_venv", make_venv)


@pytest.mark.parametrize(
    "text, line",
    [
        ("ERROR: [Errno 28] No space left on device", "the disk is full"),
        ("Retry(total=0 ... ProxyError('Cannot connect'))\nERROR: No matching distribution found "
         "for setuptools>=68", "cannot reach the Python package index"),
        ("ERROR: No matching distribution found for numpy<3,>=1.26",
         "the package numpy<3,>=1.26 is not available for this Python"),
        ("Segmentation fault", "pip could not install the packages: see .cache/install.log"),
    ],
)
def test_a_failing_pip_is_one_line(bootstrap, monkeypatch, capsys, text, line):
    pip_says(bootstrap, monkeypatch, text, status=1)
    assert bootstrap.main() == 1
    doing, said = capsys.readouterr().err.splitlines()
    assert said.startswith(f"beckon: {line}")
    assert text in bootstrap.LOG.read_text()
    assert not bootstrap.STAMP.exists()


def test_a_python_without_ensurepip_names_the_package(bootstrap, monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec",
                        lambda name: None if name == "ensurepip" else find(name))
    assert bootstrap.main() == 1
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"install the package python{version}-venv" in capsys.readouterr().err
    assert not bootstrap.VENV.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_clone_that_cannot_be_written(bootstrap, capsys):
    bootstrap.REPOSITORY.chmod(0o555)
    try:
        assert bootstrap.main() == 1
    finally:
        bootstrap.REPOSITORY.chmod(0o755)
    assert capsys.readouterr().err.startswith("beckon: Permission denied: ")


def test_an_interrupt_says_so(bootstrap, monkeypatch, capsys):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "_make_venv", interrupted)
    assert bootstrap.main() == 130
    assert capsys.readouterr().err == "beckon: stopped; the next run begins again\n"


def test_an_extra_is_installed_once_for_each_pyproject(bootstrap, monkeypatch):
    pip_says(bootstrap, monkeypatch, "", status=0)
    bootstrap.make()
    assert not bootstrap.has("test")
    bootstrap.install("test")
    assert bootstrap.has("test") and not bootstrap.has("studio")
    (bootstrap.REPOSITORY / "pyproject.toml").write_text(PYPROJECT + "# changed\n")
    assert not bootstrap.has("test")


def test_the_stamp_is_the_one_that_the_shell_script_writes(bootstrap, monkeypatch):
    """Otherwise every run would install."""
    pip_says(bootstrap, monkeypatch, "this is the environment", status=5)
    bootstrap._make_venv()
    bootstrap.STAMP.write_text(bootstrap.stamp())
    done = subprocess.run([bootstrap.REPOSITORY / "beckon"], capture_output=True, text=True,
                          env=environment())
    assert (done.returncode, done.stdout) == (5, "this is the environment\n")


@pytest.mark.soak
def test_a_fresh_clone_of_the_repository(tmp_path):
    """With network, the whole way: environment, packages, MicroPython, tests."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(clone)], check=True)
    env = {k: v for k, v in os.environ.items() if not k.startswith("BECKON_")}
    for words in (["--version"], ["test", "tests/test_cli.py", "tests/test_on_micropython.py"]):
        done = subprocess.run([clone / "beckon", *words], env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=900)
        assert done.returncode == 0, done.stderr
    assert " passed" in done.stdout.splitlines()[-1]
