"""What a run found, held against the list of known survivors."""
from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


def read_survivors(path: Path) -> dict[str, dict[tuple[str, str], str]]:
    """module -> (function, line shown) -> reason. Raises ValueError for an entry without."""
    known: dict[str, dict[tuple[str, str], str]] = {}
    for module, entries in tomllib.loads(path.read_text(encoding="utf-8")).items():
        for entry in entries:
            if not entry.get("reason") or "line" not in entry or "in" not in entry:
                raise ValueError(f"{path.name}: {module}: in, line or reason is missing: {entry}")
            known.setdefault(module, {})[entry["in"], entry["line"]] = entry["reason"]
    return known


@dataclass
class Report:
    """The results of one module. known: as in read_survivors."""

    module: str
    known: dict[tuple[str, str], str]
    total: int = 0
    sampled: bool = False
    verdicts: Counter = field(default_factory=Counter)
    survivors: list[dict] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def add(self, result: dict) -> None:
        self.total += 1
        self.verdicts[result["verdict"]] += 1
        if result["verdict"] == "survived":
            self.survivors.append(result)
            self.seen.add((result["function"], result["shown"]))

    @property
    def killed(self) -> int:
        return self.total - self.verdicts["survived"]

    @property
    def percent(self) -> float:
        return 100 * self.killed / max(1, self.total)

    @property
    def unlisted(self) -> list[dict]:
        return [s for s in self.survivors if (s["function"], s["shown"]) not in self.known]

    @property
    def stale(self) -> list[tuple[str, str]]:
        """Entries of the list that no survivor bears out; unknown when only some ran."""
        return [] if self.sampled else [key for key in self.known if key not in self.seen]

    def line(self) -> str:
        sampled = " (a sample)" if self.sampled else ""
        return (f"{self.module}: {self.killed} of {self.total}{sampled} killed, "
                f"{self.percent:.1f} %; {self.verdicts['timeout']} by a time limit; "
                f"{len(self.survivors)} survived, {len(self.unlisted)} of them not listed")
