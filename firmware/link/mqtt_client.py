"""umqtt.simple as what builds and takes apart packets; nothing here waits.

Its socket is a PacketPipe: what it writes collects there until somebody sends it, and
there it finds the answers that it reads at once.

"MQTT" is the OASIS standard 3.1.1; numbers behind it are its sections.
"""

from micropython import const
from umqtt import simple

from link.packet_pipe import PacketPipe

_OUT_BYTES = const(1536)  # the largest packet sent, and all that wait for the network


class Client(simple.MQTTClient):
    """settings: broker_host, broker_port, user, password, client_id, keepalive_s.

    will: (topic, payload) or None. deliver: called with the topic and payload of a message.
    `pipe` holds what is to be sent.
    """

    def __init__(self, settings, will, deliver):
        self.pipe = PacketPipe(_OUT_BYTES)
        # Only arguments that all versions take; bytes, as it counts characters of a str
        # but sends UTF-8.
        user = settings.user.encode() or None
        simple.MQTTClient.__init__(
            self,
            settings.client_id.encode(),
            settings.broker_host,
            settings.broker_port,
            user,
            settings.password.encode() if user else None,
            settings.keepalive_s,
        )
        self.set_callback(deliver)
        if will:
            self.set_last_will(will[0], will[1], True, 1)

    def next_id(self, inbox):
        """The id that umqtt will use next, 1 to 65535 (MQTT 2.3.1), not one that is due."""
        while True:
            if self.pid >= 65535:
                self.pid = 0
            if not inbox.count(self.pid + 1):
                return self.pid + 1
            self.pid += 1

    def login(self):
        """Write the packet CONNECT, with a clean session."""
        self.pipe.pending = 0
        self.pipe.feed(b"\x20\x02\0\0")
        # connect() makes its own socket by this name
        real, simple.socket = simple.socket, self.pipe  # type: ignore[attr-defined]
        try:
            self.connect(True)
        finally:
            simple.socket = real  # type: ignore[attr-defined]

    def send(self, packet_id, topic, payload, retain, qos, repeat):
        """Write a PUBLISH. packet_id: what next_id() gave, with qos 1."""
        at = self.pipe.pending
        if qos:  # umqtt reads an answer at once: it gets this one, ours is awaited
            self.pipe.feed(bytes((0x40, 2, packet_id >> 8, packet_id & 255)))
        try:
            self.publish(topic, payload, retain, qos)
        except MemoryError:
            self.pipe.pending = at  # half a packet must not be sent
            raise
        if repeat:
            self.pipe.view[at] |= 8  # DUP, MQTT 3.3.1.1

    def begin(self, packet_id, topic, size, retain):
        """Write the head of a PUBLISH with QoS 1; `size` bytes of payload must follow."""
        self.pid = packet_id
        left = len(topic) + 4 + size
        head = bytearray((0x33 if retain else 0x32,))
        while True:  # MQTT 2.2.3
            head.append(left & 127 | (128 if left > 127 else 0))
            left >>= 7
            if not left:
                break
        self.pipe.write(head)
        self.pipe.write(bytes((len(topic) >> 8, len(topic) & 255)))
        self.pipe.write(topic)
        self.pipe.write(bytes((packet_id >> 8, packet_id & 255)))

    def register(self, packet_id, topic):
        """Write a SUBSCRIBE."""
        self.pipe.feed(bytes((0x90, 3, packet_id >> 8, packet_id & 255, 1)))
        self.subscribe(topic, 1)

    def recv(self, packet):
        """Take a whole PUBLISH: calls deliver(), and writes the PUBACK if one is due."""
        self.pipe.feed(packet)
        self.wait_msg()
