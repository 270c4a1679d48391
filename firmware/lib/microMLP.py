"""MicroMLP's interface: networks made, wired, trained and saved on a board.

    mlp = MicroMLP.Create([2, 6, 1], "Gaussian", MicroMLP.LayersFullConnect)
    mlp.AddExample(inputs, targets)
    mlp.LearnExamples()

docs/microMLP.md describes it. On MicroPython (with its native emitter) this file
needs no other; on CPython it needs viper.py beside it.

`MicroMLP`, `Layer`, `Neuron`, `Connection` and `Bias` are what a program sees. The
numbers are in one of two kinds of storage, for all layers of a net the same: `_Dense`
keeps arrays, as long as the net is fully connected layer by layer, `_Wired` keeps each
neuron's own connections. A net starts dense. `MicroMLP._wire` changes it over before
the first change that arrays cannot hold.
"""

import gc
import os
import sys
from array import array
from json import loads
from math import exp, log, sqrt
from random import random
from time import time

_ON_BOARD = sys.implementation.name == "micropython"
if _ON_BOARD:
    import micropython
    from micropython import const
else:
    from viper import const, micropython, ptr32, uint

_FLOAT = "d" if 1 + 1e-10 != 1 else "f"  # the machine's floats, in an array

# Each float that MicroPython computes is a new object on the heap. So the weights in
# arrays are integers: weight * 2**24 + 2**29, which reaches from -32 to 32 in steps of
# 6e-8, finer than a 32-bit float from 1 on. The other factor of a product, an input, is
# within -1/2..1/2, times 2**24, plus 2**23. Parts of both are multiplied so that 32
# bits suffice:
#
#   w = h * 2**15 + l,  x = a * 2**12 + b, and x / 2**9 rounded is c, so
#   w * x / 2**24 = 8 * h * a + h * b / 2**9 + l * c / 2**15
#
_UNIT = const(16777216)  # a weight of 1
_ZERO = const(536870912)  # a weight of 0

# The values of a neuron, by number. Predict needs the first three.
_OUTPUT = const(0)
_BIAS = const(1)  # the bias's weight
_INPUT = const(2)
_ERROR = const(3)
_SIGNAL = const(4)
_STEP = const(5)  # the last change of the bias's weight
_KINDS = const(6)


@micropython.viper
def _dot(w: ptr32, x: ptr32, n: int, rows: int, out: ptr32):
    """For each row of n weights the sum of products: out[0] / 2**11 + out[1] / 2**26."""
    first = uint(x)
    while rows:
        x = ptr32(first)
        i = n
        high = 0
        low = 0
        while i:
            v = w[0]
            h = (v >> 15) - 16384
            u = x[0]
            p = h * ((u >> 12) - 2048)
            high = (p >> 10) + high
            low = ((p & 1023) << 5) + low
            low = (h * (u & 4095) + 64 >> 7) + low
            low = ((v & 32767) * ((u + 256 >> 9) - 16384) + 4096 >> 13) + low
            w = ptr32(uint(w) + 4)
            x = ptr32(uint(x) + 4)
            i -= 1
        out[0] = high
        out = ptr32(uint(out) + 4)
        out[0] = low
        out = ptr32(uint(out) + 4)
        rows -= 1


@micropython.viper
def _learn(w: ptr32, d: ptr32, x: ptr32, k: ptr32, back: ptr32):
    """For each row add step * x + alpha * d to the weights; d becomes the first part.

    k: inputs, rows, alpha, whether signal * w / 2**4 is to be added to back before w
    changes; then each row's step and signal. A step is kept like a weight, alpha and
    signals like inputs; here these are halves, so that products are doubled.
    """
    inputs = k[0]
    rows = k[1]
    alpha = k[2]
    wanted = k[3]
    aa = (alpha >> 12) - 2048
    ab = alpha & 4095
    ac = (alpha + 256 >> 9) - 16384
    first = uint(x)
    first_back = uint(back)
    while rows:
        k = ptr32(uint(k) + 8)
        step = k[2]
        signal = k[3]
        th = (step >> 15) - 16384
        tl = step & 32767
        sa = (signal >> 12) - 2048
        sb = signal & 4095
        sc = (signal + 256 >> 9) - 16384
        x = ptr32(first)
        back = ptr32(first_back)
        n = inputs
        while n:
            v = w[0]
            if wanted:
                h = (v >> 15) - 16384
                p = (h * sa << 4) + (h * sb + 128 >> 8) + ((v & 32767) * sc + 8192 >> 14)
                back[0] = back[0] + (p + 8 >> 4)
                back = ptr32(uint(back) + 4)
            u = d[0]
            h = (u >> 15) - 16384
            v = (h * aa << 4) + (h * ab + 128 >> 8) + ((u & 32767) * ac + 8192 >> 14) + v
            u = x[0]
            p = (th * ((u >> 12) - 2048) << 4) + (th * (u & 4095) + 128 >> 8)
            p = (tl * ((u + 256 >> 9) - 16384) + 8192 >> 14) + p
            d[0] = p + 536870912
            v = p + v
            if v < 0:
                v = 0
            if v > 1073741823:
                v = 1073741823
            w[0] = v
            w = ptr32(uint(w) + 4)
            d = ptr32(uint(d) + 4)
            x = ptr32(uint(x) + 4)
            n -= 1
        rows -= 1


def _zeros(code, n):
    # An array from as many bytes: MicroPython would make a list of 4 n bytes first.
    return array(code, memoryview(bytearray(n)))


def _collect():
    """Before something that stays: amid garbage it would part the heap's free memory."""
    if _ON_BOARD:
        gc.collect()


def _lasting(code, n):
    """Zeros that stay."""
    _collect()
    return _zeros(code, n)


def _to_weight(value):
    """A float as an integer weight, at most 32 in size."""
    value = min(max(value, -31.9), 31.9) * _UNIT
    # Whole before the zero is added: a 32-bit float has steps of 64 there.
    return _ZERO + int(value + 0.5 if value >= 0 else value - 0.5)


def _to_float(weight):
    return (weight - _ZERO) / _UNIT


