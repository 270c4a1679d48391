"""Real brokers that are stopped, killed and started again, and who listens on them."""

import json
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
from host_tools.mqtt.broker import free_port
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
    """Takes a device's events and counters, over restarts of the broker as well."""

    def __init__(self, port: int, device: str):
        import paho.mqtt.client as paho

        self.arrivals: list[Arrival] = []
        self.counters: dict[str, int] = {}
        self.subscriptions = 0
        self.came = threading.Condition()
        self._root = f"beckon/{device}/"
        # A session of its own: what the broker had taken before it stopped comes after.
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id="watcher", clean_session=False
        )
        self._client.reconnect_delay_set(min_delay=1, max_delay=1)
        self._client.on_connect = lambda client, *rest: client.subscribe(f"{self._root}#", 1)
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.wait(lambda: self.subscriptions > 0)

    def wait(self, condition, timeout_s: float = 60.0) -> bool:
        """Wait until condition() holds; whether it does."""
        with self.came:
            return self.came.wait_for(condition, timeout_s)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_subscribe(self, *arguments: object) -> None:
        with self.came:
            self.subscriptions += 1
            self.came.notify_all()

    def _on_message(self, client, userdata, message) -> None:
        now_s = time.time()
        kind = message.topic[len(self._root) :]
        if kind not in ("event", "diag"):
            return
        payload = json.loads(message.payload)
        with self.came:
            if kind == "event":
                self.arrivals.append(Arrival(now_s, payload))
            else:
                self.counters = payload
            self.came.notify_all()
