"""Trying a model on live samples, before it is deployed. Knows no browser.

    trial = TrialSession()
    recorder.taps.append(trial.hear)         # whatever the Record page's source delivers
    trial.use(model, "gesture.mlp", path)
    trial.watch()                            # somebody looks: called again and again
    trial.view()                             # bars, peaks, events
    trial.set_threshold("circle", 70)

The answers are those of the board (evaluation.live). A thread of its own makes them, behind a
bounded queue: if the computer is too slow, the oldest samples are lost and counted, and the
delay stays bounded. Nothing runs while nobody looks and no events are sent to a broker.
"""
from __future__ import annotations

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from host_tools.device.settings import default_folder, read_settings
from host_tools.errors import BeckonError
from host_tools.evaluation.live import LiveBoard, LiveEvent, with_thresholds
from host_tools.evaluation.rule_events import rules_of
from host_tools.model.format import Model
from host_tools.model.golden import write_model
from host_tools.recording.blocks import Block
from host_tools.studio.signal.live_feed import Feed
from host_tools.studio.trial.sending import EventSender

_QUEUE_S = 2.0  # of samples that wait, at most
_LOOKS_S = 5.0  # after the last look the work ends
_HOLD_S = 1.5  # a peak stays so long
_KEPT = 200  # events


@dataclass(frozen=True)
class Heard:
    """An event. t_ms: of the feed's clock. number: 1 for the first. at_s: time.monotonic()."""

    number: int
    t_ms: float
    label: str
    confidence: int
    label_confidence: int
    at_s: float


