"""Which takes belong together on the map, by label, person, recording, or right and wrong. Pure."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from host_tools.studio.explore.job import Place
from host_tools.studio.frame.language import tr
from host_tools.studio.frame.theme import IDLE_COLOUR, LABEL_COLOURS, label_colour, shape_of

RIGHT = "right"
_GOOD_COLOUR, _BAD_COLOUR = "#009E73", "#D55E00"  # of Okabe and Ito; a cross marks the wrong


@dataclass(frozen=True)
class Groups:
    """of: the group of each take, an index of names, colours and shapes.

    shapes: of the colour, and the next one for each further group with it: never alone by colour.
    """

    of: Sequence[int]
    names: tuple[str, ...]
    colours: tuple[str, ...]

    @property
    def shapes(self) -> tuple[int, ...]:
        return tuple(shape_of(c) + self.colours[:i].count(c) for i, c in enumerate(self.colours))


def grouped(by: str, places: Sequence[Place], current: Sequence[tuple[str, str] | None],
            called: Sequence[str], labels: list[str]) -> Groups:
    """by: label, person, recording or RIGHT. current: label and subject of each take now, None if
    it was deleted. called: what a network calls it, "" if nobody knows. labels: the project's."""
    if by == "label":
        keys = [c[0] if c else "" for c in current]
        names = [x for x in labels if x in set(keys)]
        return _with(keys, names, {x: label_colour(labels, x) for x in names})
    if by == "person":
        keys = [c[1] if c else "" for c in current]
        names = sorted(set(keys) - {""})
        shown = [*names, *([""] if "" in keys else [])]
        words = {"": tr("nobody named")}
        return _with(keys, shown, {**_colours(names), "": IDLE_COLOUR}, words)
    if by == RIGHT:
        keys = ["unknown" if not (said and c) else "right" if said == c[0] else "wrong"
                for c, said in zip(current, called, strict=True)]
        words = {"right": tr("right"), "wrong": tr("wrong"), "unknown": tr("not known")}
        colours = {"right": _GOOD_COLOUR, "wrong": _BAD_COLOUR, "unknown": IDLE_COLOUR}
        return _with(keys, ["right", "wrong", "unknown"], colours, words)
    keys = [p.recording for p in places]
    names = list(dict.fromkeys(keys))
    return _with(keys, names, _colours(names))


def _colours(names: Sequence[str]) -> dict[str, str]:
    return {x: LABEL_COLOURS[i % len(LABEL_COLOURS)] for i, x in enumerate(names)}


def _with(keys: Sequence[str], names: Sequence[str], colours: dict[str, str],
          words: dict[str, str] | None = None) -> Groups:
    number = {name: i for i, name in enumerate(names)}
    shown = tuple((words or {}).get(name, name) for name in names)
    return Groups([number.get(k, 0) for k in keys], shown or ("",),
                  tuple(colours.get(name, IDLE_COLOUR) for name in names) or (IDLE_COLOUR,))
