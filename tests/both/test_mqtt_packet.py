"""Packet sizes and topic patterns, on both interpreters."""

from mqtt_packet import matches, packet_size
from packet_pipe import PacketPipe


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
    assert pipe.room() == 5
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
