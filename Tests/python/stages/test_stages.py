"""Stages: what they mean, each field, and what they exclude."""

import numpy as np
import pytest
from helpers import assert_same_bits, images, mapper, small, vectors
from tsimcne_swift import FeatureAugmentation, Stage, TSimCNE, _core, recipes

CAUCHY, COSINE = 0, 1


def radius(Y):
    """Root-mean-square distance from the centre."""
    return np.sqrt(((Y - Y.mean(axis=0)) ** 2).sum(axis=1).mean())


def same(ours, theirs, X):
    assert_same_bits(ours.fit(X).embedding_, theirs.fit(X).embedding_)
    assert [row["loss"] for row in ours.history_] == [row["loss"] for row in theirs.history_]


# ------------------------------------------------------------------ the lists


@pytest.mark.parametrize("output_init", ["principal", "normal"])
def test_three_numbers_are_three_stages(output_init):
    stages = [Stage(2, 8), Stage(1, 2, "output", output_init), Stage(1.5, 2)]
    plain = small(total_epochs=[2, 1, 1.5], output_init=output_init)
    same(plain, small(total_epochs=stages, output_init="principal"), images())


def test_one_number_is_the_first_stage():
    model = small(total_epochs=[2], pretrain_dim=5)
    same(model, small(total_epochs=[Stage(2, 5)]), images())
    assert model.embedding_.shape == (40, 5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"total_epochs": [1.5, 0.5, 1]},
        {"optimizer": "adamw", "lr_step": "epoch", "total_epochs": [3, 1, 2], "warmup": [1, 0, 1]},
        {"metric": ["cosine", "euclidean", "euclidean"], "temperature": [0.3, 2, 1.0], "ema_decay": 0.9},
        {"total_epochs": [Stage(1, 6), Stage(1, 3, output_init="normal"), Stage(1, 2, lr=0.01), Stage(1, 1)]},
        {"lr_scheduler": ["onecycle", "constant", "linear"], "n_views": 3},
    ],
)
def test_stages_of_a_model_repeat_its_run(options):
    X = images()
    model = small(**options).fit(X)
    # Nothing is left open; a size of None is the images', and no dimension falls.
    named = set(vars(model.stages_[0])) - {"image_size", "anneal_from"}
    assert all(getattr(stage, name) is not None for stage in model.stages_ for name in named)
    again = small(**(options | {"total_epochs": model.stages_}))
    same(again, model, X)
    assert again.stages_ == model.stages_
    # The stages count, whatever the estimator says otherwise.
    others = {"metric": "cosine", "temperature": 9, "lr": 1, "warmup": 0, "output_init": "normal"}
    others["lr_scheduler"] = "linear"
    same(again.set_params(**others), model, X)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_any_number_of_stages(count):
    stages = [Stage(1, n_components) for n_components in (8, 6, 4, 3)[-count:]]
    model = small(total_epochs=stages).fit(images())
    assert [row["stage"] for row in model.history_] == list(range(1, count + 1))
    assert model.embedding_.shape == (40, 3)
    assert np.isfinite(model.embedding_).all()


def test_fields_left_open_are_the_estimators():
    options = {"n_components": 3, "temperature": 0.7, "lr": 0.01, "warmup": 0.3, "metric": "cosine"}
    (stage,) = small(total_epochs=[Stage(1)], **options).fit(images()).stages_
    assert {name: getattr(stage, name) for name in options} == options


def test_lists_have_a_value_for_each_stage():
    options = {
        "metric": ["cosine", "euclidean"],
        "temperature": [0.2, None],
        "lr": (0.1, 0.2),
        "warmup": [0, 0.5],
    }
    first, second = small(total_epochs=[Stage(1, 4), Stage(1, 2)], **options).fit(images()).stages_
    assert (first.metric, first.temperature, first.lr, first.warmup) == ("cosine", 0.2, 0.1, 0)
    assert (second.metric, second.temperature, second.lr, second.warmup) == ("euclidean", 1, 0.2, 0.5)


