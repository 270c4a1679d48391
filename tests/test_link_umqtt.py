"""The versions of umqtt.simple in use differ in constructor, connect() and wait_msg()."""

import pytest

from host_tools.toolchain import umqtt_folder
from tests.link.host import Board, Mosquitto, Subscriber
from tests.test_link_basic import TEN_EVENTS

# What later versions changed, as far as the link can meet it: (old text, new text).
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
]


def variant(folder, changes):
    source = (umqtt_folder() / "umqtt" / "simple.py").read_text()
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    (folder / "umqtt").mkdir()
    (folder / "umqtt" / "simple.py").write_text(source)
    return folder


@pytest.mark.parametrize("changes", [SINCE_1_4, SINCE_1_5], ids=["1.4", "1.5"])
def test_newer_umqtt(tmp_path, changes):
    umqtt = variant(tmp_path, changes)
    with Mosquitto(tmp_path) as mosquitto, Subscriber(mosquitto.port) as subscriber:
        with Board(TEN_EVENTS, broker_port=mosquitto.port, umqtt=umqtt) as board:
            assert board.next()["left"] == 0
        subscriber.wait(lambda _: len(subscriber.events()) == 10)
        subscriber.wait(lambda _: subscriber.payloads("/status") == [b"online", b"offline"])
