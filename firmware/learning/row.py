"""One row of a network's last layer, learned from examples: the weights of one gesture. Pure.

    row = Row(examples, repetitions, weights, pitch, biases, margin)
    while row.step(): ...                   # some visits at a time
    weights, bias = row.finish()

All other rows stay as they are, so the scores of the known gestures never change. The new
score must be above the best of them by `margin` for the gesture's own examples, and below
it by as much for all others. That is a passive-aggressive step for each example that is not
so yet (Crammer et al. 2006, JMLR 7, section 3), with steps that become smaller, and the mean of
what the second half of the visits gave. A few repetitions are less varied than
life, so an example goes beyond itself, away from another one of its kind (DeVries and Taylor
2017, arXiv:1702.05538).

Weights are in 1/256 here. A value is a byte; scores and biases are those of the network,
`>> shift`, where shift is what the values were shifted by.
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
_OWN_OF_10 = const(4)  # visits of ten that go to the gesture's own examples
_BIAS_INPUT = const(64)  # the bias is the weight of an input that is always this
_MOST = const(127 * 256)
_SHIFT = const(12)
_MOST_FACTOR = const(1 << 22)

# Words for the functions below
_WIDTH = const(0)
_PITCH = const(1)
_ROWS = const(2)
_SKIP = const(3)  # a row that does not count, or -1
_BEYOND = const(4)  # how far beyond itself an example goes, 1/256
_FACTOR = const(5)

if sys.implementation.name == "micropython":

    @micropython.viper
    def _mix(rows: ptr8, one: int, other: int, p: ptr32) -> int:
        """Row 0 = row one + (row one - row other) * beyond, as bytes; the sum of its squares."""
        n = p[_WIDTH]
        beyond = p[_BEYOND]
        one = one * n
        other = other * n
        s = 0
        i = 0
        while i < n:
            v = rows[one + i]
            v = v + ((v - rows[other + i]) * beyond >> 8)
            if v < 0:
                v = 0
            if v > 255:
                v = 255
            rows[i] = v
            s += v * v
            i += 1
        return s


    @micropython.viper
    def _best(rows: ptr8, weights: ptr8, biases: ptr32, p: ptr32) -> int:
        """The greatest score of row 0 but for the row that does not count."""
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
                    s += rows[i] * (weights[at + i] - 128)
                    i += 1
                if s > best:
                    best = s
            at += p[_PITCH]
            k += 1
        return best


    @micropython.viper
    def _score(rows: ptr8, own: ptr32, p: ptr32) -> int:
        """Of row 0 with the weights that are learned, without the bias."""
        low = 65535
        low = low << 16 | low
        half = low ^ low >> 1
        n = p[_WIDTH]
        s = 0
        i = 0
        while i < n:
            s += rows[i] * ((own[i] & low ^ half) - half)
            i += 1
        return s >> 8


    @micropython.viper
    def _add(rows: ptr8, own: ptr32, p: ptr32):
        """Weights += row 0 * factor >> _SHIFT, none beyond what a byte holds."""
        low = 65535
        low = low << 16 | low
        half = low ^ low >> 1
        n = p[_WIDTH]
        factor = (p[_FACTOR] & low ^ half) - half
        i = 0
        while i < n:
            v = ((own[i] & low ^ half) - half) + (rows[i] * factor >> _SHIFT)
            if v > _MOST:
                v = _MOST
            if v < 0 - _MOST:
                v = 0 - _MOST
            own[i] = v
            i += 1

else:  # CPython has no viper; the tests hold the two against each other

    def _mix(rows, one, other, p):
        n, beyond = p[_WIDTH], p[_BEYOND]
        one, other = rows[one * n : one * n + n], rows[other * n : other * n + n]
        mixed = [max(0, min(255, a + ((a - b) * beyond >> 8))) for a, b in zip(one, other)]
        rows[:n] = bytes(mixed)
        return sum(a * a for a in mixed)

    def _best(rows, weights, biases, p):
        n, pitch = p[_WIDTH], p[_PITCH]
        x = rows[:n]
        offset = 128 * sum(x)
        return max(
            biases[k] - offset + sum(map(mul, x, weights[k * pitch : k * pitch + n]))
            for k in range(p[_ROWS]) if k != p[_SKIP]
        )  # fmt: skip

    def _score(rows, own, p):
        return sum(map(mul, rows[: p[_WIDTH]], own)) >> 8

    def _add(rows, own, p):
        factor = p[_FACTOR]
        for i in range(p[_WIDTH]):
            own[i] = max(-_MOST, min(_MOST, own[i] + (rows[i] * factor >> _SHIFT)))


class Row:
    """examples: Examples, of which the first so many repetitions count. weights, pitch: of all
    gestures' rows, bytes w + 128, so many each. biases: of these, array('i'), >> shift.
    margin: in units of a score. skip: the row of the gesture itself, where the new one begins,
    or -1.
    """

    def __init__(self, examples, repetitions, weights, pitch, biases, margin, skip=-1):
        self._examples = examples
        self._rows = examples.rows
        self._repetitions = repetitions
        self._weights = weights
        self._biases = biases
        self._margin = margin
        self._width = width = examples.width
        self._own = array("i", [0] * width)
        self._sums = array("i", [0] * width)
        self._p = array("i", [width, pitch, len(biases), skip, 0, 0])
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
            if self._random(10) < _OWN_OF_10:
                self._visit(first_own + self._random(own), first_own + self._random(own), True)
            else:
                i = self._random(count + inside)
                if i < count:
                    i += 1
                    label = examples.labels[i]
                    first = examples.first[label]
                    j = first + self._random(examples.last[label] + 1 - first)
                    self._visit(i, j, label == self._p[_SKIP])
                else:
                    i += examples.first_inside - count
                    self._visit(i, i, False)
            self._visits += 1
            if self._visits * 2 > _VISITS and not self._visits & 15:
                for k in range(self._width):
                    self._sums[k] += self._own[k]
                self._bias_sum += self._bias
                self._added += 1
        return self._visits < _VISITS

    def _visit(self, i, j, own):
        p = self._p
        p[_BEYOND] = self._random(256)
        squares = _mix(self._rows, i, j, p) + _BIAS_INPUT * _BIAS_INPUT
        lead = self._lead()
        short = self._margin - lead if own else self._margin + lead
        if short <= 0:
            return
        # Steps become smaller: a round is as many visits as there are examples
        rounds = self._visits // (self._examples.count + (OWN + INSIDE) * self._repetitions)
        factor = min((short * 8 // (8 + rounds) << 8 + _SHIFT) // squares, _MOST_FACTOR)
        p[_FACTOR] = factor if own else -factor
        _add(self._rows, self._own, p)
        change = factor * _BIAS_INPUT * _BIAS_INPUT >> _SHIFT + 8
        self._bias += change if own else -change

    def _lead(self):
        """By how much the score that is learned is above the best other one, for row 0."""
        p = self._p
        score = _score(self._rows, self._own, p) + self._bias
        return score - _best(self._rows, self._weights, self._biases, p)

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
        """The lead for example i of the known gestures, from 1; after finish()."""
        self._p[_BEYOND] = 0
        _mix(self._rows, i, i, self._p)
        return self._lead()

    def own_lead(self, repetition):
        """The mean lead for the examples of a repetition."""
        first = self._examples.first_own + OWN * repetition
        return sum(self.lead(first + i) for i in range(OWN)) // OWN
