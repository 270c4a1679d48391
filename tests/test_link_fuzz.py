"""Bytes that no broker should send: the board stays up, sane, and within its memory."""

import random

from tests.link.host import Board, FakeBroker, packet, publication, publish

CONNECTIONS = 300

GLOVE = "link_fuzz.py"

VALID = [
    b"\x20\x02\0\0",
    b"\x90\x03\0\x01\x01",
    b"\xd0\0",
    b"\x40\x02\0\x02",
    publish(b"beckon/glove/cmd/x", b'{"transaction":1}', qos=1),
    publish(b"beckon/glove/cmd/\xff\xfe\0", b"\0" * 40),
    publish(b"\xf0\x9f\x98\x80" * 20, b"["*100, retain=1),
    publish(b"", b""),
    publish(b"beckon/glove/cmd/large", b"x" * 2000, qos=1),
]


def mutated(rng):
    """A stream of packets, some of them broken in one of the ways that happen."""
    stream = bytearray()
    for _ in range(rng.randrange(1, 8)):
        part = bytearray(rng.choice(VALID))
        match rng.randrange(6):
            case 0:
                part[rng.randrange(len(part))] ^= 1 << rng.randrange(8)
            case 1:
                del part[rng.randrange(len(part)) :]
            case 2:
                at = rng.randrange(len(part))
                part[at:at] = rng.randbytes(rng.randrange(1, 9))
            case 3:
                part = bytearray(packet(rng.randrange(256), rng.randbytes(rng.randrange(40))))
            case 4:
                part = bytearray(rng.randbytes(rng.randrange(1, 60)))
        stream += part
    return bytes(stream)


def test_no_stream_of_bytes_stops_the_board():
    rng = random.Random(20250101)
    with FakeBroker() as broker, Board(GLOVE, broker_port=broker.port,
                                       response_timeout_ms=150) as board:
        heap = []
        for turn in range(CONNECTIONS + 1):
            peer = broker.peer()
            if turn % 100 == 0:
                heap.append(sane(peer, board)["heap"])
                peer.close()
                continue
            if rng.randrange(4):  # else the login itself is fuzzed
                peer.accept()
            try:
                peer.send(mutated(rng))
                peer.socket.settimeout(0.02)
                while peer.packet():
                    pass
            except (OSError, IndexError):
                pass
            peer.close(reset=rng.randrange(2))
        assert board.process.poll() is None
    print("heap used after 0, 100, 200, ... connections:", heap)
    assert heap[-1] - heap[1] < 1024


def sane(peer, board):
    """The connection works as if nothing had been."""
    peer.accept()
    peer.acknowledge(*peer.serve(lambda kind, body: kind == 0x82))
    peer.serve(lambda kind, body: kind >> 4 == 3 and publication(kind, body)[1] == b"online")
    peer.send(publish(b"beckon/glove/cmd/tell", b""))
    return board.next()
