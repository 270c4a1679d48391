"""The sensor's FIFO: bytes, not frames, as the register map describes it."""
from __future__ import annotations


class Fifo:
    """`size` bytes. When full it drops the oldest bytes, or with `stop` the new ones.

    Bytes, not frames: after an overflow in overwrite mode the first byte may lie
    inside a frame, and in stop mode the last frame may be cut short. Whether the
    real chip drops whole frames is not documented; this is the worst case.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.lost_bytes = 0
        """Bytes that an overflow dropped, ever."""
        self._bytes = bytearray()
        self._last = 0

    def __len__(self) -> int:
        return len(self._bytes)

    def clear(self) -> None:
        self._bytes.clear()

    def push(self, data: bytes, stop: bool) -> bool:
        """Append data; True when bytes were lost."""
        self._bytes += data
        over = len(self._bytes) - self.size
        if over <= 0:
            return False
        if stop:
            del self._bytes[self.size :]
        else:
            del self._bytes[:over]
        self.lost_bytes += over
        return True

    def pop(self, n: int) -> bytes:
        """n bytes; an empty FIFO gives its last byte again (RM 4.37)."""
        out = bytes(self._bytes[:n])
        del self._bytes[:n]
        if out:
            self._last = out[-1]
        return out + bytes((self._last,)) * (n - len(out))

    def drop(self, n: int) -> None:
        """Lose n bytes from the front, as a fault does."""
        del self._bytes[:n]
