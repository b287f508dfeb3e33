"""Sets that come with Debian and scikit-learn."""

import numpy as np
import pytest
from tsimcne_swift import datasets


def test_fashion_mnist():
    found = datasets.load_fashion_mnist("test")
    assert found.images.shape == (10000, 28, 28, 1) and np.bincount(found.labels).tolist() == [1000] * 10
    assert found.label_names[9] == "Ankle-boot"
    assert len(datasets.load_fashion_mnist()) == 70000
    with pytest.raises(ValueError, match="split: got 'valid'"):
        datasets.load_fashion_mnist("valid")
    with pytest.raises(FileNotFoundError, match="dataset-fashion-mnist"):
        datasets.load_fashion_mnist(path="/nowhere")


def test_digits():
    found = datasets.load_digits()
    assert found.images.shape == (1797, 8, 8, 1) and found.images.max() == 255
    assert len(found.label_names) == 10


def test_emoji():
    found = datasets.load_emoji(24)
    assert found.images.shape[1:] == (24, 24, 3) and 1500 < len(found) < 4000
    assert "Animals & Nature" in found.label_names and "grinning face" in found.names
    # White around, colours within.
    assert (found.images[:, 0, 0] > 200).mean() > 0.5 and found.images.std(axis=3).mean() > 10
    assert len(np.unique(found.images.reshape(len(found), -1), axis=0)) > 0.95 * len(found)
    with pytest.raises(FileNotFoundError, match="fonts-noto-color-emoji"):
        datasets.load_emoji(font="/nowhere.ttf")
