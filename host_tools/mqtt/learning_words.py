"""What a board says of a gesture that it learns, in sentences that can be translated. Pure.

The board's own words are those of firmware/learning; docs/learning.md lists the fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from host_tools.errors import Sentence
from host_tools.mqtt.events import printable

PHASES = ("restarting", "repetitions", "computing", "learned", "in use", "refused")
_UNDER_WAY = PHASES[:4]
_REASON_CHARACTERS = 400
_UNUSABLE_LINES = 30

# What the firmware says -> how it is said here. Numbers and names of the first are fields of the
# second. What matches none is shown as it is.
_FAULTS = (
    (r"too short, a knock", Sentence("too short, a knock")),
    (r"too weak", Sentence("too weak")),
    (r"samples were lost", Sentence("samples were lost")),
    (r"unlike the others", Sentence("unlike the others")),
)
_REPETITION = re.compile(r"repetition (\d+): (.*)")
_LONGER = re.compile(r"longer than the (\d+) ms that the model looks at")
_FEW = re.compile(r"(\d+) of (\d+) repetitions can be used, (\d+) are the least( \(.*\))?")
_CLOSE = re.compile(r"(['\"])(.*)\1 is too close to (['\"])(.*)\3; make it more different.*")
_DISTINCT = re.compile(r"only (\d+) of (\d+) repetitions are distinct .*")
_LEARNING = re.compile(r"busy with learning (['\"])(.*)\1")
_KNOWN_AS = re.compile(r"(['\"])(.*)\1 is known as (['\"])(.*)\3; use that name")
_IDLE = re.compile(r"(['\"])(.*)\1 is the model's name for no gesture")


@dataclass(frozen=True)
class Progress:
    """How far a board is. phase: one of PHASES. good: usable repetitions, of takes. unusable: a
    sentence for each of the others. reason: why it was refused, or ""."""

    phase: str
    label: str
    good: int
    takes: int
    unusable: tuple[str, ...]
    reason: str

    @property
    def under_way(self) -> bool:
        return self.phase in _UNDER_WAY


def progress_of(state: Mapping[str, Any]) -> Progress | None:
    """Of a board's `state`; None if it has learned nothing, or if that cannot be read."""
    found = state.get("learning")
    if not isinstance(found, dict) or found.get("phase") not in PHASES:
        return None
    lines = found.get("unusable")
    shown = lines[:_UNUSABLE_LINES] if isinstance(lines, list) else []
    return Progress(found["phase"], printable(found.get("label")), _count(found.get("good")),
                    _count(found.get("takes")), tuple(unusable(line) for line in shown),
                    reason(found.get("reason")))


def doing(progress: Progress) -> Sentence:
    """What the board does now, or what to do now."""
    if progress.phase == "restarting":
        return Sentence("the board restarts first, to have memory for it")
    if progress.phase == "repetitions":
        return Sentence("now make {label} {takes} times, and keep still for a second before and "
                        "after each", label=progress.label, takes=progress.takes)
    if progress.phase == "computing":
        return Sentence("the board computes")
    if progress.phase == "learned":
        return Sentence("the board restarts")
    if progress.phase == "in use":
        return Sentence("{label} is in use", label=progress.label)
    return Sentence("{label} was not learned: {reason}", label=progress.label,
                    reason=progress.reason)


def unusable(line: object) -> str:
    """A line of the board's about a repetition."""
    text = _printable(line)
    found = _REPETITION.fullmatch(text)
    if not found:
        return text
    number, fault = found.groups()
    longer = _LONGER.fullmatch(fault)
    said: str = fault
    if longer:
        said = Sentence("longer than the {ms} ms that the model looks at", ms=longer[1])
    for words, sentence in _FAULTS:
        if fault == words:
            said = sentence
    return Sentence("repetition {number}: {fault}", number=number, fault=said)


def reason(line: object) -> str:
    """Why the board refuses, with a cure."""
    text = _printable(line) if line else ""
    if text == "stopped":
        return Sentence("stopped")
    if text == "no samples come from the sensor":
        return Sentence("no samples come from the sensor; check its wires")
    if text == "busy with another command that needs the sensor":
        return Sentence("another command uses the sensor; end the recording or the stream, then "
                        "try again")
    if text.startswith("the model came without examples"):
        return Sentence("its model came without examples of its gestures; train it again and "
                        "deploy it")
    if text.startswith("the examples behind the model are of another version"):
        return Sentence("the examples behind its model are of another version; train it again and "
                        "deploy it")
    if text.endswith("is on trial; ask again in a minute"):
        return Sentence("its model is on trial; try again in a minute")
    if text == "nothing is there that could be undone":
        return Sentence("it has learned nothing that could be taken back")
    if text == "nothing is being learned":
        return Sentence("nothing is being learned")
    if found := _LEARNING.fullmatch(text):
        return Sentence("it is learning {label} already; wait until that ends", label=found[2])
    if found := _KNOWN_AS.fullmatch(text):
        return Sentence("{label} is known as {known}; use that name", label=found[2],
                        known=found[4])
    if found := _IDLE.fullmatch(text):
        return Sentence("{label} is the model's name for no gesture; choose another name",
                        label=found[2])
    if found := _CLOSE.fullmatch(text):
        return Sentence("{label} is too close to {known}; make it more different, or learn more of "
                        "{known} itself", label=found[2], known=found[4])
    if found := _DISTINCT.fullmatch(text):
        return Sentence("only {n} of {takes} repetitions are distinct from what the model knows; "
                        "make it longer, or more different", n=found[1], takes=found[2])
    if found := _FEW.fullmatch(text):
        return Sentence("{n} of {takes} repetitions can be used, {least} are the least; make the "
                        "gesture again, and keep still before and after it", n=found[1],
                        takes=found[2], least=found[3])
    return text


def _printable(line: object) -> str:
    """Text from a stranger; longer than a name."""
    if not isinstance(line, str):
        return "?"
    return "".join(c if c.isprintable() else "?" for c in line)[:_REASON_CHARACTERS]


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
