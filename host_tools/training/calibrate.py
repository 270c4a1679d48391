"""Train without a part of the data, and set on that part what training itself cannot.

The temperature of the confidence, and the decision's settings. Each part is held out in turn
(host_tools/dataset/held_out.py). Single recordings are joined to streams first.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from host_tools.augment.streams import is_stream, splice
from host_tools.dataset import Dataset, Recording, is_idle
from host_tools.dataset.held_out import SUBJECT, Split, held_out, idle_piece
from host_tools.evaluation.confusions import Habit, habits
from host_tools.model.decision import Decision
from host_tools.model.format import Model
from host_tools.training.answers import Heard, logit_of
from host_tools.training.decision_tuning import Score, tune
from host_tools.training.export import USUAL, export
from host_tools.training.fit import fit
from host_tools.training.network import Network, softmax
from host_tools.training.recipe import Recipe
from host_tools.training.stream_batches import StreamBank

_TEMPERATURES = np.geomspace(0.6, 4.0, 39)
# The parts' models learned from fewer people, and are surer of what is wrong than the model
# itself: on people left out that one needs 1.0 to 1.5 (docs/training.md). Too hot, moments
# without a gesture look like one. A model of a few steps is as unsure as its parts.
_HOTTEST = 1.5
_SETTLED_STEPS = 2000
_EACH = 0.55  # of the steps of a single one, so that the model itself takes longer
# Of recorded everyday movement a part: more takes too long. Few alarms need more of it.
_LEAST_LIFE_S, _MOST_LIFE_S = 7200.0, 14_400.0
_PART_S = 180.0
_LIFE_S = 900.0  # of made-up everyday movement a part, where none was recorded


@dataclass(frozen=True)
class Calibration:
    """What goes into the model file beside the weights.

    decision: when the board reports. score: what it reaches on the held-out parts; None if
    there was too little to hold out. recorded_life: whether alarms were counted in recorded
    everyday movement, else in made-up one. temperature: confidence is
    softmax(logits / temperature). habits: what people who were left out make otherwise.
    recalls: part of each label's held-out gestures that were found. trials: the model that was
    made without each part of held_out(), by its number; with the decision.
    """

    decision: Decision = USUAL
    score: Score | None = None
    recorded_life: bool = False
    temperature: float = 1.0
    habits: tuple[Habit, ...] = ()
    recalls: dict[str, float] = field(default_factory=dict)
    trials: tuple[tuple[int, Model], ...] = ()


@dataclass(frozen=True)
class PartFigures:
    """What one part's model makes of that part, with the usual settings. number: from 1."""

    number: int
    parts: int
    hits: int
    truth: int
    false: int


@dataclass(frozen=True)
class Trial:
    """One training: the number of the part that it never saw, the network, inputs it saw,
    recordings it never saw, and streams of these."""

    number: int
    net: Network
    inputs: np.ndarray
    held: Dataset
    streams: list[Recording]

    def model(self, recipe: Recipe, heat: float = 1.0) -> Model:
        return export(self.net, recipe, self.inputs, temperature=heat)


def calibrate(
    data: Dataset, recipe: Recipe, steps: int, limit_per_hour: float = 1.0, by: str = "",
    report: Callable[[PartFigures], None] = lambda figures: None,
) -> Calibration:
    """Settings found with models that were trained for `steps` together on parts of the data.

    by: how the data is divided (host_tools/dataset/held_out.py). report: called after each part.
    """
    split = held_out(data, recipe.seed, by)
    trials, heard = [], []
    for t in trials_of(split, recipe, steps):
        trials.append(t)
        heard.append(Heard.of(t.model(recipe), t.streams))
        found = heard[-1].judge(USUAL)
        report(PartFigures(t.number + 1, len(split.parts), found.hits, found.truth,
                           found.false + found.duplicates))
    if not trials:
        return Calibration(replace(USUAL, calm_windows=0 if recipe.continuing else 1))
    scores, truth = (np.concatenate(x) for x in zip(*(h.at_ends() for h in heard), strict=True))
    model = trials[0].model(recipe)
    heat = believed(temperature(scores * logit_of(model), truth), recipe) if len(truth) else 1.0
    models = [t.model(recipe, heat) for t in trials]
    heard = [h.told_by(m) for h, m in zip(heard, models, strict=True)]
    rng = np.random.default_rng(recipe.seed)
    life_s = min(_MOST_LIFE_S, max(_LEAST_LIFE_S, _LEAST_LIFE_S / max(limit_per_hour, 1e-3)))
    life = [idle_recordings(t.held, recipe, rng, life_s) for t in trials]
    recorded = any(life)
    if not recorded:
        life = [made_up_life(t.held, recipe, _LIFE_S) for t in trials]
    quiet = [Heard.of(m, found) for m, found in zip(models, life, strict=True) if found]
    decision, score = tune(heard, quiet, limit_per_hour, recorded, split.by == SUBJECT)
    return Calibration(
        decision, score, recorded, heat, tuple(_habits(heard, trials, recipe)),
        _recalls(heard, decision, recipe),
        tuple((t.number, replace(m, decision=decision))
              for t, m in zip(trials, models, strict=True)),
    )


