"""One row of a network's last layer, learned from examples: the weights of one gesture. Pure.

    row = Row(examples, repetitions, weights, pitch, biases, margin)
    while row.step(): ...                   # some visits at a time
    weights, bias = row.finish()

All other rows stay as they are, so the scores of the known gestures never change. The new
score must be above the best of them by `margin` for the gesture's own examples, and below
it by as much for all others. That is a passive-aggressive step for each example that is not
so yet (Crammer et al. 2006, JMLR 7, section 3), with steps that become smaller, and the mean of
what the second half of the visits gave.

A few repetitions are less varied than life. So an example goes beyond itself: away from another
one of its kind (DeVries and Taylor 2017, arXiv:1702.05538), or as examples of a known gesture
differ, because gestures vary in similar ways (Hariharan and Girshick 2017, arXiv:1606.02819). And
a step goes less far where one and the same gesture varies much: it is multiplied by the model's
metric, the inverse of the scatter within the known gestures (host_tools/training/keep.py).

Weights are in 1/256 here, the metric in 1/32. A value is a byte, the square of what Examples
keeps; scores and biases are those of the network, `>> shift`, where shift is what the values were
shifted by.
"""

import sys
from array import array

from learning.examples import INSIDE, OWN

if sys.implementation.name == "micropython":
    import micropython
    from micropython import const
else:

    from operator import mul  # type: ignore  # CPython alone comes here

    def const(value):
        return value


_VISITS = const(7200)
_AT_ONCE = const(16)
_OWN_OF_20 = const(3)  # visits of twenty that go to the gesture's own examples
_BIAS_INPUT = const(64)  # the bias is the weight of an input that is always this
_MOST = const(127 * 256)
_SHIFT = const(12)
_MOST_FACTOR = const(1 << 18)
_MOST_STEP = const(4095)

# Words for the functions below
_WIDTH = const(0)
_PITCH = const(1)
_ROWS = const(2)
_SKIP = const(3)  # a row that does not count, or -1
_FACTOR = const(4)
_BEYOND = const(5)  # how far beyond itself an example goes, 1/256
_ONE = const(6)  # where it begins, and
_FROM = const(7)  # the way that it goes: from here
_TO = const(8)

if sys.implementation.name == "micropython":

    @micropython.viper
    def _mix(rows: ptr8, x: ptr8, p: ptr32):
        """x = row _ONE + (row _TO - row _FROM) * beyond, as bytes."""
        n = p[_WIDTH]
        beyond = p[_BEYOND]
        one = p[_ONE]
        start = p[_FROM]
        end = p[_TO]
        i = 0
        while i < n:
            k = i >> 1
            low = (i & 1) << 2
            v = rows[one + k] >> low & 15
            a = rows[start + k] >> low & 15
            b = rows[end + k] >> low & 15
            v = v * v + ((b * b - a * a) * beyond >> 8)
            if v < 0:
                v = 0
            if v > 255:
                v = 255
            x[i] = v
            i += 1


    @micropython.viper
    def _direct(x: ptr8, metric: ptr8, step: ptr32, p: ptr32) -> int:
        """step = metric * x. Returns x * step: the square of its length by the metric."""
        low = 65535
        low = low << 16 | low
        half = low ^ low >> 1
        n = p[_WIDTH]
        at = 0
        i = 0
        while i < n:
            v = x[i]
            s = 0
            j = 0
            while j < i:  # the lower triangle stands for both
                m = metric[at] - 128
                s += m * x[j]
                step[j] = ((step[j] & low ^ half) - half) + m * v
                at += 1
                j += 1
            step[i] = s + (metric[at] - 128) * v
            at += 1
            i += 1
        s = 0
        i = 0
        while i < n:
            v = ((step[i] & low ^ half) - half) >> 5
            if v > _MOST_STEP:
                v = _MOST_STEP
            if v < 0 - _MOST_STEP:
                v = 0 - _MOST_STEP
            step[i] = v
            s += x[i] * v
            i += 1
        return s


    @micropython.viper
    def _best(x: ptr8, weights: ptr8, biases: ptr32, p: ptr32) -> int:
        """The greatest score of x but for the row that does not count."""
        low = 65535
        low = low << 16 | low
        half = low ^ low >> 1
        n = p[_WIDTH]
        skip = (p[_SKIP] & low ^ half) - half
        best = 0 - (1 << 29)
        k = 0
        at = 0
        while k < p[_ROWS]:
            if k != skip:
                s = (biases[k] & low ^ half) - half
                i = 0
                while i < n:
                    s += x[i] * (weights[at + i] - 128)
                    i += 1
                if s > best:
                    best = s
            at += p[_PITCH]
            k += 1
        return best


    @micropython.viper
    def _score(x: ptr8, own: ptr32, p: ptr32) -> int:
        """Of x with the weights that are learned, without the bias."""
        low = 65535
        low = low << 16 | low
        half = low ^ low >> 1
        n = p[_WIDTH]
        s = 0
        i = 0
        while i < n:
            s += x[i] * ((own[i] & low ^ half) - half)
            i += 1
        return s >> 8


    @micropython.viper
    def _add(step: ptr32, own: ptr32, p: ptr32):
        """Weights += step * factor >> _SHIFT, none beyond what a byte holds."""
        low = 65535
        low = low << 16 | low
        half = low ^ low >> 1
        n = p[_WIDTH]
        factor = (p[_FACTOR] & low ^ half) - half
        i = 0
        while i < n:
            v = (step[i] & low ^ half) - half
            v = ((own[i] & low ^ half) - half) + (v * factor >> _SHIFT)
            if v > _MOST:
                v = _MOST
            if v < 0 - _MOST:
                v = 0 - _MOST
            own[i] = v
            i += 1

