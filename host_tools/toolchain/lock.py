"""Make packages.lock: each Python package that ./beckon installs, with version and hashes.

    .venv/bin/python -m host_tools.toolchain.lock

Run it after a change of pyproject.toml, or for newer versions. It asks the package index for
the needs of all extras on every platform, with the resolver `uv` in an environment of its own.
bootstrap.py lets pip install what has a hash in the file, and nothing else.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from host_tools.toolchain.bootstrap import LOCK, REPOSITORY, blocks, package_of

UV = "uv>=0.9,<1"
_EDITABLE = "editables>=0.5,<1"  # hatchling asks for it when it makes an editable install
_HEAD = """\
# What ./beckon installs: made by python -m host_tools.toolchain.lock, see there.
# Above each package is what it is for: base, or an extra of pyproject.toml.
"""


def extras() -> list[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return sorted(project["optional-dependencies"])


def build_requires() -> list[str]:
    """What builds Beckon itself: it is installed without a fetch of its own."""
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["build-system"]["requires"]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="beckon-lock-") as folder:
        work = Path(folder)
        subprocess.run([sys.executable, "-m", "venv", str(work / "uv")], check=True)
        subprocess.run([str(work / "uv" / "bin" / "pip"), "install", "--quiet", UV], check=True)
        (work / "build.in").write_text("\n".join([*build_requires(), _EDITABLE]) + "\n")
        whole = _resolved(work, extras(), [])
        pins = work / "pins.txt"  # each extra with the versions of them all
        pins.write_text(whole)
        needs: dict[str, list[str]] = {}
        for extra in ("base", *extras()):
            print(f"resolving {extra}", flush=True)
            alone = _resolved(work, [] if extra == "base" else [extra], ["-c", str(pins)])
            for block in blocks(alone):
                needs.setdefault(package_of(block), []).append(extra)
    text = _HEAD
    for block in blocks(whole):
        named = dict.fromkeys(needs.get(package_of(block), []))
        text += f"# for: {' '.join(named)}\n{block}"
    LOCK.write_text(text)
    print(f"{len(blocks(whole))} packages -> {LOCK.name}")
    return 0


def _resolved(work: Path, wanted: list[str], options: list[str]) -> str:
    """A requirements file with hashes, for all platforms and Python 3.11 and later."""
    named = [part for extra in wanted for part in ("--extra", extra)]
    command = [str(work / "uv" / "bin" / "uv"), "pip", "compile", "pyproject.toml",
               str(work / "build.in"), *named, *options, "--universal", "--python-version", "3.11",
               "--generate-hashes", "--no-annotate", "--no-header", "--no-emit-index-url",
               "--no-emit-find-links", "--quiet"]  # fmt: skip
    done = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