def _pack(values):
    """Floats as integer inputs, and the factor that turns sums back."""
    most = max(max(values), -min(values))
    factor = 1.0
    while factor < most:
        factor *= 2
    k = 8388608 / factor
    return array("i", [int(value * k + 8388608.5) for value in values]), factor * 2


def _finite(value, what):
    value = float(value)
    if value - value != 0:  # NaN or infinite
        raise ValueError("%s is %s, not a finite number" % (what, value))
    return value


def _mean(values):
    return sum(values) / len(values) if values else 0


def _sigmoid(x):
    e = exp(-abs(x))  # never overflows
    return (1.0 if x >= 0 else e) / (1.0 + e)


# name, function y of x, derivative by x and y
ACTIVATIONS = (
    ("Heaviside", lambda x: 1.0 if x >= 0 else 0.0, lambda x, y: 1.0),
    ("Sigmoid", _sigmoid, lambda x, y: y * (1.0 - y)),
    ("TanH", lambda x: 2.0 * _sigmoid(2.0 * x) - 1.0, lambda x, y: 1.0 - y * y),
    ("SoftPlus", lambda x: max(x, 0.0) + log(1.0 + exp(-abs(x))), lambda x, y: _sigmoid(x)),
    ("ReLU", lambda x: max(0.0, x), lambda x, y: 1.0 if x >= 0 else 0.0),
    ("Gaussian", lambda x: exp(-min(x * x, 1e4)), lambda x, y: -2.0 * x * y),
)


def _activation(name):
    """The row of ACTIVATIONS. Raises ValueError for an unknown name."""
    for row in ACTIVATIONS:
        if row[0] == name:
            return row
    raise ValueError('unknown activation function "%s"' % name)


def _combined(name):
    """An activation as MicroMLP has it: one function, which also gives the derivative."""
    _, function, slope = _activation(name)

    def activation(x, derivative=False):
        return slope(x, function(x)) if derivative else function(x)

    return staticmethod(activation)


class NNValue:
    """A number between minValue and maxValue, kept as 0..1 and clamped there."""

    def __init__(self, minValue, maxValue, value):
        if not maxValue - minValue > 0:
            raise ValueError("NNValue: maxValue must be greater than minValue")
        self._min = minValue
        self._max = maxValue
        self._set(minValue, maxValue, value)

    def _set(self, low, high, value):
        if value != value:
            raise ValueError("NNValue: the value is not a number")
        if value <= low:
            self._value = 0.0
        elif value >= high:
            self._value = 1.0
        else:
            self._value = (value - low) / (high - low)

    def _new(high, convert=float):
        return staticmethod(lambda value=0: NNValue(0, high, convert(value)))

    def _as(high, get, convert=float):
        return property(get, lambda self, value: self._set(0, high, convert(value)))

    FromPercent = NewPercent = _new(100)
    FromByte = _new(255, ord)
    NewByte = _new(255)
    FromBool = NewBool = _new(1, bool)
    FromAnalogSignal = NewAnalogSignal = _new(1)

    AsFloat = property(
        lambda self: self._min + self._value * (self._max - self._min),
        lambda self, value: self._set(self._min, self._max, value),
    )
    AsInt = property(
        lambda self: int(round(self.AsFloat)),
        lambda self, value: self._set(self._min, self._max, value),
    )
    AsPercent = _as(100, lambda self: self._value * 100)
    AsByte = _as(255, lambda self: chr(int(round(self._value * 255))), ord)
    AsBool = _as(1, lambda self: self._value >= 0.5, bool)
    AsAnalogSignal = _as(1, lambda self: self._value)


