"""Events over outages of every kind: does each arrive, in order, and are all samples kept?

A simulated board runs the whole firmware; its events are posted at random times. A real
mosquitto stands behind a proxy (proxy.py), and both are disturbed in turn.
"""

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from host_tools.bench.outages.broker import BROKERS, Amqtt, Arrival, Mosquitto, Watcher
from host_tools.bench.outages.name_server import NameServer
from host_tools.bench.outages.proxy import Proxy
from host_tools.errors import BeckonError
from host_tools.mqtt.address import BrokerAddress
from host_tools.simulator.time_server import time_server
from host_tools.testing.still_board import StillBoard

_ON_BOARD = Path(__file__).resolve().parent / "on_board"
_DEVICE = "bench"
_GAP_MS = (100, 500)  # between events
_START_TIMEOUT_S = 60
_RECOVERY_TIMEOUT_S = 60
_TRIGGER_AGE_MS = 5000  # the firmware's default
_MARGIN_S = 2.0  # for an event that comes from the broker's queue when the listener is back
RESTARTS = ("broker stopped, started with its session", "broker killed")


@dataclass
class Outage:
    kind: str
    start_s: float
    end_s: float = 0.0
    recovered_s: float = 0.0  # first delivery after the end

    @property
    def recovery_s(self) -> float:
        return self.recovered_s - self.end_s


@dataclass
class Outcome:
    outages: list[Outage] = field(default_factory=list)
    sent: int = 0
    delivered: int = 0
    repeated: int = 0
    out_of_order: int = 0
    known_repeats: int = 0  # by the listener
    missing: int = 0
    named_missing: int = 0  # by the listener, from the gaps in their numbers
    sessions_lost: int = 0  # how often the broker had kept nothing for the listener
    stale: int = 0  # sent as fresh enough for a trigger, and yet late
    latencies_ms: list[float] = field(default_factory=list)  # outside of outages
    counters: dict[str, int] = field(default_factory=dict)
    output: list[str] = field(default_factory=list)


class _Board(StillBoard):
    """Posts at least so many events at random times; see on_board/main.py."""

    def __init__(self, broker: BrokerAddress, events: int, **settings: object):
        super().__init__(broker, {"device": _DEVICE, **settings})
        self._events = events

    def _fill_flash(self) -> None:
        super()._fill_flash()
        for program in _ON_BOARD.glob("*.py"):
            shutil.copy(program, self.flash)
        (self.flash / "bench.json").write_text(
            f'{{"events": {self._events}, "gap_ms": [{_GAP_MS[0]}, {_GAP_MS[1]}]}}'
        )


class Stage:
    """All that an outage can act on."""

    def __init__(self, broker: Mosquitto | Amqtt, proxy: Proxy, names: NameServer,
                 watcher: Watcher, board: _Board):
        self.broker = broker
        self.proxy = proxy
        self.names = names
        self.watcher = watcher
        self.board = board


def run(
    outages: int,
    events: int,
    seed: int,
    on_progress: Callable[[str], None] = lambda note: None,
    broker_name: str = "mosquitto",
    kinds: Sequence[str] = (),
    pause_s: tuple[float, float] = (0.1, 0.8),
) -> Outcome:
    """Stage so many outages during at least so many events. Raises BeckonError.

    kinds: of KINDS, all by default. pause_s: the least and the most between two outages.
    """
    rng = random.Random(seed)
    outcome = Outcome()
    with (
        tempfile.TemporaryDirectory(prefix="beckon-bench-") as folder,
        BROKERS[broker_name](Path(folder)) as broker,
        Proxy(broker.port) as proxy,
        NameServer("broker.bench") as names,
        time_server() as clock,
    ):
        watcher = Watcher(broker.port, _DEVICE)
        try:
            board = _Board(
                BrokerAddress("127.0.0.1", proxy.port),
                events,
                broker_host="broker.bench",
                name_server=names.address,
                time_server=clock,
            )
            with board:
                stage = Stage(broker, proxy, names, watcher, board)
                _await_begin(stage)
                order = list(kinds or KINDS)
                for turn in range(outages):
                    if turn % len(order) == 0:
                        rng.shuffle(order)
                    time.sleep(rng.uniform(*pause_s))
                    kind = order[turn % len(order)]
                    on_progress(f"{turn + 1} of {outages}: {kind}")
                    outcome.outages.append(_stage(stage, kind, rng))
                _finish(stage, outcome, events)
        finally:
            watcher.close()
    _count(outcome, watcher.arrivals)
    outcome.missing = outcome.sent - outcome.delivered
    outcome.named_missing = watcher.missing
    outcome.known_repeats = watcher.repeated
    outcome.sessions_lost = watcher.sessions_lost
    return outcome


def _await_begin(stage: Stage) -> None:
    until = time.monotonic() + _START_TIMEOUT_S
    while not stage.watcher.arrivals:
        if stage.board.returncode is not None or time.monotonic() > until:
            raise BeckonError(f"the board does not begin: {stage.board.last_words()}")
        time.sleep(0.02)


