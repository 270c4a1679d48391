"""The engine's integers as samples come, some at a time.

    engine = LiveEngine(model)
    result = engine.push(frames)       # the windows that these raw frames complete
    engine.reset()                     # after a gap, as on the board

However the frames are divided, the results together are those of reference.run over all of
them: what is carried from one push to the next is what firmware/lib/microMLP_engine.py keeps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from host_tools.model import reference
from host_tools.model.format import Model
from host_tools.model.reference import Features, Result


class LiveEngine:
    """One stream of samples. Memory is bounded: a window of frames and no more."""

    def __init__(self, model: Model):
        self.model = model
        self.reset()

    def reset(self) -> None:
        """Forget all samples."""
        axes = len(self.model.front_end.axes)
        measure = self.model.activity
        self._rest = np.zeros((0, 6), np.int16)  # raw frames that make no whole frame yet
        self._y = np.zeros((0, axes), np.int16)  # the last frames
        self._level = np.zeros(0, np.int64)  # their activity, of the last hop
        self._frames = 0  # since the reset
        self._woke = -(measure.awake_frames if measure else 0)  # the last frame that moved

    def push(self, frames: npt.ArrayLike) -> Result:
        """Add raw frames, int16 (n, 6), counts at the model's rate and ranges.

        Returns the windows that they complete, often none. end counts raw frames since the
        reset.
        """
        fe = self.model.front_end
        raw = np.concatenate([self._rest, np.asarray(frames, np.int16).reshape(-1, 6)])
        whole = len(raw) // fe.decimation * fe.decimation
        self._rest = raw[whole:]
        new = reference.front_end(fe, raw[:whole])
        y = np.concatenate([self._y, new])
        first = self._frames  # number of the first new frame
        self._frames += len(new)
        level, awake = self._activity(y, len(new))
        numbers = np.arange(first, self._frames)
        due = (numbers >= fe.window - 1) & ((numbers - (fe.window - 1)) % fe.hop == 0)
        at = len(y) - len(new) + np.flatnonzero(due)  # of each window's last frame, in y
        windows = y[at[:, None] + np.arange(1 - fe.window, 1)]
        values = np.zeros((len(at), fe.window * len(fe.axes)), np.int16)
        still = ~awake[due]
        rows = np.flatnonzero(~still)
        if len(rows):
            part, gated = reference.normalise(fe, windows[rows])
            values[rows] = part.reshape(len(rows), -1)
            still[rows] = gated
        last = len(level) - len(new) + np.flatnonzero(due)
        greatest = level[last] if len(last) else np.zeros(0, np.int64)
        for i in range(1, fe.hop):
            greatest = np.maximum(greatest, level[last - i])
        measure = self.model.activity
        keep = max(fe.window - 1, measure.lag + 1 if measure else 0)
        self._y = y[max(0, len(y) - keep):]
        self._level = level[max(0, len(level) - fe.hop):]
        ends = (numbers[due] + 1) * fe.decimation - 1
        return reference.decide(self.model, Features(ends, values, still, greatest))

    def _activity(
        self, y: npt.NDArray[np.int16], new: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """The activity of the last frames and the new ones; which of the new ones are awake."""
        measure, axes = self.model.activity, self.model.front_end.axes
        if measure is None:
            level = np.zeros(new, np.int64)
            return np.concatenate([self._level, level]), np.ones(new, bool)
        # One frame needs those up to lag + 1 before it, or the stream's beginning
        seen = reference.activity(measure, axes, y[max(0, len(y) - new - measure.lag - 1):])
        level = seen[len(seen) - new:]
        awake = np.ones(new, bool)
        if measure.awake_frames:
            n = np.arange(self._frames - new, self._frames)
            woke = np.maximum.accumulate(
                np.concatenate([[self._woke], np.where(level >= measure.wake_at, n, self._woke)]))
            awake = n - woke[1:] < measure.awake_frames
            self._woke = int(woke[-1])
        return np.concatenate([self._level, level]), awake
