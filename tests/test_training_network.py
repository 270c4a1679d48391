"""The network: a case by hand, gradients by finite differences, and learning at all."""

import numpy as np
import pytest

from host_tools.training.network import LINEAR, Adam, Layer, Network, cross_entropy, softmax


def as_double(net):
    for layer in net.layers:
        layer.weights = layer.weights.astype(np.float64)
        layer.bias = layer.bias.astype(np.float64) + 0.05
    return net


def test_forward_by_hand():
    """x = [1, 2, 3, 4], two positions of [1, -1], ReLU, then a sum and a difference."""
    conv, out = Layer(2, 1, positions=2, step=2), Layer(2, 2, activation=LINEAR)
    conv.weights, conv.bias = np.float32([[-1], [1]]), np.float32([0.5])
    out.weights, out.bias = np.float32([[1, 1], [1, -1]]), np.float32([0, 1])
    net = Network([conv, out], 4)
    # positions: 2 - 1 + 0.5 = 1.5 and 3 - 5 + 0.5 -> 0
    assert net.forward(np.float32([[1, 2, 5, 3]])).tolist() == [[1.5, 2.5]]


@pytest.mark.parametrize("pool", [1, 3])
def test_gradients_by_finite_differences(pool):
    rng = np.random.default_rng(1)
    positions = 9 // pool
    layers = [Layer(12, 5, 9, 6, pool=pool), Layer(10, 4, positions - 1, 5),
              Layer(4 * (positions - 1), 3, activation=LINEAR)]
    net = as_double(Network.create(layers, 60, rng))
    x, targets = rng.normal(size=(7, 60)), np.eye(3)[rng.integers(0, 3, 7)]
    weights = rng.uniform(0.5, 2, 7)

    def loss():
        return cross_entropy(net.forward(x), targets, weights)[0]

    net.backward(cross_entropy(net.forward(x), targets, weights)[1].astype(np.float64))
    for p, g in zip(net.parameters(), [g.copy() for g in net.gradients], strict=True):
        for _ in range(6):
            i = tuple(rng.integers(0, n) for n in p.shape)
            kept = p[i]
            p[i] = kept + 1e-6
            up = loss()
            p[i] = kept - 1e-6
            down = loss()
            p[i] = kept
            assert g[i] == pytest.approx((up - down) / 2e-6, rel=1e-3, abs=1e-6)


def test_softmax_of_huge_logits():
    p = softmax(np.array([[1e4, 0.0, -1e4]]))
    assert np.isfinite(p).all() and p[0, 0] == 1


def test_adam_first_step_is_the_rate():
    """Bias correction makes the first step -rate * sign(gradient) (Kingma & Ba, algorithm 1)."""
    w = np.float32([[1.0, -2.0]])
    Adam([w], rate=0.1).step([np.float32([[3.0, -0.5]])])
    assert np.allclose(w, [[0.9, -1.9]], atol=1e-5)


def test_decay_shrinks_weights_and_not_biases():
    w, b = np.ones((2, 2), np.float32), np.ones(2, np.float32)
    Adam([w, b], rate=0.1, decay=0.5).step([np.zeros_like(w), np.zeros_like(b)])
    assert np.allclose(w, 0.95) and np.allclose(b, 1)


def test_it_learns_what_a_line_cannot():
    rng = np.random.default_rng(2)
    x = rng.uniform(-1, 1, (400, 2)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    net = Network.create([Layer(2, 16), Layer(16, 2, activation=LINEAR)], 2, rng)
    adam = Adam(net.parameters(), 0.01)
    for _ in range(400):
        _, g = cross_entropy(net.forward(x), np.eye(2, dtype=np.float32)[y], np.ones(400))
        net.backward(g.astype(np.float32))
        adam.step(net.gradients)
    assert (net.forward(x).argmax(1) == y).mean() > 0.96


def test_layers_that_do_not_fit():
    with pytest.raises(ValueError, match="layer 1 reads 9 values of 8"):
        Network([Layer(4, 4, 2, 4), Layer(9, 2)], 8)
