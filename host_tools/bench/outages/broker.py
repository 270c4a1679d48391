"""Real brokers that are stopped, killed and started again, and who listens on them."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from host_tools.errors import BeckonError
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.broker import free_port
from host_tools.mqtt.events import Arrivals
from host_tools.mqtt.subscriber import Message, Subscriber
from host_tools.toolchain import mosquitto_command

_START_TIMEOUT_S = 20


class Broker:
    """One broker on loopback; a context manager."""

    def __init__(self, command: list[str]):
        self.port = 0  # made by who inherits
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop(kill=True)

    def start(self, with_session: bool = True) -> None:
        """with_session: with what it stored when it was stopped."""
        if not with_session:
            self._forget()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise BeckonError(f"{type(self).__name__} does not start") from None
                time.sleep(0.01)

    def stop(self, kill: bool = False) -> None:
        process = self._process
        if process and process.stdin:
            if kill:
                process.kill()
            elif process.poll() is None:
                self._end(process)
            process.wait()
            process.stdin.close()

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Have it end in good order."""
        process.send_signal(signal.SIGTERM)

    def _forget(self) -> None:
        """Remove what it stored."""


class Mosquitto(Broker):
    """What it stores lies in `folder`."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._config = folder / "mosquitto.conf"
        super().__init__([*mosquitto_command(), "-c", str(self._config)])
        self.port = free_port()
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            "persistence true",
            f"persistence_location {folder}/",
            "max_queued_messages 0",
            "autosave_on_changes true",  # so that sessions outlive a kill
            "autosave_interval 1",
        ]
        if os.geteuid() == 0:  # else it changes to an account that may not exist
            lines.append("user root")
        self._config.write_text("\n".join(lines) + "\n")

    def _forget(self) -> None:
        (self._folder / "mosquitto.db").unlink(missing_ok=True)


class Amqtt(Broker):
    """It keeps sessions in memory only: each start is one without them.

    folder: not used.
    """

    def __init__(self, folder: Path):
        port = free_port()
        super().__init__([sys.executable, "-m", "host_tools.mqtt.broker", str(port)])
        self.port = port

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin
        process.stdin.close()


BROKERS: dict[str, type[Mosquitto] | type[Amqtt]] = {"mosquitto": Mosquitto, "amqtt": Amqtt}


@dataclass
class Arrival:
    at_s: float  # time.time()
    event: dict[str, Any]


class Watcher:
    """Takes a device's events and counters as `beckon watch` does, over restarts of the broker.

    arrivals: all events, repeated ones included. missing: how many did not come, by their
    numbers.
    """

    def __init__(self, port: int, device: str):
        self.arrivals: list[Arrival] = []
        self.counters: dict[str, int] = {}
        self.repeated = 0
        self.missing = 0
        self.came = threading.Condition()
        self._judge = Arrivals()
        self._ending = threading.Event()
        self.sessions_lost = 0  # how often the broker had kept nothing
        self._subscriber = Subscriber(BrokerAddress("127.0.0.1", port), device, ("event", "diag"),
                                      on_link=self._on_link)  # fmt: skip
        self._subscriber.__enter__()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def wait(self, condition, timeout_s: float = 60.0) -> bool:
        """Wait until condition() holds; whether it does."""
        with self.came:
            return self.came.wait_for(condition, timeout_s)

    def close(self) -> None:
        self._ending.set()
        self._thread.join()
        self._subscriber.__exit__()

    def _on_link(self, up: bool, kept: bool) -> None:
        self.sessions_lost += up and not kept

    def _run(self) -> None:
        while not self._ending.is_set():
            message = self._subscriber.receive(0.1)
            if message:
                with self.came:
                    self._take(message)
                    self.came.notify_all()

    def _take(self, message: Message) -> None:
        if message.kind == "diag":
            self.counters = message.payload
            return
        judged = self._judge.take(message)
        self.repeated += judged.repeat
        self.missing += judged.missing
        at_s = time.time() - (time.monotonic() - message.received_s)
        self.arrivals.append(Arrival(at_s, message.payload))
