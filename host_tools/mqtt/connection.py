"""The one way by which our tools reach a broker: TLS, login, MQTT version, session, faults.

    with Connection(broker, "watch", [Topic("beckon/+/event")], on_message) as connection:
        connection.publish("beckon/wand/cmd/diag", b"{}")

It is MQTT 5 where the broker has it, else 3.1.1, and reconnects until it is closed.
"""

import contextlib
import re
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from host_tools.errors import BeckonError, Sentence
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.tls import tls_context, tls_fault

_KEEPALIVE_S = 30
_CONNECT_S = 5.0  # for TCP, for TLS and for the broker's first answer
_VERSION_S = 2.0  # for an answer to MQTT 5; some brokers without it give none
_RECONNECT_S = (0.1, 2.0)  # the first wait, then twice as long each time, and the longest
_SESSION_S = 3600  # how long a broker keeps a session (MQTT 5) whose owner was killed
_TAKEN_OVER = 142  # MQTT 5: "Session taken over"
_BRIEF_S, _BRIEF_LINKS = 2.0, 8
_PACKET_MAX = 1 << 20  # bytes; a board's largest message has some 8,000
_GONE, _NO_ANSWER = "gone", "no answer"
_MAYBE_VERSION = (_GONE, _NO_ANSWER, "Unsupported protocol version", "Malformed packet",
                  "Protocol error")  # fmt: skip

_versions: dict[tuple[str, int], int] = {}  # of MQTT, of brokers without version 5


class NoBroker(BeckonError):
    """Nothing answers at the address, or what answers is not what was expected there."""


class Topic(NamedTuple):
    """What to subscribe to. crowded: so many messages can be retained there that a broker with
    MQTT 3.1.1 would drop some from its queue at QoS 1. They come at QoS 0 then, and again at
    each connection."""

    filter: str
    qos: int = 1
    crowded: bool = False


class Delivery(NamedTuple):
    """A message that the receiver acknowledges. retained: the broker had kept it.

    link counts connections: an acknowledgement counts on the connection of its delivery alone,
    as the next can be a new session with the same numbers.
    """

    topic: str
    payload: bytes
    retained: bool
    qos: int
    mid: int
    link: int
    received_s: float  # time.monotonic()


class Durable(NamedTuple):
    """A session that outlives this process: client_id finds it again.

    session_s: how long the broker keeps it without us. window: how many messages the broker
    sends ahead of their acknowledgement; they lie in our memory.
    """

    client_id: str
    session_s: int = 7 * 86400
    window: int = 10_000


