"""The firmware's folders in order: every import goes down, and none comes back."""

import ast
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).parents[1] / "firmware"

# From the top. docs/architecture.md shows the same order. A folder's modules may import
# one another; folders on the same line know nothing of each other.
FLOORS = (
    ("main",),
    ("app",),
    ("board",),
    ("radio",),
    ("commands", "power", "portal", "learning"),
    ("options",),
    ("feedback",),
    ("recognition", "events", "serial_line"),
    ("sensing", "link"),
    ("drivers",),
    ("ops",),
    ("debounce", "lib", "capture"),
)


def module_of(path: Path, firmware: Path) -> str:
    name = ".".join(path.relative_to(firmware).with_suffix("").parts)
    return name.removeprefix("lib.") if name.startswith("lib.") else name


def imports(firmware: Path) -> dict[str, set[str]]:
    """Module -> the modules of the firmware that it imports, anywhere in its text."""
    paths = {module_of(path, firmware): path for path in sorted(firmware.rglob("*.py"))}
    found: dict[str, set[str]] = {}
    for module, path in paths.items():
        names = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{module}: imports are absolute"
                names |= {node.module or ""}
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
        found[module] = (names & set(paths)) - {module}
    return found


def floor(module: str, firmware: Path) -> tuple[int, str]:
    """(number from the top, folder) of a module."""
    folder = module.partition(".")[0]
    if (firmware / "lib" / f"{module}.py").exists():
        folder = "lib"
    for number, folders in enumerate(FLOORS):
        if folder in folders:
            return number, folder
    raise AssertionError(f"{module} lies on no floor; add its folder to FLOORS")


def wrong_arrows(firmware: Path) -> list[str]:
    """Imports that go up, or aside."""
    out = []
    for module, names in imports(firmware).items():
        number, folder = floor(module, firmware)
        for name in sorted(names):
            below, other = floor(name, firmware)
            if other != folder and below <= number:
                out.append(f"{module} -> {name}")
    return out


def circles(arrows: dict[str, set[str]]) -> list[str]:
    """Modules that import themselves by way of others."""
    out = []
    for start in arrows:
        todo, seen = list(arrows[start]), set()
        while todo:
            module = todo.pop()
            if module == start:
                out.append(start)
                break
            if module not in seen:
                seen.add(module)
                todo += arrows[module]
    return out


def test_every_import_goes_down():
    assert wrong_arrows(FIRMWARE) == []


def test_no_module_imports_itself_by_way_of_others():
    assert circles(imports(FIRMWARE)) == []


def test_main_starts_app_and_app_has_its_parts_made():
    arrows = imports(FIRMWARE)
    assert arrows["main"] == {"app", "power.early"}  # which comes before all after a deep sleep
    assert "board" in arrows["app"]
    assert {module for module, names in arrows.items() if "app" in names} == {"main"}
    assert {module for module, names in arrows.items() if "board" in names} == {"app"}


@pytest.mark.parametrize("module, text, arrow", [
    ("ops/extra.py", "def later():\n    from link.wifi import Wifi\n", "ops.extra -> link.wifi"),
    ("sensing/extra.py", "import link.wifi\n", "sensing.extra -> link.wifi"),
    ("drivers/extra.py", "from sensing import sampler\n", "drivers.extra -> sensing.sampler"),
    ("lib/extra.py", "import ops.files\n", "extra -> ops.files"),
])  # fmt: skip
def test_an_arrow_that_goes_up_or_aside_is_found(tmp_path, module, text, arrow):
    for name in ("link/wifi.py", "sensing/sampler.py", "ops/files.py", module):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / module).write_text(text)
    assert wrong_arrows(tmp_path) == [arrow]


def test_a_circle_is_found():
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert circles(arrows) == ["a", "b", "c"]


def test_the_page_on_architecture_shows_the_same_order():
    text = (FIRMWARE.parent / "docs" / "architecture.md").read_text()
    shown = [line.split("#")[0].split() for line in text.split("<!-- floors -->")[1].splitlines()]
    assert [tuple(words) for words in shown if words and words[0] != "```"] == list(FLOORS)
