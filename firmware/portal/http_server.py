"""Serves the page: few connections at a time, each with a limit for its time and its size.

Further connections wait in the network stack until one of them is over.
"""

import asyncio
import socket

from micropython import const

from portal.http_request import HttpError, parse_head

MOST_BODY = const(2048)  # all fields of the form at their longest, and half as much again

_SLOTS = const(4)
_BACKLOG = const(10)
_MOST_HEAD = const(2048)
_MOST_DRAINED = const(32768)  # of what is not read: else the answer may be lost with it
_PIECE = const(512)
_REQUEST_MS = const(8000)
_ANSWER_MS = const(10_000)
_DRAIN_MS = const(1000)
_PAUSE_MS = const(200)

_REASONS = {
    200: "OK",
    204: "No Content",
    302: "Found",
    303: "See Other",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    411: "Length Required",
    413: "Content Too Large",
    421: "Misdirected Request",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}

_HEAD = (
    "HTTP/1.1 %d %s\r\nConnection: close\r\nCache-Control: no-store\r\n%s"
    "Content-Type: text/html; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'\r\n\r\n"
)


class HttpServer:
    """answer(request, body, status): gives (status, location or "", iterator of texts).

    status: 0, or that of a request which was not accepted; request may then be None.
    """

    def __init__(self, answer):
        self._answer = answer
        self._running = 0
        self._ended = asyncio.Event()
        self.served = self.refused = self.slow = self.failed = 0

    def open(self, host, port):
        """Listen. Raises OSError."""
        self._sock = sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(socket.getaddrinfo(host, port)[0][-1])
        sock.listen(_BACKLOG)
        sock.setblocking(False)

    async def run(self):
        """Serve forever."""
        while True:
            while self._running >= _SLOTS:
                self._ended.clear()
                await self._ended.wait()
            await readable(self._sock)
            try:
                sock = self._sock.accept()[0]
            except OSError:  # no socket is left, or the client has gone again
                self.failed += 1
                await asyncio.sleep_ms(_PAUSE_MS)
                continue
            self._running += 1
            asyncio.create_task(self._serve(sock))

    async def _serve(self, sock):
        try:
            sock.setblocking(False)
            stream = asyncio.StreamReader(sock)
            status = 0
            request = None
            body = b""
            try:
                request, body = await asyncio.wait_for_ms(_read(stream), _REQUEST_MS)
            except HttpError as error:
                status, request = error.args
                self.refused += 1
            await asyncio.wait_for_ms(self._reply(stream, request, body, status), _ANSWER_MS)
            self.served += 1
            if status:
                await _drain(stream)
        except asyncio.TimeoutError:
            self.slow += 1
        except (OSError, EOFError, MemoryError):
            self.failed += 1
        finally:
            sock.close()
            self._running -= 1
            self._ended.set()

    async def _reply(self, stream, request, body, status):
        status, location, pieces = self._answer(request, body, status)
        head = _HEAD % (status, _REASONS[status], "Location: %s\r\n" % location if location else "")
        stream.write(head.encode())
        await stream.drain()
        for piece in pieces:
            stream.write(piece.encode())
            await stream.drain()


def readable(sock):
    """Await that sock has something to read, or to accept."""
    yield asyncio.core._io_queue.queue_read(sock)  # type: ignore  # the stubs leave it out


async def _read(stream):
    """(Request, body). Raises HttpError(status, request or None), EOFError."""
    data = bytearray()
    while True:
        end = data.find(b"\r\n\r\n")
        if end >= 0:
            break
        if len(data) > _MOST_HEAD:
            raise HttpError(431, None)
        data += await _some(stream, _PIECE)
    try:
        request = parse_head(bytes(data[:end]))
    except HttpError as error:
        raise HttpError(error.args[0], None)
    body = bytearray(data[end + 4 :])
    if request.method != "POST":
        return request, b""
    if request.length < 0:
        raise HttpError(411, request)
    if request.length > MOST_BODY:
        raise HttpError(413, request)
    while len(body) < request.length:
        body += await _some(stream, request.length - len(body))
    return request, bytes(body[: request.length])


async def _drain(stream):
    """Read what the client still sends, up to a limit, or until it closes."""
    left = _MOST_DRAINED
    try:
        while left > 0:
            left -= len(await asyncio.wait_for_ms(_some(stream, _PIECE), _DRAIN_MS))
    except (asyncio.TimeoutError, EOFError):
        pass  # it has had its answer


async def _some(stream, size):
    data = await stream.read(size)
    if not data:
        raise EOFError
    return data
