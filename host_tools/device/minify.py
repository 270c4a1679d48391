"""Shorter names for what is private, so that a board keeps fewer of them in its heap.

MicroPython keeps every name of byte-code loaded from a file once in RAM, and a
table for all of them that doubles when it is full: some hundred private names
(`_like_this`) cost kilobytes. Here each module's private names become `_a`,
`_b`, ... , so that all modules share a few dozen. Line numbers stay as they are,
so a traceback still leads to the source.
"""

import ast
import io
import tokenize
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import ascii_lowercase


def shorten(sources: Mapping[Path, str], plain: Iterable[Path] = ()) -> dict[Path, str]:
    """Python sources with their private names shortened, but for those of `plain`.

    A name is left alone everywhere if a module uses it without defining it, as it
    then belongs to somebody else, and if a plain module has it. Constants are
    left alone, too: the compiler drops them.
    """
    used = {path: _Names(text) for path, text in sources.items()}
    kept: set[str] = set()
    for path, names in used.items():
        kept |= names.constants | (names.loaded - names.defined)
        if path in plain:
            kept |= names.loaded | names.defined
    return {path: _renamed(text, used[path].defined - kept) for path, text in sources.items()}


class _Names(ast.NodeVisitor):
    """The private names of a module: defined in it, read in it, and constants of it."""

    def __init__(self, text: str):
        self.defined: set[str] = set()
        self.loaded: set[str] = set()
        self.constants: set[str] = set()
        self.visit(ast.parse(text))

    def visit_Name(self, node: ast.Name) -> None:
        self._note(node.id, isinstance(node.ctx, ast.Store))

    def visit_Attribute(self, node: ast.Attribute) -> None:
        own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        self._note(node.attr, own and isinstance(node.ctx, ast.Store))
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._note(node.name, True)
        self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._note(node.name, True)
        self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        self._note(node.arg, True)
        self.generic_visit(node)

    def visit_alias(self, node: ast.alias) -> None:
        self.loaded |= {part for part in node.name.split(".") if _is_private(part)}

    def visit_Assign(self, node: ast.Assign) -> None:
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            if call.func.id == "const":
                self.constants |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        self.generic_visit(node)

    def _note(self, name: str, stored: bool) -> None:
        if _is_private(name):
            (self.defined if stored else self.loaded).add(name)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and len(name) > 2


def _renamed(text: str, names: set[str]) -> str:
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    counts: dict[str, int] = {}
    for token in tokens:
        if token.type == tokenize.NAME and token.string in names:
            counts[token.string] = counts.get(token.string, 0) + 1
    taken = {token.string for token in tokens if token.type == tokenize.NAME}
    short = (name for name in _short_names() if name not in taken)
    new = {name: next(short) for name in sorted(counts, key=lambda n: (-counts[n], n))}
    lines = text.splitlines(keepends=True)
    for token in reversed(tokens):  # from the end, so that columns stay true
        if token.type == tokenize.NAME and token.string in new:
            row, column = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:column] + new[token.string] + line[column + len(token.string) :]
    return "".join(lines)


def _short_names() -> Iterable[str]:
    for letter in ascii_lowercase:
        yield f"_{letter}"
    for first in ascii_lowercase:
        for second in ascii_lowercase:
            yield f"_{first}{second}"
