"""Features of images by the words of their patches."""

import numpy as np
import pytest
from helpers import assert_same_bits, images, small
from tsimcne_swift import TSimCNE, _core, recipes
from tsimcne_swift._algebra.evened import ARRAYS as EVENED
from tsimcne_swift._inputs.images import Images
from tsimcne_swift._patches.vocabulary import DEPTH, FEWEST, geometry, vocabulary
from tsimcne_swift._patches.words import ARRAYS, FEATURES, PatchWords
from tsimcne_swift._storage.safetensors import encode, read
from tsimcne_swift._training import forecast
from tsimcne_swift._training.one_rank import OneRank
from tsimcne_swift._training.plan import make_plan


def stripes(n, seed=0, size=(20, 24)):
    """Images of stripes, upright or level, at random places, in noise."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, n)
    result = random.normal(128, 12, (n, *size, 1))
    for image, label, shift in zip(result, labels, random.integers(0, 6, n), strict=True):
        line = np.where((np.arange(max(size)) + shift) % 6 < 3, 60, -60)
        image[..., 0] += line[: size[0], None] if label else line[None, : size[1]]
    return np.clip(result, 0, 255).astype(np.uint8), labels


@pytest.mark.parametrize("height", [8, 13, 20, 32])
@pytest.mark.parametrize("channels", [1, 3, 5, 40, 128])
def test_patches_have_not_too_many_values(height, channels):
    kind = geometry(height, 32, channels)
    assert 2 <= kind.side <= 6 and kind.side <= height and kind.side**2 * channels <= DEPTH


def test_too_many_channels_have_no_patches():
    assert geometry(32, 32, 129) is None


def test_whitening_evens_out_what_patches_vary_in():
    X, _ = stripes(300)
    kind = geometry(20, 24, 1)
    whitening, words = vocabulary(X, kind, 50, 1)
    assert words.shape == (50, len(whitening))
    np.testing.assert_allclose(np.linalg.norm(words, axis=1), 1, atol=1e-5)
    windows = np.lib.stride_tricks.sliding_window_view(X[..., 0] / 255.0, (6, 6), axis=(1, 2))
    patches = (windows - (X / 255.0).mean(axis=(1, 2))[:, :, None, None, None]).reshape(-1, 36)
    covariance = np.cov((patches @ whitening.T).T)
    variances = np.diag(covariance)
    np.testing.assert_allclose(covariance, np.diag(variances), atol=0.1)
    assert variances.max() < 1.2 and variances.min() > 0.4


def test_patches_are_compared_along_directions_in_which_they_vary():
    noise = np.random.default_rng(0).integers(0, 256, (300, 20, 20, 1), dtype=np.uint8)
    kind = geometry(20, 20, 1)
    assert vocabulary(noise, kind, 9, 1)[0].shape == (36, 36)
    smooth = np.repeat(np.repeat(noise[:, ::5, ::5], 5, axis=1), 5, axis=2)
    components = len(vocabulary(smooth, kind, 9, 1)[0])
    assert FEWEST <= components < 30
    plain = np.full_like(noise, 7)
    assert not vocabulary(plain, kind, 9, 1)[0].any()


def test_words_tell_what_is_shown():
    X, labels = stripes(400)
    words = PatchWords.of(Images(X[:300]), 64, 1)
    rows = words.describe(Images(X), 1)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    nearest = (rows[300:] @ rows[:300].T).argmax(axis=1)
    assert (labels[nearest] == labels[300:]).mean() > 0.95


def test_an_image_does_not_depend_on_the_others_nor_on_threads():
    X, _ = stripes(40)
    words = PatchWords.of(Images(X), 32, 2)
    rows = words.describe(Images(X), 2)
    assert_same_bits(PatchWords.of(Images(X), 32, 1).describe(Images(X), 1), rows)
    assert_same_bits(words.describe(Images(X), 1, slice(11, 14)), rows[11:14])
    assert_same_bits(words.describe(Images(X), 1, np.array([5, 2])), rows[[5, 2]])


@pytest.mark.parametrize("shape", [(2, 8, 8), (3, 8, 40, 3), (30, 70, 90), (9, 12, 12, 60)])
def test_any_images(shape):
    X = images(shape[0], shape[1:])
    rows = PatchWords.of(Images(X), 16, 1).describe(Images(X), 1)
    assert rows.shape[0] == len(X) and rows.shape[1] <= FEATURES and np.isfinite(rows).all()


def test_images_without_contrast():
    X = Images(np.full((30, 8, 8), 77, np.uint8))
    assert np.isfinite(PatchWords.of(X, 16, 1).describe(X, 1)).all()


# --------------------------------------------------------------------- the estimator


@pytest.fixture(scope="module")
def fitted():
    return small(patch_words=40).fit(images(100))


def test_features_are_those_of_the_network_and_of_patches(fitted):
    X = images(100)
    alone = small(patch_words=0).fit(X)
    network, both = alone.features(X), fitted.features(X)
    columns = network.shape[1]
    assert_same_bits(both[:, :columns], network)
    seen = np.hypot(1, recipes.LAST_LEVEL_WEIGHT)
    np.testing.assert_allclose(np.linalg.norm(network, axis=1), seen, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(both[:, columns:], axis=1), recipes.PATCHES_WEIGHT, rtol=1e-5)
    assert not np.array_equal(alone.embedding_, fitted.embedding_)


def test_a_file_keeps_them(fitted, tmp_path):
    X, new = images(100), images(130)[100:]
    fitted.save(tmp_path / "model")
    loaded = TSimCNE.load(tmp_path / "model")
    assert loaded.patch_words == 40
    for part in (X, new):
        assert_same_bits(loaded.features(part), fitted.features(part))
        assert_same_bits(loaded.transform(part), fitted.transform(part))


@pytest.mark.parametrize(
    "key",
    [
        *(f"patches.{name}" for name in (*ARRAYS, *EVENED)),
        *(f"parts.{name}" for name in EVENED),
    ],
)
@pytest.mark.parametrize("damage", ["gone", "type", "shape", "values"])
def test_damaged_files_are_said(fitted, key, damage, tmp_path):
    path = tmp_path / "model.safetensors"
    fitted.save(path)
    tensors, document = read(str(path))
    value = tensors[key]
    if damage == "gone":
        del tensors[key]
    elif damage == "type":
        tensors[key] = value.astype(np.float64)
    elif damage == "shape":
        tensors[key] = value[:-1]
    elif value.dtype == np.int8:
        return
    else:
        tensors[key] = np.full_like(value, np.nan)
    path.write_bytes(encode(tensors, document))
    with pytest.raises(ValueError, match=r"model.safetensors: is damaged: (patches|parts)\.\w+: "):
        TSimCNE.load(path)


@pytest.mark.parametrize(
    ("wish", "seconds", "wanted"),
    [("auto", 1.0, 1024), ("auto", 100.0, 128), ("auto", 1e9, 0), (512, 1e9, 512), (0, 1.0, 0)],
)
def test_a_short_time_has_fewer_words(wish, seconds, wanted, monkeypatch):
    """So many words as take a fifth of the time, where they are not asked for."""
    monkeypatch.setattr(forecast, "patch_seconds", lambda shape, count, threads: seconds * count / 1024)
    model = small(patch_words=wish, max_time=100, total_epochs=[0.1, 0.1, 0.1])
    ranks = OneRank()
    assert forecast.affordable_words(make_plan(model, images(), False, ranks)) == (
        wanted,
        seconds * wanted / 1024,
    )
    without = small(patch_words=wish)
    count, _ = forecast.affordable_words(make_plan(without, images(), False, ranks))
    assert count == max(wanted, 1024 * (wish == "auto"))


def test_the_number_of_words_is_told(fitted):
    assert fitted.patch_words_ == 40
    assert small().fit(images()).patch_words_ == 1024
    assert small(plane="parametric").fit(images()).patch_words_ == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patch_words": -1}, "patch_words: got -1, want a whole number from 1 to 65536"),
        ({"patch_words": 1.5}, "patch_words: got 1.5"),
        ({"patch_words": "many"}, "patch_words: got 'many', want one of"),
        ({"patch_words": True}, "patch_words: got True"),
        ({"patch_words": 9, "plane": "parametric"}, "patch_words: got 9, but the map is that of the head"),
    ],
)
def test_wrong(changes, message):
    with pytest.raises((ValueError, TypeError), match=message):
        small(**changes).fit(images())


def test_vectors_have_no_patches():
    X = np.random.default_rng(0).standard_normal((40, 6))
    with pytest.raises(ValueError, match="patch_words: got 9, but feature vectors have no patches"):
        TSimCNE(backbone="identity", patch_words=9, total_epochs=[1, 1, 1]).fit(X)
    with pytest.raises(ValueError, match=r"patch_words: got 9 for images of too many channels \(130\)"):
        small(patch_words=9).fit(images(20, (8, 8, 130)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"side": 65}, "patches.side: got 65, want 1 to 64"),
        ({"side": 0}, "patches.side"),
        ({"stride": 0}, "patches.stride: got 0"),
        ({"threshold": float("nan")}, "patches.threshold"),
        ({"cells": 4}, "patches.cells: got 4, want 1 to 3"),
        ({"words": 3}, "whitening, word_values, vectors: want shapes"),
        ({"dimension": 3}, "whitening, word_values, vectors: want shapes"),
        ({"whitening": np.eye(5, dtype=np.float32)}, "whitening, word_values, vectors: want shapes"),
        ({"components": 3}, "whitening, word_values, vectors: want shapes"),
        ({"components": 0}, "patches.components: got 0, want 1 to 4096"),
        ({"whitening": np.eye(4)}, "whitening: got values of format 'd'"),
        ({"size": 3}, "size"),
    ],
)
def test_wrong_calls_of_the_core(changes, message):
    X = np.zeros((2, 8, 8, 1), np.uint8)
    given = {"side": 2, "stride": 3, "words": 2, "threshold": 0.3, "dimension": 5, "cells": 2}
    given |= {
        "components": 4,
        "whitening": np.eye(4, dtype=np.float32),
        "word_values": np.eye(2, 4, dtype=np.float32),
        "vectors": np.ones((2, 5), np.float32),
        "threads": 1,
    }
    output = np.empty((2, 20), np.float32)
    _core.describe_patches(X, output, **given)
    with pytest.raises((ValueError, TypeError), match=message):
        _core.describe_patches(X, output, **given | changes)
    with pytest.raises(ValueError, match="output_count: got 38, want 40"):
        _core.describe_patches(X, np.empty((2, 19), np.float32), **given)
