"""What training does not see, so that it can be judged: the one rule for every figure.

    split = held_out(data, seed)
    for known, held in split.parts: judge(train(known), held)

Each part is held out once. A part is a third of the people where there are several; else a
third of each label's recordings; else, where the takes lie in one sitting, a third of each
label's takes, cut out of it in time. Of these the first is taken that judges every gesture. A
gesture with one take cannot be judged, so it is always known.
"""
from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from host_tools.dataset.idle import is_idle
from host_tools.dataset.near_duplicates import assign_groups
from host_tools.dataset.recording import Dataset, Recording
from host_tools.dataset.split import LEAST_SUBJECTS, day_of, folds, parts_by
from host_tools.errors import BeckonError

SUBJECT, DAY, RECORDING, TAKE = "subject", "day", "recording", "take"
SPLITS = (SUBJECT, DAY, RECORDING, TAKE)
_PARTS = 3  # trainings, and each takes
_LEAST_RUN_S = 30.0  # of a recording without gestures that is cut in time
_ALWAYS = -1  # the part of what is always known
_LEAST_KNOWN = 1 / 3  # of a gesture's takes, where they are divided by recording or day
_LEAST_JUDGED = 1 / 2  # of a gesture's takes, in all parts together


@dataclass(frozen=True)
class Split:
    """parts: (known, held out), no sample in both. by: one of SPLITS, "" if nothing can be held
    out. unjudged: gestures that no part holds out."""

    by: str
    parts: tuple[tuple[Dataset, Dataset], ...] = ()
    unjudged: tuple[str, ...] = ()


def held_out(data: Dataset, seed: int, by: str = "", count: int = _PARTS) -> Split:
    """The parts of the data, at most `count`.

    by: one of SPLITS, or "" for the best. Recordings without gestures are divided on their own
    (life_parts), so that each part has its share of everyday movement. Raises BeckonError if
    this `by` leaves a gesture unjudged. Gives the recordings with gestures their group.
    """
    _assign_groups(data)
    takes = _takes(data.recordings)
    for kind in (by,) if by else (SUBJECT, RECORDING, TAKE):
        parts = _divided(data, kind, seed, count, takes)
        judged = _takes([r for _, held in parts for r in held.recordings])
        if parts and all(judged[k] >= _LEAST_JUDGED * n for k, n in takes.items() if n > 1):
            return Split(kind, parts, tuple(sorted(set(takes) - set(judged))))
    if by:
        raise BeckonError("{data}: it cannot be divided by {by} so that every gesture is in two "
                          "parts; choose another split", data=data.name, by=by)
    return Split("", (), tuple(sorted(takes)))


def _assign_groups(data: Dataset) -> None:
    """Of those with gestures only: the others may be many hours."""
    moving = Dataset(data.name, [r for r in data.recordings if _takes([r])])
    if moving.recordings and not moving.recordings[0].group:
        assign_groups(moving)
        groups = iter(moving.recordings)
        data.recordings = [next(groups) if _takes([r]) else r for r in data.recordings]


def _takes(recordings: Sequence[Recording]) -> Counter[str]:
    """How many takes each gesture has."""
    return Counter(s.label for r in recordings for s in r.spans if not is_idle(s.label))


def _divided(
    data: Dataset, by: str, seed: int, count: int, takes: Counter[str]
) -> tuple[tuple[Dataset, Dataset], ...]:
    """The parts whose gestures are all known without them; () if there are none."""
    moving = [r for r in data.recordings if _takes([r])]
    quiet = [r for r in data.recordings if not _takes([r])]
    if by == TAKE:
        moving, number = _cut_by_take(moving, count, takes)
    else:
        number = _numbers(Dataset(data.name, moving), by, seed, count)
        number = [_ALWAYS if all(takes[k] == 1 for k in _takes([r])) else n
                  for r, n in zip(moving, number, strict=True)]
    last = max([_ALWAYS, *number])
    parts = [[i for i, n in enumerate(number) if n == k] for k in range(last + 1)]
    if not parts:
        return ()
    life = life_parts(moving, parts, quiet)
    out = []
    for k, part in enumerate(map(set, parts)):
        known = [r for i, r in enumerate(moving) if i not in part]
        enough = _takes(known)
        least = _LEAST_KNOWN if by in (DAY, RECORDING) else 0.0
        if part and all(enough[label] > least * (n - 1) for label, n in takes.items()):
            held = [moving[i] for i in sorted(part)]
            others = [r for j, some in enumerate(life) if j != k for r in some]
            out.append((Dataset(data.name, known + others), Dataset(data.name, held + life[k])))
    return tuple(out)


