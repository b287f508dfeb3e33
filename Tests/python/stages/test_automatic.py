"""The stages that a name stands for depend on the number and size of the images alone."""

import re

import numpy as np
import pytest
from helpers import blobs, images
from hypothesis import given, settings
from hypothesis import strategies as st
from tsimcne_swift import TSimCNE, recipes
from tsimcne_swift._stages.automatic import automatic_stages
from tsimcne_swift._stages.cost import cost
from tsimcne_swift._stages.stage import check_stage
from tsimcne_swift._training import forecast, loop
from tsimcne_swift._training.one_rank import OneRank
from tsimcne_swift._training.plan import make_plan

TINY = {"width": 2, "hidden_dim": 8, "pretrain_dim": 4, "batch_size": 32, "random_state": 0}


def work(length, n, image, views=4, **options):
    """What a run costs, in image pairs of full size."""
    stages = automatic_stages(length, n, image, views, 128, **options)
    return sum(stage.epochs * cost(stage, image or (1, 1)) for stage in stages) * n * views / 2


def pixels(length, n, image):
    return work(length, n, image) * image[0] * image[1]


def test_lengths():
    cifar = (60_000, (32, 32))
    assert work("auto", *cifar) == pytest.approx(recipes.PAIRS["auto"], rel=1e-6)
    assert work("fast", *cifar) < work("auto", *cifar) < work("best", *cifar) / 5
    # Eleven times as long for thirty times as many, twice as long for four times the pixels.
    assert pixels("auto", *cifar) / pixels("auto", 2000, (32, 32)) == pytest.approx(11, rel=0.05)
    assert pixels("auto", 60_000, (64, 64)) / pixels("auto", *cifar) == pytest.approx(2)
    # More views of as many images cost the same.
    assert work("auto", *cifar, views=2) == pytest.approx(work("auto", *cifar, views=8))
    # What a head would take goes to the features.
    assert work("auto", *cifar, frees_points=True) == pytest.approx(work("auto", *cifar))


@given(
    st.sampled_from(sorted(recipes.PAIRS)),
    st.integers(2, 10**8),
    st.none() | st.tuples(st.integers(8, 1024), st.integers(8, 1024)),
    st.integers(2, 16),
    st.booleans(),
)
@settings(deadline=None)
def test_every_set_gets_stages_that_are_valid(length, n, image, views, frees_points):
    stages = automatic_stages(length, n, image, views, 128, frees_points=frees_points)
    for i, stage in enumerate(stages):
        checked = check_stage(stage, f"stages[{i}]", image)
        assert checked == stage
        assert stage.neighbors < n
    assert stages[-1].n_components is None
    assert stages[0].n_components == 128 or (image is None and frees_points)


@pytest.mark.parametrize(
    "shape", [(300, 28, 28), (40, 64, 64, 3), (30, 96, 96, 1), (40, 20, 33, 3), (30, 8, 8), (2, 32, 32, 3)]
)
def test_any_images_can_be_mapped(shape):
    X = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    model = TSimCNE(total_epochs="fast", max_time=4, **TINY).fit(X)
    assert model.embedding_.shape == (shape[0], 2) and np.isfinite(model.embedding_).all()
    smallest = [stage.image_size for stage in model.stages_ if stage.image_size]
    assert all(size[0] <= shape[1] and size[1] <= shape[2] for size in smallest)


def test_the_default_is_auto_and_needs_nothing_else():
    model = TSimCNE(**TINY, max_time=3).fit(images(60, (12, 12, 3)))
    head = TSimCNE(**TINY, max_time=3, plane="parametric").fit(images(60, (12, 12, 3)))
    for fitted, frees_points in ((model, True), (head, False)):
        wanted = automatic_stages("auto", 60, (12, 12), model.n_views, 4, frees_points=frees_points)
        assert [stage.epochs for stage in fitted.stages_] == [stage.epochs for stage in wanted]
        assert [stage.n_components for stage in fitted.stages_] == [4, 4, 4, 2]
    assert recipes.DEFAULT.items() <= TSimCNE().get_params().items()


def test_views_grow_under_one_course_of_the_rate():
    first, second, third, *_ = automatic_stages("best", 60_000, (32, 28), 4, 128)
    assert [stage.image_size for stage in (first, second, third)] == [(16, 14), (24, 21), None]
    assert [stage.lr_scheduler for stage in (first, second, third)] == ["constant", "constant", "linear"]
    assert [stage.warmup for stage in (first, second, third)] == [None, 0.0, 0.0]
    # Images too small for smaller views have one stage of their own size.
    (only, *rest) = automatic_stages("auto", 60_000, (8, 8), 4, 128)
    assert only.image_size is None and only.lr_scheduler is None and len(rest) == 2


