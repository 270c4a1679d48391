"""What comes from the broker: whole packets out of a stream of bytes, each to whom it concerns.

"MQTT" is the OASIS standard 3.1.1; numbers behind it are its sections.
"""

import asyncio
import errno

from micropython import const

# MQTT 2.2.1, the upper four bits of a packet's first byte.
_CONNACK = const(2)
_PUBLISH = const(3)
_PUBACK = const(4)
_SUBACK = const(9)
_PINGRESP = const(13)

# In place of a packet id, see Inbox.
_LOGIN = const(0)
_PONG = const(-1)

_IN_BYTES = const(1536)  # the largest packet taken


class Inbox:
    """log: called with a line of text.

    `client` is to be set: it takes publications apart, and has deliver() for its callback.
    `topics` is a list of (pattern, handler), `due` one of the answers that are waited for:
    acknowledgements, known by their packet id; 0, which no packet has, stands for CONNACK
    and -1 for PINGRESP.
    """

    def __init__(self, log):
        self.client = None
        self.topics = []
        self.oversized = self.handler_faults = 0
        self.due = []
        self._log = log
        self._buffer = bytearray(_IN_BYTES)
        self._view = memoryview(self._buffer)
        self._have = 0  # bytes of a packet that is not complete
        self._skip = 0  # bytes to come of one that is too large
        self._retained = False

    def start(self):
        """A new stream."""
        self._have = self._skip = 0

    def buf(self):
        """Where the next bytes are to be put."""
        return self._view[self._have :]

    def recv(self, n):
        """n more bytes are there: take what is complete.

        What is larger than the buffer is passed over and counted. Raises OSError: EINVAL
        for what a broker must not send, ENOBUFS when no acknowledgement can be sent; and
        what the client raises.
        """
        buffer = self._buffer
        have = self._have + n
        if buffer[0] >> 4 != _CONNACK and self.count(_LOGIN):
            raise OSError(errno.EINVAL)  # the first packet is CONNACK, MQTT 3.2
        at = 0
        while at < have:
            if self._skip:
                step = min(self._skip, have - at)
                self._skip -= step
                at += step
                continue
            header, body = packet_size(buffer, at, have)
            if header < 0:
                raise OSError(errno.EINVAL)
            if header == 0:
                break
            if header + body > _IN_BYTES:
                self.oversized += 1
                self._skip = header + body
                continue
            if at + header + body > have:
                break
            self._dispatch(self._view[at : at + header + body], header)
            at += header + body
        self._have = have = have - at
        if at and have:
            buffer[:have] = buffer[at : at + have]

    def _dispatch(self, packet, at):
        """at: where the variable header begins, behind the fixed one."""
        kind = packet[0] >> 4
        size = len(packet) - at
        if kind == _PUBLISH:
            self._publication(packet, at, size)
        elif kind == _PUBACK and size == 2:
            self.set(packet[at] << 8 | packet[at + 1], 0)
        elif kind == _PINGRESP and size == 0:
            self.set(_PONG, 0)
        elif kind == _SUBACK and size == 3:
            self.set(packet[at] << 8 | packet[at + 1], packet[at + 2])
        elif kind == _CONNACK and (size == 2 or size > 2 and packet[at + 1]):  # MQTT 5 refuses
            self.set(_LOGIN, packet[at + 1])
        else:
            raise OSError(errno.EINVAL)

    def _publication(self, packet, at, size):
        qos = packet[0] >> 1 & 3
        topic_size = packet[at] << 8 | packet[at + 1] if size >= 2 else size
        if qos > 1 or 2 + topic_size + 2 * qos > size:
            raise OSError(errno.EINVAL)
        if qos and not self.client.pipe.room(4):
            raise OSError(errno.ENOBUFS)  # the broker sends and does not read
        self._retained = packet[0] & 1
        self.client.recv(packet)  # calls deliver()

    def deliver(self, topic, payload):
        """Callback of the client: to all handlers of this topic."""
        for pattern, handler in self.topics:
            if matches(pattern, topic):
                try:
                    handler(topic, payload, bool(self._retained))
                except Exception as error:  # a handler's fault must not cost the link
                    self.handler_faults += 1
                    self._log("handler of %s: %r" % (pattern, error))

    def add(self, packet_id, at_ms):
        """An answer to wait() for, which should come until ticks_ms() `at_ms`."""
        answer = _Answer(packet_id, at_ms)
        self.due.append(answer)
        return answer

    def count(self, packet_id):
        """How many of these are due."""
        n = 0
        for answer in self.due:
            n += answer.packet_id == packet_id
        return n

    def set(self, packet_id, code):
        """It has come. A late one, whose wait has ended, is nobody's business any more."""
        for i in range(len(self.due)):
            if self.due[i].packet_id == packet_id:
                answer = self.due.pop(i)
                answer.code = code
                answer.set()
                return

    def clear(self):
        """None of them will come."""
        while self.due:
            self.due.pop().set()


class _Answer(asyncio.Event):
    """Set when it has come; `code` is None when the link went down instead."""

    def __init__(self, packet_id, at_ms):
        super().__init__()
        self.packet_id = packet_id
        self.at_ms = at_ms
        self.code = None


def packet_size(buffer, at, end):
    """(size of the fixed header, size of the rest) of the packet at `at`, MQTT 2.2.3.

    (0, 0): more bytes are needed; (-1, 0): malformed.
    """
    size = shift = 0
    for i in range(at + 1, min(at + 5, end)):
        size |= (buffer[i] & 0x7F) << shift
        if not buffer[i] & 0x80:
            return i + 1 - at, size
        shift += 7
    return (-1, 0) if end - at >= 5 else (0, 0)


def matches(pattern, topic):
    """Whether topic is meant by pattern, which may end in `#` (MQTT 4.7)."""
    if pattern.endswith(b"#"):
        return topic.startswith(pattern[:-1]) or topic == pattern[:-2]
    return topic == pattern
