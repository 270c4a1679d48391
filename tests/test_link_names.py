"""Name look-up and time over real sockets: the loop goes on whatever the servers do."""

import socket
import struct
import threading
import time
from contextlib import ExitStack

import pytest

from tests.link.host import Board, FakeBroker


class UdpServer:
    """Answers each datagram with reply(datagram), None for silence."""

    def __init__(self, reply):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.asked = 0
        self._reply = reply
        self._open = True
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while self._open:
            try:
                data, peer = self._socket.recvfrom(512)
            except TimeoutError:
                continue
            self.asked += 1
            answer = self._reply(data)
            if answer:
                self._socket.sendto(answer, peer)

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self._open = False
        self._thread.join()
        self._socket.close()


def found(query):
    return (query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + query[12:]
            + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1")


def not_found(query):
    return query[:2] + b"\x81\x83\0\1\0\0\0\0\0\0" + query[12:]


def someone_elses(query):
    return bytes((query[0] ^ 1,)) + found(query)[1:]


LOOK_UP = "link_look_up.py"


def test_name_servers_of_every_kind():
    kinds = {
        "found": (found, "127.0.0.1", 0),
        "not found": (not_found, "none", 2),
        "someone else's": (someone_elses, "none", 2),
        "silence": (lambda query: None, "none", 2),
        "garbage": (lambda query: b"\xff" * 7, "none", 2),
    }
    with ExitStack() as stack:
        servers = [stack.enter_context(UdpServer(reply)) for reply, _, _ in kinds.values()]
        board = stack.enter_context(
            Board(LOOK_UP, name_servers=[server.address for server in servers]))
        said = board.next()
    for kind, told in zip(kinds, said["told"], strict=True):
        _, address, failures = kinds[kind]
        expected = {"address": address, "again": address, "dns_failures": failures}
        assert told == expected, kind
    print("loop lag us:", said["lag_us_p99"], said["lag_us_max"])


def test_a_name_server_that_fails_later_does_not_cost_the_address():
    replies = [found]
    with UdpServer(lambda query: replies.pop()(query) if replies else None) as server:
        with Board(LOOK_UP, name_servers=[server.address]) as board:
            (told,) = board.next()["told"]
    assert told == {"address": "127.0.0.1", "again": "127.0.0.1", "dns_failures": 1}
    assert server.asked == 3


def test_the_link_finds_its_broker_by_name_after_an_outage_of_the_name_server():
    script = "link_broker_by_name.py"
    replies = [found, not_found]
    with FakeBroker() as broker, UdpServer(lambda query: replies.pop()(query)) as server:
        with Board(script, broker_port=broker.port, name_server=server.address) as board:
            broker.peer().accept()
            said = board.next()
    assert said["link_failed"] == 1 and said["dns_failures"] == 1
    assert board.logs[0] == "no link: no such host as broker.example is known"


TELL_TIME = "link_time.py"


def time_packet(request, seconds, stratum=2):
    whole = int(seconds)
    return (bytes((0x24, stratum)) + bytes(22) + request[40:48] + bytes(8)
            + struct.pack(">II", whole + 2208988800, int((seconds - whole) * 2**32)))


def clockmaker(server, shared=True):
    return Board(TELL_TIME, time_server=server.address, name_server="", shared=shared)


@pytest.mark.parametrize("shared", [True, False])
def test_a_time_server_sets_the_clock(shared):
    with UdpServer(lambda request: time_packet(request, time.time())) as server:
        with clockmaker(server, shared) as board:
            said = board.next()
    now = time.time()
    told = [time.strftime("%Y-%m-%dT%H:%M", time.gmtime(now - ago)) for ago in (0, 60)]
    assert said["clock_set"] == 1 and said["iso"][:16] in told


@pytest.mark.parametrize(
    "reply", [lambda request: None, lambda request: time_packet(request, 1e9, stratum=0)],
    ids=["silence", "kiss of death"],
)
def test_a_time_server_that_cannot_tell_leaves_the_time_open(reply):
    with UdpServer(reply) as server, clockmaker(server) as board:
        said = board.next()
    assert said["iso"] is None and said["clock_failures"] == 1