def test_vectors_have_stages_of_their_own():
    X, labels = blobs()
    for plane, inputs in (("points", ["views"]), ("parametric", ["views", "features"])):
        options = {"backbone": "identity", "hidden_dim": 64, "plane": plane}
        model = TSimCNE(total_epochs="fast", random_state=0, **options).fit(X)
        assert [stage.inputs for stage in model.stages_] == inputs
        assert model.score(X, labels) > 0.95
        continued = TSimCNE(init=model, max_time=0.5, **options).fit(X)
        assert len(continued.stages_) == 1 and continued.score(X, labels) > 0.95


@pytest.mark.parametrize("value", ["slow", "", "AUTO"])
def test_unknown_names_are_refused(value):
    with pytest.raises(ValueError, match=r"^total_epochs: got .*'fast', 'auto'"):
        TSimCNE(total_epochs=value).fit(images())


def test_verbose_says_how_long_it_will_take(capsys):
    TSimCNE(**TINY | {"total_epochs": [1, 1, 1]}, verbose=1).fit(images(64, (8, 8, 3)))
    said = capsys.readouterr().out
    # A machine that is busy may say minutes.
    assert re.search(r"64 images of 8×8×3, about [\d.]+ (seconds|minutes) on .*\(until ", said)
    TSimCNE(**TINY, max_time=3, verbose=1).fit(images(64, (8, 8, 3)))
    assert capsys.readouterr().out == ""


def test_verbose_says_what_the_time_given_can_reach(capsys, monkeypatch):
    monkeypatch.setattr(loop, "SHORTEST", 0.0)
    TSimCNE(**TINY, max_time=3, verbose=1).fit(images(64, (8, 8, 3)))
    said = capsys.readouterr().out
    assert re.search(r"64 images of 8×8×3 on \d+ threads?, 3 seconds", said) and " recommended: " in said


def test_vectors_that_only_points_are_moved_by_have_a_forecast(capsys, monkeypatch):
    monkeypatch.setattr(loop, "SHORTEST", 0.0)
    TSimCNE(backbone="identity", total_epochs="fast", max_time=20, verbose=1).fit(blobs()[0])
    assert re.search(r"150 vectors of 6, about [\d.]+ (seconds|minutes) on ", capsys.readouterr().out)
    first = TSimCNE(**TINY, max_time=3).fit(images(64, (8, 8, 3)))
    TSimCNE(**TINY, init=first, max_time=20, verbose=1).fit(images(64, (8, 8, 3)))
    assert "64 images of 8×8×3" in capsys.readouterr().out


@pytest.mark.parametrize(
    "given, promise",
    [
        (60, "60 seconds of the 53 minutes recommended: a first impression"),
        (600, "10 minutes of the 53 minutes recommended: a rough map"),
        (2400, "40 minutes of the 53 minutes recommended: nearly the recipe's map"),
        (7200, "2 hours, where 53 minutes are recommended: time enough"),
    ],
)
def test_promises(given, promise):
    assert forecast._share(given, 53 * 60) == promise


@pytest.mark.parametrize("length", [{"total_epochs": [2, 1, 1]}, {"max_time": 3}])
def test_progress_reaches_the_end(capsys, length):
    TSimCNE(**TINY | length, verbose=1).fit(images(64, (8, 8, 3)))
    said = capsys.readouterr().err
    for bar in ("learning to see", "laying out"):
        shares = [int(share) for share in re.findall(rf"{bar}: +(\d+)%", said)]
        assert shares == sorted(shares)
        assert shares[-1] >= 95


@pytest.mark.parametrize("options", [{}, {"plane": "parametric"}, {"total_epochs": [1, 1, 1]}])
def test_one_kind_of_step_tells_of_all(options, monkeypatch):
    """Where steps take what they cost, both forecasts are the same."""
    plan = make_plan(TSimCNE(**TINY | options), images(64, (16, 16, 3)), False, OneRank())
    monkeypatch.setattr(forecast, "step_seconds", lambda plan, stage: cost(stage, (16, 16)))
    for name in ("mapping_seconds", "words_seconds", "free_seconds", "search_seconds"):
        monkeypatch.setattr(forecast, name, lambda *arguments: 0.0)
    assert forecast.recommended_seconds(plan) == pytest.approx(forecast.training_seconds(plan))
