"""A text as a table: its separator, decimal sign, header, and where takes begin.

    table = read_table(path)
    table.header          ["Time (s)", "ax", "ay", "az"], or [] if the first line holds numbers
    table.rows            [(line number, fields)], numbers with a decimal point
    table.starts          indices into rows before which a blank line or the header again stood
"""
from __future__ import annotations

import csv
import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from host_tools.dataset.convert.text import read_text
from host_tools.errors import BeckonError

_FORMS = ((",", "."), (";", ","), (";", "."), ("\t", "."), ("\t", ","), ("|", "."), ("|", ","),
          (None, "."), (None, ","))  # (separator, decimal sign); None: spaces
_SAMPLED = 400  # lines that decide about separator and decimal sign
_LEAST = 3  # numbers that make a line one of data
EMPTY = frozenset(("", "nan", "null", "none", "na", "n/a", "-nan", "undefined"))


@dataclass
class Table:
    path: Path
    header: list[str]
    rows: list[tuple[int, list[str]]]
    starts: list[int] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def number(text: str) -> float | None:
    """The number that the text is, None for anything else. 1_000 is one in Python alone."""
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None


def read_table(path: Path) -> Table:
    """Raises BeckonError for what is not a table of numbers."""
    return parse_table(path, read_text(path))


def parse_table(path: Path, text: str) -> Table:
    lines = text.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise BeckonError("{path}: is empty", path=path)
    separator, decimal = _form(lines)
    split = [_fields(line, separator, decimal) for line in lines]
    first = next((i for i, f in enumerate(split) if _is_data(f)), None)
    if first is None:
        return Table(path, [" ".join(f.split()) for f in split[0]], [])
    at = _header_line(split, first)
    table = Table(path, [] if at is None else [" ".join(f.split()) for f in split[at]], [])
    passed = sum(any(f) for f in split[: first if at is None else at])
    if passed:
        table.notices.append(f"{path.name}: {passed} lines before the data are passed over")
    _take_rows(table, split, first)
    return table


def _form(lines: list[str]) -> tuple[str | None, str]:
    """The separator and decimal sign that find the most numbers."""
    sampled = lines[:_SAMPLED]
    best: tuple[str | None, str] = _FORMS[0]
    most = 0
    for form in _FORMS:
        found = 0
        for line in sampled:
            fields = _fields(line, *form)
            numbers = sum(_finite(f) for f in fields)
            found += numbers if numbers >= _LEAST else 0
        if found > most:
            best, most = form, found
    if not most:  # a header alone
        best = next(f for f in _FORMS if f[0] == max(",;\t|", key=lines[0].count))
    return best


def _finite(text: str) -> bool:
    value = number(text)
    return value is not None and math.isfinite(value)


def _fields(line: str, separator: str | None, decimal: str) -> list[str]:
    if '"' in line and separator is not None:
        try:
            fields = next(csv.reader([line], delimiter=separator))
        except (csv.Error, StopIteration):
            fields = line.split(separator)
    else:
        fields = line.split(separator)
    fields = [f.strip().strip('"') for f in fields]
    if separator == "," and fields and fields[-1].endswith(";"):
        fields[-1] = fields[-1][:-1].strip()  # as WISDM ends its lines
    if decimal == ",":
        fields = [f.replace(",", ".") if number(f.replace(",", ".")) is not None else f
                  for f in fields]
    return fields


def _is_data(fields: list[str]) -> bool:
    numbers = sum(_finite(f) for f in fields)
    return numbers >= _LEAST or (numbers >= 2 and len(fields) <= numbers + 1)


def _header_line(split: list[list[str]], first: int) -> int | None:
    """The nearest line above the data that names its columns."""
    width = len(split[first])
    for i in range(first - 1, -1, -1):
        names = [f.lstrip("#/ ") for f in split[i]]
        worded = sum(any(c.isalpha() for c in f) for f in names)
        if abs(len(names) - width) <= 1 and worded >= max(2, (len(names) - 1) // 2):
            split[i] = names
            return i
    return None


def _take_rows(table: Table, split: list[list[str]], first: int) -> None:
    again = [_name(f) for f in table.header]
    blank, total = 0, 0
    for fields in split[first:]:
        total += 1
        blank += not any(fields)
    spaced = blank > 0.4 * total  # an empty line after every line says nothing
    for i, fields in enumerate(split[first:], first):
        if not any(fields):
            if not spaced and table.rows:
                table.starts.append(len(table.rows))
        elif again and _name(fields[0]) == again[0] and [_name(f) for f in fields] == again:
            table.starts.append(len(table.rows))
        else:
            table.rows.append((i + 1, fields))
    table.starts = sorted({s for s in table.starts if 0 < s < len(table.rows)})
    _drop_cut_line(table)


def _name(text: str) -> str:
    return " ".join(text.lower().lstrip("#/ ").split())


def _drop_cut_line(table: Table) -> None:
    """A recorder that was switched off leaves half a line."""
    if len(table.rows) < 3:
        return
    line, fields = table.rows[-1]
    usual = Counter(len(f) for _, f in table.rows[:-1]).most_common(1)[0][0]
    if len(fields) < usual:
        table.rows.pop()
        table.starts = [s for s in table.starts if s < len(table.rows)]
        table.notices.append(f"{table.path.name}: the last line ({line}) is cut off and left out")
