"""Commands over MQTT: what is refused, what is answered, and that nothing harms the board."""

import json
import random
import re

import pytest

from commands.settings_store import OPEN
from host_tools.cli.app import main
from host_tools.errors import BeckonError
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.remote_device import RemoteDevice, signed
from host_tools.paths import FIRMWARE
from ops.config import SETTINGS
from tests.link.host import Board, Mosquitto
from tests.waiting import TIMEOUT_S

DOCS = FIRMWARE.parent / "docs"

GLOVE = "link_commands.py"
KEY = "k3y"


@pytest.fixture
def glove(tmp_path):
    """(device to ask, raw client, board)"""
    with Mosquitto(tmp_path) as mosquitto:
        folder = tmp_path / "flash"
        folder.mkdir()
        (folder / "config.json").write_text('{"keepalive_s": 30}')
        address = BrokerAddress("127.0.0.1", mosquitto.port)
        with Board(GLOVE, broker_port=mosquitto.port, cwd=folder, update_key=KEY) as board:
            assert board.next() == {"ready": True}
            with RemoteDevice(address, "glove", TIMEOUT_S) as device:
                yield device, board, folder


def raw(device, verb, payload, retain=False):
    """Publish a payload as it is; the next answer."""
    topic = verb if isinstance(verb, bytes) else f"beckon/glove/cmd/{verb}"
    device._connection.publish(topic, payload, retain=retain)
    return device._answers.get(timeout=TIMEOUT_S)


def diag(device):
    return device.request("diag")


def test_a_command_is_answered_with_its_transaction(glove):
    device, _, _ = glove
    answer = raw(device, "get", json.dumps({"transaction": 7, "names": ["keepalive_s"]}))
    assert answer == {"transaction": 7, "ok": True, "settings": {"keepalive_s": 30}}


REFUSED = [
    (b"", "not a JSON object"),
    (b"hello", "not a JSON object"),
    (b'{"transaction": 1', "not a JSON object"),
    (b'{"transaction": 1]}', "not JSON"),
    (b"[1]", "not a JSON object"),
    (b"7", "not a JSON object"),
    (b"\xff\xfe}", "not JSON"),
    (b"{}", "transaction must be"),
    (b'{"transaction": null}', "transaction must be"),
    (b'{"transaction": true}', "transaction must be"),
    (b'{"transaction": 1.5}', "transaction must be"),
    (b'{"transaction": {"a": 1}}', "transaction must be"),
    (b'{"transaction": "' + b"x" * 65 + b'"}', "64 characters"),
    (b"[" * 100 + b"]" * 100, "nested too deep"),
    (b"[" * 1400, "nested too deep"),
    (b'{"a":' * 100 + b"1" + b"}" * 100, "nested too deep"),
    (b'{"transaction": 1, "names": "all"}', "names must be a list"),
    (b'{"transaction": 2, "names": ["nothing"]}', "no setting is called"),
    (b'{"transaction": 3, "names": [[]]}', "no setting is called"),
]


def test_what_is_wrong_is_refused_with_the_reason(glove):
    device, _, _ = glove
    for payload, told in REFUSED:
        answer = raw(device, "get", payload)
        assert told in answer["error"] and "ok" not in answer, payload
    assert diag(device)["diag"]["commands_refused"] == len(REFUSED)


def test_a_command_too_long_is_passed_over(glove):
    device, _, _ = glove
    device._connection.publish("beckon/glove/cmd/get", b'{"transaction": "%s"}' % (b"x" * 5000))
    told = diag(device)["diag"]
    assert told["link_oversized"] == 1 and told["link_drops"] == 0


def test_an_unknown_verb_is_refused_with_the_known_ones(glove):
    device, _, _ = glove
    for verb in ("", "nothing", "a/b/c", "GET", "get/", "\u20ac", "x" * 300):
        answer = raw(device, verb, b'{"transaction": 1}')
        known = "after, diag, fail, get, large, nonce, set"
        assert answer["error"] == f"no such command; there are {known}"


