"""The pipes between simulated board and simulated sensor."""

import os
import random
import struct
import threading

import pytest

from host_tools.simulator import wire
from host_tools.simulator.i2c_server import I2CServer
from host_tools.simulator.sensor.chip import SimulatedMPU6500
from host_tools.simulator.sensor.faults import Fault
from host_tools.simulator.sensor.movement import Rest

TIMEOUT_S = 10


class Board:
    """The board's end of the pipes."""

    def __init__(self, server, request_path, response_path):
        opened = []
        # Each open waits for the other side, as in the simulated board.
        opener = threading.Thread(target=lambda: opened.append(open(request_path, "wb", 0)))
        opener.start()
        opener.join(TIMEOUT_S)
        self.requests = opened[0]
        self.responses = open(response_path, "rb", 0)
        self.server = server

    def transact(self, op, register=0, length=0, now_us=0, data=b"", address=0x68, bus=0):
        self.requests.write(
            struct.pack(wire.REQUEST, op, bus, address, register, length, now_us) + data
        )
        return self.answer()

    def answer(self):
        head = self.read(wire.RESPONSE_SIZE)
        status, length, level, self.edges, ready_us = struct.unpack(wire.RESPONSE, head)
        return status, self.read(length), level, ready_us

    def read(self, n):
        out = b""
        while len(out) < n:
            more = self.responses.read(n - len(out))
            assert more, "the server hung up"
            out += more
        return out

    def close(self):
        self.requests.close()
        self.responses.close()


@pytest.fixture
def connect(tmp_path):
    boards = []

    def make(devices):
        paths = [tmp_path / f"{name}{len(boards)}" for name in ("request", "response")]
        server = I2CServer(devices, *paths)
        server.start()
        boards.append(Board(server, *paths))
        return boards[-1]

    yield make
    for board in boards:
        board.close()
        board.server.close()
        assert not board.server.is_alive()


def test_layout_of_the_records():
    assert struct.calcsize(wire.REQUEST) == wire.REQUEST_SIZE
    assert struct.calcsize(wire.RESPONSE) == wire.RESPONSE_SIZE
    record = struct.pack(wire.REQUEST, 1, 2, 0x68, 0x19, 0x0102, 0x0807060504030201)
    assert record == bytes((1, 2, 0x68, 0x19, 2, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8))


def test_each_op(connect):
    board = connect({(0, 0x68): SimulatedMPU6500(Rest())})
    now = 100_000
    assert board.transact(wire.OP_READ_MEM, 0x75, 1, now)[:2] == (0, b"\x70")
    assert board.transact(wire.OP_WRITE_MEM, 0x19, 2, now, b"\x09\x03")[:2] == (0, b"")
    assert board.transact(wire.OP_READ_MEM, 0x19, 2, now)[1] == b"\x09\x03"
    assert board.transact(wire.OP_WRITE, length=1, now_us=now, data=b"\x75")[0] == 0
    assert board.transact(wire.OP_READ, length=1, now_us=now)[1] == b"\x70"
    assert board.transact(wire.OP_PROBE, now_us=now)[0] == 0
    assert board.transact(wire.OP_PROBE, now_us=now, address=0x69)[0] == wire.ENODEV
    assert board.transact(wire.OP_READ_MEM, 0x75, 1, now, bus=1)[0] == wire.ENODEV
    assert board.transact(wire.OP_LINES, 0b11, now_us=now)[1] == b"\x03"
    status, data, level, ready_us = board.transact(wire.OP_NEXT, now_us=now)
    assert (status, data, level) == (0, b"", 0)
    assert now < ready_us <= now + 10_001
    assert board.transact(wire.OP_NEXT, now_us=now, bus=1)[3] == wire.NEVER


def test_spi_and_interrupt_level(connect):
    board = connect({(1, None): SimulatedMPU6500(Rest())})
    answer = board.transact(wire.OP_SPI, 1, 2, 1000, b"\xf5\0", address=0, bus=1)
    assert answer[1] == b"\0\x70"
    board.transact(wire.OP_SPI, 1, 2, 1000, b"\x38\x01", address=0, bus=1)
    ready_us = board.transact(wire.OP_NEXT, now_us=2000, bus=1)[3]
    edges = board.edges
    assert board.transact(wire.OP_NEXT, now_us=ready_us, bus=1)[2] == 1
    assert board.edges - edges == 1
    board.transact(wire.OP_NEXT, now_us=ready_us + 1_000_000, bus=1)
    # One at each sample, of which there are 8000 a second after a reset; modulo 256.
    assert (board.edges - edges - 1) % 256 == 8000 % 256


