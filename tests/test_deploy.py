"""beckon deploy, with the real mpremote, on boards behind pseudo-terminals."""

import json
import os
import random
import shutil
import stat

import pytest

from host_tools.cli.app import main
from host_tools.device import deploy as deploying
from host_tools.device.console import BoardError, Console, Unplugged
from host_tools.device.deploy import (
    MANIFEST,
    STAGE,
    Plan,
    Report,
    Survey,
    _lives,
    deploy,
    plan,
    sha256,
)
from host_tools.device.image import unix_arch, write_image
from host_tools.device.label import Label, label_for, new_key
from host_tools.device.mpremote import explain as mpremote_fault
from host_tools.device.mpremote import mpremote
from host_tools.device.ports import find_port
from host_tools.device.settings import settings_files, write_settings
from host_tools.errors import BeckonError
from host_tools.mqtt.broker import embedded_broker
from host_tools.paths import DEFAULT_MODEL
from host_tools.testing.pty_board import PtyBoard, TalkingProcess
from tests.boards import node_board, sensor_board

MAIN = b"import lib.part\nprint('sensor: x')\nprint('linked to', lib.part.NAME)\n"
OLD = {"main.py": MAIN, "lib/part.py": b"NAME = 'old'\n", "lib/gone.py": b"x = 1\n"}
NEW = {"main.py": MAIN, "lib/part.py": b"NAME = 'new'\n", "drivers/more.py": b"y = 2\n" * 60}


def put(board, files, **options):
    return deploy(board.port, lambda survey: files, **options)


def on(flash):
    """What lies in the board's flash, but for what a deployment keeps for itself."""
    return {path.relative_to(flash).as_posix(): path.read_bytes()
            for path in flash.rglob("*") if path.is_file()
            and path.name != MANIFEST and STAGE not in path.parts}  # fmt: skip


def test_copies_only_what_changed_and_removes_what_it_once_brought(tmp_path):
    with node_board(tmp_path) as board:
        first = put(board, OLD)
        assert first.sign == "linked to old" and set(first.copied) == {*OLD, MANIFEST}
        (tmp_path / "notes.txt").write_text("mine")
        (tmp_path / "lib" / "part.mpy").write_bytes(b"would be taken second")
        (tmp_path / "crash.txt").write_text("3 1\nold trouble")
        board.plug()
        second = put(board, NEW)
        assert second.sign == "linked to new"
        assert set(second.copied) == {"lib/part.py", "drivers/more.py", MANIFEST}
        assert second.removed == ["crash.txt", "lib/gone.py", "lib/part.mpy"]
        assert on(tmp_path) == {**NEW, "notes.txt": b"mine"}
        third = put(board, NEW)
        assert (third.copied, third.removed, third.bytes_copied) == ([], [], 0)
        assert third.sign == "linked to new" and third.unchanged == 4
    assert not (tmp_path / STAGE).exists()


@pytest.fixture(scope="module")
def old_flash(tmp_path_factory):
    """A board's flash with OLD on it; copy it."""
    flash = tmp_path_factory.mktemp("old")
    with node_board(flash) as board:
        put(board, OLD, restart=False)
    return flash


@pytest.fixture
def flash(tmp_path, old_flash):
    return shutil.copytree(old_flash, tmp_path / "flash")


def cut_points(flash, n):
    """Numbers of bytes from the host after which the plug is pulled."""
    with node_board(flash) as board:
        put(board, NEW, restart=False)
        length = board.received
    return [round((k + random.Random(k).random()) * length / n) for k in range(n)]


def check_interrupted(tmp_path, old, points):
    states = set()
    for point in points:
        flash = tmp_path / f"cut{point}"
        shutil.copytree(old, flash)
        with node_board(flash) as board:
            board.unplug_after(point)
            try:
                put(board, NEW, restart=False)
            except BeckonError as error:
                assert "\n" not in str(error)
            board.unplug()
            found = on(flash)
            if "main.py" in found:  # what the board would start must be of one kind
                assert found in (OLD, NEW), point
            states.add("old" if found == OLD else "new" if found == NEW else "between")
            board.plug()
            report = put(board, NEW)
            assert report.sign == "linked to new", point
            assert on(flash) == NEW
            assert not (flash / STAGE).exists()
    return states