def test_a_repeated_transaction_is_not_carried_out_again(glove):
    device, board, _ = glove
    command = b'{"transaction": "once"}'
    assert raw(device, "after", command)["ok"]
    assert board.next() == {"after": True}
    assert "carried out before" in raw(device, "after", command)["error"]
    assert diag(device)["ok"]
    # Refused ones may be mended and sent again.
    assert "error" in raw(device, "get", b'{"transaction": "two", "names": 1}')


def test_a_retained_command_is_refused_at_each_connection(tmp_path):
    with Mosquitto(tmp_path) as mosquitto:
        address = BrokerAddress("127.0.0.1", mosquitto.port)
        with RemoteDevice(address, "glove", TIMEOUT_S) as device:
            publish = device._connection.publish
            publish("beckon/glove/cmd/after", b'{"transaction": 1}', retain=True)
            publish("beckon/glove/cmd/\u00e9", b"\xff" * 99, retain=True)
            with Board(GLOVE, broker_port=mosquitto.port, cwd=tmp_path, update_key="") as board:
                assert board.next() == {"ready": True}
                for _ in range(2):
                    answer = device._answers.get(timeout=TIMEOUT_S)
                    assert "without retain" in answer["error"] and "ok" not in answer
                assert diag(device)["diag"]["commands_refused"] == 2


def test_a_fault_in_one_verb_leaves_the_others(glove):
    device, board, _ = glove
    with pytest.raises(BeckonError, match="KeyError"):
        device.request("fail")
    assert diag(device)["diag"]["command_faults"] == 1


def test_an_answer_too_large_is_told(glove):
    device, _, _ = glove
    with pytest.raises(BeckonError, match="too large"):
        device.request("large")


def test_secrets_are_not_told_and_not_taken(glove):
    device, _, folder = glove
    told = device.request("get", names=["keepalive_s", "wifi_ssid", "wifi_key", "password"])
    assert told["settings"] == {"keepalive_s": 30, "wifi_ssid": "net"}
    for name in ("wifi_key", "update_key", "password"):
        with pytest.raises(BeckonError, match="secret"):
            device.request("set", settings={name: "x"})
    assert json.loads((folder / "config.json").read_text()) == {"keepalive_s": 30}


def test_signed_settings_are_changed_on_trial(glove):
    device, _, folder = glove
    assert device.change_settings(KEY, keepalive_s=60, device="mitten")["restart"]
    assert json.loads((folder / "config.json").read_text()) == {
        "keepalive_s": 60, "device": "mitten"}
    assert json.loads((folder / "config.json.old").read_text()) == {"keepalive_s": 30}
    assert (folder / "config.json.try").read_text() == "0s"  # what must work again


VALUES = {"device": "mitten", "rules": "tap", "tls_ca": "ca.pem",
          "broker_host": "evil.example", "imu_int_pin": 4,
          "power": "modem_sleep", "radio": "gatt", "radio_buttons": "x=press", "radio_keys": "x=a",
          "radio_peers": "24:0a:c4:00:00:02"}  # fmt: skip


def test_the_rights_of_a_publisher_are_those_of_the_table(glove, rights):
    """Each setting of docs/security.md, changed without a signature, and with one."""
    device, _, folder = glove
    assert sorted(rights) == sorted(SETTINGS)
    for name, right in rights.items():
        _, kind, least, most = SETTINGS[name]
        value = VALUES.get(name, "x" if kind is str else most)
        before = (folder / "config.json").read_text()
        if right == "everyone":
            continue  # below: they count as changes
        with pytest.raises(BeckonError, match="secret" if right == "nobody" else "signature"):
            device.request("set", settings={name: value})
        if right == "nobody":
            with pytest.raises(BeckonError, match="secret"):
                device.change_settings(KEY, **{name: value})
        assert (folder / "config.json").read_text() == before
        assert not (folder / "config.json.try").exists()
        if right == "key":
            device.change_settings(KEY, **{name: value})
            assert json.loads((folder / "config.json").read_text())[name] == value
            (folder / "config.json").write_text(before)
            (folder / "config.json.try").unlink(missing_ok=name == "ha_discovery")
        else:
            assert right == "nobody"
    assert [name for name, right in rights.items() if right == "everyone"] == list(OPEN)
    device.request("set", settings=dict.fromkeys(OPEN, 1))
    assert json.loads((folder / "config.json").read_text()).keys() == {"keepalive_s", *OPEN}


