"""beckon flash without a chip: images, refusals, and the real esptool on a simulated boot ROM."""

import errno
import functools
import hashlib
import http.server
import json
import operator
import struct
import threading

import pytest
import serial
from esptool.util import FatalError

from host_tools.cli import flash as command
from host_tools.cli.app import main
from host_tools.device import flash
from host_tools.device.esp_image import CHIPS, check_image, image_chip
from host_tools.errors import BeckonError
from host_tools.testing.pty_board import NodeProcess, PtyBoard, TalkingProcess
from host_tools.toolchain.webassembly import node_missing
from tests.esp_rom import CHANGE_BAUD, ERASE_FLASH, FLASH_DEFL_DATA, MD5, RomBoard

ESP32 = CHIPS["esp32"]
C3 = CHIPS["esp32c3"]


def part(chip, payload, hashed=1):
    """A bootloader or application image with one segment."""
    payload += bytes(-len(payload) % 4)
    head = bytes((0xE9, 1, 2, 0x20)) + struct.pack("<I", 0x40080000) + b"\xee\0\0\0"
    head += struct.pack("<HB", chip.chip_id, 0) + bytes(8) + bytes((hashed,))
    assert len(head) == 24
    body = head + struct.pack("<II", 0x40080000, len(payload)) + payload
    body += bytes(15 - len(body) % 16)
    body += bytes((functools.reduce(operator.xor, payload, 0xEF),))
    return body + (hashlib.sha256(body).digest() if hashed else b"")


def entry(kind, subtype, offset, size, label):
    return struct.pack("<2sBBII16sI", b"\xaa\x50", kind, subtype, offset, size, label, 0)


def image(chip=ESP32, app=b"MicroPython v1.28.0 on 2026-04-06" * 40, files=b"vfs", hashed=1):
    """A whole image as micropython.org has it: from the chip's boot offset on."""
    flash_size = 0x20000
    memory = bytearray(b"\xff" * flash_size)
    boot = part(chip, b"second stage bootloader " * 50)
    memory[chip.offset : chip.offset + len(boot)] = boot
    table = (entry(1, 2, 0x9000, 0x6000, b"nvs") + entry(0, 0, 0x10000, 0x8000, b"factory")
             + entry(1, 0x81, 0x18000, 0x8000, files))  # fmt: skip
    memory[0x8000 : 0x8000 + len(table)] = table
    program = part(chip, app, hashed)
    memory[0x10000 : 0x10000 + len(program)] = program
    return bytes(memory[chip.offset :])


@pytest.mark.parametrize("hashed", [0, 1])
@pytest.mark.parametrize("chip", CHIPS.values(), ids=CHIPS)
def test_sound_images(chip, hashed):
    data = image(chip, hashed=hashed)
    check_image("it", data, chip)
    assert image_chip(data) is chip


def test_chips_are_where_espressif_says():
    """ESP-IDF's esp_chip_id_t, and the bootloader's offsets in its programming guide."""
    assert {(c.title, c.chip_id, c.offset) for c in CHIPS.values()} == {
        ("ESP32", 0, 0x1000), ("ESP32-S2", 2, 0x1000), ("ESP32-S3", 9, 0), ("ESP32-C3", 5, 0),
        ("ESP32-C6", 13, 0)}


def flipped(data, at):
    return data[:at] + bytes((data[at] ^ 4,)) + data[at + 1 :]


@pytest.mark.parametrize(
    "data, chip, told",
    [
        (image(C3), ESP32, "is for ESP32-C3, the board has an ESP32; take the image ESP32_GENERIC"),
        (image(ESP32), C3, "is for ESP32, the board has an ESP32-C3"),
        (flipped(image(), 100), ESP32, "damaged .bootloader."),
        (flipped(image(), 0x10000 - 0x1000 + 500), ESP32, "damaged .application."),
        (flipped(image(hashed=0), 0x10000 - 0x1000 + 500), ESP32, "damaged .application."),
        (image()[:0xF100], ESP32, "is not an ESP32 image"),
        (image()[: 0xF000 + 600] + bytes(6000), ESP32, "damaged .application."),
        (image(app=b"Hello from Arduino" * 60), ESP32, "another program's image"),
        (image(files=b"storage"), ESP32, "no partition for files"),
        (part(ESP32, b"MicroPython" * 9000), ESP32, "no partition table"),
        (b"UF2\n" + bytes(1 << 17), ESP32, "UF2 file, take the .bin"),
        (b"<!DOCTYPE html>" * 9000, ESP32, "is not an ESP32 image"),
        (b"\xe9\xff" + bytes(1 << 17), ESP32, "damaged"),
    ],
)
def test_images_that_must_not_be_written(data, chip, told):
    with pytest.raises(BeckonError, match=f"^x.bin .*{told}"):
        check_image("x.bin", data, chip)


