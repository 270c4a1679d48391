"""The mutants of a Python source: each changes one operator, number, condition or statement.

A mutant is a piece of text put in place of another, so the rest of the file, its
comments and (but for a statement of several lines) its line numbers stay as they are.

Left alone: docstrings, annotations, decorators, imports, f-strings, assertions (also
zip's strict=), and the text of what is raised or printed, which no test should pin word by
word.
"""
from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARE = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"), ast.IsNot: (r"is\s+not", "is"),
    ast.In: ("in", "not in"), ast.NotIn: (r"not\s+in", "in"),
}
_BINARY = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"), ast.Mod: ("%", "*"), ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"), ast.BitXor: ("^", "&"),
}
# Functions that come in pairs. Of a pair the other one is a slip that a reader overlooks.
_TWINS = {"min": "max", "any": "all", "floor": "ceil", "minimum": "maximum", "rint": "floor",
          "argmin": "argmax", "nanargmin": "nanargmax", "setdefault": "get"}
_TWINS |= {b: a for a, b in _TWINS.items() if a not in ("rint", "setdefault")}
_TWINS["round"] = "int"


@dataclass(frozen=True)
class Mutant:
    """source[start:end] (bytes, UTF-8) becomes text.

    function: its qualified name, "" at module level. first_line, last_line: of the
    statement's part that must run for the mutant to act. swappable: everything that
    changed lies in the body of the function `outermost`, which begins (its decorators
    included) in outermost_line, so its code can be exchanged in a running program.
    """

    start: int
    end: int
    text: str
    function: str
    outermost: str
    outermost_line: int
    first_line: int
    last_line: int
    swappable: bool

    def apply(self, source: bytes) -> bytes:
        return source[: self.start] + self.text.encode() + source[self.end :]

    def shown(self, source: bytes) -> str:
        """The changed line or lines as one; of a statement taken out, what it was."""
        if self.text == "pass":
            return "without " + " ".join(source[self.start : self.end].decode().split())
        first = source.rfind(b"\n", 0, self.start) + 1
        last = source.find(b"\n", self.end)
        last = len(source) if last < 0 else last
        text = source[first : self.start] + self.text.encode() + source[self.end : last]
        return " ".join(text.decode().split())


def mutants(source: bytes) -> list[Mutant]:
    """All mutants of a module, by place. Raises SyntaxError if it does not parse."""
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    found = sorted(set(finder.found), key=lambda m: (m.start, m.end, m.text))
    return [m for m in found if _compiles(m.apply(source))]


def _compiles(source: bytes) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


