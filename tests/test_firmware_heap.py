"""What each module of the firmware takes of the heap, on 64 and on 32 bits, is watched.

firmware_heap.json holds the bytes of each module in the image: its code, names and
tables, once all that it imports is there. A module may grow by a quarter and 300 bytes
before somebody must look at it and accept it:

  ./beckon test tests/test_firmware_heap.py --update-sizes

A board's memory is that of 32 bits; the simulated board runs on 64.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from host_tools.device.image import unix_arch, write_image
from host_tools.paths import FIRMWARE
from host_tools.toolchain import micropython_command
from host_tools.toolchain.interpreter_32 import ARCH
from tests.test_firmware_layers import imports

HEAP = Path(__file__).with_name("firmware_heap.json")
SCRIPT = Path(__file__).parent / "on_board" / "heap.py"
NOT_ON_A_BOARD = {"main", "microMLP", "viper", "drivers.imu"}


def in_order() -> list[str]:
    """The image's modules, each behind those that it imports."""
    arrows = imports(FIRMWARE)
    order: list[str] = []

    def add(module: str) -> None:
        for below in sorted(arrows[module]):
            add(below)
        if module not in order and module not in NOT_ON_A_BOARD:
            order.append(module)

    for module in sorted(arrows):
        add(module)
    return order


def taken(interpreter: list[str], arch: str, folder: Path) -> dict[str, int]:
    """Module -> bytes."""
    write_image(folder, arch)
    done = subprocess.run(
        [*interpreter, "-X", "heapsize=2M", str(SCRIPT), *in_order()],
        env={**os.environ, "MICROPYPATH": f"{folder}:{folder / 'lib'}:.frozen"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = {}
    for line in done.stdout.splitlines():
        module, size = line.split()
        found[module] = int(size)
    return found


def check(bits: str, found: dict[str, int], update: bool) -> None:
    accepted = json.loads(HEAP.read_text()) if HEAP.exists() else {}
    if update:
        accepted[bits] = found
        HEAP.write_text(json.dumps(accepted, indent=2, sort_keys=True) + "\n")
    table = "\n".join(f"{size:7}  {module}" for module, size in found.items())
    print(f"{bits} bits\n{table}\n{sum(found.values()):7}  all")  # shown by -rP
    known = accepted[bits]
    grown = {
        module: f"{known.get(module, 0)} -> {size} bytes"
        for module, size in found.items()
        if size > known.get(module, 1500) * 5 / 4 + 300
    }
    assert not grown, "accept with: ./beckon test tests/test_firmware_heap.py --update-sizes"


def test_no_module_takes_more_heap_unnoticed_on_64_bits(tmp_path, request):
    found = taken(micropython_command(), unix_arch(), tmp_path)
    check("64", found, request.config.getoption("--update-sizes"))


def test_no_module_takes_more_heap_unnoticed_on_32_bits(tmp_path, request, micropython_32):
    found = taken(micropython_32, ARCH, tmp_path)
    check("32", found, request.config.getoption("--update-sizes"))


# Bytes of the objects of each role on 32 bits, its queues full; docs/bluetooth.md shows them.
RADIO_OBJECTS = {"bthome": 512, "gatt": 736, "hid": 736, "bthome+gatt+hid": 1536, "espnow": 1296,
                 "gateway": 1936, "alone": 432}  # fmt: skip


def test_the_objects_of_each_radio_role_take_no_more_heap_unnoticed(tmp_path, micropython_32):
    write_image(tmp_path, ARCH)  # for umqtt; the rest is source, as private names are kept there
    done = subprocess.run(
        [*micropython_32, "-X", "heapsize=2M", str(SCRIPT.with_name("radio_heap.py"))],
        env={**os.environ, "MICROPYPATH": f"{FIRMWARE}:{tmp_path / 'lib'}:.frozen"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = {role: int(size) for role, size in map(str.split, done.stdout.splitlines())}
    print(found)
    assert found.keys() == RADIO_OBJECTS.keys()
    for role, size in found.items():
        assert size <= RADIO_OBJECTS[role] * 1.1 + 64, (role, size)


def test_a_module_that_grew_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.HEAP", tmp_path / "heap.json")
    check("64", {"a": 1000, "b": 500}, True)
    check("64", {"a": 1500, "b": 900}, False)
    with pytest.raises(AssertionError, match="accept with"):
        check("64", {"a": 1600, "b": 500}, False)
