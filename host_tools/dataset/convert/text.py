"""The text of a file, whatever its encoding: UTF-8 and UTF-16 with or without mark, Latin-1.

    text = read_text(path)          # lines end with \n
"""
from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from pathlib import Path

from host_tools.errors import BeckonError

_MOST_BYTES = 128 << 20  # five hours of six axes at 100 Hz; reading needs 20 times as much memory
_MOST_PACKED = 64 << 20  # unpacked: a trap of a few kB must not take more
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"),
          (codecs.BOM_UTF16_BE, "utf-16-be"))
_BINARY = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def read_bytes(path: Path) -> bytes:
    """What the file holds, unpacked if it is gzip. Raises BeckonError."""
    most = _MOST_BYTES
    try:
        with open(path, "rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        if raw[:2] == b"\x1f\x8b":
            with gzip.open(io.BytesIO(raw)) as packed:
                raw = packed.read(_MOST_PACKED + 1)
                most = _MOST_PACKED
    except (OSError, EOFError, zlib.error) as e:
        raise BeckonError("{path}: cannot be read ({e}); copy it again", path=path, e=e) from None
    if len(raw) > most:
        raise BeckonError("{path}: holds more than {most} MB: cut it into pieces", path=path,
                          most=most >> 20)
    return raw


def decode(raw: bytes) -> str | None:
    """Text with \n at its line ends; None if the bytes are not a text."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _lines(raw[len(mark):], encoding)
    head = raw[:2000]
    if len(head) >= 8:
        if head[1::2].count(0) > 0.4 * len(head[1::2]):
            return _lines(raw, "utf-16-le")
        if head[::2].count(0) > 0.4 * len(head[::2]):
            return _lines(raw, "utf-16-be")
    return _lines(raw, "utf-8") or _lines(raw, "latin-1")


def _lines(raw: bytes, encoding: str) -> str | None:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return None
    if _BINARY.search(text):
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


def read_text(path: Path) -> str:
    """Raises BeckonError if the file cannot be read or is not a text."""
    text = decode(read_bytes(path))
    if text is None:
        raise BeckonError("{path}: not a text file; export it as CSV", path=path)
    return text
