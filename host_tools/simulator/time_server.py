"""A time server (SNTP, RFC 4330) on loopback, for boards that are simulated or tested."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_1900_TO_1970_S = 2208988800
_REQUEST_BYTES = 48


@contextmanager
def time_server() -> Iterator[str]:
    """Serve this computer's time as long as the context lasts; gives `host:port`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        address = server.getsockname()
        thread = threading.Thread(target=_serve, args=(server,), name="time server", daemon=True)
        thread.start()
        try:
            yield f"{address[0]}:{address[1]}"
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
                stopper.sendto(b"", address)  # an empty one ends it
            thread.join()


def _serve(server: socket.socket) -> None:
    while True:
        request, peer = server.recvfrom(512)
        if not request:
            return
        if len(request) >= _REQUEST_BYTES:
            server.sendto(_reply(request, time.time_ns()), peer)


def _reply(request: bytes, unix_ns: int) -> bytes:
    """Version 4, mode 4 (server), stratum 1; the request's transmit time comes back (4)."""
    seconds, rest_ns = divmod(unix_ns, 1_000_000_000)
    transmit = struct.pack(">II", seconds + _1900_TO_1970_S & 0xFFFFFFFF, (rest_ns << 32) // 10**9)
    return b"\x24\x01\x06\xec" + bytes(20) + request[40:48] + transmit + transmit
