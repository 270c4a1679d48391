"""Read large recordings quickly: plain decimal numbers without one Python object each.

    recording, notices = read_recording_quickly(path)      # as folder.read_recording

Three to four times as fast for an hour of six axes. Whatever is not plain (exponents,
blanks, a wrong number of fields) is left to folder.read_recording, with its messages.
"""
from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from host_tools.dataset.folder import read_recording
from host_tools.dataset.recording import AXES, Recording
from host_tools.dataset.timing import even_grid
from host_tools.errors import BeckonError

_CHUNK = 1 << 18  # bytes worked on at a time: stays in the processor's cache
_MOST = 1 << 30  # bytes unpacked: days of recording, or a trap of a few kB
_LONGEST = 15  # characters of a number: its digits stay below 2^53, so exact in a float
_COMMA, _NEWLINE, _MINUS, _POINT, _ZERO = b",\n-.0"


def read_recording_quickly(path: Path) -> tuple[Recording, list[str]]:
    """One recording file and notices about it. Raises BeckonError naming the line."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as file:
                data = file.read(_MOST + 1)
        else:
            data = path.read_bytes()
        if len(data) > _MOST:
            raise BeckonError(f"{path}: holds more than {_MOST >> 20} MB: cut it into pieces")
    except (OSError, EOFError, zlib.error):
        return read_recording(path)
    header, _, body = data.partition(b"\n")
    columns = header.decode("ascii", "replace").strip().split(",")
    if columns not in (["t_ms", *AXES], ["t_ms", *AXES[:3]]):
        return read_recording(path)
    table = parse_decimals(body.replace(b"\r\n", b"\n"), len(columns))
    if table is None or len(table) < 2:
        return read_recording(path)
    samples, start_ms, rate_hz, holes, notices = even_grid(path, table)
    name = path.name.removesuffix(".gz").removesuffix(".csv")
    return Recording(name, samples, rate_hz, (), start_ms, holes, "", path, rate_hz), notices


def parse_decimals(body: bytes, columns: int) -> np.ndarray | None:
    """The numbers of CSV lines, float64 (lines, columns), each as float() reads it.

    None unless every line has that many fields of the form [-]digits[.digits].
    """
    body = body.rstrip(b"\n") + b"\n"
    tables = []
    begin = 0
    while begin < len(body):
        end = body.rfind(b"\n", begin, begin + _CHUNK) + 1
        if end <= begin:
            return None
        table = _chunk(np.frombuffer(body, np.uint8, end - begin, begin), columns)
        if table is None:
            return None
        tables.append(table)
        begin = end
    return np.concatenate(tables)


def _chunk(text: np.ndarray, columns: int) -> np.ndarray | None:
    newline = text == _NEWLINE
    ends = np.flatnonzero(newline | (text == _COMMA))
    if len(ends) % columns:
        return None
    # The newlines stand at the ends of the lines' last fields and nowhere else
    lines = newline[ends[columns - 1 :: columns]]
    if np.count_nonzero(newline) != len(lines) or not lines.all():
        return None
    lengths = np.diff(ends, prepend=-1) - 1
    longest = int(lengths.max())
    if longest > _LONGEST or lengths.min() < 1:
        return None
    starts = ends - lengths
    negative = text[starts] == _MINUS
    value = np.zeros(len(ends), np.float64)  # integers up to 10^15 are exact in it
    divisor = np.ones(len(ends), np.float64)
    behind = np.zeros(len(ends), bool)  # the point was met
    digits = np.zeros(len(ends), np.int8)
    for k in range(longest):
        inside = k < lengths
        c = text[np.minimum(starts + k, ends)]
        digit = inside & (c - _ZERO < 10)  # uint8: what lies below "0" wraps to above 9
        point = inside & (c == _POINT)
        if not (digit | point | ~inside | (negative if k == 0 else False)).all():
            return None
        if (point & behind).any():
            return None
        value = np.where(digit, value * 10 + (c - _ZERO), value)
        divisor[digit & behind] *= 10
        behind |= point
        digits += digit
    if not digits.all():
        return None
    value /= divisor
    np.negative(value, out=value, where=negative)
    return value.reshape(-1, columns)
