"""Networks as JSON files: both ways, to the last digit, and files that hold no network."""

import json
import os
import random

from microMLP import MicroMLP

DOUBLE = 1 + 1e-10 != 1
NAME = "test_micromlp_json.tmp.json"
A = MicroMLP.NNValue.FromAnalogSignal

# As MicroMLP writes it; outputs worked out by hand below.
WRITTEN = """{"Gain": 0.99, "Layers": [{"Neurons": [{"Conn": [], "Bias": null}, {"Bias": null,
"Conn": []}], "Func": null}, {"Func": "ReLU", "Neurons": [{"Bias": {"Wght": -0.25, "Val": 1.0},
"Conn": [{"NSrc": 0, "LSrc": 0, "Wght": 0.5}, {"NSrc": 1, "Wght": 0.0, "LSrc": 0}]}, {"Bias":
null, "Conn": [{"Wght": 0.123456789012345, "LSrc": 0, "NSrc": 1}]}]}, {"Func": "ReLU", "Neurons":
[{"Bias": {"Val": 0.5, "Wght": 0.3}, "Conn": [{"LSrc": 1, "NSrc": 0, "Wght": 2}, {"LSrc": 1,
"NSrc": 1, "Wght": -1e-1}, {"LSrc": 0, "NSrc": 0, "Wght": 0.0625}]}]}], "Alpha": 0.75, "Eta": 0.3}
"""


def by_hand(x, y, gain=0.99):
    h0 = max(0, gain * (0.5 * x - 0.25))
    h1 = max(0, gain * 0.123456789012345 * y)
    return max(0, gain * (2 * h0 - 0.1 * h1 + 0.0625 * x + 0.5 * 0.3))


def put(text):
    with open(NAME, "w") as file:
        file.write(text)


def load(text):
    put(text)
    return MicroMLP.LoadFromFile(NAME)


def cleaned(test):
    def run():
        try:
            test()
        finally:
            for name in (NAME, NAME + ".tmp"):
                try:
                    os.remove(name)
                except OSError:
                    pass

    return run


def refused(text):
    try:
        load(text)
    except ValueError as e:
        assert NAME in str(e)
        return str(e)
    raise AssertionError(text)


def floats(values):
    return [v.AsAnalogSignal for v in values]


def random_net(sizes, name, seed=3):
    random.seed(seed)
    return MicroMLP.Create(sizes, name, MicroMLP.LayersFullConnectScaled)


def outputs(mlp, seed=9):
    random.seed(seed)
    n = mlp.GetInputLayer().NeuronsCount
    return [floats(mlp.Predict([A(random.random()) for _ in range(n)])) for _ in range(10)]


@cleaned
def test_a_file_of_micromlp_predicts_the_same():
    mlp = load(WRITTEN)
    assert (mlp.Eta, mlp.Alpha, mlp.Gain) == (0.3, 0.75, 0.99)
    for x, y in ((0, 0), (1, 0), (0.25, 1), (1, 1), (0.7, 0.3)):
        got = mlp.Predict([A(x), A(y)])[0].AsAnalogSignal
        assert abs(got - by_hand(x, y)) < (1e-12 if DOUBLE else 1e-6)
    weights = [c.Weight for c in mlp.GetLayer(1).GetNeuron(0).GetInputConnections()]
    assert weights == [0.5, 0.0]


@cleaned
def test_fully_connected_nets_come_back():
    for name in ("TanH", "Gaussian"):
        mlp = random_net([5, 7, 3], name)
        assert mlp.SaveToFile(NAME) and mlp.SaveError is None
        again = MicroMLP.LoadFromFile(NAME)
        assert not again._wired
        for a, b in zip(outputs(again), outputs(mlp)):  # but for the biases' last digit
            assert max(abs(x - y) for x, y in zip(a, b)) < (1e-14 if DOUBLE else 1e-6)
        for layer, other in zip(mlp.Layers[1:], again.Layers[1:]):
            assert layer._store._weights == other._store._weights
        assert again.GetLayer(1).ActivationFuncName == name
        assert [type(x) for x in again.Layers] == [type(x) for x in mlp.Layers]


