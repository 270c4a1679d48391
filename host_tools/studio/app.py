"""Beckon Studio's server: one project at a time, on loopback, its pages in the browser.

    serve(Project.open("my-gestures"), listen(8737), lambda new_address: print(new_address()))

A page has a folder of its own: start, data, record, label, train, watch. Its page.py has
page(project, ...), which builds the content with nicegui.ui inside the frame (frame/layout.py:
header, navigation, theme, line of hints). session.py or editor.py does the work and knows no
browser. NAME.css lies beside it. Pages import frame and signal, never each other; workspace.py
gives each the sessions that it uses.

Each tab has its own content; tabs share the project and the sessions. Work that takes more than
some 20 ms goes to a thread (await nicegui.run.io_bound(f, ...)), because the event loop also
carries the live plot. Show a BeckonError with layout.message(str(error)) in the page, or with
widgets.warn(error) over it, never as HTML. Show names of files and labels with ui.label and the
like, never with ui.html.

    project     frame/project.py: folder, recordings(), recording(name), labels, models(),
                form(name) for a page's fields, inside(...) for paths to write, feeds
    labels      project.labels, a label_store.LabelStore: actions, undo, autosave. The Train page
                relabels through it. Raises BeckonError if labels.csv is broken: show it
    signals     signal/signal_view.py: recordings, live data, spans, flags, score curves
    live        signal/live_feed.py: project.feeds.open("record", rate_hz, axes),
                feed.push(samples)
    keys        frame/shortcuts.py: key() and key_button(): a key, its hint, its button
    words       frame/language.py: tr("English text {name}", name=...) for all visible words
    looks       frame/theme.py and static/studio.css: classes bk-card, bk-row, bk-title, bk-big,
                bk-quiet, bk-good, bk-bad, bk-warn; colours var(--ink), var(--accent), ...
    empty page  layout.empty_state(icon, title, what to do first, action=, target=)

Access: frame/access.py (Host, Origin, cookie). Nothing comes from elsewhere: a policy in every
answer makes the browser refuse it, and a test looks at the browser's network log.
"""
from __future__ import annotations

import asyncio
import inspect
import socket
import sys
import traceback
import webbrowser
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nicegui
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from nicegui import ui
from starlette.types import ASGIApp, Message

from host_tools.device.settings import default_folder
from host_tools.errors import BeckonError
from host_tools.studio.frame import layout
from host_tools.studio.frame.access import AccessGuard, Keys, cookie_name
from host_tools.studio.frame.coming_back import ComingBack, KeptSecrets
from host_tools.studio.frame.language import QUASAR, LanguageOfRequest, language, tr
from host_tools.studio.frame.plain_page import plain_page
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.routes import STATIC, add_routes
from host_tools.studio.phone.server import PhoneServer
from host_tools.studio.start.page import StartPages
from host_tools.studio.start.projects import KnownProjects
from host_tools.studio.workspace import Workspace

DEFAULT_PORT = 8737
NewAddress = Callable[..., str]  # (on_used) -> address


def make_app(project: Project | None, port: int, keys: Keys, folder: Path,
             phone: PhoneServer | None = None) -> FastAPI:
    """The ASGI application; once per process, as NiceGUI has one set of pages.

    project: the one to open at once; without one the start page comes first. folder: whose
    projects the start page lists until another folder is chosen there.
    """
    app = FastAPI(openapi_url=None)
    workspace = Workspace(phone)
    known = KnownProjects(default_folder() / "studio.json", folder)

    def open_project(wanted: Project) -> None:
        """Open it and say so to the other tabs, which show the one before."""
        before = workspace.project
        workspace.open(wanted)
        known.remember(wanted.folder)
        if before is not None and before is not workspace.project:
            for client in list(nicegui.Client.instances.values()):
                if client.has_socket_connection and client is not nicegui.context.client:
                    client.run_javascript("location.assign('/start')")

    if project is not None:
        workspace.open(project)
        known.remember(project.folder)
    add_routes(app, lambda: workspace.project, workspace.uploads)
    for name, _, _, _ in layout.PAGES:
        _add_page(name, workspace)
    start = StartPages(known, workspace.uploads, open_project)
    start.add_routes(app)
    _add_page("start", workspace, start.page)
    nicegui.app.on_shutdown(workspace.close)

    async def nowhere(request: Request, error: Exception) -> Response:
        """For an address that leads nowhere; who asks for a script or a file gets few words."""
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse("not found\n", 404)
        return HTMLResponse(plain_page(
            tr("This page does not exist"),
            tr("{address} leads nowhere in Beckon Studio.", address=request.url.path),
            (("/", tr("To the open project")), ("/start", tr("All projects")))), 404)

    app.add_exception_handler(404, nowhere)
    nicegui.app.add_exception_handler(404, nowhere)

    @app.get("/")
    def home() -> RedirectResponse:
        found = workspace.project
        if found is None:
            return RedirectResponse("/start", 303)
        return RedirectResponse("/label" if found.recordings() else "/record", 303)

    ui.run_with(app, favicon=STATIC / "favicon.svg", dark=None, tailwind=False,
                binding_refresh_interval=None, gzip_middleware_factory=None,
                show_welcome_message=False, reconnect_timeout=5)
    app.add_middleware(AccessGuard, port=port, keys=keys)
    app.add_middleware(LanguageOfRequest)  # the last one added comes first
    return app


