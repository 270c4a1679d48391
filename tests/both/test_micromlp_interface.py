"""MicroMLP's interface: every name, the values' scales, views, what is out of place."""

import random
from math import exp

from microMLP import MicroMLP

V = MicroMLP.NNValue
A = V.FromAnalogSignal

NAMES = {
    MicroMLP: "Create LoadFromFile LayersFullConnect GetActivationFunction RandomFloat "
    "RandomNetworkWeight HeavisideActivation SigmoidActivation TanHActivation "
    "SoftPlusActivation ReLUActivation GaussianActivation GetLayer GetLayerIndex AddLayer "
    "RemoveLayer ClearAll GetInputLayer GetOutputLayer Learn Test Predict "
    "QLearningLearnForChosenAction QLearningPredictBestActionIndex SaveToFile AddExample "
    "ClearExamples LearnExamples Layers LayersCount IsNetworkComplete MSE MAE MSEPercent "
    "MAEPercent ExamplesCount Layer InputLayer OutputLayer Neuron Connection Bias NNValue",
    MicroMLP.Layer: "GetLayerIndex GetNeuron GetNeuronIndex AddNeuron RemoveNeuron "
    "GetMeanSquareError GetMeanAbsoluteError GetMeanSquareErrorAsPercent "
    "GetMeanAbsoluteErrorAsPercent Remove ParentMicroMLP ActivationFuncName Neurons NeuronsCount",
    MicroMLP.InputLayer: "SetInputVectorNNValues",
    MicroMLP.OutputLayer: "GetOutputVectorNNValues ComputeTargetLayerError",
    MicroMLP.Neuron: "GetNeuronIndex GetInputConnections GetOutputConnections AddInputConnection "
    "AddOutputConnection RemoveInputConnection RemoveOutputConnection SetBias GetBias "
    "SetOutputNNValue ComputeOutput ComputeValue ComputeError Remove ParentLayer ComputedOutput "
    "ComputedDeltaError ComputedSignalError",
    MicroMLP.Connection: "UpdateWeight Remove NeuronSrc NeuronDst Weight",
    MicroMLP.Bias: "UpdateWeight Remove NeuronDst Value Weight",
    V: "FromPercent NewPercent FromByte NewByte FromBool NewBool FromAnalogSignal "
    "NewAnalogSignal AsFloat AsInt AsPercent AsByte AsBool AsAnalogSignal",
}


DOUBLE = 1 + 1e-10 != 1  # an ESP32 has single-precision floats


def close(a, b, tolerance=1e-6 if DOUBLE else 1e-5):
    assert abs(a - b) <= tolerance, (a, b)


def refused(function, *words):
    """The error's text, which must hold the words."""
    try:
        function()
    except ValueError as e:
        for word in words:
            assert word in str(e), (word, str(e))
        return
    raise AssertionError(words)


def net(sizes=(3, 4, 2), name="TanH", seed=1):
    random.seed(seed)
    return MicroMLP.Create(list(sizes), name, MicroMLP.LayersFullConnect)


def vector(*values):
    return [A(v) for v in values]


def floats(values):
    return [v.AsAnalogSignal for v in values]


def test_every_name_is_there():
    for owner, names in NAMES.items():
        for name in names.split():
            assert hasattr(owner, name), name
    constants = ("Heaviside", "Sigmoid", "TanH", "SoftPlus", "ReLU", "Gaussian")
    for name in constants:
        assert getattr(MicroMLP, "ACTFUNC_" + name.upper()) == name
    assert (MicroMLP.Eta, MicroMLP.Alpha, MicroMLP.Gain) == (0.30, 0.75, 0.99)
    assert MicroMLP.CorrectLearnedMAE == 0.02


def test_settings_belong_to_one_net():
    a, b = net(), net()
    a.Eta = 0.1
    assert (a.Eta, b.Eta, MicroMLP.Eta) == (0.1, 0.30, 0.30)


