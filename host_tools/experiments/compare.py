"""The article's comparison: where the label lies x sampling rate x classifier.

Windows of raw samples, no augmentation but what the placement says; judged as
the article did, on streams with one kind of gesture each: of all windows that
a classifier calls a gesture, how many are called another one. Beside that the
events that our debouncer makes of the same windows.
"""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from host_tools.augment.smote import smote
from host_tools.augment.streams import is_stream, splice
from host_tools.dataset import Dataset, Recording, is_idle
from host_tools.dataset.held_out import held_out
from host_tools.dataset.movement import find_movement
from host_tools.dataset.resample import resample_recording
from host_tools.errors import BeckonError
from host_tools.evaluation.emulator import debounce_module
from host_tools.evaluation.evaluate import evaluate
from host_tools.evaluation.matching import FALSE, HIT, match_events
from host_tools.experiments.baselines import PlainMLP, export, make, seconds_of

PLACEMENTS = ("labelled", "centre", "centre+shifts", "centre+SMOTE", "end")
RATES = (10, 20, 25, 50, 100)
_SHIFTS_S = (-0.05, -0.025, 0.0, 0.025, 0.05)


@dataclass(frozen=True)
class Row:
    """One cell of the comparison.

    errors: by gesture, the article's ratio; one that was never named is absent.
    bytes: the exported Python text, our networks' int8. microseconds: a window in
    plain Python here.
    """

    placement: str
    rate_hz: int
    model: str
    errors: dict[str, float | None]
    hits: int
    truth: int
    false: int
    bytes: int | None
    microseconds: float | None

    @property
    def mean_error(self) -> float | None:
        known = [e for e in self.errors.values() if e is not None]
        return float(np.mean(known)) if known else None


def windows_of(data: Dataset, labels: list[str], rate_hz: int, placement: str, window_s: float,
               seed: int = 1):
    """x float32 (n, length * axes), y int (n,): one window a span and shift, at rate_hz."""
    length = round(window_s * rate_hz)
    axes = data.axes
    shifts = _SHIFTS_S if placement == "centre+shifts" else (0.0,)
    x, y = [], []
    for r in data.recordings:
        at_rate = resample_recording(r, float(rate_hz))
        for s in r.spans:
            first, last = round(at_rate.index(s.start_ms)), round(at_rate.index(s.end_ms)) + 1
            k = 0 if is_idle(s.label) else labels.index(s.label)
            for shift in shifts if k else (0.0,):
                start = _start(at_rate, first, last, length, placement if k else "labelled")
                start += round(shift * rate_hz)
                at = np.clip(np.arange(start, start + length), 0, len(at_rate.samples) - 1)
                x.append(at_rate.samples[at, :axes].ravel())
                y.append(k)
    windows, numbers = np.array(x, np.float32), np.array(y)
    return smote(windows, numbers, seed) if placement == "centre+SMOTE" else (windows, numbers)


def _start(r: Recording, first: int, last: int, length: int, placement: str) -> int:
    if placement == "labelled":
        return first
    moves, stops = find_movement(r.samples, r.rate_hz, first, min(last, len(r.samples)))
    if placement == "end":
        return stops - length
    return (moves + stops - length) // 2


def check_sets(train: Dataset, streams: Dataset) -> None:
    """Raise BeckonError when the streams cannot say anything about what was trained."""
    names = sorted({s.label for r in train.recordings for s in r.spans if not is_idle(s.label)})
    if not {s.label for r in streams.recordings for s in r.spans} & set(names):
        raise BeckonError(f"{streams.name}: has none of the gestures {', '.join(names)}")
    if not any(is_idle(s.label) for r in train.recordings for s in r.spans):
        raise BeckonError(f"{train.name}: no span is labelled none; add a data set with other "
                          "movements, labelled none")


def compare(train: Dataset, streams: Dataset, models, placements=PLACEMENTS, rates=RATES,
            window_s: float = 1.0, seed: int = 1, progress=None) -> list[Row]:
    """Every combination. Raises BeckonError when the streams have none of the gestures."""
    names = sorted({s.label for r in train.recordings for s in r.spans if not is_idle(s.label)})
    labels = ["none", *names]
    check_sets(train, streams)
    rows = []
    for placement in placements:
        for rate_hz in rates:
            x, y = windows_of(train, labels, rate_hz, placement, window_s, seed)
            sliding = [_slide(r, rate_hz, window_s, train.axes) for r in streams.recordings]
            for kind in models:
                net = PlainMLP(seed=seed) if kind == "mlp" else make(kind, seed)
                net.fit(x, y)
                found = [(r, t, net.predict(w)) for r, t, w in sliding]
                size, took = _cost(net, x[0], kind)
                hits, truth, false = _events(found, labels, rate_hz)
                rows.append(Row(placement, rate_hz, kind, _errors(found, labels), hits, truth,
                                false, size, took))
                if progress is not None:
                    progress(f"{placement} {rate_hz} Hz {kind}")
    return rows


