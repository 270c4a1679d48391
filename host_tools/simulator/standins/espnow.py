"""Stand-in for `espnow`: what is sent goes to the file espnow.out beside the stand-ins, what
comes in is in espnow.in; host_tools/simulator/radio.py carries it between boards.

Errors are those of ports/esp32/modespnow.c.
"""

import sys

import board_clock as clock
import network
from micropython import const

MAX_DATA_LEN = 250
KEY_LEN = 16
_MOST_PEERS = const(20)
_MOST_ENCRYPTED = const(6)
_BUFFER = const(526)  # rxbuf: two packets of the largest size
_OVERHEAD = const(12)  # of a packet in it

_NAMES = {
    12389: "NOT_INIT",
    12391: "NO_MEM",
    12392: "FULL",
    12393: "NOT_FOUND",
    12395: "EXIST",
    12396: "IF",
}


class ESPNow:
    """One object on a real board; here as well, since its state is kept in the class."""

    _active = False
    _pmk = b""
    _peers = {}  # mac: key
    _received = []
    _dropped = 0

    def active(self, x=None):
        if x is not None:
            ESPNow._active = bool(x)
            if not x:
                self._peers.clear()
        return self._active

    def _need_active(self):
        if not self._active:
            _fail(12389)

    def config(self, *args, **options):
        self._need_active()

    def set_pmk(self, pmk):
        self._need_active()
        if len(pmk) != KEY_LEN:
            raise ValueError("PMK must be 16 bytes")
        ESPNow._pmk = bytes(pmk)

    def add_peer(self, mac, lmk=b"", channel=0, ifidx=0, encrypt=None):
        self._need_active()
        if len(mac) != 6:
            raise ValueError("MAC must be 6 bytes")
        if lmk and len(lmk) != KEY_LEN:
            raise ValueError("LMK must be 16 bytes")
        if bytes(mac) in self._peers:
            _fail(12395)
        encrypted = sum(bool(key) for key in self._peers.values())
        if len(self._peers) >= _MOST_PEERS or (lmk and encrypted >= _MOST_ENCRYPTED):
            _fail(12392)
        self._peers[bytes(mac)] = bytes(self._pmk + lmk) if lmk else b""

    def send(self, mac, msg, sync=True):
        self._need_active()
        if not 0 < len(msg) <= MAX_DATA_LEN:
            raise ValueError("msg must be 1 to 250 bytes")
        if not network.is_active():
            _fail(12396)
        if bytes(mac) not in self._peers:
            _fail(12393)
        _out.write(
            "%d send %s %d %s %s\n"
            % (
                clock.now_us() // 1000,
                _hex(mac),
                network.channel(),
                _hex(self._peers[bytes(mac)]),
                _hex(msg),
            )
        )
        _out.flush()
        return True

    def _look(self):
        while True:
            line = _in.readline()
            if not line:
                return
            mac, key, frame = (_bytes(word) for word in line.split())
            if key and self._peers.get(mac) != key:
                continue  # the hardware cannot decrypt it
            used = sum(len(one) + _OVERHEAD for _, one in self._received)
            if not self._active or used + len(frame) + _OVERHEAD > _BUFFER:
                ESPNow._dropped += 1
                continue
            self._received.append([mac, frame])

    def any(self):
        self._need_active()
        self._look()
        return bool(self._received)

    def recv(self, timeout_ms=300_000):
        """Only with a timeout of 0: more would hold up the loop."""
        if timeout_ms:
            raise NotImplementedError("recv() that waits is not simulated")
        return self._received.pop(0) if self.any() else (None, None)

    def stats(self):
        return 0, 0, 0, 0, self._dropped


def _fail(number):
    raise OSError(-number, "ESP_ERR_ESPNOW_" + _NAMES[number])


def _hex(data):
    return "".join("%02x" % byte for byte in data) or "-"


def _bytes(text):
    return b"" if text == "-" else bytes(int(text[i : i + 2], 16) for i in range(0, len(text), 2))


_out = open(sys.argv[1] + "/espnow.out", "a")
open(sys.argv[1] + "/espnow.in", "a").close()
_in = open(sys.argv[1] + "/espnow.in")
while _in.readline():  # what came before this boot is over
    pass
