"""Copies that were planted among images of which none is another's: what is found, and what is not fused."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_sample_images
from tsimcne_swift import datasets, inspect

SIZE, COUNT = 48, 300


def as_bytes(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def dark(random, noise=4.0):
    """Crops of a fluorescence microscope: one to three spots on noise."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    images = np.full((COUNT, SIZE, SIZE), 12.0) + random.normal(0, noise, (COUNT, SIZE, SIZE))
    for image in images:
        for _ in range(random.integers(1, 4)):
            row, column, width = *random.uniform(4, SIZE - 4, 2), random.uniform(1.5, 3)
            distances = (rows - row) ** 2 + (columns - column) ** 2
            image += random.uniform(30, 70) * np.exp(-distances / (2 * width**2))
    return as_bytes(images)


def plain(random):
    """Light walls with a spot, in colour."""
    rows, columns = np.mgrid[:SIZE, :SIZE] / SIZE
    images = []
    for _ in range(COUNT):
        slope = random.uniform(-10, 10, (2, 3))
        image = random.uniform(200, 240, 3) + rows[..., None] * slope[0] + columns[..., None] * slope[1]
        row, column, radius = *random.uniform(0.2, 0.8, 2), random.uniform(0.06, 0.15)
        is_spot = (rows - row) ** 2 + (columns - column) ** 2 < radius**2
        images.append(np.where(is_spot[..., None], image - random.uniform(15, 40, 3), image))
    return as_bytes(np.array(images) + random.normal(0, 2, (COUNT, SIZE, SIZE, 3)))


def textured(random):
    images = []
    for width in random.uniform(0.7, 2, COUNT):
        grain = gaussian_filter(random.normal(0, 1, (SIZE, SIZE)), width)
        images.append(random.uniform(100, 150) + random.uniform(10, 30) * grain / grain.std())
    return as_bytes(np.array(images))


