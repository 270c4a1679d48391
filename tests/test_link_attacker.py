"""Somebody who may publish to beckon/#, and nothing else, tries to take a board.

A real broker with users and an access list, the whole firmware on a simulated board.
"""

import base64
import hashlib
import json
import os
import select
import socket

import paho.mqtt.client as paho
import pytest

from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.remote_device import RemoteDevice, signed
from host_tools.paths import DEFAULT_MODEL
from host_tools.testing.still_board import StillBoard
from tests.link.host import Mosquitto
from tests.waiting import TIMEOUT_S, until

KEY = "k3y-of-the-owner"
SECRETS = {"owner": "pass-of-the-owner", "glove": "pass-of-the-board", "mallory": "pass-of-mallory"}
ACCESS = """
user owner
topic readwrite #
user glove
topic readwrite beckon/#
user mallory
topic write beckon/#
"""


class Board(StillBoard):
    def _fill_flash(self):
        self._secrets["update_key"] = KEY
        super()._fill_flash()


@pytest.fixture
def mosquitto(tmp_path):
    users = tmp_path / "users"
    users.touch(mode=0o600)
    users.write_text("".join(f"{name}:{hashed(word)}\n" for name, word in SECRETS.items()))
    access = tmp_path / "access"
    access.touch(mode=0o600)
    access.write_text(ACCESS)
    with Mosquitto(tmp_path, 0, "allow_anonymous false", f"password_file {users}",
                   f"acl_file {access}") as broker:
        yield broker


def hashed(word):
    """A password as mosquitto keeps it: PBKDF2 with SHA-512."""
    salt = os.urandom(12)
    key = hashlib.pbkdf2_hmac("sha512", word.encode(), salt, 101)
    return f"$7$101${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"


def as_user(mosquitto, name):
    return BrokerAddress("127.0.0.1", mosquitto.port, name, SECRETS[name])


class Mallory:
    """Publishes; hears nothing. `trap`: where the board is to be lured to."""

    def __init__(self, mosquitto):
        self.trap = socket.create_server(("127.0.0.1", 0))
        self.clocks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.clocks.bind(("127.0.0.1", 0))
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        self.client.username_pw_set("mallory", SECRETS["mallory"])
        self.heard = []
        self.client.on_message = lambda client, data, message: self.heard.append(message)
        self.client.connect("127.0.0.1", mosquitto.port)
        self.client.loop_start()
        self.client.subscribe("#")
        self.turn = 0

    def send(self, verb, retain=False, **arguments):
        self.turn += 1
        command = json.dumps({"transaction": f"m{self.turn}", **arguments})
        self.client.publish(f"beckon/glove/cmd/{verb}", command, 1, retain).wait_for_publish(30)

    @property
    def caught(self):
        """Whether somebody came."""
        return bool(select.select([self.trap, self.clocks], [], [], 0)[0])

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()
        self.trap.close()
        self.clocks.close()


def attacks(port, clock_port):
    """(verb, arguments) of all that a publisher must not achieve."""
    for verb in ("restart", "calibrate"):  # first: 20 s after a start they are allowed
        yield verb, {}
        yield verb, {"hmac": "00" * 32}
    settings = {"broker_host": "127.0.0.1", "broker_port": port, "tls_ca": "", "model": "x.mlp",
                "time_server": f"127.0.0.1:{clock_port}", "name_server": f"127.0.0.1:{clock_port}",
                "device": "mine", "user": "x", "password": "x", "update_key": "x",
                "wifi_ssid": "mine", "wifi_key": "x", "ha_discovery": 0, "imu_address": 0x69,
                "keepalive_s": 5, "response_timeout_ms": 100}  # fmt: skip
    for name, value in settings.items():
        yield "set", {"settings": {name: value}}
        yield "set", {"settings": {"threshold_percent": 50, name: value}}
        for hmac in ("", "00" * 32, KEY, None, 7, ["x"]):
            yield "set", {"settings": json.dumps({name: value}), "hmac": hmac}
    yield "set", {"settings": settings}
    yield "set", {"settings": []}
    model = bytearray(DEFAULT_MODEL.read_bytes())
    for step in ("begin", "chunk", "commit", "abort", "?", 7):
        for hmac in (None, "00" * 32):
            yield "model", {"step": step, "size": len(model), "crc32": 1, "offset": 0, "hmac": hmac,
                            "data": base64.b64encode(model[:600]).decode(),
                            "sha256": hashlib.sha256(model).hexdigest()}  # fmt: skip


    yield from learning(model)


