"""host_tools is built in floors, as docs/architecture.md lists them: no import leads up."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tools.paths import REPOSITORY

HOST_TOOLS = REPOSITORY / "host_tools"
ON_MICROPYTHON = {"on_board", "standins"}  # programs for the board: their imports are its own


def floors(text: str) -> dict[str, int]:
    """Package -> floor, from the table of the architecture page."""
    section = text.partition("## Floors of the host tools")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", section, re.M)
    return {name: int(floor) for floor, names in rows for name in re.findall(r"`(\w+)`", names)}


def package(module: str) -> str:
    """The folder or file of host_tools that a module lies in; "" for host_tools itself."""
    return module.split(".")[1] if "." in module else ""


def imports(source: str, modules: set[str]) -> Iterator[tuple[int, str]]:
    """(line, module of host_tools) of each import, also those inside functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "host_tools":
                    yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: imports are absolute"
            if (node.module or "").split(".")[0] == "host_tools":
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    yield node.lineno, full if full in modules else str(node.module)


def tree(root: Path) -> dict[str, Path]:
    """Module -> file, of everything that runs on this computer."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        if not ON_MICROPYTHON.intersection(parts):
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def faults(root: Path, floor: dict[str, int]) -> list[str]:
    """One line for each import that does not lead down."""
    files = tree(root)
    modules = set(files) | {module.rpartition(".")[0] for module in files}
    out = []
    for module, path in files.items():
        mine = package(module)
        for line, target in imports(path.read_text(), modules):
            theirs = package(target)
            if theirs != mine and not (mine and theirs and floor[theirs] < floor[mine]):
                out.append(
                    f"{path.relative_to(root.parent)}:{line}: {mine or 'host_tools'} (floor "
                    f"{floor.get(mine)}) imports {target} (floor {floor.get(theirs)})"
                )
    return out


def test_every_import_leads_down():
    """So there is no circle between packages either."""
    floor = floors((REPOSITORY / "docs" / "architecture.md").read_text())
    assert not faults(HOST_TOOLS, floor)


def test_every_package_has_a_floor():
    floor = floors((REPOSITORY / "docs" / "architecture.md").read_text())
    packages = {package(module) for module in tree(HOST_TOOLS)} - {""}
    assert set(floor) == packages


@pytest.mark.parametrize(
    "source",
    [
        "from host_tools.top import thing\n",
        "import host_tools.top.part\n",
        "def f():\n    from host_tools.top import part\n",
        "from host_tools import top\n",
        "from host_tools.beside import thing\n",
    ],
)
def test_an_import_up_or_sideways_is_found(tmp_path, source):
    root = tmp_path / "host_tools"
    for name in ("top", "beside", "low"):
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text("")
    (root / "top" / "part.py").write_text("from host_tools.low import anything\n")
    (root / "low" / "wrong.py").write_text(source)
    found = faults(root, {"low": 0, "beside": 0, "top": 1})
    assert len(found) == 1 and "low/wrong.py" in found[0]
