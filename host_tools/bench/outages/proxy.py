"""A TCP proxy between board and broker that stages the outages of a network."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from typing import Any

_REFUSED = b"\x20\x02\x00\x05"  # CONNACK: not authorised
_SLOW_S = 1.0  # a byte


class Proxy:
    """Forwards 127.0.0.1:`port` to the broker's port; a context manager.

    `mode` may be changed at any time, also for connections that exist:
    "pass"; "closed": nobody listens and connections end; "silent": connections are
    accepted and nothing goes through; "slow": a byte per second each way; "refuse": each
    login is refused.
    """

    def __init__(self, upstream_port: int):
        self._upstream_port = upstream_port
        self._mode = "pass"
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self.port = 0
        self.accepted = 0

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(self, *exception: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def set_mode(self, mode: str) -> None:
        self._run(self._set_mode(mode))

    def reset(self) -> None:
        """Break off all connections, with a TCP reset."""
        self._run(self._each(lambda connection: connection.abort()))

    def half_open(self) -> None:
        """The far end of all connections is gone; the board's end does not hear of it."""
        self._run(self._each(lambda connection: connection.forget_upstream()))

    def _run(self, job: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(job, self._loop).result(30)

    async def _each(self, act: Callable[["_Connection"], None]) -> None:
        for connection in list(self._connections):
            act(connection)

    async def _listen(self) -> None:
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", self.port))
        self.port = server.getsockname()[1]
        self._server = await asyncio.start_server(self._accept, sock=server)

    async def _close(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        await self._each(lambda connection: connection.abort())

    async def _set_mode(self, mode: str) -> None:
        self._mode = mode
        if mode == "closed":
            await self._close()
        elif self._server is None:
            await self._listen()
        for connection in self._connections:
            connection.set_mode(mode)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self._mode == "refuse":
            await reader.read(1)
            writer.write(_REFUSED)
            writer.close()
            return
        connection = _Connection(reader, writer, self._mode)
        self._connections.add(connection)
        try:
            await connection.forward(self._upstream_port)
        finally:
            self._connections.discard(connection)


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mode: str):
        self._board = reader, writer
        self._upstream: asyncio.StreamWriter | None = None
        self._open = asyncio.Event()
        self._slow = False
        self._half = False
        self._over = asyncio.Event()
        self.set_mode(mode)

    def set_mode(self, mode: str) -> None:
        self._slow = mode == "slow"
        if mode == "silent":
            self._open.clear()
        else:
            self._open.set()

    def abort(self) -> None:
        self._over.set()
        for writer in (self._board[1], self._upstream):
            if writer and not writer.is_closing():
                handle = writer.get_extra_info("socket")
                handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()

    def forget_upstream(self) -> None:
        self._half = True
        if self._upstream:
            self._upstream.transport.abort()

    async def forward(self, port: int) -> None:
        try:
            await self._open.wait()
            reader, self._upstream = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            self.abort()
            return
        jobs = [
            asyncio.create_task(self._pump(self._board[0], self._upstream)),
            asyncio.create_task(self._pump(reader, self._board[1])),
        ]
        await self._over.wait()
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 if self._slow else 4096):
                await self._open.wait()
                while self._slow and data:
                    writer.write(data[:1])
                    data = data[1:]
                    await asyncio.sleep(_SLOW_S)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        if self._half:
            await self._over.wait()  # the board's end hears nothing of it
        self.abort()
