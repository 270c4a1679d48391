"""What doctor does on the board to test its broker: TLS before any login, and what is wrong."""

import json
import socket
import threading

import pytest

from host_tools.doctor import diagnosis
from host_tools.doctor.doctor import _ON_BOARD
from tests.link.host import Board
from tests.test_mqtt_connection import Brokers
from tests.waiting import TIMEOUT_S

SETTINGS = {"broker_host": "127.0.0.1", "tls_name": "localhost", "tls_ca": "ca.crt", "user": "ann",
            "password": "s3cret-word", "device": "wand", "time_server": ""}
CHECK = f"""
{{}}
source = open({str(_ON_BOARD / 'checkup.py')!r}).read()
exec(source)
say(**broker(3))
"""


@pytest.fixture(scope="module")
def brokers(tmp_path_factory):
    made = Brokers(tmp_path_factory.mktemp("tls") / "brokers")
    with made.mosquitto:
        yield made


@pytest.fixture
def examine(brokers, tmp_path):
    def examine(port, before="", **changes):
        """The Finding about the broker on port."""
        settings = {**SETTINGS, "broker_port": port, **changes}
        (tmp_path / "config.json").write_text(json.dumps(settings))
        for file in (brokers.authority.ca, *brokers.client):
            (tmp_path / file.name).write_bytes(file.read_bytes())
        (tmp_path / "other.crt").write_bytes(brokers.another_ca.read_bytes())
        with Board(CHECK.format(before), cwd=tmp_path) as board:
            return diagnosis.broker(board.next(), settings)

    return examine


def test_a_broker_with_tls_that_is_in_order(brokers, examine):
    for listener in ("good", "rsa"):
        found = examine(brokers.ports[listener])
        assert str(found).split()[:2] == ["broker", "ok"] and "with TLS" in found.text, found
    own = {"tls_cert": "client.crt", "tls_key": "client.key"}
    assert examine(brokers.ports["mtls"], **own).state == "ok"


@pytest.mark.parametrize("listener, changes, part, cure", [
    ("good", {"tls_ca": "other.crt"}, "chain", "beckon setup --ca FILE"),
    ("other", {}, "name", "tls_name"),
    ("expired", {}, "dates", "renew"),
    ("future", {}, "dates", "clocks"),
    ("good", {"tls_ca": "gone.crt"}, "gone.crt is not on the board", "deploy --settings"),
    ("plain", {}, "", "beckon setup"),
])  # fmt: skip
def test_what_is_wrong_with_tls(brokers, examine, listener, changes, part, cure):
    found = examine(brokers.ports[listener], **changes)
    assert found.state == "fault" and "\n" not in str(found)
    assert f"with TLS: {part}" in found.text and cure in found.cure, found


def test_without_the_time_no_certificate_is_checked(brokers, examine):
    before = """
import time as _real
class Clock:
    def gmtime(self):
        return (2000,)
import sys
sys.modules["time"] = Clock()
"""
    found = examine(brokers.ports["good"], before)
    assert "time of day is not known" in found.text and "UDP port 123" in found.cure


@pytest.mark.parametrize("tls", [True, False])
def test_the_login_is_sent_in_the_clear_only_without_tls(examine, tls):
    heard = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            connection, _ = server.accept()
            with connection:
                connection.settimeout(TIMEOUT_S)
                heard.extend(connection.recv(4096))
                connection.sendall(b"\x20\x02\0\0" * 9)

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        found = examine(server.getsockname()[1], **({} if tls else {"tls_ca": ""}))
        thread.join(TIMEOUT_S)
    assert found.state == ("fault" if tls else "ok")
    assert (b"ann" in heard) == (b"s3cret-word" in heard) == (not tls) and heard


def test_a_broker_of_mqtt_5_alone(examine):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen():
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"\x20\x03\0\x84\0")

        threading.Thread(target=listen, daemon=True).start()
        found = examine(server.getsockname()[1], tls_ca="")
    assert "speaks MQTT 5 only" in found.text and "3.1.1" in found.cure


def test_plain_mqtt_through_the_network_is_a_warning():
    settings = {**SETTINGS, "tls_ca": "", "broker_port": 1883, "broker_host": "192.0.2.1"}
    found = diagnosis.broker({"up": True, "why": ""}, settings)
    assert found.state == "warning" and "can read user, password and events" in found.text
    assert diagnosis.broker({"up": True, "why": ""}, {**settings, "user": ""}).text.endswith(
        "can read all events")
