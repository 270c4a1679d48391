"""What can be saved of a settings file, whatever it holds: half of a file, wrong types, no JSON."""

import codecs
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError
from host_tools.files import replace_file

_MOST_BYTES = 65536
_INT_END = re.compile(r"\s*[,}]")  # else the number may have been cut off


@dataclass(frozen=True)
class Stored:
    """values: what a board takes, without defaults. faults: a line for each thing that it
    refuses. broken: names of the files that hold such a thing."""

    values: dict[str, Any]
    faults: list[str]
    broken: list[str]


def stored_file(
    path: Path, check: Callable[[str, Any], None], known: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """(values that pass check, faults) of one file; both are empty for a file that is missing.

    known: each setting's name with its default. Raises BeckonError for a file that may not be
    read: what is in it must not be replaced.
    """
    text, faults = _text(path)
    if text is None:
        return {}, faults
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
        faults.append(f"{path} is not a JSON object")
    if found is not None and not isinstance(found, dict):
        faults.append(f"{path} must hold one JSON object")
        found = None
    if found is None:
        found = _pieces(text, known)
    values = {}
    for name, value in found.items():
        try:
            check(name, value)
        except BeckonError as error:
            faults.append(f"{path}: {error}")
            value = _as_number(value, known.get(name))
            try:
                check(name, value)
            except BeckonError:
                continue
        values[name] = value
    return values, faults


def put_aside(path: Path) -> Path:
    """Keep what lies at path under a name of its own, for its owner only; that name. Afterwards
    a file can be written at path. Raises OSError."""
    number = 1
    while os.path.lexists(kept := path.with_name(f"{path.name}.broken{number}")):
        number += 1
    if path.is_file() and path.stat().st_size <= _MOST_BYTES:
        replace_file(kept, path.read_bytes(), private=True)
    else:  # a folder, a pipe, a link that leads nowhere
        os.rename(path, kept)
    return kept


def _text(path: Path) -> tuple[str | None, list[str]]:
    """(what the file holds or None, faults). Raises BeckonError."""
    if not os.path.lexists(path):
        return None, []
    if not path.is_file():
        return None, [f"{path} is not a file"]
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise BeckonError("{path} cannot be read ({reason}); let yourself read it, since it may "
                          "hold keys", path=path, reason=error.strerror) from None
    if len(data) > _MOST_BYTES:
        return None, [f"{path} is too large for settings"]
    for mark, name in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"),
                       (codecs.BOM_UTF16_BE, "utf-16-be")):  # fmt: skip
        if data.startswith(mark):  # some editors write one; MicroPython stumbles over it
            text = data[len(mark) :].decode(name, errors="replace")
            return text, [f"{path} begins with a byte-order mark"]
    try:
        return data.decode(), []
    except UnicodeDecodeError as error:
        cut_off = error.reason == "unexpected end of data"
        text = data[: error.start].decode() if cut_off else data.decode("latin-1")
        return text, [f"{path} is not UTF-8 text"]


def _pieces(text: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are whole in a text that is not: name -> value, the last one of each."""
    found = {}
    for match in re.finditer(r'"([a-z0-9_]+)"\s*:\s*', text):
        if match[1] not in known:
            continue
        try:
            value, end = json.JSONDecoder().raw_decode(text, match.end())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, str) or (isinstance(value, int) and _INT_END.match(text, end)):
            found[match[1]] = value
    return found


def _as_number(value: Any, default: Any) -> Any:
    """The number that a text such as "1883" means, for a setting that is a number."""
    if isinstance(default, int) and isinstance(value, str) and value.strip().isdecimal():
        return int(value[:20])
    return value
