"""A board without a board: the firmware on the Unix port of MicroPython.

    with SimulatedBoard(model, broker, {(0, 0x68): sensor}) as board:
        board.wait(timeout_s=60)

What lies in the board's flash is what a real one gets (host_tools/device/image.py),
the model, and a config.json; behind the hardware line stand-ins (standins/) take
over. The sensors live in this process and are reached over two pipes.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from host_tools.device.image import compile_tree, unix_arch, write_image
from host_tools.errors import BeckonError
from host_tools.mqtt.address import BrokerAddress, TlsFiles
from host_tools.simulator.asleep import Nap, light_naps, sleep_deeply
from host_tools.simulator.i2c_server import I2CServer
from host_tools.simulator.radio_delays import RadioDelays
from host_tools.simulator.time_server import time_server
from host_tools.toolchain import micropython_command

STANDINS = Path(__file__).resolve().parent / "standins"

RESET_STATUS = 42  # standins/machine.py: the program asked for a reset
WATCHDOG_STATUS = 43
DEEP_SLEEP_STATUS = 46  # standins/machine_sleep.py
_POWER_ON, _WATCHDOG, _DEEP_SLEEP, _SOFT = 1, 3, 4, 5  # machine.reset_cause()

_CA, _CERT, _KEY = "ca.crt", "client.crt", "client.key"  # on the board

_STANDINS_KIB = 32  # more than the stand-ins take; power_on.py locks the rest away
_END_TIMEOUT_S = 15

# MicroPython's ESP32 port had 144,768 bytes; the firmware's modules take 1.41 times as much here
# (tests/firmware_heap.json), as objects are larger.
DEFAULT_HEAP_KIB = 200


class SimulatedBoard:
    """One board from power-on to the end of its process; a context manager.

    model: file that becomes the board's model.mlp. devices: (bus id, I2C
    address) to simulated device. speed: board time over real time. heap_kib: the heap
    that is left to the firmware. settings: more entries for config.json. flash: a folder
    that is kept; by default a temporary one is made and removed. air: the Wi-Fi networks that
    it sees, as standins/network_air.py says; by default the one that it is set to. ports: a port
    of the board -> that of this computer on 127.0.0.1. delays: how slow its Wi-Fi is; by default
    it joins in 0.3 s and misses no beacon.

    A time server that tells this computer's time goes with it, unless settings name another
    (or none, ""). From then on the board counts in its own time, which may be a faster one.

    `output` holds the last lines that the firmware printed, `boots` how often it started, and
    `naps` its sleeps. `rtc_memory` is the file that holds machine.RTC().memory().
    """

    def __init__(
        self,
        model: Path | None,
        broker: BrokerAddress,
        devices: Mapping[tuple[int, int | None], Any],
        *,
        speed: float = 1.0,
        heap_kib: int = DEFAULT_HEAP_KIB,
        settings: Mapping[str, Any] | None = None,
        flash: Path | None = None,
        int_pin: int | None = None,
        boot_ms: int = 0,
        air: Iterable[Mapping[str, Any]] | None = None,
        ports: Mapping[int, int] | None = None,
        delays: RadioDelays | None = None,
    ):
        if not 0.001 <= speed <= 1000:
            raise BeckonError(f"speed {speed:g} cannot be; name one from 0.001 to 1000", status=2)
        self.speed = speed
        self.output: deque[str] = deque(maxlen=200)
        self.boots = 0
        self.naps: list[Nap] = []
        self.returncode: int | None = None
        self._devices = devices
        self._heap_kib = heap_kib
        self._folder = Path(tempfile.mkdtemp(prefix="beckon-board-"))
        self._standins = self._folder / "standins"
        self.flash = flash or self._folder / "flash"
        self.rtc_memory = self._standins / "rtc"
        self._int_pin = int_pin
        self._boot_us = 1000 * boot_ms
        self._base_us = 0  # of this boot, in the sensor's time
        self._settings = {
            "wifi_ssid": "simulated",
            "broker_host": _ipv4(broker.host),
            "broker_port": broker.port,
            # The broker answers in real time, the board waits in its own.
            "response_timeout_ms": min(60000, round(3000 * max(1, speed))),
            **_tls_settings(broker),
            **(settings or {}),
        }
        self._tls = broker.tls or TlsFiles()
        self._secrets = {"user": broker.user, "password": broker.password}
        self._model = model
        self._air = air
        self._ports = ports
        self._delays = delays
        self._server: I2CServer | None = None
        self._process: subprocess.Popen[str] | None = None
        self._threads: list[threading.Thread] = []
        self._stopping = False
        self._clock = ExitStack()
        self.started_s = 0.0  # time.monotonic() of power-on

    def __enter__(self) -> "SimulatedBoard":
        try:
            if "time_server" not in self._settings:
                self._settings["time_server"] = self._clock.enter_context(time_server())
            self._fill_flash()
            self._boot(_POWER_ON)
        except BaseException:
            self.__exit__()
            raise
        watcher = threading.Thread(target=self._watch, name="board", daemon=True)
        watcher.start()
        self._threads.append(watcher)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopping = True
        process = self._process
        if process:
            process.kill()
            process.wait()
            if process.stdin:
                process.stdin.close()
        for thread in self._threads:
            thread.join(_END_TIMEOUT_S)
        if self._server:
            self._server.close()
        self._clock.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def stop(self) -> None:
        """Press Ctrl-C: the firmware sends what it has, says goodbye and ends."""
        self._stopping = True
        process = self._process
        if process and process.stdin and process.poll() is None:
            try:
                process.stdin.write("\x03")
                process.stdin.flush()
            except OSError:
                pass  # it ended at this moment

    def interrupt(self) -> None:
        """Ctrl-C in the middle of whatever the program does, as on a serial line."""
        self._stopping = True
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def cut_power(self) -> None:
        """End at once, without a goodbye."""
        self._stopping = True
        if self._process and self._process.poll() is None:
            self._process.kill()

    def wait(self, timeout_s: float) -> int:
        """Wait for the firmware's end; its exit status. Raises BeckonError on a time-out."""
        until = time.monotonic() + timeout_s
        while self.returncode is None:
            if time.monotonic() > until:
                raise BeckonError(f"the simulated board did not end within {timeout_s:g} s")
            time.sleep(0.01)
        return self.returncode

    def access_point(self) -> dict[str, Any] | None:
        """How its access point is set (ssid, key, security, max_clients); None if it has none."""
        try:
            known: dict[str, Any] = json.loads((self._standins / "ap").read_text())
            return known
        except FileNotFoundError:
            return None

    def hold_button(self, pin: int, down: bool) -> None:
        """Hold the button on a pin down, or let it go."""
        path = self._standins / f"pin{pin}"
        if down:
            path.touch()
        else:
            path.unlink(missing_ok=True)

    @property
    def radio_folder(self) -> Path:
        """Where the radios' stand-ins write and read, see radio.py."""
        return self._standins

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def light_naps(self) -> list[Nap]:
        """Those of this boot, up to now."""
        return light_naps(self._standins, self._base_us, keep=True)

    def _fill_flash(self) -> None:
        self.flash.mkdir(parents=True, exist_ok=True)
        write_image(self.flash, unix_arch())
        compile_tree(STANDINS, self._standins, unix_arch(), as_source=("start.py",))
        if self._int_pin is not None:
            (self._standins / f"int{self._int_pin}").touch()
        if self._model is not None:
            shutil.copyfile(self._model, self.flash / "model.mlp")
        for file, name in ((self._tls.ca, _CA), (self._tls.cert, _CERT), (self._tls.key, _KEY)):
            if file:
                shutil.copyfile(file, self.flash / name)
        if self._air is not None:
            (self._standins / "air").write_text(json.dumps(list(self._air)))
        if self._delays:
            (self._standins / "delays").write_text(json.dumps(self._delays.as_dict()))
        if self._ports:
            lines = [f"{port} {own}\n" for port, own in self._ports.items()]
            (self._standins / "ports").write_text("".join(lines))
        (self.flash / "config.json").write_text(json.dumps(self._settings))
        (self.flash / "secrets.json").write_text(json.dumps(self._secrets))

    def _boot(self, cause: int) -> None:
        if self._server:
            self._server.close()
        (self._standins / "ap").unlink(missing_ok=True)  # the radio is off
        pipes = self._folder / f"boot{self.boots}.request", self._folder / f"boot{self.boots}.reply"
        self._server = I2CServer(self._devices, *pipes)
        self._base_us = max((d.now_us for d in self._devices.values()), default=0)
        self._server.start()
        command = [
            *micropython_command(),
            "-X",
            f"heapsize={self._heap_kib + _STANDINS_KIB}K",
            str(self._standins / "start.py"),
            str(self._standins),
            power_on_settings(pipes, self.speed, cause, self._heap_kib * 1024),
        ]
        self._process = subprocess.Popen(
            command,
            cwd=self.flash,
            env={**os.environ, "TZ": "UTC"},  # a board knows no time zones
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # a Ctrl-C at the terminal is for the command, not for it
        )
        self.started_s = time.monotonic()
        self.boots += 1

    def _watch(self) -> None:
        """Collect what the firmware prints; boot again when it resets itself."""
        while True:
            process = self._process
            assert process and process.stdout
            with process.stdout as lines:
                for line in lines:
                    self.output.append(line.rstrip())
            status = process.wait()
            self.naps += light_naps(self._standins, self._base_us)
            causes = {RESET_STATUS: _SOFT, WATCHDOG_STATUS: _WATCHDOG,
                      DEEP_SLEEP_STATUS: _DEEP_SLEEP}  # fmt: skip
            if self._stopping or status not in causes:
                self.returncode = status
                return
            if status == DEEP_SLEEP_STATUS:
                self._sleep()
                if self._stopping:
                    self.returncode = status
                    return
            else:  # what the last deep sleep left is no longer true
                for name in ("wake", "rtc_time"):
                    (self._standins / name).unlink(missing_ok=True)
            self._boot(causes[status])

    def _sleep(self) -> None:
        if self._server:
            self._server.close()
        self.naps.append(sleep_deeply(self._standins, self._devices, self.speed, self._boot_us,
                                      lambda: self._stopping))  # fmt: skip


def _tls_settings(broker: BrokerAddress) -> dict[str, str]:
    """For the board's config.json. Raises BeckonError."""
    tls = broker.tls
    if tls is None:
        return {}
    if tls.ca is None:
        raise BeckonError(f"a board trusts {broker} only by a file: name it with --ca", status=2)
    own = {"tls_cert": _CERT, "tls_key": _KEY} if tls.cert else {}
    return {"tls_ca": _CA, **own, "tls_name": tls.name or broker.host}


def _ipv4(host: str) -> str:
    """The host's address, for a board that has no name server to ask. Raises BeckonError."""
    try:
        return str(socket.getaddrinfo(host, None, socket.AF_INET)[0][4][0])
    except OSError as error:
        raise BeckonError(f"cannot find the broker's host {host!r}: {error.strerror}") from None


def power_on_settings(
    pipes: Iterable[Path], speed: float, cause: int, heap_bytes: int
) -> str:
    """The argument SETTINGS of standins/start.py. pipes: request and response."""
    return "\n".join(map(str, [*pipes, round(speed * 1000), cause, heap_bytes]))
