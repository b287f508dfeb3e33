"""init: training that begins with the weights of another model."""

import numpy as np
import pytest
from helpers import assert_same_bits, images, mapper, small, vectors
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from tsimcne_swift import Stage, TSimCNE


@pytest.fixture(scope="module")
def trained():
    return small(plane="parametric").fit(images())


@pytest.fixture(scope="module")
def trained_on_vectors():
    return mapper(normalize="dataset", plane="parametric").fit(vectors())


def layout_change(ours, theirs):
    """Mean distance moved, in units of the map's radius; nothing is turned or shifted to fit."""
    radius = np.sqrt(((theirs - theirs.mean(axis=0)) ** 2).sum(axis=1).mean())
    return np.linalg.norm(ours - theirs, axis=1).mean() / radius


def test_without_a_rate_the_map_stays(trained_on_vectors):
    model = mapper(init=trained_on_vectors, lr=0, total_epochs=[2], plane="parametric").fit(vectors())
    assert_same_bits(model.embedding_, trained_on_vectors.embedding_)


def test_without_a_rate_all_parameters_stay(trained):
    """BatchNorm goes on following the batches of images."""
    model = small(init=trained, lr=0, total_epochs=[1]).fit(images())
    ours, theirs = model.to_state_dict(), trained.to_state_dict()
    for name in theirs:
        if "running" not in name:
            assert ours[name].tobytes() == theirs[name].tobytes(), name


def test_a_small_rate_keeps_the_layout(trained_on_vectors):
    def head(**options):
        return mapper(plane="parametric", **options).fit_transform(vectors())

    theirs = trained_on_vectors.embedding_
    changes = [
        layout_change(head(init=trained_on_vectors, lr=lr, total_epochs=[2]), theirs) for lr in (1e-4, 1e-2)
    ]
    assert 0 < changes[0] < 0.01 < changes[1]
    # Another beginning has another layout.
    assert layout_change(head(random_state=9), theirs) > 0.5


def test_one_stage_goes_on_in_its_own_dimension(trained):
    model = small(init=trained, total_epochs=[1], pretrain_dim=9).fit(images())
    (stage,) = model.stages_
    assert (stage.n_components, stage.output_init, stage.trains) == (2, "keep", "all")
    assert stage.lr == small().fit(images()).stages_[2].lr
    wide = small(init=small(total_epochs=[1]).fit(images()), total_epochs=[1], n_components=8).fit(images())
    assert wide.embedding_.shape == (40, 8)
    with pytest.raises(ValueError, match=r"^n_components: got 7, but init has 2 outputs"):
        small(init=trained, total_epochs=[1], n_components=7).fit(images())


def test_a_cosine_network_gets_a_scale_when_it_goes_on_with_distances():
    cosine = small(total_epochs=[1], metric="cosine").fit(images())
    model = small(init=cosine, total_epochs=[1], n_components=8).fit(images())
    assert model.stages_[0].output_init == "scaled"
    model = small(init=cosine, total_epochs=[1], n_components=8, metric="cosine").fit(images())
    assert model.stages_[0].output_init == "keep"


def test_automatic_epochs_are_one_stage(trained_on_vectors):
    X = vectors(200)
    model = mapper(init=trained_on_vectors, total_epochs="auto", batch_size=200).fit(X)
    assert len(model.stages_) == 1 and model.embedding_.shape == (200, 2)


def test_three_numbers_make_a_new_map(trained):
    model = small(init=trained, lr=0).fit(images())
    starts = [(stage.n_components, stage.output_init) for stage in model.stages_]
    assert starts == [(8, "normal"), (2, "principal"), (2, "keep")]
    # Training begins with these weights.
    name = "backbone.conv1.weight"
    assert model.to_state_dict()[name].tobytes() == trained.to_state_dict()[name].tobytes()
    # The layer stays where its dimension does.
    wide = small(total_epochs=[1]).fit(images())
    assert small(init=wide).fit(images()).stages_[0].output_init == "keep"


def test_stages_of_any_kind(trained):
    stages = [Stage(1, 2, "head"), Stage(1, 1)]
    assert small(init=trained, total_epochs=stages).fit(images()).embedding_.shape == (40, 1)
    model = small(init=trained, total_epochs=[Stage(1, 3, output_init="normal")]).fit(images())
    assert model.embedding_.shape == (40, 3)
    with pytest.raises(ValueError, match="n_components: got 3, more than the 2 outputs before"):
        small(init=trained, total_epochs=[Stage(1, 3)]).fit(images())
    with pytest.raises(ValueError, match=r"total_epochs\[0\].output_init: got 'keep'"):
        small(init=trained, total_epochs=[Stage(1, 3, output_init="keep")]).fit(images())


def test_stages_repeat_the_run(trained):
    options = {"init": trained, "random_state": 5}
    model = small(total_epochs=[1], **options).fit(images())
    again = small(total_epochs=model.stages_, **options).fit(images())
    assert_same_bits(again.embedding_, model.embedding_)


def test_path_is_as_good_as_the_model(trained, tmp_path):
    trained.save(tmp_path / "model")
    Y = small(init=trained, total_epochs=[1]).fit_transform(images())
    for path in (tmp_path / "model", str(tmp_path / "model")):
        assert_same_bits(small(init=path, total_epochs=[1]).fit_transform(images()), Y)


