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
from host_tools.paths import FIRMWARE

CONFIG, SECRETS = "config.json", "secrets.json"
SECRET_NAMES = ("wifi_key", "user", "password", "update_key")


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
    """What of config.json and secrets.json is in folder, checked. Raises BeckonError."""
    files = {}
    for name in (CONFIG, SECRETS):
        path = folder / name
        if path.exists():
            files[name] = path.read_bytes()
    if not files:
        raise BeckonError(f"{folder} holds neither {CONFIG} nor {SECRETS}; make them with beckon "
                          "setup")
    _loaded(folder)
    return files


def _loaded(folder: Path) -> Any:
    try:
        return _config().load((str(folder / CONFIG), str(folder / SECRETS)))
    except ValueError as error:
        raise BeckonError(str(error)) from None


def write_settings(folder: Path, values: Mapping[str, Any]) -> None:
    """Write values as config.json and secrets.json, the latter for its owner only.

    Settings that were there and are not in values stay. Raises BeckonError.
    """
    for name, value in values.items():
        check(name, value)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, secret in ((CONFIG, False), (SECRETS, True)):
            mine = {n: v for n, v in values.items() if (n in SECRET_NAMES) == secret}
            _write(folder / file, {**_stored(folder / file), **mine}, 0o600 if secret else 0o644)
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


def _write(path: Path, values: Mapping[str, Any], mode: int) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
            file.write(json.dumps(values, indent=2) + "\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
