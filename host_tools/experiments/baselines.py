"""The classifiers that the article compared, and their export to plain Python.

Needs scikit-learn, and m2cgen for the export (pip install 'beckon[compare]').
"""
from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from host_tools.errors import BeckonError

BASELINES = ("tree", "forest", "svm", "logistic", "bayes")
_NAMES = {
    "tree": "decision tree", "forest": "random forest", "svm": "linear SVM",
    "logistic": "logistic regression", "bayes": "naive Bayes", "mlp": "MLP (ours)",
}


def full_name(kind: str) -> str:
    return _NAMES[kind]


def need(module: str):
    """Import a heavy library, or say in one line what to install."""
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError:
        package = {"sklearn": "scikit-learn", "imblearn": "imbalanced-learn"}
        name = package.get(module.split(".")[0], module.split(".")[0])
        raise BeckonError(f"{name} is not installed; run: pip install {name}") from None


def make(kind: str, seed: int):
    """An untrained scikit-learn classifier, at its defaults as in the article."""
    if kind == "tree":
        return need("sklearn.tree").DecisionTreeClassifier(random_state=seed)
    if kind == "forest":
        return need("sklearn.ensemble").RandomForestClassifier(10, random_state=seed)
    if kind == "svm":
        return need("sklearn.svm").LinearSVC(random_state=seed, dual=False)
    if kind == "logistic":
        return need("sklearn.linear_model").LogisticRegression(max_iter=500, random_state=seed)
    if kind == "bayes":
        return need("sklearn.naive_bayes").GaussianNB()
    raise BeckonError(f"baseline {kind!r} is not known; there are {', '.join(BASELINES)}", 2)


@dataclass(frozen=True)
class Exported:
    """bytes: length of the Python source; microseconds: one window in plain CPython here."""

    bytes: int | None
    microseconds: float | None


def export(classifier, window: np.ndarray, kind: str) -> Exported:
    """As plain Python through m2cgen; empty where m2cgen cannot (naive Bayes)."""
    if kind == "bayes":
        return Exported(None, None)
    m2cgen = need("m2cgen")
    import sys

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 20000))  # m2cgen walks the trees recursively
    try:
        code = m2cgen.export_to_python(classifier)
    finally:
        sys.setrecursionlimit(limit)
    return Exported(len(code.encode()), seconds_of(code, window) * 1e6)


def seconds_of(code: str, window: np.ndarray) -> float:
    """How long the code's function score takes for one window: the shortest of many times."""
    scope: dict = {}
    exec(compile(code, "<exported>", "exec"), scope)  # our own classifier's code
    score, values = scope["score"], window.tolist()
    clock = time.perf_counter
    begun = clock()
    score(values)
    together = max(1, int(2e-5 / (clock() - begun)))  # the clock itself takes time
    best = float("inf")
    for _ in range(60):
        begun = clock()
        for _ in range(together):
            score(values)
        best = min(best, (clock() - begun) / together)
    return best


class PlainMLP:
    """Our own network on the same windows: one hidden layer, Adam, fit and predict."""

    def __init__(self, hidden: int = 16, epochs: int = 60, batch: int = 64, seed: int = 1):
        self.hidden, self.epochs, self.batch, self.seed = hidden, epochs, batch, seed

    def fit(self, x: np.ndarray, y: np.ndarray) -> PlainMLP:
        """x float (n, values), y int (n,) class numbers from 0."""
        from host_tools.training.network import LINEAR, Adam, Layer, Network, cross_entropy

        rng = np.random.default_rng(self.seed)
        self._mean = x.mean(axis=0)
        self._scale = 1 / (x.std(axis=0) + 1e-6)
        x = ((x - self._mean) * self._scale).astype(np.float32)
        classes = int(y.max()) + 1
        layers = [Layer(x.shape[1], self.hidden), Layer(self.hidden, classes, activation=LINEAR)]
        self._net = Network.create(layers, x.shape[1], rng)
        adam = Adam(self._net.parameters(), 2e-3, 0.01)
        targets = np.eye(classes, dtype=np.float32)[y]
        for _ in range(self.epochs):
            order = rng.permutation(len(x))
            for i in range(0, len(x), self.batch):
                rows = order[i : i + self.batch]
                logits = self._net.forward(x[rows])
                _, gradient = cross_entropy(logits, targets[rows], np.ones(len(rows), np.float32))
                self._net.backward(gradient)
                adam.step(self._net.gradients)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        x = ((x - self._mean) * self._scale).astype(np.float32)
        return self._net.forward(x).argmax(axis=1)

    @property
    def int8_bytes(self) -> int:
        """Size with one byte a weight and four a bias, as the model file holds them."""
        return sum(w.weights.size + 4 * w.bias.size for w in self._net.layers)

    def python(self) -> str:
        """The network as plain Python: score(input) -> one number a class."""
        first, last = self._net.layers
        weights = first.weights * self._scale[:, None]  # the scaling of the inputs folded in
        bias = first.bias - self._mean @ weights
        return (
            f"W0={weights.T.tolist()}\nB0={bias.tolist()}\n"
            f"W1={last.weights.T.tolist()}\nB1={last.bias.tolist()}\n"
            "def score(input):\n"
            "    h = [max(0.0, b + sum(map(float.__mul__, w, input))) for w, b in zip(W0, B0)]\n"
            "    return [b + sum(map(float.__mul__, w, h)) for w, b in zip(W1, B1)]\n"
        )
