"""MicroMLP's sums against plain lists, fully connected and wired by hand; gradients."""

import random
from math import exp, log, sqrt

from microMLP import MicroMLP

DOUBLE = 1 + 1e-10 != 1
A = MicroMLP.NNValue.FromAnalogSignal


def f(name, x, derivative=False):
    if name == "Sigmoid":
        y = 1 / (1 + exp(-x))
        return y * (1 - y) if derivative else y
    if name == "TanH":
        y = 2 / (1 + exp(-2 * x)) - 1
        return 1 - y * y if derivative else y
    if name == "SoftPlus":
        return 1 / (1 + exp(-x)) if derivative else log(1 + exp(x))
    if name == "ReLU":
        return (1 if x >= 0 else 0) if derivative else max(0, x)
    if name == "Gaussian":
        return -2 * x * exp(-x * x) if derivative else exp(-x * x)
    return 1 if derivative or x >= 0 else 0


class Plain:
    """Lists of weights w[layer][neuron][source] and biases; the facts' arithmetic."""

    def __init__(self, mlp, name):
        self.name, self.gain, self.eta, self.alpha = name, mlp.Gain, mlp.Eta, mlp.Alpha
        self.w = [[[c.Weight for c in n.GetInputConnections()] for n in layer.Neurons]
                  for layer in mlp.Layers[1:]]
        self.b = [[n.GetBias().Weight for n in layer.Neurons] for layer in mlp.Layers[1:]]
        self.dw = [[[0.0] * len(row) for row in rows] for rows in self.w]
        self.db = [[0.0] * len(row) for row in self.b]

    def predict(self, x):
        self.outs, self.ins = [x], []
        for rows, biases in zip(self.w, self.b):
            sums = [sum(w * v for w, v in zip(row, self.outs[-1])) + b
                    for row, b in zip(rows, biases)]
            self.ins.append(sums)
            self.outs.append([f(self.name, s * self.gain) for s in sums])
        return self.outs[-1]

    def learn(self, x, targets):
        outputs = self.predict(x)
        errors = [t - o for t, o in zip(targets, outputs)]
        for k in range(len(self.w) - 1, -1, -1):
            signals = [e * self.gain * f(self.name, s, True) for e, s in zip(errors, self.ins[k])]
            errors = [sum(s * row[i] for s, row in zip(signals, self.w[k]))
                      for i in range(len(self.outs[k]))]
            for j, signal in enumerate(signals):
                for i, v in enumerate(self.outs[k]):
                    delta = self.eta * v * signal
                    self.w[k][j][i] += delta + self.alpha * self.dw[k][j][i]
                    self.dw[k][j][i] = delta
                delta = self.eta * signal
                self.b[k][j] += delta + self.alpha * self.db[k][j]
                self.db[k][j] = delta


def pairs(sizes, count):
    for _ in range(count):
        yield ([random.random() for _ in range(sizes[0])],
               [random.random() for _ in range(sizes[-1])])


def worst(a, b):
    return max(abs(x - y) for x, y in zip(a, b))


def learnt(name, sizes, by_hand, steps=15):
    """The greatest difference of outputs and weights to plain lists, over some steps."""
    random.seed(8)
    mlp = MicroMLP.Create(sizes, name, MicroMLP.LayersFullConnect)
    if by_hand:
        mlp._wire()
    plain = Plain(mlp, name)
    most = 0
    for x, targets in pairs(sizes, steps):
        values = [A(v) for v in x]
        outputs = [v.AsAnalogSignal for v in mlp.Predict(values)]
        most = max(most, worst(outputs, [min(1, max(0, v)) for v in plain.predict(x)]))
        assert mlp.Learn(values, [A(t) for t in targets])
        plain.learn(x, targets)
        close = [n.ComputedOutput for n in mlp.GetOutputLayer().Neurons]
        most = max(most, worst(close, plain.outs[-1]))
    after = Plain(mlp, name)
    for rows, others in zip(after.w, plain.w):
        for row, other in zip(rows, others):
            most = max(most, worst(row, other))
    for row, other in zip(after.b, plain.b):
        most = max(most, worst(row, other))
    return most


def test_wired_by_hand_it_is_the_same_arithmetic():
    for name in ("TanH", "Sigmoid", "SoftPlus", "ReLU", "Gaussian", "Heaviside"):
        for sizes in ([3, 4, 2], [2, 5, 3, 2], [4, 1]):
            assert learnt(name, sizes, True) < (1e-12 if DOUBLE else 1e-4), name


def test_fully_connected_it_is_the_same_within_the_arrays_steps():
    for name in ("TanH", "Sigmoid", "SoftPlus", "ReLU", "Gaussian"):
        for sizes in ([3, 4, 2], [2, 5, 3, 2], [4, 1]):
            assert learnt(name, sizes, False) < (2e-6 if DOUBLE else 1e-4), name
    assert learnt("TanH", [40, 12, 3], False, 6) < (1e-5 if DOUBLE else 1e-4)


