"""MicroMLP's interface: networks made, wired, trained and saved on a board.

    mlp = MicroMLP.Create([2, 6, 1], "Gaussian", MicroMLP.LayersFullConnect)
    mlp.AddExample(inputs, targets)
    mlp.LearnExamples()

docs/microMLP.md describes it. On MicroPython (with its native emitter) this file
needs no other; on CPython it needs viper.py beside it.
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
else:
    from viper import micropython, ptr32, uint

# ---------------------------------------------------------------------------
# How a net is stored. A fully connected net keeps arrays and nothing else: in each
# layer `_w`, the weights neuron by neuron, `_b`, the biases' weights (`_bias` is the
# value of all of them), `_dw` and `_db`, the last deltas, made by the first Learn, and
# `_s`: outputs, then inputs, errors and signal errors as far as needed. Neurons,
# connections and biases are views. Anything else is wired by hand: then `_nodes` holds
# the layer's neurons, and each neuron its sources, weights and last deltas, as a list
# and two arrays.
#
# Each float that MicroPython computes is a new object on the heap. So the arrays'
# weights are integers: weight * 2**24 + 2**29, which reaches from -32 to 32 in
# steps of 6e-8, finer than a 32-bit float from 1 on. The other factor of a
# product, an input, is within -1/2..1/2, times 2**24, plus 2**23. Parts of both
# are multiplied so that 32 bits suffice:
#
#   w = h * 2**15 + l,  x = a * 2**12 + b, and x / 2**9 rounded is c, so
#   w * x / 2**24 = 8 * h * a + h * b / 2**9 + l * c / 2**15
#
# ---------------------------------------------------------------------------


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


def _lasting(code, n):
    """Zeros that stay: not amid garbage, where they would part the heap's free memory."""
    if _ON_BOARD:
        gc.collect()
    return _zeros(code, n)


def _weight(value):
    """A float as an integer weight, at most 32 in size."""
    return int(min(max(value, -31.9), 31.9) * 16777216 + 536870912.5)


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