def test_unplugged_at_any_point_it_can_be_deployed_to_again(tmp_path, flash, old_flash):
    states = check_interrupted(tmp_path, old_flash, cut_points(flash, 3))
    assert "old" in states


@pytest.mark.soak
def test_unplugged_at_every_point(tmp_path, flash, old_flash):
    states = check_interrupted(tmp_path, old_flash, cut_points(flash, 150))
    assert states >= {"old", "new"}


# Put in front of settle.py: the power goes off before its STEPth change of the file system.
CUT = """
import machine
import os
_left = [STEP]
def _counted(change):
    def counted(*args):
        _left[0] -= 1
        if not _left[0]:
            machine.reset()
        return change(*args)
    return counted
for _name in ("rename", "remove", "mkdir", "rmdir"):
    setattr(os, _name, _counted(getattr(os, _name)))
"""


def cut_while_settling(tmp_path, old, monkeypatch, step):
    """What lies on a board whose power goes off at a step of settle.py; then deploy again."""
    flash = shutil.copytree(old, tmp_path / "flash")
    scripts = shutil.copytree(deploying._ON_BOARD, tmp_path / "on_board")
    settle = scripts / "install_files.py"
    settle.write_text(CUT.replace("STEP", str(step)) + settle.read_text())
    with node_board(flash) as board:
        with monkeypatch.context() as patch:
            patch.setattr(deploying, "_ON_BOARD", scripts)
            board.dies_at_reset = True
            with pytest.raises(BeckonError):
                put(board, NEW, restart=False)
        board.dies_at_reset = False
        board.unplug()
        found = on(flash)
        if "main.py" in found:
            assert found in (OLD, NEW)
        board.plug()
        put(board, NEW, restart=False)
        assert on(flash) == NEW and not (flash / STAGE).exists()
    return "old" if found == OLD else "new" if found == NEW else "between"


@pytest.mark.parametrize("step, state", [(1, "old"), (3, "between"), (6, "between")])
def test_power_cut_while_files_take_their_places(tmp_path, old_flash, monkeypatch, step, state):
    assert cut_while_settling(tmp_path, old_flash, monkeypatch, step) == state


@pytest.mark.soak
@pytest.mark.parametrize("step", range(1, 10))
def test_power_cut_at_every_step(tmp_path, old_flash, monkeypatch, step):
    cut_while_settling(tmp_path, old_flash, monkeypatch, step)


def test_goes_on_with_what_was_copied_before(flash):
    with node_board(flash) as board:
        original = deploying._settle
        try:
            deploying._settle = lambda *args: (_ for _ in ()).throw(BeckonError("power cut"))
            with pytest.raises(BeckonError, match="power cut"):
                put(board, NEW)
        finally:
            deploying._settle = original
        assert on(flash) == OLD
        damaged = next(path for path in (flash / STAGE).iterdir() if path.stat().st_size > 300)
        damaged.write_bytes(damaged.read_bytes()[:-40])
        board.plug()
        report = put(board, NEW)
        assert report.bytes_copied == len(NEW["drivers/more.py"])
        assert on(flash) == NEW and report.sign == "linked to new"


def test_a_full_flash_is_told_before_anything_is_copied(flash):
    with node_board(flash, flash_bytes=24 * 4096) as board:
        (flash / "recording.bin").write_bytes(bytes(8 * 4096))
        board.plug()
        with pytest.raises(BeckonError, match=r"KiB of flash left.*remove files"):
            put(board, NEW)
        assert {**on(flash), "recording.bin": b""} == {**OLD, "recording.bin": b""}
        (flash / "recording.bin").unlink()
        board.plug()
        assert put(board, NEW).sign == "linked to new"


