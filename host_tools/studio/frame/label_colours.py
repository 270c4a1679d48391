"""Which colour of the palette each label of a project has, for good. Knows no browser.

    colours = LabelColours(project.folder / "colours.json")
    colours.place("circle", among=["circle", "swipe"])    # 0: the palette's first colour

A label keeps its place when others are added. New ones get the first place that is free, or the
one used least. The file is written when the places no longer follow from the labels' order.
"""
from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from host_tools.files import replace_file


class LabelColours:
    """path: where the places are kept; None keeps them in memory. count: colours there are."""

    def __init__(self, path: Path | None, count: int):
        self._path, self._count = path, count
        self._places: dict[str, int] = {}
        self._lock = threading.Lock()
        try:
            found = json.loads(path.read_text(encoding="utf-8")) if path else {}
        except (OSError, ValueError):
            found = {}  # not worth refusing the project for
        if isinstance(found, dict):
            self._places = {label: place for label, place in found.items()
                            if type(place) is int and 0 <= place < count}

    def place(self, label: str, among: Sequence[str]) -> int:
        """The label's place in the palette; among: all gestures, which get theirs in this order."""
        with self._lock:
            new = [name for name in (*among, label) if name not in self._places]
            for name in dict.fromkeys(new):
                used = Counter(self._places.values())
                self._places[name] = min(range(self._count), key=lambda p: (used[p], p))
            if new:
                self._save(sorted(among))
            return self._places[label]

    def _save(self, labels: list[str]) -> None:
        plain = {name: i % self._count for i, name in enumerate(labels)}
        if self._path is None or (self._places == plain and not self._path.exists()):
            return
        try:
            data = json.dumps(self._places, indent=2, ensure_ascii=False) + "\n"
            replace_file(self._path, data.encode())
        except OSError:
            pass  # a folder that cannot be written to: the colours stay until Studio ends
