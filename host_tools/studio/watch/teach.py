"""Teaching a board for a page: it learns a gesture, takes it back, or hands it over; in a thread.

    teacher = Teacher()
    teacher.learn(broker, "beckon-kitchen", "wave", 5)
    teacher.view          # what a page shows
    teacher.stop()

Belongs to the project, not to a page: it goes on when the page is loaded again. Knows no browser.
"""
from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from host_tools.dataset import is_idle
from host_tools.device.known_broker import known_broker
from host_tools.device.settings import default_folder, read_settings, update_key
from host_tools.errors import BeckonError, Sentence
from host_tools.mqtt import learning as library
from host_tools.mqtt.address import BrokerAddress
from host_tools.mqtt.learning_words import Progress, progress_of
from host_tools.mqtt.remote_device import RemoteDevice
from host_tools.recording.pulled import Kept, keep, through_broker
from host_tools.recording.writer import check_name
from host_tools.studio.frame.project import Project
from host_tools.studio.watch.session import Device


@dataclass(frozen=True)
class Lesson:
    """What a page shows. doing: learn, undo or bring. state: idle, running, done, stopped or
    failed. progress: of learning, None until the board says something. share: of bringing, 0 to
    1. message: why it failed. model: id of the one that the board now has."""

    doing: str = ""
    state: str = "idle"
    device: str = ""
    label: str = ""
    progress: Progress | None = None
    stopping: bool = False
    share: float | None = None
    message: str = ""
    model: str = ""
    kept: Kept | None = None


class Teacher:
    """One thing at a time. Its methods raise BeckonError for what can be said at once.

    settings: folder with the update_key; by default where `beckon setup` keeps it.
    """

    def __init__(self, settings: Path | None = None) -> None:
        self.view = Lesson()
        self._settings = settings
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def wait(self, timeout_s: float) -> None:
        if self._thread:
            self._thread.join(timeout_s)

    def learn(self, broker: BrokerAddress | None, device: str, label: str, takes: int) -> None:
        """broker: None takes the one in the settings."""
        if not label:
            raise BeckonError("enter a name for the gesture, such as wave")
        check_name("label", label)
        if is_idle(label):
            raise BeckonError("{label} is the name for no gesture; choose another name",
                              label=label)
        least, most = library.TAKES_LEAST, library.TAKES_MOST
        if not least <= takes <= most:
            raise BeckonError("{takes} repetitions: enter {least} to {most}", takes=takes,
                              least=least, most=most)

        def run(remote: RemoteDevice, key: str) -> Lesson:
            def show(learning: library.Learning) -> None:
                self.view = replace(self.view, progress=progress_of({"learning": learning}))

            library.learn(remote, key, label, takes, show, stopped=self._stop.is_set)
            return replace(self.view, state="done", model=str(remote.state.get("model", "")))

        self._start(Lesson("learn", "running", device, label), broker, run)

    def undo(self, broker: BrokerAddress | None, device: str) -> None:
        """Take back what the board learned last."""
        def run(remote: RemoteDevice, key: str) -> Lesson:
            return replace(self.view, state="done", model=library.undo(remote, key))

        self._start(Lesson("undo", "running", device), broker, run)

    def bring(self, broker: BrokerAddress | None, device: str, project: Project) -> None:
        """The board's model and repetitions into the project."""
        def run(remote: RemoteDevice, key: str) -> Lesson:
            def show(file: str, done: int, size: int) -> None:
                self.view = replace(self.view, share=done / size if size else None)

            learned = through_broker(remote, key, show)
            project.labels.refresh()  # raises if it is broken: nothing is written then
            kept = keep(learned, project.folder, project.inside("models"))
            project.labels.refresh()
            return replace(self.view, state="done", model=kept.model_id, kept=kept)

        self._start(Lesson("bring", "running", device), broker, run)

    def stop(self) -> None:
        """End the learning that was begun here."""
        self._stop.set()
        self.view = replace(self.view, stopping=True)

    def stop_other(self, broker: BrokerAddress | None, device: str) -> None:
        """End a learning that another program or a button began. Waits for the answer."""
        address, key = self._known(broker, device)
        with RemoteDevice(address, device) as remote:
            library.stop(remote, key)

    def close(self) -> None:
        """The board stops learning."""
        self._stop.set()
        self.wait(5.0)

    def _known(self, broker: BrokerAddress | None, device: str) -> tuple[BrokerAddress, str]:
        if not device:
            raise BeckonError("enter the device's name, such as beckon-kitchen")
        folder = self._settings or default_folder()
        key = update_key(folder)
        if broker is None and not read_settings(folder)["broker_host"]:
            raise BeckonError("enter the broker's address")
        return broker or known_broker(folder=folder), key

    def _start(self, lesson: Lesson, broker: BrokerAddress | None,
               run: Callable[[RemoteDevice, str], Lesson]) -> None:
        if self.running:
            raise BeckonError("a board is being taught already: wait until that ends")
        address, key = self._known(broker, lesson.device)

        def work() -> None:
            try:
                with RemoteDevice(address, lesson.device) as remote:
                    self.view = run(remote, key)
            except library.Stopped:
                self.view = replace(self.view, state="stopped")
            except BeckonError as error:
                self.view = replace(self.view, state="failed", message=str(error))
            except OSError as error:
                self.view = replace(self.view, state="failed", message=Sentence(
                    "{error}; try again", error=error.strerror or error))

        self._stop.clear()
        self.view = lesson
        self._thread = threading.Thread(target=work, name="teacher", daemon=True)
        self._thread.start()


def under_way(devices: Mapping[str, Device]) -> tuple[str, Progress] | None:
    """The first device that is learning, by its `state`, whoever began it."""
    for device in devices.values():
        progress = progress_of(device.state) if device.online is not False else None
        if progress and progress.under_way:
            return device.name, progress
    return None


def known_gestures(devices: Mapping[str, Device], name: str) -> list[str]:
    """What the model of the device knows; [] if it has not reported."""
    device = devices.get(name)
    return [label for label in device.labels if not is_idle(label)] if device else []
