"""One MQTT 3.1.1 link, kept up forever, that never holds up the event loop.

    link = Link(settings, will=(b"beckon/x/status", b"offline"))
    link.subscribe(b"beckon/x/cmd/#", on_message)
    asyncio.create_task(link.run())
    await link.ready.wait()
    await link.publish(b"beckon/x/event", payload)

The waiting is done here: connecting, sending, timeouts, keepalive, connecting again.
umqtt.simple builds and takes apart the packets (mqtt_client.py); what comes is cut into
packets and handed to whom it concerns (mqtt_inbox.py).

"MQTT" is the OASIS standard 3.1.1; numbers behind it are its sections.
"""

import asyncio
import errno
import random
import socket
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const
from umqtt.simple import MQTTException

from link.mqtt_client import Client
from link.mqtt_inbox import Inbox
from ops.lazy import forget
from ops.uptime import uptime_ms

# In place of a packet id, see Inbox.
_CONNACK = const(0)
_PINGRESP = const(-1)

_TICK_MS = const(100)  # how finely timeouts are kept
_PAUSE_MS = const(250)
_PAUSE_MOST_MS = const(1500)
_PATIENCE_MS = const(300_000)  # down for longer: try more rarely
_PAUSE_RARE_MS = const(15_000)
_LIVED_MS = const(2000)  # a link that ends sooner has not worked
_STEADY_MS = const(60_000)  # and after a few of those, only such a one has
_BRIEF = const(8)  # a few

