"""What the Explore page's child processes do: look at all takes, find wrong labels. No files.

They use the same functions as `beckon data check` and `beckon data errors`.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from host_tools.dataset import Dataset, Recording, Span, read_dataset
from host_tools.dataset.checks import Finding, findings
from host_tools.errors import BeckonError
from host_tools.evaluation.emulator import Board
from host_tools.evaluation.span_accuracy import span_results
from host_tools.evaluation.take_map import hidden_layer, plane, signal_features, takes_of
from host_tools.experiments.label_errors import LabelErrors, label_errors
from host_tools.model.format import Model
from host_tools.model.golden import read_model
from host_tools.training.train import digest

THUMB = 40  # points of each axis


@dataclass(frozen=True)
class Place:
    """One take. found: what the model calls it, "" if there is no model or it cannot say."""

    recording: str
    start_ms: float
    end_ms: float
    label: str
    subject: str
    found: str = ""


@dataclass(frozen=True)
class Look:
    """places: all takes. xy: float32 (n, 2), shown: the part of the variance in it.

    thumbs: int8 (n, 3, THUMB), acceleration of three axes, 127 is scale m/s^2 off its mean.
    model: the file that made the map and `found`, "" for features of the signal. fault: why the
    model could not be used.
    """

    digest: str
    places: tuple[Place, ...]
    xy: np.ndarray
    shown: float
    thumbs: np.ndarray
    scale: float
    findings: tuple[Finding, ...]
    notices: tuple[str, ...]
    model: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Step:
    """Progress of a search: steps of training."""

    done: int
    of: int


def look(report: Callable[[Any], None], folder: Path, model_path: Path | None) -> Look:
    """Read the project and place its takes. Raises BeckonError for data that cannot be read."""
    data = read_dataset(str(folder))
    takes = takes_of(data)
    called, x, name, fault = [""] * len(takes), None, "", ""
    if model_path is not None:
        try:
            model = read_model(model_path)
            called, x, name = _called(model, data), hidden_layer(model, data), model_path.name
        except BeckonError as error:
            fault = str(error)
    xy, shown = plane(signal_features(data) if x is None else x)
    thumbs, scale = _thumbs(takes)
    places = tuple(Place(r.name, s.start_ms, s.end_ms, s.label, s.subject, found)
                   for (r, s), found in zip(takes, called, strict=True))
    return Look(digest(data), places, xy, shown, thumbs, scale, tuple(findings(data)),
                tuple(data.notices), name, fault)


def _called(model: Model, data: Dataset) -> list[str]:
    """What the model calls each take, "" for those whose label it does not know."""
    spans = span_results(Board(model), data)
    known = {(i, s.start_ms): model.labels[k]
             for (i, s), k in zip(spans.where, spans.found.tolist(), strict=True)}
    return [known.get((i, s.start_ms), "")
            for i, r in enumerate(data.recordings) for s in r.spans]


def _thumbs(takes: list[tuple[Recording, Span]]) -> tuple[np.ndarray, float]:
    curves = np.zeros((len(takes), 3, THUMB), np.float32)
    for i, (r, s) in enumerate(takes):
        a = max(0, round(r.index(s.start_ms)))
        x = r.samples[a : max(a + 2, round(r.index(s.end_ms)) + 1), :3]
        at = np.linspace(0, len(x) - 1, THUMB)
        for axis in range(3):
            curves[i, axis] = np.interp(at, np.arange(len(x)), x[:, axis] - x[:, axis].mean())
    most = np.abs(curves).max(axis=(1, 2)) if len(takes) else np.ones(1)
    scale = max(1.0, float(np.quantile(most, 0.95)))
    return np.clip(curves / scale * 127, -127, 127).astype(np.int8), scale


def find(report: Callable[[Any], None], folder: Path) -> tuple[str, LabelErrors]:
    """(digest of the data, the takes whose label is probably wrong)."""
    data = read_dataset(str(folder))
    return digest(data), label_errors(data, lambda done, of: report(Step(done, of)))