def test_a_flash_that_fills_while_copying_leaves_the_old_firmware(flash, monkeypatch):
    with node_board(flash, flash_bytes=24 * 4096) as board:
        (flash / "recording.bin").write_bytes(bytes(10 * 4096))
        board.plug()
        monkeypatch.setattr(deploying, "_LITTLEFS_SPARE", -100)
        with pytest.raises(BeckonError, match="flash of the board .* is full"):
            put(board, {**NEW, "drivers/more.py": bytes(5 * 4096)})
        assert {k: v for k, v in on(flash).items() if k != "recording.bin"} == OLD


def test_firmware_that_fails_is_told(tmp_path):
    with node_board(tmp_path) as board:
        with pytest.raises(BeckonError, match="copied, but the firmware reports: no model"):
            put(board, {"main.py": b"print('beckon: no model')\n"})
        with pytest.raises(BeckonError, match="copied, but the firmware stops: ValueError: 7"):
            put(board, {"main.py": b"raise ValueError(7)\n"})


def firmware_on(flash):
    """The firmware as deploy puts it there, in a moment."""
    write_image(flash, unix_arch())
    shutil.copyfile(DEFAULT_MODEL, flash / "model.mlp")


@pytest.mark.soak
def test_a_whole_firmware_on_an_empty_board(tmp_path, capsys):
    with sensor_board(tmp_path / "flash") as board:
        assert main(["deploy", board.port]) == 0
    assert "the firmware runs" in capsys.readouterr().out
    firmware_on(tmp_path / "expected")
    found, expected = on(tmp_path / "flash"), on(tmp_path / "expected")
    assert {path: found.get(path) for path in expected} == expected