@cleaned
def test_nets_wired_by_hand_come_back():
    mlp = random_net([4, 3, 2], "Sigmoid")
    mlp.GetLayer(1).GetNeuron(1).GetInputConnections()[2].Remove()
    MicroMLP.Connection(mlp.GetLayer(0).GetNeuron(0), mlp.GetLayer(2).GetNeuron(1), 1 / 3)
    mlp.GetLayer(2).GetNeuron(0).GetBias().Remove()
    MicroMLP.Connection(mlp.GetLayer(2).GetNeuron(0), mlp.GetLayer(1).GetNeuron(0), -0.7)
    assert mlp.SaveToFile(NAME)
    again = MicroMLP.LoadFromFile(NAME)
    assert again.GetLayer(2).GetNeuron(0).GetBias() is None
    for a, b in zip(outputs(mlp), outputs(again)):
        assert max(abs(x - y) for x, y in zip(a, b)) < (1e-12 if DOUBLE else 1e-6)


@cleaned
def test_what_arrays_cannot_hold_is_wired():
    """Weights of 32, biases of different values, a bias missing, a connection skipping a layer."""
    mlp = random_net([2, 2, 1], "ReLU")
    assert mlp.SaveToFile(NAME)
    with open(NAME) as file:
        text = file.read()
    assert not load(text)._wired
    o = json.loads(text)
    hidden = o["Layers"][1]["Neurons"]
    changes = (
        lambda: hidden[1]["Conn"][0].update({"Wght": 32.0}),
        lambda: hidden[1]["Conn"][0].update({"Wght": -32.0}),
        lambda: hidden[1]["Bias"].update({"Val": 0.5}),
        lambda: hidden[1].update({"Bias": None}),
        lambda: hidden[1]["Conn"].pop(),
        lambda: hidden[1]["Conn"].reverse(),
        lambda: o["Layers"][2]["Neurons"][0]["Conn"][0].update({"LSrc": 0}),
    )
    for change in changes:
        o = json.loads(text)
        hidden = o["Layers"][1]["Neurons"]
        change()
        wired = load(json.dumps(o))
        assert wired._wired
        for x, y in ((0.25, 1), (1, 0.5)):
            values = [[x, y]]
            for layer in o["Layers"][1:]:
                out = []
                for neuron in layer["Neurons"]:
                    bias = neuron["Bias"] or {"Val": 0, "Wght": 0}
                    s = bias["Val"] * bias["Wght"]
                    for c in neuron["Conn"]:
                        s += values[c["LSrc"]][c["NSrc"]] * c["Wght"]
                    out.append(max(0, 0.99 * s))
                values.append(out)
            wired.Predict([A(x), A(y)])
            got = wired.GetOutputLayer().GetNeuron(0).ComputedOutput
            assert abs(got - values[-1][0]) < (1e-12 if DOUBLE else 1e-4)


@cleaned
def test_a_net_of_doubles_stays_one_unless_asked():
    mlp = random_net([6, 5, 2], "TanH")
    mlp._wire()
    for neuron in mlp.GetLayer(1).Neurons:
        for connection in neuron.GetInputConnections():
            neuron._weights[connection._at] += random.random() / 3
    assert mlp.SaveToFile(NAME)
    exact, arrays = MicroMLP.LoadFromFile(NAME), MicroMLP.LoadFromFile(NAME, False)
    assert exact._wired == DOUBLE and not arrays._wired
    for a, b, c in zip(outputs(mlp), outputs(exact), outputs(arrays)):
        assert max(abs(x - y) for x, y in zip(a, b)) < (1e-12 if DOUBLE else 1e-5)
        assert max(abs(x - y) for x, y in zip(a, c)) < 5e-6


@cleaned
def test_a_layer_without_neurons_comes_back():
    mlp = MicroMLP()
    MicroMLP.InputLayer(mlp, 2)
    MicroMLP.Layer(mlp, "TanH", 0)
    MicroMLP.OutputLayer(mlp, "TanH", 1)
    assert mlp.SaveToFile(NAME)
    again = MicroMLP.LoadFromFile(NAME)
    assert [layer.NeuronsCount for layer in again.Layers] == [2, 0, 1]
    assert again.GetLayer(1).ActivationFuncName == "TanH"


