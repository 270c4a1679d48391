"""Store what devices publish, in batches; acknowledge to the broker what is committed.

    Collector(broker, open_store("gestures.db"), Options()).run()

A message is in one of three places: at the broker, which has no acknowledgement yet; in our
queue, as far as the window allows; in the store. Only a commit moves it on, so neither a crash
nor a database that stands still loses one.
"""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from host_tools.collect.forgetting import Forgetting
from host_tools.collect.intake import judge
from host_tools.collect.outage import Outage
from host_tools.errors import BeckonError
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.connection import Connection, Delivery, Durable, NoBroker, Topic
from host_tools.store import database, heartbeat, retention
from host_tools.store.messages import Batch, Diag, Event, Reject, State, Status
from host_tools.store.writer import Writer

_BATCH = 2000  # messages
_LINGER_S = 0.05  # more messages may come for the same commit
_IDLE_S = 0.5
_RETRY_S = (0.1, 5.0)  # the first wait for a database that is away, and the longest
_HEARTBEAT_S = 5.0


@dataclass(frozen=True)
class Options:
    """name: of this collector; each has its own. group: of a shared subscription, or "" .

    keep: how long what is kept, see retention.Keep. quarantine: messages. window: messages that
    the broker sends ahead; session_s: how long it keeps what comes while we are away.
    """

    name: str = "collector"
    group: str = ""
    keep: retention.Keep = field(default_factory=retention.Keep)
    quarantine: int = 10_000
    window: int = 10_000
    session_s: int = 7 * 86400


@dataclass
class Counts:
    """What happened since the start. reasons: of what is kept aside."""

    stored: int = 0
    repeated: int = 0
    quarantined: int = 0
    others: int = 0
    late: int = 0
    database_faults: int = 0
    delays_ms: Counter = field(default_factory=Counter)

    def stored_ms_p95(self) -> int:
        """From arrival until stored; in steps of 10 ms."""
        total, seen = sum(self.delays_ms.values()), 0
        for delay in sorted(self.delays_ms):
            seen += self.delays_ms[delay]
            if seen >= 0.95 * total:
                return delay
        return 0