def test_fields_of_a_stage_have_precedence():
    stage = Stage(1, 4, metric="euclidean", temperature=2, lr=0.3, warmup=0.4)
    options = {"metric": ["cosine"], "temperature": [0.1], "lr": [9.0], "warmup": [0.9]}
    model = small(total_epochs=[stage], **options).fit(images())
    (used,) = model.stages_
    assert (used.metric, used.temperature, used.lr, used.warmup) == ("euclidean", 2, 0.3, 0.4)
    assert max(row["lr"] for row in model.history_) <= 0.3


@pytest.mark.parametrize("epochs", [0.01, 0.4, 1, 2.5, 2.9])
def test_fractions_end_within_an_epoch(epochs):
    steps = max(1, round(5 * epochs))
    model = mapper(total_epochs=[Stage(epochs)], batch_size=8).fit(vectors(40))
    assert model.total_epochs_ == [steps / 5]
    assert [row["epoch"] for row in model.history_] == list(range(1, int(np.ceil(steps / 5)) + 1))
    assert np.isfinite([row["loss"] for row in model.history_]).all()


# ------------------------------------------------------------------ dimensions


@pytest.mark.parametrize("n_components", [1, 2, 3, 5, 8])
def test_any_dimension(n_components):
    X = images()
    model = small(n_components=n_components).fit(X)
    assert model.embedding_.shape == (40, n_components)
    assert_same_bits(model.transform(X), model.embedding_)
    assert len(model.get_feature_names_out()) == n_components
    # The images are apart in every direction.
    assert (model.embedding_.std(axis=0) > 0).all()


def test_more_dimensions_than_before_begin_with_normal_weights():
    model = small(total_epochs=[Stage(1, 2), Stage(1, 6, output_init="normal")]).fit(images())
    assert model.embedding_.shape == (40, 6)
    with pytest.raises(ValueError, match=r"^n_components: got 9, more than the 8 .*output_init='normal'"):
        small(n_components=9).fit(images())
    with pytest.raises(ValueError, match=r"^n_components: got 3, more than the 2 .*total_epochs\[1\]"):
        small(total_epochs=[Stage(1, 2), Stage(1, 3)]).fit(images())


# ------------------------------------------------------------------ how an output layer begins


def before_and_after(first, second):
    """The map at the ends of two stages.

    The vectors have no noise and are one batch: there are no running statistics, and training sees the map.
    """
    maps = []
    mapper(
        total_epochs=[first, second],
        callbacks=lambda record: maps.append(record.embedding()),
        augmentation=FeatureAugmentation(noise=0, dropout=0),
        batch_size=40,
    ).fit(vectors())
    return maps[-2:]


def follow(Y, Z):
    """Share of Z's variance that is an affine function of Y."""
    design = np.c_[Y, np.ones(len(Y))]
    rest = Z - design @ np.linalg.lstsq(design, Z, rcond=None)[0]
    return 1 - (rest**2).sum() / ((Z - Z.mean(axis=0)) ** 2).sum()


def test_principal_components_begin_the_map():
    before, after = before_and_after(Stage(2, 5), Stage(1, 2, lr=0))
    assert radius(after) == pytest.approx(recipes.PRINCIPAL_RADIUS, rel=1e-3)
    assert follow(before, after) > 0.999
    np.testing.assert_allclose(after.mean(axis=0), 0, atol=1e-3)
    # The axes are the directions of largest variance, in order.
    centred = before - before.mean(axis=0)
    variances = np.linalg.eigvalsh(centred.T @ centred)[::-1]
    ours = (after**2).sum(axis=0)
    np.testing.assert_allclose(ours / ours.sum(), variances[:2] / variances[:2].sum(), rtol=0.05)
    assert abs(np.corrcoef(after.T)[0, 1]) < 0.05


def test_normal_weights_forget_the_map():
    before, after = before_and_after(Stage(2, 2), Stage(1, 2, output_init="normal", lr=0))
    assert follow(before, after) < 0.99


@pytest.mark.parametrize(("metric", "start"), [("cosine", "scaled"), ("euclidean", "keep")])
def test_cosine_before_euclidean_needs_a_bridge_of_scale(metric, start):
    """The cosine leaves the scale free; the same dimension goes on with a map of set radius."""
    stages = Stage(2, 2, metric=metric), Stage(1, 2, lr=0)
    assert small(total_epochs=stages).fit(images()).stages_[1].output_init == start
    before, after = before_and_after(*stages)
    if start == "keep":
        assert_same_bits(after, before)
        return
    centred = before - before.mean(axis=0)
    expected = recipes.PRINCIPAL_RADIUS / radius(before) * centred
    np.testing.assert_allclose(after, expected, atol=2e-3)


