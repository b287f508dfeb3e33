"""The loss and its gradient against differences in float64, at radii up to those of long runs."""

from __future__ import annotations

import formula
import numpy as np
import pytest
import torch
from reference import infonce
from tsimcne_swift import _core


def embeddings(images: int, dimension: int, radius: float, offset: float, views: int = 2) -> np.ndarray:
    """Embeddings around a centre away from the origin, views of an image a hundredth of the radius apart."""
    unit = formula.uniform("points", (images, dimension), -1, 1, dimension)
    apart = formula.uniform("views", (views, images, dimension), -1, 1, dimension) / 100
    return np.concatenate(list((unit + apart) * np.float32(radius) + np.float32(offset)))


@pytest.mark.parametrize("pairs", [2, 37, 150])
@pytest.mark.parametrize("dimension, radius", [(2, 1e-2), (2, 1), (2, 160), (3, 5), (128, 1), (128, 20)])
@pytest.mark.parametrize("offset", [0, 3])
@pytest.mark.parametrize("metric, temperature", [("euclidean", 1.0), ("euclidean", 0.5), ("cosine", 0.5)])
def test_loss_and_gradient(pairs, dimension, radius, offset, metric, temperature, record_property):
    check(embeddings(pairs, dimension, radius, offset * radius), 2, metric, temperature, record_property)


@pytest.mark.parametrize("views", [3, 4])
@pytest.mark.parametrize("images", [2, 37, 100])
@pytest.mark.parametrize("dimension, radius", [(2, 1e-2), (2, 1), (2, 160), (3, 5), (64, 1), (128, 20)])
@pytest.mark.parametrize("metric, temperature", [("euclidean", 1.0), ("euclidean", 0.5), ("cosine", 0.5)])
def test_several_views(views, images, dimension, radius, metric, temperature, record_property):
    z = embeddings(images, dimension, radius, radius, views)
    check(z, views, metric, temperature, record_property)


def check(z, views, metric, temperature, record_property):
    exact = torch.from_numpy(z).double().requires_grad_()
    expected = infonce(exact, metric, temperature, views)
    expected.backward()
    gradient = np.empty_like(z)
    number = {"euclidean": _core.METRIC_CAUCHY, "cosine": _core.METRIC_COSINE}[metric]
    options = dict(views=views, metric=number, temperature=temperature)
    loss = _core.infonce(z, gradient, **options, threads=2)
    error = np.linalg.norm(gradient - exact.grad.numpy()) / exact.grad.norm().item()
    record_property("errors", f"{loss / expected.item() - 1:.1e} {error:.1e}")
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert error < 1e-3
    without = _core.infonce(z, None, **options, threads=1)
    assert without == loss


def test_random_embeddings_have_the_loss_of_guessing():
    z = np.zeros((64, 2), np.float32)
    for views in (2, 4):
        loss = _core.infonce(z, None, views=views, metric=_core.METRIC_CAUCHY, temperature=1.0, threads=1)
        assert loss == pytest.approx(np.log(63), rel=1e-6)
