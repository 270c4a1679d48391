"""What the phone's server answers: one page, its WebSocket, and its POST, to one phone. ASGI.

    /?t=TOKEN   the cookie, once, and on to /
    /           the page, with the cookie
    /samples    a WebSocket of messages (recording/phone/page_message.py), or one message per
                POST: Safari on an iPhone opens no WebSocket where it was shown a certificate
                that it does not know, but does send requests

Everything else gets 404 without a word, and so does everyone without token or cookie.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

from host_tools.recording.phone.page_message import LONGEST_BYTES, parse
from host_tools.recording.phone.page_source import PhoneLink
from host_tools.recording.phone.stamp_clock import LEAST_HZ
from host_tools.studio.frame.language import chosen, speaking, tr
from host_tools.studio.phone.access import COOKIE, Access, Budget
from host_tools.studio.phone.page import Page

_ANSWER_S = 0.5
_EVENTS_PER_S, _EVENTS_BURST = 300.0, 1500.0
_MESSAGES_PER_S, _MESSAGES_BURST = 40.0, 80.0
_BAD_MESSAGES = 5
USED_UP, TOO_MUCH, NOT_VALID, REPLACED = 4403, 4429, 4400, 4409  # WebSocket close codes

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class PhoneApp:
    """origin: https://HOST:PORT, as the browser names it."""

    def __init__(self, access: Access, link: PhoneLink, page: Page, origin: str):
        self._access, self._link, self._page = access, link, page
        self._origin = origin
        self._host = origin.removeprefix("https://")
        self._current: asyncio.Event | None = None  # set to end the socket that is open now
        self._events = Budget(_EVENTS_PER_S, _EVENTS_BURST)
        self._messages = Budget(_MESSAGES_PER_S, _MESSAGES_BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        known = headers.get("host") == self._host and self._access.knows(headers.get("cookie", ""))
        own = known and headers.get("origin") == self._origin and scope["path"] == "/samples"
        if scope["type"] == "websocket":
            if own:
                await self._socket(receive, send)
            else:
                await send({"type": "websocket.close"})  # before it is accepted: HTTP 403
        elif own and scope["method"] == "POST":
            await self._post(receive, send)
        elif scope["method"] == "GET" and scope["path"] == "/":
            await self._get(scope, headers, known, send)
        else:
            await _answer(send, 404)

    async def _get(self, scope: Scope, headers: dict[str, str], known: bool, send: Send) -> None:
        code = chosen("", headers.get("accept-language", ""))
        token = parse_qs(scope["query_string"].decode("latin-1")).get("t", [""])[0]
        if headers.get("host") == self._host and token and not known:
            session = self._access.spend(token)
            if session:
                cookie = f"{COOKIE}={session}; Path=/; Secure; HttpOnly; SameSite=Lax"
                await _answer(send, 303, [(b"location", b"/"), (b"set-cookie", cookie.encode())])
                return
            if self._access.is_token(token):
                with speaking(code):
                    said = tr("This code has been used by another phone or browser. Make a new "
                              "code on the computer and scan that one.")
                await _answer(send, 410, [(b"content-type", b"text/plain; charset=utf-8")],
                              said.encode())
                return
        if known and token:  # the same phone scans the code again
            await _answer(send, 303, [(b"location", b"/")])
        elif known:
            await _answer(send, 200, self._page.headers, self._page.html(code))
        else:
            await _answer(send, 404)

    async def _post(self, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            part = await receive()
            if part["type"] != "http.request":
                return
            body += part.get("body", b"")
            if len(body) > LONGEST_BYTES:
                await _answer(send, 413)
                return
            if not part.get("more_body"):
                break
        code = self._take(body.decode("utf-8", "replace"))
        status = {0: 200, NOT_VALID: 400, TOO_MUCH: 429}[code]
        await _answer(send, status, [(b"content-type", b"application/json")], self._status())

    async def _socket(self, receive: Receive, send: Send) -> None:
        """Take messages until the phone goes, misbehaves, or another page of it connects."""
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        if self._current:
            self._current.set()
        self._current = replaced = asyncio.Event()
        answering = asyncio.create_task(self._report(send))
        reading = asyncio.create_task(self._read(receive, self._access.generation))
        ending = asyncio.create_task(replaced.wait())
        try:
            await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
            code = reading.result() if reading.done() else REPLACED
            if code:
                await send({"type": "websocket.close", "code": code})
        finally:
            for task in (answering, reading, ending):
                task.cancel()
            await asyncio.gather(answering, reading, ending, return_exceptions=True)
            if self._current is replaced:
                self._current = None

    async def _read(self, receive: Receive, generation: int) -> int:
        """The code to close with; 0 if the phone has closed."""
        bad = 0
        while True:
            part = await receive()
            if part["type"] == "websocket.disconnect":
                return 0
            if self._access.generation != generation:
                return USED_UP
            code = self._take(part.get("text") or "")
            bad += code == NOT_VALID
            if code == TOO_MUCH or bad >= _BAD_MESSAGES:
                return code

    def _take(self, text: str) -> int:
        """0, or why the message is refused."""
        now_s = time.monotonic()
        if not self._messages.allows(1, now_s):
            return TOO_MUCH
        try:
            message = parse(text)
        except ValueError:
            self._link.refused += 1
            return NOT_VALID
        if not self._events.allows(len(message.stamps_s), now_s):
            return TOO_MUCH
        self._link.take(message)
        return 0

    async def _report(self, send: Send) -> None:
        while True:
            await asyncio.sleep(_ANSWER_S)
            await send({"type": "websocket.send", "text": self._status().decode()})

    def _status(self) -> bytes:
        view = self._link.view()
        return json.dumps({"state": view.state, "rate_hz": round(view.rate_hz, 1),
                           "least_hz": LEAST_HZ, "events": view.events}).encode()

    def end_connection(self) -> None:
        """Close the phone's socket; on the server's thread."""
        if self._current:
            self._current.set()


async def _answer(send: Send, status: int, headers: Any = (), body: bytes = b"") -> None:
    every = [(b"cache-control", b"no-store"), (b"referrer-policy", b"no-referrer"),
             (b"x-content-type-options", b"nosniff"),
             (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *every]})
    await send({"type": "http.response.body", "body": body})
