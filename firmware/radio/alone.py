"""What stands for link and publisher on a board that has no Wi-Fi network.

Events go to the outputs alone; counters and state go to the serial line.
"""

import asyncio
import gc
import json

from events.event import Event
from micropython import const

from ops.boot_number import next_boot
from ops.loop_lag import LoopLag
from ops.uptime import uptime_ms
from ops.wall_clock import WallClock

_DIAG_MS = const(60_000)
_TICK_MS = const(1000)


class NoLink:
    """A Link that is never up."""

    def __init__(self):
        self.ready = asyncio.Event()
        self.connects = 0
        self._turns = 0

    def subscribe(self, topic, handler):
        """Nothing comes."""

    async def run(self):
        while True:
            self._turns += 1
            await asyncio.sleep_ms(_TICK_MS)

    def progress(self):
        return self._turns

    def counters(self, into):
        """There is nothing to count."""


class Alone:
    """boot, describe, parts: see Publisher, whose methods these are. ways: setting `radio`."""

    def __init__(self, boot, describe, parts, ways):
        self._ways = ways
        self.boot = boot
        self.model = ""
        self.house = None
        self.outputs = []
        self.event = None
        """The last one, for outputs that send more than they are handed."""
        self.radios = []
        self.describe = describe
        self._parts = parts
        self._clock = None
        self._seq = 0
        self._is_told = False

    def sense(self, clock, model):
        self._clock = clock
        self.model = model

    def post(self, label, confidence, index, label_confidence=100):
        self.event = event = Event()  # outputs may keep it
        event.fill(
            self.boot, self._seq, self.model, label, confidence, label_confidence,
            self._clock, index, uptime_ms(),
        )
        self._seq += 1
        for output in self.outputs:
            output.post(label, confidence, event.seq)
        return event.seq

    async def run(self):
        """Print `state` when it changes and `diag` each minute, as one line of JSON each."""
        print("no Wi-Fi: events go out by", self._ways)
        due_ms = 0
        while True:
            if not self._is_told:
                self._is_told = True
                print("state", json.dumps(self.describe()))
            if uptime_ms() >= due_ms:
                await self.publish_diag()
                due_ms = uptime_ms() + _DIAG_MS
            await asyncio.sleep_ms(_TICK_MS)

    async def close(self, timeout_ms):
        """There is nobody to say goodbye to."""
        return 0

    def state_changed(self):
        self._is_told = False

    def is_known(self):
        """Whether all radios work: then new settings are good."""
        return bool(self.radios) and all(radio.is_up for radio in self.radios)

    def waiting(self):
        return 0

    async def publish_diag(self):
        print("diag", json.dumps(self.diag()))

    def diag(self):
        gc.collect()
        counters = {
            "boot": self.boot,
            "uptime_ms": uptime_ms(),
            "heap_free": gc.mem_free(),
            "heap_used": gc.mem_alloc(),
        }
        for part in [self] + self._parts:
            part.counters(counters)
        return counters

    def counters(self, into):
        into["events_posted"] = self._seq


def stand_alone(board, describe):
    """Give board what it has instead of Wi-Fi, link and publisher."""
    settings = board.settings
    settings.time_server = ""
    settings.ha_discovery = 0
    settings.power = "always_on"  # what sleeps is Wi-Fi
    board.wifi = board.resolver = board.discovery = None
    board.wall = WallClock()
    board.lag = LoopLag()
    board.parts = [board.lag]
    board.link = NoLink()
    board.publisher = Alone(next_boot(), describe, board.parts, settings.radio)