def test_a_firmware_that_lacks_files_is_completed_and_lives(tmp_path, capsys):
    flash, settings = tmp_path / "flash", tmp_path / "settings"
    firmware_on(flash)
    for name in ("ops/health.mpy", "drivers/i2c_bus.mpy", "model.mlp", "main.py"):
        (flash / name).unlink()
    (flash / "ops" / "config.py").write_text("raise ValueError('of an old deployment')")
    with embedded_broker() as broker, sensor_board(flash) as board:
        write_settings(settings, {"wifi_ssid": "home", "wifi_key": "secret key",
                                  "broker_host": broker.host, "broker_port": broker.port,
                                  "time_server": ""})  # fmt: skip
        assert main(["deploy", board.port, "--settings", str(settings), "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert report["sign"] == f"linked to {broker.host}"
        assert "ops/config.py" in report["removed"] and len(report["copied"]) == 7
        assert (flash / "ops/health.mpy").exists() and not (flash / "ops/health.py").exists()
        assert (flash / "model.mlp").read_bytes() == DEFAULT_MODEL.read_bytes()
        secret = json.loads((flash / "secrets.json").read_text())
        assert secret.pop("wifi_key") == "secret key"
        # It has an access point now, and the label for it.
        label = report["access_point"]
        assert secret == {"ap_key": label["key"]} and label["ssid"] == "beckon-000001"
        assert label["uri"] == f"WIFI:T:WPA;S:beckon-000001;P:{label['key']};;"
        assert not {"ap_key"} & set(json.loads((settings / "secrets.json").read_text()))
        # Its firmware runs now, and is stopped by the next one, which changes nothing.
        assert main(["deploy", board.port, "--label"]) == 0
        said = capsys.readouterr()
        assert "0 files copied" in said.out and f"linked to {broker.host}" in said.out
        assert f"label: Wi-Fi beckon-000001, password {label['key']}" in said.out
    assert stat.S_IMODE((settings / "secrets.json").stat().st_mode) == 0o600


def test_a_model_goes_through_the_broker(tmp_path, capsys):
    """Slow and thorough tests of that way are in test_link_model.py; this one is the command."""
    flash, settings = tmp_path / "flash", tmp_path / "settings"
    firmware_on(flash)
    with embedded_broker() as broker:
        write_settings(settings, {"wifi_ssid": "home", "broker_host": broker.host,
                                  "broker_port": broker.port, "time_server": "",
                                  "device": "kitchen", "update_key": "k" * 32})  # fmt: skip
        for name, data in settings_files(settings).items():
            (flash / name).write_bytes(data)
        with sensor_board(flash) as board, Console(board.port) as console:
            assert any(line.startswith("linked to") for line in console.lines(20))
            assert main(["deploy", "--mqtt", "kitchen", "--model", str(DEFAULT_MODEL),
                         "--settings", str(settings)]) == 0  # fmt: skip
            assert "kitchen runs on model " in capsys.readouterr().out
            assert board.boots == 2
    assert (flash / "model.mlp").read_bytes() == DEFAULT_MODEL.read_bytes()


def test_a_file_that_comes_damaged_is_not_used(flash):
    with node_board(flash) as board:
        board.garble_heard = lambda data: data.replace(b"y = 2", b"y = 3")
        with pytest.raises(BeckonError, match="drivers/more.py came to the board on .* damaged"):
            put(board, NEW)
        assert on(flash) == OLD
        board.garble_heard = None
        assert put(board, NEW, restart=False).bytes_copied == len(NEW["drivers/more.py"])
        assert on(flash) == NEW


def test_noise_on_the_line_never_leaves_a_wrong_file(tmp_path):
    noise = random.Random(5)

    sent = bytearray()

    def garble(data):
        """Spares the prompts: without them mpremote waits for ten seconds."""
        out = bytearray()
        for byte in data:
            sent.append(byte)
            at = sent.rfind(b"OK")
            answers = at > sent.rfind(b"\x04") and sent[at + 2 : at + 3] not in (b"", b"\r")
            out.append(byte ^ 0x10 if answers and noise.random() < 0.002 else byte)
        return bytes(out)

    with node_board(tmp_path, garble=garble) as board:
        for _ in range(4):
            try:
                put(board, NEW, restart=False)
            except BeckonError as error:
                assert "\n" not in str(error)
        board._garble = None
        put(board, NEW, restart=False)
        assert on(tmp_path) == NEW


@pytest.mark.parametrize(
    "said, told",
    [
        ("mpremote.transport.TransportError: could not enter raw repl", "stopped listening"),
        ('File "/x/mpremote/transport.py", line 3\nSyntaxError: bad', "/dev/x is damaged"),
        ("OSError: 28", "the flash of the board on /dev/x is full"),
        ("MemoryError: ", "ran out of memory"),
        ("mpremote: device disconnected", "went away"),
        ("something\nnew: 7\n\n", "mpremote failed on /dev/x: new: 7"),
    ],
)
def test_what_mpremote_says_is_explained(said, told):
    line = str(mpremote_fault("/dev/x", said))
    assert told in line and "\n" not in line


BOOT_LOOP = b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0xc (SW_CPU_RESET),boot:0x13\r\n"


@pytest.mark.parametrize(
    "text, told",
    [
        (BOOT_LOOP, "keeps restarting"),
        (b"rst:0x10 (RTCWDT_RTC_RESET)\r\ninvalid header: 0xffffffff\r\n", "has no MicroPython"),
        (b"\x9f\xfe\x80\xc3" * 8, "sends data that is not text"),
        (b"tick\r\n", "does not stop for Ctrl-C .* 'tick'"),
        (b"", "does not answer; press its reset button"),
        (b"rst:0x1\r\nBrownout detector was triggered\r\n", "supply voltage"),
        (b"waiting for download\r\n", "release its BOOT button"),
    ],
)
def test_a_board_that_does_not_listen_is_explained(text, told, monkeypatch):
    with PtyBoard(TalkingProcess(text)) as board, Console(board.port) as console:
        with pytest.raises(BeckonError, match=told):
            console.catch(timeout_s=0.3)


def test_a_board_that_restarts_all_the_time_is_caught(tmp_path):
    """It listens only now and then, as one that a watchdog resets."""
    with node_board(tmp_path) as board:
        board.deaf_until_boot = 5
        (tmp_path / "n").write_text("")
        (tmp_path / "main.py").write_text(
            "import machine\nn = open('n').read()\n"
            "with open('n', 'w') as f:\n    f.write(n + 'x')\n"
            "if len(n) < 5:\n    machine.reset()\n"
        )
        board.plug()
        assert put(board, NEW).sign == "linked to new"
        assert board.boots > 6


def test_a_board_whose_port_goes_away_at_a_reset(tmp_path):
    """The USB of an S2 or S3 is MicroPython's own."""
    with node_board(tmp_path) as board:
        board.native_usb = True
        assert put(board, OLD).sign == "linked to old"
        board.late_s = 1.0
        assert put(board, NEW).sign == "linked to new"


def test_a_program_that_runs_is_stopped(tmp_path):
    tmp_path.joinpath("main.py").write_text(
        "import asyncio\nasync def main():\n    while True:\n        print('busy')\n"
        "        await asyncio.sleep(0.5)\nasyncio.run(main())\n"
    )  # again and again: what is said before the port is open is lost
    with sensor_board(tmp_path) as board, Console(board.port) as console:
        assert next(console.lines(30)) == "busy"
        console.catch()
        assert console.execute("print(6 * 7)") == "42\n"
        with pytest.raises(BoardError, match="NameError") as caught:
            console.execute("nothing")
        assert "Traceback" in caught.value.traceback


def test_ports_that_cannot_be_used(tmp_path, monkeypatch):
    with pytest.raises(BeckonError, match="is the board plugged in. boards found"):
        find_port(str(tmp_path / "ttyUSB9"))
    (tmp_path / "file").write_text("")
    with pytest.raises(BeckonError, match="is not a serial port"):
        find_port(str(tmp_path / "file"))
    with PtyBoard(TalkingProcess(b"")) as board:
        monkeypatch.setattr(os, "access", lambda *args: False)
        with pytest.raises(BeckonError, match="usermod -aG"):
            find_port(board.port)
        monkeypatch.undo()
        with Console(board.port):
            with pytest.raises(BeckonError, match="in use by another program"):
                Console(board.port)
            with pytest.raises(BeckonError, match="in use by another program"):
                mpremote(board.port, ["eval", "1"])
        with Console(board.port) as console:
            board.unplug()
            with pytest.raises(Unplugged, match="went away"):
                for _ in range(100):
                    console.write(b"x")
                    console.read(0.01)


def test_boards_are_chosen(monkeypatch):
    from host_tools.device import ports

    monkeypatch.setattr(ports, "candidates", list)
    with pytest.raises(BeckonError, match="no board found on USB; .*cable that carries data"):
        find_port(None)
    monkeypatch.setattr(ports, "candidates", lambda: [("/dev/a", "CH340"), ("/dev/b", "CP210x")])
    with pytest.raises(BeckonError, match=r"several boards.*/dev/a \(CH340\), /dev/b"):
        find_port(None)


def survey(**changes):
    told = {"files": {}, "folders": [""], "version": (1, 28, 0), "machine": "m",
            "platform": "esp32", "mpy": 6 | 3 << 8 | 10 << 10, "block": 4096,
            "free": 1 << 20, "size": 2 << 20, "heap_free": 100_000}  # fmt: skip
    return Survey(**{**told, **changes})


def test_a_label_stays_true():
    files = {"secrets.json": b'{"user": "a"}'}
    label, extra = label_for(survey(chip="24c60a12f0aa"), {})
    assert label.ssid == "beckon-12f0aa" and label.is_new and len(label.key) == 19
    assert json.loads(extra["secrets.json"]) == {"ap_key": label.key}
    assert new_key() != new_key()
    # What the board has stays, whatever is copied; but a key in the settings is one's own choice.
    old = survey(chip="24c60a12f0aa", ap_key="as-before", files={"secrets.json": "x"})
    assert label_for(old, {}) == (Label("beckon-12f0aa", "as-before", False), {})
    label, extra = label_for(old, files)
    assert json.loads(extra["secrets.json"]) == {"user": "a", "ap_key": "as-before"}
    label, _ = label_for(old, {"secrets.json": b'{"ap_key": "my-choice"}'})
    assert label.key == "my-choice" and label.is_new
    # Secrets that are not copied are not touched; and without a chip's id there is no name.
    assert label_for(survey(chip="24c60a12f0aa", files={"secrets.json": "x"}), {}) == (None, {})
    assert label_for(survey(), files) == (None, {})


def test_plan():
    assert survey().arch == "xtensawin" and survey(mpy=774).arch is None
    assert survey(mpy=11 << 10).arch == "rv32imc"
    files = {"main.py": b"m", "a.mpy": b"a", "config.json": b"{}"}
    have = {path: sha256(data) for path, data in files.items()}
    assert plan(survey(files=have), files, {"main.py", "a.mpy"}, set()) == Plan({}, [], b"m")
    todo = plan(survey(files={**have, "a.py": "0", "config.json.try": "0", "config.json": "0",
                              "mine.py": "0", "b.mpy": "0"}), files,
                {"main.py", "a.mpy"}, {"a.mpy", "b.mpy"})  # fmt: skip
    assert todo == Plan({"config.json": b"{}"}, ["a.py", "b.mpy", "config.json.try"], b"m")
    assert plan(survey(files={}), files, {"main.py"}, set()).held is None
    with pytest.raises(BeckonError, match="MicroPython 1.22.1; 1.24 or later"):
        deploying.firmware_files(survey(version=(1, 22, 1)))


def test_settings_are_checked_before_the_board_is_touched(tmp_path, capsys):
    with pytest.raises(BeckonError, match="holds neither config.json nor secrets.json"):
        settings_files(tmp_path)
    (tmp_path / "config.json").write_text('{"broker_prt": 1}')
    assert main(["deploy", "/dev/null", "--settings", str(tmp_path)]) == 1
    assert "no setting is called 'broker_prt'" in capsys.readouterr().err
    assert main(["deploy", "/dev/null", "--model", str(tmp_path / "config.json")]) == 1
    assert main(["deploy", "--mqtt", "kitchen"]) == 2
    assert "name it with --model" in capsys.readouterr().err.splitlines()[-1]
    assert main(["deploy", "--mqtt", "kitchen", "--model", str(DEFAULT_MODEL), "--settings",
                 str(tmp_path / "none")]) == 1  # fmt: skip
    assert "no update_key" in capsys.readouterr().err


class Saying:
    """A Console whose board says lines; what is left of them comes with the next call."""

    def __init__(self, *lines):
        self._lines = iter(lines)

    def lines(self, timeout_s):
        yield from self._lines


@pytest.mark.parametrize("lines, sign, sensor, warning", [
    (["sensor: MPU6500 at 0x68", "linked to house"], "linked to house", "MPU6500", ""),
    (["linked to house", "", "sensor: MPU6500 at 0x68"], "linked to house", "MPU6500", ""),
    (["no link: no network is set", "sensor: x"], "the firmware runs", "x", "beckon setup"),
    (["linked to house"], "linked to house", "", "says nothing of its sensor"),
    (["access point: beckon-1 is open; its page is http://x/"], "access point: beckon-1", "", ""),
])  # fmt: skip
def test_a_deployment_ends_with_what_link_and_sensor_say(lines, sign, sensor, warning):
    report = Report("/dev/x", "", "")
    assert _lives(Saying(*lines), report, [])
    assert report.sign.startswith(sign) and sensor in report.sensor and warning in report.warning
    assert bool(warning) == bool(report.warning)


@pytest.mark.parametrize("lines, said", [
    (["linked to house", "no sensor: nothing answers at address 0x68"],
     "the firmware finds no sensor: nothing answers at address 0x68; run beckon doctor /dev/x"),
    (["no sensor: it sends no samples", "linked to house"], "finds no sensor: it sends no samples"),
    (["Traceback (most recent call last):", '  File "app.py"', "ValueError: b"],
     "the firmware stops: ValueError: b"),
    (["beckon: safe mode"], "the firmware reports: safe mode"),
])  # fmt: skip
def test_a_deployment_that_does_not_work_says_why(lines, said):
    with pytest.raises(BeckonError) as caught:
        _lives(Saying(*lines), Report("/dev/x", "", ""), [])
    assert said in str(caught.value)
