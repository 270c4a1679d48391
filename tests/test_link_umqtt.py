"""The versions of umqtt.simple in use differ in constructor, connect(), subscribe(), wait_msg().

Only 1.3.4 can be had as a package. Of the later ones these are variants with what the
link can meet; that of 1.8 has the methods that the type hints of MicroPython 1.29 name.
"""

import ast

import pytest

from host_tools.toolchain import umqtt_folder
from host_tools.toolchain.stubs import stubs_folder
from tests.link.host import Board, Mosquitto, Subscriber

GLOVE = "link_umqtt.py"

# What each version changed: (old text, new text).
SINCE_1_4 = [
    ("import usocket as socket", "import socket"),
    ("ssl=False, ssl_params={}", "ssl=None"),
    ("self.ssl_params = ssl_params", "pass"),
    ("if self.user is not None", "if self.user"),
    ("ussl.wrap_socket(self.sock, **self.ssl_params)",
     "self.ssl.wrap_socket(self.sock, server_hostname=self.server)"),
    ("assert 0\n\n    # Checks", "assert 0\n        return op\n\n    # Checks"),
]
SINCE_1_5 = [
    *SINCE_1_4,
    ("def connect(self, clean_session=True):",
     "def connect(self, clean_session=True, timeout=None):"),
    ("addr = socket.getaddrinfo",
     "self.sock.settimeout(timeout)\n        addr = socket.getaddrinfo"),
    ("ssl=None", "ssl=None, ssl_params={}"),
]
ACKNOWLEDGED = """
    def _send_subunsub(self, topic, typ, ack_op, ack_n, qos=0):
        self.pid += 1
        number = self.pid.to_bytes(2, "big")
        end = b"" if ack_op == 0xB0 else bytes((qos,))
        head = bytearray((typ, 0, 0, 0))
        self.sock.write(head, _encode_len(head, 4 + len(topic) + len(end)))
        self.sock.write(number)
        self._send_str(topic)
        self.sock.write(end)
        while self.wait_msg() != ack_op:
            pass
        answer = self.sock.read(ack_n)
        assert answer[1:3] == number
        if answer[3:] == b"\\x80":
            raise MQTTException(0x80)

    def unsubscribe(self, topic):
        self._send_subunsub(topic, 0xA2, 0xB0, 3)
"""
ENCODE_LEN = """
def _encode_len(pkt, sz):
    at = 1
    while sz > 127:
        pkt[at] = sz & 127 | 128
        sz >>= 7
        at += 1
    pkt[at] = sz
    return at + 1


class MQTTClient:
"""
SINCE_1_8 = [
    *SINCE_1_5,
    ("class MQTTClient:\n", ENCODE_LEN),
    ("    def subscribe(self, topic, qos=0):\n",
     ACKNOWLEDGED + "\n    def subscribe(self, topic, qos=0):\n"
     "        assert self.cb is not None\n"
     "        self._send_subunsub(topic, 0x82, 0x90, 4, qos)\n\n"
     "    def _old_subscribe(self, topic, qos=0):\n"),
]


def variant(folder, changes):
    source = (umqtt_folder() / "umqtt" / "simple.py").read_text()
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    (folder / "umqtt").mkdir()
    (folder / "umqtt" / "simple.py").write_text(source)
    return folder


@pytest.mark.parametrize("changes", [[], SINCE_1_4, SINCE_1_5, SINCE_1_8],
                         ids=["1.3.4", "1.4", "1.5", "1.8"])
def test_the_link_works_with(tmp_path, changes):
    umqtt = variant(tmp_path, changes)
    with Mosquitto(tmp_path) as mosquitto, Subscriber(mosquitto.port) as subscriber:
        with Board(GLOVE, broker_port=mosquitto.port, umqtt=umqtt) as board:
            said = board.next()
        assert said["left"] == 0 and said["link_connects"] == 1
        assert said["came"] == [["beckon/glove/cmd/x", 300]]
        subscriber.wait(lambda _: len(subscriber.events()) == 10)
        subscriber.wait(lambda _: subscriber.payloads("/status") == [b"online", b"offline"])


def methods(text):
    """name -> arguments of MQTTClient's methods"""
    (client,) = (node for node in ast.parse(text).body
                 if isinstance(node, ast.ClassDef) and node.name == "MQTTClient")
    return {node.name: [arg.arg for arg in node.args.args]
            for node in client.body if isinstance(node, ast.FunctionDef)}


def test_the_newest_variant_has_the_methods_of_the_newest_version(tmp_path):
    ours = methods((variant(tmp_path, SINCE_1_8) / "umqtt" / "simple.py").read_text())
    ours.pop("_old_subscribe")
    assert ours == methods((stubs_folder() / "umqtt" / "simple.pyi").read_text())
