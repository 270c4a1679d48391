"""What comes from the broker, cut into packets; topic patterns; on both interpreters."""

import random

from link.mqtt_inbox import Inbox, matches, packet_size
from link.packet_pipe import PacketPipe


def encoded(size):
    """MQTT 2.2.3, the standard's own algorithm."""
    out = bytearray()
    while True:
        size, digit = divmod(size, 128)
        out.append(digit | 128 if size else digit)
        if not size:
            return bytes(out)


def test_sizes_of_the_standards_table():
    # MQTT 2.2.3, table 2.4: the least and the most for one to four bytes.
    for size in (0, 127, 128, 16383, 16384, 2097151, 2097152, 268435455):
        packet = b"..\x30" + encoded(size)
        assert packet_size(packet, 2, len(packet)) == (len(packet) - 2, size)


def test_an_incomplete_header_asks_for_more():
    for header in (b"\x30", b"\x30\x80", b"\x30\xff\xff", b"\x30\x80\x80\x80"):
        assert packet_size(header, 0, len(header)) == (0, 0)


def test_bytes_behind_the_end_do_not_count():
    assert packet_size(b"\x30\x80\x01", 0, 2) == (0, 0)


def test_five_bytes_of_size_are_malformed():
    assert packet_size(b"\x30\x80\x80\x80\x80\x01", 0, 6)[0] == -1


def test_patterns():
    assert matches(b"a/b", b"a/b")
    assert not matches(b"a/b", b"a/bc")
    assert matches(b"a/cmd/#", b"a/cmd/x")
    assert matches(b"a/cmd/#", b"a/cmd/x/y")
    assert matches(b"a/cmd/#", b"a/cmd")  # MQTT 4.7.1.2: the parent level, too
    assert not matches(b"a/cmd/#", b"a/cmdx")
    assert matches(b"#", b"anything")


def test_pipe_collects_and_answers():
    pipe = PacketPipe(8)
    assert pipe.write(b"abc", 2) == 2
    assert pipe.write(b"d") == 1
    assert bytes(pipe.view[: pipe.pending]) == b"abd"
    assert pipe.room(5) and not pipe.room(6)
    try:
        pipe.room(9)
        raise AssertionError("never will there be room for nine")
    except ValueError:
        pass
    assert bytes(pipe.flush()) == b"abd" and pipe.room(8)
    pipe.feed(b"12345")
    assert pipe.read(2) == b"12" and pipe.read(2) == b"34"
    assert pipe.read(9) == b"5" and pipe.read(1) == b""


def test_pipe_refuses_what_does_not_fit_and_keeps_the_rest():
    pipe = PacketPipe(4)
    pipe.write(b"abc")
    try:
        pipe.write(b"de")
        raise AssertionError("took too much")
    except OSError:
        pass
    assert bytes(pipe.view[: pipe.pending]) == b"abc"


def test_pipe_is_a_socket_that_never_waits():
    pipe = PacketPipe(4)
    address = pipe.getaddrinfo("host", 1883)[0][-1]
    assert pipe.socket() is pipe
    pipe.settimeout(1)
    pipe.connect(address)
    pipe.setblocking(True)
    pipe.close()
    assert pipe.pending == 0


class Reader:
    """Stands for the client: keeps the publications."""

    def __init__(self):
        self.pipe = PacketPipe(8)
        self.came = []

    def recv(self, packet):
        self.came.append(bytes(packet))


def inbox():
    made = Inbox(print)
    made.client = Reader()
    made.start()
    return made


def put(made, data):
    while data:
        space = made.buf()
        n = min(len(space), len(data))
        space[:n] = data[:n]
        made.recv(n)
        data = data[n:]


def publication(size):
    body = b"\0\x01a" + bytes(size)
    return b"\x30" + encoded(len(body)) + body


def test_a_stream_gives_the_same_packets_wherever_it_is_cut():
    random.seed(20250101)
    sizes = [0, 1, 120, 124, 125, 1500, 1530, 5000, 3, 17_000, 7]  # lengths of 1, 2 and 3 bytes
    stream = b"".join([publication(size) + b"\x40\x02\0\x07" for size in sizes])
    taken = [publication(size) for size in sizes if len(publication(size)) <= 1536]
    for most in (1, 2, 7, 300, 1536):
        made = inbox()
        answer = made.add(7, 0)
        at = 0
        while at < len(stream):
            n = 1 + random.getrandbits(11) % most
            put(made, stream[at : at + n])
            at += n
        assert made.client.came == taken
        assert made.oversized == 2
        assert answer.code == 0 and not made.count(7)


def test_answers_go_to_who_waits_for_them_and_late_ones_to_nobody():
    made = inbox()
    login, ping, one, two = [made.add(packet_id, 100) for packet_id in (0, -1, 1, 2)]
    put(made, b"\x20\x02\0\x05" + b"\xd0\0" + b"\x90\x03\0\x02\x80" + b"\x40\x02\0\x63")
    assert (login.code, ping.code, one.code, two.code) == (5, 0, None, 0x80)
    assert made.due == [one]
    made.clear()
    assert one.is_set() and one.code is None and made.due == []


def test_before_the_login_is_answered_nothing_else_is_taken():
    made = inbox()
    made.add(0, 100)
    try:
        put(made, publication(1))
        raise AssertionError("took it")
    except OSError:
        assert not made.client.came
