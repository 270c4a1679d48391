"""A simulated board with the delays of a real radio: beacons, joining, and a handshake of TLS."""

import time

import pytest

from host_tools.mqtt.address import BrokerAddress, TlsFiles
from host_tools.mqtt.subscriber import Subscriber
from host_tools.simulator.radio_delays import RadioDelays
from host_tools.testing.still_board import StillBoard
from tests.link.certificates import Authority
from tests.link.host import Mosquitto
from tests.waiting import TIMEOUT_S

# Shorter than the firmware waits for Wi-Fi, and than its watchdog.
DELAYS = RadioDelays(associate_ms=10_000, handshake_ms=3_000)


class SlowRadio(StillBoard):
    delays = DELAYS


@pytest.fixture(scope="module")
def tls_broker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder)
    certificate, key = authority.issue("broker")
    with Mosquitto(folder, 0, "allow_anonymous true", f"certfile {certificate}",
                   f"keyfile {key}") as mosquitto:  # fmt: skip
        tls = TlsFiles(authority.ca, name="localhost")
        yield BrokerAddress("127.0.0.1", mosquitto.port, tls=tls)


def test_joining_and_the_handshake_take_their_time(tls_broker):
    with Subscriber(tls_broker, "late") as subscriber:
        with SlowRadio(tls_broker, {"device": "late", "power": "modem_sleep"}, speed=20) as board:
            until = time.monotonic() + TIMEOUT_S
            while not ((message := subscriber.receive(0.1)) and message.kind == "status"):
                assert time.monotonic() < until, board.last_words()
            # 80 MHz is half of the 160 for which the figure is; the sensor began half a second late
            least_s = (DELAYS.associate_ms + 2 * DELAYS.handshake_ms) / 1000 - 1
            assert board.sensor.played_s > least_s