def _numbers(moving: Dataset, by: str, seed: int, count: int) -> list[int]:
    """The part of each recording; [] if there are too few people or days."""
    people = {s.subject for r in moving.recordings for s in r.spans if not is_idle(s.label)}
    if by == SUBJECT:
        if len(people - {""}) < LEAST_SUBJECTS:
            return [_ALWAYS] * len(moving.recordings)
        parts = folds(moving, min(count, len(people)), seed)
    elif by == DAY:
        days = len({day_of(r) for r in moving.recordings})
        parts = parts_by(moving, DAY, min(count, max(2, days)), seed)
    else:
        parts = folds(moving, count, seed, by_order=True)
    where = {i: k for k, part in enumerate(parts) for i in part}
    return [where[i] for i in range(len(moving.recordings))]


def _cut_by_take(
    moving: list[Recording], count: int, takes: Counter[str]
) -> tuple[list[Recording], list[int]]:
    """Recordings cut between takes of different parts, and the part of each piece.

    Of copies of one movement only the first is used. A part is a run of takes of each label.
    """
    first: dict[str, Recording] = {}
    for r in moving:
        first.setdefault(r.group or r.name, r)
    seen: Counter[str] = Counter()
    runs: dict[str, list[int]] = {}
    for offset, label in enumerate(sorted(takes)):
        n = sum(s.label == label for r in first.values() for s in r.spans)
        runs[label] = [(i * count // n if n >= count else i + offset) % count for i in range(n)]
        runs[label] = runs[label] if n > 1 else [_ALWAYS]
    pieces, number = [], []
    for r in first.values():
        spans = sorted((s for s in r.spans if not is_idle(s.label)), key=lambda s: s.start_ms)
        mine = []
        for s in spans:
            mine.append(runs[s.label][seen[s.label]])
            seen[s.label] += 1
        start, part = 0, mine[0]
        for before, after, n in zip(spans[:-1], spans[1:], mine[1:], strict=True):
            if n != part:
                middle = round(r.index((before.end_ms + after.start_ms) / 2))
                pieces.append(piece(r, start, middle))
                number.append(part)
                start, part = middle, n
        pieces.append(piece(r, start, len(r.samples)))
        number.append(part)
    return pieces, number


def piece(r: Recording, first: int, last: int) -> Recording:
    """Samples first to last - 1 of a recording, on its clock, with what of its spans is there."""
    start_ms = r.start_ms + first * 1000 / r.rate_hz
    end_ms = r.start_ms + (last - 1) * 1000 / r.rate_hz
    spans = tuple(
        replace(s, start_ms=max(start_ms, s.start_ms), end_ms=min(end_ms, s.end_ms))
        for s in r.spans if s.start_ms < end_ms and s.end_ms > start_ms
    )
    gaps = tuple((max(a, first) - first, min(b, last) - first) for a, b in r.gaps
                 if a < last and b > first)
    return replace(r, samples=r.samples[first:last], start_ms=start_ms, spans=spans, gaps=gaps)


def life_parts(
    moving: list[Recording], parts: list[list[int]], quiet: list[Recording]
) -> list[list[Recording]]:
    """Recordings without gestures, dealt out to the parts of those with gestures.

    Who makes gestures stays in the part of these. Others are dealt out by the hours they
    bring. What nobody else can stand for is cut in time.
    """
    home: dict[str, set[int]] = {}
    for k, part in enumerate(parts):
        for i in part:
            home.setdefault(moving[i].subject, set()).add(k)
    by_person: dict[str, list[Recording]] = defaultdict(list)
    for r in quiet:
        by_person[r.subject].append(r)
    several = sum(1 for p in by_person if p and len(home.get(p, ())) != 1) >= len(parts)
    out: list[list[Recording]] = [[] for _ in parts]
    seconds = [0.0] * len(parts)

    def put(k: int, some: list[Recording]) -> None:
        out[k] += some
        seconds[k] += sum(r.seconds for r in some)

    for person in sorted(by_person, key=lambda p: -sum(r.seconds for r in by_person[p])):
        some = by_person[person]
        if person and len(home.get(person, ())) == 1:
            (only,) = home[person]
            put(only, some)
        elif person and several and person not in home:
            put(seconds.index(min(seconds)), some)
        else:
            for r in some:
                for k, run in enumerate(in_runs(r, len(parts))):
                    put(k if len(some) < len(parts) else seconds.index(min(seconds)), [run])
    return out


def in_runs(r: Recording, count: int) -> list[Recording]:
    """A long recording without gestures as so many runs of equal length."""
    if r.seconds < count * _LEAST_RUN_S:
        return [r]
    edges = np.linspace(0, len(r.samples), count + 1).astype(int)
    return [idle_piece(r, int(a), int(b)) for a, b in pairwise(edges)]


def idle_piece(r: Recording, first: int, last: int) -> Recording:
    """piece() of a recording without gestures: all of it has the label of its first span."""
    out = piece(r, first, last)
    end_ms = out.start_ms + (len(out.samples) - 1) * 1000 / r.rate_hz
    return out.with_spans(replace(s, start_ms=out.start_ms, end_ms=end_ms) for s in r.spans[:1])


__all__ = ["DAY", "RECORDING", "SPLITS", "SUBJECT", "TAKE", "Split", "held_out", "idle_piece"]