def test_values():
    v = V(-10, 30, 0)
    close(v.AsAnalogSignal, 0.25)
    close(v.AsFloat, 0)
    v.AsInt = 10
    assert v.AsInt == 10 and v.AsBool and v.AsPercent == 50
    v.AsPercent = 25
    close(v.AsFloat, 0)
    v.AsByte = b"\x00"
    assert v.AsFloat == -10 and v.AsByte == "\x00"
    v.AsByte = "\xff"
    assert v.AsFloat == 30 and ord(v.AsByte) == 255
    v.AsBool = False
    assert v.AsAnalogSignal == 0
    v.AsAnalogSignal = 7
    assert v.AsAnalogSignal == 1
    v.AsFloat = -1000
    assert v.AsAnalogSignal == 0
    close(V.FromPercent(30).AsPercent, 30)  # 0.3 is not exactly a float
    assert V.NewPercent().AsPercent == 0
    close(V.FromByte(b"\x33").AsAnalogSignal, 0.2)
    assert V.NewByte().AsByte == "\x00"
    assert V.FromBool(3).AsBool and not V.FromBool(0).AsBool and not V.NewBool().AsBool
    assert not A(0.4999).AsBool and A(0.5).AsBool and V.NewAnalogSignal().AsAnalogSignal == 0
    refused(lambda: V(3, 3, 3), "maxValue")
    refused(lambda: A(float("nan")), "not a number")


def test_activations():
    for x in (-3.0, -0.5, 0.0, 0.7, 4.0):
        sigmoid = 1 / (1 + exp(-x))
        close(MicroMLP.SigmoidActivation(x), sigmoid)
        close(MicroMLP.SigmoidActivation(x, True), sigmoid * (1 - sigmoid))
        close(MicroMLP.SoftPlusActivation(x, True), sigmoid)
        close(MicroMLP.GaussianActivation(x), exp(-x * x))
        close(MicroMLP.GaussianActivation(x, derivative=True), -2 * x * exp(-x * x))
        assert MicroMLP.ReLUActivation(x) == max(0, x)
        assert MicroMLP.ReLUActivation(x, True) == (1 if x >= 0 else 0)
        assert MicroMLP.HeavisideActivation(x) == (1 if x >= 0 else 0)
        assert MicroMLP.HeavisideActivation(x, True) == 1
        h = 1e-3 if exp(1e-10) == 1 else 1e-6
        for name in ("TanH", "SoftPlus"):
            f = MicroMLP.GetActivationFunction(name)
            close((f(x + h) - f(x - h)) / (2 * h), f(x, True), 1e-2 if h == 1e-3 else 1e-6)
    assert MicroMLP.GetActivationFunction("Binary") is None
    assert MicroMLP.GetActivationFunction(None) is None
    assert MicroMLP.GetActivationFunction("TanH")(0) == 0


def test_activations_saturate():
    for x in (50.0, 1e4, 1e30):
        for name, low, high in (("Sigmoid", 0, 1), ("TanH", -1, 1), ("SoftPlus", 0, x),
                                ("ReLU", 0, x), ("Gaussian", 0, 0), ("Heaviside", 0, 1)):
            f = MicroMLP.GetActivationFunction(name)
            close(f(-x), low)
            close(f(x), high)
            for side in (-x, x):
                d = f(side, True)
                assert d == d and -1e-6 <= d <= 1


