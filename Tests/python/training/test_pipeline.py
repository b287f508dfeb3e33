"""Views that a function of the user's makes, and the operations that no preset has."""

import numpy as np
import pytest
from helpers import assert_same_bits, images, small
from tsimcne_swift import Augmentation, Stage, TSimCNE

X = images(60)
FLOATS = (X / np.float32(255)).astype(np.float32)
STAGES = [
    Stage(2, 8),
    Stage(1, 2, "output"),
    Stage(1, 2, neighbors=4),
    Stage(1, 2, "output", "keep", augmentation="none", lr=0.0),
    Stage(2, 2, "head", neighbors=3, inputs="features", optimizer="adamw"),
]


def itself(images, rng):
    return images


def noisy(images, rng):
    assert images.flags.writeable and images.dtype == np.uint8
    images[:] = np.clip(images + rng.normal(0, 20, images.shape), 0, 255)
    return images[:, :, :: rng.choice([-1, 1])]


@pytest.mark.parametrize("stages", [[2, 1, 2], STAGES], ids=["three stages", "neighbours"])
def test_the_images_themselves_are_no_augmentation(stages):
    ours = small(augmentation=itself, total_epochs=stages).fit_transform(FLOATS)
    assert_same_bits(ours, small(augmentation="none", total_epochs=stages).fit_transform(FLOATS))


def test_the_same_bits_whatever_happens(tmp_path):
    before = X.copy()
    options = {"augmentation": noisy, "total_epochs": STAGES, "n_views": 3}
    whole = small(**options).fit(X)
    assert (before == X).all()
    path = tmp_path / "run.ckpt"

    for place in range(1, 8):

        def stop(record, seen=[], place=place):  # noqa: B006
            seen.append(record)
            if len(seen) == place:
                raise KeyboardInterrupt

        path.unlink(missing_ok=True)
        with pytest.raises(KeyboardInterrupt):
            small(**options, checkpoint=path, callbacks=stop).fit(X)
        assert_same_bits(small(**options, checkpoint=path).fit(X, resume=True).embedding_, whole.embedding_)
    other = small(**options | {"random_state": 4}).fit_transform(X)
    assert (other != whole.embedding_).any()
    whole.save(tmp_path / "model.safetensors")
    loaded = TSimCNE.load(tmp_path / "model.safetensors")
    assert loaded.augmentation == "natural"
    assert_same_bits(loaded.transform(X), whole.embedding_)


def test_every_view_is_another():
    """The function makes as many views of each image as there are, in batches of the images."""
    seen = []

    def watch(images, rng):
        seen.append((len(images), rng.integers(1 << 60)))
        return images

    small(augmentation=watch, total_epochs=[1], n_views=3, batch_size=16).fit(X)
    assert sum(count for count, _ in seen) == 3 * len(X)
    assert len({number for _, number in seen}) == len(seen)


def test_the_default_recipe():
    model = small(augmentation=itself, total_epochs="fast", max_time=1, verbose=1).fit(X)
    assert all(stage.image_size is None for stage in model.stages_)
    assert np.isfinite(model.embedding_).all()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda images, rng: images[:1], "shape"),
        (lambda images, rng: images.tolist() and None, "shape"),
        (lambda images, rng: images.astype(np.int32), "uint8 or floats"),
        (lambda images, rng: images.astype(np.float32), r"outside of \[0, 1\]"),
        (lambda images, rng: np.full(images.shape, np.nan), r"outside of \[0, 1\]"),
    ],
)
def test_what_is_no_view_is_refused(function, message):
    with pytest.raises(ValueError, match=f"^augmentation: got .*{message}"):
        small(augmentation=function).fit(X)


def test_errors_of_the_function_are_the_callers():
    with pytest.raises(ZeroDivisionError):
        small(augmentation=lambda images, rng: 1 / 0).fit(X)


@pytest.mark.parametrize("stage", [Stage(1, 2, image_size=8), Stage(1, 2, augmentation="text")])
def test_stages_that_a_function_cannot_have(stage):
    with pytest.raises(ValueError, match=r"^total_epochs\[0\]\."):
        small(augmentation=itself, total_epochs=[stage]).fit(images(20, (12, 12)))


ALL = {
    "rotation": 30.0, "channel_gain": 0.3, "channel_offset": 0.1, "blur": 0.5, "solarize": 0.5,
    "erasing": 0.5,
}  # fmt: skip


@pytest.mark.parametrize("name", [*ALL, "all"])
@pytest.mark.parametrize("data", [X, FLOATS, images(30, (10, 9, 5))], ids=["grey", "floats", "five channels"])
def test_operations_that_no_preset_has(name, data):
    options = ALL if name == "all" else {name: ALL[name]}
    augmentation = Augmentation(**options)
    maps = [small(augmentation=a).fit_transform(data) for a in (augmentation, augmentation, Augmentation())]
    assert np.isfinite(maps[0]).all()
    assert_same_bits(maps[0], maps[1])
    assert (maps[0] != maps[2]).any()


@pytest.mark.parametrize(
    "options",
    [
        {"rotation": 200}, {"rotation": -1}, {"channel_gain": -1}, {"channel_offset": 2}, {"blur": 2},
        {"blur_deviation_max": 11}, {"blur_deviation_min": 3}, {"solarize": "x"}, {"erasing": np.nan},
    ],
)  # fmt: skip
def test_wrong_options(options):
    with pytest.raises((ValueError, TypeError), match=f"^augmentation.{next(iter(options))}: got "):
        small(augmentation=Augmentation(**options)).fit(X)
