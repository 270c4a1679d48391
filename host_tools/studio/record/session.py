"""Recording for a page: a source in a thread, a feed for the plot, one sitting after another.

    recorder = RecordSession(project.feeds)
    recorder.open(SourceChoice("file", path=path))
    recorder.start(Sitting(folder, "ann", labels=("circle",), takes=10))
    recorder.view()          # what to show, at any time
    recorder.close()

Judging, asking and writing are those of `beckon record`: the same Session, Guide and writer.
Between sittings the samples only go to the feed, so that a page can show them for hours.
"""
from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from host_tools.dataset.movement import activity
from host_tools.dataset.recording import AXES
from host_tools.errors import BeckonError, Sentence
from host_tools.recording.blocks import Block, Finished
from host_tools.recording.guide import Guide, Phase
from host_tools.recording.row import cut_row
from host_tools.recording.session import Session
from host_tools.recording.takes import joined
from host_tools.recording.writer import LabelledSpan
from host_tools.studio.frame.language import tr
from host_tools.studio.record.sitting import Done, Sitting, TakeRow
from host_tools.studio.record.sources import SourceChoice, make_source
from host_tools.studio.signal.live_feed import Feed, Feeds

FEED = "record"
Tap = Callable[[Feed, int, Block], None]  # (feed, number of the block's first sample in it, block)
_READ_S = 0.05
_QUIET_S = 1.0  # without samples for this time, the page warns
_TAKES_SHOWN = 200
_CURVE_POINTS = 48
_AROUND_S = 0.5  # shown around a take; and cut out with one that is taken back


@dataclass(frozen=True)
class RecordView:
    """All that a page shows. state: off, opening, live, recording, review, unsaved or ended.

    row: takes in a row are being recorded; in review, takes holds what they were cut into.
    button: a button starts and ends each take. phase, label, left_s, good, of: of a guided
    sitting. number: grows with each sitting that ends, so that a page notices a new `done`.
    """

    state: str = "off"
    title: str = ""
    fault: str = ""
    warning: str = ""
    rate_hz: float = 0.0
    measured_hz: float | None = None
    axes: int = 6
    quiet_s: float = 0.0
    seconds: float = 0.0
    samples: int = 0
    lost: int = 0
    guided: bool = False
    row: bool = False
    button: bool = False
    phase: Phase = Phase.REST
    label: str = ""
    left_s: float = 0.0
    of_s: float = 0.0
    good: int = 0
    of: int = 0
    counts: tuple[tuple[str, int, int], ...] = ()
    takes: tuple[TakeRow, ...] = ()
    done: Done | None = None
    number: int = 0


@dataclass
class _Tee:
    """A source for Session that also sends its samples to the feed."""

    source: Any
    feed: Feed
    taps: list[Tap] = field(default_factory=list)
    heard_s: float = field(default_factory=time.monotonic)
    finished: bool = False
    samples: int = 0
    """Since the sitting began."""
    _next: int | None = None
    _offset: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)

    def read(self, timeout_s: float) -> list[Block]:
        try:
            blocks = self.source.read(min(timeout_s, _READ_S))
        except Finished:
            self.finished = True
            raise
        for block in blocks:
            lost = max(0, block.index - self._next) if self._next is not None else 0
            self.feed.push(block.values, lost)
            self._next = block.end
            self._offset = self.feed.sent - block.end
            for tap in self.taps:
                tap(self.feed, block.index + self._offset, block)
            self.samples += len(block.values)
        if blocks or self.source.held:
            self.heard_s = time.monotonic()
        return blocks

    def mark(self, index: int, text: str, kind: str) -> None:
        """A flag in the plot at a sample of the source."""
        self.feed.mark((index + self._offset) * 1000 / self.feed.rate_hz, text, kind)


