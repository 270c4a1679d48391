"""The project's trainings, with their figures, so that they can be compared: models/history.json.

    history = History(project.folder / "models")
    history.add(Entry.of_result(judged, model_id, takes, labels))
    history.entries()          # oldest first
    history.name(model_id, "wand.mlp")

A broken file counts as an empty one. Knows no browser.
"""
from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from host_tools.files import write_atomically
from host_tools.studio.train.job import Judged
from host_tools.training.outlook import weakest

_MOST = 100


@dataclass(frozen=True)
class Entry:
    """One training. saved: the model file's name, or "". takes: of gestures in all its data.
    found, of, false, twice: held out; of is 0 if there was too little to judge. weakest: the
    gesture of which the smallest part is found, or ""."""

    at: str
    model: str
    takes: int
    labels: int
    split: str = ""
    found: int = 0
    of: int = 0
    false: int = 0
    twice: int = 0
    delay_ms: float | None = None
    weakest: str = ""
    bytes: int = 0
    saved: str = ""

    @classmethod
    def of_result(cls, judged: Judged, model_id: str, takes: int, labels: int) -> Entry:
        """judged: a training's result, as it came."""
        at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        found = judged.evaluation
        if found is None:
            return cls(at, model_id, takes, labels, bytes=len(judged.model))
        t = found.tally()
        return cls(
            at, model_id, takes, labels, judged.by, t.hits, t.truth, t.false, t.duplicates,
            round(t.latency_ms(0.5), 1) if t.hits else None,
            weakest(found), len(judged.model),
        )


class History:
    def __init__(self, folder: Path):
        self._path = folder / "history.json"
        self.version = 0
        """Grows with each change through this object."""

    def entries(self) -> list[Entry]:
        """Oldest first."""
        names = {f.name for f in fields(Entry)}
        try:
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            return [Entry(**{k: v for k, v in row.items() if k in names}) for row in rows]
        except (OSError, ValueError, TypeError, AttributeError):
            return []

    def add(self, entry: Entry) -> None:
        """The same model again (same data, same seed) takes its old place's stead."""
        self._write([e for e in self.entries() if e.model != entry.model] + [entry])

    def name(self, model_id: str, saved: str) -> None:
        """Note under which name a model was saved. With other settings it has another id."""
        self._write([Entry(**{**asdict(e), "saved": saved}) if e.model == model_id else e
                     for e in self.entries()])

    def _write(self, entries: list[Entry]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        rows = [asdict(e) for e in entries[-_MOST:]]
        write_atomically(self._path, (json.dumps(rows, indent=1) + "\n").encode())
        self.version += 1
