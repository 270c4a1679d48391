"""N devices on one event loop: who makes gestures when, whose link breaks, whose clock is wrong.

    totals = simulate(broker, Plan(devices=1000, events_per_s=500, seconds=60))
"""

import asyncio
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from host_tools.errors import BeckonError
from host_tools.fleet.device import Device, Totals
from host_tools.fleet.update import Update
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.tls import tls_context

_TICK_S = 0.02
_PING_S = 25.0
_CLOSE_S = 5.0
_FILES_BESIDES = 64


@dataclass(frozen=True)
class Plan:
    """What is simulated.

    events_per_s: of all devices together. burst: events that a device makes in a row.
    outages_per_min, restarts_per_min: of all devices together. clock_errors: share of devices
    whose clock is wrong; a third each has none, is a day ahead, is an hour behind.
    connects_per_s: how fast the devices come. settle_s: so long after the last event it waits
    until nothing is under way; prefix: of the devices' names. until: ends the load before or after
    `seconds`, when it is true. update_key: of all devices; "": they take no commands. ways: what
    device `number` does with a new model, one of update.WAYS.
    """

    devices: int
    events_per_s: float
    seconds: float
    burst: int = 1
    outages_per_min: float = 0.0
    restarts_per_min: float = 0.0
    clock_errors: float = 0.0
    diag_s: float = 60.0
    connects_per_s: float = 1000.0
    settle_s: float = 30.0
    prefix: str = "sim"
    seed: int = 1
    until: Callable[[], bool] | None = None
    update_key: str = ""
    ways: Callable[[int], str] = lambda number: "good"


def simulate(broker: BrokerAddress, plan: Plan,
             on_second: Callable[[Totals], None] = lambda totals: None) -> Totals:  # fmt: skip
    """Run the plan. Raises BeckonError if no device can connect."""
    _allow_files(plan.devices + _FILES_BESIDES)
    return asyncio.run(_Fleet(broker, plan, on_second).run())


class _Fleet:
    def __init__(self, broker: BrokerAddress, plan: Plan, on_second: Callable[[Totals], None]):
        self._plan = plan
        self._broker = broker
        self._on_second = on_second
        self._random = random.Random(plan.seed)
        self.totals = Totals()
        context = tls_context(broker) if broker.tls else None
        name = (broker.tls and broker.tls.name) or broker.host
        self._tls: dict[str, Any] = {"ssl": context, "server_hostname": name} if context else {}
        self._closing = asyncio.Event()
        self._offset_s = time.time() - time.monotonic()
        self._devices = [
            Device(f"{plan.prefix}-{i:05}", plan.seed * 1_000_003 + i, self.totals,
                   self._clock(), self._open, self._now_ms, (broker.user, broker.password),
                   self._update(i))
            for i in range(plan.devices)
        ]  # fmt: skip

    def _update(self, number: int) -> Update | None:
        plan = self._plan
        if not plan.update_key:
            return None
        return Update(f"{plan.prefix}-{number:05}", plan.update_key, plan.ways(number),
                      f"{self._random.getrandbits(128):032x}")  # fmt: skip

    def _clock(self) -> int | None:
        if self._random.random() >= self._plan.clock_errors:
            return 0
        return self._random.choice((None, 86_400_000, -3_600_000))

    def _now_ms(self) -> int:
        return int(1000 * (time.monotonic() + self._offset_s))

    async def _open(self, factory: Callable):
        loop = asyncio.get_running_loop()
        _, link = await loop.create_connection(factory, self._broker.host, self._broker.port,
                                               **self._tls)
        return link

    async def run(self) -> Totals:
        tasks: list[asyncio.Task] = []
        try:
            await self._connect(tasks)
            await self._act()
            await self._settle()
        finally:
            self._closing.set()
            for device in self._devices:
                device.close()
            if tasks:
                await asyncio.wait(tasks, timeout=_CLOSE_S)
            for task in tasks:
                task.cancel()
        return self.totals

    async def _connect(self, tasks: list[asyncio.Task]) -> None:
        plan, started_s, shown_s = self._plan, time.monotonic(), time.monotonic()
        while len(tasks) < plan.devices or self.totals.online < plan.devices:
            due = min(plan.devices, int((time.monotonic() - started_s) * plan.connects_per_s) + 1)
            for device in self._devices[len(tasks) : due]:
                tasks.append(asyncio.create_task(device.run(self._closing)))
            await asyncio.sleep(_TICK_S)
            if time.monotonic() - shown_s >= 1:
                shown_s = time.monotonic()
                self._on_second(self.totals)
                for task in tasks:
                    if task.done():
                        task.result()
                late = shown_s - started_s > 20 + 3 * plan.devices / plan.connects_per_s
                if late or (shown_s - started_s > 5 and not self.totals.online):
                    raise BeckonError(self._why())

    def _why(self) -> str:
        faults = sorted(self.totals.faults.items(), key=lambda item: -item[1])
        if faults and not self.totals.connects:
            return (f"no broker answers at {self._broker} ({faults[0][0]}): start one there, or "
                    "name another with --broker")  # fmt: skip
        reason = f": {faults[0][0]} ({faults[0][1]} times)" if faults else ""
        return (f"{self.totals.online} of {self._plan.devices} devices are connected to "
                f"{self._broker}{reason}; the broker may allow fewer connections or open files")

    async def _act(self) -> None:
        """Keep to the plan's rates; what the loop is late for, it catches up with."""
        plan, rng, devices = self._plan, self._random, self._devices
        started_s = time.monotonic()
        made = cut = restarted = seconds = pinged = 0
        diagnosed = 0
        while True:
            now_s = time.monotonic() - started_s
            if plan.until() if plan.until else now_s >= plan.seconds:
                break
            while made < now_s * plan.events_per_s:
                device = devices[rng.randrange(len(devices))]
                for _ in range(plan.burst):
                    device.gesture()
                made += plan.burst
            while cut < now_s * plan.outages_per_min / 60:
                devices[rng.randrange(len(devices))].cut()
                cut += 1
            while restarted < now_s * plan.restarts_per_min / 60:
                devices[rng.randrange(len(devices))].restart()
                restarted += 1
            while plan.diag_s and diagnosed < now_s * len(devices) / plan.diag_s:
                devices[diagnosed % len(devices)].diagnose()
                diagnosed += 1
            while pinged < now_s * len(devices) / _PING_S:
                devices[pinged % len(devices)].ping()
                pinged += 1
            if now_s > seconds:
                seconds += 1
                self._on_second(self.totals)
            await asyncio.sleep(_TICK_S)

    async def _settle(self) -> None:
        until_s = time.monotonic() + self._plan.settle_s
        while time.monotonic() < until_s and any(device.waiting for device in self._devices):
            await asyncio.sleep(0.1)
            for device in self._devices if int(time.monotonic() * 10) % 200 == 0 else ():
                device.ping()


def _allow_files(number: int) -> None:
    """Each connection is an open file."""
    if sys.platform == "win32":  # which has no such limit
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number:
        if hard != resource.RLIM_INFINITY and hard < number:
            raise BeckonError(f"{number} connections need as many open files, and this user may "
                              f"have {hard}: raise it (ulimit -Hn), or take fewer devices")
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))


