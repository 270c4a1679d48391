"""The live display of a recording: what to do, how many are left, and the movement."""

import math
import sys
from collections import deque

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from host_tools.recording.guide import Guide, Phase
from host_tools.recording.session import Session
from host_tools.units import GRAVITY
from host_tools.wording import counted

_BARS = " ▁▂▃▄▅▆▇█"
_COLUMNS = 64
_COLUMN_S = 0.08
_REFRESH_S = 0.15
_ACCEL_FULL = 20.0  # m/s^2 beyond gravity for a full bar
_GYRO_FULL = 500.0  # deg/s
_HOW = "Hold still. At GO make the gesture once, then hold still again."
_BY_BUTTON = "Hold still, press the button, make the gesture once, hold still, press again."
_KEYS = "space pauses, u undoes the last take, q ends"


class Plot:
    """The last seconds of movement, one column each _COLUMN_S."""

    def __init__(self, rate_hz: float):
        self._per_column = max(1, round(rate_hz * _COLUMN_S))
        self.accel: deque[float] = deque([0.0] * _COLUMNS, _COLUMNS)
        self.gyro: deque[float] = deque([0.0] * _COLUMNS, _COLUMNS)
        self._waiting = np.zeros((0, 6))

    def add(self, values: np.ndarray) -> None:
        """values: (n, 3 or 6), m/s^2 and deg/s."""
        if values.shape[1] == 3:
            values = np.hstack([values, np.zeros_like(values)])
        self._waiting = np.concatenate([self._waiting, values])
        n = self._per_column
        while len(self._waiting) >= n:
            part, self._waiting = self._waiting[:n], self._waiting[n:]
            norm = np.linalg.norm(part[:, :3], axis=1)
            self.accel.append(float(np.abs(norm - GRAVITY).max()))
            self.gyro.append(float(np.linalg.norm(part[:, 3:], axis=1).max()))


def bars(levels: deque[float], full: float) -> str:
    top = len(_BARS) - 1
    return "".join(_BARS[min(top, int(level / full * top + 0.5))] for level in levels)


class LiveDisplay:
    """On a terminal. A context manager; call update() after each step."""

    def __init__(self, session: Session, console: Console | None = None, keys: bool = False):
        self._session = session
        self._keys = keys
        self._went = False
        self._plot = Plot(session.source.rate_hz)
        self._shown = 0
        self._due_s = -1.0
        self._console = console or Console(stderr=True)
        self._live = Live(self._view(), console=self._console, auto_refresh=False)

    def __enter__(self) -> "LiveDisplay":
        self._live.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.update(self._view(), refresh=True)
        self._live.__exit__(None, None, None)

    def update(self) -> None:
        session = self._session
        for block in session.blocks[self._shown :]:
            self._plot.add(block.values)
        self._shown = len(session.blocks)
        go = session.guide is not None and session.guide.phase is Phase.GO
        if go and not self._went:
            self._console.bell()  # who moves the board does not look at the screen
        if session.seconds >= self._due_s or go is not self._went:
            self._went = go
            self._due_s = session.seconds + _REFRESH_S
            self._live.update(self._view(), refresh=True)

    def _view(self) -> Panel:
        session = self._session
        lines = [*_task(session), Text()]
        lines.append(Text(f"accel {bars(self._plot.accel, _ACCEL_FULL)}", "cyan"))
        if session.source.axes == 6:
            lines.append(Text(f"gyro  {bars(self._plot.gyro, _GYRO_FULL)}", "magenta"))
        lines.append(Text(status(session), "dim"))
        end = "q ends" if self._keys else "Ctrl-C ends"
        if session.guide:
            end = f"{_KEYS if self._keys else end} and saves what is good"
        lines.append(Text(end, "dim"))
        return Panel(Group(*lines), width=_COLUMNS + 12, title="beckon record")


def _task(session: Session) -> list[Text]:
    guide = session.guide
    if not guide:
        return [Text(f"recording{f' {session.label}' if session.label else ''}", "bold")]
    if guide.phase is Phase.DONE:
        return [Text("all done", "bold")]
    if guide.phase is Phase.GO:
        left = round(30 * guide.left_s / guide.seconds)
        now = Text(f" GO: {guide.label} ", "bold white on green")
        now.append(" " + "█" * left, "not bold green on default")
    elif guide.phase is Phase.PAUSED:
        now = Text("paused; space goes on", "bold yellow")
    elif guide.by_button:
        now = Text(f"press the button, then {guide.label}", "bold yellow")
    else:
        seconds = max(1, math.ceil(guide.left_s))
        now = Text(f"{guide.label} in {seconds}", "bold yellow")
    which = f"{guide.label}: take {guide.number} of {guide.takes}; {guide.left} to go in all"
    return [Text(_BY_BUTTON if guide.by_button else _HOW, "dim"), Text(which), now, _last(guide)]


def _last(guide: Guide) -> Text:
    """What came of the last take, until the next one is under way."""
    if not guide.message or guide.phase is Phase.GO:
        return Text()
    return Text(guide.message, "bold red" if guide.refused else "green")


def status(session: Session) -> str:
    rate = session.source.measured_hz
    return (f"{session.seconds:.0f} s, {counted(session.samples, 'sample')}, {session.lost} lost"
            + (f", {rate:.2f} Hz" if rate else ""))  # fmt: skip


class PlainDisplay:
    """Where stderr is not a terminal: a line for each event."""

    def __init__(self, session: Session):
        self._session = session
        self._judged = -1
        self._phase: Phase | None = None
        self._said_s = 0.0

    def __enter__(self) -> "PlainDisplay":
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def update(self) -> None:
        guide = self._session.guide
        if guide:
            if guide.judged != self._judged and guide.judged:
                _say(guide.message)
            elif self._phase is None:
                _say(_BY_BUTTON if guide.by_button else _HOW)
            self._judged = guide.judged
            if guide.phase is not self._phase and guide.phase in (Phase.COUNTDOWN, Phase.GO):
                go = guide.phase is Phase.GO
                _say(f"GO: {guide.label}" if go else f"next: {guide.label}, {guide.left} left")
            self._phase = guide.phase
        elif self._session.seconds >= self._said_s + 10:
            self._said_s = self._session.seconds
            _say(status(self._session))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def display(session: Session, keys: bool = False) -> LiveDisplay | PlainDisplay:
    """keys: whether keys can be pressed, so that they are explained."""
    return LiveDisplay(session, keys=keys) if sys.stderr.isatty() else PlainDisplay(session)
