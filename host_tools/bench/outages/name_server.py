"""A name server on loopback that knows one name, 127.0.0.1, and can fall silent."""

import socket
import threading

_ANSWER = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x01"


class NameServer:
    """A context manager; `address` is host:port. silent: give no answers."""

    def __init__(self, name: str):
        self._wanted = b"".join(bytes((len(p),)) + p.encode() for p in name.split(".")) + b"\0"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        host, port = self._socket.getsockname()
        self.address = f"{host}:{port}"
        self.silent = False
        self._thread = threading.Thread(target=self._serve, name="name server", daemon=True)

    def __enter__(self) -> "NameServer":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
            stopper.sendto(b"", self._socket.getsockname())  # an empty one ends it
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, peer = self._socket.recvfrom(512)
            if not query:
                return
            if not self.silent:
                self._socket.sendto(self._reply(query), peer)

    def _reply(self, query: bytes) -> bytes:
        """RFC 1035: the address, or that there is no such name (3)."""
        if query[12 : 12 + len(self._wanted)] == self._wanted:
            return query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + query[12:] + _ANSWER
        return query[:2] + b"\x81\x83\0\1\0\0\0\0\0\0" + query[12:]
