"""Colours and sizes of Studio, dark and light.

Signals and labels use the palette of Okabe and Ito ("Color Universal Design", 2008), which
people with the usual forms of colour blindness can distinguish. Each theme uses those of its
colours that stand out from the paper. Colour never carries a meaning alone: a line, a span, a
verdict also has a word or a shape.

The same values are in static/studio.css as variables.
"""
from __future__ import annotations

from pathlib import Path

from host_tools.dataset import is_idle
from host_tools.studio.frame.label_colours import LabelColours

OKABE_ITO = {
    "orange": "#E69F00", "sky": "#56B4E9", "green": "#009E73", "yellow": "#F0E442",
    "blue": "#0072B2", "vermilion": "#D55E00", "purple": "#CC79A7",
}

THEMES = {
    "light": {
        "paper": "#F6F5F1", "surface": "#FFFFFF", "ink": "#1B1D1F", "quiet": "#55595E",
        "line": "#D5D3CB", "accent": "#0B5C8C",
        "axis_x": "#C24E00", "axis_y": "#007A59", "axis_z": "#0072B2",
    },
    "dark": {
        "paper": "#14171A", "surface": "#1E2226", "ink": "#F1F0EC", "quiet": "#AEB4BA",
        "line": "#373D43", "accent": "#6FC1F0",
        "axis_x": "#F2A93B", "axis_y": "#56B4E9", "axis_z": "#E08FBD",
    },
}

# Fill of a label's spans and bars, by the place that label_colours.py keeps for it: seven that
# everybody can distinguish, then fourteen that lie as far as possible from all others in CIELAB
# (30 at least) and have a contrast of 3 on both themes. Who cannot distinguish these sees the
# shape of their swatch (shape_of), as in the legends.
LABEL_COLOURS = tuple(
    OKABE_ITO[name] for name in ("orange", "sky", "green", "purple", "yellow", "vermilion", "blue")
) + (
    "#A800FC", "#FC0060", "#FC00C0", "#2460F0", "#00A800", "#6C780C", "#A86048",
    "#9C48B4", "#FC0018", "#E43C90", "#8484E4", "#F06054", "#007878", "#849C6C",
)
_SAFE = len(OKABE_ITO)
SHAPES = 4  # disc or rounded square, square, triangle, diamond
IDLE_COLOUR = "#8A8F94"  # "no gesture"


_kept = LabelColours(None, len(LABEL_COLOURS))


def keep_colours(path: Path | None) -> None:
    """From now on labels have the colours kept in this file: those of the open project."""
    global _kept
    _kept = LabelColours(path, len(LABEL_COLOURS))


def shape_of(colour: str) -> int:
    """Which of SHAPES marks this colour: the next one for every seven colours."""
    return LABEL_COLOURS.index(colour) // _SAFE % SHAPES if colour in LABEL_COLOURS else 0


def label_colour(labels: list[str], label: str) -> str:
    """The colour of a label, the same on every page; labels: all of the project."""
    if is_idle(label) or label not in labels:
        return IDLE_COLOUR
    return LABEL_COLOURS[_kept.place(label, [x for x in labels if not is_idle(x)])]
