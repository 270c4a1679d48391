"""Which labels mean "no gesture", and the selection of labels in a DATASET argument."""
from __future__ import annotations

from pathlib import Path

from host_tools.errors import BeckonError

IDLE_LABEL = "none"  # how a model that we train calls its idle class

_IDLE = frozenset(
    "none idle rest resting no_motion nomotion no_gesture nogesture no_move still nothing "
    "background negative other noise unknown null".split()
)


def is_idle(label: str) -> bool:
    """True if people use this label for "no gesture"."""
    return label.strip().lower().replace(" ", "_").replace("-", "_") in _IDLE


def split_spec(spec: str) -> tuple[Path, tuple[str, ...] | None]:
    """Divide "FOLDER" or "FOLDER:label,label" into the folder and the labels.

    A folder whose name itself holds a colon wins over a selection.
    """
    path = Path(spec)
    if path.exists() or ":" not in spec:
        return path, None
    folder, _, selection = spec.rpartition(":")
    labels = tuple(x.strip() for x in selection.split(",") if x.strip())
    if not labels:
        raise BeckonError(f"{spec}: no label after the colon; write FOLDER:label,label", 2)
    return Path(folder), labels
