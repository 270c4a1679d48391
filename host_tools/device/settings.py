"""The board's settings on the host: config.json and secrets.json, checked as the board will."""

import functools
import importlib.util
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from host_tools.errors import BeckonError
from host_tools.files import replace_file
from host_tools.paths import FIRMWARE

CONFIG, SECRETS = "config.json", "secrets.json"
SECRET_NAMES = ("wifi_key", "user", "password", "update_key")
# setting -> (the file's name in the folder and on the board, what it is)
TLS_FILES = {
    "tls_ca": ("ca.crt", "a CA's certificate"),
    "tls_cert": ("client.crt", "a certificate"),
    "tls_key": ("client.key", "a certificate's key"),
}
_TLS_FILE_MAX = 8191  # as firmware/link/tls_socket.py takes it; a test compares


def default_folder() -> Path:
    """Where `beckon setup` keeps them: outside any repository."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
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


def check(name: str, value: Any) -> None:
    """Raises BeckonError unless the board takes value for the setting name."""
    try:
        _config().checked(CONFIG, name, value)
    except ValueError as error:
        raise BeckonError(str(error).partition(": ")[2]) from None


def read_settings(folder: Path) -> dict[str, Any]:
    """All settings in folder, defaults included. Raises BeckonError naming the file."""
    return vars(_loaded(folder))


def settings_files(folder: Path) -> dict[str, bytes]:
    """What of config.json and secrets.json is in folder, and the files for TLS that they name,
    checked: path on the board -> content. Raises BeckonError."""
    files = {}
    for name in (CONFIG, SECRETS):
        path = folder / name
        if path.exists():
            files[name] = path.read_bytes()
    if not files:
        raise BeckonError(f"{folder} holds neither {CONFIG} nor {SECRETS}; make them with beckon "
                          "setup")
    settings = vars(_loaded(folder))
    named = {name: settings[name].lstrip("/") for name in TLS_FILES if settings[name]}
    for name, path_on_board in named.items():
        path = folder / path_on_board
        if ".." in Path(path_on_board).parts:
            raise BeckonError(f"{name} is {path_on_board!r}, which leaves {folder}; write the name "
                              "of a file in it")
        files[path_on_board] = tls_file(path, name)
    if "tls_ca" in named:
        check_tls(folder, settings)
    return files


def tls_file(path: Path, name: str) -> bytes:
    """The content of the file for the setting name. Raises BeckonError."""
    option = f"--{name.partition('_')[2]}"
    try:
        with open(path, "rb") as file:
            content = file.read(_TLS_FILE_MAX + 1)
    except OSError as error:
        raise BeckonError(f"{name} names {path}, which cannot be read ({error.strerror}); run "
                          f"beckon setup {option} FILE") from None  # fmt: skip
    if not 0 < len(content) <= _TLS_FILE_MAX:
        raise BeckonError(f"{path} has {path.stat().st_size} bytes, but a board takes 1 to "
                          f"{_TLS_FILE_MAX}; leave nothing but {TLS_FILES[name][1]} in it")
    return content


def check_tls(folder: Path, settings: Mapping[str, Any]) -> None:
    """Raises BeckonError unless the files that settings name are certificates and a key."""
    from host_tools.mqtt.address import BrokerAddress, TlsFiles
    from host_tools.mqtt.tls import tls_context

    ca, cert, key = (folder / settings[name].lstrip("/") if settings[name] else None
                     for name in TLS_FILES)  # fmt: skip
    tls_context(BrokerAddress("", tls=TlsFiles(ca, cert, key)))


def _loaded(folder: Path) -> Any:
    try:
        return _config().load((str(folder / CONFIG), str(folder / SECRETS)))
    except ValueError as error:
        raise BeckonError(str(error)) from None


def write_settings(folder: Path, values: Mapping[str, Any],
                   files: Mapping[str, bytes] | None = None) -> None:  # fmt: skip
    """Write values as config.json and secrets.json, and files (name -> content) beside them.

    secrets.json and keys can be read by their owner only. Settings that were there and are not
    in values stay. Raises BeckonError.
    """
    for name, value in values.items():
        check(name, value)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in (files or {}).items():
            replace_file(folder / name, content, private=name.endswith(".key"))
        for file, secret in ((CONFIG, False), (SECRETS, True)):
            mine = {n: v for n, v in values.items() if (n in SECRET_NAMES) == secret}
            text = json.dumps({**_stored(folder / file), **mine}, indent=2) + "\n"
            replace_file(folder / file, text.encode(), private=secret)
    except OSError as error:
        raise BeckonError(f"{error.filename or folder}: {error.strerror}; name another folder with "
                          "--folder") from None


def _stored(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise BeckonError(f"{path} is not a JSON object; fix or delete it") from None
    return stored if isinstance(stored, dict) else {}
