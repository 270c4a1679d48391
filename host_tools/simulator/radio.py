"""The other end of the radios of simulated boards: a Bluetooth central, and the air of ESP-NOW.

Stand-ins and host talk by files beside the stand-ins, a line for each thing. Bytes are
hexadecimal digits, "-" for none. What a board does stands in *.out behind its uptime in ms:

    bluetooth.out   adv INTERVAL_US CONNECTABLE DATA RESPONSE     stop
                    service UUID      characteristic HANDLE UUID FLAGS
                    descriptor HANDLE UUID FLAGS
                    value HANDLE DATA     notify CONNECTION HANDLE DATA
                    config NAME=VALUE,..  refused CONNECTION
                    stored 0|1            secret DATA|none
    bluetooth.in    connect CONNECTION ADDRESS    disconnect CONNECTION
                    subscribe CONNECTION HANDLE   write CONNECTION HANDLE DATA
                    encrypt CONNECTION            notify_faults COUNT
                    set_secret KIND KEY DATA|none     get_secret KIND INDEX KEY|none
    espnow.out      send MAC CHANNEL KEY FRAME
    espnow.in       MAC KEY FRAME
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_LOOK_S = 0.005


def to_hex(data: bytes) -> str:
    return data.hex() or "-"


def from_hex(text: str) -> bytes:
    return b"" if text == "-" else bytes.fromhex(text)


@dataclass(frozen=True)
class Sent:
    """One thing that a board did. uptime_ms: of the board."""

    uptime_ms: int
    word: str
    rest: tuple[str, ...]


class Tap:
    """Reads what a board writes to one file, from now on or from the start."""

    def __init__(self, path: Path):
        self._path = path
        self._at = 0

    def read(self) -> list[Sent]:
        """Whole lines that have come since the last call."""
        if not self._path.exists():
            return []
        with open(self._path, "rb") as file:
            file.seek(self._at)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._at += len(whole)
        found = []
        for line in whole.decode().splitlines():
            uptime_ms, word, *rest = line.split(" ")
            found.append(Sent(int(uptime_ms), word, tuple(rest)))
        return found


class Central:
    """A phone or computer near one board. folder: SimulatedBoard.radio_folder."""

    def __init__(self, folder: Path):
        self._path = folder / "bluetooth.in"
        self._tap = Tap(folder / "bluetooth.out")
        self.seen: list[Sent] = []

    def look(self) -> list[Sent]:
        """All that the board has done so far."""
        self.seen += self._tap.read()
        return self.seen

    def all(self, word: str) -> list[Sent]:
        return [one for one in self.look() if one.word == word]

    def do(self, *words: object) -> None:
        """One line for the board's stack, see above; bytes become digits."""
        texts = (to_hex(word) if isinstance(word, bytes) else str(word) for word in words)
        with open(self._path, "a") as file:
            file.write(" ".join(texts) + "\n")

    def handle(self, uuid: bytes, nth: int = 0) -> int:
        """The handle of the nth characteristic with a UUID, as its bytes lie on the air."""
        found = [int(one.rest[0]) for one in self.all("characteristic")
                 if from_hex(one.rest[1]) == uuid]  # fmt: skip
        return found[nth]

    def value(self, handle: int) -> bytes:
        """What a client would read."""
        return [from_hex(one.rest[1]) for one in self.all("value")
                if int(one.rest[0]) == handle][-1]  # fmt: skip

    def notified(self, handle: int, connection: int | None = None) -> list[bytes]:
        """What came as notifications."""
        return [from_hex(one.rest[2]) for one in self.all("notify")
                if int(one.rest[1]) == handle
                and connection in (None, int(one.rest[0]))]  # fmt: skip


class Air(threading.Thread):
    """Carries ESP-NOW frames between boards that are on the same channel.

    boards: MAC -> folder. channels: MAC -> the channel that a board listens on, if it is not the
    one that it last sent on. passes: called with (from, to, frame) in each case; returns the frames
    that arrive, so a test can lose, change, repeat and record them.
    """

    def __init__(
        self,
        boards: dict[bytes, Path],
        channels: dict[bytes, int],
        passes: Callable[[bytes, bytes, bytes], list[bytes]] | None = None,
    ):
        super().__init__(name="air", daemon=True)
        self._boards = boards
        self._channels = dict(channels)
        self._passes = passes or (lambda source, target, frame: [frame])
        self._taps = {mac: Tap(folder / "espnow.out") for mac, folder in boards.items()}
        self._end = threading.Event()

    def run(self) -> None:
        fixed = set(self._channels)
        while not self._end.wait(_LOOK_S):
            for source, tap in self._taps.items():
                for one in tap.read():
                    target, channel = from_hex(one.rest[0]), int(one.rest[1])
                    if source not in fixed:
                        self._channels[source] = channel
                    if target in self._boards and self._channels.get(target) == channel:
                        for frame in self._passes(source, target, from_hex(one.rest[3])):
                            self.deliver(source, target, frame, one.rest[2])

    def deliver(self, source: bytes, target: bytes, frame: bytes, key: str = "-") -> None:
        """Let a frame arrive. key: what it is encrypted with, as digits."""
        with open(self._boards[target] / "espnow.in", "a") as file:
            file.write(f"{to_hex(source)} {key} {to_hex(frame)}\n")

    def close(self) -> None:
        self._end.set()
        self.join(5)
