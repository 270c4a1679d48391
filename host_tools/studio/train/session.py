"""Training and judging for a page: the run in its child process, and its result.

    session = TrainSession()
    session.train(TrainChoice(data=("my-gestures",)))
    session.poll()                       # take in new reports, at any time
    session.apply(Settings(...))         # the event figures follow
    session.save(path)

One run at a time; the last result stays until the next run has one.
"""
from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from host_tools.dataset import is_idle
from host_tools.errors import BeckonError
from host_tools.evaluation.evaluate import Evaluation, Stream, Tally
from host_tools.evaluation.explain import Shares, reason, shares
from host_tools.evaluation.matching import HIT
from host_tools.evaluation.redebounce import redebounced
from host_tools.model.codec import decode
from host_tools.model.decision import Decision
from host_tools.model.format import Model
from host_tools.model.golden import write_model
from host_tools.studio.frame.child_process import ChildProcess
from host_tools.studio.train.history import Entry, History
from host_tools.studio.train.job import (
    About,
    Judged,
    Judging,
    TrainChoice,
    judge_again,
    judge_only,
    train_and_judge,
)
from host_tools.training.calibrate import PartFigures
from host_tools.training.fit import Report

MISSED = "missed"
# The loss curve's line is the mean of the last tenth of the reports, at most ten: the loss falls
# so fast at first that a longer memory would show a loss that is long past.
_SHARE_MEANT, _MOST_MEANT = 10, 10


@dataclass(frozen=True)
class Settings:
    """The decision's, in windows but for percent and 1/64; see host_tools.model.decision."""

    threshold_percent: int = 70
    span: int = 6
    calm_windows: int = 1
    calm_ratio: int = 16
    quiet: int = 7
    refractory: int = 10

    LIMITS = {"threshold_percent": (1, 100), "span": (1, 30), "calm_windows": (0, 10),
              "calm_ratio": (0, 64), "quiet": (1, 40), "refractory": (0, 75)}

    @classmethod
    def of(cls, model: Model) -> Settings:
        decision = model.decision or Decision()
        return cls(**{f.name: getattr(decision, f.name) for f in fields(cls)})

    @property
    def decision(self) -> Decision:
        return Decision(**{f.name: getattr(self, f.name) for f in fields(self)})


@dataclass(frozen=True)
class Happening:
    """One event of the judged streams, or one gesture without an event.

    kind: HIT, DUPLICATE, FALSE or MISSED. number: of the event or the gesture in its stream,
    which is number `stream` of the evaluation.
    """

    recording: str
    t_ms: float
    label: str
    kind: str
    confidence: int
    number: int
    subject: str = ""
    latency_ms: float | None = None
    stream: int = 0

    @property
    def wrong(self) -> bool:
        return self.kind != HIT


@dataclass
class Progress:
    """What a page shows of a run. state: idle, reading, training, tuning, judging, done,
    failed or stopped. losses: (step, loss, its running mean). parts: figures of the parts that
    were held out, as they come; divided: how."""

    state: str = "idle"
    fault: str = ""
    about: str = ""
    notices: tuple[str, ...] = ()
    divided: str = ""
    parts: tuple[PartFigures, ...] = ()
    step: int = 0
    steps: int = 0
    judged: int = 0
    judge_of: int = 0
    began_s: float = 0.0
    first_s: float = 0.0  # when the first loss came
    ended_s: float = 0.0
    losses: list[tuple[int, float, float]] = field(default_factory=list)

    @property
    def running(self) -> bool:
        return self.state in ("reading", "training", "tuning", "judging")

    @property
    def seconds(self) -> float:
        return (self.ended_s or time.monotonic()) - self.began_s if self.began_s else 0.0

    @property
    def left_s(self) -> float | None:
        """Until the last step, by the speed so far."""
        if self.state != "training" or len(self.losses) < 2 or self.step >= self.steps:
            return None
        done = self.step - self.losses[0][0]  # the first ones wait for the streams to be made
        return (time.monotonic() - self.first_s) * (self.steps - self.step) / max(1, done)