def test_errors_have_the_numbers_of_an_esp32(connect):
    sensor = SimulatedMPU6500(Rest())
    sensor.inject(Fault("timeout", 1000, 1000))
    sensor.inject(Fault("no_answer", 3000, 1000))
    board = connect({(0, 0x68): sensor})
    assert board.transact(wire.OP_READ_MEM, 0x75, 1, 1500)[:2] == (116, b"")
    assert board.transact(wire.OP_READ_MEM, 0x75, 1, 3500)[0] == 19
    assert board.transact(wire.OP_READ_MEM, 0x75, 1, 4500)[0] == 0


def test_sda_held_low_is_clocked_free(connect):
    sensor = SimulatedMPU6500(Rest())
    sensor.inject(Fault("sda_low", 1000, value=3))
    board = connect({(0, 0x68): sensor})
    assert board.transact(wire.OP_READ_MEM, 0x75, 1, 1500)[0] == 116
    seen = []
    for clock in range(4):
        seen.append(board.transact(wire.OP_LINES, 0b10, now_us=2000 + clock)[1][0] >> 1)
        board.transact(wire.OP_LINES, 0b11, now_us=2000 + clock)
    assert seen == [0, 0, 0, 1]
    assert board.transact(wire.OP_READ_MEM, 0x75, 1, 2500)[0] == 0


def test_clocking_with_sda_low_frees_nothing(connect):
    sensor = SimulatedMPU6500(Rest())
    sensor.inject(Fault("sda_low", 1000, value=2))
    board = connect({(0, 0x68): sensor})
    for clock in range(30):  # each is an acknowledge
        board.transact(wire.OP_LINES, 0b00, now_us=2000 + clock)
        board.transact(wire.OP_LINES, 0b01, now_us=2000 + clock)
    assert board.transact(wire.OP_LINES, 0b11, now_us=3000)[1][0] >> 1 == 0


def test_a_board_that_boots_again_does_not_turn_back_the_time(connect):
    sensor = SimulatedMPU6500(Rest())
    board = connect({(0, 0x68): sensor})
    board.transact(wire.OP_WRITE_MEM, 0x19, 1, 5_000_000, b"\x09")
    board.close()
    board.server.join(TIMEOUT_S)
    assert not board.server.is_alive()
    again = connect({(0, 0x68): sensor})
    status, data, _, ready_us = again.transact(wire.OP_READ_MEM, 0x19, 1, 1_000)
    assert (status, data) == (0, b"\x09")  # it stayed powered
    assert sensor.now_us == 5_001_000
    assert 1_000 <= ready_us <= 1_000 + 10_000


def test_requests_cut_anywhere(connect):
    board = connect({(0, 0x68): SimulatedMPU6500(Rest())})
    rng = random.Random(3)
    stream = b""
    for k in range(40):
        stream += struct.pack(wire.REQUEST, wire.OP_WRITE_MEM, 0, 0x68, 0x19, 2, 1000 + k)
        stream += bytes((k, 3))
        stream += struct.pack(wire.REQUEST, wire.OP_READ_MEM, 0, 0x68, 0x19, 1, 1000 + k)
    while stream:
        n = rng.randrange(1, 30)
        board.requests.write(stream[:n])
        stream = stream[n:]
    for k in range(40):
        assert board.answer()[:2] == (0, b"")
        assert board.answer()[1] == bytes((k,))


def test_an_unknown_op_ends_the_server_and_says_why(connect):
    board = connect({(0, 0x68): SimulatedMPU6500(Rest())})
    board.requests.write(struct.pack(wire.REQUEST, 99, 0, 0x68, 0, 0, 0))
    board.server.join(TIMEOUT_S)
    assert "99" in str(board.server.error)


def test_close_before_anybody_came(tmp_path):
    server = I2CServer({}, tmp_path / "a", tmp_path / "b")
    server.start()
    server.close()
    assert not server.is_alive() and server.error is None


def test_a_path_that_is_no_pipe(tmp_path):
    (tmp_path / "a").write_text("x")
    with pytest.raises(ValueError, match="named pipe"):
        I2CServer({}, tmp_path / "a", tmp_path / "b")


def test_pipes_that_exist_are_used(tmp_path):
    os.mkfifo(tmp_path / "a")
    server = I2CServer({}, tmp_path / "a", tmp_path / "b")
    server.start()
    server.close()
    assert not server.is_alive()