class Collector:
    """on_events: called with the events that are new, after they are stored. say: takes a line
    for people."""

    def __init__(self, broker: BrokerAddress, engine: Engine, options: Options, *,
                 say: Callable[[str], None] = lambda line: None):  # fmt: skip
        self.counts = Counts()
        self.on_events: Callable[[Sequence[Event]], None] | None = None
        self._engine = engine
        self._options = options
        self._say = say
        self._writer = Writer(engine, options.quarantine)
        self._queue: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._database_down = False
        self._outage = Outage()
        self._outage_lock = threading.Lock()  # links change in a thread of their own
        self._connection = Connection(
            broker, "collect", topics(options.group), on_link=self._link,
            on_delivery=self._queue.put,
            durable=Durable(f"beckon-collect-{options.name}", options.session_s, options.window),
        )  # fmt: skip

    def stop(self) -> None:
        """End run() after the batch at hand; from any thread."""
        self._stop.set()

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Until stop(). Raises BeckonError if the broker refuses, or another collector has
        taken this one's name."""
        beat = Beat(self._engine, self._options, self.counts, self._queue.qsize)
        with self._connected(), Forgetting(self._engine, self._options.keep):
            ready()
            while not self._stop.is_set():
                deliveries = self._take()
                if self._connection.replaced:
                    raise BeckonError(f"another collector has the name {self._options.name!r}: "
                                      "give each its own with --name")  # fmt: skip
                with self._outage_lock:
                    self._tell(self._outage.look(time.monotonic()))
                if deliveries and self._store(deliveries):
                    self._connection.acknowledge(deliveries)
                if not self._database_down:
                    beat.maybe()
        beat.last()

    def _connected(self) -> Connection:
        """Enter the connection; a broker that is not there yet is waited for."""
        wait_s = _RETRY_S[0]
        while True:
            try:
                self._connection.__enter__()
                break
            except NoBroker as fault:
                if wait_s == _RETRY_S[0]:
                    self._say(f"{fault}; trying again")
                if self._stop.wait(wait_s):
                    raise
                wait_s = min(2 * wait_s, _RETRY_S[1])
        return _Entered(self._connection)  # type: ignore[return-value]

    def _link(self, up: bool, kept: bool) -> None:
        if self._connection.replaced:
            return  # run() ends with the reason
        with self._outage_lock:
            self._tell(self._outage.link(up, kept, time.monotonic()))

    def _tell(self, line: str) -> None:
        if line:
            self._say(line)

    def _take(self) -> list[Delivery]:
        try:
            first = self._queue.get(timeout=_IDLE_S)
        except queue.Empty:
            return []
        if self._queue.qsize() < _BATCH:
            self._stop.wait(_LINGER_S)
        taken = [first]
        while len(taken) < _BATCH:
            try:
                taken.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return taken

    def _store(self, deliveries: list[Delivery]) -> bool:
        """Whether they are committed; False if we are to stop before."""
        batch = self._judged(deliveries)
        wait_s = _RETRY_S[0]
        while True:
            try:
                outcome = self._write(batch)
                break
            except DBAPIError as fault:
                self.counts.database_faults += 1
                if not self._database_down:
                    self._database_down = True
                    self._say(f"the store does not take anything now ({database.reason(fault)}); "
                              "trying again, the broker keeps what comes")  # fmt: skip
            if self._stop.wait(wait_s):
                return False
            wait_s = min(2 * wait_s, _RETRY_S[1])
        if self._database_down:
            self._database_down = False
            self._say("the store is back")
        now_s = time.monotonic()
        counts = self.counts
        counts.stored += len(outcome.new)
        counts.repeated += outcome.repeats
        counts.quarantined += outcome.quarantined
        counts.others += len(batch.statuses) + len(batch.states) + len(batch.diags)
        delays = counts.delays_ms
        for delivery in deliveries:
            delays[int(100 * (now_s - delivery.received_s) + 1) * 10] += 1
        if self.on_events and outcome.new:
            self.on_events(outcome.new)
        return True

    def _judged(self, deliveries: list[Delivery]) -> Batch:
        batch = Batch()
        parts = {Event: batch.events, Status: batch.statuses, State: batch.states,
                 Diag: batch.diags, Reject: batch.rejects}  # fmt: skip
        offset_s = time.time() - time.monotonic()
        keep_ms = self._options.keep.events_ms
        for d in deliveries:
            value = judge(d.topic, d.payload, d.retained, int(1000 * (d.received_s + offset_s)),
                          keep_ms)  # fmt: skip
            if value is not None:
                parts[type(value)].append(value)  # type: ignore[attr-defined]
        return batch

    def _write(self, batch: Batch):
        """Store batch. What no database takes, though it passed the schema, is kept aside: one
        such message must not stop the rest."""
        try:
            return self._writer.write(batch)
        except DBAPIError as fault:
            if database.is_passing(fault):
                raise
            text = database.reason(fault)
        whole = Batch()
        for name in ("events", "statuses", "states", "diags"):
            for value in getattr(batch, name):
                one = Batch()
                getattr(one, name).append(value)
                try:
                    self._writer.check(one)
                    getattr(whole, name).append(value)
                except DBAPIError as fault:
                    if database.is_passing(fault):
                        raise
                    content = repr(value).encode("utf-8", "replace")
                    whole.rejects.append(Reject(
                        value.received_ms, "unstorable", text,
                        f"beckon/{value.device}/{name}", len(content), content))  # fmt: skip
        whole.rejects += batch.rejects
        return self._writer.write(whole)


def topics(group: str) -> list[Topic]:
    """Events and diagnostics are shared among a group. Each collector gets status and state,
    because a broker gives retained messages to nobody in a group."""
    prefix = f"$share/{group}/" if group else ""
    return [Topic(f"{prefix}beckon/+/event"), Topic(f"{prefix}beckon/+/diag"),
            Topic("beckon/+/status"), Topic("beckon/+/state")]  # fmt: skip


class _Entered:
    """A connection that is entered already, for `with`."""

    def __init__(self, connection: Connection):
        self._connection = connection

    def __enter__(self) -> Connection:
        return self._connection

    def __exit__(self, *exception: object) -> None:
        self._connection.__exit__(*exception)


class Beat:
    """From time to time: a sign of life in the store."""

    def __init__(self, engine: Engine, options: Options, counts: Counts,
                 waiting: Callable[[], int]):  # fmt: skip
        self._engine = engine
        self._options = options
        self._counts = counts
        self._waiting = waiting
        self._due_s = 0.0

    def maybe(self) -> None:
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + _HEARTBEAT_S
        try:
            self._beat()
        except DBAPIError:
            pass  # the next batch says it, and waits

    def last(self) -> None:
        try:
            self._beat()
        except DBAPIError:
            pass  # we end anyway

    def _beat(self) -> None:
        c = self._counts
        heartbeat.write(self._engine, self._options.name, time.time_ns() // 10**6, c.stored,
                        c.repeated, c.quarantined, c.stored_ms_p95(), self._waiting())  # fmt: skip
