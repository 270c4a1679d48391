"""The sentences of the library that pages can show: found in the code that the pages import.

A sentence is the literal of a BeckonError or a Sentence (host_tools/errors.py). Studio and the
dashboard translate them where they show them, so each needs a German text in library.de.po.
"""

import ast
from dataclasses import dataclass
from functools import cache

from host_tools.paths import REPOSITORY

STUDIO = REPOSITORY / "host_tools" / "studio"
DASHBOARD = REPOSITORY / "host_tools" / "dashboard"
# Imported by what Studio imports, for what only commands do
COMMANDS_ONLY = {
    "host_tools/augment/smote.py", "host_tools/device/esp_image.py", "host_tools/device/flash.py",
    "host_tools/device/image.py", "host_tools/experiments/baselines.py",
    "host_tools/dataset/idle.py", "host_tools/dataset/public_sets.py",
    "host_tools/dataset/split.py", "host_tools/experiments/search.py",
    "host_tools/experiments/compare.py", "host_tools/augment/background_fit.py",
    "host_tools/model/quantize.py",  # what only a program can do wrong
    "host_tools/augment/background.py", "host_tools/evaluation/robustness.py",
    "host_tools/rollout/keys.py",
}
# What these keep in the store, the dashboard shows
_STORED = {DASHBOARD: ("host_tools/rollout/runner.py", "host_tools/rollout/sender.py")}
_NOT_LIBRARY = ("host_tools/studio/", "host_tools/toolchain/", "host_tools/simulator/",
                "host_tools/testing/")


@dataclass(frozen=True)
class Found:
    """A sentence of the code. values: what the call fills in."""

    where: str
    text: str
    values: frozenset[str]


@cache
def modules(pages=STUDIO):
    """Files that the pages import, directly or not, and their own; of the dashboard without those
    of Studio."""
    before = modules(STUDIO) if pages != STUDIO else []
    todo = [*pages.rglob("*.py"), *(REPOSITORY / name for name in _STORED.get(pages, ()))]
    known = set(todo)
    while todo:
        for node in ast.walk(ast.parse(todo.pop().read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
            elif isinstance(node, ast.Import):
                names = [a.name for a in node.names]
            for name in names:
                base = REPOSITORY / name.replace(".", "/")
                for path in (base.with_suffix(".py"), base / "__init__.py"):
                    if name.startswith("host_tools") and path.is_file() and path not in known:
                        known.add(path)
                        todo.append(path)
    return sorted(p for p in known.difference(before)
                  if _is_shown(p.relative_to(REPOSITORY).as_posix()))


def _is_shown(name):
    own = name.startswith("host_tools/studio/")
    return own or not (name in COMMANDS_ONLY or name.startswith(_NOT_LIBRARY))


@cache
def _raised():
    """Names of BeckonError, of what is derived from it, and of Sentence."""
    names = {"BeckonError", "Sentence"}
    derived = [(node.name, {getattr(base, "id", "") for base in node.bases})
               for path in (REPOSITORY / "host_tools").rglob("*.py")
               for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
               if isinstance(node, ast.ClassDef) and node.bases]
    while more := {name for name, bases in derived if bases & names} - names:
        names |= more
    return names


def sentences(pages=STUDIO):
    """(every Found, calls whose text cannot be found)."""
    found, hidden = [], []
    for path in modules(pages):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(node, "func", None), "id", "")
            if name not in _raised() or not node.args:
                continue
            where = f"{path.relative_to(REPOSITORY)}:{node.lineno}"
            text = node.args[0]
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                values = frozenset(k.arg or "" for k in node.keywords) - {"status"}
                found.append(Found(where, text.value, values))
            elif isinstance(text, ast.JoinedStr | ast.BinOp):
                hidden.append(where)
    return found, hidden
