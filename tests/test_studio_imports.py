"""Studio's folders import downwards only, and what works without a browser knows none."""

import ast

import pytest

from tests.conftest import REPOSITORY

STUDIO = REPOSITORY / "host_tools" / "studio"
PAGES = ("data", "explore", "label", "record", "start", "train", "trial", "watch")
BELOW = {  # folder -> the folders that it may import, besides itself
    "signal": set(),
    "frame": {"signal"},
    "phone": {"frame"},
    **{page: {"frame", "signal"} for page in PAGES},
    "record": {"frame", "phone", "signal"},
    "": {"frame", "phone", "signal", *PAGES},  # app.py
}
WITHOUT_BROWSER = (
    "data/editing", "data/importing", "explore/job", "explore/session", "frame/child_process",
    "frame/durations", "frame/label_store", "frame/language", "frame/project", "frame/uploads",
    "label/editor", "phone/access", "phone/app", "phone/certificate", "phone/page",
    "record/session", "record/sitting", "record/sources", "signal/charts",
    "signal/live_feed", "start/projects", "start/sharing", "train/job", "train/session",
    "trial/session", "watch/deploy", "watch/device_health", "watch/session",
)
_BROWSER = {"nicegui", "fastapi", "starlette", "uvicorn"}


def imported(path):
    """The full names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{path}: a relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(name):
    """The file of a module of Studio, None for another's."""
    path = REPOSITORY / f"{name.replace('.', '/')}.py"
    return path if path.is_relative_to(STUDIO) and path.is_file() else None


@pytest.mark.parametrize("path", sorted(STUDIO.rglob("*.py")),
                         ids=lambda path: path.relative_to(STUDIO).as_posix())
def test_imports_run_down(path):
    folder = path.parent.relative_to(STUDIO).as_posix().removeprefix(".")
    for target in filter(None, map(own, imported(path))):
        there = target.parent.relative_to(STUDIO).as_posix().removeprefix(".")
        assert there == folder or there in BELOW[folder], f"{folder} imports {target}"


@pytest.mark.parametrize("name", WITHOUT_BROWSER)
def test_what_needs_no_browser_imports_none(name):
    seen, todo = set(), [STUDIO / f"{name}.py"]
    while todo:
        path = todo.pop()
        seen.add(path)
        for module in imported(path):
            assert module.split(".")[0] not in _BROWSER, f"{path} imports {module}"
            if own(module) and own(module) not in seen:
                todo.append(own(module))
