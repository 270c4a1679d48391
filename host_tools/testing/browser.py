"""Start Studio as a process and drive it in a real browser: for tests and measurements.

    with chromium() as browser, Studio(folder) as studio, open_tab(browser, studio) as tab:
        tab.go("/label")
        tab.page.keyboard.press("n")

Needs the package playwright, which brings no browser of its own: see
toolchain/browser.py. Raises BeckonError when there is no browser.
"""
from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from host_tools.errors import BeckonError
from host_tools.paths import REPOSITORY

_TIMEOUT_MS = 120_000  # of each wait: a busy computer may take long

_START_TIMEOUT_S = 120  # a cold start on a busy computer
_COMMAND = (
    "import sys; from host_tools.cli import app, studio; "
    "sys.exit(studio.run(app.make_parser('studio', studio).parse_args(sys.argv[1:])))"
)

DASHBOARD = (
    "import sys; from host_tools.cli import app, dashboard; sys.exit(dashboard.run("
    "app.make_parser('dashboard', dashboard).parse_args(['--store', *sys.argv[1:]])))"
)
"""In place of Studio's command: the dashboard, whose folder is a store."""

# A script's promise of two times in ms since 1970: when the first text or picture was on the
# screen, and when the page was asked for.
FIRST_PAINT = """() => new Promise((done) => new PerformanceObserver((list, self) => {
  const [first] = list.getEntriesByName('first-contentful-paint');
  if (!first) return;
  self.disconnect();
  done([performance.timeOrigin + first.startTime, performance.timeOrigin]);
}).observe({type: 'paint', buffered: true}))"""


class Studio:
    """The process. address: what `beckon studio` printed, good for one browser; address_used:
    whether that browser has come.

    folder: of the project; None for the start page. home: where it is started.
    """

    def __init__(self, folder: Path | str | None, *options: str, command: str = _COMMAND,
                 home: Path = REPOSITORY):
        named = [] if folder is None else [str(folder)]
        self._process = self._start(command, [*named, "--no-browser", "--port", "0", *options],
                                    home)
        self.said: list[str] = []  # on stderr
        self.address_used = False
        self._cookie = ""
        lines: queue.Queue[str] = queue.Queue()
        assert self._process.stdout is not None and self._process.stderr is not None
        for stream, take in ((self._process.stdout, lines.put), (self._process.stderr,
                                                                 self.said.append)):
            threading.Thread(target=_drain, args=(stream, take), daemon=True).start()
        try:
            self.address = lines.get(timeout=_START_TIMEOUT_S).strip()
        except queue.Empty:
            self.close()
            raise BeckonError(f"Studio did not start: {' '.join(self.said)}") from None
        if not self.address.startswith("http://"):
            self.close()
            raise BeckonError(f"Studio did not start: {self.address} {' '.join(self.said)}")

    def _start(self, command: str, arguments: list[str], home: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", command, *arguments], cwd=home, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )

    @property
    def origin(self) -> str:
        return self.address.split("/?")[0]

    @property
    def pid(self) -> int:
        return self._process.pid

    def cookie(self) -> str:
        """`name=value`, for requests as from a browser that has used the address."""
        if not self._cookie:
            assert not self.address_used
            self.address_used = True
            with urlopen(self.address, timeout=_START_TIMEOUT_S) as answer:
                self._cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return self._cookie

    def kill(self) -> None:
        """As a power cut would: no clean-up runs."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _drain(stream: Any, take: Any) -> None:
    try:
        for line in stream:
            take(line)
    except ValueError:
        pass  # closed meanwhile
    take("")


@contextmanager
def chromium(*arguments: str) -> Iterator[Any]:
    """A headless browser, playwright's Browser. Raises BeckonError."""
    from host_tools.toolchain.browser import browser_command

    try:
        from playwright.sync_api import Error, sync_playwright
    except ModuleNotFoundError:
        raise BeckonError("the Python package playwright is missing: ./beckon test installs it") \
            from None
    found = browser_command()
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=found.path, env=dict(found.env),
                args=["--no-sandbox", "--enable-precise-memory-info", "--js-flags=--expose-gc",
                      *arguments],
            )
        except Error as error:
            raise BeckonError(
                f"{found.path} does not start: {str(error).splitlines()[0]}"
            ) from None
        try:
            yield browser
        finally:
            browser.close()


class Tab:
    """A page of its own (cookies, storage), and what it asked for and complained of."""

    def __init__(self, page: Any):
        self.page = page
        self.studio: Studio | None = None
        self.requests: list[str] = []
        self.faults: list[str] = []
        page.on("request", lambda r: self.requests.append(r.url))
        page.on("websocket", lambda w: self.requests.append(w.url))
        page.on("pageerror", lambda e: self.faults.append(f"page: {e}"))
        page.on("console", self._console)

    def enter(self, studio: Studio) -> None:
        """Open Studio by the address that it printed."""
        self.studio = studio
        if not studio.address_used:
            studio.address_used = True
            self.page.goto(studio.address)
        else:
            self.let_in(studio)
            self.page.goto(studio.origin)

    def let_in(self, studio: Studio) -> None:
        """As enter(), without opening a page yet."""
        self.studio = studio
        name, _, value = studio.cookie().partition("=")
        self.page.context.add_cookies([{
            "name": name, "value": value,
            "url": studio.origin, "httpOnly": True, "sameSite": "Strict",
        }])

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def go(self, path: str) -> None:
        """Open a page of Studio and wait until it can be used."""
        assert self.studio is not None
        self.page.goto(self.studio.origin + path)
        self.wait_until_usable()

    def wait_until_usable(self) -> None:
        """Until the page obeys: its scripts have come and it is connected."""
        self.page.wait_for_function(
            "window.socket?.connected && !document.getElementById('bk-first')")

    def wait_for_signal(self) -> None:
        """Until a recording is drawn."""
        self.page.wait_for_function(
            "document.querySelector('.bk-signal')?.signalView?.open_ms")

    def signal(self) -> dict[str, Any]:
        """What static/signal_view.js says of itself."""
        return self.page.evaluate("document.querySelector('.bk-signal').signalView.stats()")

    def strangers(self) -> list[str]:
        """What the page asked for anywhere but at Studio."""
        assert self.studio is not None
        own = urlsplit(self.studio.origin).netloc
        return [u for u in self.requests
                if urlsplit(u).netloc != own and urlsplit(u).scheme not in ("data", "blob")]


@contextmanager
def open_tab(browser: Any, studio: Studio | None, *, width: int = 1280, height: int = 800,
             theme: str = "light", touch: bool = False,
             locale: str = "en-US") -> Iterator[Tab]:
    """A tab of its own window size, colour scheme and language (locale); empty until enter() if
    studio is None."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, has_touch=touch,
        locale=locale,
        reduced_motion="reduce",
    )
    context.set_default_timeout(_TIMEOUT_MS)
    try:
        tab = Tab(context.new_page())
        if studio is not None:
            tab.let_in(studio)
        yield tab
    finally:
        context.close()
