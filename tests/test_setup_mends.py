"""beckon setup: whatever lies on disk and is answered, no key is lost, and a board takes it."""

import json
import os
import shutil
import string
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.cli import setup
from host_tools.cli.app import main
from host_tools.device.settings import (
    SECRET_NAMES,
    defaults,
    read_settings,
    settings_files,
    stored_settings,
    write_settings,
)
from host_tools.errors import BeckonError
from host_tools.paths import FIRMWARE
from host_tools.toolchain import micropython_command

KEYS = ("wifi_key", "password", "update_key")
ALL_ANSWERED = {"Wi-Fi network": "home", "MQTT broker": "house", "TLS": "-",
                "your certificate": "-", "its key": "-", "Change the answers": "n"}  # fmt: skip


class Typist:
    """Types answers, whatever is asked, and after them what ends the questions.

    given: secret -> what was typed for it last; "": cleared.
    """

    def __init__(self, answers):
        self._answers = list(answers)
        self.given = {}

    def __call__(self, prompt):
        question = prompt.partition(" [")[0].partition(":")[0]
        if self._answers:
            text = self._answers.pop(0)
        else:
            text = next((a for start, a in ALL_ANSWERED.items() if prompt.startswith(start)), "")
        name = {"Wi-Fi password (empty": "wifi_key", "password": "password"}.get(question)
        if name and text:
            self.given[name] = "" if text == "-" else text
        if question.startswith("user") and text == "-":
            self.given["password"] = ""
        return text


def run_setup(folder, answers, more=("--no-test",)):
    """(status, the Typist) of a setup whose questions are answered so."""
    typist = Typist(answers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.input", typist)
        patch.setattr(setup.getpass, "getpass", typist)
        patch.setattr(setup.sys.stdin, "isatty", lambda: True, raising=False)
        return main(["setup", "--folder", str(folder), *more]), typist


def everything_in(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "config, secret, kept",
    [
        ('{"device": "My Board", "broker_host": "house"}', "{}", {"broker_host": "house"}),
        ('{"device": "kitchen", "broker_port": 18', "{}", {"device": "kitchen"}),
        ('{"broker_port": "1884", "brocker": 1}', "{}", {"broker_port": 1884}),
        ('{"broker_host": "mqtt://house:1883", "user": "ann"}', "{}", {"user": "ann"}),
        ("[]", '{"update_key": "abc", "wifi_key": "se', {"update_key": "abc"}),
        ("", '\\ufeff{"update_key": "abc"}', {"update_key": "abc"}),
        ("{}", "\\0\\0\\0\\0", {}),
    ],
)
def test_what_is_damaged_is_mended(tmp_path, capsys, config, secret, kept):
    for name, text in (("config.json", config), ("secrets.json", secret)):
        (tmp_path / name).write_text(text.replace("\\ufeff", "\ufeff"),
                                     encoding="utf-8")  # fmt: skip
    with pytest.raises(BeckonError, match="beckon setup mends it"):
        read_settings(tmp_path)
    assert run_setup(tmp_path, [])[0] == 0
    said = capsys.readouterr().err
    assert "what was there before is in" in said and ".broken1" in said
    found = read_settings(tmp_path)
    assert {name: found[name] for name in kept} == kept and found["update_key"]
    for path in tmp_path.glob("*.broken*"):
        assert path.stat().st_mode & 0o077 == 0
        assert path.read_text(encoding="utf-8") in (config, secret.replace("\\ufeff", "\ufeff"))


def test_what_is_not_a_file_is_put_aside(tmp_path, capsys):
    (tmp_path / "config.json").mkdir()
    os.mkfifo(tmp_path / "secrets.json")
    assert main(["setup", "--folder", str(tmp_path), "--set", "device=a", "--no-test"]) == 0
    assert (tmp_path / "config.json.broken1").is_dir()
    assert read_settings(tmp_path)["device"] == "a"
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").symlink_to("config.json")  # a link to itself
    assert main(["setup", "--folder", str(tmp_path), "--set", "device=b", "--no-test"]) == 0
    assert read_settings(tmp_path)["device"] == "b" and "broken2" in capsys.readouterr().err


def test_each_answer_is_checked_at_its_question(tmp_path, capsys):
    (tmp_path / "no certificate").write_text("x")
    answers = ["ho\tme", "home", "password", "mqtt://house:1883", "my house", "house", "nowhere",
               str(tmp_path / "no certificate"), "", "ten", "0", "1884", "ann", "word", "My Board",
               "my-board"]  # fmt: skip
    assert run_setup(tmp_path, answers)[0] == 0
    said = capsys.readouterr().err
    for words in ("wifi_ssid holds a control character", "'mqtt://house:1883' may hold letters",
                  "without mqtt://, port or blanks", "'my house' may hold",
                  "nowhere', which cannot", "is not a certificate", "not 'ten'",
                  "1 to 65535", "'My Board' may hold"):
        assert words in said
    found = read_settings(tmp_path)
    assert (found["wifi_ssid"], found["broker_host"]) == ("home", "house")
    assert found["broker_port"] == 1884
    assert (found["user"], found["password"], found["device"]) == ("ann", "word", "my-board")
    # Cleared: the login, and the name of the board, which is made from its chip then.
    assert run_setup(tmp_path, ["", "-", "", "", "", "-", "-"])[0] == 0
    found = read_settings(tmp_path)
    assert [found[name] for name in ("wifi_key", "user", "password", "device")] == [""] * 4


def test_input_that_ends_writes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda prompt: exec("raise EOFError"))
    monkeypatch.setattr(setup.sys.stdin, "isatty", lambda: True, raising=False)
    assert main(["setup", "--folder", str(tmp_path)]) == 1
    assert "nothing was written" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_certificates_that_are_kept_must_be_there(tmp_path, capsys):
    write_settings(tmp_path, {"wifi_ssid": "home", "broker_host": "house", "tls_ca": "gone.crt"})
    assert run_setup(tmp_path, ["", "", "", "", "-"])[0] == 0
    assert "gone.crt', which cannot be read" in capsys.readouterr().err
    assert read_settings(tmp_path)["tls_ca"] == ""
    write_settings(tmp_path, {"tls_ca": "../../outside.crt", "broker_host": "192.0.2.1"})
    assert main(["setup", "--folder", str(tmp_path), "--set", "device=a"]) == 1
    assert "leaves" in capsys.readouterr().err
    assert not (tmp_path.parent / "outside.crt").exists()