class _Finder(ast.NodeVisitor):
    def __init__(self, source: bytes):
        self.source = source
        self.found: list[Mutant] = []
        starts = [0]
        for line in source.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        self._starts = starts
        self._names: list[str] = []
        self._outermost = ""
        self._outermost_line = 0
        self._lines = (1, 1)
        self._swappable = False

    # -- what a mutant is made of ------------------------------------------------------

    def _span(self, node) -> tuple[int, int]:
        return (self._starts[node.lineno - 1] + node.col_offset,
                self._starts[node.end_lineno - 1] + node.end_col_offset)

    def _add(self, start: int, end: int, text: str) -> None:
        if self.source[start:end].decode() != text:
            self.found.append(Mutant(start, end, text, ".".join(self._names), self._outermost,
                                     self._outermost_line, *self._lines, self._swappable))

    def _replace(self, node, text: str) -> None:
        self._add(*self._span(node), text)

    def _operator(self, left, right, was: str, now: str) -> None:
        """Exchange the operator that stands between two operands."""
        start, end = self._span(left)[1], self._span(right)[0]
        pattern = was if was.startswith(("is", "not", "in")) else re.escape(was)
        between = re.sub(r"#[^\n]*", lambda m: " " * len(m[0]), self.source[start:end].decode())
        match = re.search(pattern, between)
        if match:
            self._add(start + match.start(), start + match.end(), now)

    def _text(self, node) -> str:
        start, end = self._span(node)
        return self.source[start:end].decode()

    # -- where we are ------------------------------------------------------------------

    def visit(self, node):
        before = self._lines
        if isinstance(node, ast.stmt):
            self._lines = _acting_lines(node)
        super().visit(node)
        self._lines = before

    def _visit_function(self, node) -> None:
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default:
                self.visit(default)
        before = self._outermost, self._swappable
        self._names.append(node.name)
        if not self._swappable:
            self._outermost, self._swappable = ".".join(self._names), True
            self._outermost_line = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        for statement in _without_docstring(node.body):
            self.visit(statement)
        self._names.pop()
        self._outermost, self._swappable = before

    visit_FunctionDef = visit_AsyncFunctionDef = _visit_function

    def visit_ClassDef(self, node):
        before = self._swappable
        self._names.append(node.name)
        for statement in _without_docstring(node.body):
            self.visit(statement)
        self._names.pop()
        self._swappable = before

    def visit_Module(self, node):
        for statement in _without_docstring(node.body):
            self.visit(statement)

    # -- statements --------------------------------------------------------------------

    def visit_Import(self, node):
        pass

    visit_ImportFrom = visit_JoinedStr = visit_Global = visit_Nonlocal = visit_Import

    def visit_Raise(self, node):
        self._replace(node, "pass")

    def visit_Expr(self, node):
        if isinstance(node.value, ast.Constant):
            return  # a docstring of an attribute
        self._replace(node, "pass")
        if not _prints(node.value):
            self.visit(node.value)

    def visit_Assert(self, node):
        pass  # for type checkers and our own bugs: not behaviour

    def visit_Assign(self, node):
        if any(isinstance(t, (ast.Attribute, ast.Subscript)) for t in node.targets):
            self._replace(node, "pass")
        for target in node.targets:
            self.visit(target)
        self.visit(node.value)

    def visit_AnnAssign(self, node):
        if node.value:
            self.visit(node.value)

    def visit_AugAssign(self, node):
        self._replace(node, "pass")
        was, now = _BINARY[type(node.op)]
        self._operator(node.target, node.value, was + "=", now + "=")
        self.visit(node.target)
        self.visit(node.value)

    def visit_Return(self, node):
        if node.value is not None:
            if not (isinstance(node.value, ast.Constant) and node.value.value is None):
                self._replace(node.value, "None")
            self.visit(node.value)

    def visit_Break(self, node):
        self._replace(node, "continue")

    def visit_Continue(self, node):
        self._replace(node, "break")

    def _condition(self, test) -> None:
        """Negated; what else is changed in it comes on top. `not x` loses its not there."""
        if not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
            self._replace(test, f"not ({self._text(test)})")

    def visit_If(self, node):
        self._condition(node.test)
        self.generic_visit(node)

    visit_IfExp = visit_If

    def visit_While(self, node):
        if not isinstance(node.test, ast.Constant):
            self._condition(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node):
        for test in node.ifs:
            self._condition(test)
        self.generic_visit(node)

    # -- expressions -------------------------------------------------------------------

    def visit_Compare(self, node):
        operands = [node.left, *node.comparators]
        for left, right, op in zip(operands, operands[1:], node.ops, strict=False):
            self._operator(left, right, *_COMPARE[type(op)])
        self.generic_visit(node)

    def visit_BinOp(self, node):
        if type(node.op) in _BINARY and not _formats(node):
            self._operator(node.left, node.right, *_BINARY[type(node.op)])
        self.generic_visit(node)

    def visit_BoolOp(self, node):
        was, now = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._operator(left, right, was, now)
        self.generic_visit(node)

    def visit_UnaryOp(self, node):
        if isinstance(node.op, (ast.USub, ast.Not, ast.Invert)):
            self._replace(node, self._text(node.operand))
        if not isinstance(node.operand, ast.Constant):
            self.visit(node.operand)

    def visit_keyword(self, node):
        if node.arg != "strict":  # of zip: an assertion
            self.visit(node.value)

    def visit_Call(self, node):
        name = getattr(node.func, "id", getattr(node.func, "attr", None))
        if name in _TWINS:
            end = self._span(node.func)[1]
            self._add(end - len(name), end, _TWINS[name])
        self.generic_visit(node)

    def visit_Constant(self, node):
        value = node.value
        if isinstance(value, bool):
            self._replace(node, str(not value))
        elif isinstance(value, int):
            self._replace(node, str(value + 1))
        elif isinstance(value, float):
            self._replace(node, repr(round(value * 1.25, 15)) if value else "1.0")
        elif isinstance(value, str) and node.lineno == node.end_lineno:
            self._replace(node, repr(value + "X"))


def _without_docstring(body: list) -> list:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return body[1:]
    return body


def _acting_lines(node: ast.stmt) -> tuple[int, int]:
    """The lines of a statement; of a compound one those of its header."""
    last = node.end_lineno or node.lineno
    body = getattr(node, "body", None)
    if body:
        last = max(node.lineno, body[0].lineno - 1)
    return node.lineno, last


def _prints(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"


def _formats(node: ast.BinOp) -> bool:
    """Whether % formats a text."""
    return (isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant)
            and isinstance(node.left.value, (str, bytes)))


def walk(found: list[Mutant], seed: int, most: int) -> Iterator[Mutant]:
    """All of them in their order, or `most` drawn with a seed."""
    import random

    chosen = sorted(random.Random(seed).sample(range(len(found)), most)) if (
        0 < most < len(found)) else range(len(found))
    return (found[i] for i in chosen)
