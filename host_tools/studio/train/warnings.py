"""What may be wrong with the labelled data, for the card above the figures. Pure.

What needs no look at the samples is known at once (from_labels); the rest comes with a training
(host_tools/dataset/checks.py).
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from host_tools.dataset import is_idle
from host_tools.dataset.labels import Row
from host_tools.studio.frame.label_store import Item
from host_tools.studio.frame.language import said, tr
from host_tools.wording import listed

FEW_TAKES = 10  # of a gesture; from here on a model is worth trying
_NAMES = 3  # of recordings in one line


def from_labels(rows: Mapping[str, Iterable[Row | Item]]) -> list[str]:
    """Warnings that the labels alone give, the most serious first. rows: by recording."""
    spans = [(name, s) for name, some in rows.items() for s in some]
    takes = Counter(s.label for _, s in spans if not is_idle(s.label))
    out = []
    if not takes:
        return [tr("Nothing is labelled as a gesture yet.")]
    few = [f"{label} ({n})" for label, n in sorted(takes.items(), key=lambda x: (x[1], x[0]))
           if n < FEW_TAKES]
    if few:
        out.append(tr("Few takes of {labels}. Record {few} or more of each gesture.",
                      labels=listed(few), few=FEW_TAKES))
    if not any(is_idle(s.label) for _, s in spans):
        out.append(tr("Nothing is labelled as no gesture. Record a few minutes of everyday "
                      "movement with the label none, or false alarms stay unknown."))
    nameless = sorted({name for name, s in spans if not is_idle(s.label) and not s.subject})
    named = {s.subject for _, s in spans if s.subject}
    if nameless and named:
        some = listed(nameless[:_NAMES])
        if len(nameless) > _NAMES:
            some = tr("{names} and {more} more", names=", ".join(nameless[:_NAMES]),
                      more=len(nameless) - _NAMES)
        out.append(tr("Nobody is named in {recordings}. Set who moved there on the Label page (W), "
                      "or people cannot be left out for judging.", recordings=some))
    return out


def shown(notices: Iterable[str], folder: Path) -> list[str]:
    """Notices of checks with paths inside the project, once each."""
    inside = f"{folder}/"
    texts = (said(n).replace(inside, "") for n in notices)
    return list(dict.fromkeys(t[:1].upper() + t[1:] + ("" if t.endswith((".", "?")) else ".")
                              for t in texts))
