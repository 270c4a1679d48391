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


def identity(n):
    """One layer that hands on its n inputs: what dropout lets through is its output."""
    layer = Layer(n, n, activation=LINEAR)
    layer.weights, layer.bias = np.eye(n, dtype=np.float32), np.zeros(n, np.float32)
    return Network([layer], n)


@pytest.mark.parametrize("dropout", [0.2, 0.5])
def test_dropout_is_scaled_so_that_the_mean_stays(dropout):
    """Srivastava et al. 2014, section 10: what is kept grows by 1 / (1 - dropout)."""
    x = np.ones((50, 400), np.float32)
    out = identity(400).forward(x, np.random.default_rng(3), dropout)
    assert np.allclose(np.unique(out), [0, 1 / (1 - dropout)])
    assert (out == 0).mean() == pytest.approx(dropout, abs=0.01)
    assert out.mean() == pytest.approx(1, abs=0.02)


def test_dropout_is_for_training_alone():
    x = np.ones((3, 8), np.float32)
    net = identity(8)
    assert (net.forward(x) == 1).all()
    assert (net.forward(x, None, 0.5) == 1).all()
    assert (net.forward(x, np.random.default_rng(3)) == 1).all()
    assert (net.forward(x, np.random.default_rng(3), 0.0) == 1).all()


def test_dropout_comes_before_the_last_layer_only():
    """With a first layer that hands on x, its own input is whole: its gradient shows x."""
    first, last = identity(6).layers[0], identity(6).layers[0]
    net = Network([first, last], 6)
    x = np.full((1, 6), 2, np.float32)
    out = net.forward(x, np.random.default_rng(5), 0.5)
    kept = out[0] > 0
    assert 0 < kept.sum() < 6
    net.backward(np.ones((1, 6), np.float32))
    # d out_j / d first.weights[i, j] is x_i * 2 where the value was kept, 0 elsewhere.
    assert (net.gradients[0] == np.where(kept, 4, 0)[None, :]).all()
    # d out_j / d last.weights[i, j] is what came through the dropout.
    assert (net.gradients[2] == np.where(kept, 4, 0)[:, None]).all()


def test_the_gradient_is_that_of_the_latest_forward_pass():
    net = identity(2)
    net.forward(np.float32([[5, 6]]))
    net.forward(np.float32([[1, 2]]))
    net.backward(np.float32([[1, 10]]))
    assert net.gradients[0].tolist() == [[1, 10], [2, 20]]


def test_a_relu_of_zero_has_no_gradient():
    net = Network([Layer(1, 1), Layer(1, 1, activation=LINEAR)], 1)
    for layer in net.layers:
        layer.weights, layer.bias = np.ones((1, 1), np.float32), np.zeros(1, np.float32)
    net.forward(np.float32([[0], [3], [-1]]))
    net.backward(np.float32([[1], [10], [100]]))
    assert [g.tolist() for g in net.gradients] == [[[30]], [10], [[30]], [111]]


def test_a_pool_of_two_hands_on_the_larger_and_its_gradient_goes_back_there():
    """Four places of one input each, in two pools; [5, 7] is taken from [5, 1, 2, 7]."""
    net = Network([Layer(1, 1, positions=4, step=1, pool=2, activation=LINEAR),
                   Layer(2, 1, activation=LINEAR)], 4)
    net.layers[0].weights, net.layers[0].bias = np.float32([[1]]), np.zeros(1, np.float32)
    net.layers[1].weights, net.layers[1].bias = np.float32([[1], [10]]), np.zeros(1, np.float32)
    assert net.forward(np.float32([[5, 1, 2, 7]])).tolist() == [[75]]
    net.backward(np.float32([[1]]))
    assert [g.tolist() for g in net.gradients] == [[[75]], [11], [[5], [7]], [1]]


def test_a_layer_may_read_the_front_of_its_input_alone():
    net = Network([Layer(3, 3, activation=LINEAR), Layer(2, 1, activation=LINEAR)], 4)
    net.layers[0].weights, net.layers[0].bias = np.eye(3, dtype=np.float32), np.zeros(3, "f4")
    net.layers[1].weights, net.layers[1].bias = np.float32([[1], [10]]), np.float32([0.5])
    assert net.forward(np.float32([[1, 2, 3, 4]])).tolist() == [[21.5]]
    net.backward(np.float32([[1]]))
    assert net.gradients[0].tolist() == [[1, 10, 0], [2, 20, 0], [3, 30, 0]]


def test_fresh_weights_have_the_spread_of_he():
    """Std sqrt(2 / fan-in) before a ReLU, sqrt(1 / fan-in) elsewhere."""
    layers = [Layer(50, 400), Layer(400, 300, activation=LINEAR)]
    net = Network.create(layers, 50, np.random.default_rng(1))
    assert [p.shape for p in net.parameters()] == [(50, 400), (400,), (400, 300), (300,)]
    assert {p.dtype for p in net.parameters()} == {np.dtype(np.float32)}
    relu, linear = layers[0].weights, layers[1].weights
    assert relu.std() == pytest.approx((2 / 50) ** 0.5, rel=0.02)
    assert linear.std() == pytest.approx((1 / 400) ** 0.5, rel=0.02)
    assert abs(relu.mean()) < 0.005 and abs(linear.mean()) < 0.001
    assert not layers[0].bias.any() and not layers[1].bias.any()


