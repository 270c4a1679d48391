"""A network with an object for each neuron and connection, in MicroMLP's manner.

It computes what docs/microMLP.md says of the arithmetic and nothing else: the yardstick
for speed, and for tests a second way to the same numbers.

    net = Net([3, 4, 2], "TanH", weights)
    net.predict([0.1, 0.2, 0.3])
"""
from math import exp, log


def sigmoid(x, derivative=False):
    f = 1.0 / (1.0 + exp(-x))
    return f * (1.0 - f) if derivative else f


def tanh(x, derivative=False):
    f = 2.0 / (1.0 + exp(-2.0 * x)) - 1.0
    return 1.0 - f * f if derivative else f


def softplus(x, derivative=False):
    return 1.0 / (1.0 + exp(-x)) if derivative else log(1.0 + exp(x))


def relu(x, derivative=False):
    if derivative:
        return 1.0 if x >= 0 else 0.0
    return max(0.0, x)


def gaussian(x, derivative=False):
    f = exp(-x * x)
    return -2.0 * x * f if derivative else f


def heaviside(x, derivative=False):
    return 1.0 if derivative or x >= 0 else 0.0


FUNCTIONS = {"Sigmoid": sigmoid, "TanH": tanh, "SoftPlus": softplus, "ReLU": relu,
             "Gaussian": gaussian, "Heaviside": heaviside}


class Connection:
    def __init__(self, src, dst, weight):
        self._src = src
        self._dst = dst
        self._weight = weight
        self._delta = 0.0
        src.outs.append(self)
        dst.ins.append(self)

    @property
    def src(self):
        return self._src

    @property
    def dst(self):
        return self._dst

    @property
    def weight(self):
        return self._weight

    def update(self, eta, alpha):
        delta = eta * self._src.output * self._dst.signal
        self._weight += delta + alpha * self._delta
        self._delta = delta


class Neuron:
    def __init__(self, net, function, bias):
        self.net = net
        self.function = function
        self.ins = []
        self.outs = []
        self.bias = bias
        self._bias_delta = 0.0
        self._output = 0.5
        self._input = 0.0
        self._error = 0.0
        self._signal = 0.0

    @property
    def output(self):
        return self._output

    @property
    def signal(self):
        return self._signal

    def set_output(self, value):
        self._output = value

    def compute(self):
        s = 0.0
        for connection in self.ins:
            s += connection.src.output * connection.weight
        if self.bias is not None:
            s += self.bias
        self._input = s
        self._output = self.function(s * self.net.gain)

    def compute_error(self, target=None):
        if target is None:
            error = 0.0
            for connection in self.outs:
                error += connection.dst.signal * connection.weight
        else:
            error = target - self._output
        self._error = error
        self._signal = error * self.net.gain * self.function(self._input, True)

    def update_bias(self, eta, alpha):
        if self.bias is not None:
            delta = eta * self._signal
            self.bias += delta + alpha * self._bias_delta
            self._bias_delta = delta


class Net:
    """weights: callable giving each connection's, then each layer's biases' weight in turn."""

    def __init__(self, sizes, name, weight, gain=0.99, eta=0.30, alpha=0.75):
        self.gain = gain
        self.eta = eta
        self.alpha = alpha
        self.layers = [[Neuron(self, None, None) for _ in range(sizes[0])]]
        for size in sizes[1:]:
            layer = [Neuron(self, FUNCTIONS[name], 0.0) for _ in range(size)]
            for src in self.layers[-1]:
                for dst in layer:
                    Connection(src, dst, weight())
            for neuron in layer:
                neuron.bias = weight()
            self.layers.append(layer)

    def predict(self, inputs):
        for i in range(len(inputs)):
            self.layers[0][i].set_output(inputs[i])
        for layer in self.layers[1:]:
            for neuron in layer:
                neuron.compute()
        return [neuron.output for neuron in self.layers[-1]]

    def learn(self, inputs, targets):
        self.predict(inputs)
        for i in range(len(targets)):
            self.layers[-1][i].compute_error(targets[i])
        for i in range(len(self.layers) - 1, -1, -1):
            for neuron in self.layers[i]:
                if i < len(self.layers) - 1:
                    if i:
                        neuron.compute_error()
                    for connection in neuron.outs:
                        connection.update(self.eta, self.alpha)
                neuron.update_bias(self.eta, self.alpha)