# Random files and answers.

LINE = st.text(string.ascii_letters + string.digits + " .-_:/@é😀\t\x00\u200b\ud800", max_size=40)
ANSWER = st.one_of(LINE, st.sampled_from(["", "-", "1883", "0", "house", "my house", "home", "😀",
                                          "mqtt://house", "x" * 300, "8883", "y"]))  # fmt: skip
VALUE = st.one_of(st.none(), st.booleans(), st.integers(-5, 70000), st.floats(), LINE,
                  st.lists(st.integers(), max_size=2))  # fmt: skip
NAME = st.one_of(st.sampled_from(sorted(defaults())), LINE)


@st.composite
def stored(draw):
    """The bytes of a settings file: an object with some keys, perhaps damaged."""
    content = draw(st.dictionaries(NAME, VALUE, max_size=5))
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=3)):
        content[key] = draw(st.text(string.ascii_letters + "😀\"\\", min_size=8, max_size=16))
    text = json.dumps(content, ensure_ascii=draw(st.booleans()))
    data = text.encode("utf-8", "surrogatepass")
    damage = draw(st.sampled_from(["none", "none", "cut", "bytes", "mark", "list", "utf-16"]))
    if damage == "cut":
        return data[: draw(st.integers(0, len(data)))]
    if damage == "bytes":
        at = draw(st.integers(0, len(data)))
        return data[:at] + draw(st.binary(min_size=1, max_size=4)) + data[at:]
    if damage == "utf-16":
        return text.encode("utf-16", "surrogatepass")
    return {"mark": b"\xef\xbb\xbf" + data, "list": b"[" + data + b"]"}.get(damage, data)


