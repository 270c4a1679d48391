"""What looks wrong in recordings: units, gravity, range, rate. Notices, never refusals.

    for notice in check(dataset): print(notice)
    for finding in findings(dataset): ...       # the same with what it is about and where

A notice names the finding, where, and the likely cure.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from host_tools.dataset.classes import class_faults, examples_of, lone_examples, place
from host_tools.dataset.idle import is_idle
from host_tools.dataset.movement import stillest
from host_tools.dataset.recording import Dataset
from host_tools.dataset.unit_check import judge_units, turning
from host_tools.errors import Sentence
from host_tools.units import GRAVITY

_LEAST_RANGE = (15.0, 100.0)  # m/s^2, deg/s: no sensor's range is smaller
_SHORT_MS = 250.0  # hardly any gesture is so short
_ODD = 4  # times shorter or longer than usual
_SAME = 0.0005  # values this near to each other are one limit (calibration, rounding)
_OTHER_UNIT = 3.0  # times
_LEAST_TAKES = 10  # of a gesture
_CLIPPED = 0.005  # part of the samples at the limit that is worth telling


@dataclass(frozen=True)
class Finding:
    """about: classes, units, takes, range, rate or people. recording, t_ms: where, if it is in
    one place; "" and None otherwise."""

    text: str
    about: str
    recording: str = ""
    t_ms: float | None = None


_TOO_SHORT = Sentence(
    "{where}: a {label} of {seconds:.2f} s ({samples} samples) is short, the usual one has "
    "{usual:.2f} s: is the whole gesture in it? Label it again, or delete it").template
_TOO_LONG = Sentence(
    "{where}: a {label} of {seconds:.2f} s ({samples} samples) is long, the usual one has "
    "{usual:.2f} s: does it hold one gesture? Label each, or cut it (beckon data cut)").template


def check(data: Dataset) -> list[str]:
    """All findings about a data set, most serious first."""
    return [finding.text for finding in findings(data)]


def findings(data: Dataset) -> list[Finding]:
    """The same, each with what it is about and where."""
    found = (
        ("classes", [*dict.fromkeys(class_faults(data) + lone_examples(data)), *_few(data)]),
        ("units", _units(data)),
        ("takes", _odd_takes(data)),
        ("units", _turning(data)),
        ("range", _clipping(data)),
        ("rate", _rates(data)),
        ("people", _subjects(data)),
    )
    texts = [(text, about) for about, some in found for text in some]
    places = _places(data) if texts else {}
    out = []
    for text, about in texts:
        at = next((where for start, where in places.items() if text.startswith(start)), None)
        out.append(Finding(text, about, *(at or ())))
    return out


def _places(data: Dataset) -> dict[str, tuple[str, float]]:
    """What a text about a span begins with -> recording and time."""
    out: dict[str, tuple[str, float]] = {}
    for r in data.recordings:
        for s in r.spans:
            for start in (place(r, s), str(r.path or r.name)):
                for end in (":", " and "):
                    out.setdefault(start + end, (r.name, s.start_ms))
    return out


def _few(data: Dataset) -> list[str]:
    """Gestures with far fewer takes than the others."""
    gestures = {k: e for k, e in examples_of(data).items() if not is_idle(k)}
    usual = float(np.median([len(e) for e in gestures.values()])) if gestures else 0.0
    return [
        Sentence("{place}: {count} takes of {label!r} are few beside the usual {usual:.0f}: record "
                "more, at least {least}", place=place(*found[0]), count=len(found), label=label,
                usual=usual, least=_LEAST_TAKES)
        for label, found in sorted(gestures.items())
        if 1 < len(found) < min(_LEAST_TAKES, usual / 2)
    ]


def rest_level(data: Dataset) -> float | None:
    """Median |a| of the stillest tenth of all blocks; None if there are hardly any."""
    still = stillest((r.samples, r.rate_hz) for r in data.recordings)
    return float(np.median(np.linalg.norm(still, axis=1))) if len(still) else None


def _units(data: Dataset) -> list[str]:
    """Of all recordings at once, or which recordings differ from the others."""
    mixed = _other_units(data)
    rest = None if mixed else rest_level(data)
    return mixed if rest is None else _gravity(rest)


def _other_units(data: Dataset) -> list[str]:
    """Recordings whose acceleration at rest is many times that of the others, or a part of it."""
    levels = []
    for r in data.recordings:
        still = stillest([(r.samples, r.rate_hz)])
        if len(still):
            levels.append((float(np.median(np.linalg.norm(still, axis=1))), r))
    usual = float(np.median([level for level, _ in levels])) if levels else 0.0
    odd = [(level, r) for level, r in levels
           if not usual / _OTHER_UNIT <= level <= usual * _OTHER_UNIT]
    if not odd or usual < 1 / _OTHER_UNIT:  # without gravity the level says nothing
        return []
    level, r = odd[0]
    return [Sentence("{where}: at rest |a| is {level:.3g}, in the other recordings {usual:.3g}: "
                    "another unit; import it again and name its unit (--accel-unit g)",
                    where=_and_more(str(r.path or r.name), odd), level=level, usual=usual)]


def _and_more(first: str, all_of_them: Sequence[object]) -> str:
    """Names the first of several."""
    if len(all_of_them) < 2:
        return first
    return Sentence("{first} and {more} more", first=first, more=len(all_of_them) - 1)


def _gravity(rest: float) -> list[str]:
    if 0.85 < rest < 1.15:
        return [Sentence("at rest |a| is {rest:.2f}: acceleration seems to be in g; multiply by "
                        "{factor}", rest=rest, factor=GRAVITY)]
    if 850 < rest < 1150:
        return [Sentence("at rest |a| is {rest:.0f}: acceleration seems to be in mg; multiply by "
                        "{factor:.8f}", rest=rest, factor=GRAVITY / 1000)]
    if rest < 3:
        return [
            Sentence("at rest |a| is {rest:.2f} m/s^2: gravity is missing; a sensor that measures "
                    "gravity will not agree with a model trained on this", rest=rest)
        ]
    if abs(rest / GRAVITY - 1) > 0.1:
        return [Sentence("at rest |a| is {rest:.2f} m/s^2 instead of 9.8: wrong range or unit, or "
                        "no rest", rest=rest)]
    if abs(rest / GRAVITY - 1) > 0.025:
        off = 100 * (rest / GRAVITY - 1)
        return [Sentence("at rest |a| is {rest:.2f} m/s^2: the sensor is {off:+.0f} % off",
                        rest=rest, off=off)]
    return []


def _odd_takes(data: Dataset) -> list[str]:
    """Spans much shorter or longer than others of their label, or shorter than any gesture."""
    out: list[str] = []
    for label, takes in sorted(examples_of(data).items()):
        if is_idle(label):
            continue
        usual = float(np.median([s.length_ms for _, s in takes]))
        short = [(r, s) for r, s in takes if s.length_ms < max(_SHORT_MS, usual / _ODD)]
        long = [(r, s) for r, s in takes if s.length_ms > _ODD * max(usual, _SHORT_MS)]
        for odd, verdict in ((short, _TOO_SHORT), (long, _TOO_LONG)):
            if odd:
                r, s = odd[0]
                samples = round(s.length_ms * r.rate_hz / 1000) + 1
                out.append(Sentence(verdict, where=_and_more(place(r, s), odd), label=label,
                                   seconds=s.length_ms / 1000, samples=samples,
                                   usual=usual / 1000))
    return out


def _turning(data: Dataset) -> list[str]:
    pieces = [(r.samples, r.rate_hz) for r in data.recordings if r.axes == 6]
    found = judge_units(pieces) if pieces else None
    if found and found.gyro == "rad/s":
        if not found.slope:
            return [Sentence("turn rates seem to be in rad/s: a hand turns much faster than they "
                            "say in deg/s; multiply by 57.2958")]
        return [Sentence("turn rates seem to be in rad/s: a hand turns {slope:.2g} times as fast "
                        "as they say in deg/s; multiply by 57.2958", slope=found.slope)]
    both, weight = np.sum([turning(*p)[:2] for p in pieces] or [np.zeros(2)], axis=0)
    if weight > 5 and not 0.45 < both / weight < 1.6:
        return [Sentence("gravity turns {ratio:.2g} times as fast as the gyroscope says: the rate, "
                        "the gyroscope's range or an axis may be wrong", ratio=both / weight)]
    return []


def _at_limit(x: np.ndarray, limit: float) -> np.ndarray:
    """bool (n,): samples that sit at the limit with a neighbour of the same axis, x (n, 3) >= 0."""
    at = x >= (1 - _SAME) * limit
    held = np.zeros_like(at)
    held[1:] |= at[1:] & at[:-1]
    held[:-1] |= at[1:] & at[:-1]
    return np.asarray(held.any(axis=1))


def _clipping(data: Dataset) -> list[str]:
    """A largest value that many samples share, two running at least, is the sensor's limit."""
    out: list[str] = []
    for group, name, unit, least in (
        (0, Sentence("acceleration"), "m/s^2", _LEAST_RANGE[0]),
        (1, Sentence("turn rate"), "deg/s", _LEAST_RANGE[1]),
    ):
        part = slice(3 * group, 3 * group + 3)
        sizes = [np.abs(r.samples[:, part]) for r in data.recordings if r.axes > 3 * group]
        limit = max((float(x.max()) for x in sizes), default=0.0)
        if limit < least:
            continue
        hits = [int(_at_limit(x, limit).sum()) for x in sizes]
        total, files = sum(map(len, sizes)), sum(h > 0 for h in hits)
        if files > 1 and sum(hits) > _CLIPPED * total:
            out.append(Sentence(
                "{what} is clipped at {limit:.4g} {unit} in {files} recordings ({share:.1f} % of "
                "the samples): record with a wider range if you can", what=name, limit=limit,
                unit=unit, files=files, share=100 * sum(hits) / total))
    return out


def _rates(data: Dataset) -> list[str]:
    rates = Counter(round(r.native_hz or r.rate_hz) for r in data.recordings)
    if max(rates, default=0) > 1.03 * min(rates, default=0):
        listed = ", ".join(f"{hz} Hz ({n})" for hz, n in sorted(rates.items()))
        return [Sentence("recordings have different rates and are resampled: {rates}",
                        rates=listed)]
    return []


def _subjects(data: Dataset) -> list[str]:
    nameless = [(r, s) for r in data.recordings for s in r.spans if not s.subject]
    total = sum(len(r.spans) for r in data.recordings)
    if nameless and len(nameless) < total:
        return [Sentence("{place}: {count} of {total} takes do not say who moved: enter the "
                        "person, so that figures can say how well the model works for others",
                        place=place(*nameless[0]), count=len(nameless), total=total)]
    if len(data.subjects) < 2:
        return [Sentence("all from one person: figures will not hold for others")]
    return []