class Connection:
    """A context manager; entering it raises BeckonError unless the broker accepts us.

    name: what the client id begins with. topics: subscribed to before entering returns.
    on_message: called as (topic, payload, retained) in a thread of its own.
    keep_session: the broker keeps what comes at QoS 1 while the connection is down. The session
    ends with the connection. on_link: called as (up, kept) when the connection is lost or back,
    in the same thread; kept: whether the broker still has the session.
    will: (topic, payload) that the broker publishes, retained, when the connection ends without
    a goodbye. on_sent: called as (number, taken) when the broker has answered the message to
    which publish() gave this number; taken: whether it accepts it.
    on_delivery, durable: the broker gets no acknowledgement but that of acknowledge(), and keeps
    the session when the connection ends; what is not acknowledged comes again.
    """

    def __init__(
        self,
        broker: BrokerAddress,
        name: str,
        topics: Sequence[Topic] = (),
        on_message: Callable[[str, bytes, bool], None] | None = None,
        *,
        keep_session: bool = False,
        on_link: Callable[[bool, bool], None] | None = None,
        on_delivery: Callable[[Delivery], None] | None = None,
        durable: Durable | None = None,
        will: tuple[str, bytes] | None = None,
        on_sent: Callable[[int, bool], None] | None = None,
        timeout_s: float = _CONNECT_S,
    ):
        self.broker = broker
        self.replaced = False
        """Whether the broker ends this connection for another one with our client id. Not every
        broker says so. Then it shows by links that end soon, many in a row, while the broker can
        always be reached at once: one that restarts cannot."""
        self._brief = 0  # of these
        self._refusals = 0  # how often the broker could not be reached
        self._up_s = 0.0
        self._asked: list[str] = []  # topics of the last subscription
        self._on_delivery = on_delivery
        self._durable = durable
        self._will = will
        self._on_sent = on_sent
        self._link = 0  # how many connections there were
        self._ending = threading.Lock()  # held while acknowledging, and while a link ends
        self.version = 0
        """5, or 4 for MQTT 3.1.1, once connected."""
        self._id = durable.client_id if durable else f"beckon-{name}-{secrets.token_hex(4)}"
        self._topics = list(topics)
        self._on_message = on_message
        self._keep = keep_session or durable is not None
        self._on_link = on_link
        self._timeout_s = timeout_s
        self._came = threading.Condition()
        self._outcome: str | None = None  # of the first connection: "" is good, else a reason
        self._entered = False
        self._up = True  # as on_link knows it
        self._alert = ""  # of the broker's TLS after its handshake, in OpenSSL's words
        self._client: Any = None
        self._context = tls_context(broker) if broker.tls else None

    def __enter__(self) -> "Connection":
        from paho.mqtt.client import MQTTv5, MQTTv311

        where = self.broker.host, self.broker.port
        known = _versions.get(where)
        for version in (known,) if known else (int(MQTTv5), int(MQTTv311)):
            reason = self._try(version)
            if not reason:
                if version == MQTTv311:
                    _versions[where] = version
                self._entered = True
                return self
            self._stop()
            if not any(text in reason for text in _MAYBE_VERSION) or self._alert:
                break
        _versions.pop(where, None)  # an update of the broker may bring MQTT 5
        raise self._refusal(reason)

    def __exit__(self, *exception: object) -> None:
        self._entered = False
        self._stop()
        if self._keep and self.version == 4 and not self._durable:
            self._remove_session()

    @property
    def is_up(self) -> bool:
        return self._client is not None and self._client.is_connected()

    def publish(self, topic: str, payload: bytes | str, *, retain: bool = False, qos: int = 1,
                wait_s: float = 0.0) -> int:  # fmt: skip
        """Send, at once or when the connection is back. wait_s: for the broker to take it.

        Returns the message's number, see on_sent.
        """
        sent = self._client.publish(topic, payload, qos=qos, retain=retain)
        if wait_s:
            with contextlib.suppress(RuntimeError):  # the connection went in this moment
                sent.wait_for_publish(wait_s)
        return int(sent.mid)

    def acknowledge(self, deliveries: Iterable[Delivery]) -> int:
        """Say to the broker that these are safe; return how many it was not said of, because
        their connection is over: they come again."""
        late = 0
        mids = []
        with self._ending:
            for delivery in deliveries:
                if delivery.link != self._link:
                    late += 1
                elif delivery.qos:
                    mids.append(delivery.mid)
            self._client.acknowledge(mids)
        return late

    # -- connecting ---------------------------------------------------------------------

    def _try(self, version: int) -> str:
        """Connect with this version of MQTT; "" or why that failed. Raises BeckonError."""
        self.version = version
        self._outcome = None
        self._client = client = self._make_client(version)
        options: dict[str, Any] = {}
        if version == 5:
            # Not "clean at first": mosquitto stores no session that began clean. The id is new.
            properties = _connect_properties(self._keep, self._durable)
            options = {"properties": properties, "clean_start": not self._keep}
        try:
            client.connect(self.broker.host, self.broker.port, keepalive=_KEEPALIVE_S,
                           **options)
        except (ssl.SSLError, ssl.CertificateError) as error:
            raise NoBroker(tls_fault(error, self.broker)) from None
        except OSError as error:
            raise NoBroker(_unreachable(error, self.broker, self._timeout_s)) from None
        client.loop_start()
        with self._came:
            wait_s = min(_VERSION_S, self._timeout_s) if version == 5 else self._timeout_s
            self._came.wait_for(lambda: self._outcome is not None, wait_s)
            return _NO_ANSWER if self._outcome is None else self._outcome

    def _make_client(self, version: int) -> Any:
        from paho.mqtt import client as mqtt

        kind: Any = mqtt.Client
        if self._on_delivery:
            from host_tools.mqtt.many_messages import ManyMessages

            kind = ManyMessages
        client = kind(
            mqtt.CallbackAPIVersion.VERSION2, self._id, protocol=mqtt.MQTTProtocolVersion(version),
            clean_session=None if version == 5 else not self._keep,
            manual_ack=self._on_delivery is not None,
        )  # fmt: skip
        client.connect_timeout = self._timeout_s
        client.reconnect_delay_set(*_RECONNECT_S)
        if self.broker.user:
            client.username_pw_set(self.broker.user, self.broker.password)
        if self._context:
            client.tls_set_context(self._context)
        if self._will:
            client.will_set(*self._will, qos=1, retain=True)
        if self._on_sent:
            client.on_publish = self._acknowledged
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        client.on_pre_connect = self._on_pre_connect
        client.on_message = self._take
        if self._on_delivery:
            client.on_message = self._deliver
            client.on_published = self._deliver_published
        client.on_socket_open = _send_at_once
        client.on_log = self._on_log
        return client

    def _refusal(self, reason: str) -> BeckonError:
        where = self.broker
        if reason == _NO_ANSWER:
            return NoBroker("no answer from {where} within {timeout_s:g} s: it is not an MQTT "
                            "broker, or too busy; check address and port", where=where,
                            timeout_s=self._timeout_s)
        if reason != _GONE:
            return BeckonError("the broker at {where} refuses: {reason}", where=where,
                               reason=reason)
        if self.broker.tls is None:
            return NoBroker("what answers at {where} ends the connection at once; if that port "
                            "has TLS, write mqtts://, else it is not an MQTT broker", where=where)
        if self._alert:
            error = ssl.SSLError(1, self._alert)
            error.reason = self._alert
            return BeckonError(tls_fault(error, where))
        return NoBroker("the broker at {where} ends the connection at once; it may want a "
                        "certificate of yours (--cert, --key), or is not an MQTT broker",
                        where=where)

    def _stop(self) -> None:
        client = self._client
        if client is None:
            return
        options: dict[str, Any] = {}
        if self.version == 5 and self._keep and not self._durable:
            from paho.mqtt.packettypes import PacketTypes
            from paho.mqtt.properties import Properties

            options["properties"] = properties = Properties(PacketTypes.DISCONNECT)
            properties.SessionExpiryInterval = 0
        client.disconnect(**options)
        client.loop_stop()

    def _remove_session(self) -> None:
        """MQTT 3.1.1 has no expiry: a clean connection with the same id ends the session."""
        self._keep = False
        self._topics = []
        with contextlib.suppress(BeckonError):
            if not self._try(4):
                self._stop()

    def _end(self, outcome: str) -> None:
        with self._came:
            if self._outcome is None:
                self._outcome = outcome
                self._came.notify_all()

    # -- in paho's thread ---------------------------------------------------------------

    def _on_connect(self, client, userdata, flags, reason, properties):
        if reason.is_failure:
            self._end(str(reason))
            self._give_up(client)
            return
        self._up_s = time.monotonic()
        client.on_log = None  # it is for the first handshake; paho formats a line per packet
        wanted = [(t.filter, 0 if t.crowded and self.version == 4 else t.qos)
                  for t in self._topics]  # fmt: skip
        if flags.session_present:  # QoS 0 is outside of the session
            # mosquitto before 2.0.12 forgets shared subscriptions when it restarts
            wanted = [(topic, qos) for topic, qos in wanted
                      if qos == 0 or topic.startswith("$share/")]  # fmt: skip
        self._asked = [topic for topic, _ in wanted]
        if wanted:
            client.subscribe(wanted)
        else:
            self._end("")
        self._tell(True, bool(flags.session_present))

    def _on_subscribe(self, client, userdata, mid, reasons, properties):
        refused = [topic for topic, reason in zip(self._asked, reasons, strict=False)
                   if reason.is_failure]  # fmt: skip
        self._end(f"subscription to {', '.join(refused)} refused" if refused else "")

    def _on_disconnect(self, client, userdata, flags, reason, properties):
        with self._ending:  # paho drops what waits to be sent before it connects again
            self._link += 1
        brief = time.monotonic() - self._up_s < _BRIEF_S
        self._brief = self._brief + 1 if brief and self._durable else 0
        taken_over = flags.is_disconnect_packet_from_server and reason.value == _TAKEN_OVER
        if (taken_over and self._durable) or self._brief >= _BRIEF_LINKS:
            self.replaced = True
        self._end(str(reason) if flags.is_disconnect_packet_from_server else _GONE)
        self._give_up(client)
        self._tell(False, self._keep)

    def _on_pre_connect(self, client, userdata):
        """Leave the name to the other. disconnect() in _on_disconnect has no effect: paho notes
        afterwards that the connection is lost, and connects again."""
        if self.replaced:
            client.disconnect()
            raise OSError("replaced")

    def _on_connect_fail(self, client, userdata):
        self._refusals += 1
        self._brief = 0

    def _give_up(self, client: Any) -> None:
        """Whoever enters decides what to do after a first connection that failed."""
        if self._outcome:
            client.disconnect()

    def _tell(self, up: bool, kept: bool) -> None:
        changed, self._up = up != self._up, up
        if changed and self._entered and self._on_link:
            self._on_link(up, kept)

    def _on_log(self, client, userdata, level, text):
        if "failed to receive" in text:
            found = re.search(r"SSL: (\w*ALERT\w*)", text)
            self._alert = self._alert or (found[1] if found else "")

    def _deliver(self, client, userdata, message):
        assert self._on_delivery
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "?"
        self._on_delivery(Delivery(
            topic, message.payload, message.retain, message.qos, message.mid, self._link,
            time.monotonic()))  # fmt: skip

    def _deliver_published(self, published):
        assert self._on_delivery
        topic, payload, retain, qos, mid = published
        self._on_delivery(Delivery(topic.decode("utf-8", "replace"), payload, retain, qos, mid,
                                   self._link, time.monotonic()))  # fmt: skip

    def _acknowledged(self, client, userdata, mid, reason, properties):
        if self._on_sent:
            self._on_sent(mid, not reason.is_failure)

    def _take(self, client, userdata, message):
        if self._on_message:
            self._on_message(message.topic, bytes(message.payload), bool(message.retain))


