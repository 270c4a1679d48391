"""Events as CSV or Parquet, for the filters of the page."""

import csv
import io
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from host_tools.store.history import events_between
from host_tools.store.messages import Event
from host_tools.store.queries import Filter

COLUMNS = ("time", "device", "gesture", "confidence", "label_confidence", "latency_ms", "model",
           "boot", "seq", "t_ms", "received", "timed")  # fmt: skip
_RUNS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet takes such a cell for a formula
_ROWS = 5000


def as_csv(engine: Engine, wanted: Filter) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for events in _pieces(_events(engine, wanted), _ROWS):
        for event in events:
            writer.writerow([guarded(value) for value in _row(event)])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    if buffer.getvalue():  # not one event
        yield buffer.getvalue()


def as_negatives(engine: Engine) -> str:
    """The path of a temporary zip, which the caller removes: false alarms as recordings."""
    import zipfile

    from host_tools.rollout.event_windows import export

    handle, path = tempfile.mkstemp(suffix=".zip", prefix="beckon-")
    os.close(handle)
    try:
        with tempfile.TemporaryDirectory(prefix="beckon-") as text:
            folder = Path(text)
            export(engine, folder)
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for file in sorted(folder.rglob("*")):
                    if file.is_file():
                        archive.write(file, f"false-alarms/{file.relative_to(folder).as_posix()}")
    except BaseException:
        os.unlink(path)
        raise
    return path


def guarded(value: Any) -> Any:
    """Text that would be a formula begins with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_RUNS) else value


def as_parquet(engine: Engine, wanted: Filter) -> str:
    """The path of a temporary file, which the caller removes."""
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    kinds = {"confidence": pa.int8(), "label_confidence": pa.int8(), "latency_ms": pa.int64(),
             "boot": pa.int64(), "seq": pa.int32(), "t_ms": pa.int64(), "timed": pa.bool_(),
             "time": pa.timestamp("ms", "UTC"), "received": pa.timestamp("ms", "UTC")}  # fmt: skip
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    handle, path = tempfile.mkstemp(suffix=".parquet", prefix="beckon-")
    os.close(handle)
    try:
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for events in _pieces(_events(engine, wanted), 10 * _ROWS):
                columns = zip(*(_values(event) for event in events), strict=True)
                writer.write_table(pa.table([pa.array(column, field.type) for column, field in
                                             zip(columns, schema, strict=True)], schema=schema))
    except BaseException:
        os.unlink(path)
        raise
    return path


def _events(engine: Engine, wanted: Filter) -> Iterator[Event]:
    return events_between(engine, wanted.since_ms, wanted.until_ms, wanted.device, wanted.gesture)


def _pieces(events: Iterator[Event], size: int) -> Iterator[list[Event]]:
    while piece := list(islice(events, size)):
        yield piece


def _row(event: Event) -> tuple:
    time, *rest = _values(event)
    return (_iso(time), *rest[:-2], _iso(rest[-2]), "yes" if rest[-1] else "no")


def _values(event: Event) -> tuple:
    return (event.at_ms, event.device, event.gesture, event.confidence, event.label_confidence,
            event.latency_ms, event.model, event.boot, event.seq, event.t_ms, event.received_ms,
            bool(event.timed))  # fmt: skip


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
