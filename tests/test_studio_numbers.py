"""What the pages show has numbers in the page's language: through tr() or number()."""

import ast
import re

import pytest

from host_tools.studio.frame.language import number, speaking
from host_tools.studio.signal.charts import lines, loss_curve
from tests.studio_words import PAGES, fields

_BY_LANGUAGE = re.compile(r"[,_]|\.[1-9]|[gGneE%]$")  # a specification that gives a sign or a group
_OF_STRFTIME = re.compile(r"%[A-Za-z]")


def past_the_language(code: str) -> list[int]:
    """Lines that format a number as English does. Coordinates and CSS are not for reading."""
    return sorted({node.lineno for node in ast.walk(ast.parse(code)) if _is_english(node)})


def _is_english(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        return _shows(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        text = getattr(node.left, "value", "")
        return isinstance(text, str) and bool(re.search(r"%[\d+]*\.[1-9]|%g", text))
    if isinstance(node, ast.Call):
        if getattr(node.func, "id", "") == "format":
            return True
        text = getattr(getattr(node.func, "value", None), "value", "")
        if getattr(node.func, "attr", "") == "format" and isinstance(text, str):
            return any(_BY_LANGUAGE.search(spec) for _, spec in fields(text))
    return False


def _shows(node: ast.JoinedStr) -> bool:
    before = ""
    if not re.sub(r"[, ]", "", "".join(v.value for v in node.values
                                       if isinstance(v, ast.Constant))):
        return len(node.values) == 1 and _specified(node.values[0])  # "x,y" of an SVG line
    for part in node.values:
        if isinstance(part, ast.Constant):
            before += part.value
        elif _specified(part) and before.count('"') % 2 == 0 and not before.endswith("width: "):
            return True
    return False


def _specified(part: ast.expr) -> bool:
    if not isinstance(part, ast.FormattedValue) or part.format_spec is None:
        return False
    spec = "".join(v.value if isinstance(v, ast.Constant) else "1"  # {value:.{digits}f}
                   for v in part.format_spec.values)
    return bool(_BY_LANGUAGE.search(spec)) and not _OF_STRFTIME.search(spec)


@pytest.mark.parametrize("pages", PAGES, ids=lambda folder: folder.name)
def test_no_page_formats_a_number_past_the_language(pages):
    found = {f"{path.relative_to(pages)}:{line}"
             for path in sorted(pages.rglob("*.py"))
             for line in past_the_language(path.read_text(encoding="utf-8"))}
    # job.py's line comes from a process without a language, and is English as a whole
    assert {where.partition(":")[0] for where in found} == (
        {"train/job.py"} if pages.name == "studio" else set()), found


@pytest.mark.parametrize("code, wrong", [
    ('f"{n:,}"', True), ('f"{s:.1f} s"', True), ('f"<text x=\\"{x:.1f}\\">{v:g}</text>"', True),
    ('f"{v:.{digits}f}"', True), ('"%.2f s" % s', True), ('"{:.1f}".format(s)', True),
    ('format(n, ",")', True), ('f"{part:.1%}"', True),
    ('f"{x:.1f},{y:.1f}"', False), ('f"<line x1=\\"{x:.1f}\\"/>"', False),
    ('f"width: {share:.1f}%"', False), ('f"{n:.0f} ms"', False), ('f"{at:%H:%M}"', False),
    ('tr("{n:,}", n=n)', False), ('f"{number(n)} ms"', False), ('"%d s" % s', False),
])
def test_the_search_knows_what_is_shown(code, wrong):
    assert bool(past_the_language(code)) is wrong


def test_charts_speak_the_language():
    losses = [(0, 2.0, 2.0), (5000, 0.2, 0.25)]
    assert ">0.5</text>" in loss_curve(losses, 5000) and ">5,000</text>" in loss_curve(losses, 5000)
    with speaking("de"):
        chart = loss_curve(losses, 5000, number=number)
        assert ">0,5</text>" in chart and f">{number(5000)}</text>" in chart
        assert ">5,000</text>" not in chart and 'r="5"' in chart
        assert ">1,5 s</text>" in lines([], 0, 1, 1.5, number=number)
