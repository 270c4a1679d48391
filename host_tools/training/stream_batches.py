"""Windows to learn from, cut out of simulated streams and levelled once.

    bank = StreamBank(data, recipe)
    inputs, labels = bank.draw(2048, rng)

Many streams are simulated (augment.simulate), each window is labelled by where its end
lies (stream_labels), and of each kind a part is kept: ended gestures, moments that seem to
be an end, other movement, everyday movement. A batch has fixed parts of each kind.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from host_tools.augment import signal
from host_tools.augment.background import Background
from host_tools.augment.pieces import collect, idle_seconds
from host_tools.augment.simulate import Simulated, Simulator
from host_tools.dataset import Dataset, Recording
from host_tools.dataset.resample import resample_recording
from host_tools.paths import BACKGROUND
from host_tools.training.features import INPUT_SCALE, Features
from host_tools.training.network import Network, softmax
from host_tools.training.recipe import Recipe
from host_tools.training.stream_labels import UNLABELLED, seeming_ends, window_labels

GESTURE, HARD, INSIDE, OTHER, DAILY_HARD, DAILY = range(6)
_SHARES = {GESTURE: 0.60, HARD: 0.13, INSIDE: 0.06, OTHER: 0.11, DAILY_HARD: 0.05, DAILY: 0.05}
# With hours of everyday movement: it is of more kinds than anything else
_SHARES_HOURS = {
    GESTURE: 0.55, HARD: 0.12, INSIDE: 0.06, OTHER: 0.09, DAILY_HARD: 0.13, DAILY: 0.05,
}
_HOURS_S = 600.0  # of recordings without gestures, from which on they are searched
_BACKGROUND_S = 7200.0  # of generated everyday movement, where less than _HOURS_S was recorded
_BACKGROUND_PER_DRAW_S = 0.8
_CANDIDATES_PER_STEP = 20
_MINED_PER_STEP = 1.0
_PER_STREAM = 10  # gestures
_TOGETHER = 40  # streams simulated, then cut at once
_PER_GESTURE = 4  # windows kept of each ended gesture
_PER_TEN_GESTURES = {HARD: 30, INSIDE: 15, OTHER: 25}
_DAILY_S = 12.0
_DAILY_KEPT = {DAILY_HARD: 12, DAILY: 8}
_LIFE_S = 60
_AT_ONCE = 4096  # windows levelled
_DRAWS_PER_STEP = 20  # more would hardly be seen
_GOING_ON_KEPT = 8
_GAIN = 0.08  # of a window as a whole, logarithm
_NOISE = 0.02  # of the network's inputs


@dataclass
class _Kept:
    inputs: np.ndarray  # int16 (n, window * axes)
    labels: np.ndarray
    kinds: np.ndarray


class StreamBank:
    """All windows of one training. Deterministic: the recipe's seed decides everything."""

    def __init__(self, data: Dataset, recipe: Recipe):
        self.recipe = recipe
        self.features = Features(recipe)
        self.fold = max(1, recipe.decimation // 2)
        self.parts = recipe.decimation // self.fold
        self.rate_hz = recipe.rate_hz / self.fold
        rng = np.random.default_rng(recipe.seed)
        self._data = data
        self._samples = [self._folded(r) for r in data.recordings]
        self.material = collect(
            data, self._samples, self.rate_hz, recipe.labels, frozenset(recipe.continuing)
        )
        self.recorded_idle_s = sum(x.shape[1] for x in self.material.clips) / self.rate_hz
        generated = recipe.background and self.recorded_idle_s < _HOURS_S
        if generated:
            seconds = min(_BACKGROUND_S, self._draws * _BACKGROUND_PER_DRAW_S)
            self.material.clips += Background.load(BACKGROUND).clips(
                seconds, rng, self.rate_hz, recipe.axes, self.material.size > 0
            )
        self._simulator = Simulator(self.material, recipe.augment, rng)
        kept = [self._cut(streams, rng) for streams in self._all_streams(rng)]
        self._inputs = np.concatenate([k.inputs for k in kept])
        self._labels = np.concatenate([k.labels for k in kept])
        kinds = np.concatenate([k.kinds for k in kept])
        classes = range(len(recipe.labels))
        gesture = kinds == GESTURE
        hours = generated or self.recorded_idle_s >= _HOURS_S
        self._shares = _SHARES_HOURS if hours else _SHARES
        self._candidates = self._seeming_ends(rng) if hours else None
        self._pools = {kind: np.flatnonzero(kinds == kind) for kind in _SHARES}
        self._by_class = [np.flatnonzero(gesture & (self._labels == k)) for k in classes]
        self._by_class = [pool for pool in self._by_class if len(pool)]

    @property
    def window(self) -> int:
        return self.recipe.window

    @property
    def _draws(self) -> int:
        return min(self.recipe.draws, _DRAWS_PER_STEP * self.recipe.steps)

    def __len__(self) -> int:
        return len(self._inputs)

    def frames(self, r: Recording) -> np.ndarray:
        """The recording as the board's frames, float32 (axes, n) in m/s^2 and deg/s."""
        return self._framed(self._folded(r))

    def _framed(self, x: np.ndarray) -> np.ndarray:
        n = x.shape[1] // self.parts
        x = x[:, : n * self.parts].reshape(len(x), n, self.parts)
        return x.mean(axis=2, dtype=np.float32)

    # --- streams ----------------------------------------------------------

    def _folded(self, r) -> np.ndarray:
        """float32 (axes, n), clipped at the sensor's range, means of `fold` board samples."""
        x = resample_recording(r, float(self.recipe.rate_hz)).samples[:, : self.recipe.axes].T
        x = signal.clip(x, self.recipe.accel_g, self.recipe.gyro_dps)
        n = max(1, x.shape[1] // self.fold)
        x = np.pad(x, ((0, 0), (0, max(0, n * self.fold - x.shape[1]))), mode="edge")
        return x[:, : n * self.fold].reshape(len(x), n, self.fold).mean(axis=2, dtype=np.float32)

    def _all_streams(self, rng):
        """Lists of streams: simulated ones, everyday movement, movements that go on.

        Recorded streams are cut and simulated like single takes: as they are, seen again and
        again, they cost 2 to 3 points of F1 on people left out (docs/training.md).
        """
        pieces = self.material.pieces
        draws = self._draws
        lead_s = self.window / self.recipe.feature_hz
        some: list[Simulated] = []
        if pieces and draws:
            for number, chosen in enumerate(self._dealt(draws, rng)):
                lead = lead_s * (number % 4 == 0)
                some.append(self._simulator.stream([pieces[i] for i in chosen], lead))
                if len(some) == _TOGETHER:
                    yield some
                    some = []
        for _ in range(round(draws * 0.08) + 1):
            some.append(self._simulator.daily(_DAILY_S + lead_s))
            if len(some) == _TOGETHER:
                yield some
                some = []
        for s in self._going_on(rng):
            some.append(s)
            if len(some) == _TOGETHER:
                yield some
                some = []
        if some:
            yield some

    def _dealt(self, draws: int, rng):
        """Pieces of each stream: every class as often as the others, every piece in turn."""
        labels = np.array([p.label for p in self.material.pieces])
        classes = np.unique(labels)
        each = -(-draws // len(classes))
        order = []
        for k in classes:
            pool = np.flatnonzero(labels == k)
            rounds = [rng.permutation(pool) for _ in range(-(-each // len(pool)))]
            order.append(np.concatenate(rounds)[:each])
        mixed = rng.permutation(np.concatenate(order))
        return [mixed[i : i + _PER_STREAM] for i in range(0, len(mixed), _PER_STREAM)]

    def _going_on(self, rng) -> list[Simulated]:
        """Movements that go on: their spans, one at a time."""
        spans = [
            (i, s, self.recipe.labels.index(s.label))
            for i, r in enumerate(self._data.recordings)
            for s in r.spans if s.label in self.recipe.continuing
        ]
        each = self.recipe.draws * _PER_GESTURE / max(1, len(self.recipe.labels) - 1)
        out = []
        for i, s, k in spans:
            same = sum(other == k for _, _, other in spans)
            r, x = self._data.recordings[i], self._samples[i]
            a = round((s.start_ms - r.start_ms) * self.rate_hz / 1000)
            b = round((s.end_ms - r.start_ms) * self.rate_hz / 1000)
            for _ in range(max(1, round(each / same / _GOING_ON_KEPT))):
                out.append(self._simulator.going_on(x[:, max(0, a) : b], k))
        return out

    def life(self, seconds: float) -> list[Recording]:
        """Everyday movement without gestures, as recordings."""
        out: list[Recording] = []
        for k in range(-(-round(seconds) // _LIFE_S)):
            x = self._simulator.daily(_LIFE_S).samples.T
            out.append(Recording(f"life_{k:03d}", np.ascontiguousarray(x), self.rate_hz))
        return out

    # --- windows ----------------------------------------------------------

    def _cut(self, streams: list[Simulated], rng) -> _Kept:
        """Windows of each kind out of some streams, levelled."""
        recipe = self.recipe
        frames, ends, labels, kinds = [], [], [], []
        offset = 0
        for s in streams:
            x = self._framed(signal.clip(s.samples, recipe.accel_g, recipe.gyro_dps))
            n = x.shape[1]
            # Before the first sample the sensor rests, as in the emulator
            rest = np.repeat(x[:, :1], self.window, axis=1)
            rest[3:] = 0
            for end, label, kind in self._chosen(s, x, rng):
                ends.append(end + offset + self.window)
                labels.append(label)
                kinds.append(kind)
            frames += [rest, x]
            offset += n + self.window
        flat = self._levelled(np.concatenate(frames, axis=1), np.concatenate(ends))
        return _Kept(flat, np.concatenate(labels), np.concatenate(kinds))

    def _levelled(self, frames: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """The network's inputs of the windows that end there, int16 (n, window * axes)."""
        out = np.empty((len(ends), self.window * self.recipe.axes), np.int16)
        for k in range(0, len(ends), _AT_ONCE):
            at = ends[k : k + _AT_ONCE, None] + np.arange(1 - self.window, 1)
            windows = self.features.integers(frames[:, at])[0]
            out[k : k + _AT_ONCE] = windows.transpose(1, 2, 0).reshape(len(at), -1)
        return out

    def _chosen(self, s: Simulated, x: np.ndarray, rng):
        """(window ends, labels, kinds) that are kept of one stream of frames x."""
        recipe = self.recipe
        n, idle = x.shape[1], recipe.idle
        label, inside = window_labels(
            s.first // self.parts, s.last // self.parts, s.label, n, recipe.ended_after, idle
        )
        ends = seeming_ends(x, recipe.feature_hz)
        none = label == idle
        if s.going_on >= 0:
            whole = np.arange(n) >= min(n - 1, self.window * 7 // 10)
            yield _some(whole, _GOING_ON_KEPT, s.going_on, GESTURE, rng)
            return
        if s.daily:
            none[: self.window] = False
            yield _some(none & ends, _DAILY_KEPT[DAILY_HARD], idle, DAILY_HARD, rng)
            yield _some(none & ~ends, _DAILY_KEPT[DAILY], idle, DAILY, rng)
            return
        where = {HARD: none & ends, INSIDE: none & inside, OTHER: none & ~inside & ~ends}
        for kind, found in where.items():
            most = -(-_PER_TEN_GESTURES[kind] * len(s.label) // 10)
            yield _some(found, most, idle, kind, rng)
        gesture = np.flatnonzero((label != idle) & (label != UNLABELLED))
        keep = min(len(gesture), _PER_GESTURE * len(s.label))
        gesture = rng.choice(gesture, keep, replace=False) if keep else gesture
        yield gesture, label[gesture], np.full(len(gesture), GESTURE)

    # --- hard everyday movement ---------------------------------------------

    def _seeming_ends(self, rng) -> np.ndarray | None:
        """Where a movement seems to end in all recorded everyday movement, int16 (n, values)."""
        clips = [self._framed(x) for x in self.material.clips]
        long = [x for x in clips if x.shape[1] > self.window]
        ends = [np.flatnonzero(seeming_ends(x, self.recipe.feature_hz)) for x in long]
        at = np.array([(i, t) for i, e in enumerate(ends) for t in e if t >= self.window], int)
        at = at.reshape(-1, 2)
        most = _CANDIDATES_PER_STEP * self.recipe.steps
        if len(at) > most:
            at = at[np.sort(rng.choice(len(at), most, replace=False))]
        offset = np.cumsum([0, *(x.shape[1] for x in long)])
        ends_all = offset[at[:, 0]] + at[:, 1]
        return self._levelled(np.concatenate(long, axis=1), ends_all) if long else None

    def mine(self, net: Network) -> int:
        """Add the everyday movement that this network takes for gestures; how many windows."""
        if self._candidates is None or not len(self._candidates):
            return 0
        sure = np.concatenate([
            1 - softmax(net.forward(part.astype(np.float32) * np.float32(INPUT_SCALE)))[
                :, self.recipe.idle
            ]
            for part in np.array_split(self._candidates, -(-len(self._candidates) // 2048))
        ])
        most = max(1, round(_MINED_PER_STEP * self.recipe.steps))
        hardest = np.argsort(sure)[::-1][:most]
        n = len(self._inputs)
        self._inputs = np.concatenate([self._inputs, self._candidates[hardest]])
        self._labels = np.concatenate([self._labels, np.full(len(hardest), self.recipe.idle)])
        mined = np.arange(n, n + len(hardest))
        self._pools[DAILY_HARD] = np.concatenate([self._pools[DAILY_HARD], mined])
        return len(hardest)

    # --- batches ----------------------------------------------------------

    def draw(self, n: int, rng) -> tuple[np.ndarray, np.ndarray]:
        """Inputs float32 (n, window * axes) and labels int (n,), shuffled."""
        shares = {k: s for k, s in self._shares.items() if len(self._pools[k])}
        total = sum(shares.values())
        chosen = []
        for kind, share in shares.items():
            want = int(np.ceil(n * share / total))
            if kind == GESTURE:
                each = -(-want // len(self._by_class))
                chosen += [rng.choice(pool, each) for pool in self._by_class]
            else:
                chosen.append(rng.choice(self._pools[kind], want))
        rows = rng.permutation(np.concatenate(chosen))[:n]
        x = self._inputs[rows].astype(np.float32)
        gain = np.exp(rng.normal(0, _GAIN, (len(x), 1))).astype(np.float32)
        x *= gain * np.float32(INPUT_SCALE)
        x += rng.standard_normal(x.shape, np.float32) * np.float32(_NOISE)
        return x, self._labels[rows]


def _some(where: np.ndarray, most: int, label: int, kind: int, rng):
    found = np.flatnonzero(where)
    if len(found) > most:
        found = rng.choice(found, most, replace=False)
    return found, np.full(len(found), label), np.full(len(found), kind)


def uses_background(data: Dataset, recipe: Recipe) -> bool:
    """Whether so little everyday movement was recorded that some is generated."""
    seconds = sum(idle_seconds(r) for r in data.recordings)
    return recipe.background and seconds < _HOURS_S