@cleaned
def test_the_file_is_json():
    mlp = random_net([2, 3, 1], "TanH")
    mlp.SaveToFile(NAME)
    with open(NAME) as file:
        o = json.load(file)
    assert sorted(o) == ["Alpha", "Eta", "Gain", "Layers"]
    assert [len(layer["Neurons"]) for layer in o["Layers"]] == [2, 3, 1]
    assert [layer["Func"] for layer in o["Layers"]] == [None, "TanH", "TanH"]
    neuron = o["Layers"][1]["Neurons"][2]
    assert sorted(neuron["Bias"]) == ["Val", "Wght"] and neuron["Bias"]["Val"] == 1
    places = [(c["LSrc"], c["NSrc"]) for c in neuron["Conn"]]
    assert places == [(0, 0), (0, 1)]
    assert o["Layers"][0]["Neurons"][0] == {"Bias": None, "Conn": []}


@cleaned
def test_every_truncation_is_refused():
    text = "".join(WRITTEN.split("\n"))
    step = 1 if len(text) < 100 else 3
    for n in range(0, len(text), step):
        refused(text[:n])
    load(text)


@cleaned
def test_foreign_json_is_refused():
    for text in ("", "null", "1", "[]", "{}", '"x"', "nonsense", "{" * 50, "[" * 50,
                 '{"Eta": 0.3, "Alpha": 0.7, "Gain": 1}', '{"Layers": []}',
                 '{"Eta": 0.3, "Alpha": 0.7, "Gain": 1, "Layers": 7}',
                 '{"Eta": 0.3, "Alpha": 0.7, "Gain": 1, "Layers": [{"Func": 1}]}',
                 '{"Eta": "x", "Alpha": 0.7, "Gain": 1, "Layers": []}',
                 "x" * 10000, '{"' + "k" * 10000):
        refused(text)
    for old, new in (('"LSrc": 1', '"LSrc": 9'), ('"NSrc": 1', '"NSrc": 9'),
                     ('"NSrc": 1', '"NSrc": -1'), ('"NSrc": 1', '"NSrc": 70000'),
                     ('"Wght": 2', '"Wght": NaN'), ('"Wght": 2', '"Wght": 1e999'),
                     ('"Wght": 2', '"Wght": -1e999'), ('"Wght": 2', '"Wght": null'),
                     ('"Gain": 0.99', '"Gain": 1e999'), ('"ReLU"', '"Binary"'),
                     ('"Wght": -0.25', '"Wght": "x"'), ('"Val": 0.5', '"Val": 1e999')):
        assert old in WRITTEN
        refused(WRITTEN.replace(old, new))


@cleaned
def test_random_damage_is_refused_or_read():
    """Whatever a changed character makes of it: a ValueError or a network."""
    random.seed(12)
    text = "".join(WRITTEN.split("\n"))
    for _ in range(400):
        at = random.randrange(len(text))
        put(text[:at] + random.choice('{}[]",:0-eNx ') + text[at + 1:])
        try:
            mlp = MicroMLP.LoadFromFile(NAME)
        except ValueError:
            continue
        assert mlp.LayersCount <= 3


@cleaned
def test_a_missing_file_is_an_oserror():
    try:
        MicroMLP.LoadFromFile("no such file.json")
    except OSError:
        return
    raise AssertionError


@cleaned
def test_what_cannot_be_written_leaves_the_old_file():
    mlp = random_net([2, 1], "TanH")
    assert mlp.SaveToFile(NAME)
    before = outputs(MicroMLP.LoadFromFile(NAME))
    mlp.Gain = float("nan")
    assert mlp.SaveToFile(NAME) is False
    assert isinstance(mlp.SaveError, ValueError)
    assert outputs(MicroMLP.LoadFromFile(NAME)) == before
    assert NAME + ".tmp" not in os.listdir(".")
    mlp.Gain = 1
    assert mlp.SaveToFile("no such folder/x.json") is False
    assert isinstance(mlp.SaveError, OSError)
    assert mlp.SaveToFile(NAME) is True and mlp.SaveError is None