class _Page(ui.page):
    """A page whose words, and NiceGUI's own, are in the language of the request."""

    def resolve_language(self) -> Any:
        return QUASAR[language()]


def _add_page(name: str, workspace: Workspace,
              content: Callable[[Project | None], Any] | None = None) -> None:
    """content: what builds it; None for a page of the open project, which needs one."""

    async def build() -> RedirectResponse | None:
        project = workspace.project
        if project is None and content is None:
            return RedirectResponse("/start", 303)
        ui.page_title(" · ".join(filter(None, (
            layout.page_title(name), project.name if project else "", "Beckon Studio"))))
        with layout.frame(project, name):
            try:
                built = content(project) if content else workspace.contents[name]()
                if inspect.isawaitable(built):
                    await built
            except BeckonError as error:  # of a broken file, say: a message, not a broken page
                layout.message(str(error))
            except Exception as error:
                traceback.print_exc()
                layout.message(tr(
                    "{error} (a bug in Beckon: report it with the lines on the terminal)",
                    error=f"{type(error).__name__}: {error}"))
        return None

    _Page(f"/{name}")(build)


def kept_secrets() -> KeptSecrets:
    return KeptSecrets(default_folder() / "studio-pages.json")


def listen(port: int | None, before: int | None = None) -> socket.socket:
    """A socket on loopback: port, or without one that of the run before, DEFAULT_PORT, or any.

    Raises BeckonError if the given port is taken.
    """
    usual = (before, DEFAULT_PORT, 0) if before else (DEFAULT_PORT, 0)
    for wanted in usual if port is None else (port,):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", wanted))
            return listener
        except OSError as error:
            listener.close()
            if port is not None:
                raise BeckonError("port {port} cannot be used ({reason}): choose another with "
                                  "--port", status=2, port=port, reason=error.strerror) from None
    raise BeckonError("no free port on 127.0.0.1")


def serve(project: Project | None, listener: socket.socket,
          ready: Callable[[NewAddress], None], folder: Path | None = None,
          phone: PhoneServer | None = None, coming_back: ComingBack | None = None) -> None:
    """Serve until interrupted. project, folder: as for make_app (default: this folder). phone:
    the phone page's server, already entered. coming_back: lets the pages of the run before in.

    ready is called once pages can be opened, with a function that makes an address for one
    browser; it takes what to call when the address was used.
    """
    port = listener.getsockname()[1]
    keys = Keys(coming_back)
    layout.share_secret(coming_back.secret if coming_back else "")
    app = make_app(project, port, keys, folder or Path.cwd(), phone)
    config = uvicorn.Config(app, log_level="warning", ws_max_size=64 << 20, lifespan="on",
                            timeout_graceful_shutdown=2, access_log=False, server_header=False)

    async def started() -> None:
        await _build_once(app, port, keys.session)
        ready(new_address)

    def new_address(on_used: Callable[[], None] = lambda: None) -> str:
        return f"http://127.0.0.1:{port}/?token={keys.new_token(on_used)}"

    asyncio.run(_Server(config, started).serve(sockets=[listener]))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], Awaitable[None]]):
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            await self._ready()


async def _build_once(app: ASGIApp, port: int, session: str) -> None:
    """Build a page that nobody sees: the first one takes 0.1 s more, for its imports."""
    path = "/start"
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "client": ("127.0.0.1", port), "server": ("127.0.0.1", port),
        "headers": [(b"host", f"127.0.0.1:{port}".encode()),
                    (b"cookie", f"{cookie_name(port)}={session}".encode())],
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        pass

    await app(scope, receive, send)


def open_browser(address: str) -> None:
    """Open the address in your browser, if there is one."""
    try:
        if not webbrowser.open(address):
            print("no browser found: open the address yourself", file=sys.stderr)
    except webbrowser.Error as error:
        print(f"the browser did not open ({error}): open the address yourself", file=sys.stderr)