@pytest.mark.parametrize("at", range(0, 0x11000 - 0x1000, 1777))
def test_an_image_that_breaks_off_anywhere(at):
    with pytest.raises(BeckonError):
        check_image("x", image()[:at], ESP32)


# -- the real esptool, on a boot ROM that we simulate -----------------------------------------


@pytest.mark.parametrize("name", ["esp32", "esp32c3"])
def test_a_chip_is_asked_written_and_compared(name, tmp_path, capsys):
    chip = CHIPS[name]
    path = tmp_path / "image.bin"
    path.write_bytes(image(chip))
    steps = []
    with RomBoard(tmp_path / "chip", name) as board:
        assert flash.identify(board.port) == flash.Found(chip, "4MB")
        flash.write(board.port, chip, path, lambda *step: steps.append(step))
        end = chip.offset + len(image(chip))
        assert board.flash()[chip.offset : end] == image(chip)
        assert not board.flash()[: chip.offset].strip(b"\xff")
        assert board.commands().index(ERASE_FLASH) < board.commands().index(FLASH_DEFL_DATA)
        assert CHANGE_BAUD in board.commands() and MD5 in board.commands()
    assert steps[0] == ("erasing", 0) and steps[-1] == ("writing", 100)
    assert capsys.readouterr() == ("", "")  # esptool itself says nothing


def test_chips_that_are_not_supported(tmp_path):
    with RomBoard(tmp_path, "esp32h2") as board:
        with pytest.raises(BeckonError, match="has an ESP32-H2; supported are ESP32, ESP32-S2"):
            flash.identify(board.port)


def test_a_locked_chip_is_left_as_it_is(tmp_path):
    with RomBoard(tmp_path, "esp32c3", "locked") as board:
        with pytest.raises(BeckonError, match="is locked .secure download mode."):
            flash.identify(board.port)


def test_another_chip_than_before_is_not_erased(tmp_path):
    with RomBoard(tmp_path, "esp32") as board:
        with pytest.raises(BeckonError, match="another chip is on .* than before"):
            flash.write(board.port, C3, tmp_path / "image.bin", lambda *step: None)
        assert ERASE_FLASH not in board.commands()


def test_what_cannot_be_read_back_is_refused(tmp_path):
    path = tmp_path / "image.bin"
    path.write_bytes(image())
    with RomBoard(tmp_path / "chip", "esp32", "bad flash") as board:
        with pytest.raises(BeckonError, match="MD5 of file does not match data in flash"):
            flash.write(board.port, ESP32, path, lambda *step: None)


def test_a_board_that_is_unplugged_while_it_is_written(tmp_path):
    path = tmp_path / "image.bin"
    path.write_bytes(image())
    with RomBoard(tmp_path / "chip", "esp32", "dies") as board:
        board.dies_at_reset = True
        with pytest.raises(BeckonError, match="went away; check cable and plug"):
            flash.write(board.port, ESP32, path, lambda *step: None)


def test_a_chip_that_is_not_in_its_boot_mode(tmp_path, capsys):
    with PtyBoard(TalkingProcess(b"")) as board:
        with pytest.raises(BeckonError, match="hold BOOT, press and release RESET"):
            flash.identify(board.port)
    assert capsys.readouterr() == ("", "")


def test_a_port_that_another_program_holds(tmp_path):
    with RomBoard(tmp_path) as board, serial.Serial(board.port, exclusive=True):
        with pytest.raises(BeckonError, match="in use by another program"):
            flash.identify(board.port)


@pytest.mark.parametrize(
    "number, told", [(errno.EACCES, "you may not use port"), (errno.EIO, "went away")]
)
def test_errors_of_the_port_are_explained(number, told, tmp_path):
    try:
        try:
            raise serial.SerialException(number, "could not open port")
        except serial.SerialException:
            raise FatalError("Could not open the port") from None
    except FatalError as error:
        assert told in flash.explain(str(tmp_path), error)


# -- the whole command -----------------------------------------------------------------------


