"""Shorter names for what is private, so that a board keeps fewer of them in its heap.

MicroPython keeps every name of byte-code loaded from a file once in RAM, and a
table for all of them that doubles when it is full: some hundred private names
(`_like_this`) cost kilobytes, and so do names of parameters. Here each module's private
names become `_a`, `_b`, ... , so that all modules share a few dozen, and the parameters of
a function become some of these. Line numbers stay as they are, so a traceback still leads
to the source.
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
    left alone, too: the compiler drops them. A parameter is shortened if it has no default
    and no call in `sources` has a keyword, and no text there is, of that name: on a board
    it is positional.
    """
    used = {path: _Names(text) for path, text in sources.items()}
    kept: set[str] = set()
    for path, names in used.items():
        kept |= names.constants | (names.loaded - names.defined)
        if path in plain:
            kept |= names.loaded | names.defined
    keywords = set().union(*(_keywords(text) for text in sources.values()))
    out = {}
    for path, text in sources.items():
        text = _renamed(text, used[path].defined - kept)
        out[path] = text if path in plain else _with_short_parameters(text, keywords)
    return out


def _keywords(text: str) -> set[str]:
    """What a call may name a parameter by: its keywords, and texts, for a call with `**`."""
    nodes = list(ast.walk(ast.parse(text)))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    texts = {node.value for node in nodes
             if isinstance(node, ast.Constant) and isinstance(node.value, str)}  # fmt: skip
    return texts | {keyword.arg for call in calls for keyword in call.keywords if keyword.arg}


def _with_short_parameters(text: str, keywords: set[str]) -> str:
    tokens = _name_tokens(text)
    new: dict[tuple[int, int], tuple[str, str]] = {}
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            new.update(_parameter_tokens(function, tokens, keywords))
    lines = text.splitlines(keepends=True)
    for (row, column), (name, short) in sorted(new.items(), reverse=True):
        line = lines[row - 1]
        lines[row - 1] = line[:column] + short + line[column + len(name) :]
    return "".join(lines)


def _parameter_tokens(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    tokens: list[tuple[tuple[int, int], str, bool]],
    keywords: set[str],
) -> dict[tuple[int, int], tuple[str, str]]:
    """Place of each token that names a parameter -> (its name, a shorter one)."""
    inside = [node for node in ast.walk(function) if node is not function]
    if any(isinstance(node, _SCOPES) for node in inside):
        return {}
    args = function.args
    wanted = [arg.arg for arg in args.args[: len(args.args) - len(args.defaults)]]
    stop = (function.end_lineno or 0, function.end_col_offset or 0)
    here = [token for token in tokens if (function.lineno, function.col_offset) <= token[0] < stop]
    aliases = [alias for node in inside if isinstance(node, ast.Import | ast.ImportFrom)
               for alias in node.names]  # fmt: skip
    imported = {alias.asname or alias.name for alias in aliases}
    taken = {name for _, name, _ in here}
    short = (name for name in _short_names() if name not in taken)
    new = {
        name: next(short)
        for name in wanted
        if len(name) > 2 and name not in keywords | imported | {"self", "cls"}
    }
    return {at: (name, new[name]) for at, name, is_attribute in here
            if name in new and not is_attribute}  # fmt: skip


def _name_tokens(text: str) -> list[tuple[tuple[int, int], str, bool]]:
    """(row and column, name, whether a dot stands before it) of each name."""
    out = []
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME:
            out.append((token.start, token.string, before == "."))
        before = token.string
    return out


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


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
