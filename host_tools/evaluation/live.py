"""The board's answers and events while samples come: one recogniser for live data.

    board = LiveBoard(model, rate_hz=100)
    for event in board.push(samples, lost=0): ...      # float (n, 6), m/s^2 and deg/s
    board.weights                                      # what decides now, by label
    board.set_decision(replace(decision, thresholds=...))

Samples become the counts of the model's rate and ranges, the counts go through the engine's
integers (model.live), and the windows through the very file that decides on the board. Fed
with a recording it gives the events of `beckon simulate`. Memory and delay are bounded.
"""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from host_tools.dataset.resample import LiveResampler
from host_tools.errors import BeckonError
from host_tools.evaluation.emulator import debounce_module, share_debounce_module
from host_tools.evaluation.rule_events import CONFIDENCE, RuleTrack
from host_tools.model.decision import Decision, settings_of
from host_tools.model.format import Model
from host_tools.model.live import LiveEngine
from host_tools.units import to_counts

_REMEMBERED = 320  # windows: more than any rule looks back


@dataclass(frozen=True)
class LiveEvent:
    """An event. t_ms: of the source's clock, sample 0 at 0 ms; the rest as emulator.Detected."""

    t_ms: float
    label: str
    confidence: int
    label_confidence: int


class LiveBoard:
    """One model on one stream. Raises BeckonError if the stream lacks the gyroscope it needs.

    rules: as the board's setting; rule gestures beside the network.
    """

    def __init__(self, model: Model, rate_hz: float, axes: int = 6, rules: str = ""):
        fe = model.front_end
        if axes < 6 and max(a.axis for a in fe.axes) >= 3:
            raise BeckonError("this source has no gyroscope, but the model uses it: choose a model "
                              "trained without one, or connect a sensor that has one")
        self.model = model
        self._axes = axes
        self._source_hz = rate_hz
        self._engine = LiveEngine(model)
        self._resampler = LiveResampler(rate_hz, float(fe.rate_hz), axes)
        self._seen: deque[tuple[bytes, int, int, int]] = deque(maxlen=_REMEMBERED)
        self._decision = model.decision
        self._debounce = bytes(model.debounce)
        self._rule = self._new_rule()
        self._track = RuleTrack(rules, fe.rate_hz, fe.accel_g) if rules else None
        self._frames = 0  # at the model's rate, since the last gap
        self._begin_ms = 0.0  # of the stretch since the last gap
        self._samples = 0  # of the source, lost ones included
        self.windows = 0
        self.gaps = 0
        self.highest = self.weights
        """The greatest weights within the last push that completed a window."""

    # what decides

    @property
    def decision(self) -> Decision | None:
        """The rule's settings; None for a model that counts windows."""
        return self._decision

    @property
    def threshold_percent(self) -> int:
        """That of a model that counts windows; with a decision that of all labels."""
        return self._decision.threshold_percent if self._decision else self._debounce[0]

    def set_decision(self, decision: Decision) -> None:
        """Other settings from now on, as if they had always been so."""
        self._decision = decision
        self._replay()

    def set_threshold(self, percent: int) -> None:
        """Of a model that counts windows."""
        self._debounce = bytes([percent]) + self._debounce[1:]
        self._replay()

    def _replay(self) -> None:
        """A new rule that has seen the last windows; its events are old ones."""
        self._rule = self._new_rule()
        for shares, activity, label, confidence in self._seen:
            if self._decision is not None:
                self._rule.update(shares, activity)
            else:
                self._rule.update(label, confidence)

    def _new_rule(self):
        classes, idle = len(self.model.labels), self.model.idle
        if self._decision is not None:
            settings = settings_of(self._decision)
            return share_debounce_module().ShareDebouncer(classes, idle, *settings)
        return debounce_module().Debouncer(classes, idle, *self._debounce[:6])

    # what is heard

    def push(self, samples: np.ndarray, lost: int = 0) -> list[LiveEvent]:
        """Add samples, float (n, axes) in m/s^2 and deg/s, after so many lost ones."""
        if lost:
            self._gap(lost)
        fe = self.model.front_end
        self._samples += len(samples)
        raw = to_counts(self._resampler.push(samples), fe.accel_g, fe.gyro_dps)
        found = self._engine.push(raw)
        out: list[tuple[int, LiveEvent]] = []  # with the frame that completed it
        rows = found.shares.tobytes()
        classes = len(self.model.labels)
        for i in range(len(found.end)):
            shares = rows[i * classes : (i + 1) * classes]
            window = (shares, int(found.activity[i]), int(found.label[i]),
                      int(found.confidence[i]))
            self._seen.append(window)
            self.windows += 1
            now = self.weights
            self.highest = np.maximum(self.highest, now) if i else now
            if self._decision is not None:
                event = self._rule.update(*window[:2])
            else:
                event = self._rule.update(*window[2:])
            if event >= 0:
                t_ms = self._begin_ms + float(found.end[i]) * 1000 / fe.rate_hz
                out.append((int(found.end[i]), LiveEvent(
                    t_ms, self.model.labels[event], self._rule.confidence,
                    self._rule.label_confidence)))
        first = self._frames
        self._frames += len(raw)
        if self._track is None:
            return [event for _, event in out]
        return [event or LiveEvent(self._begin_ms + at * 1000 / fe.rate_hz, name, CONFIDENCE,
                                   CONFIDENCE)
                for at, name, event in self._track.push(raw, first, out, int(lost > 0))]

    def _gap(self, lost: int) -> None:
        """No window spans a gap."""
        self.gaps += 1
        self._samples += lost
        self._begin_ms = self._samples * 1000 / self._source_hz
        self._frames = 0
        self._engine.reset()
        self._resampler.reset()
        self._rule.reset()
        self._seen.clear()

    @property
    def weights(self) -> np.ndarray:
        """What the rule holds against each label's threshold, percent, float64 (classes,).

        The mean share of the last windows; for the label that leads, with a rule of that kind,
        all that is not idle. Idle's own is its share.
        """
        idle = self.model.idle
        span = self._decision.span if self._decision else max(1, self._debounce[1])
        last = list(self._seen)[-span:]
        rest = np.zeros(len(self.model.labels))
        rest[idle] = 100.0
        rows = [rest] * (span - len(last)) + [np.frombuffer(w[0], np.uint8) for w in last]
        mean = np.mean(np.array(rows, float), axis=0)
        if self._decision is not None and self._decision.by_gesture:
            best = int(np.argmax(np.where(np.arange(len(mean)) == idle, -1, mean)))
            mean[best] = 100.0 - mean[idle]
        return mean

    @property
    def moving(self) -> bool:
        """Whether the hand moves, at the last window."""
        return bool(self._seen) and self._seen[-1][1] >= 16


def with_thresholds(model: Model, percent: dict[str, int]) -> Model:
    """The model with these thresholds, by label; one of all labels if it counts windows.

    Labels that are not named keep theirs. The result is sealed again when it is encoded.
    """
    if model.decision is None:
        value = next(iter(percent.values()), model.debounce[0])
        return replace(model, debounce=bytes([value]) + bytes(model.debounce[1:]))
    d = model.decision
    own = list(d.thresholds or [d.threshold_percent] * len(model.labels))
    for i, label in enumerate(model.labels):
        own[i] = percent.get(label, own[i])
    gestures = {own[i] for i in range(len(own)) if i != model.idle}
    if len(gestures) == 1:  # one for all needs no list
        d = replace(d, threshold_percent=gestures.pop(), thresholds=())
    else:
        d = replace(d, thresholds=type(d.thresholds)(own))
    return replace(model, decision=d)