def test_cosine_before_euclidean_in_fewer_dimensions():
    _, after = before_and_after(Stage(2, 5, metric="cosine"), Stage(1, 2, lr=0))
    assert radius(after) == pytest.approx(recipes.PRINCIPAL_RADIUS, rel=1e-3)


def test_keep_goes_on_after_cosine_with_cosine():
    model = small(metric="cosine", total_epochs=[Stage(1, 2), Stage(1, 2)]).fit(images())
    assert [stage.output_init for stage in model.stages_] == ["keep", "keep"]


def test_scaled_when_asked_for():
    before, after = before_and_after(Stage(1, 4), Stage(1, 4, output_init="scaled", lr=0))
    assert radius(before) != pytest.approx(recipes.PRINCIPAL_RADIUS, rel=0.1)
    assert radius(after) == pytest.approx(recipes.PRINCIPAL_RADIUS, rel=1e-3)
    assert follow(before, after) > 0.999


# ------------------------------------------------------------------ smaller views


def test_views_of_the_images_own_size_are_the_plain_ones():
    X = images(shape=(8, 9))
    plain = small().fit_transform(X)
    stages = [Stage(1, 8), Stage(1, 2, "output", "principal"), Stage(1, 2)]
    assert_same_bits(small(total_epochs=stages).fit_transform(X), plain)


@pytest.mark.parametrize("size", [8, (8, 10), [12, 9]])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_smaller_views_train_a_map_of_whole_images(size, dtype):
    X = images(shape=(12, 11, 3), dtype=dtype)
    model = small(total_epochs=[Stage(1, 8, image_size=size), Stage(1, 2)]).fit(X)
    assert model.embedding_.shape == (40, 2) and np.isfinite(model.embedding_).all()
    assert_same_bits(model.transform(X), model.embedding_)
    expected = tuple(size) if isinstance(size, list | tuple) else (size, size)
    assert [stage.image_size for stage in model.stages_] == [expected, None]
    same(small(total_epochs=model.stages_), model, X)
    assert (small(total_epochs=[Stage(1, 8), Stage(1, 2)]).fit_transform(X) != model.embedding_).any()


def test_vectors_have_no_size():
    with pytest.raises(ValueError, match=r"^total_epochs\[0\].image_size: got 8, but feature vectors"):
        mapper(total_epochs=[Stage(1, 2, image_size=8)]).fit(vectors())


# ------------------------------------------------------------------ what is trained


def state_after(stages, **options):
    states = []
    model = small(total_epochs=stages, **options)
    for count in range(1, len(stages) + 1):
        states.append(model.set_params(total_epochs=stages[:count]).fit(images()).to_state_dict())
    return states


def changed(before, after):
    """Names of the parameters that are others now."""
    return {
        name
        for name, value in after.items()
        if not name.rsplit(".", 1)[-1].startswith(("running", "num_"))
        and before[name].tobytes() != value.tobytes()
    }


@pytest.mark.parametrize("optimizer", ["sgd", "nesterov", "adamw", "lars", "muon"])
@pytest.mark.parametrize(
    ("trains", "moves"),
    [
        ("output", ("projection_head.layers.2.",)),
        ("head", ("projection_head.",)),
        ("all", ("projection_head.", "backbone.")),
    ],
)
def test_trains_only_what_it_says(trains, moves, optimizer):
    before, after = state_after([Stage(1, 4), Stage(1, 4, trains)], optimizer=optimizer)
    names = {name for name in after if name in changed(before, after)}
    assert names and all(name.startswith(moves) for name in names)
    for prefix in moves:
        assert any(name.startswith(prefix) for name in names)
    # In every case BatchNorm follows the batches.
    assert (before["backbone.bn1.running_mean"] != after["backbone.bn1.running_mean"]).any()


# ------------------------------------------------------------------ metric, temperature, views


