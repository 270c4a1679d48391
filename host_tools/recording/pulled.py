"""What a board has learned itself, fetched from it and put into a data folder.

    with RemoteDevice(broker, "kitchen") as device:
        learned = through_broker(device, key)
    kept = keep(learned, folder, folder)
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from host_tools.device.ports import find_port
from host_tools.device.pull import pull_files
from host_tools.errors import BeckonError
from host_tools.files import write_atomically
from host_tools.model.codec import decode
from host_tools.mqtt.learning import read_file
from host_tools.mqtt.remote_device import RemoteDevice
from host_tools.recording.learned import led_to, write_learned
from host_tools.recording.writer import check_folder


@dataclass(frozen=True)
class Learned:
    """gestures: (about, samples) of each that led to the model, the last one first."""

    device: str
    model: bytes
    gestures: list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Kept:
    """path: of the model. recordings: the new ones. unkept: labels whose samples found no room on
    the board."""

    path: Path
    model_id: str
    labels: tuple[str, ...]
    gestures: int
    recordings: list[Path]
    unkept: list[str]


def over_serial(port: str, on_step: Callable[..., None]) -> Learned:
    """port: "" finds it. on_step: as of pull_files. Raises BeckonError."""
    pulled = pull_files(find_port(port), on_step)
    files = pulled.files
    gestures = led_to(decode(pulled.model).model_id, lambda model: files.get(f"{model}.json"),
                      lambda model: files.get(f"{model}.raw", b""))  # fmt: skip
    return Learned(pulled.device, pulled.model, gestures)


def through_broker(
    device: RemoteDevice,
    key: str,
    on_progress: Callable[[str, int, int], None] = lambda file, done, size: None,
) -> Learned:
    """key: update_key. on_progress: called with the file's name, bytes read and all bytes. Raises
    BeckonError."""

    def read(file: str, model: str = "") -> bytes | None:
        return read_file(device, key, file, model,
                         lambda done, size: on_progress(file, done, size))

    model = read("model")
    if model is None:
        raise BeckonError("{device} has no model to bring", device=device.device)
    gestures = led_to(decode(model).model_id, lambda model: read("about", model),
                      lambda model: read("samples", model) or b"")  # fmt: skip
    return Learned(device.device, model, gestures)


def keep(learned: Learned, folder: Path, models: Path) -> Kept:
    """Write the repetitions into the data folder, and the model into models. What was pulled
    before stays as it is. Raises BeckonError."""
    check_folder(folder)
    found = decode(learned.model)
    recordings: list[Path] = []
    unkept: list[str] = []
    for about, samples in reversed(learned.gestures):
        if samples:
            recordings += write_learned(folder, learned.device, about, samples)
        else:
            unkept.append(json.loads(about)["label"])
    path = models / f"{learned.device}_{found.model_id}.mlp"
    try:
        models.mkdir(parents=True, exist_ok=True)
        write_atomically(path, learned.model)
    except OSError as error:
        raise BeckonError("{path}: cannot be written ({reason})", path=path,
                          reason=error.strerror) from None
    return Kept(path, found.model_id, tuple(found.labels), len(learned.gestures), recordings,
                unkept)