def trials_of(split: Split, recipe: Recipe, steps: int) -> Iterator[Trial]:
    """A training without each part of the data, `steps` together."""
    rng = np.random.default_rng(recipe.seed)
    share = steps / max(1, recipe.steps) * (1.0 if len(split.parts) == 1 else _EACH)
    part = replace(
        recipe, steps=max(1, round(recipe.steps * share)),
        draws=max(1, round(recipe.draws * share)),
    )
    for number, (known, held) in enumerate(split.parts):
        streams = streams_of(held, recipe, rng)
        if streams:
            bank = StreamBank(known, part)
            yield Trial(number, fit(part, bank), bank.draw(1024, rng)[0], held, streams)


def temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """What to divide the logits by, so that of answers with 80 % about 80 % are right.

    Guo et al. 2017 (arXiv:1706.04599): the temperature of least cross-entropy on
    gestures that were not trained on. logits: (n, classes); truth: int (n,).
    """
    rows = np.arange(len(truth))
    loss = [-np.log(softmax(logits / t)[rows, truth] + 1e-9).mean() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(loss))])


def believed(heat: float, recipe: Recipe) -> float:
    """The temperature for the model itself, where its parts asked for `heat`."""
    return min(heat, _HOTTEST) if recipe.steps >= _SETTLED_STEPS else heat


def streams_of(data: Dataset, recipe: Recipe, rng: np.random.Generator) -> list[Recording]:
    """Recordings to count events in: real streams, and joined single gestures."""
    real = [r for r in data.recordings if is_stream(r)]
    spliced = splice(data, float(recipe.rate_hz), rng)
    spliced += splice(data, float(recipe.rate_hz), rng) if len(spliced) < 8 else []
    return real + spliced


def idle_recordings(
    data: Dataset, recipe: Recipe, rng: np.random.Generator, seconds: float
) -> list[Recording]:
    """Recordings without any gesture that are long enough to say something, of so many seconds."""
    idle = [
        part for r in data.recordings if r.spans and all(is_idle(s.label) for s in r.spans)
        for part in _parts(r) if part.seconds > 2 * recipe.window_s
    ]
    out, total_s = [], 0.0
    for i in rng.permutation(len(idle)):
        if total_s < seconds:
            out.append(idle[i])
            total_s += idle[i].seconds
    return out


def _parts(r: Recording) -> list[Recording]:
    """A long recording without gestures in parts of a few minutes."""
    n = round(_PART_S * r.rate_hz)
    if len(r.samples) <= 2 * n:
        return [r]
    return [idle_piece(r, a, a + n) for a in range(0, len(r.samples), n)]


def made_up_life(data: Dataset, recipe: Recipe, seconds: float) -> list[Recording]:
    """Simulated movement without gestures, held as in the data."""
    bank = replace(recipe, draws=0, seed=recipe.seed + 1)
    return StreamBank(data, bank).life(seconds)


def _habits(heard: list[Heard], trials: list[Trial], recipe: Recipe) -> list[Habit]:
    names = np.array(recipe.labels)
    truth, found, subject = [], [], []
    for h, t in zip(heard, trials, strict=True):
        spans = [s for r in t.streams for s in r.spans if s.label in recipe.labels]
        detected = h.names()
        if len(spans) == len(detected):
            truth += [s.label for s in spans]
            found += names[detected].tolist()
            subject += [s.subject for s in spans]
    return habits(np.array(truth, str), np.array(found, str), np.array(subject, str))


def _recalls(heard: list[Heard], decision: Decision, recipe: Recipe) -> dict[str, float]:
    """Part of each label's gestures that were found."""
    label = np.concatenate([h.label for h in heard])
    hit = np.concatenate([h.found(decision) for h in heard])
    return {
        recipe.labels[k]: float(hit[label == k].mean()) for k in np.unique(label).tolist()
    }