@pytest.mark.parametrize(
    ("metric", "temperature"),
    [("euclidean", None), ("euclidean", 0.5), ("euclidean", 3), ("cosine", None), ("cosine", 0.1)],
)
@pytest.mark.parametrize("views", [2, 3, 4])
def test_loss_is_infonce_of_the_views(metric, temperature, views):
    """Without noise all views of a vector are its map, which gives the loss of an untrained batch."""
    X = vectors(32)
    maps = []
    model = mapper(
        metric=metric,
        temperature=temperature,
        n_views=views,
        augmentation=FeatureAugmentation(noise=0, dropout=0),
        batch_size=32,
        lr=0,
        total_epochs=[1],
        callbacks=lambda record: maps.append(record.embedding()),
    ).fit(X)
    used = temperature or (1 if metric == "euclidean" else 0.5)
    wanted = _core.infonce(
        np.tile(maps[0], (views, 1)),
        None,
        views=views,
        metric=COSINE if metric == "cosine" else CAUCHY,
        temperature=used,
        threads=1,
    )
    assert model.history_[0]["loss"] == pytest.approx(wanted, rel=1e-4)


def test_more_views_have_more_negatives():
    """A positive is one among the views·n - 1 others."""
    losses = [
        mapper(n_views=views, batch_size=40, lr=0, total_epochs=[1], temperature=1e-6)
        .fit(vectors())
        .history_[0]["loss"]
        for views in (2, 3, 4)
    ]
    # At this temperature everything is equally near.
    expected = [np.log(views * 40 - 1) for views in (2, 3, 4)]
    np.testing.assert_allclose(losses, expected, rtol=2e-3)


@pytest.mark.parametrize("views", [3, 4, 16])
def test_more_views_train(views):
    model = small(n_views=views).fit(images())
    assert np.isfinite(model.embedding_).all()
    assert (model.embedding_ != small().fit_transform(images())).any()


# ------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        *(("epochs", v, ValueError) for v in (0, -1, float("nan"), 1e10, 10**400)),
        *(("epochs", v, TypeError) for v in (None, "1", True)),
        *(("n_components", v, ValueError) for v in (0, -1, 5000)),
        *(("n_components", v, TypeError) for v in (2.0, "2", True)),
        ("trains", "backbone", ValueError),
        *(("trains", v, TypeError) for v in (None, 1)),
        ("output_init", "zeros", ValueError),
        ("output_init", 1, TypeError),
        *(("metric", v, ValueError) for v in ("l1", "")),
        ("metric", 0, TypeError),
        *(("temperature", v, ValueError) for v in (0, -1, float("inf"))),
        *(("temperature", v, TypeError) for v in ("hot", [1])),
        *(("lr", v, ValueError) for v in (-1, float("nan"))),
        *(("lr", v, TypeError) for v in ("auto", [1])),
        ("lr_scheduler", "step", ValueError),
        ("lr_scheduler", 0, TypeError),
        *(("image_size", v, ValueError) for v in (7, 0, -8, 9, (8, 9), (8,), (8, 8, 8), [])),
        *(("image_size", v, TypeError) for v in ("8", 8.0, (8, 8.0), True)),
        *(("warmup", v, ValueError) for v in (-1, 2, float("nan"), float("inf"))),
        *(("warmup", v, TypeError) for v in ("auto", True)),
        *(("stretches", v, TypeError) for v in (5, [1], [(1, 2, 3)], [(1.0, 2)], None, "x")),
        *(("stretches", v, ValueError) for v in ([(-1, 2)], [(0, 0)])),
    ],
)
def test_wrong_fields_are_named(field, value, error):
    stage = Stage(**({"epochs": 1} | {field: value}))
    with pytest.raises(error, match=rf"^total_epochs\[1\]\.{field}: "):
        small(total_epochs=[Stage(1, 8), stage]).fit(images())


def test_warmup_counts_epochs_where_the_rate_steps_by_epoch():
    options = {"lr_step": "epoch", "lr": 0.1}
    model = small(total_epochs=[Stage(4, 2, warmup=3)], **options).fit(images())
    np.testing.assert_allclose([row["lr"] for row in model.history_], [0, 0.05, 0.1, 0.1])
    with pytest.raises(ValueError, match=r"^total_epochs\[0\]\.warmup: got 0.5, want whole epochs"):
        small(total_epochs=[Stage(4, 2, warmup=0.5)], **options).fit(images())


