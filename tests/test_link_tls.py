"""TLS with a real mosquitto and the interpreter's own mbedTLS."""

import shutil
import ssl
from contextlib import ExitStack

import pytest

from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.broker import free_port
from host_tools.mqtt.remote_device import RemoteDevice
from host_tools.testing.still_board import StillBoard
from tests.link.certificates import Authority
from tests.link.host import TESTS, Board, FakeBroker, Mosquitto, wait_for_port
from tests.waiting import TIMEOUT_S

FILES = TESTS / "link" / "tls"
BRIEF_MS = 900  # enough, behind the first 600, to fail twice

GLOVE = "link_tls.py"


def tls_board(port, **settings):
    usual = {"tls_ca": str(FILES / "ca.crt"), "tls_cert": "", "tls_key": "",
             "tls_name": "localhost", "clock_at_2000": False, "patience_ms": 3000}
    return Board(GLOVE, broker_port=port, **{**usual, **settings})


def brief_board(port, timeout_ms):
    return tls_board(port, response_timeout_ms=timeout_ms, patience_ms=BRIEF_MS)


@pytest.fixture
def broker(tmp_path):
    lines = [
        "allow_anonymous true",
        *(f"{name} {FILES / file}" for name, file in (
            ("cafile", "ca.crt"), ("certfile", "server.crt"), ("keyfile", "server.key"))),
    ]

    def start(*more):
        return Mosquitto(tmp_path, 0, *lines, *more)

    return start


def said_or_skipped(board):
    said = board.next()
    if "no_tls" in said:
        pytest.skip("this MicroPython has no TLS")
    return said


def test_events_over_tls(broker):
    with broker() as mosquitto, tls_board(mosquitto.port) as board:
        said = said_or_skipped(board)
        assert said["linked"] and said["came"] == [i * 20 for i in range(50)]
        assert said["link_connects"] == 1 and said["link_drops"] == 0
        assert said["rtc"] == []  # the clock was right
        print("loop lag us, handshake:", said["handshake_lag_us"], "p99:", said["lag_us_p99"])


@pytest.mark.parametrize(
    "settings, told",
    [
        ({"tls_ca": str(FILES / "other.crt")}, "not correctly signed by the trusted CA"),
        ({"tls_name": "broker.example"}, "does not match with the expected CN"),
    ],
    ids=["another CA", "another name"],
)
def test_a_broker_that_is_not_the_one_is_refused(broker, settings, told):
    with broker() as mosquitto:
        with tls_board(mosquitto.port, patience_ms=BRIEF_MS, **settings) as board:
            said = said_or_skipped(board)
    assert not said["linked"] and said["link_failed"] >= 1 and said["link_connects"] == 0
    assert any(told in line for line in board.logs), board.logs


def test_an_rsa_key_works_with_tls_1_3_and_with_1_2_there_is_one_true_line(tmp_path):
    authority = Authority(tmp_path)
    crt, key = authority.issue("server", kind="rsa")
    lines = ["allow_anonymous true", f"certfile {crt}", f"keyfile {key}"]
    own = {"tls_ca": str(authority.ca)}
    with Mosquitto(tmp_path, 0, *lines, "tls_version tlsv1.3") as mosquitto:
        with tls_board(mosquitto.port, **own) as board:
            assert said_or_skipped(board)["linked"]
    with Mosquitto(tmp_path, 0, *lines, "tls_version tlsv1.2") as mosquitto:
        with tls_board(mosquitto.port, patience_ms=BRIEF_MS, **own) as board:
            said = said_or_skipped(board)
    true_line = "if it speaks TLS 1.2 with an RSA key, let it speak 1.3, or give it an ECDSA key"
    assert said["linked"] or any(true_line in line for line in board.logs), board.logs


def test_a_broker_that_wants_a_certificate_is_understood(broker):
    with broker("require_certificate true", "tls_version tlsv1.2") as mosquitto:
        with tls_board(mosquitto.port, patience_ms=BRIEF_MS) as board:
            said_or_skipped(board)
    assert any("does it want a certificate" in line for line in board.logs), board.logs