@dataclass(frozen=True)
class TrialView:
    """What a page shows.

    percent, peaks: of each label of the model, as held against its threshold. thresholds: of
    each gesture, or of "" if the model has one for all. behind_ms: from a sample's arrival to
    its answer. dropped: samples that came too fast.
    """

    model: Model | None = None
    title: str = ""
    path: Path | None = None
    fault: str = ""
    running: bool = False
    moving: bool = False
    percent: tuple[float, ...] = ()
    peaks: tuple[float, ...] = ()
    thresholds: dict[str, int] = field(default_factory=dict)
    changed: bool = False
    events: tuple[Heard, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    total: int = 0
    behind_ms: float = 0.0
    dropped: int = 0
    windows: int = 0
    rules: tuple[str, ...] = ()
    """Labels of the rule gestures that the board's settings switch on."""


def thresholds_of(model: Model) -> dict[str, int]:
    """The threshold of each gesture, percent; {"": percent} if there is one for all."""
    d = model.decision
    if d is None:
        return {"": model.debounce[0]}
    own = d.thresholds or (d.threshold_percent,) * len(model.labels)
    return {label: own[i] for i, label in enumerate(model.labels) if i != model.idle}


def _rules(model: Model) -> tuple[str, tuple[str, ...]]:
    """The setting `rules` of `beckon setup`, and the labels that it adds; none if it is damaged."""
    try:
        text = str(read_settings(default_folder())["rules"])
        fe = model.front_end
        return text, tuple(rules_of(text, fe.rate_hz, fe.accel_g).names)
    except BeckonError:
        return "", ()


class TrialSession:
    """One model on one source. Methods may be called from any thread."""

    def __init__(self) -> None:
        self.sender = EventSender()
        """Sends the events to a broker, once its start() is called."""
        self._lock = threading.Lock()
        self._ready = threading.Condition(self._lock)
        self._queue: deque[tuple[Feed, int, Block, float]] = deque()
        self._waiting = 0  # samples in the queue
        self._thread: threading.Thread | None = None
        self._closing = False
        self._looked_s = -_LOOKS_S
        self._model: Model | None = None
        self._title, self._path = "", None  # type: str, Path | None
        self._rules, self._rule_names = "", ()  # type: str, tuple[str, ...]
        self._thresholds: dict[str, int] = {}
        self._fault = ""
        self._board: LiveBoard | None = None
        self._feed: Feed | None = None
        self._first = self._next = 0  # samples of the feed: the board's first, the next one
        self._origin_s: float | None = None  # of the clock of the events that are sent
        self._begun_ms = self._end_ms = 0.0  # of the board's first and last sample, by that clock
        self._percent = self._peaks = np.zeros(0)
        self._peaks_at = np.zeros(0)
        self._events: deque[Heard] = deque(maxlen=_KEPT)
        self._counts: Counter[str] = Counter()
        self._total = self._dropped = 0
        self._behind_ms = 0.0

    # for the page

    def use(self, model: Model, title: str, path: Path | None = None) -> None:
        """Try this model from now on. path: its file, None if it has none yet."""
        text, names = _rules(model)
        with self._lock:
            self._rules, self._rule_names = text, names
            self._model, self._title, self._path = model, title, path
            self._thresholds = thresholds_of(model)
            self._fault = ""
            self._forget()
        self.sender.use(model, names)

    def _forget(self) -> None:
        self._board = None
        self._events.clear()
        self._counts.clear()
        self._total = self._dropped = 0
        n = len(self._model.labels) if self._model else 0
        self._percent, self._peaks, self._peaks_at = np.zeros(n), np.zeros(n), np.zeros(n)

    def clear(self) -> None:
        """Begin a new list of events."""
        with self._lock:
            self._events.clear()
            self._counts.clear()
            self._total = 0

    def watch(self) -> None:
        """A page looks; without one nothing is computed."""
        self._looked_s = time.monotonic()

    def set_threshold(self, label: str, percent: int) -> None:
        """From now on; "" is that of a model with one for all."""
        with self._lock:
            if self._model is None or label not in self._thresholds:
                return
            self._thresholds[label] = max(1, min(100, percent))
            if self._board:
                self._adjust(self._board)

    def reset_thresholds(self) -> None:
        """Those of the model's file."""
        with self._lock:
            if self._model:
                self._thresholds = thresholds_of(self._model)
                if self._board:
                    self._adjust(self._board)

    def _adjust(self, board: LiveBoard) -> None:
        model = with_thresholds(board.model, self._thresholds)
        if model.decision is not None:
            board.set_decision(model.decision)
        else:
            board.set_threshold(model.debounce[0])

    def save(self, path: Path) -> int:
        """Write the model with the thresholds as set; returns its bytes. Raises BeckonError."""
        with self._lock:
            if self._model is None:
                raise BeckonError("choose a model first")
            model = with_thresholds(self._model, self._thresholds)
        path.parent.mkdir(parents=True, exist_ok=True)
        size = write_model(path, model)
        with self._lock:
            self._model, self._path, self._title = model, path, path.name
            if self._board:
                self._board.model = model
        return size

    def view(self) -> TrialView:
        now = time.monotonic()
        with self._lock:
            model = self._model
            if model is None:
                return TrialView(fault=self._fault)
            return TrialView(
                model, self._title, self._path, self._fault,
                running=self._board is not None,
                moving=bool(self._board and self._board.moving),
                percent=tuple(self._percent.tolist()),
                peaks=tuple(np.where(now - self._peaks_at < _HOLD_S, self._peaks,
                                     self._percent).tolist()),
                thresholds=dict(self._thresholds),
                changed=self._thresholds != thresholds_of(model),
                events=tuple(self._events), counts=dict(self._counts), total=self._total,
                behind_ms=self._behind_ms, dropped=self._dropped,
                windows=self._board.windows if self._board else 0, rules=self._rule_names,
            )

    def close(self, timeout_s: float = 5.0) -> None:
        """End the thread, and the sending."""
        self.sender.stop()
        with self._ready:
            self._closing = True
            self._ready.notify()
        if self._thread:
            self._thread.join(timeout_s)

    # samples

    def hear(self, feed: Feed, first: int, block: Block) -> None:
        """Take a block, whose first sample has this number in the feed; never waits."""
        now = time.monotonic()
        looked_at = now - self._looked_s <= _LOOKS_S
        if self._closing or not (looked_at or self.sender.running):
            return
        with self._ready:
            self._queue.append((feed, first, block, now))
            self._waiting += len(block.values)
            most = max(_QUEUE_S * feed.rate_hz, len(block.values))
            while self._waiting > most and len(self._queue) > 1:
                gone = len(self._queue.popleft()[2].values)
                self._waiting -= gone
                self._dropped += gone
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="trial", daemon=True)
                self._thread.start()
            self._ready.notify()

    def _run(self) -> None:
        while True:
            with self._ready:
                while not self._queue and not self._closing:
                    self._ready.wait()
                if self._closing:
                    return
                some = list(self._queue)
                self._queue.clear()
                self._waiting = 0
            for feed, first, block, heard_s in some:
                with self._lock:
                    self._take(feed, first, block, heard_s)

    def _take(self, feed: Feed, first: int, block: Block, heard_s: float) -> None:
        if self._model is None:
            return
        if self._board is None or feed is not self._feed:
            if self._fault and feed is self._feed:
                return  # said once
            self._feed, self._first, self._next = feed, first, first
            begun_s = heard_s - len(block.values) / feed.rate_hz
            if self._origin_s is None:
                self._origin_s = begun_s
            self._begun_ms = max(self._end_ms, 1000 * (begun_s - self._origin_s))
            try:
                self._board = LiveBoard(self._model, feed.rate_hz, len(feed.axes),
                                        self._rules)
                self._adjust(self._board)
                self._fault = ""
            except BeckonError as error:
                self._board, self._fault = None, str(error)
                return
        board = self._board
        lost = max(0, first - self._next)
        found = board.push(block.values, lost)
        self._next = first + len(block.values)
        stretch_ms = (self._next - self._first) * 1000 / feed.rate_hz
        self._end_ms = self._begun_ms + stretch_ms
        self.sender.heard(len(block.values), lost)
        now = time.monotonic()
        self._percent = board.weights
        higher = board.highest >= np.where(now - self._peaks_at < _HOLD_S, self._peaks, 0)
        self._peaks = np.where(higher, board.highest, self._peaks)
        self._peaks_at = np.where(higher, now, self._peaks_at)
        self._behind_ms = 1000 * (now - heard_s)
        for event in found:
            self._note(feed, event, now)
            self.sender.post(event, self._begun_ms + event.t_ms,
                             heard_s - max(0.0, stretch_ms - event.t_ms) / 1000)

    def _note(self, feed: Feed, event: LiveEvent, now: float) -> None:
        self._total += 1
        self._counts[event.label] += 1
        t_ms = self._first * 1000 / feed.rate_hz + event.t_ms
        self._events.append(Heard(self._total, t_ms, event.label, event.confidence,
                                  event.label_confidence, now))
        feed.mark(t_ms, f"{event.label} {event.confidence} %", "event")
