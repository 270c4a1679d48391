"""One MQTT 3.1.1 link, kept up for ever, that never holds the event loop.

    link = Link(settings, will=(b"beckon/x/status", b"offline"))
    link.subscribe(b"beckon/x/cmd/#", on_message)
    asyncio.create_task(link.run())
    await link.ready.wait()
    await link.publish(b"beckon/x/event", payload)

umqtt.simple builds and takes apart the packets; its socket is a PacketPipe. The
waiting is done here: connecting, sending, receiving whole packets, matching
acknowledgements, timeouts, keepalive, and connecting again.

"MQTT" is the OASIS standard 3.1.1; numbers behind it are its sections.
"""

import asyncio
import errno
import random
import socket
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const
from umqtt import simple

from mqtt_packet import matches, packet_size
from packet_pipe import PacketPipe

# MQTT 2.2.1, the upper four bits of a packet's first byte.
_CONNACK = const(2)
_PUBLISH = const(3)
_PUBACK = const(4)
_SUBACK = const(9)
_PINGRESP = const(13)

_CONNECTED = const(0)  # in place of a packet id: CONNACK is waited for
_PONG = const(-1)  # PINGRESP

_OUT_BYTES = const(1536)  # the largest packet sent, and all that wait for the network
_IN_BYTES = const(1536)  # the largest packet taken
_TICK_MS = const(100)  # how finely timeouts are kept
_RETRY_MS = const(250)
_RETRY_MOST_MS = const(1500)
_PATIENCE_MS = const(300_000)  # down for longer: try more rarely
_RETRY_RARE_MS = const(15_000)

# A socket that is still connecting; numbers differ between ports, names do not.
_BUSY = (errno.EINPROGRESS, errno.EALREADY, errno.EAGAIN, errno.ENOTCONN)

# What ends a connection: the network's errors, all that umqtt raises when it is fed
# what no broker should send, and a heap too full for this packet.
_FAULTS = (
    OSError,
    IndexError,
    TypeError,
    ValueError,
    AssertionError,
    MemoryError,
    simple.MQTTException,
)

class LinkDown(OSError):
    """The link is not up, or went down before the packet was acknowledged."""