def test_a_board_proves_itself_by_its_certificate(broker):
    with broker("require_certificate true") as mosquitto:
        own = {"tls_cert": str(FILES / "client.crt"), "tls_key": str(FILES / "client.key")}
        with tls_board(mosquitto.port, **own) as board:
            assert said_or_skipped(board)["linked"]
        with tls_board(mosquitto.port, patience_ms=BRIEF_MS) as board:
            said = said_or_skipped(board)
            assert not said["linked"] and said["link_failed"] >= 1


def test_the_whole_firmware_over_tls_with_a_time_server(broker, tmp_path):
    class Board(StillBoard):
        def _fill_flash(self):
            super()._fill_flash()
            for file in ("ca.crt", "client.crt", "client.key"):
                shutil.copy(FILES / file, self.flash)

    settings = {"device": "glove", "tls_ca": "ca.crt", "tls_cert": "client.crt",
                "tls_key": "client.key", "tls_name": "localhost"}
    plain = free_port()  # for the test itself
    lines = (f"listener {plain} 127.0.0.1", "allow_anonymous true")
    with broker("require_certificate true", *lines) as mosquitto, ExitStack() as stack:
        wait_for_port(plain)
        device = stack.enter_context(RemoteDevice(BrokerAddress("127.0.0.1", plain), "glove"))
        board = stack.enter_context(Board(BrokerAddress("127.0.0.1", mosquitto.port), settings))
        state = device.await_board(TIMEOUT_S)
        told = device.request("diag")["diag"]
        assert not any("Error" in line for line in board.output), board.output
    assert state["crash"] == "" and told["link_connects"] == 1 and told["clock_set"] == 1
    assert told["samples"] > 0 and told["samples_lost"] == 0
    print("loop lag ms:", told["lag_ms_max"])


def test_without_the_time_no_certificate_is_believed(broker):
    with broker() as mosquitto, tls_board(mosquitto.port, clock_at_2000=True) as board:
        assert said_or_skipped(board) == {"linked": False, "rtc": []}
        said = board.next()
    assert said["linked"] and said["rtc"] == [[2025, 1, 1, 2, 0, 0, said["rtc"][0][6], 0]]
    assert "time of day is not known" in board.logs[0]


@pytest.mark.parametrize(
    "answer", [b"\x20\x02\0\0", b"\x15\x03\x01\0\x02\x02\x28", b"", b"\xff" * 600],
    ids=["no TLS", "alert", "closed", "garbage"],
)
def test_what_is_no_tls_ends_the_attempt_only(answer):
    with FakeBroker() as fake, brief_board(fake.port, 500) as board:
        for _ in range(2):
            peer = fake.peer()
            peer.socket.recv(1)
            peer.send(answer)
            peer.close()
        said = said_or_skipped(board)
    assert not said["linked"] and said["link_failed"] >= 2
    assert board.logs


def test_a_silent_peer_is_left():
    with FakeBroker() as fake, brief_board(fake.port, 300) as board:
        fake.peer()
        fake.peer()
        said = said_or_skipped(board)
    assert not said["linked"] and said["link_timeouts"] >= 2


@pytest.mark.parametrize(
    "content", [None, b"", b"no certificate"], ids=["missing", "empty", "text"]
)
def test_files_that_are_no_certificates_are_named(tmp_path, content):
    path = tmp_path / "ca.crt"
    if content is not None:
        path.write_bytes(content)
    with tls_board(1, tls_ca=str(path)) as board:
        output = board.process.communicate(timeout=TIMEOUT_S)[0]
    if "no_tls" in output:
        pytest.skip("this MicroPython has no TLS")
    assert "Error" in output


def test_the_test_certificates_are_good():
    """They work with another TLS than the one under test."""
    context = ssl.create_default_context(cafile=str(FILES / "ca.crt"))
    context.load_cert_chain(FILES / "client.crt", FILES / "client.key")
    assert context.cert_store_stats()["x509_ca"] == 1