def test_what_a_layer_reads_and_hands_on():
    layer = Layer(12, 5, positions=9, step=6, pool=3)
    assert (layer.inputs_used, layer.size) == (60, 15)
    assert Network([layer], 60).inputs == 60
    with pytest.raises(ValueError, match="layer 0 reads 60 values of 59"):
        Network([layer], 59)
    plain = Layer(4, 2)
    assert (plain.positions, plain.step, plain.pool, plain.activation) == (1, 0, 1, "relu")
    assert plain.weights.shape == (0, 0) and plain.bias.shape == (0,)


def test_effective_weights_are_used_both_ways():
    """Training for few bits: forward and backward see the rounded weights of that layer."""
    layers = [Layer(1, 1, activation=LINEAR), Layer(1, 1, activation=LINEAR)]
    net = Network(layers, 1)
    for layer in layers:
        layer.weights, layer.bias = np.float32([[1.4]]), np.zeros(1, np.float32)
    net.effective = lambda weights, i: np.rint(weights) + i  # 1 and 2
    assert net.forward(np.float32([[3]])).tolist() == [[6]]
    net.backward(np.float32([[1]]))
    assert [g.item() for g in net.gradients] == [6, 2, 3, 1]


def test_a_network_with_other_parameters_shares_none():
    net = Network.create([Layer(2, 3), Layer(3, 2, activation=LINEAR)], 2,
                         np.random.default_rng(1))
    before = [p.copy() for p in net.parameters()]
    values = [p + 1 for p in before]
    other = net.with_parameters(values)
    for kept, old in zip(net.parameters(), before, strict=True):
        assert (kept == old).all()
    for now, value in zip(other.parameters(), values, strict=True):
        assert (now == value).all()
    for value in values:
        value[:] = 99
    assert all(p.max() < 99 for p in other.parameters())
    assert other.inputs == 2
    assert [layer.activation for layer in other.layers] == ["relu", "linear"]


def test_cross_entropy_by_hand():
    """Two rows, of which the second counts three times; p = [1/4, 3/4] and [1/2, 1/2]."""
    logits = np.array([[0.0, np.log(3)], [5.0, 5.0]])
    targets = np.array([[0.0, 1.0], [1.0, 0.0]])
    loss, gradient = cross_entropy(logits, targets, np.array([1.0, 3.0]))
    assert loss == pytest.approx(0.25 * np.log(4 / 3) + 0.75 * np.log(2))
    assert gradient == pytest.approx(np.array([[0.0625, -0.0625], [-0.375, 0.375]]))


def test_a_certain_mistake_costs_much_and_not_infinitely():
    loss, _ = cross_entropy(np.array([[1e4, 0.0]]), np.array([[0.0, 1.0]]), np.ones(1))
    assert loss == pytest.approx(-np.log(1e-12))


def test_softmax_by_hand():
    assert softmax(np.log([[1.0, 3.0], [2.0, 2.0]])) == pytest.approx(
        np.array([[0.25, 0.75], [0.5, 0.5]]))


def test_softmax_of_huge_logits():
    p = softmax(np.array([[1e4, 0.0, -1e4]]))
    assert np.isfinite(p).all() and p[0, 0] == 1


def test_adam_first_step_is_the_rate():
    """Bias correction makes the first step -rate * sign(gradient) (Kingma & Ba, algorithm 1)."""
    w = np.float32([[1.0, -2.0]])
    Adam([w], rate=0.1).step([np.float32([[3.0, -0.5]])])
    assert np.allclose(w, [[0.9, -1.9]], atol=1e-5)


def test_adam_second_step_by_hand():
    """Gradients 3, then -1 (Kingma & Ba, algorithm 1); the second step has its own rate.

    m = 0.9 * 0.3 - 0.1 = 0.17, over 1 - 0.9**2 = 0.19; v = 0.999 * 0.009 + 0.001 = 0.009991,
    over 1 - 0.999**2 = 0.001999.
    """
    w = np.array([1.0])
    adam = Adam([w], rate=0.1)
    adam.step([np.array([3.0])])
    adam.step([np.array([-1.0])], rate=0.2)
    assert w[0] == pytest.approx(0.9 - 0.2 * (0.17 / 0.19) / (0.009991 / 0.001999) ** 0.5,
                                 abs=1e-7)
    assert adam.rate == 0.1


def test_adam_starts_with_the_paper_s_settings():
    adam = Adam([np.zeros(1)])
    assert (adam.rate, adam.decay, adam.beta1, adam.beta2, adam.epsilon) == (
        1e-3, 0, 0.9, 0.999, 1e-8)


def test_a_tiny_gradient_makes_a_tiny_step():
    """Where epsilon outweighs it: 1e-10 / (1e-10 + 1e-8) of the rate."""
    w = np.array([0.0])
    Adam([w], rate=1.0).step([np.array([1e-10])])
    assert w[0] == pytest.approx(-1 / 101)


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
