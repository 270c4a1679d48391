"""Do two people label alike? Matching spans, differing labels, what only one has seen.

    found = agreement(first_rows, second_rows)      # each: recording -> spans
    print(found.kappa, found.same, found.differing, found.only_first, found.only_second)

Two spans match when they share at least half of the time that either covers
(intersection over union); each span matches once, the best pairs first. Kappa is
Cohen's (Educational and Psychological Measurement 20, 1960) over all pairs, a span
without a partner counting as "no gesture" on the other side: 1 is perfect agreement, 0
what chance would give.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from host_tools.dataset.idle import IDLE_LABEL

_LEAST = 0.5


class Spanned(Protocol):
    """What this module needs of a span: dataset.Span, labels_file.Row and others have it."""

    @property
    def start_ms(self) -> float: ...
    @property
    def end_ms(self) -> float: ...
    @property
    def label(self) -> str: ...


@dataclass(frozen=True)
class Pair:
    """A span of the first and its partner of the second; one of them may be missing."""

    recording: str
    first: Spanned | None
    second: Spanned | None

    @property
    def kind(self) -> str:
        """"same", "label" (they differ in it), "first" or "second" (only that one has it)."""
        if self.first is None:
            return "second"
        if self.second is None:
            return "first"
        return "same" if self.first.label == self.second.label else "label"

    @property
    def start_ms(self) -> float:
        return min(s.start_ms for s in (self.first, self.second) if s is not None)

    @property
    def end_ms(self) -> float:
        return max(s.end_ms for s in (self.first, self.second) if s is not None)


@dataclass
class Agreement:
    pairs: list[Pair] = field(default_factory=list)

    def _count(self, kind: str) -> int:
        return sum(p.kind == kind for p in self.pairs)

    @property
    def same(self) -> int:
        return self._count("same")

    @property
    def differing(self) -> int:
        return self._count("label")

    @property
    def only_first(self) -> int:
        return self._count("first")

    @property
    def only_second(self) -> int:
        return self._count("second")

    @property
    def disputes(self) -> list[Pair]:
        """What the two should talk about."""
        return [p for p in self.pairs if p.kind != "same"]

    @property
    def edges_ms(self) -> float | None:
        """Median distance of the ends of matched spans, starts and ends together."""
        away = sorted(
            abs(a - b)
            for p in self.pairs if p.first is not None and p.second is not None
            for a, b in ((p.first.start_ms, p.second.start_ms), (p.first.end_ms, p.second.end_ms))
        )
        return away[len(away) // 2] if away else None

    @property
    def kappa(self) -> float | None:
        """None where there is nothing to compare, or only one label at all."""
        first = Counter(p.first.label if p.first else IDLE_LABEL for p in self.pairs)
        second = Counter(p.second.label if p.second else IDLE_LABEL for p in self.pairs)
        n = len(self.pairs)
        chance = sum(first[k] * second[k] for k in first) / n**2 if n else 1.0
        return (self.same / n - chance) / (1 - chance) if chance < 1 else None


def agreement(first: Mapping[str, Sequence[Spanned]], second: Mapping[str, Sequence[Spanned]],
              recordings: Iterable[str] | None = None) -> Agreement:
    """Compare what two people labelled in the recordings that both worked on.

    recordings: which to compare; those with a span of each if None.
    """
    if recordings is None:
        recordings = [name for name in first if first[name] and second.get(name)]
    out = Agreement()
    for name in recordings:
        out.pairs += match_spans(name, first.get(name, ()), second.get(name, ()))
    return out


def match_spans(recording: str, first: Sequence[Spanned], second: Sequence[Spanned]) -> list[Pair]:
    """The pairs of one recording, by time."""
    candidates = sorted(
        ((-shared, i, k) for i, a in enumerate(first) for k, b in enumerate(second)
         if (shared := _overlap(a, b)) >= _LEAST)
    )
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, k in candidates:
        if i not in partner and k not in taken:
            partner[i] = k
            taken.add(k)
    pairs = [Pair(recording, a, second[partner[i]] if i in partner else None)
             for i, a in enumerate(first)]
    pairs += [Pair(recording, None, b) for k, b in enumerate(second) if k not in taken]
    return sorted(pairs, key=lambda p: p.start_ms)


def _overlap(a: Spanned, b: Spanned) -> float:
    shared = min(a.end_ms, b.end_ms) - max(a.start_ms, b.start_ms)
    union = max(a.end_ms, b.end_ms) - min(a.start_ms, b.start_ms)
    return shared / union
