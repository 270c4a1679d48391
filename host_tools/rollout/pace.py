"""Figures that are computed again after twenty times as long as they took, at the earliest."""

import time

from sqlalchemy import Connection

from host_tools.store.rollout_figures import Figures, figures

_SHARE = 20


class PacedFigures:
    """So a roll-out to thousands of devices costs the database a twentieth of its time."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[float, tuple[Figures, Figures]]] = {}

    def of(self, connection: Connection, number: int, baseline_ms: int,
           now_ms: int) -> tuple[Figures, Figures]:  # fmt: skip
        """As figures(), maybe of a while ago."""
        begun_s = time.monotonic()
        kept = self._kept.get(number)
        if kept is not None and begun_s < kept[0]:
            return kept[1]
        found = figures(connection, number, baseline_ms, now_ms)
        ended_s = time.monotonic()
        self._kept[number] = (ended_s + _SHARE * (ended_s - begun_s), found)
        return found

    def forget(self, number: int) -> None:
        """The next ones are fresh, as after a person has excused devices."""
        self._kept.pop(number, None)
