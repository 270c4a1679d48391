"""The board's settings on the host: config.json and secrets.json, checked as the board will."""

import functools
import importlib.util
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from host_tools.device.stored_settings import Stored, put_aside, stored_file
from host_tools.errors import BeckonError
from host_tools.files import replace_file
from host_tools.paths import FIRMWARE
from host_tools.toolchain import on_cpython

CONFIG, SECRETS = "config.json", "secrets.json"
SECRET_NAMES = ("wifi_key", "user", "password", "update_key", "ap_key", "radio_key")
# setting -> (the file's name in the folder and on the board, what it is)
TLS_FILES = {
    "tls_ca": ("ca.crt", "a CA's certificate"),
    "tls_cert": ("client.crt", "a certificate"),
    "tls_key": ("client.key", "a certificate's key"),
}
_TLS_FILE_MAX = 8191  # as firmware/link/tls_socket.py takes it; a test compares
_HOST_CURE = "write the host or its address alone, without mqtt://, port or blanks"


def default_folder() -> Path:
    """Where `beckon setup` keeps them: outside any repository."""
    usual = os.environ.get("APPDATA") if os.name == "nt" else None
    base = os.environ.get("XDG_CONFIG_HOME") or usual or Path.home() / ".config"
    return Path(base) / "beckon"