def test_create():
    mlp = net((3, 4, 2))
    assert mlp.LayersCount == len(mlp.Layers) == 3 and mlp.IsNetworkComplete
    assert [layer.NeuronsCount for layer in mlp.Layers] == [3, 4, 2]
    assert type(mlp.GetLayer(0)) is MicroMLP.InputLayer is type(mlp.GetInputLayer())
    assert type(mlp.GetLayer(2)) is MicroMLP.OutputLayer and mlp.GetLayer(3) is None
    assert mlp.GetLayer(1).ActivationFuncName == "TanH"
    assert mlp.GetLayer(0).ActivationFuncName is None
    assert mlp.GetLayerIndex(mlp.GetLayer(1)) == 1 == mlp.GetLayer(1).GetLayerIndex()
    assert mlp.GetLayer(1).ParentMicroMLP is mlp
    for layer in mlp.Layers[1:]:
        for neuron in layer.Neurons:
            assert -0.35 <= neuron.GetBias().Weight <= 0.35 and neuron.GetBias().Value == 1
            for connection in neuron.GetInputConnections():
                assert -0.35 <= connection.Weight <= 0.35
    assert mlp.GetLayer(1).GetNeuron(9) is None and mlp.GetLayer(1).GetNeuron(-1) is None
    random.seed(4)
    wide = MicroMLP.Create([2, 40, 1], "TanH", MicroMLP.LayersFullConnectScaled)
    weights = [c.Weight for n in wide.GetLayer(1).Neurons for c in n.GetInputConnections()]
    assert 0.3 < max(weights) <= (6 / 42) ** 0.5 + 1e-6
    two = MicroMLP.Create([2, 3, 1], ["ReLU", "Sigmoid"], MicroMLP.LayersFullConnect, None)
    assert [x.ActivationFuncName for x in two.Layers] == [None, "ReLU", "Sigmoid"]
    assert two.GetLayer(1).GetNeuron(0).GetBias() is None
    bare = MicroMLP.Create([2, 2], "ReLU")
    assert bare.GetLayer(1).GetNeuron(0).GetInputConnections() == []
    assert len(bare.Predict(vector(1, 1))) == 2


def test_create_refuses():
    empty = MicroMLP()
    MicroMLP.InputLayer(empty)
    MicroMLP.Layer(empty)
    MicroMLP.OutputLayer(empty, "TanH")
    assert [layer.NeuronsCount for layer in empty.Layers] == [0, 0, 0]
    neuron = MicroMLP.Neuron(empty.GetLayer(1))
    assert neuron.ComputedOutput == 0.5 and neuron.ComputedSignalError == 0
    assert MicroMLP.Bias(neuron).Value == 1.0
    refused(lambda: MicroMLP.Create([1, 1], "TanH", useBiasValue=float("nan")), "useBiasValue")
    for sizes in ([], [3], [3, 0], None):
        refused(lambda sizes=sizes: MicroMLP.Create(sizes, "TanH"), "neuronsByLayers")
    refused(lambda: MicroMLP.Create([1, 1], "Tanh"), "Tanh")
    refused(lambda: MicroMLP.Create([1, 1], None), "None")
    refused(lambda: MicroMLP.Create([1, 2, 1], ["TanH"]), "each layer")
    refused(lambda: MicroMLP.Layer(MicroMLP(), "Binary", 2), "Binary")


def test_wrong_lengths():
    mlp = net()
    good, target = vector(0, 0.5, 1), vector(1, 0)
    for bad in ([], vector(1), vector(1, 1, 1, 1)):
        assert mlp.Predict(bad) is None
        assert mlp.Learn(bad, target) is False and mlp.Learn(good, bad) is False
        assert mlp.Test(bad, target) is False and mlp.Test(good, bad) is False
        assert mlp.AddExample(bad, target) is False and mlp.AddExample(good, bad) is False
        assert mlp.GetInputLayer().SetInputVectorNNValues(bad) is False
        assert mlp.GetOutputLayer().ComputeTargetLayerError(bad) is False
        assert mlp.QLearningPredictBestActionIndex(bad) is None
        assert mlp.QLearningLearnForChosenAction(good, A(1), bad, 0) is False
        assert mlp.QLearningLearnForChosenAction(bad, A(1), good, 0, False, A(0.5)) is False
    assert mlp.Learn(good, None) is False and mlp.Test(good, None) is False
    assert mlp.QLearningLearnForChosenAction(good, A(1), good, 2) is False
    assert mlp.QLearningLearnForChosenAction(good, A(1), good, -1) is False
    assert mlp.QLearningLearnForChosenAction(good, A(1), good, 0, False, None) is False
    assert mlp.ExamplesCount == 0 and mlp.LearnExamples(maxSeconds=1) == 0
    empty = MicroMLP()
    assert empty.Predict([]) is None and empty.GetInputLayer() is None
    assert not empty.IsNetworkComplete and (empty.MSE, empty.MAE, empty.MAEPercent) == (0, 0, 0)