@pytest.fixture
def rights():
    """Setting -> who may change it, as docs/security.md says."""
    text = (DOCS / "security.md").read_text()
    rows = re.findall(r"^\| `([a-z0-9_`, ]+)` \| (everyone|key|nobody) \|", text, re.MULTILINE)
    return {name: right for names, right in rows for name in names.split("`, `")}


def test_tls_cannot_be_switched_off(tmp_path):
    with Mosquitto(tmp_path) as mosquitto:
        (tmp_path / "config.json").write_text('{"tls_ca": "ca.pem"}')
        address = BrokerAddress("127.0.0.1", mosquitto.port)
        with Board(GLOVE, broker_port=mosquitto.port, cwd=tmp_path, update_key=KEY) as board:
            assert board.next() == {"ready": True}
            with RemoteDevice(address, "glove", TIMEOUT_S) as device:
                with pytest.raises(BeckonError, match="TLS cannot be switched off over MQTT"):
                    device.change_settings(KEY, tls_ca="", keepalive_s=60)
                assert device.change_settings(KEY, tls_ca="newer.pem")["restart"]


def test_a_signed_change_works_once_and_as_it_was_signed_only(glove):
    device, _, folder = glove
    text = '{"keepalive_s": 60}'
    nonce = device.request("nonce")["nonce"]
    good = {"settings": text, "hmac": signed(KEY, "set", "glove", nonce, text)}
    for wrong in ({"hmac": signed("other", "set", "glove", nonce, text)},
                  {"hmac": signed(KEY, "model", "glove", nonce, text)},
                  {"hmac": signed(KEY, "set", "mitten", nonce, text)},
                  {"hmac": signed(KEY, "set", "glove", "00" * 16, text)},
                  {"hmac": ""}, {"settings": '{"keepalive_s": 61}'}):  # fmt: skip
        with pytest.raises(BeckonError, match="HMAC is wrong"):
            device.request("set", **{**good, **wrong})
    with pytest.raises(BeckonError, match="hexadecimal"):
        device.request("set", settings=text)
    with pytest.raises(BeckonError, match="needs a signature"):
        device.request("set", settings={"keepalive_s": 60}, hmac=good["hmac"])
    assert json.loads((folder / "config.json").read_text()) == {"keepalive_s": 30}
    assert device.request("set", **good)["restart"]
    with pytest.raises(BeckonError, match="HMAC is wrong"):
        device.request("set", **good)
    for text in ("", "[1]", '{"keepalive_s": 60', "7", "{}"):
        with pytest.raises(BeckonError, match="settings must be"):
            device.request_signed("set", KEY, text, settings=text)


def test_changes_that_wear_the_flash_are_limited(glove):
    device, board, folder = glove
    for percent in (1, 2, 3, 3, 3, 3):  # what changes nothing writes nothing
        assert device.request("set", settings={"threshold_percent": percent})["ok"]
    with pytest.raises(BeckonError, match="too many changes"):
        device.request("set", settings={"threshold_percent": 4})
    assert json.loads((folder / "config.json").read_text())["threshold_percent"] == 3


def test_settings_that_act_at_once_are_not_on_trial(glove):
    device, board, folder = glove
    assert device.request("set", settings={"threshold_percent": 70})["restart"] is False
    assert board.next() == {"applied": 70}
    assert device.request("get", names=["threshold_percent"])["settings"] == {
        "threshold_percent": 70}
    assert json.loads((folder / "config.json").read_text()) == {
        "keepalive_s": 30, "threshold_percent": 70}
    assert not (folder / "config.json.try").exists()


