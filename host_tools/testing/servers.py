"""A real mosquitto and a real PostgreSQL on loopback, which tests and benchmarks may end."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from host_tools.errors import BeckonError
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.broker import free_port
from host_tools.toolchain import mosquitto_command

_START_S = 30


class Server:
    """A context manager. pid: of the process, for its share of the processor."""

    port = 0
    _process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop(kill=True)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> None:
        raise NotImplementedError

    def stop(self, kill: bool = False) -> None:
        """End it and wait. kill: with SIGKILL; else it saves what it has to."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL if kill else self._gently)
            self._process.wait()

    _gently = signal.SIGTERM

    def _await(self, ready) -> None:
        until = time.monotonic() + _START_S
        while not ready():
            if self._process is None or self._process.poll() is not None:
                raise BeckonError(f"{type(self).__name__} does not start")
            if time.monotonic() > until:
                raise BeckonError(f"{type(self).__name__} does not answer in {_START_S} s")
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False


class Mosquitto(Server):
    """lines: more for its configuration. It keeps its sessions over a stop in good order."""

    def __init__(self, folder: Path, lines: Sequence[str] = (), *, anonymous: bool = True):
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        text = [f"listener {self.port} 127.0.0.1", "persistence true",
                f"persistence_location {folder}/", "max_queued_messages 0",
                f"allow_anonymous {str(anonymous).lower()}", "set_tcp_nodelay true",
                *(["user root"] if os.geteuid() == 0 else []), *lines]  # fmt: skip
        self._config.write_text("\n".join(text) + "\n")

    @property
    def address(self) -> BrokerAddress:
        return BrokerAddress("127.0.0.1", self.port)

    def start(self) -> None:
        self._process = subprocess.Popen(
            [*mosquitto_command(), "-c", str(self._config)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._await(self._answers)


def postgres_folder() -> Path | None:
    """Where PostgreSQL's programs are, or None."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "postgres").exists()), None)


class Postgres(Server):
    """A cluster of its own in a new folder, run as an ordinary user: as root it does not start.

    Raises BeckonError where PostgreSQL is not installed.
    """

    _gently = signal.SIGINT  # "fast shutdown": it does not wait for its clients

    def __init__(self, parent: Path | None = None):
        programs = postgres_folder()
        if programs is None:
            raise BeckonError("PostgreSQL is not here: apt install postgresql")
        self._programs = programs
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="beckon-pg-", dir=parent))
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = _ordinary_user()
            self._user = {"user": account.pw_uid, "group": account.pw_gid}
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        self._data = self._folder / "data"
        self._run("initdb", "-D", str(self._data), "-U", "beckon", "-A", "trust", "-E", "UTF8",
                  "--no-locale", "--no-sync")  # fmt: skip

    @property
    def url(self) -> str:
        return f"postgresql://beckon@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port),
             "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self._folder}",
             "-c", "shared_buffers=256MB", "-c", "max_wal_size=2GB"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=self._folder, **self._user,
        )  # fmt: skip
        self._await(self._is_ready)

    def _is_ready(self) -> bool:
        done = subprocess.run(
            [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)],
            stdin=subprocess.DEVNULL, check=False)  # fmt: skip
        return done.returncode == 0

    def __exit__(self, *exception: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([str(self._programs / program), *arguments], cwd=self._folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={**os.environ, "LC_ALL": "C"}, **self._user)  # fmt: skip
        if done.returncode:
            raise BeckonError(f"{program}: {done.stderr.strip()[-300:]}")


def _ordinary_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise BeckonError("PostgreSQL does not run as root, and there is no user postgres or nobody")
