"""A network of one hidden layer from scratch, with NumPy alone: forward, backward, update.

    python examples/xor_from_scratch.py

Two sigmoid neurons learn XOR by steps of 0.1 down the gradient of the squared error,
all four examples at once. The program is that of a text which says numpy.random.seed(42)
and prints "Output (example)" losses of 0.2703, 0.2496, 0.2427 ... 0.0019. They are not
what it gives: from seed 42 it goes from 0.2558 to 0.125 and stays there, two of four
examples answered by 0.5, as so small a network does from a quarter of its starts (27 of
the seeds 0 to 99). Nor do other usual ways to draw the weights, or biases drawn, too,
start at 0.2703 from that seed. Seed 698 was searched for: from it the losses fall as
printed, to 0.003. docs/microMLP.md names wider networks and settings that always learn it.
"""

import numpy as np

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
Y = np.array([[0], [1], [1], [0]], float)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def train(seed, epochs=10_000, rate=0.1, hidden=2):
    """Losses after each epoch, (epochs,), and the last predictions, (4, 1)."""
    rng = np.random.RandomState(seed)
    w1, b1 = rng.randn(2, hidden), np.zeros((1, hidden))
    w2, b2 = rng.randn(hidden, 1), np.zeros((1, 1))
    losses = []
    for _ in range(epochs):
        a1 = sigmoid(X @ w1 + b1)
        a2 = sigmoid(a1 @ w2 + b2)
        losses.append(np.mean((Y - a2) ** 2))
        d2 = (a2 - Y) * a2 * (1 - a2)  # the sigmoid's derivative is a * (1 - a)
        d1 = d2 @ w2.T * a1 * (1 - a1)
        w2 -= rate * a1.T @ d2
        b2 -= rate * d2.sum(axis=0, keepdims=True)
        w1 -= rate * X.T @ d1
        b1 -= rate * d1.sum(axis=0, keepdims=True)
    return np.array(losses), a2


def main():
    for seed in (42, 698):
        print("Seed", seed)
        losses, predictions = train(seed)
        for epoch in range(0, len(losses), 1000):
            print(f"Epoch {epoch}, Loss: {losses[epoch]:.4f}")
        print("Predictions:", predictions.ravel().round(2))


if __name__ == "__main__":
    main()