class Link:
    """settings: broker_host, broker_port, user, password, client_id, keepalive_s,
    response_timeout_ms (the longest wait for any answer of the broker).

    will: (topic, payload), published and retained by the broker when this end is lost.
    wifi: object with `await up()`, `is_up()` and `counters(into)`, or None.
    resolve: `await resolve(host, port, again)` gives the address for connect().
    wrap: makes a TLS socket of a connecting one, or None.
    log: called with a line of text when the state of the link changes.
    """

    def __init__(self, settings, will=None, wifi=None, resolve=None, wrap=None, log=print):
        self.ready = asyncio.Event()
        self._settings = settings
        self._timeout_ms = settings.response_timeout_ms
        self._wifi = wifi
        self._resolve = resolve or resolve_blocking
        self._wrap = wrap
        self._log = log
        self._said = ""
        self._pipe = PacketPipe(_OUT_BYTES)
        self._in = bytearray(_IN_BYTES)
        self._client = _client(settings, will, self._deliver)
        self._topics = []  # (topic, handler)
        self._stream = None
        self._waiting = []  # Answers that are due
        self._sending = False
        self._work = asyncio.Event()
        self._sent = asyncio.Event()
        self._over = asyncio.Event()
        self.on_change = None  # called without arguments when `ready` is set or cleared
        self._fault = None
        self._closing = False
        self._retained = False
        self._last_in = self._last_out = 0
        self.turns = 0  # grows while run() lives, whether there is a link or not
        self.connects = self.drops = self.refused = self.failed = 0
        self.timeouts = self.malformed = self.oversized = self.handler_faults = 0

    # What other parts call.

    def subscribe(self, topic, handler):
        """handler(topic, payload, retained) for what comes on topic, at each connection.

        Topic and payload are bytes and the handler's own. It must not wait.
        """
        if len(topic) > 115:  # umqtt up to 1.7 breaks the stream from 123 on
            raise ValueError("a topic to subscribe to may have 115 bytes, not %d" % len(topic))
        self._topics.append((topic, handler))

    async def publish(self, topic, payload, retain=False, qos=1, repeat=False):
        """Send; with qos 1 return once the broker has acknowledged it.

        topic, payload: bytes. repeat: it was sent before, on a connection that ended.
        Raises LinkDown, and ValueError for what is larger than the link takes.
        """
        size = len(topic) + len(payload) + 9
        if size > _OUT_BYTES:
            raise ValueError("a packet of %d bytes; at most %d" % (size, _OUT_BYTES))
        while self.ready.is_set() and self._pipe.room() < size:
            self._sent.clear()
            await self._sent.wait()
        if not self.ready.is_set():
            raise LinkDown(errno.ENOTCONN)
        packet_id = self._next_id() if qos else 0
        at = self._pipe.pending
        if qos:  # umqtt reads an answer at once: it gets this one, ours we await
            self._pipe.feed(bytes((0x40, 2, packet_id >> 8, packet_id & 255)))
        self._client.publish(topic, payload, retain, qos)
        if repeat:
            self._pipe.view[at] |= 8  # DUP, MQTT 3.3.1.1
        answer = self._expect(packet_id) if qos else None
        self._send()
        if qos:
            await self._answered(answer)

    async def close(self, timeout_ms):
        """Say goodbye, so that the broker keeps the will to itself; run() returns."""
        self._closing = True
        if self.ready.is_set():
            try:
                self._client.disconnect()
                self._send()
                await asyncio.wait_for_ms(self._flushed(), timeout_ms)
            except (OSError, asyncio.TimeoutError):
                pass  # the broker will notice in its own time
        self._end(None)

    def counters(self, into):
        into["link_connects"] = self.connects
        into["link_drops"] = self.drops
        into["link_refused"] = self.refused
        into["link_failed"] = self.failed
        into["link_timeouts"] = self.timeouts
        into["link_malformed"] = self.malformed
        into["link_oversized"] = self.oversized
        into["link_handler_faults"] = self.handler_faults
        if self._wifi:
            self._wifi.counters(into)

    # Connecting, and connecting again.

    async def run(self):
        """Keep the link up until close()."""
        failures = 0
        down_since = ticks_ms()
        while not self._closing:
            self.turns += 1
            connects = self.connects
            try:
                await self._session(failures)
            except _FAULTS as error:
                self._say(error)
            except asyncio.TimeoutError:
                self.timeouts += 1
                self._say(OSError(errno.ETIMEDOUT))
            if self._closing:
                return
            if self.connects != connects:  # it was up: start anew
                self.drops += 1
                failures = 0
                down_since = ticks_ms()
            else:
                self.failed += 1
            await asyncio.sleep_ms(pause_ms(failures, ticks_diff(ticks_ms(), down_since)))
            failures += 1

    async def _session(self, failures):
        self._over.clear()
        self._fault = None
        self._pipe.pending = 0
        self._sending = False
        if self._wifi:
            await self._wifi.up()
        address = await self._resolve(
            self._settings.broker_host, self._settings.broker_port, failures > 0
        )
        sock = socket.socket()
        tasks = []
        try:
            await asyncio.wait_for_ms(self._greet(sock, address), self._timeout_ms)
            self._last_in = self._last_out = ticks_ms()
            for job in (self._receive(), self._transmit(), self._supervise()):
                tasks.append(asyncio.create_task(self._guard(job)))
            try:
                await self._log_in()
                self.connects += 1
                self.ready.set()
                self._changed()
                self._say(None)
                await self._over.wait()
            except LinkDown:
                pass  # the fault tells why
            if self._fault:
                raise self._fault
        finally:
            self._end(None)
            for task in tasks:
                task.cancel()
            if self._stream:
                self._stream.s.close()  # with TLS, what it has allocated beside the heap
                self._stream = None
            sock.close()

    async def _greet(self, sock, address):
        """Connect and send CONNECT, which TCP takes once it is connected."""
        sock.setblocking(False)
        try:
            sock.connect(address)
        except OSError as error:
            if error.errno not in _BUSY:
                raise
        if hasattr(socket, "TCP_NODELAY"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = stream = asyncio.StreamReader(self._wrap(sock) if self._wrap else sock)
        self._pipe.feed(b"\x20\x02\0\0")
        # connect() makes its own by this name
        real, simple.socket = simple.socket, self._pipe  # type: ignore[attr-defined]
        try:
            self._client.connect(True)
        finally:
            simple.socket = real  # type: ignore[attr-defined]
        packet = bytes(self._pipe.view[: self._pipe.pending])
        self._pipe.pending = 0
        while True:
            try:
                stream.write(packet)
                break
            except OSError as error:
                if error.errno not in _BUSY:
                    raise
            await asyncio.sleep_ms(20)
        await stream.drain()

    async def _log_in(self):
        """Wait for CONNACK, then subscribe. Raises LinkDown, MQTTException."""
        code = await self._answered(self._expect(_CONNECTED))
        if code:
            self.refused += 1
            raise simple.MQTTException(code)
        for topic, _ in self._topics:
            packet_id = self._next_id()
            self._pipe.feed(bytes((0x90, 3, packet_id >> 8, packet_id & 255, 1)))
            self._client.subscribe(topic, 1)
            answer = self._expect(packet_id)
            self._send()
            if await self._answered(answer) & 0x80:
                self.refused += 1
                self._log("the broker refuses to subscribe %s" % topic)

    # The tasks of one connection.

    async def _guard(self, job):
        try:
            await job
        except _FAULTS as error:
            self._end(error)

    def _end(self, fault):
        """The connection is over; all who wait for it learn so. Only the first fault counts."""
        if self._over.is_set():
            return
        self._fault = fault
        self._over.set()
        self.ready.clear()
        self._changed()
        self._sent.set()
        while self._waiting:
            self._waiting.pop().set(None)

    async def _receive(self):
        """Cut the stream into packets; more than the buffer holds is passed over."""
        buffer = self._in
        view = memoryview(buffer)
        have = skip = 0
        while True:
            n = await self._stream.readinto(view[have:])
            if n is None:
                continue
            if n == 0:
                raise OSError(errno.ECONNRESET)
            self._last_in = ticks_ms()
            have += n
            if buffer[0] != 0x20 and self._awaits(_CONNECTED):  # the first packet is CONNACK
                self.malformed += 1
                raise OSError(errno.EINVAL)
            at = 0
            while at < have:
                if skip:
                    step = min(skip, have - at)
                    skip -= step
                    at += step
                    continue
                header, body = packet_size(buffer, at, have)
                if header < 0:
                    self.malformed += 1
                    raise OSError(errno.EINVAL)
                if header == 0:
                    break
                if header + body > _IN_BYTES:
                    self.oversized += 1
                    skip = header + body
                    continue
                if at + header + body > have:
                    break
                self._take(view[at : at + header + body], header)
                at += header + body
            have -= at
            if at and have:
                buffer[:have] = buffer[at : at + have]

    async def _transmit(self):
        while True:
            await self._work.wait()
            self._work.clear()
            await self._stream.drain()
            while self._pipe.pending:
                self._write()
                await self._stream.drain()
            self._sending = False
            self._sent.set()

    async def _supervise(self):
        """Timeouts, keepalive in both directions, and Wi-Fi."""
        keepalive_ms = self._settings.keepalive_s * 1000
        while True:
            await asyncio.sleep_ms(_TICK_MS)
            self.turns += 1
            now = ticks_ms()
            if self._is_late(now):
                self.timeouts += 1
                raise OSError(errno.ETIMEDOUT)
            if self._sending and ticks_diff(now, self._last_out) > 2 * self._timeout_ms:
                self.timeouts += 1  # not even the socket takes bytes any more
                raise OSError(errno.ETIMEDOUT)
            if self._wifi and not self._wifi.is_up():
                raise OSError(errno.EHOSTUNREACH)
            # Sending counts for the broker, hearing for us: ping when either was long ago.
            idle_ms = max(ticks_diff(now, self._last_out), ticks_diff(now, self._last_in))
            if idle_ms > keepalive_ms // 2 and not self._sending and not self._awaits(_PONG):
                self._client.ping()
                self._expect(_PONG)
                self._send()

    # Packets out.

    def _next_id(self):
        """The id that umqtt will use next, 1 to 65535 (MQTT 2.3.1), not one in use."""
        client = self._client
        while True:
            if client.pid >= 65535:
                client.pid = 0
            if not self._awaits(client.pid + 1):
                return client.pid + 1
            client.pid += 1

    def _send(self):
        """Hand over what umqtt has written; at once when nothing is before it."""
        if self._sending:
            return  # _transmit comes back to it
        try:
            self._write()
        except OSError as error:
            self._end(error)
        self._sending = True
        self._work.set()

    def _write(self):
        self._last_out = ticks_ms()
        pipe = self._pipe
        n = pipe.pending
        pipe.pending = 0
        self._stream.write(bytes(pipe.view[:n]))

    async def _flushed(self):
        while self._sending:
            self._sent.clear()
            await self._sent.wait()

    # Packets in.

    def _expect(self, packet_id):
        if self._over.is_set():  # nobody would answer, or tell that it is late
            raise LinkDown(errno.ENOTCONN)
        answer = Answer(packet_id, ticks_add(ticks_ms(), self._timeout_ms))
        self._waiting.append(answer)
        return answer

    def _is_late(self, now):
        for answer in self._waiting:
            if ticks_diff(now, answer.due) > 0:
                return True
        return False

    def _awaits(self, packet_id):
        for answer in self._waiting:
            if answer.packet_id == packet_id:
                return True
        return False

    async def _answered(self, answer):
        code = await answer.wait()
        if code is None:
            raise LinkDown(errno.ENOTCONN)
        return code

    def _answer(self, packet_id, code):
        for i in range(len(self._waiting)):
            if self._waiting[i].packet_id == packet_id:
                self._waiting.pop(i).set(code)
                return  # else it is a late one, which is nobody's business any more

    def _take(self, packet, header):
        """One whole packet. Raises OSError for what a broker must not send."""
        kind = packet[0] >> 4
        size = len(packet) - header
        if kind == _PUBLISH:
            self._publication(packet, header, size)
        elif kind == _PUBACK and size == 2:
            self._answer(packet[header] << 8 | packet[header + 1], 0)
        elif kind == _PINGRESP and size == 0:
            self._answer(_PONG, 0)
        elif kind == _SUBACK and size == 3:
            self._answer(packet[header] << 8 | packet[header + 1], packet[header + 2])
        elif kind == _CONNACK and size == 2:
            self._answer(_CONNECTED, packet[header + 1])
        else:
            self.malformed += 1
            raise OSError(errno.EINVAL)

    def _publication(self, packet, header, size):
        qos = packet[0] >> 1 & 3
        topic_size = packet[header] << 8 | packet[header + 1] if size >= 2 else size
        if qos > 1 or 2 + topic_size + 2 * qos > size:
            self.malformed += 1
            raise OSError(errno.EINVAL)
        self._retained = packet[0] & 1
        while qos and self._pipe.room() < 4:
            raise OSError(errno.ENOBUFS)  # the broker sends and does not read
        self._pipe.feed(packet)
        self._client.wait_msg()  # calls _deliver, writes the PUBACK
        if qos:
            self._send()

    def _deliver(self, topic, payload):
        for pattern, handler in self._topics:
            if matches(pattern, topic):
                try:
                    handler(topic, payload, bool(self._retained))
                except Exception as error:  # a handler's fault must not cost the link
                    self.handler_faults += 1
                    self._log("handler of %s: %r" % (pattern, error))

    def _changed(self):
        if self.on_change:
            self.on_change()

    def _say(self, error):
        """Log a change: the error that keeps the link down, None when it is up."""
        if self._closing or repr(error) == self._said:
            return
        self._said = repr(error)
        host = self._settings.broker_host
        if error is None:
            self._log("linked to %s" % host)
            return
        from link_errors import explain

        self._log("no link: %s" % explain(error, host))


class Answer:
    """An acknowledgement that is due; its code is None when the link went down."""

    def __init__(self, packet_id, due):
        self.packet_id = packet_id
        self.due = due
        self._code = None
        self._event = asyncio.Event()

    def set(self, code):
        self._code = code
        self._event.set()

    async def wait(self):
        await self._event.wait()
        return self._code


def _client(settings, will, deliver):
    """umqtt's client; the arguments that all its versions take. Bytes, as it counts
    characters of a str but sends UTF-8."""
    user = settings.user.encode() or None
    client = simple.MQTTClient(
        settings.client_id.encode(),
        settings.broker_host,
        settings.broker_port,
        user,
        settings.password.encode() if user else None,
        settings.keepalive_s,
    )
    client.set_callback(deliver)
    if will:
        client.set_last_will(will[0], will[1], True, 1)
    return client


async def resolve_blocking(host, port, again):
    """The address for connect(). A number comes at once; a name asks the system,
    which holds the loop for as long as its resolver takes."""
    return socket.getaddrinfo(host, port)[0][-1]


def pause_ms(failures, down_ms):
    """How long to wait before trying again: doubling, half of it at random, so that a
    broker that comes back does not meet all its devices in one instant."""
    most = _RETRY_MOST_MS if down_ms < _PATIENCE_MS else _RETRY_RARE_MS
    whole = min(most, _RETRY_MS << min(failures, 10))
    return whole // 2 + random.getrandbits(14) % (whole // 2 + 1)
