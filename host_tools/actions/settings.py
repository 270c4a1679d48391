"""actions.toml as values. Faults name the action and the key.

    [[action]]
    name = "lamp"
    gestures = ["circle"]
    http = {method = "POST", url = "http://lamp.local/on"}
"""

import os
import re
import tomllib
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any

from host_tools.errors import BeckonError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIELDS = ("device", "gesture", "confidence", "time", "model", "boot", "seq")
_SECRET = re.compile(r"\$\{(\w+)\}")
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Mqtt:
    topic: str
    payload: str = "{gesture}"
    retain: bool = False


@dataclass(frozen=True)
class Http:
    """json: sent as JSON; body: as text. retries: after a fault of the network or a status of 429
    or 5xx."""

    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    body: str = ""
    timeout_s: float = 5.0
    retries: int = 2


@dataclass(frozen=True)
class Command:
    """run: program and arguments; no shell reads them."""

    run: tuple[str, ...]
    timeout_s: float = 10.0


@dataclass(frozen=True)
class Action:
    """devices, gestures: patterns with * and ?; empty means all. since, until: time of day, over
    midnight if until is the earlier one. max_age_s: how old a gesture may be. every_s: at most
    once in so long for each device."""

    name: str
    does: Mqtt | Http | Command
    gestures: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    min_confidence: int = 0
    since: time | None = None
    until: time | None = None
    days: tuple[str, ...] = ()
    max_age_s: float = 5.0
    every_s: float = 0.0


@dataclass(frozen=True)
class Actions:
    """zone: of the times of day; None: this computer's."""

    actions: tuple[Action, ...]
    zone: zoneinfo.ZoneInfo | None = None


def read_actions(path: Path, environment: Mapping[str, str] = os.environ) -> Actions:
    """Raises BeckonError, also if a ${NAME} is not in the environment."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BeckonError(f"{path} cannot be read ({error.strerror}): name the file with your "
                          "actions, as docs/commands/act.md shows it") from None  # fmt: skip
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BeckonError(f"{path} is not TOML: {error}") from None
    try:
        return _actions(content, environment)
    except _Fault as fault:
        raise BeckonError(f"{path}: {fault}") from None


class _Fault(Exception):
    pass


def _actions(content: dict[str, Any], environment: Mapping[str, str]) -> Actions:
    _only(content, ("action", "timezone"), "the file")
    zone = None
    if "timezone" in content:
        try:
            zone = zoneinfo.ZoneInfo(_typed(content, "timezone", str, "the file"))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError):
            raise _Fault(f"timezone {content['timezone']!r} is not known; write one like "
                         "Europe/Berlin") from None  # fmt: skip
    tables = _typed(content, "action", list, "the file", [])
    if not tables:
        raise _Fault("there is not one [[action]] in it")
    actions = tuple(_action(table, i + 1, environment) for i, table in enumerate(tables))
    names = [action.name for action in actions]
    for name in names:
        if names.count(name) > 1:
            raise _Fault(f"two actions have the name {name!r}")
    return Actions(actions, zone)


def _action(table: Any, number: int, environment: Mapping[str, str]) -> Action:
    where = f"action {number}"
    if not isinstance(table, dict):
        raise _Fault(f"{where} is not a table; write [[action]]")
    _only(table, ("name", "gestures", "devices", "min_confidence", "from", "until", "days",
                  "max_age_s", "every_s", "mqtt", "http", "command"), where)  # fmt: skip
    name = _typed(table, "name", str, where, f"action {number}")
    where = f"action {name!r}"
    kinds = [kind for kind in ("mqtt", "http", "command") if kind in table]
    if len(kinds) != 1:
        raise _Fault(f"{where} needs one of mqtt, http and command")
    content = _typed(table, kinds[0], dict, where)
    readers: dict[str, Callable[[dict[str, Any], str], Mqtt | Http | Command]] = {
        "mqtt": _mqtt, "http": _http, "command": _command}  # fmt: skip
    does = readers[kinds[0]](content, f"{where}, {kinds[0]}")
    _check_fields(does, where, environment)
    days = _texts(table, "days", where)
    for day in days:
        if day not in DAYS:
            raise _Fault(f"{where}: day {day!r} is not one of {', '.join(DAYS)}")
    confidence = _typed(table, "min_confidence", int, where, 0)
    if not 0 <= confidence <= 100:
        raise _Fault(f"{where}: min_confidence {confidence} is not a percentage, 0 to 100")
    return Action(
        name, does, _texts(table, "gestures", where), _texts(table, "devices", where), confidence,
        _time(table, "from", where), _time(table, "until", where), days,
        _seconds(table, "max_age_s", where, 5.0), _seconds(table, "every_s", where, 0.0),
    )  # fmt: skip


def _mqtt(table: dict[str, Any], where: str) -> Mqtt:
    _only(table, ("topic", "payload", "retain"), where)
    topic = _typed(table, "topic", str, where)
    if not topic or set(topic) & set("+#\0"):
        raise _Fault(f"{where}: {topic!r} is not a topic to publish to")
    if topic.startswith("beckon/") and "/cmd/" not in topic:
        raise _Fault(f"{where}: topic {topic!r} is for devices to publish to, and could set off "
                     "actions itself")  # fmt: skip
    return Mqtt(topic, _typed(table, "payload", str, where, "{gesture}"),
                _typed(table, "retain", bool, where, False))  # fmt: skip


def _http(table: dict[str, Any], where: str) -> Http:
    _only(table, ("url", "method", "headers", "json", "body", "timeout_s", "retries"), where)
    url = _typed(table, "url", str, where)
    if not url.startswith(("http://", "https://")):
        raise _Fault(f"{where}: url {_hidden(url)!r} does not begin with http:// or https://")
    headers = _typed(table, "headers", dict, where, {})
    for name, value in headers.items():
        if not isinstance(value, str):
            raise _Fault(f"{where}: header {name} is not a text")
    retries = _typed(table, "retries", int, where, 2)
    if not 0 <= retries <= 10:
        raise _Fault(f"{where}: retries {retries} is not from 0 to 10")
    return Http(url, _typed(table, "method", str, where, "POST").upper(), headers,
                table.get("json"), _typed(table, "body", str, where, ""),
                _seconds(table, "timeout_s", where, 5.0), retries)  # fmt: skip


def _command(table: dict[str, Any], where: str) -> Command:
    _only(table, ("run", "timeout_s"), where)
    run = _texts(table, "run", where)
    if not run or not run[0]:
        raise _Fault(f'{where}: run is the list of program and arguments, such as ["echo", "hi"]')
    if _FIELD.search(run[0]):
        raise _Fault(f"{where}: the program {run[0]!r} must not come from an event")
    return Command(run, _seconds(table, "timeout_s", where, 10.0))


def _check_fields(value: Any, where: str, environment: Mapping[str, str]) -> None:
    """Every {field} is known and every ${NAME} is set."""
    for text in texts_in(value):
        for name in _SECRET.findall(text):
            if name not in environment:
                raise _Fault(f"{where}: the environment has no {name}; set it before you start")
        for name in _FIELD.findall(_SECRET.sub("", text)):
            if name not in FIELDS:
                raise _Fault(f"{where}: {{{name}}} is not known; there are "
                             + ", ".join(f"{{{known}}}" for known in FIELDS))  # fmt: skip


def texts_in(value: Any) -> list[str]:
    """All texts in an action, its headers and its JSON."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in texts_in(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in texts_in(item)]
    if isinstance(value, Mqtt | Http | Command):
        return [text for item in vars(value).values() for text in texts_in(item)]
    return []


