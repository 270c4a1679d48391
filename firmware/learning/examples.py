"""Examples that a gesture is learned from, as the last hidden layer of the network sees them. Pure.

    examples = Examples(width, 120, 5)
    examples.put(values, label)             # the known gestures' ones, label by label
    examples.put_own(repetition, i, values) # OWN of each repetition, and put_inside INSIDE

They lie in one block of memory, which is taken before anything is recorded.
"""

from micropython import const

OWN = const(5)  # examples of a repetition: windows behind its end, and
INSIDE = const(8)  # in the middle of it, which show no gesture


class Examples:
    """width: values of an example, a byte each. kept, repetitions: how many examples of the
    known gestures, and repetitions of the new one, there is room for.

    rows: all of them; the first is for Row. count: of the known gestures' ones. labels: theirs,
    from 1. first, last: label to number. first_own, first_inside: numbers.
    """

    def __init__(self, width, kept, repetitions):
        self.width = width
        self.rows = bytearray(width * (1 + kept + (OWN + INSIDE) * repetitions))
        self.labels = bytearray(1 + kept)
        self.first_own = 1 + kept
        self.first_inside = self.first_own + OWN * repetitions
        self.first = {}
        self.last = {}
        self.count = 0

    def put(self, values, label):
        """Add an example of a known gesture."""
        self.count = at = self.count + 1
        self._set(at, values)
        self.labels[at] = label
        self.first.setdefault(label, at)
        self.last[label] = at

    def put_own(self, repetition, i, values):
        """Example i, below OWN, of a repetition from 0."""
        self._set(self.first_own + OWN * repetition + i, values)

    def put_inside(self, repetition, i, values):
        """Example i, below INSIDE, of those in the middle of a repetition."""
        self._set(self.first_inside + INSIDE * repetition + i, values)

    def own(self, repetition, i):
        """What put_own put there, as bytes."""
        return self._get(self.first_own + OWN * repetition + i)

    def inside(self, repetition, i):
        """What put_inside put there, as bytes."""
        return self._get(self.first_inside + INSIDE * repetition + i)

    def distance(self, one, other):
        """How far two repetitions are apart: sum of the differences of their sums."""
        rows, width = self.rows, self.width
        at = (self.first_own + OWN * one) * width
        shift = OWN * (other - one) * width
        total = 0
        for k in range(at, at + width):
            apart = 0
            for i in range(k, k + OWN * width, width):
                apart += rows[i] - rows[i + shift]
            total += abs(apart)
        return total

    def move(self, repetition, to):
        """Put a repetition in the place of another one."""
        for i in range(OWN):
            self.put_own(to, i, self.own(repetition, i))
        for i in range(INSIDE):
            self.put_inside(to, i, self.inside(repetition, i))

    def _get(self, at):
        at *= self.width
        return self.rows[at : at + self.width]

    def _set(self, at, values):
        at *= self.width
        self.rows[at : at + self.width] = values
