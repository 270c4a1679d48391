"""beckon flash, as far as it goes without a chip: images, esptool's command line, refusals."""

import functools
import hashlib
import http.server
import json
import operator
import struct
import subprocess
import sys
import threading

import pytest

from host_tools.cli import flash as command
from host_tools.cli.app import main
from host_tools.device import flash
from host_tools.device.esp_image import CHIPS, check_image, image_chip
from host_tools.errors import BeckonError
from host_tools.testing.pty_board import PtyBoard, TalkingProcess
from tests.boards import node_board

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


@pytest.mark.parametrize("chip", CHIPS.values(), ids=CHIPS)
def test_esptool_reads_images_as_we_do(chip, tmp_path):
    data = image(chip)
    check_image("it", data, chip)
    assert image_chip(data) is chip
    for name, content in (("whole", data), ("app", data[0x10000 - chip.offset :])):
        path = tmp_path / f"{name}.bin"
        path.write_bytes(content)
        done = subprocess.run([*flash.esptool_command(), "image-info", str(path)],
                              capture_output=True, text=True, timeout=60)  # fmt: skip
        assert done.returncode == 0, done.stdout
        said = done.stdout.lower()
        assert f"detected image type: {chip.title.lower()}" in said
        assert "(valid)" in said and "(invalid" not in said


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
        (image()[:0xF100], ESP32, "is no ESP32 image"),
        (image()[: 0xF000 + 600] + bytes(6000), ESP32, "damaged .application."),
        (image(app=b"Hello from Arduino" * 60), ESP32, "another program's image"),
        (image(files=b"storage"), ESP32, "no partition for files"),
        (part(ESP32, b"MicroPython" * 9000), ESP32, "no partition table"),
        (b"UF2\n" + bytes(1 << 17), ESP32, "UF2 file, take the .bin"),
        (b"<!DOCTYPE html>" * 9000, ESP32, "is no ESP32 image"),
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


@pytest.mark.parametrize(
    "text, name",
    [
        ("Chip type:          ESP32-D0WD-V3 (revision v3.1)", "esp32"),
        ("Detecting chip type... ESP32-S3\nDetected flash size: 8MB", "esp32s3"),
        ("Chip type:          ESP32-C3 (QFN32) (revision v0.4)", "esp32c3"),
        ("Chip type:          ESP32-PICO-D4 (revision v1.0)", "esp32"),
        ("Chip type:          ESP32-S2FNR2 (revision v1.0)", "esp32s2"),
        ("Chip is ESP32-C6 (QFN40)", "esp32c6"),
    ],
)
def test_chips_are_known(text, name):
    assert flash.parse_identity("/dev/x", text).chip.name == name


def test_chips_that_are_not_supported():
    for title in ("ESP32-C61", "ESP32-H2", "ESP32-P4", "ESP32-S31"):
        with pytest.raises(BeckonError, match=f"has an {title}; supported are ESP32, ESP32-S2"):
            flash.parse_identity("/dev/x", f"Chip type:   {title} (revision v0.1)")
    with pytest.raises(BeckonError, match="does not say what it is"):
        flash.parse_identity("/dev/x", "nothing of use")


# -- the real esptool, with nobody at the other end ------------------------------------------


def test_esptool_understands_us_and_its_answer_is_explained(tmp_path, monkeypatch):
    path = tmp_path / "image.bin"
    path.write_bytes(image())
    once = [*flash.esptool_command(), "--connect-attempts", "1"]
    monkeypatch.setattr(flash, "esptool_command", lambda: once)
    with PtyBoard(TalkingProcess(b"")) as board:
        for action in (["erase-flash"], ["write-flash", "0x1000", str(path)]):
            with pytest.raises(BeckonError, match="hold BOOT, press and release RESET"):
                flash._esptool(board.port, ["--chip", "esp32", "--baud", "460800", *action])
        with pytest.raises(BeckonError, match="esptool failed on .*wrong-action"):
            flash._esptool(board.port, ["wrong-action"])


@pytest.mark.parametrize(
    "out, told",
    [
        ("could not open port: [Errno 13] Permission denied: '/dev/x'", "may not be used by you"),
        ("Could not open /dev/x, the port is busy or doesn't exist.", "in use by another"),
        ("A fatal error occurred: No serial data received.", "hold BOOT"),
        ("A fatal error occurred: This chip is ESP32, not ESP32-S3.", "another chip"),
        ("device reports readiness... device disconnected", "went away"),
        ("/usr/bin/python: No module named esptool", "start with ./beckon"),
        ("A fatal error occurred: MD5 of file does not match", "MD5 of file does not match"),
    ],
)
def test_what_esptool_says_is_explained(out, told, tmp_path):
    assert told in flash.explain(str(tmp_path), out)