class MicroMLP:
    """A network of layers, as in JC`zic's MicroMLP; see docs/microMLP.md.

    Eta: learning rate. Alpha: share of the last step that is taken again.
    Gain: factor on a neuron's input.
    """

    ACTFUNC_HEAVISIDE = "Heaviside"
    ACTFUNC_SIGMOID = "Sigmoid"
    ACTFUNC_TANH = "TanH"
    ACTFUNC_SOFTPLUS = "SoftPlus"
    ACTFUNC_RELU = "ReLU"
    ACTFUNC_GAUSSIAN = "Gaussian"

    Eta = 0.30
    Alpha = 0.75
    Gain = 0.99
    CorrectLearnedMAE = 0.02

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
            return staticmethod(lambda value=0: MicroMLP.NNValue(0, high, convert(value)))

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

    class Connection:
        """From neuronSrc to neuronDst. weight: random if None."""

        def __init__(self, neuronSrc, neuronDst, weight=None, _at=None):
            self._src = neuronSrc
            self._dst = neuronDst
            self._at = _at
            if _at is None:  # not a view of one that is there
                weight = MicroMLP.RandomNetworkWeight() if weight is None else weight
                weight = _finite(weight, "Connection: weight")
                neuronDst._layer._net._by_hand()
                self._at = len(neuronDst._src)
                neuronDst._src.append(neuronSrc)
                neuronDst._w.append(weight)
                neuronDst._d.append(0.0)
                neuronDst._layer._net._routed = False

        def __eq__(self, other):
            if not isinstance(other, MicroMLP.Connection) or self._dst is not other._dst:
                return False
            return self._src is other._src and self._place() == other._place()

        def __hash__(self):
            return hash((self._src, self._dst))

        def _place(self):
            """Its place among the inputs of its destination, None once it is removed."""
            dst = self._dst
            if dst and dst._layer._nodes is not None:
                if self._at >= len(dst._src) or dst._src[self._at] is not self._src:
                    self._at = dst._src.index(self._src)  # one before it was removed
            return self._at if dst else None

        def _index(self):
            """Where its weight is in its layer's array."""
            layer = self._dst._layer
            return self._dst._at * (len(layer._w) // layer._n) + self._at

        def UpdateWeight(self, eta, alpha):
            dst = self._dst
            if dst is None:
                raise ValueError("Connection: it has been removed")
            delta = eta * self._src.ComputedOutput * dst.ComputedSignalError
            layer = dst._layer
            if layer._nodes is None:
                d = layer._deltas()
                at = self._index()
                last = (d[at] - 536870912) / 16777216
                layer._w[at] = _weight(self.Weight + delta + alpha * last)
                d[at] = _weight(delta)
            else:
                at = self._place()
                dst._w[at] += delta + alpha * dst._d[at]
                dst._d[at] = delta

        def Remove(self):
            if self._dst is not None:
                dst = self._dst
                dst._layer._net._by_hand()
                at = self._place()
                dst._src.pop(at)
                dst._w = dst._w[:at] + dst._w[at + 1:]
                dst._d = dst._d[:at] + dst._d[at + 1:]
                dst._layer._net._routed = False
                self._src = self._dst = None

        @property
        def NeuronSrc(self):
            return self._src

        @property
        def NeuronDst(self):
            return self._dst

        @property
        def Weight(self):
            if self._dst is None:
                return None
            layer = self._dst._layer
            if layer._nodes is None:
                return (layer._w[self._index()] - 536870912) / 16777216
            return self._dst._w[self._place()]

    class Bias:
        """A constant input to neuronDst: value times weight; weight: random if None."""

        def __init__(self, neuronDst, value=1.0, weight=None, _view=False):
            self._dst = neuronDst
            if not _view:
                weight = MicroMLP.RandomNetworkWeight() if weight is None else weight
                weight = _finite(weight, "Bias: weight")
                neuronDst._set_bias(_finite(value, "Bias: value"), weight)

        def __eq__(self, other):
            return isinstance(other, MicroMLP.Bias) and self._dst == other._dst

        def __hash__(self):
            return hash(self._dst)

        def UpdateWeight(self, eta, alpha):
            bias = self._dst._get_bias()
            delta = eta * bias[0] * self._dst.ComputedSignalError
            self._dst._set_bias(bias[0], bias[1] + delta + alpha * bias[2], delta)

        def Remove(self):
            self._dst.SetBias(None)

        @property
        def NeuronDst(self):
            return self._dst

        @property
        def Value(self):
            bias = self._dst._get_bias()
            return bias and bias[0]

        @property
        def Weight(self):
            bias = self._dst._get_bias()
            return bias and bias[1]

    class Neuron:
        """A neuron of parentLayer, added at its end."""

        def __init__(self, parentLayer, _at=None):
            self._layer = parentLayer
            self._at = _at  # its index, while the net is fully connected
            if _at is None:
                self._wire()
                parentLayer.AddNeuron(self)

        def _wire(self):
            code = MicroMLP._Float
            self._src = []
            self._w = array(code)
            self._d = array(code)
            self._bias = None  # or [value, weight, last delta]
            self._values = array(code, [0.5, 0, 0, 0])
            self._outs = None  # destination, place there, destination, place ...

        def _value(self, k):
            """k: 0 output, 1 input, 2 error, 3 signal error."""
            layer = self._layer
            if layer is None or layer._nodes is not None:
                return self._values[k]
            if layer._given:
                return 0.0 if k else layer._given[self._at].AsAnalogSignal
            at = layer._n * k + self._at
            return layer._s[at] if layer._s and at < len(layer._s) else 0.0 if k else 0.5

        def _get_bias(self):
            layer = self._layer
            if layer is None or layer._nodes is not None:
                return self._bias
            if layer._b is None:
                return None
            at = self._at
            return layer._bias, layer._b[at], layer._db[at] if layer._db else 0.0

        def _set_bias(self, value, weight, delta=0.0):
            layer = self._layer
            if layer._nodes is None and (layer._b is None or value != layer._bias):
                layer._net._by_hand()
            if layer._nodes is not None:
                self._bias = [value, weight, delta]
                return
            layer._b[self._at] = weight
            if delta:
                layer._deltas()
                layer._db[self._at] = delta

        def GetNeuronIndex(self):
            return self._layer.GetNeuronIndex(self)

        def GetInputConnections(self):
            layer = self._layer
            if layer._nodes is None:
                src = layer._before().Neurons if layer._w else ()
            else:
                src = self._src
            return [MicroMLP.Connection(s, self, None, i) for i, s in enumerate(src)]

        def GetOutputConnections(self):
            net = self._layer._net
            found = []
            for layer in net._layers:
                if layer._nodes is None:
                    if layer._w and layer._before() is self._layer:
                        for dst in layer.Neurons:
                            found.append(MicroMLP.Connection(self, dst, None, self._at))
                else:
                    for dst in layer._nodes:
                        for i, src in enumerate(dst._src):
                            if src is self:
                                found.append(MicroMLP.Connection(self, dst, None, i))
            return found

        def AddInputConnection(self, connection):
            if connection not in self.GetInputConnections():
                MicroMLP.Connection(connection.NeuronSrc, self, connection.Weight)

        def AddOutputConnection(self, connection):
            if connection not in self.GetOutputConnections():
                MicroMLP.Connection(self, connection.NeuronDst, connection.Weight)

        def RemoveInputConnection(self, connection):
            connection.Remove()

        RemoveOutputConnection = RemoveInputConnection

        def SetBias(self, bias):
            if bias is not None:
                if bias._dst != self:
                    self._set_bias(bias.Value, bias.Weight)
            elif self._get_bias():
                self._layer._net._by_hand()
                self._bias = None

        def GetBias(self):
            return MicroMLP.Bias(self, _view=True) if self._get_bias() else None

        def _put(self, k, value):
            layer = self._layer
            if layer is None or layer._nodes is not None:
                self._values[k] = value
                return
            if layer._given:
                layer._keep()
            layer._state(4 if k else 1)[layer._n * k + self._at] = value

        def SetOutputNNValue(self, nnvalue):
            self._put(0, nnvalue.AsAnalogSignal)

        def ComputeOutput(self):
            s = 0.0
            if self._layer._nodes is not None:
                w = self._w
                k = 0
                for src in self._src:
                    s += src._values[0] * w[k]
                    k += 1
            else:
                for connection in self.GetInputConnections():
                    s += connection._src.ComputedOutput * connection.Weight
            bias = self._get_bias()
            if bias:
                s += bias[0] * bias[1]
            self._put(1, s)
            f = self._layer._function
            if f:
                self._put(0, f(s * self._layer._net.Gain))

        ComputeValue = ComputeOutput

        def ComputeError(self, targetNNValue=None):
            net = self._layer._net
            if targetNNValue:
                error = targetNNValue.AsAnalogSignal - self.ComputedOutput
            else:
                error = 0.0
                if self._layer._nodes is not None:
                    net._route()
                    outs = self._outs
                    for i in range(0, len(outs), 2):
                        dst = outs[i]
                        error += dst._values[3] * dst._w[outs[i + 1]]
                else:
                    for connection in self.GetOutputConnections():
                        error += connection._dst.ComputedSignalError * connection.Weight
            self._put(2, error)
            f = self._layer._function
            if f:
                self._put(3, error * net.Gain * f(self._value(1), True))

        def Remove(self):
            net = self._layer._net
            net._by_hand()
            for layer in net._layers:
                for dst in layer._nodes:
                    if self in dst._src:
                        keep = [i for i, src in enumerate(dst._src) if src is not self]
                        dst._src = [dst._src[i] for i in keep]
                        dst._w = array(net._Float, [dst._w[i] for i in keep])
                        dst._d = array(net._Float, [dst._d[i] for i in keep])
            self._src = []
            net._routed = False
            self._layer.RemoveNeuron(self)
            self._layer = None

        @property
        def ParentLayer(self):
            return self._layer

        @property
        def ComputedOutput(self):
            return self._value(0)

        @property
        def ComputedDeltaError(self):
            return self._value(2)

        @property
        def ComputedSignalError(self):
            return self._value(3)

        def _teach(self, eta, alpha):
            """Update the outgoing connections."""
            step = eta * self._values[0]
            outs = self._outs
            for i in range(0, len(outs), 2):
                dst = outs[i]
                at = outs[i + 1]
                delta = step * dst._values[3]
                dst._w[at] += delta + alpha * dst._d[at]
                dst._d[at] = delta

    class Layer:
        """neuronsCount neurons with one activation, added at the net's end."""

        _nodes = None  # list of neurons, when wired by hand
        _w = _dw = _b = _bias = _db = _s = None
        _given = None  # the NNValues of an input layer, while nobody needs a copy
        _views = None  # neurons that were asked for, by index

        def __init__(self, parentMicroMLP, activationFuncName=None, neuronsCount=0):
            self._net = parentMicroMLP
            self._name = activationFuncName
            self._function = MicroMLP.GetActivationFunction(activationFuncName)
            if activationFuncName and not self._function:
                raise ValueError('unknown activation function "%s"' % activationFuncName)
            self._n = neuronsCount
            parentMicroMLP.AddLayer(self)
            if parentMicroMLP._hand:
                self._n = 0
                self._nodes = []
                for _ in range(neuronsCount):
                    MicroMLP.Neuron(self)

        def _before(self):
            layers = self._net._layers
            return layers[layers.index(self) - 1]

        def _deltas(self):
            """The last deltas of the weights; makes the biases', too."""
            if self._dw is None and self._w:
                self._dw = _lasting("i", len(self._w))
                for i in range(len(self._w)):
                    self._dw[i] = 536870912
            if self._db is None and self._b:
                self._db = _lasting(MicroMLP._Float, self._n)
            return self._dw

        def _outputs(self):
            """A list of floats, so that they are not made anew for each weight."""
            if self._given:
                return [value.AsAnalogSignal for value in self._given]
            return list(self._state(1)[:self._n])

        def _keep(self):
            """Copy the given inputs, to change one of them."""
            values = self._outputs()
            self._given = None
            for i, value in enumerate(values):
                self._state(1)[i] = value

        def _state(self, kinds):
            """Outputs, inputs, errors, signal errors: the first so many of them."""
            if self._s is None:
                self._s = _lasting(MicroMLP._Float, self._n)
                for i in range(self._n):
                    self._s[i] = 0.5
            if len(self._s) < kinds * self._n:
                self._s.extend(_zeros(MicroMLP._Float, kinds * self._n - len(self._s)))
            return self._s

        def _forward(self, x, training):
            n = self._n
            at = n if training else 0  # the sums are needed once more to learn
            s = self._state(2 if training else 1)
            f = self._function
            if not f:
                return
            if self._w:
                packed, factor = _pack(x)
                sums = _zeros("i", 2 * n)
                _dot(self._w, packed, len(packed), n, sums)
                for j in range(n):
                    s[at + j] = (sums[2 * j] / 2048 + sums[2 * j + 1] / 67108864) * factor
            else:
                for j in range(n):
                    s[at + j] = 0.0
            b = self._b
            gain = self._net.Gain
            for j in range(n):
                z = s[at + j]
                if b:
                    z += self._bias * b[j]
                    if training:
                        s[at + j] = z
                s[j] = f(z * gain)

        def _signals(self, errors):
            n = self._n
            s = self._state(4)
            f = self._function
            gain = self._net.Gain
            for j in range(n):
                error = errors[j]
                s[2 * n + j] = error
                if f:
                    s[3 * n + j] = error * gain * f(s[n + j], True)

        def _backward(self, src, last, eta, alpha):
            """Learn from the signal errors; hand the errors on unless src is the last."""
            n = self._n
            signals = list(self._s[3 * n:4 * n])
            deltas = self._deltas()
            back = _zeros("i", src._n)
            most = max(max(signals), -min(signals)) or 1.0
            if self._w:
                packed, factor = _pack(src._outputs())
                k = array("i", (src._n, n, int((alpha + 1) * 8388608 + 0.5), not last))
                for signal in signals:
                    k.append(_weight(eta * signal * factor / 2))
                    k.append(int((signal / most + 1) * 8388608 + 0.5))
                _learn(self._w, deltas, packed, k, back)
            if self._b:
                for j in range(n):
                    delta = eta * self._bias * signals[j]
                    self._b[j] += delta + alpha * self._db[j]
                    self._db[j] = delta
            if not last:
                src._signals([value * most / 1048576 for value in back])

        def GetLayerIndex(self):
            return self._net.GetLayerIndex(self)

        def GetNeuron(self, neuronIndex):
            if not 0 <= neuronIndex < self.NeuronsCount:
                return None
            if self._nodes is not None:
                return self._nodes[neuronIndex]
            if self._views is None:
                self._views = {}
            if neuronIndex not in self._views:
                self._views[neuronIndex] = MicroMLP.Neuron(self, neuronIndex)
            return self._views[neuronIndex]

        def GetNeuronIndex(self, neuron):
            if self._nodes is not None:
                return self._nodes.index(neuron)
            if neuron._layer is not self:
                raise ValueError("the neuron is not in this layer")
            return neuron._at

        def AddNeuron(self, neuron):
            self._net._by_hand()
            self._nodes.append(neuron)
            neuron._layer = self

        def RemoveNeuron(self, neuron):
            self._net._by_hand()
            self._nodes.remove(neuron)

        def _mean(self, square):
            n = self.NeuronsCount
            s = 0.0
            for neuron in range(n):
                if self._nodes is not None:
                    error = self._nodes[neuron]._values[2]
                else:
                    error = self._state(3)[2 * n + neuron]
                s += error * error if square else abs(error)
            return s / n if n else 0

        def GetMeanSquareError(self):
            return self._mean(True)

        def GetMeanAbsoluteError(self):
            return self._mean(False)

        def GetMeanSquareErrorAsPercent(self):
            return round(self._mean(True) * 100 * 1000) / 1000

        def GetMeanAbsoluteErrorAsPercent(self):
            return round(self._mean(False) * 100 * 1000) / 1000

        def Remove(self):
            net = self._net
            net._by_hand()
            while self._nodes:
                self._nodes[0].Remove()
            net.RemoveLayer(self)
            self._net = None

        @property
        def ParentMicroMLP(self):
            return self._net

        @property
        def ActivationFuncName(self):
            return self._name

        @property
        def Neurons(self):
            return [self.GetNeuron(i) for i in range(self.NeuronsCount)]

        @property
        def NeuronsCount(self):
            return self._n if self._nodes is None else len(self._nodes)

    class InputLayer(Layer):
        def __init__(self, parentMicroMLP, neuronsCount=0):
            super().__init__(parentMicroMLP, None, neuronsCount)

        def SetInputVectorNNValues(self, inputVectorNNValues):
            """False if the number of values is not the number of neurons."""
            if len(inputVectorNNValues) != self.NeuronsCount:
                return False
            if self._nodes is None:
                self._given = inputVectorNNValues
            else:
                for i, neuron in enumerate(self._nodes):
                    neuron._values[0] = inputVectorNNValues[i].AsAnalogSignal
            return True

    class OutputLayer(Layer):
        def __init__(self, parentMicroMLP, activationFuncName, neuronsCount=0):
            super().__init__(parentMicroMLP, activationFuncName, neuronsCount)

        def GetOutputVectorNNValues(self):
            if self._nodes is None:
                values = self._state(1)[:self._n]
            else:
                values = [neuron._values[0] for neuron in self._nodes]
            return [MicroMLP.NNValue(0, 1, value) for value in values]

        def ComputeTargetLayerError(self, targetVectorNNValues):
            """False if the number of values is not the number of neurons."""
            n = self.NeuronsCount
            if len(targetVectorNNValues) != n:
                return False
            if self._nodes is None:
                s = self._state(1)
                self._signals([targetVectorNNValues[i].AsAnalogSignal - s[i] for i in range(n)])
            else:
                for i in range(n):
                    self._nodes[i].ComputeError(targetVectorNNValues[i])
            return True

    _Float = "d" if 1 + 1e-10 != 1 else "f"  # the machine's floats

    _hand = False  # wired by hand
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
            if not MicroMLP.GetActivationFunction(name):
                raise ValueError('unknown activation function "%s"' % name)
        if len(names) != len(neuronsByLayers) - 1:
            raise ValueError("Create: one activation function for each layer but the first")
        mlp = MicroMLP()
        before = MicroMLP.InputLayer(mlp, neuronsByLayers[0])
        for i, name in enumerate(names):
            kind = MicroMLP.OutputLayer if i == len(names) - 1 else MicroMLP.Layer
            layer = kind(mlp, name, neuronsByLayers[i + 1])
            if layersAutoConnectFunction:
                layersAutoConnectFunction(before, layer)
            if useBiasValue:
                if mlp._hand:
                    for neuron in layer._nodes:
                        MicroMLP.Bias(neuron, useBiasValue)
                else:
                    layer._bias = useBiasValue
                    layer._b = _lasting(MicroMLP._Float, layer._n)
                    for j in range(layer._n):
                        layer._b[j] = MicroMLP.RandomNetworkWeight()
            before = layer
        return mlp

    @staticmethod
    def RandomFloat():
        return random()

    @staticmethod
    def RandomNetworkWeight():
        return (MicroMLP.RandomFloat() - 0.5) * 0.7

    @staticmethod
    def HeavisideActivation(x, derivative=False):
        return 1.0 if derivative or x >= 0 else 0.0

    @staticmethod
    def SigmoidActivation(x, derivative=False):
        e = exp(-abs(x))  # never overflows
        f = (1.0 if x >= 0 else e) / (1.0 + e)
        return f * (1.0 - f) if derivative else f

    @staticmethod
    def TanHActivation(x, derivative=False):
        f = 2.0 * MicroMLP.SigmoidActivation(2.0 * x) - 1.0
        return 1.0 - f * f if derivative else f

    @staticmethod
    def SoftPlusActivation(x, derivative=False):
        if derivative:
            return MicroMLP.SigmoidActivation(x)
        return max(x, 0.0) + log(1.0 + exp(-abs(x)))

    @staticmethod
    def ReLUActivation(x, derivative=False):
        if derivative:
            return 1.0 if x >= 0 else 0.0
        return max(0.0, x)

    @staticmethod
    def GaussianActivation(x, derivative=False):
        f = exp(-min(x * x, 1e4))
        return -2.0 * x * f if derivative else f

    @staticmethod
    def _connect(layerSrc, layerDst, scaled):
        if not layerSrc or not layerDst or layerSrc is layerDst:
            return
        n = layerSrc.NeuronsCount
        m = layerDst.NeuronsCount
        factor = 2.0 / 0.7 * sqrt(6.0 / (n + m)) if scaled else 1.0
        net = layerDst._net
        fresh = not net._hand and layerDst._w is None and layerSrc in net._layers
        fresh = fresh and n and m and layerDst is not net._layers[0]
        if fresh and layerDst._before() is layerSrc:
            layerDst._w = _lasting("i", n * m)
        else:
            net._by_hand()
        for i in range(n):
            for j in range(m):
                weight = factor * MicroMLP.RandomNetworkWeight()
                if net._hand:
                    MicroMLP.Connection(layerSrc._nodes[i], layerDst._nodes[j], weight)
                else:
                    layerDst._w[j * n + i] = _weight(weight)

    @staticmethod
    def LayersFullConnect(layerSrc, layerDst):
        """Connect all with all, with random weights within +-0.35."""
        MicroMLP._connect(layerSrc, layerDst, False)

    @staticmethod
    def LayersFullConnectScaled(layerSrc, layerDst):
        """Connect all with all, with random weights within +-sqrt(6 / (inputs + outputs))."""
        MicroMLP._connect(layerSrc, layerDst, True)

    @staticmethod
    def GetActivationFunction(actFuncName):
        """The function of that name, None for another."""
        if actFuncName in ("Heaviside", "Sigmoid", "TanH", "SoftPlus", "ReLU", "Gaussian"):
            return getattr(MicroMLP, actFuncName + "Activation")
        return None

    def _by_hand(self):
        """Leave the arrays: make each neuron and its connections separate."""
        if self._hand:
            return
        before = None
        for layer in self._layers:
            nodes = layer.Neurons
            for i, neuron in enumerate(nodes):
                values = [neuron._value(k) for k in range(4)]
                bias = neuron._get_bias()
                neuron._wire()
                for k in range(4):
                    neuron._values[k] = values[k]
                neuron._bias = bias and list(bias)
                if layer._w:
                    neuron._src = list(before)  # type: ignore[call-overload]
                    n = len(before)  # type: ignore[arg-type]
                    for to, rows in ((neuron._w, layer._w), (neuron._d, layer._deltas())):
                        for value in rows[i * n:i * n + n]:
                            to.append((value - 536870912) / 16777216)
            before = nodes
        for layer in self._layers:  # only now: the views of a layer need it as it was
            layer._nodes = layer.Neurons
            layer._views = layer._given = None
            layer._w = layer._dw = layer._b = layer._db = layer._s = None
        self._hand = True

    def _route(self):
        """Let each neuron know where its outputs go."""
        if not self._routed:
            for layer in self._layers:
                for neuron in layer._nodes:
                    neuron._outs = []
            for layer in self._layers:
                for neuron in layer._nodes:
                    for i, src in enumerate(neuron._src):
                        src._outs.extend((neuron, i))
            self._routed = True

    def _simulate(self, inputs, targets=None, training=False):
        if not self.IsNetworkComplete or not self._layers[0].SetInputVectorNNValues(inputs):
            return False
        before = self._layers[0]
        for layer in self._layers[1:]:
            if self._hand:
                for neuron in layer._nodes:
                    neuron.ComputeOutput()
            else:
                layer._forward(before._outputs(), training)
            before = layer
        if not targets:
            return not training
        if not before.ComputeTargetLayerError(targets):
            return False
        if training:
            eta = self.Eta
            alpha = self.Alpha
            if not -1 <= alpha <= 1:
                self._by_hand()
            if self._hand:
                self._route()
            for i in range(len(self._layers) - 1, -1, -1):
                layer = self._layers[i]
                if not self._hand:
                    if i:
                        layer._backward(self._layers[i - 1], i == 1, eta, alpha)
                    continue
                for neuron in layer._nodes:
                    if layer is not before:
                        if i:
                            neuron.ComputeError()
                        neuron._teach(eta, alpha)
                    bias = neuron._bias
                    if bias:
                        delta = eta * bias[0] * neuron._values[3]
                        bias[1] += delta + alpha * bias[2]
                        bias[2] = delta
        return True

    def GetLayer(self, layerIndex):
        return self._layers[layerIndex] if 0 <= layerIndex < len(self._layers) else None

    def GetLayerIndex(self, layer):
        return self._layers.index(layer)

    def AddLayer(self, layer):
        if layer._w or layer._nodes is not None:  # it was in use
            layer._net._by_hand()
            self._by_hand()
        self._layers.append(layer)
        layer._net = self

    def RemoveLayer(self, layer):
        self._by_hand()
        self._layers.remove(layer)
        self._routed = False

    def ClearAll(self):
        for layer in self._layers:
            for neuron in layer._nodes or (layer._views or {}).values():
                neuron._layer = None
            layer._net = None
        self._layers = []
        self._hand = self._routed = False

    def GetInputLayer(self):
        if self._layers and type(self._layers[0]) is MicroMLP.InputLayer:
            return self._layers[0]
        return None

    def GetOutputLayer(self):
        if self._layers and type(self._layers[-1]) is MicroMLP.OutputLayer:
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

    @property
    def Layers(self):
        return self._layers

    @property
    def LayersCount(self):
        return len(self._layers)

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

    @property
    def ExamplesCount(self):
        return len(self._examples)

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

        places = {}
        if self._hand:
            for i, layer in enumerate(self._layers):
                for j, neuron in enumerate(layer._nodes):
                    places[neuron] = i, j
        write('{"Eta": %s, "Alpha": %s, "Gain": %s, "Layers": [' % (
            number(self.Eta), number(self.Alpha), number(self.Gain)))
        for i, layer in enumerate(self._layers):
            func = '"%s"' % layer._name if layer._name else "null"
            write('%s{"Func": %s, "Neurons": [' % (", " if i else "", func))
            for j in range(layer.NeuronsCount):
                if self._hand:
                    neuron = layer._nodes[j]
                    bias = neuron._bias
                    w = neuron._w
                else:
                    bias = layer._b and (layer._bias, layer._b[j])
                    n = len(layer._w or ()) // layer._n
                    w = layer._w[j * n:j * n + n] if n else ()
                write(", " if j else "")
                if bias:
                    write('{"Bias": {"Val": %s, "Wght": ' % number(bias[0]))
                    write('%s}, "Conn": [' % number(bias[1]))
                else:
                    write('{"Bias": null, "Conn": [')
                for k in range(len(w)):
                    place = i - 1, k
                    if self._hand:
                        place = places.get(neuron._src[k])
                        if place is None:
                            raise ValueError("a connection comes from a layer that was removed")
                        weight = number(w[k])
                    else:  # 11 digits tell each of the integers
                        weight = "%.11g" % ((w[k] - 536870912) / 16777216)
                    write('%s{"LSrc": %d, "NSrc": %d, "Wght": %s}' % (
                        ", " if k else "", place[0], place[1], weight))
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
                return MicroMLP._from(_Reader(file).value(None, 0), exact)
            except (KeyError, TypeError, IndexError, AttributeError) as e:
                raise ValueError("%s: not a MicroMLP network (%r)" % (filename, e))
            except ValueError as e:
                raise ValueError("%s: %s" % (filename, e))

    @staticmethod
    def _from(o, exact):
        mlp = MicroMLP()
        exact = exact and MicroMLP._Float == "d"
        for name in ("Eta", "Alpha", "Gain"):
            setattr(mlp, name, _finite(o[name], name))
        layers = [(row["Func"], row["Neurons"]) for row in o["Layers"]]
        dense = True
        for i, (_, neurons) in enumerate(layers):
            common = neurons[0]["Bias"] if neurons else None
            for neuron in neurons:
                bias = neuron["Bias"]
                if bias:
                    _finite(bias["Wght"], "bias")
                    _finite(bias["Val"], "bias")
                at, sources, weights = neuron["Conn"]
                n = len(weights)
                for k in range(n):
                    if at[k] >= len(layers) or sources[k] >= len(layers[at[k]][1]):
                        raise ValueError("layer %d is connected to no known neuron" % i)
                    dense = dense and i and at[k] == i - 1 and sources[k] == k
                    dense = dense and -31.9 < weights[k] < 31.9
                    if exact and dense:
                        dense = abs(weights[k] * 16777216 - round(weights[k] * 16777216)) < 0.01
                if n != (len(layers[i - 1][1]) if i else 0) or bool(bias) != bool(common):
                    dense = False
                elif bias and (not i or bias["Val"] != common["Val"]):
                    dense = False
        mlp._hand = not dense
        for i, (name, neurons) in enumerate(layers):
            n = len(neurons)
            if i == 0:
                layer = MicroMLP.InputLayer(mlp, n)
            elif i == len(layers) - 1:
                layer = MicroMLP.OutputLayer(mlp, name, n)
            else:
                layer = MicroMLP.Layer(mlp, name, n)
            if dense and i and n:
                sources = len(layers[i - 1][1])
                layer._w = _lasting("i", sources * n)
                if neurons[0]["Bias"]:
                    layer._bias = neurons[0]["Bias"]["Val"]
                    layer._b = array(mlp._Float, [neuron["Bias"]["Wght"] for neuron in neurons])
                for j, neuron in enumerate(neurons):
                    for k, weight in enumerate(neuron["Conn"][2]):
                        layer._w[j * sources + k] = _weight(weight)
                    neuron["Conn"] = None  # lets the memory go
        for i, (_, neurons) in enumerate(layers if not dense else ()):
            for dst, neuron in zip(mlp._layers[i]._nodes, neurons):
                if neuron["Bias"]:
                    dst._set_bias(neuron["Bias"]["Val"], neuron["Bias"]["Wght"])
                for at, source, weight in zip(*neuron["Conn"]):
                    MicroMLP.Connection(mlp._layers[at]._nodes[source], dst, weight)
        return mlp


class _Reader:
    """Reads a network's JSON in small pieces; connections go straight to arrays."""

    def __init__(self, file):
        self._file = file
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
            return self._connections() if key == "Conn" else self._list(depth)
        return loads(self._until(",]}"))

    def _list(self, depth):
        self._at += 1
        items = []
        if self._peek() == "]":
            self._at += 1
            return items
        items.append(self.value(None, depth + 1))
        while self._rest("]"):
            items.append(self.value(None, depth + 1))
        return items

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
        layers = array("H")
        sources = array("H")
        weights = array(MicroMLP._Float)
        if self._peek() == "]":
            self._at += 1
            return layers, sources, weights
        while True:
            if self._peek() != "{":
                raise ValueError("a connection in the JSON is no object")
            o = loads(self._until("}") + "}")
            self._at += 1
            if not 0 <= o["LSrc"] < 65536 or not 0 <= o["NSrc"] < 65536:
                raise ValueError("a connection's LSrc or NSrc is out of range")
            layers.append(o["LSrc"])
            sources.append(o["NSrc"])
            weights.append(_finite(o["Wght"], "weight"))
            if not self._rest("]"):
                return layers, sources, weights