def natural(random):
    """Pieces of a photograph that do not overlap by more than a half, sideways."""
    photo = load_sample_images().images[1]
    places = [(i, j) for i in range(0, 427 - SIZE, SIZE) for j in range(0, 640 - SIZE, SIZE // 2)]
    return np.array([photo[i : i + SIZE, j : j + SIZE] for i, j in random.permutation(places)])


def clothes(random):
    return datasets.load_fashion_mnist("test").images[random.permutation(10_000)[:COUNT]]


SETS = {
    "dark": dark, "darker": lambda random: dark(random, 2), "noisy": lambda random: dark(random, 8),
    "plain": plain, "textured": textured, "natural": natural, "clothes": clothes,
}  # fmt: skip


def jpeg(image, quality):
    file = io.BytesIO()
    Image.fromarray(image.squeeze()).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).reshape(image.shape)


def resized(image):
    picture = Image.fromarray(image.squeeze())
    small = [side * 3 // 4 for side in picture.size]
    return np.asarray(picture.resize(small, 3).resize(picture.size, 3)).reshape(image.shape)


CHANGES = (
    lambda image, random: image,
    lambda image, random: np.roll(image, 1, axis=int(random.integers(2))),
    lambda image, random: as_bytes(image + random.normal(0, 4, image.shape)),
    lambda image, random: as_bytes(image + random.normal(0, 8, image.shape)),
    lambda image, random: jpeg(image, 50),
    lambda image, random: jpeg(image, 80),
    lambda image, random: resized(image),
)
LIGHTS = (
    lambda image: as_bytes(0.8 * image.astype(float)),
    lambda image: jpeg(as_bytes(0.9 * image.astype(float) + 8), 80),
)


def pairs(found, *kinds):
    groups = [group for group, kind in zip(found.groups, found.kinds, strict=True) if kind in kinds]
    return {(int(a), int(b)) for group in groups for a in group for b in group if a < b}


@pytest.mark.parametrize("name", SETS)
def test_planted_copies_are_found_and_nothing_else(name):
    random = np.random.default_rng(0)
    X = SETS[name](random)
    sources = random.permutation(len(X))[: 10 * len(CHANGES)]
    copies = [CHANGES[place % len(CHANGES)](X[i], random) for place, i in enumerate(sources)]
    planted = {(int(i), len(X) + place) for place, i in enumerate(sources)}
    exact = {(int(i), len(X) + place) for place, i in enumerate(sources) if place % len(CHANGES) == 0}
    found = inspect.duplicates(np.concatenate([X, copies]))
    assert pairs(found, "exact") == exact
    hits = pairs(found, "exact", "near") & planted
    assert len(hits) >= 0.985 * len(planted) and len(hits) >= 0.99 * len(pairs(found, "exact", "near"))


@pytest.mark.parametrize("name", SETS)
def test_copies_in_another_light_are_found_and_nothing_else(name):
    """But for sky and ground out of focus, which little but their light tells from others."""
    random = np.random.default_rng(0)
    X = SETS[name](random)
    sources = random.permutation(len(X))[:20]
    copies = [LIGHTS[place % 2](X[i]) for place, i in enumerate(sources)]
    planted = {(int(i), len(X) + place) for place, i in enumerate(sources)}
    found = pairs(inspect.duplicates(np.concatenate([X, copies])), "near")
    assert len(found & planted) >= (14 if name == "natural" else 18) and len(found - planted) <= 1


@pytest.mark.parametrize("name", SETS)
def test_different_images_are_not_fused(name):
    """By chance two walls may have the same spot."""
    groups = inspect.duplicates(SETS[name](np.random.default_rng(1))).groups
    assert sum(map(len, groups)) <= 2


def part(image, random, share=0.75):
    """A part of an image, enlarged to its size."""
    height, width = (round(share * side) for side in image.shape[:2])
    top, left = (
        int(random.integers(side - length + 1))
        for side, length in ((image.shape[0], height), (image.shape[1], width))
    )
    cut = Image.fromarray(image[top : top + height, left : left + width].squeeze())
    return np.asarray(cut.resize(image.shape[1::-1], 3)).reshape(image.shape)


@pytest.mark.parametrize("name", ["textured", "natural"])
def test_parts_and_mirrored_copies_are_found_where_they_are_asked_for(name):
    """Of a photograph's pieces, which overlap, some are parts of others, nearly."""
    random = np.random.default_rng(0)
    X = SETS[name](random)
    sources = random.permutation(len(X))[:30]
    cropped = [part(X[i], random) for i in sources[:20]]
    mirrored = [jpeg(X[i, :, ::-1], 80) for i in sources[20:]]
    planted = {(int(i), len(X) + place) for place, i in enumerate(sources)}
    everything = np.concatenate([X, cropped, mirrored])
    found = inspect.duplicates(everything, also=("mirrored", "cropped"))
    assert len(pairs(found, "cropped") & planted) >= 17 and len(pairs(found, "mirrored") & planted) == 10
    assert len(pairs(found, *found.kinds)) <= (36 if name == "natural" else 31)
    distances = [found.distances[place] for place, kind in enumerate(found.kinds) if kind == "cropped"]
    assert distances == sorted(distances) and max(distances) < 30
    if name == "textured":
        assert pairs(inspect.duplicates(everything), "near") == set()


def test_exact_and_near_copies_are_kept_apart():
    random = np.random.default_rng(0)
    X = dark(random)
    near = as_bytes(X[:3] + random.normal(0, 4, X[:3].shape))
    found = inspect.duplicates(np.concatenate([X, X[:2], X[:1], near]))
    assert found.kinds == ["exact"] * 2 + ["near"] * 3
    assert [group.tolist() for group in found.groups[:2]] == [[0, 300, 302], [1, 301]]
    assert found.distances[:2].tolist() == [0, 0]
    # The first of exact copies stands for them.
    assert sorted(group.tolist() for group in found.groups[2:]) == [[0, 303], [1, 304], [2, 305]]
    assert (found.distances[2:] > 0.5).all() and (found.distances[2:] < 4).all()


@pytest.mark.parametrize("copies", [1, 9])
def test_sets_of_little_but_copies(copies):
    """What differs in a set is still known where each image has a copy, and where some have many."""
    random = np.random.default_rng(0)
    X = dark(random)
    chosen = range(len(X)) if copies == 1 else range(0, 50, 10)
    more = [as_bytes(X[i] + random.normal(0, 4, X[i].shape)) for i in chosen for _ in range(copies)]
    found = inspect.duplicates(np.concatenate([X, more]))
    wanted = [
        [i, *range(len(X) + copies * place, len(X) + copies * (place + 1))] for place, i in enumerate(chosen)
    ]
    assert sorted(group.tolist() for group in found.groups) == wanted


def test_two_images_are_enough():
    random = np.random.default_rng(0)
    X = dark(random)
    copy = as_bytes(X[0] + random.normal(0, 4, X[0].shape))
    assert [group.tolist() for group in inspect.duplicates(np.stack([X[0], copy])).groups] == [[0, 1]]
    assert inspect.duplicates(X[:2]).groups == []


@pytest.mark.parametrize("shape", [(8, 500), (300, 2, 3), (5, 5, 7), (200, 150, 3)])
def test_images_of_any_shape(shape):
    random = np.random.default_rng(0)
    X = random.integers(0, 256, (30, *shape), dtype=np.uint8)
    X[20] = X[3]
    assert [3, 20] in [group.tolist() for group in inspect.duplicates(X).groups]