# -- the whole command, with an esptool that only plays its part -----------------------------

PLAYED = """
import sys
open(LOG, "a").write(" ".join(sys.argv[1:]) + "\\n")
if "flash-id" in sys.argv:
    print("Detecting chip type... ESP32\\nChip type:          ESP32-D0WD-V3 (revision v3.1)")
    print("Detected flash size: 4MB")
if "write-flash" in sys.argv:
    print("Writing at 0x00008000 [====>    ]  50.0%\\nWriting at 0x00010000 [=====] 100.0%")
    print("Hash of data verified." if VERIFIED else "Done.")
"""


@pytest.fixture
def played(tmp_path, monkeypatch):
    """played(verified=True): an esptool that writes what it is asked for into a log."""
    log = tmp_path / "log"
    script = tmp_path / "played.py"

    def use(verified=True):
        script.write_text(f"LOG = {str(log)!r}\nVERIFIED = {verified}\n{PLAYED}")
        monkeypatch.setattr(flash, "esptool_command", lambda: [sys.executable, str(script)])
        return log

    return use


def test_flashing_asks_writes_and_waits_for_micropython(tmp_path, played, capsys, monkeypatch):
    log = played()
    path = tmp_path / "ESP32_GENERIC-x.bin"
    path.write_bytes(image())
    monkeypatch.setattr(command.sys.stdin, "isatty", lambda: True, raising=False)
    asked = []
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(prompt) or "y")
    with node_board(tmp_path / "flash") as board:
        port = board.port
        assert main(["flash", port, "--image", str(path)]) == 1
        assert "ESP32, 4MB of flash. Erase ALL on it and write ESP32_GENERIC-x.bin?" in asked[0]
        assert "nothing was changed" in capsys.readouterr().err
        assert "erase" not in log.read_text()
        monkeypatch.setattr("builtins.input", lambda prompt: "yes")
        assert main(["flash", port, "--image", str(path), "--json"]) == 0
        said = capsys.readouterr()
        told = json.loads(said.out)
        assert told["chip"] == "esp32" and told["micropython"] == "1.29.0"
        found = hashlib.sha256(image()).hexdigest()
        assert told["sha256"] == found and not told["sha256_compared"]
        assert f"has SHA-256 {found}, and none is known to compare it with" in said.err
    first = f"--port {port} --connect-attempts 3 flash-id"
    common = f"--port {port} --chip esp32 --baud 460800"
    assert log.read_text().splitlines() == [first, first, f"{common} erase-flash",
                                            f"{common} write-flash 0x1000 {path}"]  # fmt: skip


def test_nothing_is_erased_for_an_image_that_does_not_fit(tmp_path, played, capsys):
    log = played()
    path = tmp_path / "c3.bin"
    path.write_bytes(image(C3))
    with PtyBoard(TalkingProcess(b"")) as board:
        assert main(["flash", board.port, "--yes", "--image", str(path)]) == 1
        assert "c3.bin is for ESP32-C3, the board has an ESP32" in capsys.readouterr().err
        path.write_bytes(image())
        assert main(["flash", board.port, "--yes", "--image", str(path), "--sha256", "ab"]) == 1
        assert "not ab" in capsys.readouterr().err
    assert "erase" not in log.read_text()


def test_what_was_not_verified_is_told(tmp_path, played, capsys):
    played(verified=False)
    path = tmp_path / "image.bin"
    path.write_bytes(image())
    with PtyBoard(TalkingProcess(b"")) as board:
        assert main(["flash", board.port, "--yes", "--image", str(path)]) == 1
    assert "was not verified; flash again" in capsys.readouterr().err


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
    with pytest.raises(BeckonError, match="damaged|is no ESP32"):
        flash.image_for(C3, None, site=address)
    assert not path.exists()
    with pytest.raises(BeckonError, match="cannot be fetched .ConnectionError.: download it"):
        flash.image_for(C3, None, site="http://127.0.0.1:1/")
    with pytest.raises(BeckonError, match="name the image with --image"):
        flash.image_for(C3, tmp_path)


def test_hashes_are_known_for_boards_that_are_supported():
    assert {chip.board for chip in CHIPS.values()} - set(flash.RECORDED) == {"ESP32_GENERIC_S2"}
    assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in flash.RECORDED.values())