def test_large_sums_do_not_wrap():
    """100 inputs of weight 30 and hidden outputs of thousands."""
    for sign in (1, -1):
        mlp = MicroMLP.Create([100, 2, 1], "ReLU", MicroMLP.LayersFullConnect)
        for layer in mlp.Layers[1:]:
            for i in range(len(layer._store._weights)):
                layer._store._weights[i] = 536870912 + sign * 30 * 16777216
        mlp._simulate([A(1)] * 100)
        hidden = [n.ComputedOutput for n in mlp.GetLayer(1).Neurons]
        for value in hidden:
            assert abs(value - max(0, sign * 2970)) < 1, value  # Gain is 0.99
        value = mlp.GetOutputLayer().GetNeuron(0).ComputedOutput
        assert abs(value - max(0, sign * 0.99 * 30 * 2 * 2970)) < 100, value


def test_weights_stop_at_32():
    random.seed(2)
    mlp = MicroMLP.Create([3, 1], "ReLU", MicroMLP.LayersFullConnect)
    mlp.Eta = 1e6
    for i in range(30):
        assert mlp.Learn([A(1)] * 3, [A(i % 2)])
    for connection in mlp.GetOutputLayer().GetNeuron(0).GetInputConnections():
        assert -32 <= connection.Weight <= 32
    assert mlp.Predict([A(1)] * 3) is not None


def test_plasticity_beyond_one_leaves_the_arrays():
    mlp = MicroMLP.Create([2, 1], "TanH", MicroMLP.LayersFullConnect)
    mlp.Alpha = 1.5
    plain = Plain(mlp, "TanH")
    for x, targets in pairs([2, 1], 5):
        mlp.Learn([A(v) for v in x], [A(t) for t in targets])
        plain.learn(x, targets)
    assert worst(Plain(mlp, "TanH").w[0][0], plain.w[0][0]) < (1e-6 if DOUBLE else 1e-4)


def loss(plain, x, targets):
    return sum((t - o) ** 2 for t, o in zip(targets, plain.predict(x))) / 2


def test_gradients_are_those_of_finite_differences():
    """With Gain 1 and no plasticity a step is -Eta times the gradient of half the squared error."""
    if not DOUBLE:
        return
    sizes, h = [3, 4, 2], 1e-6
    for name in ("Sigmoid", "TanH", "SoftPlus", "Gaussian", "ReLU"):
        random.seed(3)
        mlp = MicroMLP.Create(sizes, name, MicroMLP.LayersFullConnectScaled)
        mlp._wire()
        mlp.Gain, mlp.Alpha, mlp.Eta = 1.0, 0.0, 0.5
        x, targets = next(pairs(sizes, 1))
        plain = Plain(mlp, name)
        mlp.Learn([A(v) for v in x], [A(t) for t in targets])
        after = Plain(mlp, name)

        for k in range(2):
            for j in range(sizes[k + 1]):
                for i in range(sizes[k]):
                    weight = plain.w[k][j][i]
                    plain.w[k][j][i] = weight + h
                    up = loss(plain, x, targets)
                    plain.w[k][j][i] = weight - h
                    gradient = (up - loss(plain, x, targets)) / (2 * h)
                    plain.w[k][j][i] = weight
                    step = after.w[k][j][i] - weight
                    assert abs(step + 0.5 * gradient) < 1e-8, (name, step, gradient)


def test_a_recurrent_net_learns_along_its_connections():
    """A neuron that feeds itself and the layer before: the last outputs count."""
    mlp = MicroMLP()
    MicroMLP.InputLayer(mlp, 1)
    hidden = MicroMLP.Layer(mlp, "TanH", 1).GetNeuron(0)
    last = MicroMLP.OutputLayer(mlp, "TanH", 1).GetNeuron(0)
    MicroMLP.Connection(mlp.GetLayer(0).GetNeuron(0), hidden, 0.8)
    own = MicroMLP.Connection(hidden, hidden, 0.5)
    MicroMLP.Connection(hidden, last, -0.7)
    back = MicroMLP.Connection(last, hidden, 0.3)
    h, o = 0.5, 0.5
    for value in (0.2, 0.9, 0.4):
        mlp._simulate([A(value)])
        h = f("TanH", 0.99 * (0.8 * value + 0.5 * h + 0.3 * o))
        o = f("TanH", 0.99 * -0.7 * h)
        assert abs(hidden.ComputedOutput - h) < 1e-6 and abs(last.ComputedOutput - o) < 1e-6
    assert mlp.Learn([A(0.5)], [A(1)])
    assert own.Weight != 0.5 and back.Weight == 0.3  # the output layer's own lead nowhere


def test_scaled_start_is_within_glorots_bound():
    mlp = MicroMLP.Create([50, 30, 5], "TanH", MicroMLP.LayersFullConnectScaled)
    for before, layer in zip((50, 30), mlp.Layers[1:]):
        bound = sqrt(6 / (before + layer.NeuronsCount))
        weights = [c.Weight for n in layer.Neurons for c in n.GetInputConnections()]
        assert bound * 0.9 < max(weights) <= bound * 1.001 and min(weights) < -bound * 0.9