def test_settings_that_cannot_be_are_refused(glove):
    device, _, folder = glove
    for values in ({"keepalive_s": "60"}, {"threshold_percent": 101}, {"keepalive_s": 1},
                   {"keepalive_s": True}, {"nothing": 1}, {"device": "x" * 33}, {"device": None},
                   {}, [1], "x", None):  # fmt: skip
        with pytest.raises(BeckonError, match="refuses set"):
            device.request("set", settings=values)
        assert [path.name for path in folder.iterdir()] == ["config.json"]


def test_ask_sends_a_command_and_prints_the_answer(glove, capsys):
    device, board, folder = glove
    at = ["--broker", str(device._connection.broker)]
    assert main(["ask", "glove", "get", 'names=["keepalive_s"]', *at]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "settings": {"keepalive_s": 30}}
    assert main(["ask", "glove", "set", 'settings={"threshold_percent": 70}', *at]) == 0
    assert board.next() == {"applied": 70}
    assert main(["ask", "glove", "get", "names=all", *at]) == 1
    assert "glove refuses get: names must be a list" in capsys.readouterr().err
    assert main(["ask", "mitten", "get", "--timeout", "0.2", *at]) == 1
    assert "mitten does not answer" in capsys.readouterr().err
    for wrong in (["a/b", "get"], ["glove", "+"], ["", "get"], ["glove", "get", "names"],
                  ["glove", "get", "=1"], ["glove", "get", "verb=1"]):
        assert main(["ask", *wrong, *at]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_ask_signs_with_the_key_of_setup(glove, capsys, tmp_path, monkeypatch):
    device, _, folder = glove
    own = tmp_path / "settings"
    own.mkdir()
    monkeypatch.setattr("host_tools.device.settings.default_folder", lambda: own)
    at = ["--broker", str(device._connection.broker)]
    change = ["ask", "glove", "set", 'settings={"keepalive_s": 60}', *at]
    assert main([*change, "--sign"]) == 1
    assert "no update_key" in capsys.readouterr().err
    (own / "secrets.json").write_text(json.dumps({"update_key": KEY}))
    assert main(change) == 1
    assert "keepalive_s needs a signature" in capsys.readouterr().err
    assert main([*change, "--sign"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "restart": True}
    assert json.loads((folder / "config.json").read_text()) == {"keepalive_s": 60}
    for wrong in (["get"], ["set"], ["set", "settings=5"]):
        assert main(["ask", "glove", *wrong, "--sign", *at]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_no_bytes_as_command_or_verb_harm_the_board(glove):
    """Random and mutated commands; the board answers the last one with its memory unchanged."""
    device, board, _ = glove
    rng = random.Random(20250101)
    good = b'{"transaction": "t%d", "names": ["keepalive_s"], "x": {"y": [1, -2.5e3, null]}}'
    heap = []
    for turn in range(400):
        payload = bytearray(good % turn if rng.randrange(3) else rng.randbytes(rng.randrange(200)))
        for _ in range(rng.randrange(4)):
            if payload:
                payload[rng.randrange(len(payload))] = rng.randrange(256)
        if not rng.randrange(5):
            payload = payload * rng.randrange(1, 20)
        verb = rng.choice(["get", "get", "set", "after2", "\u00e9 ", "x/y", "diag"])
        device._connection.publish(f"beckon/glove/cmd/{verb}", bytes(payload))
        if turn % 3 == 2:  # only four may wait, the rest would be dropped
            used = device.request("diag")["heap"]
        if turn % 100 == 99:
            heap.append(used)
    told = diag(device)["diag"]
    print("heap used:", heap, told, board.logs)
    assert board.process.poll() is None
    assert told["link_drops"] == told["command_faults"] == told["commands_dropped"] == 0
    assert heap[-1] - heap[0] < 2048
