"""Train without a part of the data, and set on that part what training itself cannot.

The temperature of the confidence, and the decision's settings. Each third is held out in
turn: by subject where there are several, else by time. Single recordings are joined
to streams first.
"""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from host_tools.augment.streams import is_stream, splice
from host_tools.dataset import Dataset, Recording, Span, is_idle
from host_tools.dataset.split import LEAST_SUBJECTS, folds, hold_out
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

# The parts' models learned from fewer people, and are surer of what is wrong than the model
# itself: on people left out that one needs 1.0 to 1.5 (docs/training.md). Too hot, moments
# without a gesture look like one.
_TEMPERATURES = np.geomspace(0.6, 1.5, 20)
_PARTS = 3  # trainings at most, and each takes
_EACH = 0.55  # of the steps of a single one, so that the model itself takes longer
# Of recorded everyday movement a part: more takes too long. Few alarms need more of it.
_LEAST_LIFE_S, _MOST_LIFE_S = 7200.0, 14_400.0
_PART_S = 180.0
_LEAST_RUN_S = 30.0  # of a recording without gestures that is cut in time
_LIFE_S = 900.0  # of made-up everyday movement a part, where none was recorded


@dataclass(frozen=True)
class Calibration:
    """What goes into the model file beside the weights.

    decision: when the board reports. score: what it reaches on the held-out parts; None if
    there was too little to hold out. recorded_life: whether alarms were counted in recorded
    everyday movement, else in made-up one. temperature: confidence is
    softmax(logits / temperature). habits: what people who were left out make otherwise.
    recalls: part of each label's held-out gestures that were found.
    """

    decision: Decision = USUAL
    score: Score | None = None
    recorded_life: bool = False
    temperature: float = 1.0
    habits: tuple[Habit, ...] = ()
    recalls: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """One training: the network, inputs it saw, recordings it never saw, and streams of these."""

    net: Network
    inputs: np.ndarray
    held: Dataset
    streams: list[Recording]

    def model(self, recipe: Recipe, heat: float = 1.0) -> Model:
        return export(self.net, recipe, self.inputs, temperature=heat)


def calibrate(
    data: Dataset, recipe: Recipe, steps: int, limit_per_hour: float = 1.0
) -> Calibration:
    """Settings found with models that were trained for `steps` together on parts of the data."""
    trials = trials_of(data, recipe, steps)
    if not trials:
        return Calibration(replace(USUAL, calm_windows=0 if recipe.continuing else 1))
    heard = [Heard.of(t.model(recipe), t.streams) for t in trials]
    scores, truth = (np.concatenate(x) for x in zip(*(h.at_ends() for h in heard), strict=True))
    model = trials[0].model(recipe)
    heat = temperature(scores * logit_of(model), truth) if len(truth) else 1.0
    models = [t.model(recipe, heat) for t in trials]
    heard = [h.told_by(m) for h, m in zip(heard, models, strict=True)]
    rng = np.random.default_rng(recipe.seed)
    life_s = min(_MOST_LIFE_S, max(_LEAST_LIFE_S, _LEAST_LIFE_S / max(limit_per_hour, 1e-3)))
    life = [idle_recordings(t.held, recipe, rng, life_s) for t in trials]
    recorded = any(life)
    if not recorded:
        life = [made_up_life(t.held, recipe, _LIFE_S) for t in trials]
    quiet = [Heard.of(m, found) for m, found in zip(models, life, strict=True) if found]
    decision, score = tune(heard, quiet, limit_per_hour, recorded, _people(data) > 1)
    return Calibration(
        decision, score, recorded, heat, tuple(_habits(heard, trials, recipe)),
        _recalls(heard, decision, recipe),
    )


