"""Examples that a gesture is learned from, as the last hidden layer of the network sees them. Pure.

    examples = Examples(width, 120, 5)
    examples.put(packed, label)             # the known gestures' ones, label by label
    examples.put_own(repetition, i, values) # OWN of each repetition, and put_inside INSIDE

They lie in one block of memory, which is taken before anything is recorded. A value is kept as its
square root, in four bits: small values differ more by it than large ones. Two values share a byte,
the first has the low bits.
"""

import sys

if sys.implementation.name == "micropython":
    import micropython
    from micropython import const
else:

    def const(value):  # CPython alone comes here
        return value


OWN = const(5)  # examples of a repetition: windows behind its end, and
INSIDE = const(4)  # in the middle of it, which show no gesture

if sys.implementation.name == "micropython":

    @micropython.viper
    def _pack(values: ptr8, rows: ptr8, at: int, n: int):
        i = 0
        while i < n:
            v = values[i]
            q = 0
            while q < 15 and v > q * q + q:
                q += 1
            if i & 1:
                rows[at] = rows[at] | q << 4
                at += 1
            else:
                rows[at] = q
            i += 1

else:

    def _pack(values, rows, at, n):
        for i in range(n):
            q = 0
            while q < 15 and values[i] > q * q + q:
                q += 1
            if i & 1:
                rows[at + i // 2] |= q << 4
            else:
                rows[at + i // 2] = q


class Examples:
    """width: values of an example. kept, repetitions: how many examples of the known gestures,
    and repetitions of the new one, there is room for.

    rows: all of them, `pitch` bytes each. count: of the known gestures' ones. labels: theirs.
    first, last: label to number. first_own, first_inside: numbers. metric: lower triangle of a
    symmetric matrix, 128 + 32 times its values; see Row.
    """

    def __init__(self, width, kept, repetitions):
        self.width = width
        self.pitch = width + 1 >> 1
        self.rows = bytearray(self.pitch * (kept + (OWN + INSIDE) * repetitions))
        self.labels = bytearray(kept)
        self.first_own = kept
        self.first_inside = kept + OWN * repetitions
        self.first = {}
        self.last = {}
        self.count = 0
        self.metric = bytearray(width * (width + 1) // 2)
        self._metric_bytes = 0

    def put(self, packed, label):
        """Add an example of a known gesture, as it lies in a model file."""
        at = self.count
        self.count = at + 1
        self.rows[at * self.pitch : at * self.pitch + self.pitch] = packed
        self.labels[at] = label
        self.first.setdefault(label, at)
        self.last[label] = at

    def put_metric(self, piece):
        """Add the next bytes of the metric."""
        end = self._metric_bytes + len(piece)
        self.metric[self._metric_bytes : end] = piece
        self._metric_bytes = end

    def put_own(self, repetition, i, values):
        """Example i, below OWN, of a repetition from 0: a byte each."""
        at = self.first_own + OWN * repetition + i
        _pack(values, self.rows, at * self.pitch, self.width)

    def put_inside(self, repetition, i, values):
        """Example i, below INSIDE, of those in the middle of a repetition."""
        at = self.first_inside + INSIDE * repetition + i
        _pack(values, self.rows, at * self.pitch, self.width)

    def copy_inside(self, repetition, i, to):
        """Put one of those in the middle of a repetition in the place of another one."""
        first = self.first_inside + INSIDE * repetition
        self._copy(first + i, first + to, 1)

    def own(self, repetition, i):
        """What put_own put there, as it lies in a model file."""
        at = (self.first_own + OWN * repetition + i) * self.pitch
        return self.rows[at : at + self.pitch]

    def distance(self, one, other):
        """How far two repetitions are apart: sum of the differences of their sums."""
        rows, pitch = self.rows, self.pitch
        at = (self.first_own + OWN * one) * pitch
        shift = OWN * (other - one) * pitch
        total = 0
        for k in range(at, at + pitch):
            low = high = 0
            for i in range(k, k + OWN * pitch, pitch):
                a, b = rows[i], rows[i + shift]
                low += (a & 15) ** 2 - (b & 15) ** 2
                high += (a >> 4) ** 2 - (b >> 4) ** 2
            total += abs(low) + abs(high)
        return total

    def move(self, repetition, to):
        """Put a repetition in the place of another one."""
        own, inside = self.first_own, self.first_inside
        self._copy(own + OWN * repetition, own + OWN * to, OWN)
        self._copy(inside + INSIDE * repetition, inside + INSIDE * to, INSIDE)

    def clear(self):
        """Let the memory go, even if something still knows this object."""
        self.rows = self.metric = None

    def _copy(self, at, to, count):
        pitch = self.pitch
        self.rows[to * pitch : (to + count) * pitch] = self.rows[at * pitch : (at + count) * pitch]
