"""The loss, its gradient and that of the temperature against the modules of tsimcne 0.4.24."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from test_parity_loss import embeddings
from tsimcne_swift import _core

FILE = Path(sys.prefix) / "tsimcne-0.4" / "tsimcne" / "losses" / "infonce.py"
STUDENT_T, COSINE, GAUSSIAN = 2, 1, 3


@pytest.fixture(scope="module")
def theirs():
    spec = importlib.util.spec_from_file_location("infonce_of_tsimcne_04", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# tau multiplies squared distances there, and 2 tau d² stands where T² d² does here.
CASES = {
    "Cauchy": ("InfoNCECauchy", {"temperature": 0.5}, STUDENT_T, 1.0, 1.0),
    "Cauchy, tau 1": ("InfoNCECauchy", {"temperature": 1.0}, STUDENT_T, 2**0.5, 1.0),
    "Student t, 3": ("InfoNCET", {"dof": 3, "temperature": 0.5}, STUDENT_T, 1.0, 3.0),
    "Student t, 12": ("InfoNCET", {"dof": 12, "temperature": 1.0}, STUDENT_T, 2**0.5, 12.0),
    "cosine": ("InfoNCECosine", {"temperature": 0.5}, COSINE, 0.5, 1.0),
    "Gaussian": ("InfoNCEGaussian", {"temperature": 0.5}, GAUSSIAN, 0.5, 1.0),
    "Cauchy, trained": ("CauchyTemp", {"temperature": 0.5}, STUDENT_T, 1.0, 1.0),
    "cosine, trained": ("CosineTemp", {"temperature": 0.5}, COSINE, 0.5, 1.0),
}


@pytest.mark.parametrize("dimension, radius", [(2, 1), (2, 5), (25, 0.5), (128, 0.3)])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_loss_and_gradient(theirs, case, dimension, radius):
    name, options, metric, temperature, degrees = case
    # With more than 25 pairs theirs has distances from products, which lose the small ones.
    z = embeddings(20, dimension, radius, 0)
    exact = torch.from_numpy(z).requires_grad_()
    loss = getattr(theirs, name)(**options)(exact)["loss"]
    loss.backward()
    gradient = np.empty_like(z)
    options = dict(views=2, metric=metric, temperature=temperature, degrees=degrees, threads=2)
    assert _core.infonce(z, gradient, **options) == pytest.approx(loss.item(), rel=1e-5, abs=1e-6)
    error = np.linalg.norm(gradient - exact.grad.numpy()) / exact.grad.norm().item()
    assert error < 1e-3
