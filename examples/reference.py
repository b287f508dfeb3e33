"""t-SimCNE in one page of NumPy: the method, without what makes it fast.

``python examples/reference.py`` maps scikit-learn's digits in about a minute. A test holds the Swift core
against this page. A batch of B vectors of P pixels makes N = 2B views; H hidden units, D outputs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

BATCH = 128
EVERYTHING, OUTPUT_LAYER = ("W1", "b1", "W2", "b2"), ("W2", "b2")
# Epochs, outputs, rate for a batch of 256, what is trained. The paper's are 1000, 50 and 450 epochs, 128, 2
# and 2 outputs, rates of 0.03, 0.03 and 0.00003, and a ResNet below the head. A short run wants higher rates.
STAGES = [(60, 64, 0.3, EVERYTHING), (5, 2, 0.3, OUTPUT_LAYER), (60, 2, 0.3, EVERYTHING)]

Parameters = dict[str, np.ndarray]


def view(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random view of each of (B, P) vectors: what may change without a change of meaning."""
    kept = rng.random(x.shape) > 0.3
    return x * kept + 0.1 * rng.standard_normal(x.shape)


def network(x: np.ndarray, p: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """Hidden units (N, H) and embeddings (N, D) of views (N, P)."""
    h = np.maximum(x @ p["W1"] + p["b1"], 0)
    return h, h @ p["W2"] + p["b2"]


def infonce(z: np.ndarray) -> tuple[float, np.ndarray]:
    """Loss of embeddings (N, D), of which rows i and i + B are views of one image, and its gradient.

    The loss of view i is -log [q(i, j) / Σ_k q(i, k)], where j is the other view of its image, k runs over
    all views but i, and q(i, k) = 1 / (1 + |z_i - z_k|²) is the similarity of t-SNE.
    """
    n = len(z)
    i, j = np.arange(n), np.roll(np.arange(n), n // 2)
    norms = (z**2).sum(axis=1)
    q = 1 / (1 + np.maximum(norms[:, None] + norms - 2 * z @ z.T, 0))
    q[i, i] = 0
    sums = q.sum(axis=1)
    loss = np.mean(np.log(sums) - np.log(q[i, j]))
    # N times the loss's derivative by log q(i, k), which stands in the sums of i and of k …
    g = q * (1 / sums[:, None] + 1 / sums)
    g[i, j] -= 2  # … and in both numerators, if it is a positive pair.
    # That of log q(i, k) by z_i is 2 q(i, k) (z_k - z_i).
    w = g * q
    return float(loss), 2 / n * (w @ z - w.sum(axis=1)[:, None] * z)


def step(x: np.ndarray, p: Parameters, velocity: Parameters, rate: float, trained: tuple[str, ...]) -> float:
    """A step of SGD with momentum and weight decay on views (N, P), in place; the loss before it."""
    h, z = network(x, p)
    loss, dz = infonce(z)
    dh = dz @ p["W2"].T * (h > 0)
    gradient = {"W1": x.T @ dh, "b1": dh.sum(axis=0), "W2": h.T @ dz, "b2": dz.sum(axis=0)}
    for name in trained:
        velocity[name] = 0.9 * velocity.get(name, 0) + gradient[name] + 5e-4 * p[name]
        p[name] = p[name] - rate * velocity[name]
    return loss


def layer(inputs: int, outputs: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Weights and biases, uniform between ±1/√inputs."""
    bound = inputs**-0.5
    return rng.uniform(-bound, bound, (inputs, outputs)), rng.uniform(-bound, bound, outputs)


def fit(x: np.ndarray, rng: np.random.Generator, hidden: int = 256) -> Iterator[tuple[float, Parameters]]:
    """Train on (n, P) vectors; after each stage, the loss of its last epoch and the parameters."""
    p = dict(zip(EVERYTHING, layer(x.shape[1], hidden, rng) + layer(hidden, STAGES[0][1], rng), strict=True))
    for epochs, outputs, peak, trained in STAGES:
        if outputs != p["W2"].shape[1]:
            # From many dimensions to the plane: a new output layer, with weights of deviation 1.
            p["W2"], p["b2"] = rng.standard_normal((hidden, outputs)), layer(hidden, outputs, rng)[1]
        velocity: Parameters = {}
        for epoch in range(epochs):
            rate = peak * BATCH / 256 * (1 + np.cos(np.pi * epoch / epochs)) / 2
            order = rng.permutation(len(x))
            batches = [x[order[start : start + BATCH]] for start in range(0, len(x), BATCH)]
            views = [np.concatenate([view(batch, rng), view(batch, rng)]) for batch in batches]
            losses = [step(both, p, velocity, rate, trained) for both in views]
        yield float(np.mean(losses)), p


if __name__ == "__main__":
    digits = load_digits()
    x = digits.data / 16
    for loss, p in fit(x, np.random.default_rng(0)):
        z = network(x, p)[1]
        accuracy = cross_val_score(KNeighborsClassifier(15), z, digits.target).mean()
        print(f"{z.shape[1]} dimensions: loss {loss:.2f}, kNN accuracy {accuracy:.2f}")