def test_other_images_of_the_same_kind(trained):
    for X in (images(25), images(30, (11, 9)), images(30, dtype=np.float32)):
        model = small(init=trained, total_epochs=[1]).fit(X)
        assert model.embedding_.shape == (len(X), 2)


def test_training_does_not_change_init(trained):
    state, Y = trained.to_state_dict(), trained.embedding_.copy()
    small(init=trained).fit(images())
    small(init=trained, total_epochs=[3], lr=1.0).fit(images())
    assert_same_bits(trained.to_state_dict(), state)
    assert_same_bits(trained.transform(images()), Y)


def test_a_model_goes_on_from_itself():
    X = vectors()
    model = mapper(plane="parametric").fit(X)
    before = model.embedding_
    model.set_params(init=model, total_epochs=[1], lr=0)
    assert_same_bits(model.fit(X).embedding_, before)


def test_clone_keeps_init_fitted(trained):
    model = small(init=trained, total_epochs=[1])
    twin = clone(model)
    assert twin.init is trained and not twin.__sklearn_is_fitted__()
    assert_same_bits(twin.fit_transform(images()), model.fit_transform(images()))


@pytest.mark.parametrize("normalize", ["dataset", (0.3, 0.2)])
def test_normalisation_goes_on(normalize):
    first = mapper(normalize=normalize).fit(vectors())
    X = 2 * vectors(60) + 1
    model = mapper(init=first, total_epochs=[1]).fit(X)
    assert_same_bits(model.features(X), first.features(X))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 8}, "width: got 8, but init has 4"),
        ({"hidden_dim": 8}, "hidden_dim: got 8, but init has 16; want the same"),
        ({"hidden_dim": [8]}, "hidden_dim: got 8, but init has 16; want the same"),
        ({"hidden_dim": [16, 8]}, r"hidden_dim: got \(16, 8\), but init has 16; want the same"),
        ({"backbone": "resnet18"}, "backbone: got 'resnet18', but init has 'resnet10'"),
        ({"projection_head": "linear"}, "projection_head: got 'linear', but init has 'mlp'"),
        ({"normalize": "dataset"}, "normalize: excludes init"),
        ({"normalize": (0.5, 0.5)}, "normalize: excludes init"),
        ({"init": 3}, "init: got 3"),
        ({"init": {}}, "init: got {}"),
        ({"init": TSimCNE}, "init: got <class"),
        ({"init": "/nowhere/model"}, "init: "),
    ],
)
def test_what_init_excludes(trained, changes, message):
    with pytest.raises((ValueError, TypeError), match=r"^" + message):
        small(**({"init": trained} | changes)).fit(images())


def test_other_channels_and_features(trained, trained_on_vectors):
    with pytest.raises(ValueError, match=r"^X: got 3 channels, but init was trained on 1"):
        small(init=trained).fit(images(shape=(8, 8, 3)))
    with pytest.raises(ValueError, match=r"^X: got 5 channels, but init was trained on 6"):
        mapper(init=trained_on_vectors).fit(vectors(features=5))
    with pytest.raises(ValueError, match=r"^backbone: "):
        mapper(init=trained).fit(vectors())


def test_irrelevant_sizes_may_differ(trained_on_vectors):
    mapper(init=trained_on_vectors, width=99, total_epochs=[1]).fit(vectors())
    linear = mapper(projection_head="linear").fit(vectors())
    mapper(init=linear, projection_head="linear", hidden_dim=99, total_epochs=[1]).fit(vectors())


def test_the_same_layers_may_be_written_otherwise(trained_on_vectors):
    mapper(init=trained_on_vectors, hidden_dim=[16], total_epochs=[1]).fit(vectors())
    several = mapper(hidden_dim=(7, 5)).fit(vectors())
    mapper(init=several, hidden_dim=[7, np.int64(5)], total_epochs=[1]).fit(vectors())
    with pytest.raises(ValueError, match=r"^hidden_dim: got 7, but init has \(7, 5\); want the same"):
        mapper(init=several, hidden_dim=7).fit(vectors())


def test_init_must_be_fitted(tmp_path):
    with pytest.raises(NotFittedError, match=r"^init: this TSimCNE is not fitted"):
        small(init=small()).fit(images())
    with pytest.raises(FileNotFoundError, match=r"^init: got .*nothing"):
        small(init=tmp_path / "nothing").fit(images())
    (tmp_path / "damaged").write_bytes(b"x" * 100)
    with pytest.raises(ValueError, match="damaged: not a safetensors file"):
        small(init=tmp_path / "damaged").fit(images())


def test_file_of_a_state_dict_is_refused_with_advice(trained, tmp_path):
    from safetensors.numpy import save_file

    save_file(trained.to_state_dict(), tmp_path / "state")
    with pytest.raises(ValueError, match=r"^init: .*state dict.*image_shape"):
        small(init=tmp_path / "state").fit(images())
    loaded = TSimCNE.load(tmp_path / "state", image_shape=(8, 8))
    ours, theirs = (
        small(init=init, total_epochs=[1], plane="parametric").fit_transform(images())
        for init in (loaded, trained)
    )
    assert_same_bits(ours, theirs)
