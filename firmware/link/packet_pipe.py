"""What umqtt takes for its socket: a buffer that meets whole MQTT packets only.

umqtt.simple writes a packet in pieces and reads its answer at once, both
blocking. Here its writes collect in a buffer, from which a task sends them, and
its reads find bytes that a task has received (or, for an acknowledgement that
the link itself waits for, bytes that the link has put there). So no call of
umqtt ever waits, and none can lose its place in the stream.
"""

import errno


class PacketPipe:
    """size: bytes that can wait to be sent; more raises OSError(ENOBUFS)."""

    def __init__(self, size):
        self._size = size
        self.pending = 0  # bytes written and not taken yet
        self.view = memoryview(bytearray(size))
        self._answer = b""
        self._at = 0

    def room(self, size):
        """Whether so many more bytes can wait now. Raises ValueError if they never can."""
        if size > self._size:
            raise ValueError("a packet of %d bytes; at most %d" % (size, self._size))
        return self.pending + size <= self._size

    def flush(self):
        """What waits to be sent; good until the next write()."""
        n = self.pending
        self.pending = 0
        return self.view[:n]

    def feed(self, answer):
        """Let the next reads find these bytes, and nothing after them."""
        self._answer = answer
        self._at = 0

    # What umqtt calls, on its module `socket` and on the socket made with it.

    def socket(self, *args):
        return self

    def getaddrinfo(self, host, port, *args):
        return ((0, 0, 0, "", (host, port)),)

    def _ignore(self, value=None):
        pass

    connect = setblocking = settimeout = close = _ignore

    def write(self, data, size=None):
        n = len(data) if size is None else size
        end = self.pending + n
        if end > self._size:
            raise OSError(errno.ENOBUFS)
        self.view[self.pending : end] = data if n == len(data) else memoryview(data)[:n]
        self.pending = end
        return n

    def read(self, n):
        if n < 0:
            raise OSError(errno.EINVAL)
        data = bytes(self._answer[self._at : self._at + n])
        self._at += n
        return data
