"""The phone page's server, in a thread of its own.

    with PhoneServer(local_address()) as phone:
        print(phone.address)          # https://192.168.0.7:8738/?t=..., good for one phone
        phone.link.view()
"""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from host_tools.errors import BeckonError
from host_tools.recording.phone.page_message import LONGEST_BYTES
from host_tools.recording.phone.page_source import PhoneLink
from host_tools.studio.phone.access import Access
from host_tools.studio.phone.app import PhoneApp
from host_tools.studio.phone.certificate import Certificate
from host_tools.studio.phone.page import Page

DEFAULT_PORT = 8738
CONNECTIONS = 16  # at once; a browser opens six to one host
_IDLE_S = 15.0  # without a whole request, a connection is closed
_START_S = 30.0


class PhoneServer:
    """address: IPv4, of an interface of this computer. port: None for DEFAULT_PORT, or any if
    that one is taken; 0 for any.

    name: of this computer, which the page shows. Raises BeckonError.
    """

    def __init__(self, address: str, port: int | None = None, name: str = ""):
        self.link = PhoneLink()
        self.access = Access()
        self._listener = _listen(address, port)
        self.port = self._listener.getsockname()[1]
        self.origin = f"https://{address}:{self.port}"
        self.certificate = Certificate(address)
        page = Page(name or socket.gethostname(), self.origin.replace("https", "wss"))
        self._app = PhoneApp(self.access, self.link, page, self.origin)
        config = uvicorn.Config(
            self._app, log_level="critical", lifespan="off", access_log=False,
            server_header=False, date_header=False, proxy_headers=False,
            http=_protocol(), ws="websockets-sansio", ws_max_size=LONGEST_BYTES,
            ws_per_message_deflate=False, ws_ping_interval=10.0, ws_ping_timeout=10.0,
            h11_max_incomplete_event_size=8192, timeout_keep_alive=15,
            timeout_graceful_shutdown=2, backlog=32,
            ssl_context_factory=lambda *_: self.certificate.context,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="phone page")

    @property
    def address(self) -> str:
        """For the QR code, with the token."""
        return f"{self.origin}/?t={self.access.token}"

    def new_code(self) -> None:
        """The old code and the phone that used it are void from now on."""
        self.access.new_code()
        self.link.forget()
        if self._loop:
            self._loop.call_soon_threadsafe(self._app.end_connection)

    def __enter__(self) -> PhoneServer:
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise BeckonError("the phone page does not start on {origin}", origin=self.origin)
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._listener.close()

    def _run(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._ready.set)
            await self._server.serve(sockets=[self._listener])

        asyncio.run(serve())


def _listen(address: str, port: int | None) -> socket.socket:
    for wanted in (DEFAULT_PORT, 0) if port is None else (port,):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, wanted))
            listener.listen(32)
            return listener
        except OSError as error:
            listener.close()
            reason = error.strerror
    raise BeckonError("the phone page cannot be opened on {address} ({reason}): name this "
                      "computer's address with --phone-address", address=address, reason=reason)


def _protocol() -> type[asyncio.Protocol]:
    """HTTP connections that are few, and end when they do not ask for anything."""
    open_ones: set[asyncio.BaseTransport] = set()

    class Protocol(H11Protocol):
        _idle: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(open_ones) >= CONNECTIONS:
                transport.abort()
                return
            open_ones.add(transport)
            self._idle = self.loop.call_later(_IDLE_S, transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            open_ones.discard(self.transport)
            if self._idle:
                self._idle.cancel()
            super().connection_lost(exc)

        def on_response_complete(self) -> None:
            if self._idle:
                self._idle.cancel()
            self._idle = self.loop.call_later(_IDLE_S, self.transport.abort)
            super().on_response_complete()

        def handle_websocket_upgrade(self, event: Any) -> None:
            open_ones.discard(self.transport)  # one at a time: see app.py
            if self._idle:
                self._idle.cancel()
            super().handle_websocket_upgrade(event)

    return Protocol
