"""The firmware byte-compiles for every kind of board, and its size is watched.

firmware_sizes.json holds the size of each module's .mpy for xtensawin. A module may
grow by a quarter and 400 bytes before somebody must look at it and accept it:

  ./beckon test tests/test_compiles.py --update-sizes
"""

import json
import shutil
from pathlib import Path

import pytest

from host_tools.device import image
from host_tools.device.image import write_image
from host_tools.device.minify import shorten
from host_tools.errors import BeckonError
from host_tools.toolchain import compile_mpy
from host_tools.toolchain.mpy_cross import ARCHS

FIRMWARE = Path(__file__).parents[1] / "firmware"
SIZES = Path(__file__).with_name("firmware_sizes.json")
MODULES = [path.relative_to(FIRMWARE).as_posix() for path in sorted(FIRMWARE.rglob("*.py"))]
MODULES.remove("lib/viper.py")  # CPython's
MODULES.remove("drivers/imu.py")  # not on a board
# Flash of the smallest board's file system is 2 MB, so this guards the heap: code
# that is not frozen lies there, 110 to 160 kB of it with Wi-Fi on an ESP32. Nearly
# half of it (commands, updates, calibration, ...) is loaded only when it is used.
TOTAL_LIMIT = 120_500
# Folders that a board imports only if its settings ask for them: each has its own limit.
# That of the radio holds five roles, of which a board loads one to three (docs/bluetooth.md).
OPTION_LIMITS = {"capture": 3_000, "feedback": 8_000, "learning": 28_500, "options": 6_000,
                 "portal": 28_000, "power": 12_000, "radio": 19_500}


@pytest.fixture(scope="session")
def size(tmp_path_factory):
    """size(module, arch): bytes of the compiled module; compiles each once."""
    folder = tmp_path_factory.mktemp("mpy")
    known: dict[tuple[str, str], int] = {}

    def compiled(module: str, arch: str) -> int:
        if (module, arch) not in known:
            out = folder / "out.mpy"
            known[module, arch] = compile_mpy(FIRMWARE / module, arch, out)
        return known[module, arch]

    return compiled


@pytest.mark.parametrize("arch", ARCHS)
@pytest.mark.parametrize("module", MODULES)
def test_compiles(size, module, arch):
    assert size(module, arch) > 0


@pytest.mark.parametrize("arch", ARCHS)
def test_the_whole_fits_on_the_board(tmp_path, arch):
    write_image(tmp_path, arch)
    files = [path for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    sizes = {path.relative_to(tmp_path).as_posix(): path.stat().st_size for path in files}
    table = "\n".join(f"{count:7}  {module}" for module, count in sizes.items())
    print(f"{arch}\n{table}\n{sum(sizes.values()):7}  all")  # shown by -rP
    options = dict.fromkeys(OPTION_LIMITS, 0)
    core = 0
    for module, count in sizes.items():
        folder = module.partition("/")[0]
        if folder in options:
            options[folder] += count
        else:
            core += count
    assert core <= TOTAL_LIMIT, table
    too_large = {name: size for name, size in options.items() if size > OPTION_LIMITS[name]}
    assert not too_large, table


@pytest.mark.parametrize("asks", [False, True])
def test_the_interface_of_micromlp_is_on_the_board_only_if_something_imports_it(
    tmp_path, monkeypatch, asks
):
    firmware = tmp_path / "firmware"
    shutil.copytree(FIRMWARE, firmware)
    if asks:
        (firmware / "extra.py").write_text("def later():\n    from microMLP import MicroMLP\n")
    monkeypatch.setattr(image, "FIRMWARE", firmware)
    image.write_image(tmp_path / "board", "xtensawin")
    compiled = {p.name for p in (tmp_path / "board" / "lib").glob("*.mpy")}
    assert compiled == {"microMLP_engine.mpy", "microMLP_loader.mpy"} | (
        {"microMLP.mpy"} if asks else set())
    sources = {p for p in image.image_files(None) if p.startswith("lib/m") or "viper" in p}
    assert sources == {"lib/microMLP_engine.py", "lib/microMLP_loader.py"} | (
        {"lib/microMLP.py"} if asks else set())


def test_no_module_grew_unnoticed(size, request):
    sizes = {module: size(module, "xtensawin") for module in MODULES}
    if request.config.getoption("--update-sizes"):
        SIZES.write_text(json.dumps(sizes, indent=2) + "\n")
    accepted = json.loads(SIZES.read_text())
    grown = {
        module: f"{accepted.get(module, 0)} -> {count} bytes"
        for module, count in sizes.items()
        if count > accepted.get(module, 4000) * 5 / 4 + 400
    }
    assert not grown, "accept with: ./beckon test tests/test_compiles.py --update-sizes"


@pytest.mark.parametrize("arch", ARCHS)
def test_what_does_not_compile_is_refused(tmp_path, arch):
    source = tmp_path / "broken.py"
    source.write_text("import micropython\n@micropython.viper\ndef f(p: ptr8):\n    p[0] = 'x'\n")
    with pytest.raises(BeckonError, match="broken.py"):
        compile_mpy(source, arch, tmp_path / "broken.mpy")


def test_an_unknown_board_is_refused(tmp_path):
    with pytest.raises(BeckonError, match="arch"):
        compile_mpy(FIRMWARE / "debounce.py", "z80", tmp_path / "out.mpy")


def test_an_image_out_of_the_cache_is_as_a_new_one(tmp_path, monkeypatch):
    monkeypatch.setenv("BECKON_CACHE", str(tmp_path / "cache"))
    source = tmp_path / "source"
    (source / "lib").mkdir(parents=True)
    (source / "main.py").write_text("import a\n")
    (source / "lib" / "a.py").write_text("def _long_name():\n    return 1\n")

    def made(folder):
        image.compile_tree(source, tmp_path / folder, "xtensawin", as_source=("main.py",))
        return {path.name: path.read_bytes() for path in (tmp_path / folder).rglob("*.*")}

    new = made("new")
    assert set(new) == {"main.py", "a.mpy"} and b"_long_name" not in new["a.mpy"]
    calls = []
    monkeypatch.setattr(image, "shorten", lambda *args: calls.append(args) or shorten(*args))
    assert made("again") == new and not calls
    for path in (tmp_path / "cache" / "mpy").glob("*.mpy"):  # somebody tidied up
        path.unlink()
    assert made("mended") == new and len(calls) == 1
    (source / "lib" / "a.py").write_text("def _long_name():\n    return 2\n")
    assert made("changed")["a.mpy"] != new["a.mpy"] and len(calls) == 2
    monkeypatch.setattr(image, "_shortener", lambda: "other code")
    made("other")
    assert len(calls) == 3