CHECK = f"""
import sys
sys.path.insert(0, {str(FIRMWARE)!r})
from ops import config
for line in sys.stdin:
    folder, ssid = line.rstrip("\\n").split("\\t")
    settings = config.load((folder + "/config.json", folder + "/secrets.json"), b"123456")
    assert settings.wifi_ssid.encode() == bytes.fromhex(ssid), (folder, settings.wifi_ssid)
    print("ok")
"""


def test_no_key_is_lost_and_a_board_takes_what_is_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda handle: None)  # a busy disk takes seconds for it
    written = []

    @settings(max_examples=120, deadline=None)
    @given(st.one_of(st.none(), stored()), st.one_of(st.none(), stored()),
           st.lists(ANSWER, max_size=25), st.booleans())  # fmt: skip
    def check(config, secret, answers, answered):
        folder = tmp_path / str(len(written))
        shutil.rmtree(folder, ignore_errors=True)  # of an example that failed
        folder.mkdir()
        for name, data in (("config.json", config), ("secrets.json", secret)):
            if data is not None:
                (folder / name).write_bytes(data)
        before = stored_settings(folder).values
        originals = [data for data in (config, secret) if data]
        typist = Typist([])
        if answered:
            status, typist = run_setup(folder, answers)
        else:
            status = main(["setup", "--folder", str(folder), "--set", "device=a", "--no-test"])
        assert status == 0, capsys.readouterr().err
        found = read_settings(folder)
        try:
            files = settings_files(folder)
        except BeckonError as error:  # deploy refuses; only a question can mend that
            assert str(error).startswith("tls_") and not answered
            files = {"config.json": (folder / "config.json").read_bytes()}
        assert found["update_key"] == before.get("update_key", "") or not before.get("update_key")
        for name in KEYS[:2]:
            if before.get(name) and name not in typist.given:
                assert found[name] == before[name]
        for data in originals:  # what was not taken over is still there
            if stored_faults(folder.parent / "original", data):
                assert data in [path.read_bytes() for path in folder.glob("*.broken*")]
        assert not set(SECRET_NAMES) & set(json.loads(files["config.json"]))
        (folder / "config.json").write_bytes(files["config.json"])  # as a board gets it
        written.append(f"{folder}\t{found['wifi_ssid'].encode().hex()}")

    check()
    lines = "\n".join(written) + "\n"
    done = subprocess.run([*micropython_command(), "-c", CHECK], input=lines, capture_output=True,
                          text=True, timeout=120)  # fmt: skip
    assert done.stdout.split() == ["ok"] * len(written), done.stdout[-300:] + done.stderr[-600:]


def stored_faults(folder, data):
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_bytes(data)
    return stored_settings(folder).faults


def test_a_password_too_short_for_wpa_is_asked_for_twice(tmp_path, capsys):
    status, _ = run_setup(tmp_path, ["home", "short", "short", "192.0.2.7"])
    assert status == 0 and read_settings(tmp_path)["wifi_key"] == "short"
    said = capsys.readouterr().err
    assert said.count("a Wi-Fi password has 8 characters or more, this one has 5") == 1
    status, _ = run_setup(tmp_path, ["", "other", "long enough", "192.0.2.7"])
    assert read_settings(tmp_path)["wifi_key"] == "long enough"


def test_a_question_for_a_file_asks_for_another_path(tmp_path, capsys):
    run_setup(tmp_path, ["home", "", "192.0.2.7", "/nowhere/ca.crt"])
    said = capsys.readouterr().err
    assert "cannot be read (No such file or directory); enter another path, or - for none" in said
    assert "--ca" not in said


def test_an_interrupt_writes_nothing(tmp_path, capsys, monkeypatch):
    def stop(prompt):
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", stop)
    monkeypatch.setattr(setup.sys.stdin, "isatty", lambda: True, raising=False)
    assert main(["setup", "--folder", str(tmp_path / "new"), "--no-test"]) == 130
    assert capsys.readouterr().err.endswith("beckon setup: stopped; nothing was written\n")
    assert not (tmp_path / "new").exists()