def test_errors_are_means_over_the_outputs():
    mlp = net()
    x, target = vector(0.1, 0.9, 0.4), vector(1, 0)
    assert mlp.Test(x, target)
    outputs = floats(mlp.Predict(x))
    mlp.Test(x, target)
    errors = [t - o for t, o in zip((1, 0), [n.ComputedOutput for n in mlp.GetLayer(2).Neurons])]
    close(mlp.MAE, sum(abs(e) for e in errors) / 2)
    close(mlp.MSE, sum(e * e for e in errors) / 2)
    assert mlp.MAEPercent == round(mlp.MAE * 100000) / 1000
    assert mlp.MSEPercent == round(mlp.MSE * 100000) / 1000
    assert len(outputs) == 2


def test_views_are_the_same_each_time():
    mlp = net()
    layer = mlp.GetLayer(1)
    neuron = layer.GetNeuron(2)
    assert neuron is layer.GetNeuron(2) is layer.Neurons[2] and neuron.GetNeuronIndex() == 2
    assert neuron.ParentLayer is layer
    first = neuron.GetInputConnections()[1]
    assert first == neuron.GetInputConnections()[1] != neuron.GetInputConnections()[0]
    assert first.NeuronSrc is mlp.GetLayer(0).GetNeuron(1) and first.NeuronDst is neuron
    assert first in mlp.GetLayer(0).GetNeuron(1).GetOutputConnections()
    assert len(mlp.GetLayer(0).GetNeuron(1).GetOutputConnections()) == 4
    before = first.Weight
    mlp.Learn(vector(1, 1, 1), vector(1, 0))
    assert first.Weight != before
    assert neuron.GetBias() == neuron.GetBias() and neuron.GetBias().NeuronDst is neuron


def test_views_stay_valid_when_the_wiring_changes():
    mlp = net((3, 4, 2))
    layer = mlp.GetLayer(1)
    neurons = layer.Neurons
    connection = neurons[3].GetInputConnections()[2]
    bias = neurons[3].GetBias()
    weight, bias_weight = connection.Weight, bias.Weight
    x = vector(0.3, 0.6, 0.9)
    before = floats(mlp.Predict(x))
    mlp._wire()
    assert layer.Neurons == neurons
    close(connection.Weight, weight)
    close(bias.Weight, bias_weight)
    for a, b in zip(before, floats(mlp.Predict(x))):
        close(a, b)
    neurons[0].Remove()
    assert layer.NeuronsCount == 3 and neurons[3].GetNeuronIndex() == 2
    close(connection.Weight, weight)
    assert connection.NeuronDst is neurons[3] and neurons[0].ParentLayer is None
    assert len(mlp.GetLayer(0).GetNeuron(0).GetOutputConnections()) == 3
    assert len(mlp.Predict(x)) == 2 and mlp.Learn(x, vector(1, 0))


def test_connections_are_removed_and_added():
    mlp = net((2, 2, 1))
    layer = mlp.GetLayer(1)
    neuron = layer.GetNeuron(0)
    first, second = neuron.GetInputConnections()
    first.Remove()
    first.Remove()  # once is enough
    assert first.NeuronSrc is None and first.NeuronDst is None
    assert [c.NeuronSrc for c in neuron.GetInputConnections()] == [second.NeuronSrc]
    refused(lambda: first.UpdateWeight(1, 1), "removed")
    skip = MicroMLP.Connection(mlp.GetLayer(0).GetNeuron(0), mlp.GetLayer(2).GetNeuron(0), 0.25)
    assert skip.Weight == 0.25 and skip in mlp.GetLayer(2).GetNeuron(0).GetInputConnections()
    zero = MicroMLP.Connection(mlp.GetLayer(0).GetNeuron(0), neuron, 0.0)
    assert zero.Weight == 0.0
    neuron.RemoveInputConnection(zero)
    assert zero not in neuron.GetInputConnections()
    neuron.AddInputConnection(second)  # it is there already
    assert len(neuron.GetInputConnections()) == 1
    for bad in (float("nan"), float("inf"), -float("inf")):
        refused(lambda bad=bad: MicroMLP.Connection(neuron, neuron, bad), "weight")
        refused(lambda bad=bad: MicroMLP.Bias(neuron, 1.0, bad), "weight")


