"""A browser for tests and measurements: the system's, else out of a Debian package.

    browser = browser_command()
    playwright.chromium.launch(executable_path=browser.path, env=browser.env)

The package is unpacked into the cache, nothing is installed. Chromium runs its own file
again for each of its processes, so it cannot be started through a loader of its own, as
other tools are (debian.command_in). It comes from the suite that the machine runs, and
uses the machine's C library with the package's other libraries.

Chromium's headless shell comes first: the same engine, without what shows windows. Opening
Studio's pages takes half the processor's time with it, and its package is smaller.
"""
from __future__ import annotations

import functools
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from host_tools.errors import BeckonError
from host_tools.toolchain import debian
from host_tools.toolchain.activity import doing
from host_tools.toolchain.cache import cached

_SHELL = "chromium-headless-shell"
_NAMES = (_SHELL, "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_MORE_PACKAGES = ("chromium-common", "fonts-dejavu-core")
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{cache}</cachedir>
</fontconfig>
"""


@dataclass(frozen=True)
class Browser:
    """path: the program; env: the variables that it is to run with."""

    path: str
    env: dict[str, str]


@functools.cache
def _found() -> tuple[str, tuple[tuple[str, str], ...]]:
    for name in _NAMES:
        path = shutil.which(name)
        if path is not None and not os.path.realpath(path).startswith("/snap/"):
            return path, ()  # a snap sees neither our files nor our pipes
    found = debian.distribution()
    if found != "Debian":
        raise BeckonError(
            "no Chromium here: install it (macOS: brew install --cask chromium; Ubuntu: "
            "Google's package google-chrome-stable, as its chromium is a snap)"
        )
    folder = cached(f"headless-chromium-{platform.machine()}", _make)
    root = folder / "root"
    libraries = [p.parent for p in root.glob("usr/lib/*/libnss3.so")]
    programs = [p for p in (root / "usr/lib/chromium" / name for name in (_SHELL, "chromium"))
                if p.exists()]
    if not libraries or not programs:
        raise BeckonError(f"{folder} is incomplete: remove that folder and try again")
    return str(programs[0]), (
        ("LD_LIBRARY_PATH", debian.library_path(root, libraries[0].name)),
        ("FONTCONFIG_FILE", str(_fonts(folder))),
    )


def browser_command() -> Browser:
    """Where the browser is. Raises BeckonError when there is none and none can be fetched."""
    path, variables = _found()
    return Browser(path, {**os.environ, **dict(variables)})


def _fonts(folder: Path) -> Path:
    """The font configuration with this folder's paths, which may have moved."""
    path = folder / "fonts.conf"
    text = _FONTS.format(fonts=folder / "root/usr/share/fonts", cache=folder / "fontcache")
    if not path.exists() or path.read_text() != text:
        part = path.with_name(f"fonts.{os.getpid()}.tmp")
        part.write_text(text)
        os.replace(part, path)
    return path


def _make(work: Path) -> None:
    root = work / "root"
    with doing("fetching chromium (a Debian package, into .cache; nothing is installed)"):
        apt = debian.Apt(work / "apt")
        apt.unpack(root, _SHELL if apt.version(_SHELL) else "chromium", *_MORE_PACKAGES)
        shutil.rmtree(work / "apt")
        for part in ("doc", "locale", "man", "X11", "lintian", "bug"):
            shutil.rmtree(root / "usr/share" / part, ignore_errors=True)
        # The C library must be the machine's own, since its loader starts the program.
        for name in debian.C_LIBRARY:
            for path in [*root.glob(f"lib/*/{name}"), *root.glob(f"usr/lib/*/{name}")]:
                path.unlink()
