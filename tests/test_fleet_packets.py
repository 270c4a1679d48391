"""MQTT 3.1.1 as the simulated devices speak it: paho reads what they write, and back."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt import _packet as paho_packet
from paho.mqtt.enums import MQTTProtocolVersion

from host_tools.fleet import packets


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 40))
def test_packets_come_out_whole_however_the_network_cuts_them(payloads, size):
    stream = b"".join(packets.publish(b"beckon/a/event", p, i + 1) for i, p in enumerate(payloads))
    found, buffer = [], bytearray()
    for start in range(0, len(stream), size):
        buffer += stream[start : start + size]
        found += packets.split(buffer)
    assert not buffer
    assert [body[18:] for _, body in found] == payloads
    assert [struct.unpack(">H", body[16:18])[0] for _, body in found] == [
        i + 1 for i in range(len(payloads))]  # fmt: skip


@given(st.binary(max_size=50))
def test_rubbish_ends_in_an_error_or_waits(data):
    try:
        list(packets.split(bytearray(data)))
    except packets.ProtocolError:
        pass


def test_a_length_that_never_ends_is_refused():
    with pytest.raises(packets.ProtocolError):
        list(packets.split(bytearray(b"\x40" + b"\xff" * 6)))


def test_paho_reads_an_event():
    data = bytearray(packets.publish(b"beckon/a/event", b"{}" * 100, 7, dup=True))
    ((first, body),) = packets.split(data)
    found = paho_packet.decode_publish(first, bytearray(body), MQTTProtocolVersion.MQTTv311)
    assert (found.topic, bytes(found.payload), found.mid, found.qos, found.dup, found.retain) == (
        b"beckon/a/event", b"{}" * 100, 7, 1, True, False)  # fmt: skip


def test_connect_as_in_the_standard():
    """The figure of section 3.1.2, with will, user and password."""
    packet = packets.connect("id", "t", b"off", 60, "u", "p")
    assert packet == (b"\x10\x1c\x00\x04MQTT\x04\xee\x00\x3c\x00\x02id\x00\x01t\x00\x03off"
                      b"\x00\x01u\x00\x01p")  # fmt: skip
