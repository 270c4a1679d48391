"""The repetitions of a gesture: found, judged, and what the network sees of them kept."""

import asyncio
from array import array

from learning.examples import INSIDE as INSIDE_EXAMPLES
from learning.examples import OWN
from learning.layout import STATUS, place_of
from learning.repetitions import AFTER, INSIDE, REPETITION, Repetitions
from micropython import const

_LEAST = const(3)
_QUIET_MS = const(20_000)  # without a repetition: nobody makes one any more
_LONGEST_MS = const(60_000)
_SAMPLES_MS = const(5000)  # without a sample
_SURE = const(90)  # percent: what the model is so sure of, it knows
_UNLIKE = const(3)  # times as far from the others as these are from each other
_WEAKER = const(3)
_ALMOST = const(4)  # windows before the end of a movement that show nearly all of it


class Recording:
    """sensing: Parts. examples: Examples, which the repetitions are put into; shift: of their
    values. takes: repetitions. store: Samples, for all that comes.
    show: called with (good, unusable) when there is another one. now_ms: the time in ms.

    good: how many can be used. unusable: a line of text for each of the others. spans, bad:
    (first, last + 1) sample of these. gaps: (sample, lost ones in front of it). known: which
    label the model is sure of for each good one, or -1.
    """

    def __init__(self, sensing, examples, shift, layers, takes, store, show, now_ms):
        self._sensing = sensing
        self._engine = engine = sensing.engine
        self._examples = examples
        self._shift = shift
        self._show = show
        self._now_ms = now_ms
        self.takes = takes
        self.good = self.samples = 0
        self.unusable = []
        self.spans = []
        self.bad = []
        self.gaps = []
        self.known = []
        self._store = store
        step_ms = 1000 * engine.decimation // engine.rate_hz
        self._found = Repetitions(engine.window * step_ms, engine.hop * step_ms)
        self._status = place_of(engine, STATUS)
        self._in = place_of(engine, layers)
        self._pending = []  # windows inside a movement: its last ones are not of them
        self._inside = self._every = self._seen = self._own = 0
        self._peaks = []

    def result(self):
        """What was found, without what it took to find it: (good, known, about).

        about: dict of what is kept beside the model.
        """
        return (
            self.good,
            self.known,
            {
                "takes": self.good,
                "unusable": self.unusable,
                "spans": self.spans,
                "bad": self.bad,
                "gaps": self.gaps,
                "samples": self._store.count,
            },
        )

    async def record(self):
        """Wait for the repetitions. Raises ValueError if there are too few."""
        sensing = self._sensing
        ring, sampler = sensing.ring, sensing.sampler
        row = array("h", bytes(12))
        self._engine.reset()
        self._fresh()
        since = last = self._now_ms()
        count = 0
        try:
            while self.good < self.takes:
                try:
                    await asyncio.wait_for_ms(sampler.ready.wait(), _SAMPLES_MS)
                except asyncio.TimeoutError:
                    raise ValueError("no samples come from the sensor")
                sampler.ready.clear()
                while self.good < self.takes and ring.read_into(row) >= 0:
                    self._take(row, ring.lost)
                await asyncio.sleep_ms(0)
                now = self._now_ms()
                if count != self.good + len(self.unusable):
                    count = self.good + len(self.unusable)
                    last = now
                    self._show(self.good, self.unusable)
                if now - last > _QUIET_MS or now - since > _LONGEST_MS:
                    break
        finally:
            self._store.close()
        self.judge()

    def judge(self):
        """Leave out what is unlike the others. Raises ValueError if too few are left."""
        self._drop_unlike()
        if self.good < _LEAST:
            why = " (%s)" % "; ".join(self.unusable) if self.unusable else ""
            raise ValueError(
                "%d of %d repetitions can be used, %d are the least%s"
                % (self.good, self.takes, _LEAST, why)
            )

    def _take(self, row, lost):
        engine, found = self._engine, self._found
        if lost:
            engine.reset()
            found.gap()
            self.gaps.append((self.samples, lost))
        self.samples += 1
        self._store.add(row)
        if not engine.push(row):
            return
        engine.infer()
        kind = found.update(engine.activity)
        if kind == INSIDE:
            if found.start == found.window:
                self._begin = self.samples
                self._fresh()
            self._own = 0
            self._keep_inside()
        elif kind == AFTER or kind == REPETITION:
            if found.end == found.window:
                self._end = self.samples
                self._pending = []
            self._keep_own(found.window - found.end + 1)
        if kind == REPETITION:
            self._finish_one()

    def _fresh(self):
        self._pending = []
        self._inside = self._seen = self._own = 0
        self._every = 1

    def _values(self):
        """What the last layer reads, as bytes, or None while the network sleeps."""
        memory = self._engine.buffer
        if memory[self._status] != 1:
            return None
        shift = self._shift
        at = self._in
        out = bytearray(self._examples.width)
        for i in range(len(out)):
            out[i] = min(255, (memory[at] | memory[at + 1] << 8) >> shift)
            at += 2
        return out

    def _keep_inside(self):
        """Some windows of the movement, evenly: when all places are taken, every second goes."""
        values = self._values()
        if not values:
            return
        self._pending.append(values)
        if len(self._pending) <= _ALMOST:
            return
        values = self._pending.pop(0)
        self._seen += 1
        if self._seen % self._every:
            return
        if self._inside == INSIDE_EXAMPLES:
            self._inside = INSIDE_EXAMPLES // 2
            self._every *= 2
            for i in range(self._inside):
                self._examples.copy_inside(self.good, 2 * i, i)
        self._examples.put_inside(self.good, self._inside, values)
        self._inside += 1

    def _keep_own(self, number):
        """Window `number` behind the movement, from 1, if it is one of the OWN to keep."""
        if number == 1:
            self._named = [0] * len(self._engine.labels)
        upto = number * OWN // self._found.after
        if upto > self._own:
            values = self._values()
            if values:
                shares = self._engine.shares
                for k in range(len(shares)):
                    self._named[k] += shares[k] * (upto - self._own)
                for i in range(self._own, upto):
                    self._examples.put_own(self.good, i, values)
                self._own = upto

    def _finish_one(self):
        fault = self._found.fault
        if not fault and self._own < OWN:
            fault = "the network did not run behind it"
        if not fault and not self._inside:
            fault = "too short, a knock"
        if fault:
            self._refuse(fault, self._begin, self._end)
            return
        for i in range(self._inside, INSIDE_EXAMPLES):
            self._examples.copy_inside(self.good, i % self._inside, i)
        self.spans.append((self._begin, self._end))
        self._peaks.append(self._found.peak)
        best = max(range(len(self._named)), key=lambda k: self._named[k])
        self.known.append(best if self._named[best] >= _SURE * OWN else -1)
        self.good += 1

    def _refuse(self, fault, begin, end):
        self.bad.append((begin, end))
        text = "repetition %d: %s" % (len(self.spans) + len(self.bad), fault)
        self.unusable.append(text)

    def _drop_unlike(self):
        """Leave out what is weaker than the others or unlike them, as a way back is."""
        while self.good > _LEAST:
            n = self.good
            far = []
            for one in range(n):
                apart = sorted([self._examples.distance(one, other) for other in range(n)])
                far.append(apart[n // 2])
            usual = sorted(far)[(n - 1) // 2]
            worst = max(range(n), key=lambda k: far[k])
            fault = "unlike the others" if far[worst] > _UNLIKE * usual else ""
            if not fault:
                worst = min(range(n), key=lambda k: self._peaks[k])
                if self._peaks[worst] * _WEAKER < sorted(self._peaks)[n // 2]:
                    fault = "weaker than the others"
            if not fault:
                return
            begin, end = self.spans.pop(worst)
            self._peaks.pop(worst)
            self.known.pop(worst)
            for k in range(worst, n - 1):
                self._examples.move(k + 1, k)
            self.good -= 1
            self._refuse(fault + ", at %d s" % (begin // self._engine.rate_hz), begin, end)