def _connect_properties(keep_session: bool, durable: Durable | None) -> Any:
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    properties = Properties(PacketTypes.CONNECT)
    # Else a broker holds back what exceeds its own number, and drops what exceeds its queue:
    # mosquitto's 20 and 1,000 are fewer than a thousand devices' retained messages.
    properties.ReceiveMaximum = durable.window if durable else 65535
    properties.MaximumPacketSize = _PACKET_MAX
    if keep_session:
        properties.SessionExpiryInterval = durable.session_s if durable else _SESSION_S
    return properties


def _send_at_once(client: object, userdata: object, sock: Any) -> None:
    """A question waits for its answer: Nagle's algorithm would hold it back for 40 ms."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _unreachable(error: OSError, broker: BrokerAddress, timeout_s: float) -> str:
    if isinstance(error, socket.gaierror):
        return Sentence("there is no host {host}; check the broker's name", host=broker.host)
    if isinstance(error, TimeoutError):
        return Sentence("no broker answers at {broker} within {timeout_s:g} s; check address and "
                        "port", broker=broker, timeout_s=timeout_s)
    if broker.tls and isinstance(error, ConnectionResetError | ConnectionAbortedError):
        return Sentence("what answers at {broker} ends the connection and so does not speak TLS; "
                        "name the port with TLS, often 8883, or write mqtt:// if that broker has "
                        "none", broker=broker)
    return Sentence("no broker answers at {broker} ({reason}); start one there or name another "
                    "with --broker", broker=broker, reason=error.strerror or error)