def test_biases():
    mlp = net((2, 2, 1))
    neuron = mlp.GetLayer(1).GetNeuron(1)
    bias = neuron.GetBias()
    bias.Remove()
    assert neuron.GetBias() is None and bias.Weight is None
    other = MicroMLP.Bias(neuron, 0.5, 0.0)
    assert (other.Value, other.Weight) == (0.5, 0.0) and neuron.GetBias() == other
    neuron.SetBias(None)
    assert neuron.GetBias() is None
    neuron.SetBias(mlp.GetLayer(1).GetNeuron(0).GetBias())
    close(neuron.GetBias().Weight, mlp.GetLayer(1).GetNeuron(0).GetBias().Weight)


def test_a_net_wired_by_hand_computes_xor():
    mlp = MicroMLP()
    inputs = MicroMLP.InputLayer(mlp, 2)
    hidden = MicroMLP.Layer(mlp, MicroMLP.ACTFUNC_HEAVISIDE)
    either, both = MicroMLP.Neuron(hidden), MicroMLP.Neuron(hidden)
    output = MicroMLP.OutputLayer(mlp, MicroMLP.ACTFUNC_HEAVISIDE, 1)
    for source in inputs.Neurons:
        MicroMLP.Connection(source, either, 1.0)
        MicroMLP.Connection(source, both, 1.0)
    MicroMLP.Bias(either, 1.0, -0.5)
    MicroMLP.Bias(both, 1.0, -1.5)
    last = output.GetNeuron(0)
    MicroMLP.Connection(either, last, 1.0)
    MicroMLP.Connection(both, last, -1.0)
    MicroMLP.Bias(last, weight=-0.5)
    for a in (False, True):
        for b in (False, True):
            assert mlp.Predict([V.FromBool(a), V.FromBool(b)])[0].AsBool == (a != b)
    assert [len(n.GetInputConnections()) for n in hidden.Neurons] == [2, 2]


def test_layers_are_removed_and_added():
    mlp = net((2, 3, 1))
    hidden = mlp.GetLayer(1)
    hidden.Remove()
    assert mlp.LayersCount == 2 and hidden.ParentMicroMLP is None
    assert mlp.GetOutputLayer().GetNeuron(0).GetInputConnections() == []
    MicroMLP.LayersFullConnect(mlp.GetInputLayer(), mlp.GetOutputLayer())
    assert len(mlp.GetOutputLayer().GetNeuron(0).GetInputConnections()) == 2
    assert mlp.Learn(vector(0, 1), vector(1))
    mlp.ClearAll()
    assert mlp.LayersCount == 0 and mlp.Predict(vector(0, 1)) is None
    MicroMLP.InputLayer(mlp, 2)
    MicroMLP.OutputLayer(mlp, "Sigmoid", 1)
    MicroMLP.LayersFullConnect(mlp.GetLayer(0), mlp.GetLayer(1))
    assert len(mlp.Predict(vector(0, 1))) == 1


def test_a_neuron_can_be_moved():
    mlp = net((2, 3, 1))
    layer = mlp.GetLayer(1)
    neuron = layer.GetNeuron(1)
    layer.RemoveNeuron(neuron)
    assert layer.NeuronsCount == 2 and neuron.ParentLayer is None
    assert mlp.Learn(vector(0, 1), vector(1))  # its connections are still there
    assert len(mlp.GetOutputLayer().GetNeuron(0).GetInputConnections()) == 3
    layer.AddNeuron(neuron)
    assert neuron.GetNeuronIndex() == 2 and len(neuron.GetInputConnections()) == 2
    before = [c.Weight for c in neuron.GetInputConnections()]
    assert mlp.Learn(vector(0.5, 1), vector(1))
    assert 0.0 not in [a - c.Weight for a, c in zip(before, neuron.GetInputConnections())]
    assert len(mlp.Predict(vector(0, 1))) == 1


