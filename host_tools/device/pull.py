"""Fetch what a board has learned itself, over its serial port, with mpremote.

The files are those of firmware/learning/record.py. The board's program is stopped meanwhile, and
started again.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from host_tools.device.console import Console, Unplugged
from host_tools.device.deploy import Survey, look
from host_tools.device.mpremote import mpremote
from host_tools.errors import BeckonError

_FOLDER = "learned"
_CONFIG = "config.json"


@dataclass(frozen=True)
class Pulled:
    """device: the board's name. model: the file that it uses. files: name (MODEL.json, MODEL.raw,
    by the id of a model) -> content, of gestures that it has learned."""

    device: str
    model: bytes
    files: dict[str, bytes]


def pull_files(port: str, on_step: Callable[[str], None] = lambda line: None) -> Pulled:
    """The model of the board on port and what it knows of its gestures. on_step: called with a
    line. Raises BeckonError; the board then runs on, too, unless it is the line that fails."""
    on_step("looking at the board")
    with Console(port) as console:
        console.catch()
        console.leave()
    try:
        found = _read(port, on_step)
    except BeckonError:
        try:
            _start(port)
        except BeckonError:
            pass  # the first fault says more
        raise
    _start(port)
    return found


def _read(port: str, on_step: Callable[[str], None]) -> Pulled:
    survey = look(port, {"", _FOLDER})
    settings = {}
    if _CONFIG in survey.files:
        config = _copied(port, survey, [_CONFIG], on_step)[_CONFIG]
        try:
            settings = dict(json.loads(config))
        except (ValueError, TypeError):
            raise BeckonError("the board on {port} has a damaged config.json; send one with "
                              "beckon deploy --settings", port=port) from None
    device = settings.get("device") or f"beckon-{survey.chip[-6:]}"
    model = settings.get("model") or "model.mlp"
    if model not in survey.files:
        raise BeckonError("the board on {port} has no {model}; beckon deploy brings one", port=port,
                          model=model)
    learned = [path for path in survey.files if path.startswith(f"{_FOLDER}/")]
    content = _copied(port, survey, [model, *learned], on_step)
    return Pulled(str(device), content.pop(model),
                  {path.partition("/")[2]: data for path, data in content.items()})


def _copied(
    port: str, survey: Survey, paths: list[str], on_step: Callable[[str], None]
) -> dict[str, bytes]:
    """path -> content, whole. Raises BeckonError."""
    with tempfile.TemporaryDirectory(prefix="beckon-pull-") as folder:

        def on_line(line: str) -> None:
            if line.startswith("cp :"):
                on_step(line.split()[1][1:])

        sources = [f":{path}" for path in paths]
        mpremote(port, ["cp", *sources, f"{folder}/"], resume=True, on_line=on_line)
        content = {path: (Path(folder) / Path(path).name).read_bytes() for path in paths}
    for path, data in content.items():
        if hashlib.sha256(data).hexdigest() != survey.files[path]:
            raise BeckonError("{path} came damaged from the board on {port}; pull again, with a "
                              "shorter cable if it happens again", path=path, port=port)
    return content


def _start(port: str) -> None:
    try:
        with Console(port) as console:
            console.catch()
            console.restart()
    except Unplugged:
        pass  # where MicroPython itself is the USB device, a reset unplugs it