@pytest.mark.parametrize(
    ("total_epochs", "message"),
    [
        ([], r"total_epochs: got \[\]"),
        ([1, 1], "total_epochs: "),
        ([1, 1, 1, 1], "total_epochs: "),
        ([Stage(1), 1], "total_epochs: "),
        ([1, Stage(1), 1], r"total_epochs\[1\]: "),
        (Stage(1), "total_epochs: "),
        ([Stage(1)] * 65, "total_epochs: got 65 stages, want at most 64"),
        ([Stage(1, 4), Stage(1, 2, output_init="keep")], r"total_epochs\[1\].output_init: got 'keep'"),
        ([Stage(1, 4), Stage(1, 2, output_init="scaled")], r"total_epochs\[1\].output_init: got 'scaled'"),
        *(([Stage(1, 4, output_init=v)], r"total_epochs\[0\].output_init") for v in ("normal", "principal")),
        (
            [Stage(1, 4, metric="cosine"), Stage(1, 2, output_init="normal")],
            r"total_epochs\[1\]: .*cosine.*'principal' or 'scaled'",
        ),
    ],
)
def test_what_stages_exclude(total_epochs, message):
    with pytest.raises((ValueError, TypeError), match="^" + message):
        small(total_epochs=total_epochs).fit(images())


def test_normal_after_cosine_is_refused_in_every_way():
    metric = ["cosine", "euclidean", "euclidean"]
    with pytest.raises(ValueError, match="cannot follow a cosine stage"):
        small(metric=metric, output_init="normal").fit(images())
    small(metric=metric).fit(images())
    small(metric="cosine", output_init="normal").fit(images())


@pytest.mark.parametrize(
    ("name", "value"), [("metric", "cosine"), ("temperature", 1.0), ("lr", 0.1), ("warmup", 0.1)]
)
def test_lists_have_as_many_values_as_stages(name, value):
    for count, stages in [(1, [Stage(1, 4)] * 2), (2, [1]), (2, [1, 1, 1]), (0, [1]), (3, [Stage(1)])]:
        with pytest.raises(ValueError, match=rf"^{name}: got {count} values, want one for each of"):
            small(total_epochs=stages, **{name: [value] * count}).fit(images())


def test_a_stage_without_augmentation_brings_batchnorm_to_the_images(tmp_path):
    X = images()
    stages = [Stage(3, 4)]
    last = Stage(30, 4, "output", lr=0.0, augmentation="none")
    plain = small(total_epochs=stages, n_components=4).fit(X)
    model = small(total_epochs=[*stages, last], n_components=4).fit(X)
    before, after = plain.to_state_dict(), model.to_state_dict()
    for name, value in before.items():
        moves = ".running_" in name
        assert (after[name].tobytes() != value.tobytes()) == moves, name
    # The first normalisation reads a convolution of the images, whose mean numpy can tell.
    kernel = before["backbone.conv1.weight"]
    padded = np.pad(X / 255, [(0, 0), (1, 1), (1, 1)] + [(0, 0)] * (X.ndim - 3)).reshape(len(X), 10, 10, -1)
    sums = sum(
        padded[:, i : i + 8, j : j + 8] @ kernel[:, :, i, j].T for i in range(3) for j in range(3)
    ).mean(axis=(0, 1, 2))
    spread = np.sqrt(after["backbone.bn1.running_var"])
    error = np.abs(after["backbone.bn1.running_mean"] - sums) / spread
    assert error.max() < 0.1 < (np.abs(before["backbone.bn1.running_mean"] - sums) / spread).max()
    # The stage lives on in a file and in stages_.
    model.save(tmp_path / "model")
    assert TSimCNE.load(tmp_path / "model").stages_ == model.stages_
    assert model.stages_[1].augmentation.crop_area_min == 1


def test_augmentation_of_a_stage_is_checked():
    with pytest.raises(ValueError, match=r"^total_epochs\[0\].augmentation: got 'unnatural'"):
        small(total_epochs=[Stage(1, 4, augmentation="unnatural")]).fit(images())
    with pytest.raises(ValueError, match=r"^total_epochs\[0\].augmentation: .* feature vectors"):
        mapper(total_epochs=[Stage(1, 4, augmentation="none")]).fit(vectors())