else:  # CPython has no viper; the tests hold the two against each other

    def _mix(rows, x, p):
        n, beyond = p[_WIDTH], p[_BEYOND]
        one, start, end = [
            [q * q for v in rows[k : k + (n + 1) // 2] for q in (v & 15, v >> 4)]
            for k in (p[_ONE], p[_FROM], p[_TO])
        ]  # fmt: skip
        for i in range(n):
            x[i] = max(0, min(255, one[i] + ((end[i] - start[i]) * beyond >> 8)))

    def _direct(x, metric, step, p):
        n = p[_WIDTH]
        found = [0] * n
        at = 0
        for i in range(n):
            m = [v - 128 for v in metric[at : at + i + 1]]
            for j in range(i):
                found[j] += m[j] * x[i]
            found[i] += sum(map(mul, m, x))
            at += i + 1
        for i in range(n):
            step[i] = max(-_MOST_STEP, min(_MOST_STEP, found[i] >> 5))
        return sum(map(mul, x, step))

    def _best(x, weights, biases, p):
        n, pitch = p[_WIDTH], p[_PITCH]
        offset = 128 * sum(x)
        return max(
            biases[k] - offset + sum(map(mul, x, weights[k * pitch : k * pitch + n]))
            for k in range(p[_ROWS]) if k != p[_SKIP]
        )  # fmt: skip

    def _score(x, own, p):
        return sum(map(mul, x, own)) >> 8

    def _add(step, own, p):
        factor = p[_FACTOR]
        for i in range(p[_WIDTH]):
            own[i] = max(-_MOST, min(_MOST, own[i] + (step[i] * factor >> _SHIFT)))


class Row:
    """examples: Examples, of which the first so many repetitions count. weights, pitch: of all
    gestures' rows, bytes w + 128, so many each. biases: of these, array('i'), >> shift.
    margin: in units of a score. idle: the label of no gesture. skip: the row of the gesture
    itself, where the new one begins, or -1.
    """

    def __init__(self, examples, repetitions, weights, pitch, biases, margin, idle, skip=-1):
        self._examples = examples
        self._repetitions = repetitions
        self._weights = weights
        self._biases = biases
        self._margin = margin
        self._idle = idle
        self._width = width = examples.width
        self._own = array("i", [0] * width)
        self._sums = array("i", [0] * width)
        self._step = array("i", [0] * width)
        self._x = bytearray(width)  # the example that is looked at
        self._p = array("i", [width, pitch, len(biases), skip, 0, 0, 0, 0, 0])
        self._bias = self._bias_sum = self._added = self._visits = 0
        self._noise = 1
        if skip >= 0:
            for i in range(width):
                self._own[i] = (weights[skip * pitch + i] - 128) << 8
            self._bias = biases[skip]

    def step(self):
        """Some visits; False when all are done."""
        examples = self._examples
        first_own = examples.first_own
        count = examples.count
        own = OWN * self._repetitions
        inside = INSIDE * self._repetitions
        for _ in range(_AT_ONCE):
            if self._random(20) < _OWN_OF_20:
                i = to = first_own + self._random(own)
                start = first_own + self._random(own)
                if count and self._random(2):
                    k = self._random(count)
                    if examples.labels[k] != self._idle:
                        start, to = self._other(k), k
                self._visit(i, start, to, True)
            else:
                i = self._random(count + inside)
                if i < count:
                    self._visit(i, self._other(i), i, examples.labels[i] == self._p[_SKIP])
                else:
                    i += examples.first_inside - count
                    self._visit(i, i, i, False)
            self._visits += 1
            if self._visits * 2 > _VISITS and not self._visits & 15:
                for k in range(self._width):
                    self._sums[k] += self._own[k]
                self._bias_sum += self._bias
                self._added += 1
        return self._visits < _VISITS

    def _other(self, i):
        """An example of the same label as example i of the known gestures."""
        label = self._examples.labels[i]
        first = self._examples.first[label]
        return first + self._random(self._examples.last[label] + 1 - first)

    def _visit(self, i, start, to, own):
        """Learn from example i, moved by part of the way from `start` to `to`."""
        lead = self._lead(i, start, to, self._random(256))
        short = self._margin - lead if own else self._margin + lead
        if short <= 0:
            return
        p = self._p
        squares = _direct(self._x, self._examples.metric, self._step, p)
        squares = max(0, squares) + _BIAS_INPUT * _BIAS_INPUT
        # Steps become smaller: a round is as many visits as there are examples
        rounds = self._visits // (self._examples.count + (OWN + INSIDE) * self._repetitions)
        factor = min((short * 8 // (8 + rounds) << 8 + _SHIFT) // squares, _MOST_FACTOR)
        p[_FACTOR] = factor if own else -factor
        _add(self._step, self._own, p)
        change = factor * _BIAS_INPUT * _BIAS_INPUT >> _SHIFT + 8
        self._bias += change if own else -change

    def _lead(self, i, start, to, beyond):
        """By how much the score that is learned is above the best other one, for an example."""
        examples, x, p = self._examples, self._x, self._p
        p[_BEYOND] = beyond
        p[_ONE], p[_FROM], p[_TO] = [k * examples.pitch for k in (i, start, to)]
        _mix(examples.rows, x, p)
        score = _score(x, self._own, p) + self._bias
        return score - _best(x, self._weights, self._biases, p)

    def _random(self, below):
        """A number below `below`, of a generator of 16 bits."""
        x = self._noise
        x ^= (x << 7) & 65535
        x ^= x >> 9
        self._noise = x = x ^ (x << 8) & 65535
        return x % below

    def finish(self, careful):
        """(weights + 128 as bytes, bias in units of a score): what was learned.

        careful: by how much the bias is lowered, so that the known gestures lose less.
        """
        n = self._added
        out = bytearray(self._width)
        for i in range(self._width):
            weight = max(-127, min(127, (self._sums[i] + 128 * n) // (256 * n)))
            out[i] = 128 + weight
            self._own[i] = weight << 8
        self._bias = self._bias_sum // n - careful
        return out, self._bias

    def lead(self, i):
        """The lead for an example, by its number; after finish()."""
        return self._lead(i, i, i, 0)

    def own_lead(self, repetition):
        """The mean lead for the examples of a repetition."""
        first = self._examples.first_own + OWN * repetition
        return sum(self.lead(first + i) for i in range(OWN)) // OWN
