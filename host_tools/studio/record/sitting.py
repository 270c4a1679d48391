"""One sitting: what to record, checked; each take's verdict; what came of it."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from host_tools.errors import BeckonError, Sentence
from host_tools.recording.writer import check_folder, check_name


@dataclass(frozen=True)
class Sitting:
    """What to record into the data set `folder`.

    Guided with takes of each label; without takes one free recording, labelled `labels[0]` if
    there is one. seconds: length of a take, or after which a free recording ends (0: never).
    row: labels[0] again and again for so many seconds, to be cut into takes. button: the board's
    button, or press(), starts and ends each take; seconds is the longest.
    """

    folder: Path
    subject: str
    labels: tuple[str, ...] = ()
    takes: int = 0
    seconds: float = 2.0
    countdown_s: float = 3.0
    row: bool = False
    button: bool = False

    def check(self) -> None:
        """Raises BeckonError for values that are not valid."""
        for label in self.labels:
            check_name(Sentence("label"), label)
        check_name(Sentence("person"), self.subject)
        if len(set(self.labels)) != len(self.labels):
            raise BeckonError("a label occurs twice; name each label once")
        if self.takes:
            if not self.labels:
                raise BeckonError("name the gestures first, such as circle, x, y")
            limits = ((Sentence("takes"), self.takes, 1, 1000),
                      (Sentence("seconds of a take"), self.seconds, 0.5, 10),
                      (Sentence("countdown"), self.countdown_s, 1, 60))
        elif self.row:
            if len(self.labels) != 1:
                raise BeckonError("name one gesture, such as circle")
            limits = ((Sentence("seconds"), self.seconds, 3, 120),)  # type: ignore[assignment]
        else:
            limits = ((Sentence("seconds"), self.seconds, 0, 86400),)  # type: ignore[assignment]
            if len(self.labels) > 1:
                raise BeckonError("a free recording takes one label for all of it, or none")
        for name, value, least, most in limits:
            if not least <= value <= most:
                raise BeckonError("{name} {value:g}: name a number from {least:g} to {most:g}",
                                  name=name, value=value, least=least, most=most)
        check_folder(self.folder)


@dataclass(frozen=True)
class TakeRow:
    """One judged take. curve: activity over its time, 0 to 1."""

    label: str
    good: bool
    message: str
    curve: tuple[float, ...] = ()


@dataclass(frozen=True)
class Done:
    """The result of a sitting."""

    paths: tuple[Path, ...]
    takes: int
    refused: int
    lost: int
    seconds: float
    fault: str = ""