# The same in lwIP, Linux and BSD; not every port's socket module has the names.
_IPPROTO_TCP = const(6)
_TCP_NODELAY = const(1)

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
    MQTTException,
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
        self._resolve = resolve or _resolve_blocking
        self._wrap = wrap
        self._log = log
        self._said = ""
        self._inbox = inbox = Inbox(log)
        self.client = inbox.client = Client(settings, will, inbox.deliver)
        self._pipe = self.client.pipe
        self._stream = None
        self._sending = False
        self._work = asyncio.Event()
        self._sent = asyncio.Event()
        self._over = asyncio.Event()
        self.broker_left = False
        """Whether it was the broker that kept the link down last, not this end."""
        self.on_change = None  # called without arguments when `ready` is set or cleared
        self._fault = None
        self.closing = False
        """Set by close(); without it, run() may be called again."""
        self._last_in = self._last_out = 0
        self._turns = 0
        self._busy = False  # whether a large packet is being sent: nothing may come between
        self._up_ms = 0  # uptime when the link came up
        self._brief = 0  # links in a row that ended soon
        self._unanswered = False  # whether the last one ended while packets were under way
        self.connects = 0
        self._drops = self._refused = self._failed = self._timeouts = self._malformed = 0

    # What other parts call.

    def subscribe(self, topic, handler):
        """handler(topic, payload, retained) for what comes on topic, at each connection.

        Topic and payload are bytes and the handler's own. It must not wait.
        """
        if len(topic) > 115:  # umqtt up to 1.7 breaks the stream from 123 on
            raise ValueError("a topic to subscribe to may have 115 bytes, not %d" % len(topic))
        self._inbox.topics.append((topic, handler))

    async def publish(self, topic, payload, retain=False, qos=1, repeat=False):
        """Send; with qos 1 return once the broker has acknowledged it.

        topic, payload: bytes. repeat: it was sent before, on a connection that ended.
        Raises LinkDown, and ValueError for what is larger than the link takes.
        """
        size = len(topic) + len(payload) + 9
        self._pipe.room(size)
        while self._busy:
            await self._next_sent()
        await self._room(size)
        packet_id = self.client.next_id(self._inbox) if qos else 0
        self.client.send(packet_id, topic, payload, retain, qos, repeat)
        answer = self._expect(packet_id) if qos else None
        self._send()
        if qos:
            await self._answered(answer)

    async def publish_pieces(self, topic, pieces, retain=False):
        """publish() with QoS 1 for a payload of any size.

        pieces: called twice, returns an iterator of the same bytes each time, at most 1024 in
        one piece. Raises LinkDown.
        """
        size = 0
        for piece in pieces():
            size += len(piece)
        while self._busy:
            await self._next_sent()
        self._busy = True  # from here on nothing but this packet is written
        try:
            await self._room(len(topic) + 16)
            packet_id = self.client.next_id(self._inbox)
            self.client.begin(packet_id, topic, size, retain)
            for piece in pieces():
                if not self._pipe.room(len(piece)):
                    self._send()
                    await self._room(len(piece))
                self._pipe.write(piece)
                size -= len(piece)
            answer = self._expect(packet_id)
            self._send()
        except LinkDown:
            raise
        except BaseException:  # half a packet is out: nothing can follow it
            self._end(OSError(errno.EIO))
            raise
        finally:
            self._busy = False
            self._sent.set()
        if size:
            self._end(OSError(errno.EIO))
        await self._answered(answer)

    async def _room(self, size):
        """Wait for room in the pipe. Raises LinkDown, ValueError."""
        while not self._pipe.room(size) and self.ready.is_set():
            await self._next_sent()
        if not self.ready.is_set():
            raise LinkDown(errno.ENOTCONN)

    async def _next_sent(self):
        self._sent.clear()
        await self._sent.wait()

    async def close(self, timeout_ms):
        """Say goodbye, so that the broker keeps the will to itself; run() returns."""
        self.closing = True
        if self.ready.is_set():
            try:
                self.client.disconnect()
                self._send()
                await asyncio.wait_for_ms(self._flushed(), timeout_ms)
            except (OSError, asyncio.TimeoutError):
                pass  # the broker will notice in its own time
        self._end(None)

    def progress(self):
        """Grows while run() lives, whether there is a link or not."""
        return self._turns

    def counters(self, into):
        into["link_connects"] = self.connects
        into["link_drops"] = self._drops
        into["link_refused"] = self._refused
        into["link_failed"] = self._failed
        into["link_timeouts"] = self._timeouts
        into["link_malformed"] = self._malformed
        into["link_oversized"] = self._inbox.oversized
        into["link_handler_faults"] = self._inbox.handler_faults
        if self._wifi:
            self._wifi.counters(into)

    # Connecting, and connecting again.

    async def run(self):
        """Keep the link up until close()."""
        failures = 0
        down_since = uptime_ms()
        while not self.closing:
            self._turns += 1
            connects = self.connects
            number = errno.ETIMEDOUT
            try:
                await self._session(failures)
            except _FAULTS as error:
                self._say(error)
                number = getattr(error, "errno", None)
            except asyncio.TimeoutError:
                self._timeouts += 1
                self._say(OSError(errno.ETIMEDOUT))
            self.broker_left = number in (errno.ECONNRESET, errno.ECONNREFUSED)
            if self.closing:
                return
            if self.connects != connects:  # it was up: begin counting again, if that is worth it
                self._drops += 1
                lived_ms = uptime_ms() - self._up_ms
                enough_ms = _LIVED_MS if self._brief < _BRIEF else _STEADY_MS
                # The network may end a link at any time: that does not count.
                if lived_ms > enough_ms or number in (errno.ETIMEDOUT, errno.EHOSTUNREACH):
                    failures = self._brief = 0
                else:
                    self._brief += 1
                down_since = uptime_ms()
            else:
                self._failed += 1
            pause = pause_ms(failures, uptime_ms() - down_since, self._brief)
            await asyncio.sleep_ms(pause)
            failures += 1

    async def _session(self, failures):
        self._over.clear()
        self._fault = None
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
                self._up_ms = uptime_ms()
                self.ready.set()
                self._changed()
                self._say(None)
                await self._over.wait()
            except LinkDown:
                pass  # the fault says why
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
        # Else a packet waits until the one before it is acknowledged, 40 ms and more.
        sock.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
        self._stream = stream = asyncio.StreamReader(self._wrap(sock) if self._wrap else sock)
        self.client.login()
        packet = self._pipe.flush()
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
        code = await self._answered(self._expect(_CONNACK))
        if code:
            self._refused += 1
            raise MQTTException(code)
        for topic, _ in self._inbox.topics:
            packet_id = self.client.next_id(self._inbox)
            self.client.register(packet_id, topic)
            answer = self._expect(packet_id)
            self._send()
            if await self._answered(answer) & 0x80:
                self._refused += 1
                self._log("the broker refuses to subscribe %s" % topic)

    # The tasks of one connection.

    async def _guard(self, job):
        try:
            await job
        except _FAULTS as error:
            self._malformed += error.args[:1] == (errno.EINVAL,)
            self._end(error)

    def _end(self, fault):
        """The connection is over; all who wait for it learn so. Only the first fault counts."""
        if self._over.is_set():
            return
        self._fault = fault
        self._unanswered = self.ready.is_set() and bool(self._inbox.due)
        self._over.set()
        self.ready.clear()
        self._changed()
        self._sent.set()
        self._inbox.clear()

    async def _receive(self):
        inbox = self._inbox
        inbox.start()
        while True:
            n = await self._stream.readinto(inbox.buf())
            if n is None:
                continue
            if n == 0:
                raise OSError(errno.ECONNRESET)
            self._last_in = ticks_ms()
            while self._busy:  # acknowledgements must not come in between
                await self._next_sent()
            inbox.recv(n)
            if self._pipe.pending:  # acknowledgements
                self._send()

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
            self._turns += 1
            now = ticks_ms()
            for answer in self._inbox.due:
                if self._busy:  # answers are not read just now: they have more time
                    answer.at_ms = ticks_add(now, self._timeout_ms)
                elif ticks_diff(now, answer.at_ms) > 0:
                    self._timeouts += 1
                    raise OSError(errno.ETIMEDOUT)
            if self._sending and ticks_diff(now, self._last_out) > 2 * self._timeout_ms:
                self._timeouts += 1  # not even the socket takes bytes any more
                raise OSError(errno.ETIMEDOUT)
            if self._wifi and not self._wifi.is_up():
                raise OSError(errno.EHOSTUNREACH)
            # Sending counts for the broker, hearing for us: ping when either was long ago.
            idle_ms = max(ticks_diff(now, self._last_out), ticks_diff(now, self._last_in))
            if self._sending or self._busy or self._inbox.count(_PINGRESP):
                continue  # it is about to send, or has just asked
            if idle_ms > keepalive_ms // 2:
                self.client.ping()
                self._expect(_PINGRESP)
                self._send()

    # Sending, and waiting for the answer.

    def _send(self):
        """Hand over what the client has written; at once when nothing is before it."""
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
        self._stream.write(self._pipe.flush())

    async def _flushed(self):
        while self._sending:
            self._sent.clear()
            await self._sent.wait()

    def _expect(self, packet_id):
        if self._over.is_set():  # nothing would answer, or time out
            raise LinkDown(errno.ENOTCONN)
        return self._inbox.add(packet_id, ticks_add(ticks_ms(), self._timeout_ms))

    async def _answered(self, answer):
        await answer.wait()
        if answer.code is None:
            raise LinkDown(errno.ENOTCONN)
        return answer.code

    def _changed(self):
        if self.on_change:
            self.on_change()

    def _say(self, error):
        """Log a change: the error that keeps the link down, None when it is up."""
        said = repr(error) + str(self._brief > 1)
        if self.closing or said == self._said:
            return
        self._said = said
        host = self._settings.broker_host
        if error is None:
            self._log("linked to %s" % host)
            return
        from link.link_errors import explain

        again = ""
        if self._brief > 1:
            again = self._settings.client_id
        self._log("no link: %s" % explain(error, host, again, self._unanswered))
        forget("link.link_errors")  # rarely used


async def _resolve_blocking(host, port, again):
    """The address for connect(). A number comes at once; a name asks the system,
    which holds the loop for as long as its resolver takes."""
    return socket.getaddrinfo(host, port)[0][-1]


def pause_ms(failures, down_ms, brief):
    """How long to wait before trying again: doubling, half of it at random, so that a
    broker that comes back does not meet all its devices in one instant.

    brief: links in a row that ended soon, as when another client uses the same id."""
    rare = down_ms >= _PATIENCE_MS or brief >= _BRIEF
    most = _PAUSE_RARE_MS if rare else _PAUSE_MOST_MS
    whole = min(most, _PAUSE_MS << min(failures, 10))
    return whole // 2 + random.getrandbits(14) % (whole // 2 + 1)