def whole_model(train: Dataset, streams: Dataset, seed: int = 1) -> Row:
    """What `beckon train` makes of the same recordings, as `beckon evaluate` judges it."""
    from host_tools.training.recipe import choose
    from host_tools.training.train import train as train_model

    result = evaluate(train_model(train, choose(train, 100, seed=seed)).model, streams)
    events = result.tally()
    errors = {label: e["windows"] for label, e in result.error_ratios().items()}
    return Row("augmented", 100, "beckon", errors, events.hits, events.truth,
               events.false + events.duplicates, result.model_bytes, None)


def held_out_streams(data: Dataset, seed: int = 1) -> tuple[Dataset, Dataset]:
    """(training, streams) of one data set.

    Streams: about a quarter of the recordings, joined, each of one gesture.
    Raises ValueError when there are too few recordings.
    """
    parts = held_out(data, seed, count=4).parts
    if not parts:
        raise ValueError(f"{data.name}: too few recordings to hold some out")
    known, held = parts[0]
    rng = np.random.default_rng(seed)
    kinds = [{s.label for s in r.spans if not is_idle(s.label)} for r in held.recordings]
    streams = [
        r for r, k in zip(held.recordings, kinds, strict=True) if is_stream(r) and len(k) == 1
    ]
    for label in sorted(set().union(*kinds)):
        mine = Dataset(label, [
            r for r, k in zip(held.recordings, kinds, strict=True) if k <= {label}
        ])
        rate_hz = max(r.rate_hz for r in mine.recordings)
        streams += [
            replace(r, name=f"{label}_{k}") for k, r in enumerate(splice(mine, rate_hz, rng))
        ]
    return known, Dataset(f"{data.name}, held out", streams)


def _slide(r: Recording, rate_hz: int, window_s: float, axes: int):
    """(recording, ms of each window's end, windows float32 (n, length * axes)), hop one sample."""
    at_rate = resample_recording(r, float(rate_hz))
    length = round(window_s * rate_hz)
    x = at_rate.samples[:, :axes]
    n = max(0, len(x) - length + 1)
    windows = np.array([x[i : i + length].ravel() for i in range(n)], np.float32)
    ends = r.start_ms + (np.arange(n) + length - 1) * 1000 / rate_hz
    return r, ends, windows.reshape(n, length * axes)


def _errors(found, labels) -> dict[str, float | None]:
    named = {k: [0, 0] for k in range(1, len(labels))}
    for r, _, label in found:
        kinds = {s.label for s in r.spans if s.label in labels}
        if len(kinds) == 1:
            k = labels.index(kinds.pop())
            gestures = label[label > 0]
            named[k][0] += int((gestures != k).sum())
            named[k][1] += len(gestures)
    return {labels[k]: wrong / n for k, (wrong, n) in named.items() if n}


def _events(found, labels, rate_hz: int) -> tuple[int, int, int]:
    """hits, truth and false events with the article's two conditions in our debouncer."""
    hits = truth = false = 0
    count, span = max(1, round(0.18 * rate_hz)), round(0.2 * rate_hz)
    for r, ends, label in found:
        d = debounce_module().Debouncer(len(labels), 0, 0, count, span, max(1, rate_hz // 5),
                                       round(0.4 * rate_hz), count)
        events = []
        for t, k in zip(ends, label.tolist(), strict=True):
            event = d.update(k, 100)
            if event >= 0:
                events.append((float(t), labels[event]))
        spans = [(s.start_ms, s.end_ms, s.label) for s in r.spans if s.label in labels[1:]]
        verdicts = match_events(spans, events)
        hits += sum(v.kind == HIT for v in verdicts)
        false += sum(v.kind == FALSE for v in verdicts)
        truth += len(spans)
    return hits, truth, false


def _cost(net, window: np.ndarray, kind: str) -> tuple[int | None, float | None]:
    if kind == "mlp":
        return net.int8_bytes, seconds_of(net.python(), window) * 1e6
    exported = export(net, window, kind)
    return exported.bytes, exported.microseconds