def test_neurons_compute_one_by_one():
    for by_hand in (False, True):
        mlp = net((2, 3, 1), "Sigmoid")
        if by_hand:
            mlp._wire()
        x, target = vector(0.2, 0.7), vector(1)
        expected = floats(mlp.Predict(x))[0]
        for source, value in zip(mlp.GetInputLayer().Neurons, x):
            source.SetOutputNNValue(value)
        close(mlp.GetInputLayer().GetNeuron(1).ComputedOutput, 0.7)
        for layer in mlp.Layers[1:]:
            for neuron in layer.Neurons:
                neuron.ComputeOutput()
        last = mlp.GetOutputLayer().GetNeuron(0)
        close(last.ComputedOutput, expected)
        last.ComputeError(target[0])
        close(last.ComputedDeltaError, 1 - expected)
        mlp.Test(x, target)
        close(last.ComputedDeltaError, 1 - expected)
        hidden = mlp.GetLayer(1).GetNeuron(0)
        hidden.ComputeError()
        out = hidden.GetOutputConnections()[0]
        close(hidden.ComputedDeltaError, last.ComputedSignalError * out.Weight)
        weight = out.Weight
        out.UpdateWeight(0.5, 0.75)
        step = 0.5 * hidden.ComputedOutput * last.ComputedSignalError
        close(out.Weight, weight + step)
        out.UpdateWeight(0.5, 0.75)
        close(out.Weight, weight + 2 * step + 0.75 * step)
        bias = last.GetBias()
        weight = bias.Weight
        bias.UpdateWeight(0.5, 0.75)
        close(bias.Weight, weight + 0.5 * last.ComputedSignalError)


def test_only_changes_of_a_single_neuron_wire_a_net():
    changes = (
        lambda neuron: neuron.ComputeOutput(),
        lambda neuron: neuron.ComputeError(),
        lambda neuron: neuron.SetOutputNNValue(A(1)),
        lambda neuron: neuron.SetBias(None),
        lambda neuron: neuron.GetBias().UpdateWeight(0.1, 0),
        lambda neuron: MicroMLP.Bias(neuron, 1.0, 0.5),
        lambda neuron: neuron.GetInputConnections()[1].UpdateWeight(0.1, 0),
        lambda neuron: neuron.GetInputConnections()[1].Remove(),
        lambda neuron: MicroMLP.Connection(neuron, neuron, 0.5),
        lambda neuron: MicroMLP.Neuron(neuron.ParentLayer),
        lambda neuron: neuron.ParentLayer.RemoveNeuron(neuron),
        lambda neuron: neuron.ParentLayer.Remove(),
    )
    for change in changes:
        mlp = net((3, 4, 2))
        x = vector(0.1, 0.9, 0.4)
        assert mlp.Learn(x, vector(1, 0)) and mlp.Test(x, vector(1, 0))
        read = []
        for neuron in mlp.GetLayer(1).Neurons:
            read.extend([neuron.ComputedOutput, neuron.ComputedDeltaError, neuron.GetBias().Weight])
            for connection in neuron.GetInputConnections() + neuron.GetOutputConnections():
                read.append(connection.Weight)
        assert not mlp._wired and 0.0 not in read
        change(mlp.GetLayer(1).GetNeuron(2))
        assert mlp._wired


