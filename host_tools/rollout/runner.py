"""Carry out what the store holds of roll-outs. One runner at a time has a roll-out.

    Runner(engine, broker, keys).run()

Nothing is known here that is not in the store: after a crash any runner goes on. A device that was
being sent to is asked again, and goes on where it was.
"""

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError

from host_tools.errors import Sentence
from host_tools.mqtt.address import BrokerAddress
from host_tools.rollout.event_windows import WindowFetcher
from host_tools.rollout.keys import Keys
from host_tools.rollout.pace import PacedFigures
from host_tools.rollout.rules import Rules, stop_reason
from host_tools.rollout.sender import RETRY_MS, send
from host_tools.rollout.steps import FAILED, OVER, judge
from host_tools.store import database, rollouts
from host_tools.store.rollouts import Rollout, Target
from host_tools.store.tables import COLLECTOR

_AT_ONCE = 4  # devices that are sent to
_LOOK_S = 1.0
_COLLECTOR_MS = 30_000  # without a sign of life nobody sees how the devices do


@dataclass
class _Work:
    """What this process does for a roll-out. futures: by device id."""

    content: bytes
    futures: dict[int, Future]


class Runner:
    """It also fetches the samples of false alarms. say: takes a line for people. look_s: between
    two looks at the store."""

    def __init__(self, engine: Engine, broker: BrokerAddress, keys: Keys, *,
                 say: Callable[[str], None] = lambda line: None,
                 look_s: float = _LOOK_S):  # fmt: skip
        self.name = f"{socket.gethostname()}-{os.getpid()}"
        self._engine = engine
        self._broker = broker
        self._keys = keys
        self._say = say
        self._look_s = look_s
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="rollout")
        self._work: dict[int, _Work] = {}
        self._figures = PacedFigures()
        self._windows = WindowFetcher(engine, broker, keys, self._pool)

    def stop(self) -> None:
        """End run() after the sending that is under way; from any thread."""
        self._stop.set()

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Until stop(), or until() is true."""
        down = False
        try:
            while not self._stop.is_set() and not until():
                try:
                    self.look()
                    self._windows.look()
                    down = False
                except DBAPIError as fault:
                    if not down:
                        self._say(f"the store does not answer ({database.reason(fault)}); "
                                  "trying again")  # fmt: skip
                    down = True
                self._stop.wait(self._look_s)
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)
            try:
                rollouts.release(self._engine, self.name)
            except DBAPIError:
                pass  # the lease ends without us

    def look(self) -> None:
        """One look at all that are not finished."""
        with database.reading(self._engine).connect() as connection:
            every = rollouts.unfinished(connection)
        for one in every:
            now_ms = _now_ms()
            mine = one.runner == self.name and now_ms < one.runner_ms + rollouts.LEASE_MS // 4
            if mine or rollouts.claim(self._engine, one.id, self.name, now_ms):
                self._go_on(one)
        for number in set(self._work) - {one.id for one in every}:
            for future in self._work[number].futures.values():
                future.cancel()  # those that have not begun
            if all(future.done() for future in self._work[number].futures.values()):
                del self._work[number]

    def _go_on(self, rollout: Rollout) -> None:
        rules = Rules.of(rollout.rules)
        work = self._work.get(rollout.id)
        if work is None:
            content = rollouts.model_file(self._engine, rollout.model)
            if content is None:
                self._end(rollout, "aborted", Sentence("model {model} is not in the store",
                                                       model=rollout.model))  # fmt: skip
                return
            work = self._work[rollout.id] = _Work(content, {})
        for number, future in list(work.futures.items()):
            if future.done():
                del work.futures[number]
                future.result()  # a fault of ours is not swallowed
        targets = self._targets(rollout, rules, work)
        if rollout.condition != "running":
            self._figures.forget(rollout.id)
            return
        reason = self._why_stop(rollout, rules, targets)
        if reason:
            self._end(rollout, "stopped", reason)
        elif not self._collector_lives():
            self._once(rollout, Sentence(
                "waiting: no collector has given a sign of life for {seconds} s, so nobody sees "
                "how the devices do", seconds=_COLLECTOR_MS // 1000))  # fmt: skip
        elif all(t.step in OVER for t in targets):
            counts = Counter(t.step for t in targets)
            self._end(rollout, "done", ", ".join(f"{n} {step}" for step, n in counts.items()))
        else:
            self._once(rollout, "")
            self._start_next(rollout, rules, work, targets)

    def _targets(self, rollout: Rollout, rules: Rules, work: _Work) -> list[Target]:
        """All devices, each at the step where it is by now."""
        with database.reading(self._engine).connect() as connection:
            targets = rollouts.targets(connection, rollout.id)
        now_ms = _now_ms()
        for t in targets:
            if t.device_id in work.futures:
                continue
            if t.step == "sending":  # whoever sent has crashed
                self._set(rollout, t, "waiting", "")
            elif t.step == "waiting" and t.state.get("model") == rollout.model:
                self._set(rollout, t, "already", "")
            else:
                change = judge(t, rollout.model, 1000 * rules.back_s, 1000 * rules.watch_s, now_ms)
                if change:
                    self._set(rollout, t, change.step, change.detail, boot=change.boot or t.boot)
        return targets

    def _set(self, rollout: Rollout, t: Target, step: str, detail: str, **values: int) -> None:
        rollouts.set_target(self._engine, rollout.id, t.device_id, step=step, detail=detail,
                            at_ms=_now_ms(), **values)  # fmt: skip
        if step in FAILED:
            self._say(f"roll-out {rollout.id}: {t.device} {step.replace('_', ' ')}: {detail}")
        t.step, t.detail = step, detail
        for name, value in values.items():
            setattr(t, name, value)

    def _why_stop(self, rollout: Rollout, rules: Rules, targets: list[Target]) -> str:
        judged = [t for t in targets if not t.excused and t.step in ("trial", "updated", *FAILED)]
        failed = Counter(t.step for t in judged if t.step in FAILED)
        with database.reading(self._engine).connect() as connection:
            before, after = self._figures.of(connection, rollout.id,
                                             int(3.6e6 * rules.baseline_h), _now_ms())  # fmt: skip
        return stop_reason(rules, len(judged), failed, before, after)

    def _start_next(self, rollout: Rollout, rules: Rules, work: _Work,
                    targets: list[Target]) -> None:  # fmt: skip
        begun = sum(t.step not in ("waiting", "already") for t in targets)
        stage = min(rollout.stage, len(rollout.stages) - 1)
        room = rollout.stages[stage] - begun
        resting = all(t.step not in ("sending", "trial") for t in targets)
        if room <= 0 and resting and stage + 1 < len(rollout.stages):
            rollouts.set_stage(self._engine, rollout.id, stage + 1)
            self._say(f"roll-out {rollout.id}: stage {stage + 2} of {len(rollout.stages)}, "
                      f"{rollout.stages[stage + 1]} devices")  # fmt: skip
            return
        now_ms = _now_ms()
        for t in targets:
            if room <= 0 or len(work.futures) >= _AT_ONCE:
                return
            rested = not t.tries or now_ms - t.at_ms >= RETRY_MS * t.tries
            if t.step == "waiting" and t.online and rested and t.device_id not in work.futures:
                self._set(rollout, t, "sending", "", old_boot=t.state.get("boot", 0))
                rollouts.set_target(self._engine, rollout.id, t.device_id,
                                    old_model=str(t.state.get("model", "")))  # fmt: skip
                work.futures[t.device_id] = self._pool.submit(
                    send, self._engine, self._broker, self._keys, rollout, t, work.content,
                    rules.back_s)
                room -= 1

    def _collector_lives(self) -> bool:
        with database.reading(self._engine).connect() as connection:
            newest = connection.execute(select(func.max(COLLECTOR.c.at_ms))).scalar()
        return newest is not None and newest > _now_ms() - _COLLECTOR_MS

    def _end(self, rollout: Rollout, condition: str, reason: str) -> None:
        self._figures.forget(rollout.id)
        if rollouts.change(self._engine, rollout.id, ["running"], condition, reason):
            self._say(f"roll-out {rollout.id} of {rollout.model} is {condition}: {reason}")

    def _once(self, rollout: Rollout, reason: str) -> None:
        """Show why nothing goes on, or that it does."""
        if rollout.reason != reason:
            rollouts.change(self._engine, rollout.id, ["running"], "running", reason)
            if reason:
                self._say(f"roll-out {rollout.id}: {reason}")


def _now_ms() -> int:
    return time.time_ns() // 10**6
