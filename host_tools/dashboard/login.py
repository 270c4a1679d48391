"""Who may see the dashboard off this computer: names, passwords, sessions.

pwdlib hashes passwords (Argon2id), limits counts attempts, Starlette's SessionMiddleware signs the
cookie. A cookie goes to our pages alone (SameSite=Strict), and a request or WebSocket of another
origin is refused.
"""

import html
import secrets
import time
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Engine, select, update
from starlette.types import ASGIApp, Receive, Scope, Send

from host_tools.errors import BeckonError
from host_tools.store.bulk import insert
from host_tools.store.tables import PERSON
from host_tools.studio.frame.language import QUASAR, language, tr

SESSION_S = 12 * 3600
_SHORTEST = 10
_FORM_BYTES = 4096
_TRIES = "10 per minute"  # of an address, and for a name
_OPEN = ("/login", "/studio/static/", "/dashboard/static/")  # seen without a login


class People:
    """Names and passwords in the store."""

    def __init__(self, engine: Engine):
        from pwdlib import PasswordHash

        self._engine = engine
        self._hasher = PasswordHash.recommended()
        self._nobody = self._hasher.hash(secrets.token_hex())

    def set_password(self, name: str, password: str) -> None:
        """Add a person, or change the password and end that person's sessions."""
        if not 0 < len(name) <= 64 or not name.isprintable():
            raise BeckonError("{name!r} is not a name; write 1 to 64 characters", status=2,
                              name=name)  # fmt: skip
        if len(password) < _SHORTEST:
            raise BeckonError("the password is too short; take {least} characters or more",
                              least=_SHORTEST)  # fmt: skip
        with self._engine.begin() as connection:
            insert(connection, PERSON, ("name", "password_hash", "sessions"),
                   [(name, self._hasher.hash(password), 0)],
                   "(name) DO UPDATE SET password_hash = excluded.password_hash, "
                   "sessions = person.sessions + 1")  # fmt: skip

    def check(self, name: str, password: str) -> int | None:
        """The number of the person's sessions if the password is right. A name that is not known
        takes as long as one that is."""
        with self._engine.connect() as connection:
            row = connection.execute(select(PERSON.c.password_hash, PERSON.c.sessions).where(
                PERSON.c.name == name)).one_or_none()  # fmt: skip
        right, better = self._hasher.verify_and_update(
            password, row.password_hash if row else self._nobody)  # fmt: skip
        if not right or row is None:
            return None
        if better:
            with self._engine.begin() as connection:
                connection.execute(update(PERSON).where(PERSON.c.name == name).values(
                    password_hash=better))  # fmt: skip
        return row.sessions

    def is_current(self, name: str, sessions: int) -> bool:
        with self._engine.connect() as connection:
            return connection.execute(select(PERSON.c.sessions).where(
                PERSON.c.name == name)).scalar() == sessions  # fmt: skip

    def any(self) -> bool:
        with self._engine.connect() as connection:
            return connection.execute(select(PERSON.c.name).limit(1)).scalar() is not None


class LoginGuard:
    """ASGI middleware inside of SessionMiddleware."""

    def __init__(self, app: ASGIApp, people: People):
        self._app = app
        self._people = people

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        origin, host = headers.get("origin"), headers.get("host", "")
        if origin is not None and origin.partition("://")[2] != host:
            await _refuse(scope, receive, send, Response(f"{tr('another site asks')}\n", 403))
        elif scope["path"].startswith(_OPEN) or self._knows(scope["session"]):
            await self._app(scope, receive, send)
        else:
            await _refuse(scope, receive, send, RedirectResponse("/login", 303))

    def _knows(self, session: dict) -> bool:
        name, until_s = session.get("person"), session.get("until_s", 0)
        return isinstance(name, str) and time.time() < until_s and self._people.is_current(
            name, session.get("sessions", -1))  # fmt: skip


async def _refuse(scope: Scope, receive: Receive, send: Send, answer: Response) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4403})
    else:
        await answer(scope, receive, send)


def add_login(app: FastAPI, people: People) -> None:
    """The pages /login and /logout."""
    import anyio
    from limits import parse
    from limits.storage import MemoryStorage
    from limits.strategies import MovingWindowRateLimiter

    limiter, rate = MovingWindowRateLimiter(MemoryStorage()), parse(_TRIES)

    @app.get("/login")
    def form(request: Request) -> Response:
        token = request.session["form"] = secrets.token_urlsafe(18)
        return _page(token)

    @app.post("/login")
    async def enter(request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _FORM_BYTES:
                return Response("too long\n", 413)
        fields = parse_qs(body.decode("utf-8", "replace"))
        name, password, token = (fields.get(key, [""])[0] for key in ("name", "password", "form"))
        expected = request.session.get("form", "")
        if not expected or not secrets.compare_digest(expected.encode(), token.encode()):
            return _page(_fresh(request), tr("The page was too old. Try again."), 403)
        address = request.client.host if request.client else ""
        if not (limiter.hit(rate, "from", address) and limiter.hit(rate, "name", name)):
            return _page(_fresh(request), tr("Too many attempts. Wait a minute."), 429)
        sessions = await anyio.to_thread.run_sync(people.check, name, password)
        if sessions is None:
            return _page(_fresh(request), tr("Name or password is wrong."), 401)
        request.session.clear()
        request.session.update(person=name, sessions=sessions,
                               until_s=int(time.time()) + SESSION_S)  # fmt: skip
        return RedirectResponse("/", 303)

    @app.get("/logout")
    def leave(request: Request) -> Response:
        request.session.clear()
        return RedirectResponse("/login", 303)


def _fresh(request: Request) -> str:
    token = request.session["form"] = secrets.token_urlsafe(18)
    return token


def _page(token: str, fault: str = "", status: int = 200) -> HTMLResponse:
    said = f'<p class="bk-message" role="alert">{html.escape(fault)}</p>' if fault else ""
    return HTMLResponse(
        f'<!doctype html><html lang="{QUASAR[language()]}"><head><meta charset="utf-8">'
        '<title>Beckon</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<script src="/studio/static/theme.js"></script>'
        '<link rel="stylesheet" href="/studio/static/studio.css">'
        '<link rel="stylesheet" href="/dashboard/static/dashboard.css"></head><body>'
        '<main class="bd-login bk-card">'
        f'<h1 class="bk-title">{html.escape(tr("Beckon dashboard"))}</h1>' + said +
        '<form method="post" action="/login">'
        f'<input type="hidden" name="form" value="{html.escape(token)}">'
        f'<label>{html.escape(tr("Name"))}<input name="name" autocomplete="username" autofocus '
        f'required></label><label>{html.escape(tr("Password"))}<input name="password" '
        'type="password" autocomplete="current-password" required></label>'
        f'<button>{html.escape(tr("Log in"))}</button></form></main></body></html>',
        status, {"cache-control": "no-store"},
    )  # fmt: skip