class TrainSession:
    """For one thread: the pages' event loop."""

    def __init__(self) -> None:
        self.progress = Progress()
        self.judged: Judged | None = None
        """The last result as it came."""
        self.model: Model | None = None
        """Its model, with the debouncer as it is set now."""
        self.evaluation: Evaluation | None = None
        """Its figures; None if there was too little to judge."""
        self.about = ""
        """What it was trained on, if it was trained here."""
        self.source = ""
        """What was judged: "A new model", or the file's name."""
        self.version = 0
        """Grows with each new evaluation or setting."""
        self.results = 0
        """Grows with each new evaluation."""
        self.tuned_tally = Tally()
        """The event figures with the settings that the model came with."""
        self.history: History | None = None
        """Where trainings are noted; None: nowhere."""
        self.saved: Path | None = None
        self.wanted: Settings | None = None
        """What the sliders are set to, until it is applied."""
        self._job: ChildProcess | None = None
        self._tuned = Settings()
        self._data: tuple[str, ...] = ()
        self._next: tuple[str, tuple[str, ...]] = "", ()

    # a run

    def train(self, choice: TrainChoice) -> None:
        """Start. Raises BeckonError if a run is under way, or for a choice that is not valid."""
        choice.check()
        self._start(lambda: ChildProcess(train_and_judge, choice), "A new model", choice.data)

    def judge(self, path: Path, data: tuple[str, ...]) -> None:
        """Judge an existing model."""
        self._start(lambda: ChildProcess(judge_only, path, data), path.name, data)

    def judge_again(self) -> None:
        """Judge the current model on the same recordings, after changes to their labels."""
        before, data = self.judged, self._data
        if not before or not data:
            raise BeckonError("there is no model yet: train one first")
        self._start(lambda: ChildProcess(judge_again, data, replace(before, evaluation=None)),
                    self.source, data)

    def _start(self, make: Callable[[], ChildProcess], source: str, data: tuple[str, ...]) -> None:
        if self.progress.running:
            raise BeckonError("a run is under way; stop it first")
        self.progress = Progress("reading", began_s=time.monotonic())
        self._next = source, data
        self._job = make()

    def stop(self) -> None:
        """End the run; the result before it stays. Waits for the end (well under 1 s)."""
        if self._job and self.progress.running:
            self._job.stop()
            self.poll()

    def poll(self) -> bool:
        """Take in the run's new reports; return whether anything changed."""
        job = self._job
        if job is None or not self.progress.running:
            return False
        state = job.state  # read before the news, so that no news is missed at the end
        news = job.news()
        for report in news:
            self._apply_report(report)
        if state == "running":
            return bool(news)
        self.progress.ended_s = time.monotonic()
        self.progress.state, self.progress.fault = state, job.fault
        if state == "done":
            self._keep_result(job.result)
        self._job = None
        return True

    def _apply_report(self, report: Any) -> None:
        p = self.progress
        if isinstance(report, About):
            p.state, p.about = "training", report.text
            p.notices, p.steps, p.divided = report.notices, report.steps, report.divided
        elif isinstance(report, Report):
            p.first_s = p.first_s or time.monotonic()
            count = max(1, min(_MOST_MEANT, (len(p.losses) + 1) // _SHARE_MEANT))
            some = [*(loss for _, loss, _ in p.losses), report.loss][-count:]
            p.losses.append((report.step, report.loss, sum(some) / len(some)))
            p.step = report.step
            if report.step == report.steps:
                p.state = "tuning"
        elif isinstance(report, PartFigures):
            p.parts += (report,)
        elif isinstance(report, Judging):
            p.state, p.judged, p.judge_of = "judging", report.done, report.of

    def _keep_result(self, judged: Judged) -> None:
        self.judged, self.evaluation = judged, judged.evaluation
        self.model = decode(judged.model)
        self.source, self._data = self._next
        p = self.progress
        if p.about:
            self.about = f"Trained on {p.about}"
        elif not judged.held:
            self.about = ""
        self.saved = self.wanted = None
        self._tuned = Settings.of(self.model)
        self.tuned_tally = judged.evaluation.tally() if judged.evaluation else Tally()
        self.results += 1
        self.version += 1
        if p.about and self.history:
            self._note(lambda history: history.add(Entry.of_result(
                judged, self._model_id, sum(judged.takes), len(judged.takes))))

    @property
    def _model_id(self) -> str:
        """Of the model as it came, before its settings were changed."""
        return decode(self.judged.model).model_id if self.judged else ""

    def _note(self, change: Callable[[History], None]) -> None:
        if self.history:
            try:
                change(self.history)
            except BeckonError:
                pass  # a history that cannot be written must not cost the model

    # the result

    @property
    def tuned(self) -> Settings:
        """The settings that the model came with."""
        return self._tuned

    @property
    def settings(self) -> Settings:
        return Settings.of(self.model) if self.model else Settings()

    @property
    def held(self) -> bool:
        """Whether what was judged had been held out."""
        return self.judged is not None and self.judged.held

    def apply_wanted(self) -> None:
        """Apply `wanted`, if there is one. May be called from a thread."""
        wanted, self.wanted = self.wanted, None
        if wanted is not None:
            self.apply(wanted)

    def apply(self, settings: Settings) -> None:
        """Count the events again. May be called from a thread, one at a time.

        Raises ValueError for settings that are not valid.
        """
        model, found = self.model, self.evaluation
        if model and settings != self.settings:
            decision = self._decision(model, settings)
            other = redebounced(found, decision) if found else None
            if self.model is model:  # else a run ended meanwhile
                self.model = replace(model, decision=decision, version=2)
                self.evaluation = other
                self.version += 1

    def _decision(self, model: Model, settings: Settings) -> Decision:
        """The model's with these settings. Another threshold is one for all gestures."""
        first = decode(self.judged.model).decision if self.judged else None
        if first is not None and settings == self._tuned:
            return first
        base = model.decision or Decision()
        same = settings.threshold_percent == base.threshold_percent
        return replace(base, **vars(settings), thresholds=base.thresholds if same else ())

    def save(self, path: Path) -> int:
        """Write the model with the debouncer as set; returns its bytes. Raises BeckonError."""
        self.apply_wanted()
        if not self.model:
            raise BeckonError("there is no model yet: train one first")
        path.parent.mkdir(parents=True, exist_ok=True)
        size = write_model(path, self.model)
        self.saved = path
        self.version += 1
        self._note(lambda history: history.name(self._model_id, path.name))
        return size

    def unsaved(self) -> Model | None:
        """The model that was trained here and lies in no file yet."""
        return self.model if self.about and self.saved is None else None

    def streams(self, recording: str | None = None) -> list[tuple[int, Stream]]:
        """The judged streams with their numbers; those of one recording, which may be in pieces."""
        found = self.evaluation.streams if self.evaluation else []
        return [(i, s) for i, s in enumerate(found)
                if recording is None or s.recording.name == recording]

    def happenings(self, recording: str | None = None, wrong: bool = False) -> list[Happening]:
        """Events and missed gestures, in their order; wrong: only those."""
        found: list[Happening] = []
        for n, s in self.streams(recording):
            name, who = s.recording.name, s.recording.subject
            found += [
                Happening(name, e.t_ms, e.label, v.kind, e.confidence, i, who, v.latency_ms, n)
                for i, (e, v) in enumerate(zip(s.events, s.verdicts, strict=True))
            ]
            found += [Happening(name, s.gestures[i].start_ms, s.gestures[i].label, MISSED, 0, i,
                                s.gestures[i].subject, stream=n) for i in s.missed]
        order = {name: i for i, name in enumerate(dict.fromkeys(h.recording for h in found))}
        found.sort(key=lambda h: (order[h.recording], h.t_ms))
        return [h for h in found if h.wrong or not wrong]

    def _stream_of(self, happening: Happening) -> Stream | None:
        known = dict(self.streams())
        return known.get(happening.stream)

    def why(self, happening: Happening) -> str:
        """In words."""
        stream = self._stream_of(happening)
        if not stream or not self.evaluation:
            return ""
        if happening.kind != MISSED:
            return reason(stream, happening.number, self.evaluation.model)
        g = stream.gestures[happening.number]
        around = self.shares(happening)
        inside = (around.t_ms >= g.start_ms) & (around.t_ms <= g.end_ms + 1000)
        k = self.evaluation.model.labels.index(g.label)
        best = int(around.percent[inside, k].max()) if inside.any() else 0
        sure = 100 - around.percent[inside, self.evaluation.model.idle]
        least, span = self.settings.threshold_percent, self.settings.span
        over = int((sure >= least).sum())
        return (f"missed: {g.label} was named with at most {best} %, {over} windows were a gesture "
                f"with {least} % or more; the mean of {span} must reach that, at rest")

    def shares(self, happening: Happening) -> Shares:
        """The scores over time around it."""
        stream = self._stream_of(happening)
        assert stream
        t_ms = happening.t_ms
        after_ms = 1500.0
        if happening.kind == MISSED:
            g = stream.gestures[happening.number]
            t_ms, after_ms = g.end_ms, 2000.0
        return shares(stream.windows, t_ms, 2200.0, after_ms)

    def span_of(self, happening: Happening) -> tuple[float, float]:
        """Where it is, as (start_ms, end_ms) for a label: the movement before the event."""
        stream = self._stream_of(happening)
        assert stream and self.evaluation
        if happening.kind == MISSED:
            g = stream.gestures[happening.number]
            return g.start_ms, g.end_ms
        from host_tools.dataset.movement import find_movement

        r = stream.recording
        window_ms = self.evaluation.model.front_end.window_ms
        end = min(len(r.samples), round(r.index(happening.t_ms + 300.0)))
        first = min(max(0, round(r.index(happening.t_ms - window_ms))), end - 1)
        moves, stops = find_movement(r.samples, r.rate_hz, first, end)
        return (r.start_ms + 1000 * moves / r.rate_hz, r.start_ms + 1000 * stops / r.rate_hz)


def gestures_of(evaluation: Evaluation) -> list[str]:
    return [label for label in evaluation.model.labels if not is_idle(label)]
