"""Deploying for a page: by serial line or through the broker, in a thread, with progress.

Uses the functions of `beckon deploy`. A deployment cannot be cancelled. If it ends early, the
board keeps what it had, and the next deployment continues.
"""
from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path

from host_tools.device.deploy import Survey, deploy, firmware_files
from host_tools.device.known_broker import known_broker
from host_tools.device.label import Label, label_for
from host_tools.device.ports import find_port
from host_tools.device.pretend import is_pretend
from host_tools.device.settings import default_folder, read_settings, settings_files
from host_tools.errors import BeckonError
from host_tools.model.golden import read_model
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.remote_device import RemoteDevice
from host_tools.mqtt.sensor_state import sensor_trouble
from host_tools.paths import DEFAULT_MODEL
from host_tools.studio.frame.language import tr, tr_n


@dataclass(frozen=True)
class Deployment:
    """What a page shows. state: idle, running, done or failed. share: 0 to 1, None where it
    is not known. model: id of the model that was sent, or "". label: of the board's access
    point; None if it has none."""

    state: str = "idle"
    what: str = ""
    share: float | None = None
    message: str = ""
    warning: str = ""
    model: str = ""
    label: Label | None = None


class Deployer:
    """One deployment at a time."""

    def __init__(self) -> None:
        self.view = Deployment()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def wait(self, timeout_s: float) -> None:
        if self._thread:
            self._thread.join(timeout_s)

    def serial(self, port: str, model: Path | None, settings: Path | None = None) -> None:
        """Firmware, and model and settings if named, to the board on port ("" finds it).

        model: None keeps the board's own, and one that has none gets the default model.
        settings: folder with config.json and secrets.json. Raises BeckonError.
        """
        extra_files = dict(settings_files(settings)) if settings else {}
        source = model
        label: Label | None = None
        content, model_id = _read(model) if model else (None, "")
        port = find_port(port)

        def extra(survey: Survey) -> dict[str, bytes]:
            nonlocal content, model_id, source, label
            files = dict(extra_files)
            if not is_pretend(port):  # nothing of it is in the air
                label, secret = label_for(survey, extra_files)
                files.update(secret)
            if content is None and "model.mlp" not in survey.files:
                source = DEFAULT_MODEL
                content, model_id = _read(source)
            if content is not None:
                files["model.mlp"] = content
            return files

        def run() -> Deployment:
            done = deploy(port, firmware_files, extra, on_step=self._step)
            message = tr_n(
                "{board}, MicroPython {version}: {n} file copied ({size:.0f} KiB), {same} "
                "unchanged. {signs}",
                "{board}, MicroPython {version}: {n} files copied ({size:.0f} KiB), {same} "
                "unchanged. {signs}", len(done.copied), board=done.machine, version=done.version,
                size=done.bytes_copied / 1024, same=done.unchanged,
                signs=", ".join(filter(None, (done.sign, done.sensor))))
            if source is not None:
                name = tr("the default model") if source == DEFAULT_MODEL else source.name
                message = tr("Model {id}, {name}. {rest}", id=model_id, name=name, rest=message)
            return Deployment("done", message=message, warning=done.warning, model=model_id,
                              label=label)

        self._start(run)

    def mqtt(self, broker: BrokerAddress | None, device: str, model: Path,
             settings: Path | None = None) -> None:
        """A model through the broker to a board that knows the update_key.

        settings: folder whose secrets.json holds the key; by default where `beckon setup`
        keeps it. broker: None takes the one in the settings. Raises BeckonError.
        """
        if not device:
            raise BeckonError("enter the device's name, such as beckon-kitchen")
        content, model_id = _read(model)
        folder = settings or default_folder()
        known = read_settings(folder)
        key = known["update_key"]
        if not key:
            raise BeckonError("no update_key in {path}: a board accepts a model only with it; "
                              "beckon setup makes one", path=folder / 'secrets.json')
        if broker is None and not known["broker_host"]:
            raise BeckonError("enter the broker's address")
        address = broker or known_broker(folder=folder)

        def run() -> Deployment:
            with RemoteDevice(address, device) as remote:
                total = len(content)

                def sent(n: int) -> None:
                    self._step(tr("sending") if n < total else tr("waiting for its restart"), n,
                               total)

                sent(0)
                runs_on = remote.send_model(content, key, sent)
                trouble = sensor_trouble(remote.state)
            warning = tr("{device} has {trouble}", device=device, trouble=trouble) if trouble \
                else ""
            return Deployment("done", model=model_id, warning=warning,
                              message=tr("{device} runs on model {model}", device=device,
                                         model=runs_on))

        self._start(run)

    def _start(self, run: Callable[[], Deployment]) -> None:
        if self.running:
            raise BeckonError("a deployment is under way: wait until it ends")

        def work() -> None:
            try:
                self.view = run()
            except BeckonError as error:
                self.view = Deployment("failed", message=str(error))
            except OSError as error:
                self.view = Deployment("failed", message=tr("{error}; try again",
                                                            error=error.strerror or error))

        self.view = Deployment("running", tr("starting"))
        self._thread = threading.Thread(target=copy_context().run, args=(work,),
                                        name="deployer", daemon=True)
        self._thread.start()

    def _step(self, what: str, done: int, total: int) -> None:
        share = done / total if total else None
        self.view = Deployment("running", what, share)


def _read(path: Path) -> tuple[bytes, str]:
    """The file's bytes and its model's id. Raises BeckonError if a board would refuse it."""
    return path.read_bytes(), read_model(path).model_id