@functools.cache
def _config() -> ModuleType:
    """The firmware's own config.py, so that host and board cannot disagree."""
    path = FIRMWARE / "ops" / "config.py"
    spec = importlib.util.spec_from_file_location("beckon_board_config", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def defaults() -> dict[str, Any]:
    """Each setting that there is, with what a board uses if nothing names it."""
    return {name: entry[0] for name, entry in _config().SETTINGS.items()}


def check(name: str, value: Any) -> None:
    """Raises BeckonError unless the board takes value for the setting name."""
    try:
        if isinstance(value, str):
            value.encode()
        _config().checked(CONFIG, name, value)
    except UnicodeEncodeError:
        raise BeckonError("{name} holds bytes that are not UTF-8 text", name=name) from None
    except ValueError as error:
        text = str(error).partition(": ")[2]
        cure = f"; {_HOST_CURE}" if name == "broker_host" and isinstance(value, str) else ""
        raise BeckonError(f"{text}{cure}") from None


def check_together(settings: Mapping[str, Any], model: Any = None) -> None:
    """Raises BeckonError for settings that a board takes one by one but not together: two parts
    at one pin, say. It asks the firmware's own options/together.py.

    settings: name -> value; the others have their defaults. model: a Model; with it the tables
    may name its gestures only.
    """
    on_cpython.install()
    from options.together import check as check_on_board  # type: ignore[import-not-found]

    try:
        check_on_board(SimpleNamespace(**defaults()), settings, model)
    except ValueError as error:
        raise BeckonError(str(error)) from None


def read_settings(folder: Path) -> dict[str, Any]:
    """All settings in folder, defaults included. Raises BeckonError naming the file."""
    stored = stored_settings(folder)
    if stored.faults:
        raise BeckonError("{faults}; beckon setup mends it", faults=stored.faults[0])
    return {**defaults(), **stored.values}


def update_key(folder: Path) -> str:
    """The key that signs what a board learns. Raises BeckonError if folder has none."""
    key = str(read_settings(folder)["update_key"])
    if not key:
        raise BeckonError("no update_key in {path}: a board learns, and shows what it has learned, "
                          "only with it; beckon setup makes one, beckon deploy brings it to the "
                          "board", path=folder / SECRETS)
    return key


def stored_settings(folder: Path) -> Stored:
    """The settings in folder that a board takes, and what is wrong with the others.

    Raises BeckonError for a file that may not be read.
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    broken: list[str] = []
    for name in (CONFIG, SECRETS):
        found, wrong = stored_file(folder / name, check, defaults())
        values.update(found)
        faults += wrong
        if wrong:
            broken.append(name)
    return Stored(values, faults, broken)


def settings_files(folder: Path) -> dict[str, bytes]:
    """What of config.json and secrets.json is in folder, and the files for TLS that they name,
    checked: path on the board -> content. Raises BeckonError."""
    files = {}
    settings = read_settings(folder)
    check_together(settings)
    for name in (CONFIG, SECRETS):
        path = folder / name
        if path.exists():
            # Written again, since MicroPython does not join the two halves of an escaped emoji.
            files[name] = as_json(json.loads(path.read_text(encoding="utf-8")))
    if not files:
        raise BeckonError("{folder} holds neither {config} nor {secrets}; make them with beckon "
                          "setup", folder=folder, config=CONFIG, secrets=SECRETS)
    named = {name: settings[name].lstrip("/") for name in TLS_FILES if settings[name]}
    for name, path_on_board in named.items():
        files[path_on_board] = tls_file(tls_path(folder, name, settings[name]), name)
    if "tls_ca" in named:
        check_tls(folder, settings)
    return files


def tls_path(folder: Path, name: str, value: str) -> Path:
    """Where the file lies that the setting name names. Raises BeckonError if not in folder."""
    path_on_board = value.lstrip("/")
    if ".." in Path(path_on_board).parts:
        raise BeckonError("{name} is {path_on_board!r}, which leaves {folder}; write the name of "
                          "a file in it", name=name, path_on_board=path_on_board, folder=folder)
    return folder / path_on_board


def tls_file(path: Path, name: str) -> bytes:
    """The content of the file for the setting name. Raises BeckonError."""
    option = f"--{name.partition('_')[2]}"
    try:
        with open(path, "rb") as file:
            content = file.read(_TLS_FILE_MAX + 1)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        why = getattr(error, "strerror", None) or error
        raise BeckonError("{name} names {path!r}, which cannot be read ({why}); run beckon setup "
                          "{option} FILE", name=name, path=str(path), why=why,
                          option=option) from None  # fmt: skip
    if not 0 < len(content) <= _TLS_FILE_MAX:
        raise BeckonError("{path} has {st_size} bytes, but a board takes 1 to {tls_file_max}; "
                          "leave nothing but {tls_files} in it", path=path,
                          st_size=path.stat().st_size, tls_file_max=_TLS_FILE_MAX,
                          tls_files=TLS_FILES[name][1])
    return content


def check_tls(folder: Path, settings: Mapping[str, Any]) -> None:
    """Raises BeckonError unless the files that settings name are certificates and a key."""
    from host_tools.mqtt.address import BrokerAddress, TlsFiles
    from host_tools.mqtt.tls import tls_context

    ca, cert, key = (folder / settings[name].lstrip("/") if settings[name] else None
                     for name in TLS_FILES)  # fmt: skip
    tls_context(BrokerAddress("", tls=TlsFiles(ca, cert, key)))


def write_settings(folder: Path, values: Mapping[str, Any],
                   files: Mapping[str, bytes] | None = None) -> list[Path]:  # fmt: skip
    """Write values as config.json and secrets.json, and files (name -> content) beside them.

    secrets.json and keys can be read by their owner only. Settings that were there and are not
    in values stay. A file with anything in it that a board refuses is kept beside the new one;
    the paths of such files are returned. Raises BeckonError.
    """
    for name, value in values.items():
        check(name, value)
    stored = stored_settings(folder)
    settings = {**stored.values, **values}
    check_together(settings)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = [put_aside(folder / name) for name in stored.broken]
        for name, content in (files or {}).items():
            replace_file(folder / name, content, private=name.endswith(".key"))
        for file, secret in ((SECRETS, True), (CONFIG, False)):  # a power cut costs no secret
            mine = {n: v for n, v in settings.items() if (n in SECRET_NAMES) == secret}
            replace_file(folder / file, as_json(mine), private=secret)
    except OSError as error:
        raise BeckonError("{filename}: {reason}; name another folder with --folder",
                          filename=error.filename or folder, reason=error.strerror) from None
    return kept


def as_json(settings: Mapping[str, Any]) -> bytes:
    """Settings as they lie in a file."""
    return (json.dumps(settings, indent=2, ensure_ascii=False) + "\n").encode()