class _Dense:
    """A layer in arrays: its neurons are connected to all of the layer before, or to none.

    _weights: array("i"), a row for each neuron. _deltas: their last changes, once it learns.
    _values: array of floats: all outputs, then biases, inputs ... as far as needed.
    _bias_value: that of all biases, None for no biases.
    _given: the NNValues of an input layer. _views: neurons that a program asked for, by index.
    """

    _weights = _deltas = _values = _bias_value = _given = _views = None

    def __init__(self, layer, count):
        self._layer = layer
        self.count = count

    def wired(self):
        """A _Wired that can take this one's place."""
        wired = _Wired(self._layer)
        sources = self.sources(None)
        n = len(sources)
        for i in range(self.count):
            neuron = self.neuron(i)
            wired.add(neuron)
            neuron._bias_value = self._bias_value
            for k in range(_KINDS):
                neuron._values[k] = self.value(neuron, k)
            if n:
                neuron._sources = list(sources)
                neuron._weights = self._floats(self._weights, i, n)
                neuron._deltas = self._floats(self._deltas, i, n)
        return wired

    def _floats(self, rows, i, n):
        if rows is None:
            return _zeros(_FLOAT, n)
        return array(_FLOAT, [_to_float(w) for w in rows[i * n:i * n + n]])

    def neuron(self, i):
        if self._views is None:
            self._views = {}
        if i not in self._views:
            self._views[i] = Neuron(self._layer, i)
        return self._views[i]

    def value(self, neuron, k):
        if self._given and k == _OUTPUT:
            return self._given[neuron._at].AsAnalogSignal
        at = self.count * k + neuron._at
        if self._values and at < len(self._values):
            return self._values[at]
        return 0.0 if k else 0.5

    def all(self, k):
        """A value of all neurons, in a list, so that floats are not made once more at each use."""
        if self._given and k == _OUTPUT:
            return [value.AsAnalogSignal for value in self._given]
        n = self.count
        return list(self._room(k + 1)[n * k:n * k + n])

    def _room(self, kinds):
        """The array of values, with the first so many kinds of them."""
        n = self.count
        if self._values is None:
            self._values = _lasting(_FLOAT, kinds * n)
            for i in range(n):
                self._values[i] = 0.5
        if len(self._values) < kinds * n:
            self._values.extend(_zeros(_FLOAT, kinds * n - len(self._values)))
        return self._values

    def take(self, values):
        self._given = values

    def bias(self, i):
        """Value and weight, None for no bias, of neuron i."""
        value = self._bias_value
        return None if value is None else (value, self._values[self.count + i])

    def set_bias(self, i, value, weight):
        """Of neuron i; all must get one, with the same value."""
        self._bias_value = value
        self._room(2)[self.count + i] = weight

    def _before(self):
        layers = self._layer._net._layers
        return layers[layers.index(self._layer) - 1]

    def connectable(self, src):
        """The storage in which `join` can connect all neurons of the layer src."""
        if self._weights is None and self._layer is not self._layer._net._layers[0]:
            size = src.NeuronsCount * self.count
            if size and self._before() is src:
                self._weights = _lasting("i", size)
                return self
        return self._layer._wire()

    def join(self, src, i, j, weight):
        """Connect neuron i of the layer src to neuron j."""
        self._weights[j * src.NeuronsCount + i] = _to_weight(weight)

    def sources(self, neuron):
        return self._before().Neurons if self._weights else ()

    def fed_by(self, neuron):
        """Destination and place of each connection from a neuron."""
        if not self._weights or self._before() is not neuron._layer:
            return ()
        return [(self.neuron(j), neuron._at) for j in range(self.count)]

    def place(self, connection):
        return connection._at

    def weight(self, neuron, at):
        return _to_float(self._weights[neuron._at * (len(self._weights) // self.count) + at])

    def forward(self, before):
        """Compute the layer. before: the storage of the layer before."""
        n = self.count
        values = self._room(_INPUT + 1)
        _, function, _ = self._layer._activation
        if not function:
            return
        bias_value = self._bias_value
        gain = self._layer._net.Gain
        sums = None
        if self._weights:
            packed, factor = _pack(before.all(_OUTPUT))
            sums = _zeros("i", 2 * n)
            _dot(self._weights, packed, len(packed), n, sums)
        for j in range(n):
            s = 0.0
            if sums:
                s = (sums[2 * j] / 2048 + sums[2 * j + 1] / 67108864) * factor
            if bias_value:
                s += bias_value * values[n + j]
            values[_INPUT * n + j] = s
            values[j] = function(s * gain)

    def set_errors(self, errors):
        n = self.count
        values = self._room(_KINDS)
        _, function, slope = self._layer._activation
        gain = self._layer._net.Gain
        for j in range(n):
            error = errors[j]
            values[_ERROR * n + j] = error
            if slope:
                s = values[_INPUT * n + j]
                values[_SIGNAL * n + j] = error * gain * slope(s, function(s))

    def learn(self, stores, i, eta, alpha):
        """Learn from the signal errors; hand the errors on to the layer before."""
        if not i:
            return
        n = self.count
        before = stores[i - 1]
        signals = self.all(_SIGNAL)
        back = _zeros("i", before.count)
        most = max(max(signals), -min(signals)) or 1.0
        if self._weights:
            if self._deltas is None:
                self._deltas = _lasting("i", len(self._weights))
                for j in range(len(self._weights)):
                    self._deltas[j] = _ZERO
            packed, factor = _pack(before.all(_OUTPUT))
            k = array("i", (before.count, n, int((alpha + 1) * 8388608 + 0.5), i > 1))
            for signal in signals:
                k.append(_to_weight(eta * signal * factor / 2))
                k.append(int((signal / most + 1) * 8388608 + 0.5))
            _learn(self._weights, self._deltas, packed, k, back)
        if self._bias_value:
            values = self._values
            change = eta * self._bias_value
            for j in range(n):
                delta = change * signals[j]
                values[n + j] += delta + alpha * values[_STEP * n + j]
                values[_STEP * n + j] = delta
        if i > 1:
            before.set_errors([value * most / 1048576 for value in back])

    def written(self, i, j):
        """For a file: layer, place and weight of each source of neuron j in layer i."""
        n = len(self._weights) // self.count if self._weights else 0
        for k in range(n):  # 11 digits tell each of the integers
            yield i - 1, k, "%.11g" % _to_float(self._weights[j * n + k])


class _Wired:
    """A layer whose neurons have connections of their own, in floats. Each of them has

    _sources: list of neurons; _weights, _deltas: arrays of floats, its inputs' weights and
    their last changes; _values: array of floats; _bias_value: None for no bias;
    _outs: where its output goes: destination, place there, destination, place ...
    """

    def __init__(self, layer):
        self._layer = layer
        self.nodes = []
        self.count = 0

    def add(self, neuron):
        if neuron._sources is None:
            neuron._sources = []
            neuron._weights = array(_FLOAT)
            neuron._deltas = array(_FLOAT)
            neuron._values = array(_FLOAT, [0.5, 0, 0, 0, 0, 0])
            neuron._bias_value = None
            neuron._outs = ()
        neuron._layer = self._layer
        neuron._at = self.count
        self.nodes.append(neuron)
        self.count += 1
        self._layer._net._routed = False

    def remove(self, neuron):
        self.nodes.remove(neuron)
        self.count -= 1
        self._layer._net._routed = False
        for i, other in enumerate(self.nodes):
            other._at = i
        neuron._at = None

    def neuron(self, i):
        return self.nodes[i]

    def value(self, neuron, k):
        return neuron._values[k]

    def all(self, k):
        return [neuron._values[k] for neuron in self.nodes]

    def take(self, values):
        for neuron, value in zip(self.nodes, values):
            neuron._values[_OUTPUT] = value.AsAnalogSignal

    def bias(self, i):
        neuron = self.nodes[i]
        value = neuron._bias_value
        return None if value is None else (value, neuron._values[_BIAS])

    def set_bias(self, i, value, weight):
        neuron = self.nodes[i]
        neuron._bias_value = value
        neuron._values[_BIAS] = weight
        neuron._values[_STEP] = 0.0

    def connectable(self, src):
        return self._layer._wire()

    def join(self, src, i, j, weight):
        """Returns the place of the source among those of the destination."""
        dst = self.nodes[j]
        dst._sources.append(src.GetNeuron(i))
        dst._weights.append(weight)
        dst._deltas.append(0.0)
        self._layer._net._routed = False
        return len(dst._sources) - 1

    def part(self, dst, at):
        """Drop the connection at a place."""
        del dst._sources[at]
        dst._weights = dst._weights[:at] + dst._weights[at + 1:]
        dst._deltas = dst._deltas[:at] + dst._deltas[at + 1:]
        self._layer._net._routed = False

    def sources(self, neuron):
        return neuron._sources

    def fed_by(self, neuron):
        return [(dst, i) for dst in self.nodes
                for i, src in enumerate(dst._sources) if src is neuron]

    def place(self, connection):
        """Where it is now: others before it may have been removed. None if it is gone."""
        src = connection._src
        sources = connection._dst._sources
        if connection._at >= len(sources) or sources[connection._at] is not src:
            if src not in sources:
                return None
            connection._at = sources.index(src)
        return connection._at

    def weight(self, neuron, at):
        return neuron._weights[at]

    def compute(self, neuron):
        s = 0.0
        weights = neuron._weights
        k = 0
        for src in neuron._sources:
            s += src._values[_OUTPUT] * weights[k]
            k += 1
        values = neuron._values
        if neuron._bias_value:
            s += neuron._bias_value * values[_BIAS]
        values[_INPUT] = s
        _, function, _ = self._layer._activation
        if function:
            values[_OUTPUT] = function(s * self._layer._net.Gain)

    def forward(self, before):
        for neuron in self.nodes:
            self.compute(neuron)

    def set_error(self, neuron, error):
        """error: None is that of its destinations."""
        if error is None:
            self._layer._net._route()
            error = 0.0
            outs = neuron._outs
            for i in range(0, len(outs), 2):
                dst = outs[i]
                error += dst._values[_SIGNAL] * dst._weights[outs[i + 1]]
        values = neuron._values
        values[_ERROR] = error
        _, function, slope = self._layer._activation
        if slope:
            s = values[_INPUT]
            values[_SIGNAL] = error * self._layer._net.Gain * slope(s, function(s))

    def set_errors(self, errors):
        for neuron, error in zip(self.nodes, errors):
            self.set_error(neuron, error)

    def learn(self, stores, i, eta, alpha):
        """Update the outgoing connections and the biases."""
        self._layer._net._route()
        for neuron in self.nodes:
            if i < len(stores) - 1:
                if i:
                    self.set_error(neuron, None)
                change = eta * neuron._values[_OUTPUT]
                outs = neuron._outs
                for k in range(0, len(outs), 2):
                    dst = outs[k]
                    at = outs[k + 1]
                    delta = change * dst._values[_SIGNAL]
                    dst._weights[at] += delta + alpha * dst._deltas[at]
                    dst._deltas[at] = delta
            if neuron._bias_value:
                self.learn_bias(neuron, eta, alpha)

    def learn_bias(self, neuron, eta, alpha):
        values = neuron._values
        delta = eta * neuron._bias_value * values[_SIGNAL]
        values[_BIAS] += delta + alpha * values[_STEP]
        values[_STEP] = delta

    def written(self, i, j):
        neuron = self.nodes[j]
        for src, weight in zip(neuron._sources, neuron._weights):
            if not src.ParentLayer:
                raise ValueError("a connection comes from a neuron that was removed")
            yield src._layer.GetLayerIndex(), src._at, "%.17g" % _finite(weight, "a weight")


class Connection:
    """From neuronSrc to neuronDst. weight: random if None."""

    def __init__(self, neuronSrc, neuronDst, weight=None, _at=None):
        self._src = neuronSrc
        self._dst = neuronDst
        self._at = _at  # its place among the inputs of its destination
        if _at is None:  # not a view of one that is there
            weight = MicroMLP.RandomNetworkWeight() if weight is None else weight
            weight = _finite(weight, "Connection: weight")
            neuronSrc._wire()
            store = neuronDst._wire()
            self._at = store.join(neuronSrc._layer, neuronSrc._at, neuronDst._at, weight)

    def __eq__(self, other):
        if not isinstance(other, Connection) or self._dst is not other._dst:
            return False
        return self._src is other._src and self._place() == other._place()

    def __hash__(self):
        return hash((self._src, self._dst))

    def _place(self):
        """None once it is removed."""
        return self._dst and self._dst._layer._store.place(self)

    def UpdateWeight(self, eta, alpha):
        if self._place() is None:
            raise ValueError("Connection: it has been removed")
        dst = self._dst
        dst._wire()
        at = self._place()
        delta = eta * self._src.ComputedOutput * dst.ComputedSignalError
        dst._weights[at] += delta + alpha * dst._deltas[at]
        dst._deltas[at] = delta

    def Remove(self):
        if self._place() is not None:
            self._dst._wire().part(self._dst, self._place())
        self._src = self._dst = None

    NeuronSrc = property(lambda self: self._src)
    NeuronDst = property(lambda self: self._dst)

    @property
    def Weight(self):
        at = self._place()
        return None if at is None else self._dst._layer._store.weight(self._dst, at)


class Bias:
    """A constant input to neuronDst: value times weight; weight: random if None."""

    def __init__(self, neuronDst, value=1.0, weight=None, _view=False):
        self._dst = neuronDst
        if not _view:
            weight = MicroMLP.RandomNetworkWeight() if weight is None else weight
            weight = _finite(weight, "Bias: weight")
            neuronDst._wire().set_bias(neuronDst._at, _finite(value, "Bias: value"), weight)

    def __eq__(self, other):
        return isinstance(other, Bias) and self._dst == other._dst

    def __hash__(self):
        return hash(self._dst)

    def UpdateWeight(self, eta, alpha):
        if not self._dst._bias():
            raise ValueError("Bias: it has been removed")
        self._dst._wire().learn_bias(self._dst, eta, alpha)

    def Remove(self):
        self._dst.SetBias(None)

    NeuronDst = property(lambda self: self._dst)
    Value = property(lambda self: (self._dst._bias() or (None, None))[0])
    Weight = property(lambda self: (self._dst._bias() or (None, None))[1])


class Neuron:
    """A neuron of parentLayer, added at its end."""

    _sources = None

    def __init__(self, parentLayer, _at=None):
        self._layer = parentLayer
        self._at = _at  # its index in the layer, None once it is removed
        if _at is None:
            parentLayer.AddNeuron(self)

    def _wire(self):
        """The storage, ready for a change of this neuron alone."""
        if self.ParentLayer is None:
            raise ValueError("the neuron is in no network")
        return self._layer._wire()

    def _value(self, k):
        return self._layer._store.value(self, k)

    def _bias(self):
        """Value and weight, None for no bias."""
        return self._layer._store.bias(self._at) if self.ParentLayer else None

    def GetNeuronIndex(self):
        return self._layer.GetNeuronIndex(self)

    def GetInputConnections(self):
        sources = self._layer._store.sources(self)
        return [Connection(src, self, None, i) for i, src in enumerate(sources)]

    def GetOutputConnections(self):
        return [Connection(self, dst, None, at) for layer in self._layer._net._layers
                for dst, at in layer._store.fed_by(self)]

    def AddInputConnection(self, connection):
        if connection not in self.GetInputConnections():
            Connection(connection.NeuronSrc, self, connection.Weight)

    def AddOutputConnection(self, connection):
        if connection not in self.GetOutputConnections():
            Connection(self, connection.NeuronDst, connection.Weight)

    def RemoveInputConnection(self, connection):
        connection.Remove()

    RemoveOutputConnection = RemoveInputConnection

    def SetBias(self, bias):
        if bias is None:
            if self._bias():
                self._wire()
                self._bias_value = None
        elif bias._dst != self:
            self._wire().set_bias(self._at, bias.Value, bias.Weight)

    def GetBias(self):
        return Bias(self, _view=True) if self._bias() else None

    def SetOutputNNValue(self, nnvalue):
        self._wire()
        self._values[_OUTPUT] = nnvalue.AsAnalogSignal

    def ComputeOutput(self):
        self._wire().compute(self)

    ComputeValue = ComputeOutput

    def ComputeError(self, targetNNValue=None):
        error = None
        if targetNNValue:
            error = targetNNValue.AsAnalogSignal - self.ComputedOutput
        self._wire().set_error(self, error)

    def Remove(self):
        self._wire()
        for layer in self._layer._net._layers:
            for dst, at in reversed(layer._store.fed_by(self)):
                layer._store.part(dst, at)
        self._sources = []
        self._weights = array(_FLOAT)
        self._deltas = array(_FLOAT)
        self._layer.RemoveNeuron(self)

    ComputedOutput = property(lambda self: self._value(_OUTPUT))
    ComputedDeltaError = property(lambda self: self._value(_ERROR))
    ComputedSignalError = property(lambda self: self._value(_SIGNAL))

    @property
    def ParentLayer(self):
        return self._layer if self._at is not None and self._layer._net else None


class Layer:
    """neuronsCount neurons with one activation, added at the net's end."""

    def __init__(self, parentMicroMLP, activationFuncName=None, neuronsCount=0):
        self._net = None
        none = None, None, None
        self._activation = _activation(activationFuncName) if activationFuncName else none
        self._store = _Dense(self, neuronsCount)
        parentMicroMLP.AddLayer(self)

    def _wire(self):
        self._net._wire()
        return self._store

    def GetLayerIndex(self):
        return self._net.GetLayerIndex(self)

    def GetNeuron(self, neuronIndex):
        return self._store.neuron(neuronIndex) if 0 <= neuronIndex < self._store.count else None

    def GetNeuronIndex(self, neuron):
        if neuron.ParentLayer is not self:
            raise ValueError("the neuron is not in this layer")
        return neuron._at

    def AddNeuron(self, neuron):
        if neuron.ParentLayer:
            neuron._wire()
        self._wire().add(neuron)

    def RemoveNeuron(self, neuron):
        self._wire().remove(neuron)

    def GetMeanSquareError(self):
        return _mean([error * error for error in self._store.all(_ERROR)])

    def GetMeanAbsoluteError(self):
        return _mean([abs(error) for error in self._store.all(_ERROR)])

    def GetMeanSquareErrorAsPercent(self):
        return round(self.GetMeanSquareError() * 100 * 1000) / 1000

    def GetMeanAbsoluteErrorAsPercent(self):
        return round(self.GetMeanAbsoluteError() * 100 * 1000) / 1000

    def Remove(self):
        store = self._wire()
        while store.nodes:
            store.nodes[0].Remove()
        self._net.RemoveLayer(self)

    ParentMicroMLP = property(lambda self: self._net)
    ActivationFuncName = property(lambda self: self._activation[0])
    Neurons = property(lambda self: [self._store.neuron(i) for i in range(self._store.count)])
    NeuronsCount = property(lambda self: self._store.count)


class InputLayer(Layer):
    def __init__(self, parentMicroMLP, neuronsCount=0):
        super().__init__(parentMicroMLP, None, neuronsCount)

    def SetInputVectorNNValues(self, inputVectorNNValues):
        """False if the number of values is not the number of neurons."""
        if len(inputVectorNNValues) != self.NeuronsCount:
            return False
        self._store.take(inputVectorNNValues)
        return True


class OutputLayer(Layer):
    def __init__(self, parentMicroMLP, activationFuncName, neuronsCount=0):
        super().__init__(parentMicroMLP, activationFuncName, neuronsCount)

    def GetOutputVectorNNValues(self):
        return [NNValue(0, 1, value) for value in self._store.all(_OUTPUT)]

    def ComputeTargetLayerError(self, targetVectorNNValues):
        """False if the number of values is not the number of neurons."""
        if len(targetVectorNNValues) != self.NeuronsCount:
            return False
        outputs = self._store.all(_OUTPUT)
        self._store.set_errors([target.AsAnalogSignal - output
                                for target, output in zip(targetVectorNNValues, outputs)])
        return True


class MicroMLP:
    """A network of layers, as in JC`zic's MicroMLP; see docs/microMLP.md.

    Eta: learning rate. Alpha: share of the last step that is taken again.
    Gain: factor on a neuron's input.
    """

    NNValue = NNValue
    Connection = Connection
    Bias = Bias
    Neuron = Neuron
    Layer = Layer
    InputLayer = InputLayer
    OutputLayer = OutputLayer

    ACTFUNC_HEAVISIDE = "Heaviside"
    ACTFUNC_SIGMOID = "Sigmoid"
    ACTFUNC_TANH = "TanH"
    ACTFUNC_SOFTPLUS = "SoftPlus"
    ACTFUNC_RELU = "ReLU"
    ACTFUNC_GAUSSIAN = "Gaussian"

    HeavisideActivation = _combined("Heaviside")
    SigmoidActivation = _combined("Sigmoid")
    TanHActivation = _combined("TanH")
    SoftPlusActivation = _combined("SoftPlus")
    ReLUActivation = _combined("ReLU")
    GaussianActivation = _combined("Gaussian")

    Eta = 0.30
    Alpha = 0.75
    Gain = 0.99
    CorrectLearnedMAE = 0.02

    _wired = False  # the storage of the layers is _Wired
    _routed = False  # the neurons' _outs are up to date
    _examples = ()
    SaveError = None

    def __init__(self):
        self._layers = []

    @staticmethod
    def Create(
        neuronsByLayers, activationFuncName, layersAutoConnectFunction=None, useBiasValue=1.0
    ):
        """A net of fully formed layers.

        activationFuncName: one for all layers, or a list of one for each but the first.
        Raises ValueError for fewer than two layers, an empty one, an unknown function.
        """
        if not neuronsByLayers or len(neuronsByLayers) < 2 or min(neuronsByLayers) < 1:
            raise ValueError("Create: neuronsByLayers needs two or more counts from 1 on")
        names = activationFuncName
        if isinstance(names, str) or not names:
            names = [names] * (len(neuronsByLayers) - 1)
        for name in names:
            _activation(name)
        if len(names) != len(neuronsByLayers) - 1:
            raise ValueError("Create: one activation function for each layer but the first")
        value = _finite(useBiasValue or 0, "Create: useBiasValue")
        mlp = MicroMLP()
        before = InputLayer(mlp, neuronsByLayers[0])
        for i, name in enumerate(names):
            kind = OutputLayer if i == len(names) - 1 else Layer
            layer = kind(mlp, name, neuronsByLayers[i + 1])
            if layersAutoConnectFunction:
                layersAutoConnectFunction(before, layer)
            if value:
                for j in range(layer.NeuronsCount):
                    layer._store.set_bias(j, value, MicroMLP.RandomNetworkWeight())
            before = layer
        return mlp

    @staticmethod
    def RandomFloat():
        return random()

    @staticmethod
    def RandomNetworkWeight():
        return (MicroMLP.RandomFloat() - 0.5) * 0.7

    @staticmethod
    def GetActivationFunction(actFuncName):
        """The function of that name, None for another."""
        known = [row[0] for row in ACTIVATIONS]
        return getattr(MicroMLP, actFuncName + "Activation") if actFuncName in known else None

    @staticmethod
    def _connect(layerSrc, layerDst, scaled):
        if not layerSrc or not layerDst or layerSrc is layerDst:
            return
        n = layerSrc.NeuronsCount
        m = layerDst.NeuronsCount
        factor = 2.0 / 0.7 * sqrt(6.0 / (n + m)) if scaled else 1.0
        store = layerDst._store.connectable(layerSrc)
        for i in range(n):
            for j in range(m):
                store.join(layerSrc, i, j, factor * MicroMLP.RandomNetworkWeight())

    @staticmethod
    def LayersFullConnect(layerSrc, layerDst):
        """Connect all with all, with random weights within +-0.35."""
        MicroMLP._connect(layerSrc, layerDst, False)

    @staticmethod
    def LayersFullConnectScaled(layerSrc, layerDst):
        """Connect all with all, with random weights within +-sqrt(6 / (inputs + outputs))."""
        MicroMLP._connect(layerSrc, layerDst, True)

    def _wire(self):
        """Make the storage wired."""
        if not self._wired:
            stores = [layer._store.wired() for layer in self._layers]
            for layer, store in zip(self._layers, stores):  # only now: memory sufficed
                layer._store = store
            self._wired = True

    def _route(self):
        """Let each neuron know where its output goes."""
        if not self._routed:
            nodes = [neuron for layer in self._layers for neuron in layer._store.nodes]
            for neuron in nodes:
                neuron._outs = []
                for src in neuron._sources:  # may have been removed
                    src._outs = []
            for neuron in nodes:
                for i, src in enumerate(neuron._sources):
                    src._outs.extend((neuron, i))
            self._routed = True

    def _simulate(self, inputs, targets=None, training=False):
        if not self.IsNetworkComplete or not self._layers[0].SetInputVectorNNValues(inputs):
            return False
        alpha = self.Alpha
        if training and not self._wired and not -1 <= alpha <= 1:  # beyond the arrays' integers
            self._wire()
        stores = [layer._store for layer in self._layers]
        for i in range(1, len(stores)):
            stores[i].forward(stores[i - 1])
        if not targets:
            return not training
        if not self._layers[-1].ComputeTargetLayerError(targets):
            return False
        if training:
            eta = self.Eta
            for i in range(len(stores) - 1, -1, -1):
                stores[i].learn(stores, i, eta, alpha)
        return True

    def GetLayer(self, layerIndex):
        return self._layers[layerIndex] if 0 <= layerIndex < len(self._layers) else None

    def GetLayerIndex(self, layer):
        return self._layers.index(layer)

    def AddLayer(self, layer):
        if layer._net:  # it is in use
            layer._net._wire()
        layer._net = self
        if isinstance(layer._store, _Wired):
            self._wire()
            self._routed = False
        elif self._wired:
            layer._store = layer._store.wired()
        self._layers.append(layer)

    def RemoveLayer(self, layer):
        self._wire()
        self._layers.remove(layer)
        self._routed = False
        layer._net = None

    def ClearAll(self):
        for layer in self._layers:
            layer._net = None
        self._layers = []
        self._wired = self._routed = False

    def GetInputLayer(self):
        if self._layers and type(self._layers[0]) is InputLayer:
            return self._layers[0]
        return None

    def GetOutputLayer(self):
        if self._layers and type(self._layers[-1]) is OutputLayer:
            return self._layers[-1]
        return None

    def Learn(self, inputVectorNNValues, targetVectorNNValues):
        """One step towards the targets; False if a vector's length is wrong."""
        return bool(targetVectorNNValues) and self._simulate(
            inputVectorNNValues, targetVectorNNValues, True
        )

    def Test(self, inputVectorNNValues, targetVectorNNValues):
        """Compute outputs and errors; False if a vector's length is wrong."""
        return bool(targetVectorNNValues) and self._simulate(
            inputVectorNNValues, targetVectorNNValues
        )

    def Predict(self, inputVectorNNValues):
        """The outputs as NNValues; None if the vector's length is wrong."""
        if self._simulate(inputVectorNNValues):
            return self._layers[-1].GetOutputVectorNNValues()
        return None

    def QLearningLearnForChosenAction(
        self, stateVectorNNValues, rewardNNValue, pastStateVectorNNValues, chosenActionIndex,
        terminalState=True, discountFactorNNValue=None,
    ):
        output = self.GetOutputLayer()
        if not output or not 0 <= chosenActionIndex < output.NeuronsCount:
            return False
        target = rewardNNValue.AsAnalogSignal
        if not terminalState:
            if not discountFactorNNValue or not self._simulate(stateVectorNNValues):
                return False
            best = max([value.AsAnalogSignal for value in output.GetOutputVectorNNValues()])
            target += discountFactorNNValue.AsAnalogSignal * best
        targets = self.Predict(pastStateVectorNNValues)
        if not targets:
            return False
        targets[chosenActionIndex].AsAnalogSignal = target
        return self._simulate(pastStateVectorNNValues, targets, True)

    def QLearningPredictBestActionIndex(self, stateVectorNNValues):
        """Index of the best action; None if all values are 0 or the length is wrong."""
        values = [value.AsAnalogSignal for value in self.Predict(stateVectorNNValues) or ()]
        best = max(values) if values else 0
        return values.index(best) if best > 0 else None

    def AddExample(self, inputVectorNNValues, targetVectorNNValues):
        """Keep a pair for LearnExamples; False if a length is wrong."""
        if not inputVectorNNValues or not targetVectorNNValues or not self.IsNetworkComplete:
            return False
        if len(inputVectorNNValues) != self._layers[0].NeuronsCount:
            return False
        if len(targetVectorNNValues) != self._layers[-1].NeuronsCount:
            return False
        self._examples = self._examples or []
        self._examples.append((inputVectorNNValues, targetVectorNNValues))
        return True

    def ClearExamples(self):
        self._examples = ()

    def LearnExamples(
        self, maxSeconds=30, maxCount=None, stopWhenLearned=True, printMAEAverage=True
    ):
        """Learn examples drawn at random; return how many were learnt.

        Every tenth step all are tested; it ends when their mean MAE is at most
        CorrectLearnedMAE. random.seed makes it repeatable.
        """
        examples = self._examples
        count = 0
        end = time() + maxSeconds
        while examples and time() < end and (maxCount is None or count < maxCount):
            if not self.Learn(*examples[int(MicroMLP.RandomFloat() * len(examples))]):
                return 0
            count += 1
            if (stopWhenLearned or printMAEAverage) and count % 10 == 0:
                mae = 0.0
                for inputs, targets in examples:
                    self.Test(inputs, targets)
                    mae += self.MAE
                mae /= len(examples)
                if printMAEAverage:
                    print("[ STEP : %d / ERROR : %s%% ]" % (count, round(mae * 100000) / 1000))
                if stopWhenLearned and mae <= self.CorrectLearnedMAE:
                    break
        return count

    Layers = property(lambda self: self._layers)
    LayersCount = property(lambda self: len(self._layers))

    @property
    def IsNetworkComplete(self):
        return self.GetInputLayer() is not None and self.GetOutputLayer() is not None

    def _error(name):
        return property(
            lambda self: (
                getattr(self._layers[-1], name)()  # type: ignore[call-overload]
                if self.IsNetworkComplete
                else 0.0
            )
        )

    MSE = _error("GetMeanSquareError")
    MAE = _error("GetMeanAbsoluteError")
    MSEPercent = _error("GetMeanSquareErrorAsPercent")
    MAEPercent = _error("GetMeanAbsoluteErrorAsPercent")

    ExamplesCount = property(lambda self: len(self._examples))

    def SaveToFile(self, filename):
        """Write the net as JSON, whole or not at all.

        False if that fails; `SaveError` then holds the exception, else None.
        """
        temporary = filename + ".tmp"
        try:
            with open(temporary, "w") as file:
                self._write(file.write)
            getattr(os, "replace", os.rename)(temporary, filename)
            self.SaveError = None
        except (OSError, ValueError) as e:
            self.SaveError = e
            try:
                os.remove(temporary)
            except OSError:
                pass
        return self.SaveError is None

    def _write(self, write):
        def number(value):
            return "%.17g" % _finite(value, "a weight")

        write('{"Eta": %s, "Alpha": %s, "Gain": %s, "Layers": [' % (
            number(self.Eta), number(self.Alpha), number(self.Gain)))
        for i, layer in enumerate(self._layers):
            func = layer.ActivationFuncName
            func = '"%s"' % func if func else "null"
            write('%s{"Func": %s, "Neurons": [' % (", " if i else "", func))
            for j in range(layer.NeuronsCount):
                write(", " if j else "")
                bias = layer._store.bias(j)
                if bias:
                    write('{"Bias": {"Val": %s, "Wght": %s}, "Conn": [' % (
                        number(bias[0]), number(bias[1])))
                else:
                    write('{"Bias": null, "Conn": [')
                comma = ""
                for at, source, weight in layer._store.written(i, j):
                    write('%s{"LSrc": %d, "NSrc": %d, "Wght": %s}' % (comma, at, source, weight))
                    comma = ", "
                write("]}")
            write("]}")
        write("]}")

    @staticmethod
    def LoadFromFile(filename, exact=True):
        """The net in a JSON file. Raises OSError, or ValueError if it is none.

        exact: where floats are doubles, weights that the arrays of a fully connected
        net cannot hold to the last digit are kept as doubles, which is slower and larger.
        """
        with open(filename) as file:
            try:
                return _load(file, exact and _FLOAT == "d")
            except (KeyError, TypeError, IndexError, AttributeError) as e:
                raise ValueError("%s: not a MicroMLP network (%r)" % (filename, e))
            except ValueError as e:
                raise ValueError("%s: %s" % (filename, e))


def _load(file, exact):
    """A net from an open file.

    Reads it twice: first what there is, then the weights, which thus go straight to
    arrays of their final size. Arrays that grow would leave a board's heap in pieces.
    """
    dense = True

    def look(i, j, k, at, source, weight):
        nonlocal dense
        dense = dense and at == i - 1 and source == k and -31.9 < weight < 31.9
        if exact and dense:
            dense = abs(weight * _UNIT - round(weight * _UNIT)) < 0.01

    o = _Reader(file, look).value(None, 0)
    mlp = MicroMLP()
    for name in ("Eta", "Alpha", "Gain"):
        setattr(mlp, name, _finite(o[name], name))
    layers = [(row["Func"], row["Neurons"]) for row in o["Layers"]]
    sizes = [len(neurons) for _, neurons in layers]
    for i, (_, neurons) in enumerate(layers):
        common = neurons[0]["Bias"] if i and neurons else None
        for neuron in neurons:
            bias = neuron["Bias"]
            dense = dense and neuron["Conn"] == (sizes[i - 1] if i else 0)
            if bias or common:
                dense = dense and bias and common and bias["Val"] == common["Val"]
    mlp._wired = not dense
    for i, (name, neurons) in enumerate(layers):
        if i == 0:
            layer = InputLayer(mlp, sizes[i])
        elif i == len(layers) - 1:
            layer = OutputLayer(mlp, name, sizes[i])
        else:
            layer = Layer(mlp, name, sizes[i])
        if i and dense:
            layer._store.connectable(mlp._layers[i - 1])
        for j, neuron in enumerate(neurons):
            bias = neuron["Bias"]
            if bias:
                value, weight = _finite(bias["Val"], "bias"), _finite(bias["Wght"], "bias")
                layer._store.set_bias(j, value, weight)
    o = layers = neurons = None  # lets the memory go

    def join(i, j, k, at, source, weight):
        if at >= len(sizes) or source >= sizes[at]:
            raise ValueError("layer %d is connected to no known neuron" % i)
        mlp._layers[i]._store.join(mlp._layers[at], source, j, weight)

    file.seek(0)
    _Reader(file, join).value(None, 0)
    return mlp


class _Reader:
    """Reads a network's JSON in small pieces.

    take: called for each connection, with the indexes of its layer, its neuron and its own
    one there, and its LSrc, NSrc and Wght. What `value` returns has their number instead.
    """

    def __init__(self, file, take):
        self._file = file
        self._take = take
        self._place = {}  # name of a list -> index of the item that is being read
        self._text = ""
        self._at = 0

    def _more(self):
        more = self._file.read(512)
        if not more:
            raise ValueError("the JSON is cut")
        self._text = self._text[self._at:] + more
        self._at = 0

    def _peek(self):
        while True:
            while self._at < len(self._text):
                c = self._text[self._at]
                if c not in " \t\r\n":
                    return c
                self._at += 1
            self._more()

    def _until(self, ends):
        """The text up to the first of these characters."""
        while True:
            found = [i for i in [self._text.find(c, self._at) for c in ends] if i >= 0]
            if found:
                start = self._at
                self._at = min(found)
                return self._text[start:self._at]
            if len(self._text) - self._at > 4096:
                raise ValueError("not a MicroMLP network")
            self._more()

    def _rest(self, end):
        """After an item: false at the end, else past the comma."""
        c = self._peek()
        self._at += 1
        if c != "," and c != end:
            raise ValueError('"%s" in the JSON where "," or "%s" should be' % (c, end))
        return c == ","

    def value(self, key, depth):
        """The next value. key: the name it goes by."""
        if depth > 6:
            raise ValueError("the JSON is nested too deep")
        c = self._peek()
        if c == "{":
            return self._object(depth)
        if c == "[":
            return self._connections() if key == "Conn" else self._list(key, depth)
        return loads(self._until(",]}"))

    def _list(self, key, depth):
        self._at += 1
        items = []
        if self._peek() == "]":
            self._at += 1
            return items
        while True:
            self._place[key] = len(items)
            item = self.value(None, depth + 1)
            # Input neurons are all alike: kept once, they leave the heap in one piece.
            items.append(items[-1] if items and items[-1] == item else item)
            if not self._rest("]"):
                _collect()
                return items[:]

    def _object(self, depth):
        self._at += 1
        items = {}
        if self._peek() == "}":
            self._at += 1
            return items
        while True:
            key = loads(self._until(":"))
            self._at += 1
            items[key] = self.value(key, depth + 1)
            if not self._rest("}"):
                return items

    def _connections(self):
        self._at += 1
        count = 0
        if self._peek() == "]":
            self._at += 1
            return count
        layer, neuron = self._place["Layers"], self._place["Neurons"]
        while True:
            if self._peek() != "{":
                raise ValueError("a connection in the JSON is not an object")
            o = loads(self._until("}") + "}")
            self._at += 1
            at, source, weight = o["LSrc"], o["NSrc"], _finite(o["Wght"], "weight")
            if not 0 <= at < 65536 or not 0 <= source < 65536:
                raise ValueError("a connection's LSrc or NSrc is out of range")
            self._take(layer, neuron, count, at, source, weight)
            count += 1
            if not self._rest("]"):
                _collect()  # else what is kept of each neuron lies amid garbage
                return count