def test_errors_are_the_same_in_both_kinds_of_storage():
    """After Test, and after Predict with errors computed one by one."""
    for name in ("TanH", "Gaussian"):
        nets = [net((3, 4, 4, 2), name, 6) for _ in range(2)]
        nets[1]._wire()
        results = []
        for mlp in nets:
            x, target = vector(0.2, 0.7, 0.5), vector(1, 0)
            assert mlp.Learn(x, target) and mlp.Test(x, target)
            last = mlp.GetOutputLayer().Neurons
            tested = [n.ComputedSignalError for n in last]
            mlp.Predict(vector(0.9, 0.1, 0.3))
            for neuron, value in zip(last, target):
                neuron.ComputeError(value)
            hidden = mlp.GetLayer(2).GetNeuron(3)
            hidden.ComputeError()
            results.append(tested + [n.ComputedSignalError for n in last + [hidden]])
        for a, b in zip(results[0], results[1]):
            close(a, b, 2e-6)
        assert min([abs(v) for v in results[0]]) > 1e-4


def test_what_was_removed_takes_no_more_changes():
    mlp = net((2, 3, 1))
    layer = mlp.GetLayer(1)
    gone, other = layer.GetNeuron(0), layer.GetNeuron(1)
    bias, connection = gone.GetBias(), gone.GetInputConnections()[0]
    gone.Remove()
    assert gone.ParentLayer is None and connection.Weight is None and bias.Value is None
    refused(lambda: MicroMLP.Connection(gone, other), "no network")
    refused(lambda: MicroMLP.Connection(other, gone), "no network")
    refused(lambda: gone.ComputeOutput(), "no network")
    refused(lambda: layer.GetNeuronIndex(gone), "not in this layer")
    refused(lambda: connection.UpdateWeight(1, 1), "removed")
    refused(lambda: bias.UpdateWeight(1, 1), "removed")
    assert [n.GetNeuronIndex() for n in layer.Neurons] == [0, 1]
    layer.Remove()
    refused(lambda: MicroMLP.Connection(mlp.GetLayer(0).GetNeuron(0), other), "no network")
    mlp.ClearAll()
    refused(lambda: mlp.GetLayer(0) or other.ComputeOutput(), "no network")


def test_a_layer_can_move_to_another_net():
    a, b = net((2, 3, 1)), MicroMLP()
    inputs, hidden, output = a.Layers[:]
    for layer in (inputs, hidden, output):
        a.RemoveLayer(layer)
        assert layer.ParentMicroMLP is None
        b.AddLayer(layer)
    assert a.LayersCount == 0 and b.LayersCount == 3 and hidden.ParentMicroMLP is b
    assert len(hidden.GetNeuron(0).GetInputConnections()) == 2
    twin = net((2, 3, 1))
    for v, w in zip(b.Predict(vector(0.3, 0.8)), twin.Predict(vector(0.3, 0.8))):
        close(v.AsAnalogSignal, w.AsAnalogSignal)
    assert b.Learn(vector(0, 1), vector(1))


def test_learning_follows_each_change_of_the_wiring():
    """A signal error reaches a neuron by the connections that are there now."""
    mlp = net((2, 2, 1))
    x, target = vector(0.4, 0.9), vector(1)
    hidden, last = mlp.GetLayer(1).GetNeuron(0), mlp.GetOutputLayer().GetNeuron(0)

    def back():
        assert mlp.Learn(x, target)
        mlp.Test(x, target)
        hidden.ComputeError()
        outs = hidden.GetOutputConnections()
        close(hidden.ComputedDeltaError,
              sum([c.NeuronDst.ComputedSignalError * c.Weight for c in outs]))
        return len(outs)

    assert back() == 1
    extra = MicroMLP.Connection(hidden, last, 0.4)
    assert back() == 2
    more = MicroMLP.Neuron(mlp.GetOutputLayer())
    MicroMLP.Connection(hidden, more, 0.7)
    x, target = vector(0.4, 0.9), vector(1, 0)
    assert back() == 3
    extra.Remove()
    assert back() == 2
    mlp.GetOutputLayer().RemoveNeuron(more)
    target = vector(1)
    assert back() == 1
    other = MicroMLP.OutputLayer(mlp, "TanH", 1)
    MicroMLP.Connection(hidden, other.GetNeuron(0), 0.6)
    assert back() == 2
    mlp.RemoveLayer(other)
    assert back() == 1


