"""Who may talk to Studio: this computer's browser, from our page, with a key.

Loopback alone does not protect: any web page can send requests to 127.0.0.1, and a page whose
name resolves to it (DNS rebinding) can even read the answers. So each request and WebSocket must
name our own address in Host, our own origin in Origin if it has one, and carry the key in a
cookie that other sites cannot make the browser send (SameSite=Strict).

A browser gets the cookie for a token, once. The token is in the address that `beckon studio`
prints, and in a file that it opens: other users see a browser's arguments in the list of
processes, but cannot read the file. A page of the run before gets it as coming_back.py says.
"""
from __future__ import annotations

import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Callable
from html import escape
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from host_tools.studio.frame.coming_back import ComingBack
from host_tools.studio.frame.language import tr
from host_tools.studio.frame.plain_page import plain_page

# NiceGUI compiles templates in the browser and puts styles and scripts into the page, so
# "unsafe" stays for our own. Text from strangers never becomes a template, style or script.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


RETURN = "/return"  # where the page of another run asks


def cookie_name(port: int) -> str:
    """The cookie's name; one per port, as the ports of a host share their cookies."""
    return f"beckon_studio_{port}"


class Keys:
    """session: what the cookie holds. Tokens are good for one browser each. coming_back: lets
    the pages of the run before in."""

    def __init__(self, coming_back: ComingBack | None = None) -> None:
        self.session = secrets.token_urlsafe(24)
        self.coming_back = coming_back
        self._tokens: dict[str, Callable[[], None]] = {}

    def new_token(self, on_spent: Callable[[], None] = lambda: None) -> str:
        token = secrets.token_urlsafe(24)
        self._tokens[token] = on_spent
        return token

    def spend(self, token: str) -> bool:
        """Whether token was good; it is not from then on."""
        known = [t for t in self._tokens if hmac.compare_digest(t.encode(), token.encode())]
        for good in known:
            self._tokens.pop(good)()
        return bool(known)


def redirect_file(folder: Path, address: str) -> Path:
    """A page in folder that leads to address, for its owner's eyes only."""
    handle, name = tempfile.mkstemp(prefix=".studio-", suffix=".html", dir=folder)  # mode 0600
    with os.fdopen(handle, "w") as file:
        file.write(_redirect(address))
    return Path(name)


def _redirect(target: str) -> str:
    return ("<!doctype html><meta charset=utf-8><title>Beckon Studio</title>"
            f'<meta http-equiv=refresh content="0; url={escape(target)}">')  # fmt: skip


class AccessGuard:
    """ASGI middleware; port: where Studio listens; keys: what the browser must know.

    name, command: what it is called in messages, if it is not Studio.
    """

    def __init__(self, app: ASGIApp, port: int, keys: Keys, name: str = "Beckon Studio",
                 command: str = "beckon studio"):  # fmt: skip
        self._name = name
        self._command = command
        self._app = app
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        self._keys = keys
        self._cookie = cookie_name(port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        host = headers.get("host", "")
        origin = headers.get("origin")
        if host not in self._hosts:
            await _refuse(scope, send, 421,
                          tr("this is {program}: open it with its own address", program=self._name))
        elif origin is not None and origin not in {f"http://{h}" for h in self._hosts}:
            await _refuse(scope, send, 403,
                          tr("other sites may not use {program}", program=self._name))
        elif self._keys.coming_back and scope["type"] == "http" and scope["path"] == RETURN:
            await self._return(self._keys.coming_back, scope, send)
        elif self._knows(headers.get("cookie", "")):
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "http" and scope["method"] == "GET" and self._redeems(scope):
            await self._welcome(scope, send)
        else:
            await _refuse(
                scope, send, 403,
                tr("open {program} with the whole address that `{command}` printed; it is "
                   "good for one browser: press Enter in its terminal for another",
                   program=self._name, command=self._command),
            )

    def _knows(self, header: str) -> bool:
        try:
            cookie = SimpleCookie(header).get(self._cookie)
        except CookieError:
            return False
        return cookie is not None and hmac.compare_digest(
            cookie.value.encode(), self._keys.session.encode())  # fmt: skip

    def _redeems(self, scope: Scope) -> bool:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        return self._keys.spend(query.get("token", [""])[0])

    async def _welcome(self, scope: Scope, send: Send) -> None:
        """Give the cookie, and lead on to an address without the token.

        A page of ours does that: after a redirect the browser would still count the page that
        led here, a file, as where the request comes from, and keep a strict cookie back.
        """
        query = parse_qs(scope["query_string"].decode("latin-1"))
        query.pop("token")
        path = "/" + scope["path"].lstrip("/")  # two slashes would name another host
        target = path + (f"?{urlencode(query, doseq=True)}" if query else "")
        await self._answer(send, "text/html; charset=utf-8", _redirect(target), key=True)

    async def _return(self, known: ComingBack, scope: Scope, send: Send) -> None:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        challenge, answer = (query.get(name, [""])[0] for name in ("challenge", "answer"))
        if not answer:
            await self._answer(send, "application/json", json.dumps(known.prove(challenge)))
        elif known.accept(challenge, answer):
            await self._answer(send, "application/json", "{}", key=True)
        else:
            await _refuse(scope, send, 403, tr("this page belongs to another run of {program}",
                                               program=self._name))

    async def _answer(self, send: Send, kind: str, body: str, key: bool = False) -> None:
        """key: with the cookie."""
        cookie = f"{self._cookie}={self._keys.session}; Path=/; HttpOnly; SameSite=Strict"
        await send({
            "type": "http.response.start", "status": 200,
            "headers": [
                (b"content-type", kind.encode()), (b"cache-control", b"no-store"),
                *([(b"set-cookie", cookie.encode())] if key else []), *_HEADERS,
            ],
        })
        await send({"type": "http.response.body", "body": body.encode()})


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *_HEADERS]}
        await send(message)

    return with_headers


async def _refuse(scope: Scope, send: Send, status: int, text: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4403})  # before accept: HTTP 403
        return
    kind, body = "text/plain", f"{text}\n"
    if b"text/html" in dict(scope["headers"]).get(b"accept", b""):  # somebody looks at it
        kind, body = "text/html", plain_page(tr("No way in"), text)
    await send({
        "type": "http.response.start", "status": status,
        "headers": [(b"content-type", f"{kind}; charset=utf-8".encode()), *_HEADERS],
    })
    await send({"type": "http.response.body", "body": body.encode()})