def trials_of(data: Dataset, recipe: Recipe, steps: int) -> list[Trial]:
    """A training without each part of the data, `steps` together."""
    parts = held_out(data, recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    share = steps / max(1, recipe.steps) * (1.0 if len(parts) == 1 else _EACH)
    part = replace(
        recipe, steps=max(1, round(recipe.steps * share)),
        draws=max(1, round(recipe.draws * share)),
    )
    out = []
    for known, held in parts:
        streams = streams_of(held, recipe, rng)
        if streams:
            bank = StreamBank(known, part)
            out.append(Trial(fit(part, bank), bank.draw(1024, rng)[0], held, streams))
    return out


def held_out(data: Dataset, seed: int) -> list[tuple[Dataset, Dataset]]:
    """(known, held out) for each third of the people in turn, or of the time for one person.

    Recordings without gestures are divided on their own (life_parts), so that each part
    has its share of everyday movement.
    """
    moving = [r for r in data.recordings if any(not is_idle(s.label) for s in r.spans)]
    quiet = [r for r in data.recordings if all(is_idle(s.label) for s in r.spans)]
    gestures = {s.label for r in moving for s in r.spans if not is_idle(s.label)}
    people = _people(data)
    count = _PARTS if people < LEAST_SUBJECTS else min(_PARTS, people)
    try:
        parts = folds(Dataset(data.name, moving), count, seed)
    except ValueError:
        return []
    life = life_parts(moving, parts, quiet)
    out = []
    for k, part in enumerate(map(set, parts)):
        known = [r for i, r in enumerate(moving) if i not in part]
        if part and gestures <= {s.label for r in known for s in r.spans}:
            held = [moving[i] for i in sorted(part)]
            others = [r for j, some in enumerate(life) if j != k for r in some]
            out.append((Dataset(data.name, known + others), Dataset(data.name, held + life[k])))
    try:
        return out or [hold_out(data, seed)]
    except ValueError:
        return []


def life_parts(
    moving: list[Recording], parts: list[list[int]], quiet: list[Recording]
) -> list[list[Recording]]:
    """Recordings without gestures, dealt out to the parts of those with gestures.

    Who makes gestures stays in the part of these. Others are dealt out by the hours they
    bring. What nobody else can stand for is cut in time.
    """
    home: dict[str, set[int]] = {}
    for k, part in enumerate(parts):
        for i in part:
            home.setdefault(moving[i].subject, set()).add(k)
    by_person: dict[str, list[Recording]] = {}
    for r in quiet:
        by_person.setdefault(r.subject, []).append(r)
    several = sum(1 for p in by_person if p and len(home.get(p, ())) != 1) >= len(parts)
    out: list[list[Recording]] = [[] for _ in parts]
    seconds = [0.0] * len(parts)

    def put(k: int, some: list[Recording]) -> None:
        out[k] += some
        seconds[k] += sum(r.seconds for r in some)

    for person in sorted(by_person, key=lambda p: -sum(r.seconds for r in by_person[p])):
        some = by_person[person]
        if person and len(home.get(person, ())) == 1:
            (only,) = home[person]
            put(only, some)
        elif person and several and person not in home:
            put(seconds.index(min(seconds)), some)
        else:
            for r in some:
                for k, piece in enumerate(_cut(r, len(parts))):
                    put(k if len(some) < len(parts) else seconds.index(min(seconds)), [piece])
    return out


def _cut(r: Recording, count: int) -> list[Recording]:
    """A long recording without gestures as so many runs of equal length."""
    if r.seconds < count * _LEAST_RUN_S:
        return [r]
    edges = np.linspace(0, len(r.samples), count + 1).astype(int)
    return [_quiet_part(r, int(a), int(b)) for a, b in pairwise(edges)]


def _quiet_part(r: Recording, a: int, b: int) -> Recording:
    """Samples a to b of a recording without gestures."""
    samples = r.samples[a:b]
    end_ms = r.start_ms + (len(samples) - 1) * 1000 / r.rate_hz
    spans = [Span(r.start_ms, end_ms, s.label, s.subject) for s in r.spans[:1]]
    return replace(r, name=f"{r.name}_{a}", samples=samples, spans=tuple(spans))


def _people(data: Dataset) -> int:
    """How many make gestures."""
    return len({s.subject for r in data.recordings for s in r.spans if not is_idle(s.label)})


def temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """What to divide the logits by, so that of answers with 80 % about 80 % are right.

    Guo et al. 2017 (arXiv:1706.04599): the temperature of least cross-entropy on
    gestures that were not trained on. logits: (n, classes); truth: int (n,).
    """
    rows = np.arange(len(truth))
    loss = [-np.log(softmax(logits / t)[rows, truth] + 1e-9).mean() for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(loss))])


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
    return [_quiet_part(r, a, a + n) for a in range(0, len(r.samples), n)]


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