def test_flashing_asks_writes_and_waits_for_micropython(tmp_path, capsys, monkeypatch):
    path = tmp_path / "ESP32_GENERIC-x.bin"
    path.write_bytes(image())
    monkeypatch.setattr(command.sys.stdin, "isatty", lambda: True, raising=False)
    asked = []
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(prompt) or "y")
    if node_missing():
        pytest.skip(node_missing())
    runs = NodeProcess(tmp_path / "files")
    with RomBoard(tmp_path / "chip", then=runs) as board:
        port = board.port
        assert main(["flash", port, "--image", str(path)]) == 1
        assert ("ESP32, 4MB of flash. Erase EVERYTHING on it and write ESP32_GENERIC-x.bin?"
                in asked[0])
        assert "nothing was changed" in capsys.readouterr().err
        assert ERASE_FLASH not in board.commands()
        monkeypatch.setattr("builtins.input", lambda prompt: "yes")
        assert main(["flash", port, "--image", str(path), "--json"]) == 0
        assert board.flash()[0x1000 : 0x1000 + len(image())] == image()
        said = capsys.readouterr()
        told = json.loads(said.out)
        assert told["chip"] == "esp32" and told["micropython"] == "1.29.0"
        found = hashlib.sha256(image()).hexdigest()
        assert told["sha256"] == found and not told["sha256_compared"]
        assert f"has SHA-256 {found}, and none is known to compare it with" in said.err


def test_nothing_is_erased_for_an_image_that_does_not_fit(tmp_path, capsys):
    path = tmp_path / "c3.bin"
    path.write_bytes(image(C3))
    with RomBoard(tmp_path / "chip") as board:
        assert main(["flash", board.port, "--yes", "--image", str(path)]) == 1
        assert "c3.bin is for ESP32-C3, the board has an ESP32" in capsys.readouterr().err
        path.write_bytes(image())
        assert main(["flash", board.port, "--yes", "--image", str(path), "--sha256", "ab"]) == 1
        assert "not ab" in capsys.readouterr().err
        assert ERASE_FLASH not in board.commands()


def test_it_never_erases_unasked(capsys, tmp_path):
    assert main(["flash", "/dev/nowhere"]) == 2
    assert "no terminal to ask on" in capsys.readouterr().err
    assert main(["flash", "/dev/nowhere", "--yes", "--image", str(tmp_path / "no.bin")]) == 2
    assert "no such file" in capsys.readouterr().err
    assert main(["flash", "/dev/nowhere", "--yes"]) == 1
    assert "port /dev/nowhere is not there" in capsys.readouterr().err


# -- images from the net ----------------------------------------------------------------------


@pytest.fixture
def site(tmp_path):
    """A web server on loopback: (its address, the folder that it serves)."""
    folder = tmp_path / "site"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", folder
        server.shutdown()


def test_images_are_fetched_checked_and_kept(site, tmp_path, monkeypatch):
    monkeypatch.setenv("BECKON_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setitem(flash.RECORDED, C3.board, hashlib.sha256(image(C3)).hexdigest().upper())
    address, folder = site
    name = f"ESP32_GENERIC_C3-{flash.DATE}-v{flash.VERSION}.bin"
    with pytest.raises(BeckonError, match="answers 404: download it in a browser"):
        flash.image_for(C3, None, site=address)
    (folder / name).write_bytes(flipped(image(C3), 0x10500))
    with pytest.raises(BeckonError, match="damaged .application."):
        flash.image_for(C3, None, site=address)
    kept = tmp_path / "cache" / "images"
    (folder / name).write_bytes(image(C3, app=b"MicroPython, with something added" * 40))
    with pytest.raises(BeckonError, match="others got [0-9A-F]{64}: it may be forged"):
        flash.image_for(C3, None, site=address)
    assert not kept.exists() or not list(kept.iterdir())
    (folder / name).write_bytes(image(C3))
    fetched = flash.image_for(C3, None, site=address)
    path = fetched.path
    assert path == kept / name and path.read_bytes() == image(C3) and fetched.compared
    (folder / name).unlink()
    assert flash.image_for(C3, None, site=address) == fetched
    path.write_bytes(path.read_bytes()[:0x10200])  # a disk that failed
    with pytest.raises(BeckonError, match="damaged|is not an ESP32"):
        flash.image_for(C3, None, site=address)
    assert not path.exists()
    with pytest.raises(BeckonError, match="cannot be fetched .ConnectionError.: download it"):
        flash.image_for(C3, None, site="http://127.0.0.1:1/")
    with pytest.raises(BeckonError, match="name the image with --image"):
        flash.image_for(C3, tmp_path)


def test_hashes_are_known_for_boards_that_are_supported():
    assert {chip.board for chip in CHIPS.values()} - set(flash.RECORDED) == {"ESP32_GENERIC_S2"}
    assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in flash.RECORDED.values())
