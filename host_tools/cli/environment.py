"""What the Python environment around Beckon lacks, or puts in its way."""

import importlib.metadata
import os
import re
import shlex
import sys
import traceback
from pathlib import Path

from host_tools.paths import IS_CHECKOUT


def missing_packages(extra: str) -> list[str]:
    """The requirements of one of Beckon's extras that are not installed, such as `optuna<6`."""
    try:
        every = importlib.metadata.requires("beckon") or []
    except importlib.metadata.PackageNotFoundError:  # started from a checkout, never installed
        return []
    wanted = [line.partition(";") for line in every]
    mine = re.compile(rf"""extra\s*==\s*['"]{re.escape(extra)}['"]""")
    return [need.strip() for need, _, marker in wanted
            if mine.search(marker) and not _installed(need)]


def _installed(requirement: str) -> bool:
    name = re.split(r"[^\w.-]", requirement.strip())[0]
    if name == "beckon":  # an extra that names others of ours
        return True
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def pip_line(requirements: list[str]) -> str:
    """The command that installs them into the environment that runs now."""
    return shlex.join([sys.executable, "-m", "pip", "install", *requirements])


def blame(error: Exception) -> str:
    """One line about an exception that no command expects: whose fault it is, and the cure."""
    foreign = _foreign_file(error)
    if foreign:
        return (f"PYTHONPATH brings in {foreign}, which is not Beckon's ({type(error).__name__}: "
                f"{error}): start with env -u PYTHONPATH beckon ...")
    if isinstance(error, ModuleNotFoundError):
        if IS_CHECKOUT:
            cure = "start with ./beckon, which installs it"
        else:
            cure = f"install it with {pip_line([str(error.name).partition('.')[0]])}"
        return f"the Python package {error.name} is missing: {cure}"
    return (f"{type(error).__name__}: {error} (a bug in Beckon: report it; BECKON_DEBUG=1 shows "
            "where)")


def _foreign_file(error: Exception) -> str:
    """A file below PYTHONPATH that took part in the fault, "" if there is none."""
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, ImportError) and error.path:
        files.append(error.path)
    if isinstance(error, AttributeError):  # of a module that stands in for another
        files.append(getattr(error.obj, "__file__", None) or "")
    if isinstance(error, SyntaxError):  # a module for another version of Python
        files.append(error.filename or "")
    files += _stand_ins()
    ours = Path(__file__).resolve().parents[1], Path(sys.prefix)
    for folder in filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)):
        for file in map(Path, filter(None, files)):
            if file.is_relative_to(Path(folder).absolute()):
                if not any(file.is_relative_to(own) for own in ours):
                    return str(file)
    return ""


def _stand_ins() -> list[str]:
    """Files of loaded modules that have the name of a package that Beckon needs."""
    try:
        needs = importlib.metadata.requires("beckon") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    wanted = {re.split(r"[^\w.-]", need)[0].lower().replace("-", "_") for need in needs}
    wanted |= {"serial", "paho", "yaml"}  # modules that are not called as their packages
    return [str(getattr(module, "__file__", None) or "") for name, module in
            list(sys.modules.items()) if name.partition(".")[0].lower() in wanted]