def _stage(stage: Stage, kind: str, rng: random.Random) -> Outage:
    begin, end, (least_s, most_s) = KINDS[kind]
    outage = Outage(kind, time.time())
    begin(stage)
    time.sleep(rng.uniform(least_s, most_s))
    end(stage)
    outage.end_s = time.time()
    arrivals = stage.watcher.arrivals

    def recovered() -> bool:
        return bool(arrivals) and arrivals[-1].at_s > outage.end_s

    if not stage.watcher.wait(recovered, _RECOVERY_TIMEOUT_S):
        raise BeckonError(
            f"no event within {_RECOVERY_TIMEOUT_S} s after {kind}: {stage.board.last_words()}"
        )
    outage.recovered_s = next(a.at_s for a in reversed(arrivals) if a.at_s > outage.end_s)
    for arrival in reversed(arrivals):
        if arrival.at_s <= outage.end_s:
            break
        outage.recovered_s = arrival.at_s
    return outage


def _finish(stage: Stage, outcome: Outcome, events: int) -> None:
    (stage.board.flash / "enough").touch()
    while not (said := stage.board.says("posted")):
        if stage.board.returncode is not None:
            raise BeckonError(f"the simulated board ended: {stage.board.last_words()}")
        time.sleep(0.05)
    outcome.sent = int(said.split()[1])
    stage.board.stop()
    stage.watcher.wait(lambda: stage.watcher.counters.get("events_posted") == outcome.sent)
    stage.board.wait(30)
    outcome.counters = stage.watcher.counters
    outcome.output = list(stage.board.output)


def _count(outcome: Outcome, arrivals: list[Arrival]) -> None:
    seen: set[int] = set()
    newest = -1
    for arrival in arrivals:
        seq = arrival.event["seq"]
        if seq in seen:
            outcome.repeated += 1
            continue
        seen.add(seq)
        outcome.out_of_order += seq < newest
        newest = max(newest, seq)
        posted_s = int(arrival.event["event_type"]) / 1000
        late_s = arrival.at_s - posted_s
        outcome.stale += arrival.event["latency_ms"] <= _TRIGGER_AGE_MS and (
            late_s > _TRIGGER_AGE_MS / 1000 + _MARGIN_S)  # fmt: skip
        if not any(o.start_s - 0.1 < posted_s < o.recovered_s + 0.1 for o in outcome.outages):
            outcome.latencies_ms.append((arrival.at_s - posted_s) * 1000)
    outcome.delivered = len(seen)


def _restart(with_session: bool) -> Callable[[Stage], None]:
    def end(stage: Stage) -> None:
        stage.broker.start(with_session)
        stage.proxy.set_mode("pass")

    return end


def _down(kill: bool) -> Callable[[Stage], None]:
    def begin(stage: Stage) -> None:
        stage.proxy.set_mode("closed")
        time.sleep(0.2)  # what the broker has acknowledged, it has sent on as well
        stage.broker.stop(kill)

    return begin


def _mode(mode: str, reset: bool = False) -> Callable[[Stage], None]:
    def act(stage: Stage) -> None:
        stage.proxy.set_mode(mode)
        if reset:
            stage.proxy.reset()

    return act


def _gone(stage: Stage) -> None:
    stage.proxy.half_open()
    stage.proxy.set_mode("pass")


def _lose_wifi(stage: Stage) -> None:
    (stage.board.flash / "wifi_lost").touch()
    stage.proxy.set_mode("silent")


def _regain_wifi(stage: Stage) -> None:
    stage.proxy.set_mode("pass")
    (stage.board.flash / "wifi_lost").unlink()


def _lose_names(stage: Stage) -> None:
    stage.names.silent = True
    stage.proxy.set_mode("closed")


def _regain_names(stage: Stage) -> None:
    stage.names.silent = False
    stage.proxy.set_mode("pass")


def _nothing(stage: Stage) -> None:
    pass


_BRIEF = (0.0, 0.2)
_SOME = (0.3, 2.5)
_LONG = (2.0, 5.0)  # beyond the time that the link waits for an answer

Act = Callable[[Stage], None]
KINDS: dict[str, tuple[Act, Act, tuple[float, float]]] = {
    "broker stopped, started with its session": (_down(False), _restart(True), _SOME),
    "broker stopped, started without its session": (_down(False), _restart(False), _SOME),
    "broker killed": (_down(True), _restart(True), _SOME),
    "connection reset": (lambda stage: stage.proxy.reset(), _nothing, _BRIEF),
    "nobody listens": (_mode("closed"), _mode("pass"), _SOME),
    "silent": (_mode("silent"), _mode("pass"), _LONG),
    "silent, brief": (_mode("silent"), _mode("pass"), _SOME),
    "silent, then all connections gone": (_mode("silent"), _gone, _LONG),
    "half-open": (lambda stage: stage.proxy.half_open(), _nothing, _BRIEF),
    "a byte a second": (_mode("slow"), _mode("pass"), _LONG),
    "login refused": (_mode("refuse", reset=True), _mode("pass"), _SOME),
    "names not found": (_lose_names, _regain_names, _LONG),
    "Wi-Fi lost": (_lose_wifi, _regain_wifi, _SOME),
}
