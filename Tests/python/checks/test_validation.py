"""Bad input: an error that names the argument, what it got and what it wants."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.exceptions import NotFittedError
from tsimcne_swift import Augmentation, FeatureAugmentation, Stage, TSimCNE, _core

GOOD = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)


def small(**changes):
    options = {"width": 2, "hidden_dim": 4, "batch_size": 8, "total_epochs": [1, 1, 1]}
    return TSimCNE(**(options | changes))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(5), "dimensions"),
        (np.zeros((2, 8, 8, 1, 1)), "dimensions"),
        (np.zeros((0, 8, 8)), "at least one"),
        (GOOD[:1], "at least 2"),
        (np.full((4, 8, 8), np.nan), "NaN"),
        (np.full((4, 8, 8), np.inf), "NaN or infinity"),
        (GOOD.astype(object), "type object"),
        (np.array(["a", "b"]), "type"),
        (GOOD.astype(np.float32), "X / 255"),
        (GOOD / 255 - 0.5, "scale them"),
        (GOOD.astype(int) * 2, "0 to 255"),
        ([np.zeros((8, 8)), np.zeros((9, 8))], "different shapes"),
        (np.zeros((4, 7, 8)), "pixels"),
        (np.zeros((4, 60)), "image_shape"),
        (GOOD > 3, "booleans"),
        (GOOD.astype(complex), "type complex"),
    ],
)
def test_images(X, message):
    with pytest.raises((ValueError, TypeError), match=r"^X: .*" + message):
        small().fit(X)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("n_components", v) for v in (0, -1, 1.5, "2", None, True, 5000)),
        *(("backbone", v) for v in ("resnet51", 18, None)),
        *(("width", v) for v in (0, -4, 2.5, "16", None)),
        *(("projection_head", v) for v in ("none", 1)),
        *(("pretrain_dim", v) for v in (0, 1.0, "x")),
        *(("metric", v) for v in ("cauchy!", 0)),
        *(("temperature", v) for v in (0, -1, "hot", True, np.nan)),
        *(("augmentation", v) for v in ("unnatural", 3, Augmentation(hue=2), Augmentation(grayscale="x"))),
        *(("normalize", v) for v in ("none", (1,), (0.5, 0), (0.5, np.nan), ([1, 2], 1), 3)),
        *(("total_epochs", v) for v in ([], [1, 2], [0, 1, 1], [np.nan], "all", 10, [1, 1, -1], [True])),
        *(("batch_size", v) for v in (1, 0, -3, 2.5, "8", None)),
        *(("n_views", v) for v in (0, 1, 17, -2, 2.0, "2", None, True)),
        *(("max_time", v) for v in (0, -1, np.nan, np.inf, "soon", "5", "-1s", "0s", "1s2", True, [1])),
        *(("optimizer", v) for v in ("adagrad", "SGD", None, 0)),
        *(("decay_biases", v) for v in (0, 1, "no", None)),
        *(("ema_decay", v) for v in (-0.1, 1, 2, np.nan, "x", True)),
        *(("precision", v) for v in ("float16", "single", 32, None, True)),
        *(("init", v) for v in (3, {}, [], np.zeros(3), object(), TSimCNE, b"x")),
        *(("checkpoint", v) for v in (3, True, b"x", "/", "/nowhere/file")),
        *(("callbacks", v) for v in (3, "log.csv", [print, None], {}, {print})),
        *(("lr", v) for v in (-1, "fast", [1, 2], None, np.inf, [0.1, "x", 1], 10**400, True, [1] * 4)),
        *(("momentum", v) for v in (-0.1, 1.1, None)),
        *(("weight_decay", v) for v in (-1, "x")),
        *(("clip_value", v) for v in (0, -1, "x")),
        *(("lr_scheduler", v) for v in ("step", None, ["cosine"], ["cosine", "x", "linear"])),
        *(("lr_step", v) for v in ("day", 1)),
        *(("warmup", v) for v in (-1, 2, "soon", [0.1])),
        *(("output_init", v) for v in ("zeros", 0)),
        *(("image_shape", v) for v in (8, (8,), (7, 8), (8.0, 8))),
        *(("random_state", v) for v in (-1, 1.5, "seed")),
        *(("n_jobs", v) for v in (0, -2, 1.5, "all")),
        *(("verbose", v) for v in (-1, "loud")),
    ],
)
def test_parameters(name, value):
    with pytest.raises((ValueError, TypeError), match=name):
        small(**{name: value}).fit(GOOD)


HIDDEN = [0, 65537, 1.0, True, None, "8", [], (), [8, 0], (8, 65537), [8, 2.0], [8, True], [[8]], [8] * 17]
HIDDEN += [{8}, np.array([8.0, 4.0]), np.array(8.0)]


@pytest.mark.parametrize("head", ["mlp", "linear"])
@pytest.mark.parametrize("value", HIDDEN, ids=repr)
def test_hidden_dim(value, head):
    message = f"hidden_dim: got {value!r}, want a whole number from 1 to 65536, or a list of 1 to 16 of them"
    with pytest.raises((ValueError, TypeError), match=f"^{re.escape(message)}$"):
        small(hidden_dim=value, projection_head=head).fit(GOOD)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([8], "hidden_dims: got [8], want a tuple"),
        (None, "hidden_dims: got None, want a tuple"),
        ((8,) * 17, "hidden_dims: got 17, want at most 16"),
        ((8, 2.0), "hidden_dims[1]: got 2.0, want a whole number"),
        ((8, 0), "hidden_dims[1]: got 0, want 1 to 65536"),
        ((65537,), "hidden_dims[0]: got 65537, want 1 to 65536"),
        ((-(10**40),), f"hidden_dims[0]: got {-(10**40)}, want 1 to 65536"),
    ],
)
def test_hidden_dims_of_the_core(value, message):
    with pytest.raises((ValueError, TypeError), match=f"^{re.escape(message)}$"):
        _core.Model(channels=5, depth=0, base_width=1, hidden_dims=value, output_dim=2, seed=0)


@pytest.mark.parametrize("value", [0, -1, np.nan, "soon", "1 parsec", True, [1]])
def test_checkpoint_every(value, tmp_path):
    with pytest.raises((ValueError, TypeError), match=r"^checkpoint_every: "):
        small(checkpoint=tmp_path / "file", checkpoint_every=value).fit(GOOD)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("value", [None, 1, "yes", "path"])
def test_resume(value, tmp_path):
    with pytest.raises(TypeError, match=r"^resume: "):
        small(checkpoint=tmp_path / "file").fit(GOOD, resume=value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_time": 9, "lr_step": "epoch"}, "max_time: excludes lr_step='epoch'"),
        (
            {"max_time": 9, "total_epochs": [Stage(1, 2, stretches=((0, 3),))]},
            "max_time: excludes .*stretches",
        ),
        ({"checkpoint_every": 9}, "checkpoint_every: got 9, but checkpoint=None"),
        ({"optimizer": "adamw", "momentum": 1}, "momentum: "),
        ({"lr_step": "epoch", "warmup": 0.5}, "warmup: "),
        ({"augmentation": FeatureAugmentation()}, "augmentation: .*backbone='identity'"),
        ({"n_components": 200}, "n_components: got 200, more than the 128 outputs"),
        ({"metric": ["cosine"]}, "metric: got 1 values, want one for each of 3 stages"),
        ({"metric": ["cosine", "x", "cosine"]}, "metric: got 'x'"),
        ({"temperature": [1, 0, 1]}, "temperature: got 0"),
        ({"temperature": [1, 1]}, "temperature: got 2 values"),
    ],
)
def test_what_parameters_exclude(options, message):
    with pytest.raises((ValueError, TypeError), match="^" + message):
        small(**options).fit(GOOD)


def test_resume_wants_a_checkpoint(tmp_path):
    with pytest.raises(ValueError, match=r"^resume: got True, but checkpoint=None"):
        small().fit(GOOD, resume=True)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ValueError, match=r"^checkpoint: .*file exists; fit\(X, resume=True\)"):
        small(checkpoint=tmp_path / "file").fit(GOOD)
    assert (tmp_path / "file").read_bytes() == b""


def test_errors_leave_the_estimator_as_it_was():
    model = small().fit(GOOD)
    before = model.embedding_
    with pytest.raises(ValueError, match=r"^lr: "):
        model.set_params(lr=-1).fit(GOOD)
    with pytest.raises(ValueError, match=r"^X: "):
        model.set_params(lr="auto").fit(GOOD[:0])
    assert model.embedding_ is before
    np.testing.assert_array_equal(model.transform(GOOD), before)


def test_transform_before_fit_and_with_other_images():
    with pytest.raises(NotFittedError):
        small().transform(GOOD)
    model = small().fit(GOOD)
    for X in (GOOD[:, :, :, None].repeat(3, axis=3), np.zeros((3, 9, 9))):
        with pytest.raises(ValueError, match=r"^X: got images of"):
            model.transform(X)
    with pytest.raises(ValueError, match=r"^y: "):
        model.score(GOOD, [1, 2])


ARRAYS = hnp.arrays(
    dtype=st.one_of(
        hnp.integer_dtypes(), hnp.floating_dtypes(), hnp.boolean_dtypes(), hnp.unicode_string_dtypes()
    ),
    shape=hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=10),
)


@settings(max_examples=150, deadline=None)
@given(ARRAYS)
def test_any_array_is_mapped_or_refused(X):
    try:
        Y = small(total_epochs=[1]).fit_transform(X)
    except (ValueError, TypeError) as error:
        assert str(error).startswith(("X: ", "image_shape"))
    else:
        assert len(Y) == len(X)