def learning(model):
    """The command `learn`: unsigned, with a wrong signature, of a wrong kind, out of order."""
    for step in ("start", "stop", "undo", "read", "?", 7, None, ["start"]):
        for hmac in ("", "00" * 32, None, 7, ["x"]):
            yield "learn", {"step": step, "label": "wave", "file": "samples", "offset": 0,
                            "hmac": hmac}  # fmt: skip
    yield "learn", {}
    for label in ("", "x" * 900, "a/b", "a\n", "\ud800", 7, None, [1], {"a": 1}, "none", "Circle"):
        yield "learn", {"step": "start", "label": label, "hmac": "00" * 32}
    for takes in (0, -1, 10, 1 << 40, 2.5, "5", None, [5], True):
        yield "learn", {"step": "start", "label": "wave", "takes": takes, "hmac": "00" * 32}
    for file in ("secrets.json", "../secrets.json", "model", "about", "", 7, None, ["model"]):
        for offset in (0, -1, 1 << 40, 0.5, "0", None):
            yield "learn", {"step": "read", "file": file, "offset": offset, "hmac": "00" * 32}
    for name in ("../../secrets", "secrets.", "", 7, ["x"], "0123456G", model[11:7:-1].hex()):
        yield "learn", {"step": "read", "file": "about", "model": name, "offset": 0,
                        "hmac": "00" * 32}  # fmt: skip


def tells_no_secret(answer):
    return not any(word in json.dumps(answer) for word in (*SECRETS.values(), KEY))


def replay(mallory, owner):
    """A signature that was used is worth nothing, and the owner's way out works all the same."""
    nonce = owner.request("nonce")["nonce"]
    hmac = signed(KEY, "learn", "glove", nonce, "start wave 3")
    assert owner.request("learn", step="start", label="wave", takes=3, hmac=hmac)["takes"] == 3
    # The board may restart first, to have memory
    until(lambda: (owner.state.get("learning") or {}).get("phase") == "repetitions",
          lambda: owner.state)
    while not owner._answers.empty():
        owner._answers.get()
    for arguments in ({"step": "start", "label": "wave", "takes": 3, "hmac": hmac},
                      {"step": "stop", "hmac": hmac}, {"step": "stop"}, {"step": "undo"}):
        mallory.send("learn", **arguments)
        assert "error" in owner._answers.get(timeout=TIMEOUT_S)
    for _ in range(2):  # too large to be taken: not answered, and no harm
        mallory.send("learn", step="start", label="x" * 20_000)
    assert owner.request("learn", step="status")["learning"]["label"] == "wave"
    owner.request_signed("learn", KEY, "stop", step="stop")
    until(lambda: (owner.state.get("learning") or {}).get("reason") == "stopped",
          lambda: owner.state)
    mallory.send("learn", step="start", label="wave", takes=3, hmac=hmac)
    assert "HMAC is wrong" in owner._answers.get(timeout=TIMEOUT_S)["error"]


def test_a_publisher_takes_nothing(mosquitto):
    mallory = Mallory(mosquitto)
    board = Board(as_user(mosquitto, "glove"), {"device": "glove"}, speed=0.25)
    owner = RemoteDevice(as_user(mosquitto, "owner"), "glove", TIMEOUT_S)
    with board, owner:
        said = owner.await_board(TIMEOUT_S)
        files = {path.name: path.read_bytes() for path in board.flash.iterdir() if path.is_file()}
        for verb, arguments in attacks(mallory.trap.getsockname()[1],
                                       mallory.clocks.getsockname()[1]):  # fmt: skip
            mallory.send(verb, **arguments)
            answer = owner._answers.get(timeout=TIMEOUT_S)
            assert "error" in answer, (verb, arguments, answer)
            assert not answer["error"].startswith("failed"), (verb, arguments, answer)
            assert tells_no_secret(answer)
        replay(mallory, owner)
        # What the board keeps of all that, and after a restart.
        assert owner.request("get")["settings"]["broker_port"] == mosquitto.port
        while not owner._states.empty():  # those of learning
            owner._states.get()
        boots = board.boots
        owner.request_signed("restart", KEY)
        until(lambda: board.boots > boots)
        state = owner.await_board(TIMEOUT_S)
        assert state["model"] == said["model"] and state["safe_mode"] == ""
        for name, content in files.items():
            if name != "boot.txt":
                assert (board.flash / name).read_bytes() == content, name
        assert tells_no_secret(owner.request("get")) and tells_no_secret(owner.request("diag"))
        assert not mallory.caught and not mallory.heard
    mallory.close()