def test_a_neuron_that_feeds_another_twice_is_removed_whole():
    mlp = net((2, 2, 1))
    source, last = mlp.GetLayer(1).GetNeuron(0), mlp.GetLayer(2).GetNeuron(0)
    MicroMLP.Connection(source, last, 0.25)
    MicroMLP.Connection(source, source, 0.5)
    kept = [c.Weight for c in last.GetInputConnections() if c.NeuronSrc is not source]
    assert len(source.GetOutputConnections()) == 3
    source.Remove()
    assert [c.Weight for c in last.GetInputConnections()] == kept and len(kept) == 1
    assert len(mlp.Predict(vector(0, 1))) == 1


def test_q_learning_target():
    """The chosen action's target is reward + discount * best value; the others' stay."""
    mlp = net((2, 3, 2), "Sigmoid")
    mlp._wire()
    now, past = vector(1, 0), vector(0, 1)
    best = max(floats(mlp.Predict(now)))
    values = floats(mlp.Predict(past))
    assert mlp.QLearningLearnForChosenAction(now, A(0.1), past, 1, False, A(0.5))
    errors = [n.ComputedDeltaError for n in mlp.GetOutputLayer().Neurons]
    close(errors[0], 0)
    close(errors[1], 0.1 + 0.5 * best - values[1])
    values = floats(mlp.Predict(past))
    assert mlp.QLearningLearnForChosenAction(None, A(0.9), past, 0)
    close(mlp.GetOutputLayer().GetNeuron(0).ComputedDeltaError, 0.9 - values[0])
    values = floats(mlp.Predict(past))
    assert mlp.QLearningPredictBestActionIndex(past) == values.index(max(values))
    dead = MicroMLP.Create([2, 2], "ReLU", useBiasValue=None)
    assert dead.QLearningPredictBestActionIndex(past) is None


def test_learn_examples():
    mlp = net((2, 6, 1), "Gaussian", seed=7)
    for a in (False, True):
        for b in (False, True):
            assert mlp.AddExample([V.FromBool(a), V.FromBool(b)], [V.FromBool(a != b)])
    assert mlp.ExamplesCount == 4
    assert mlp.LearnExamples(3600, maxCount=25, printMAEAverage=False) == 25
    count = mlp.LearnExamples(3600, maxCount=20000, printMAEAverage=False)
    assert 0 < count < 20000 and count % 10 == 0
    for a in (False, True):
        for b in (False, True):
            assert mlp.Predict([V.FromBool(a), V.FromBool(b)])[0].AsBool == (a != b)
    assert mlp.LearnExamples(maxSeconds=0) == 0
    mlp.ClearExamples()
    assert mlp.ExamplesCount == 0


def test_learning_stops_at_the_mean_error_of_all_examples():
    def learn(target, most):
        mlp = net((2, 3, 1), seed=3)
        mlp.CorrectLearnedMAE = target
        mlp.AddExample(vector(0, 1), vector(1))
        mlp.AddExample(vector(1, 1), vector(0))
        count = mlp.LearnExamples(maxCount=most, printMAEAverage=False)
        errors = []
        for x, y in ((vector(0, 1), vector(1)), (vector(1, 1), vector(0))):
            mlp.Test(x, y)
            errors.append(mlp.MAE)
        return count, sum(errors) / 2

    count, error = learn(0.0, 10)
    assert count == 10 and error > 0.05
    assert learn(error * 1.1, 500)[0] == 10
    later, lower = learn(error * 0.9, 500)
    assert 10 < later < 500 and lower <= error * 0.9


def test_the_same_seed_learns_the_same():
    results = []
    for _ in range(2):
        mlp = net((2, 3, 1), seed=5)
        mlp.AddExample(vector(0, 1), vector(1))
        mlp.AddExample(vector(1, 1), vector(0))
        mlp.LearnExamples(3600, maxCount=60, stopWhenLearned=False, printMAEAverage=False)
        results.append(floats(mlp.Predict(vector(0.5, 0.5))))
    assert results[0] == results[1]
