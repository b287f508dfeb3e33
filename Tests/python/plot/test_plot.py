"""Pictures: what is in them, read back from matplotlib's own objects."""

import matplotlib
import numpy as np
import pytest
from PIL import Image
from tsimcne_swift import plot

matplotlib.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def blobs(n=300, classes=3):
    labels = np.arange(n) % classes
    centres = 10 * np.stack([np.cos(labels * 2), np.sin(labels * 2)], axis=1)
    return centres + np.random.default_rng(0).standard_normal((n, 2)), labels


@pytest.mark.parametrize(("n", "low", "high"), [(10, 60, 60), (20_000, 2, 20), (1_000_000, 0.3, 0.5)])
def test_points_shrink_with_their_number(n, low, high):
    points = plot.scatter(blobs(n)[0]).collections[0]
    assert len(points.get_offsets()) == n and low <= points.get_sizes()[0] <= high


def test_labels_have_colours_and_a_legend():
    Y, labels = blobs()
    labels[:10] = -1
    ax = plot.scatter(Y, labels, label_names=["a", "b", "c"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", "c"]
    assert len(np.unique(ax.collections[0].get_facecolors(), axis=0)) == 4


def test_names_on_the_map_lie_in_their_class():
    Y, labels = blobs()
    ax = plot.scatter(Y, labels, names="map")
    assert [text.get_text() for text in ax.texts] == ["0", "1", "2"]
    for text in ax.texts:
        distance = np.linalg.norm(Y - text.get_position(), axis=1)
        assert labels[distance.argmin()] == int(text.get_text())


def test_many_labels_have_many_colours():
    Y, labels = blobs(400, 40)
    ax = plot.scatter(Y, labels)
    assert len(ax.texts) == 40 and ax.get_legend() is None
    assert len(np.unique(ax.collections[0].get_facecolors(), axis=0)) == 40


def test_numbers_have_a_scale():
    Y, labels = blobs()
    ax = plot.scatter(Y, labels + 0.5)
    assert len(ax.figure.axes) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1, 2, 3]] * 5,), "Y: got 3 columns, want 2"),
        ((np.zeros((5, 2)), [1, 2]), r"labels: got shape \(2,\), want \(5,\)"),
    ],
)
def test_bad_maps(arguments, message):
    with pytest.raises(ValueError, match=message):
        plot.scatter(*arguments)
    with pytest.raises(ValueError, match="names: got 'above'"):
        plot.scatter(np.zeros((5, 2)), names="above")


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (8, 8, 3), (8, 8, 5)])
def test_gallery_has_no_overlap(shape):
    Y, labels = blobs()
    X = np.random.default_rng(0).integers(0, 256, (300, *shape), dtype=np.uint8)
    ax = plot.gallery(Y, X, labels, columns=12)
    boxes = np.array([image.get_extent() for image in ax.images])
    assert 10 < len(boxes) < 150
    middles = np.stack([boxes[:, :2].mean(axis=1), boxes[:, 2:].mean(axis=1)], axis=1)
    side = boxes[0, 1] - boxes[0, 0]
    apart = np.abs(middles[:, None] - middles[None]).max(axis=2)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() >= side
    assert len(ax.patches) == len(boxes)


def test_gallery_of_given_images():
    Y, _ = blobs()
    ax = plot.gallery(Y, np.zeros((300, 8, 8)), indices=[7, 8], background=False)
    assert len(ax.images) == 2 and len(ax.collections) == 0
    with pytest.raises(ValueError, match=r"X: got .* of shape"):
        plot.gallery(Y, np.zeros((3, 8, 8)))


def test_training_curve():
    rows = [{"stage": s, "epoch": e, "loss": 5.0 / e} for s in (1, 2) for e in (1, 2, 3)]
    ax = plot.training_curve(rows)
    assert [line.get_xdata().tolist() for line in ax.lines] == [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(ValueError, match="history: got an empty list"):
        plot.training_curve([])


def test_stages():
    Y, labels = blobs()
    axes = plot.stages([Y, 2 * Y], labels, titles=["first", "last"])
    assert [ax.get_title() for ax in axes] == ["first", "last"] and axes[0].get_legend() is None
    with pytest.raises(ValueError, match="titles: got 1, want one for each of 2"):
        plot.stages([Y, Y], titles=["first"])


def test_text_that_is_not_unicode(tmp_path):
    """Names of files may be any bytes."""
    text = b"stra\xdfe".decode("utf-8", "surrogateescape")
    Y, labels = blobs()
    for names in ("legend", "map"):
        ax = plot.scatter(Y, labels, label_names=[text] * (labels.max() + 1), names=names, title=text)
        ax.figure.savefig(tmp_path / "map.png")
        assert ax.get_title() == r"stra\xdfe"
    plot.gallery(Y, np.zeros((len(Y), 8, 8), np.uint8), title=text).figure.savefig(tmp_path / "map.png")
    plot.animation([Y, Y], tmp_path / "map.gif", titles=[text, text], between=1, fps=1)


def test_animation(tmp_path):
    Y, labels = blobs()
    plot.animation([Y, Y * [1, 2], Y], tmp_path / "map.gif", labels, between=3, fps=4)
    with Image.open(tmp_path / "map.gif") as film:
        assert film.n_frames >= 6
    with pytest.raises(ValueError, match=r"path: got .*want a name that ends in .gif or .mp4"):
        plot.animation([Y, Y], tmp_path / "map.png")
    with pytest.raises(ValueError, match="maps: got"):
        plot.animation([Y, Y[:5]], tmp_path / "map.gif")


def test_views_stand_beside_their_images():
    X = np.random.default_rng(0).integers(0, 256, (3, 12, 10, 3), dtype=np.uint8)
    picture = np.asarray(plot.views(X, "none", n_views=2).images[0].get_array())
    assert picture.shape == (3 * 13, 3 * 11 + 2, 3)
    for row in range(3):
        for left in (1, 14, 25):
            np.testing.assert_array_equal(picture[row * 13 + 1 :][:12, left : left + 10], X[row])
    turned = plot.views(X, n_views=2, title="as they are trained on")
    assert not np.array_equal(turned.images[0].get_array(), picture)
    assert turned.get_title() == "as they are trained on"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"augmentation": "text-like"}, "augmentation: got 'text-like'"),
        ({"n_views": 0}, "n_views: got 0"),
        ({"random_state": -1}, "random_state: got -1"),
    ],
)
def test_views_check_what_they_get(options, message):
    with pytest.raises(ValueError, match=message):
        plot.views(np.zeros((2, 8, 8), np.uint8), **options)