class RecordSession:
    """One source at a time. Methods return at once, except close() and release()."""

    def __init__(self, feeds: Feeds, phone: Any = None) -> None:
        self.phone = phone
        """The phone page's server (studio/phone/server.py), None if there is none."""
        self.feed: Feed | None = None
        self.taps: list[Tap] = []
        """Called with each block as it comes, in the reading thread; they must return at once."""
        self._feeds = feeds
        self.choice: SourceChoice | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._state, self._fault, self._warning = "off", "", ""
        self._tee: _Tee | None = None
        self._session: Session | None = None
        self._sitting: Sitting | None = None
        self._wanted: Sitting | None = None
        self._ending = ""  # "save" or "discard"
        self._orders: deque[Callable[[Guide], None]] = deque()
        self._answer: bool | None = None  # to: try to save again?
        self._takes: list[TakeRow] = []
        self._done: Done | None = None
        self._number = 0
        self._judged = self._taken_back = 0
        self._cut: list[tuple[int, int]] = []  # the takes of a row, in review

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def open(self, choice: SourceChoice) -> None:
        """Begin to read. Raises BeckonError if a source is open, or for a choice that is not
        valid; view() shows later faults."""
        if self.running:
            raise BeckonError("a source is open already: disconnect it first")
        source = make_source(choice)
        self.choice = choice
        self._closing.clear()
        self._state, self._fault, self._warning = "opening", "", ""
        self._takes, self._done, self._wanted = [], None, None
        self._thread = threading.Thread(target=copy_context().run, args=(self._run, source),
                                        name="recorder", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Close without waiting: for a source that is still being opened."""
        self._closing.set()

    def close(self, timeout_s: float = 15.0) -> None:
        """End; save a sitting under way. Waits until the source is free."""
        self._closing.set()
        if self._answer is None:
            self._answer = False
        if self._thread:
            self._thread.join(timeout_s)

    def release(self, port: str) -> None:
        """Close the source if it may hold this serial port ("": any); waits."""
        if self.running and self.choice and self.choice.port in (port, ""):
            self.close()

    def start(self, sitting: Sitting) -> None:
        """Begin a sitting. Raises BeckonError if it is not valid."""
        if self._state != "live":
            raise BeckonError(Sentence("connect a source first") if self._state in ("off", "ended")
                              else Sentence("wait until this recording has ended"))
        sitting.check()
        self._wanted = sitting

    def finish(self) -> None:
        """End the sitting and save what is good."""
        self._ending = "save"

    def keep(self, number: int, kept: bool) -> None:
        """In review: whether a take of the row is kept."""
        with self._lock:
            takes = list(self._takes)
            if self._state == "review" and 0 <= number < len(takes):
                takes[number] = replace(takes[number], good=kept)
                self._takes = takes

    def discard(self) -> None:
        """End the sitting and save nothing of it."""
        self._ending = "discard"

    def take_back(self) -> None:
        """The last good take was another gesture: ask for it again."""
        self._orders.append(Guide.take_back)

    def pause(self) -> None:
        """Pause a guided sitting, or resume it."""
        self._orders.append(lambda guide: guide.resume() if guide.phase is Phase.PAUSED
                            else guide.pause())

    def press(self) -> None:
        """A take begins, or it ends and is judged, as with the board's button."""
        self._orders.append(Guide.press)

    def try_again(self, again: bool) -> None:
        """In the state `unsaved`: try to save once more, or give up."""
        self._answer = again

    # in the thread

    def _run(self, source: Any) -> None:
        try:
            with source:
                self.feed = self._feeds.open(FEED, source.rate_hz, AXES[: source.axes])
                self._tee = _Tee(source, self.feed, self.taps)
                self._warning = source.warning
                self._state = "live"
                while not self._closing.is_set() or self._session:
                    self._step(self._tee)
        except Finished:
            self._fault = ""
        except BeckonError as error:
            self._fault = str(error)
        except OSError as error:
            self._fault = f"the source cannot be read: {error.strerror or error}"
        finally:
            self._tee = None
            self._state = "off" if self._closing.is_set() and not self._fault else "ended"

    def _step(self, tee: _Tee) -> None:
        if self._session is None:
            wanted, self._wanted = self._wanted, None
            if wanted:
                self._begin(tee, wanted)
            else:
                tee.read(_READ_S)
            return
        session, sitting = self._session, self._sitting
        assert sitting
        if self._cut:
            self._review(tee, session, sitting)
            return
        while self._orders:
            order = self._orders.popleft()
            if session.guide:
                order(session.guide)
        try:
            going = session.step()
        except BeckonError as error:  # keep what was recorded until then
            session.fault = session.fault or str(error)
            going = False
        self._note_takes(session)
        if not sitting.takes and sitting.seconds and session.seconds >= sitting.seconds:
            going = False
        if not going or self._ending or self._closing.is_set():
            if not (sitting.row and self._ending != "discard" and self._cut_row(session, sitting)):
                self._end(tee, session, sitting)

    def _begin(self, tee: _Tee, sitting: Sitting) -> None:
        guide = None
        if sitting.takes:
            guide = Guide(list(sitting.labels), sitting.takes, tee.rate_hz, sitting.seconds,
                          sitting.countdown_s, sitting.button)
        label = "" if guide or sitting.row or not sitting.labels else sitting.labels[0]
        with self._lock:
            self._takes, self._ending, self._done = [], "", None
            self._orders.clear()
            self._taken_back = 0
            self._sitting = sitting
            self._session = Session(tee, guide, label,
                                    repeated=sitting.labels[0] if sitting.row else "")
            tee.samples = self._judged = 0
            self._state = "recording"

    def _note_takes(self, session: Session) -> None:
        guide = session.guide
        if guide and guide.taken_back > self._taken_back:
            self._taken_back = guide.taken_back
            self._strike_out(guide.message)
        if not guide or guide.judged == self._judged:
            return
        if guide.refused:
            first, end = guide.bad[-1]
            row = TakeRow(guide.label, False, guide.message, self._curve(session, first, end))
            session.source.mark(first, "refused", "false")
        else:
            take = guide.good[-1]
            row = TakeRow(take.label, True, guide.message,
                          self._curve(session, take.start, take.stop))
            session.source.mark(take.start, take.label, "hit")
        self._judged = guide.judged
        self._takes = [*self._takes[-_TAKES_SHOWN:], row]

    def _strike_out(self, message: str) -> None:
        """The last good take in the list is no longer one."""
        good = [i for i, row in enumerate(self._takes) if row.good]
        if good:
            takes = list(self._takes)
            takes[good[-1]] = replace(takes[good[-1]], good=False, message=message)
            self._takes = takes

    def _cut_row(self, session: Session, sitting: Sitting) -> bool:
        """Cut the recording into takes and show them; False if nothing in it repeats."""
        session.close()
        found = cut_row(session.blocks, session.source.measured_hz or session.source.rate_hz)
        if not found:
            session.fault = session.fault or tr("nothing in it repeats: saved without takes")
            return False
        rows = [TakeRow(sitting.labels[0], True, "", self._curve(session, a, b)) for a, b in found]
        with self._lock:
            self._cut, self._takes, self._ending, self._state = found, rows, "", "review"
        return True

    def _review(self, tee: _Tee, session: Session, sitting: Sitting) -> None:
        """Wait for the user's choice; the plot goes on. What ends the source waits, too."""
        if not self._ending and not self._closing.is_set():
            try:
                tee.read(_READ_S)
            except Finished:
                time.sleep(_READ_S)
            except BeckonError as error:
                session.fault, tee.finished = session.fault or str(error), True
                time.sleep(_READ_S)
            return
        kept = [LabelledSpan(a, b, sitting.labels[0])
                for (a, b), take in zip(self._cut, self._takes, strict=True) if take.good]
        dropped = [cut for cut, take in zip(self._cut, self._takes, strict=True) if not take.good]
        session.row = kept, dropped
        self._cut = []
        self._end(tee, session, sitting)

    def _curve(self, session: Session, first: int, end: int) -> tuple[float, ...]:
        """Activity as a part of its peak, 0 to 1, in _CURVE_POINTS pieces."""
        around = round(_AROUND_S * session.source.rate_hz)
        values, _, _ = joined(session.blocks, first - around, end + around)
        if len(values) < 2:
            return ()
        level = activity(values.astype(np.float32), session.source.rate_hz)
        pieces = np.array_split(level, min(_CURVE_POINTS, len(level)))
        tops = np.array([piece.max() for piece in pieces])
        return tuple((tops / max(float(tops.max()), 2.5)).round(3).tolist())

    def _end(self, tee: _Tee, session: Session, sitting: Sitting) -> None:
        paths: list[Path] = []
        fault = session.fault
        if self._ending != "discard":
            try:
                paths = session.save(sitting.folder, sitting.subject, self._ask)
            except BeckonError as error:
                fault = Sentence("{fault}; {error}", fault=fault, error=error) if fault \
                    else str(error)
        guide = session.guide
        with self._lock:
            self._number += 1
            self._warning = session.correction or self._warning
            good, refused = (len(guide.good), guide.refusals) if guide else (0, 0)
            if session.row is not None:
                good, refused = len(session.row[0]), len(session.row[1])
            self._done = Done(tuple(paths), good, refused, session.lost, session.seconds, fault)
            self._session = self._sitting = None
            self._ending = ""
            self._state = "live"
        if tee.finished:
            raise Finished

    def _ask(self, reason: str) -> bool:
        """Wait until the user decides whether to try saving again."""
        if self._closing.is_set():
            return False
        self._fault, self._answer, self._state = reason, None, "unsaved"
        while self._answer is None and not self._closing.is_set():
            time.sleep(_READ_S)
        self._fault, self._state = "", "recording"
        return bool(self._answer)

    # for the page

    def view(self) -> RecordView:
        """What to show now."""
        with self._lock:
            tee, session, sitting = self._tee, self._session, self._sitting
            title = self.choice.title if self.choice else ""
            common: dict[str, Any] = {
                "state": self._state, "title": title, "fault": self._fault,
                "warning": self._warning, "takes": tuple(self._takes), "done": self._done,
                "number": self._number,
            }
        if tee is None:
            return RecordView(**common)
        quiet_s = time.monotonic() - tee.heard_s
        common.update(rate_hz=tee.rate_hz, measured_hz=tee.measured_hz, axes=tee.axes,
                      quiet_s=quiet_s if quiet_s > _QUIET_S else 0.0)
        if session is None or sitting is None:
            return RecordView(**common)
        lost = session.end - session.first - tee.samples
        common.update(seconds=session.seconds, samples=tee.samples, lost=max(0, lost))
        guide = session.guide
        if guide:
            common.update(_guided(guide, sitting))
        elif sitting.row:
            common.update(row=True, label=sitting.labels[0], of_s=sitting.seconds,
                          left_s=max(0.0, sitting.seconds - session.seconds))
        return RecordView(**common)


def _guided(guide: Guide, sitting: Sitting) -> dict[str, Any]:
    phase = guide.phase
    counts = [(label, sum(t.label == label for t in guide.good), sitting.takes)
              for label in sitting.labels]
    return {
        "guided": True, "button": guide.by_button, "phase": phase, "label": guide.label,
        "left_s": guide.left_s,
        "of_s": guide.seconds if phase is Phase.GO else guide.countdown_s,
        "good": len(guide.good), "of": sitting.takes * len(sitting.labels),
        "counts": tuple(counts),
    }
