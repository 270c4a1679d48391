"""XOR learnt with MicroMLP's interface, with each activation function that can learn it.

    micropython xor.py [FUNCTION]           (with firmware/lib on its path)

The settings are those that docs/microMLP.md recommends.
"""
import random
import sys

from microMLP import MicroMLP

# function: layers' sizes, activations, settings. Scaled random weights start nearer to a
# solution than MicroMLP's own +-0.35; ReLU and SoftPlus outputs need small steps.
RECOMMENDED = {
    "Gaussian": ((2, 6, 1), "Gaussian", {}),
    "TanH": ((2, 4, 1), "TanH", {"Eta": 0.1}),
    "SoftPlus": ((2, 6, 1), "SoftPlus", {"Eta": 0.15}),
    "Sigmoid": ((2, 6, 1), "Sigmoid", {"Eta": 0.5, "Alpha": 0.9, "Gain": 4}),
    "ReLU": ((2, 16, 1), ("ReLU", "Sigmoid"), {"Eta": 0.1, "Alpha": 0.9, "Gain": 2}),
    "Heaviside": ((2, 8, 1), "Heaviside", {"Eta": 0.05, "Alpha": 0}),
}
FALSE, TRUE = MicroMLP.NNValue.FromBool(False), MicroMLP.NNValue.FromBool(True)
# In the order of MicroMLP's own example, so that a seed draws the same ones as there.
EXAMPLES = (((FALSE, FALSE), FALSE), ((FALSE, TRUE), TRUE),
            ((TRUE, TRUE), FALSE), ((TRUE, FALSE), TRUE))


def learn(seed, sizes, names, settings, connect=MicroMLP.LayersFullConnectScaled, most=20000):
    """The network and the steps it took; `most` steps if it did not learn it."""
    random.seed(seed)
    mlp = MicroMLP.Create(list(sizes), names, connect)
    for name, value in settings.items():
        setattr(mlp, name, value)
    for inputs, target in EXAMPLES:
        mlp.AddExample(list(inputs), [target])
    return mlp, mlp.LearnExamples(maxSeconds=3600, maxCount=most, printMAEAverage=False)


def knows(mlp):
    return all(mlp.Predict(list(inputs))[0].AsBool == target.AsBool
               for inputs, target in EXAMPLES)


def main(*functions):
    for function in functions or sorted(RECOMMENDED):
        mlp, steps = learn(1, *RECOMMENDED[function])
        outputs = [mlp.Predict(list(inputs))[0].AsAnalogSignal for inputs, _ in EXAMPLES]
        verdict = "learnt" if knows(mlp) else "failed"
        print(f"{function:10} {steps:5} steps  {verdict} ", *[f"{o:.2f}" for o in outputs])


if __name__ == "__main__":
    main(*sys.argv[1:])