def filled(text: str, fields: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """text with {field} and ${NAME} replaced, each once: what is put in is not read again."""
    return re.sub(
        r"\$\{(\w+)\}|\{(\w+)\}",
        lambda m: environment.get(m[1], "") if m[1] else fields.get(m[2], m[0]), text)  # fmt: skip


def _hidden(url: str) -> str:
    return url.partition("?")[0].rpartition("@")[2][:80]


def _only(table: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise _Fault(f"{where}: {key!r} is not known; there are {', '.join(known)}")


_NAMES = {str: "a text", int: "a whole number", bool: "true or false", dict: "a table",
          list: "a list"}  # fmt: skip


def _typed(table: dict[str, Any], key: str, kind: type, where: str, default: Any = None) -> Any:
    value = table.get(key, default)
    if value is None:
        raise _Fault(f"{where}: {key} is missing")
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise _Fault(f"{where}: {key} is not {_NAMES[kind]}")
    return value


def _texts(table: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = _typed(table, key, list, where, [])
    if not all(isinstance(item, str) for item in value):
        raise _Fault(f"{where}: {key} is not a list of texts")
    return tuple(value)


def _seconds(table: dict[str, Any], key: str, where: str, default: float) -> float:
    value = table.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 86_400:
        raise _Fault(f"{where}: {key} is not a number of seconds")
    return float(value)


def _time(table: dict[str, Any], key: str, where: str) -> time | None:
    value = table.get(key)
    if value is None or isinstance(value, time):
        return value
    try:
        return time.fromisoformat(value)
    except (ValueError, TypeError):
        raise _Fault(f"{where}: {key} {value!r} is not a time of day; write \"07:30\"") from None
