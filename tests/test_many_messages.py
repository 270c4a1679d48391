"""PUBLISH packets taken apart at once: the same as one at a time, and nothing else is touched."""

from hypothesis import given
from hypothesis import strategies as st

from host_tools.fleet import packets
from host_tools.mqtt.many_messages import BufferedSocket

PROPERTIES = b"\x01\x01"  # payload format indicator, MQTT 5, section 3.3.2.3.2

one = st.tuples(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=40).map(str.encode),
    st.binary(max_size=300), st.integers(1, 65535), st.booleans(), st.booleans())  # fmt: skip
OTHERS = (packets.puback(7), packets.PINGREQ, b"\x34\x05\0\x01a\0\x01", b"\x90\x03\0\x01\x01",
          b"\x32\xff\xff\xff\xff\x01", b"\x32\x02\0\x09")  # fmt: skip


class Pipe:
    def __init__(self, data):
        self._data = data

    def recv(self, size):
        return self._data


def packet(message, properties):
    topic, payload, mid, retain, dup = message
    made = packets.publish(topic, payload, mid, retain=retain, dup=dup)
    if not properties:
        return made
    ((first, body),) = packets.split(bytearray(made))
    at = 2 + len(topic) + 2
    return packets._packet(first, body[:at] + bytes([len(PROPERTIES)]) + PROPERTIES + body[at:])


def taken(data, properties):
    """(what was taken, what is left), after a first byte has been read as paho does."""
    sock = BufferedSocket(Pipe(b"x" + data))
    assert sock.recv(1) == b"x"
    found = list(sock.whole_publishes(properties))
    return found, sock.recv(len(data) + 1) if sock.pending() else b""


@given(st.lists(one, max_size=6), st.sampled_from((*OTHERS, b"")), st.booleans(), st.data())
def test_takes_what_is_whole_and_leaves_the_rest(messages, other, properties, data):
    whole = b"".join(packet(m, properties) for m in messages)
    found, left = taken(whole + other, properties)
    assert [tuple(p) for p in found] == [(t, p, r, 1, m) for t, p, m, r, _ in messages]
    assert left == other
    cut = data.draw(st.integers(0, len(whole)))
    found, left = taken(whole[:cut], properties)
    begun = sum(len(packet(m, properties)) for m in messages[: len(found)])
    assert begun + len(left) == cut
    assert len(found) == len(messages) or cut < begun + len(packet(messages[len(found)],
                                                                   properties))  # fmt: skip


@given(st.binary(max_size=60), st.booleans())
def test_nonsense_is_left_to_paho(data, properties):
    found, left = taken(data, properties)
    assert data.endswith(left) and len(found) <= len(data)


def test_at_qos_0_there_is_no_number():
    found, _ = taken(b"\x31\x07\0\x01abcde", False)
    assert found == [(b"a", b"bcde", True, 0, 0)]
