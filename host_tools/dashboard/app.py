"""The dashboard's server.

On loopback a browser gets in by the address that is printed, as in Studio. Elsewhere everybody
logs in, and the connection needs TLS, or a proxy in front that has it.
"""

import asyncio
import os
import secrets
import socket
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from nicegui import ui
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from starlette.background import BackgroundTask
from starlette.middleware.sessions import SessionMiddleware

from host_tools.dashboard import exports, health, pages, rollout_page
from host_tools.dashboard.feed import Feed
from host_tools.dashboard.filters import View
from host_tools.dashboard.frame import PAGES, STATIC, frame
from host_tools.dashboard.login import SESSION_S, LoginGuard, People, add_login
from host_tools.dashboard.reading import now_ms
from host_tools.dashboard.tab import Tab
from host_tools.errors import BeckonError
from host_tools.mqtt.address import is_only_here
from host_tools.store.database import reason, shown
from host_tools.studio.frame.access import AccessGuard, Keys
from host_tools.studio.frame.language import QUASAR, LanguageOfRequest, language, tr
from host_tools.studio.frame.layout import message
from host_tools.studio.frame.routes import STATIC as STUDIO_STATIC
from host_tools.studio.frame.routes import STUDIO, FreshFiles

DEFAULT_PORT = 8738


@dataclass(frozen=True)
class Address:
    """Where to listen. cert, key: of TLS. proxy: something in front has TLS."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    cert: Path | None = None
    key: Path | None = None
    proxy: bool = False

    @property
    def local(self) -> bool:
        return is_only_here(self.host) and not self.proxy


def make_app(engine: Engine, port: int, keys: Keys | None, secure: bool) -> FastAPI:
    """Once per process. keys: of a browser on this computer; None: everybody logs in."""
    app = FastAPI(openapi_url=None)
    app.mount("/studio", FreshFiles(directory=STUDIO))
    app.mount("/dashboard/static", StaticFiles(directory=STATIC))
    feed = Feed(engine)
    contents: dict[str, Callable[[Tab, View, str], Awaitable[None]]] = {
        "": lambda tab, view, person: pages.gestures(engine, tab, view, person),
        "devices": lambda tab, view, person: pages.devices(engine, tab, view),
        "rollouts": lambda tab, view, person: rollout_page.page(engine, tab, person),
        "health": lambda tab, view, person: health.page(tab),
    }
    for name, title, _ in PAGES:
        _add_page(name, title, engine, feed, contents[name])
    _add_exports(app, engine)
    ui.run_with(app, favicon=STUDIO_STATIC / "favicon.svg", dark=None, tailwind=False,
                binding_refresh_interval=None, gzip_middleware_factory=None,
                show_welcome_message=False, reconnect_timeout=5)  # fmt: skip
    if keys is not None:
        app.add_middleware(AccessGuard, port=port, keys=keys, name="the Beckon dashboard",
                           command="beckon dashboard")  # fmt: skip
    else:
        people = People(engine)
        add_login(app, people)
        app.add_middleware(LoginGuard, people=people)
        app.add_middleware(SessionMiddleware, secret_key=secrets.token_urlsafe(32),
                           session_cookie="beckon_dashboard", max_age=SESSION_S,
                           same_site="strict", https_only=secure)  # fmt: skip
    app.add_middleware(LanguageOfRequest)  # the last one added comes first
    return app


class _Page(ui.page):
    """A page whose words, and NiceGUI's own, are in the language of the request."""

    def resolve_language(self) -> Any:
        return QUASAR[language()]


def _add_page(name: str, title: str, engine: Engine, feed: Feed,
              content: Callable[[Tab, View, str], Awaitable[None]]) -> None:  # fmt: skip
    async def build(request: Request) -> None:
        ui.page_title(f"{tr(title, about='page')} · Beckon")
        view = View.of(request.query_params)
        session: dict[str, Any] = request.scope.get("session") or {}
        person = str(session.get("person", ""))
        with frame(name, view, shown(engine), person):
            try:
                await content(Tab(feed), view, person)
            except DBAPIError as error:
                message(tr("The store does not answer: {reason}. Load the page again later.",
                           reason=reason(error).rstrip(".")))  # fmt: skip
            except Exception as error:
                traceback.print_exc()
                message(tr("{error}: a bug in Beckon; report it with the lines on the terminal",
                           error=type(error).__name__))  # fmt: skip

    _Page(f"/{name}", response_timeout=30)(build)


def _add_exports(app: FastAPI, engine: Engine) -> None:
    def wanted(request: Request) -> Any:
        return View.of(request.query_params).filter(now_ms())

    @app.get("/export.csv")
    def as_csv(request: Request) -> Response:
        return StreamingResponse(
            exports.as_csv(engine, wanted(request)), media_type="text/csv; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="beckon-events.csv"'})

    @app.get("/false-alarms.zip")
    def as_negatives(request: Request) -> Response:
        path = exports.as_negatives(engine)
        return FileResponse(path, filename="beckon-false-alarms.zip",
                            background=BackgroundTask(os.unlink, path))  # fmt: skip

    @app.get("/export.parquet")
    def as_parquet(request: Request) -> Response:
        path = exports.as_parquet(engine, wanted(request))
        return FileResponse(path, filename="beckon-events.parquet",
                            background=BackgroundTask(os.unlink, path))  # fmt: skip


def listen(address: Address, fixed: bool) -> socket.socket:
    """fixed: the port was named; else any is taken if it is in use. Raises BeckonError."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    for port in (address.port,) if fixed else (address.port, 0):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address.host, port))
            return listener
        except OSError as error:
            listener.close()
            fault = error
    raise BeckonError("{address}, port {port} cannot be used ({reason}): choose another with "
                      "--host and --port", status=2, address=address.host, port=address.port,
                      reason=fault.strerror)  # fmt: skip


def serve(engine: Engine, address: Address, listener: socket.socket,
          ready: Callable[[str], None]) -> None:  # fmt: skip
    """Until interrupted. ready is called with the address to open. Raises BeckonError."""
    port = listener.getsockname()[1]
    keys = Keys() if address.local else None
    if keys is None:
        _demand_safety(engine, address)
    app = make_app(engine, port, keys, secure=True)
    options: dict[str, Any] = {}
    if address.cert:
        options = {"ssl_certfile": str(address.cert), "ssl_keyfile": str(address.key)}
    config = uvicorn.Config(app, log_level="warning", lifespan="on", timeout_graceful_shutdown=2,
                            access_log=False, server_header=False, proxy_headers=address.proxy,
                            **options)  # fmt: skip
    if keys:
        url = f"http://127.0.0.1:{port}/?token={keys.new_token()}"
    else:
        url = f"http{'s' if address.cert else ''}://{address.host}:{port}/"
    asyncio.run(_Server(config, lambda: ready(url)).serve(sockets=[listener]))


def _demand_safety(engine: Engine, address: Address) -> None:
    if bool(address.cert) != bool(address.key):
        raise BeckonError("a certificate and its key go together: name both", status=2)
    if not (address.cert or address.proxy):
        raise BeckonError("off this computer passwords need TLS: name --cert and --key, or put a "
                          "proxy with TLS in front and say --proxy", status=2)  # fmt: skip
    if not People(engine).any():
        raise BeckonError("nobody can log in yet: add a person with beckon dashboard --add-person "
                          "NAME")  # fmt: skip


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]):
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()
