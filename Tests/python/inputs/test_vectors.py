"""Feature vectors, and scikit-learn's checks: all of them on vectors, by name on images."""

import pickle

import numpy as np
import pytest
from helpers import assert_same_bits, blobs, images, mapper, small, vectors
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from tsimcne_swift import Augmentation, FeatureAugmentation, TSimCNE, _core
from tsimcne_swift._inputs.vectors import Vectors


@parametrize_with_checks(
    [TSimCNE(backbone="identity", hidden_dim=32, pretrain_dim=8, batch_size=32, total_epochs=[2, 1, 1])]
)
def test_scikit_learn(estimator, check):
    check(estimator)


# ------------------------------------------------------------------ maps of vectors


def test_map_of_vectors():
    X = vectors()
    model = mapper()
    Y = model.fit_transform(X)
    assert Y.shape == (40, 2) and Y.dtype == np.float32 and np.isfinite(Y).all()
    assert_same_bits(model.transform(X), Y)
    assert model.n_features_in_ == 6 and model.image_shape_ == (1, 1, 6)
    assert list(model.get_feature_names_out()) == ["tsimcne0", "tsimcne1"]
    for n_jobs in (1, 2, 3):
        assert_same_bits(mapper(n_jobs=n_jobs).fit_transform(X), Y)


@pytest.mark.parametrize("projection_head", ["mlp", "linear"])
@pytest.mark.parametrize("normalize", [None, "dataset", (0.0, 5.0)])
def test_every_option_separates_blobs(projection_head, normalize):
    X, labels = blobs()
    model = mapper(
        projection_head=projection_head, normalize=normalize, hidden_dim=64, batch_size=50,
        total_epochs=[20, 2, 5],
    )  # fmt: skip
    assert model.fit(X).score(X, labels) > 0.9


@pytest.mark.parametrize(
    ("scale", "offset"), [(1e6, 0), (1e-6, 0), (1, 1e4), (1e6, 1e10), (1e-20, 0), (1e13, 0), (10, -1e4)]
)
def test_units_do_not_matter(scale, offset):
    X, labels = blobs(scale=scale, offset=offset)
    model = mapper(hidden_dim=64, batch_size=50, total_epochs=[20, 2, 5]).fit(X)
    assert np.isfinite(model.embedding_).all()
    assert model.score(X, labels) > 0.9


@pytest.mark.parametrize("normalize", [None, "dataset", (1e8, 2.0)])
def test_vectors_far_from_the_origin(normalize, tmp_path):
    """In float32 all these vectors would have one place."""
    X, labels = blobs(n=200, offset=1e8)
    model = mapper(normalize=normalize, hidden_dim=64, batch_size=50, total_epochs=[20, 2, 5])
    Y = model.fit_transform(X)
    assert len(np.unique(Y, axis=0)) == len(X) and model.score(X, labels) > 0.95
    # A vector alone, in another type's container, after a file, and in a pickle gives the same bits.
    assert_same_bits(model.transform(X[7:8]), Y[7:8])
    model.save(tmp_path / "model.safetensors")
    assert_same_bits(TSimCNE.load(tmp_path / "model.safetensors").transform(X), Y)
    assert_same_bits(pickle.loads(pickle.dumps(model)).transform(X), Y)
    more = mapper(init=model, normalize=None, total_epochs=[1], hidden_dim=64).fit(X)
    assert more.score(X, labels) > 0.9


def test_far_from_the_origin_is_as_near_it():
    X = vectors(60).astype(np.float64)
    # Points would make much of the last digits.
    near, far = (mapper(plane="parametric").fit_transform(Z) for Z in (X, X + 2.0**27))
    np.testing.assert_allclose(far, near, rtol=1e-2, atol=1e-2 * np.abs(near).max())


def test_large_whole_numbers_are_not_rounded():
    X = 2**31 - 1 - np.random.default_rng(0).integers(0, 100, (200, 5))
    expected = (X - X.mean(axis=0)) / X.std()
    for integers in (X, X.astype(np.int32), X.astype(np.float64)):
        model = mapper(total_epochs=[1], pretrain_dim=2).fit(integers)
        features = model.features(integers)
        np.testing.assert_allclose(features / features.std(), expected / expected.std(), atol=1e-4)
        assert_same_bits(model.transform(integers), model.embedding_)


def test_vectors_that_cannot_be_told_apart_are_named():
    X = vectors(60)
    with pytest.warns(
        UserWarning, match=r"feature \d has values around 1e\+07 .* float32 hardly tells apart"
    ):
        mapper().fit(X + np.float32(1e7))
    X = X.astype(np.float64)
    X[0] = 1e12
    with pytest.warns(UserWarning, match="of 60 different vectors that were looked at, .* remain in float32"):
        mapper().fit(X + np.where(np.arange(60) % 2, 1e9, -1e9)[:, None])


def test_each_feature_may_have_its_own_unit():
    X, labels = blobs()
    X = np.c_[X, 1e6 * np.random.default_rng(0).standard_normal(len(X))]
    scores = [
        mapper(normalize=normalize, hidden_dim=64, batch_size=50, total_epochs=[20, 2, 5])
        .fit(X)
        .score(X, labels)
        for normalize in (None, "dataset")
    ]
    # One common scale keeps a feature that drowns the others.
    assert scores[1] > 0.9 > scores[0]


def test_features_are_the_normalised_vectors():
    X = 3 * vectors(200) + np.arange(6, dtype=np.float32)
    features = mapper().fit(X).features(X)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-5)
    assert (features.std(axis=0) ** 2).mean() == pytest.approx(1, rel=1e-4)
    ratios = features.std(axis=0) / X.std(axis=0)
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-4)
    np.testing.assert_allclose(mapper(normalize="dataset").fit(X).features(X).std(axis=0), 1, rtol=1e-4)
    given = mapper(normalize=(1.0, 2.0)).fit(X).features(X)
    np.testing.assert_allclose(given, (X - 1) / 2, rtol=1e-5, atol=1e-6)


def test_constant_features_carry_nothing():
    X = np.c_[vectors(), np.full(40, 7, np.float32)]
    for normalize in (None, "dataset"):
        features = mapper(normalize=normalize).fit(X).features(X)
        assert (features[:, -1] == 0).all()
    assert np.isfinite(mapper().fit_transform(np.full((40, 3), 5.0))).all()


def test_noise_and_dropout_are_what_views_differ_in():
    X = vectors()
    first = {}
    for name, noise, dropout in [("none", 0, 0), ("noise", 2, 0), ("dropout", 0, 0.5), ("all", 0, 1)]:
        augmentation = FeatureAugmentation(noise=noise, dropout=dropout)
        model = mapper(augmentation=augmentation, lr=0, total_epochs=[1], batch_size=40).fit(X)
        first[name] = model.history_[0]["loss"]
    # Equal views have the lowest loss; vectors of which nothing is left are all in one place.
    assert first["none"] < min(first["noise"], first["dropout"])
    assert first["all"] == pytest.approx(np.log(2 * 40 - 1), rel=1e-5)
    assert_same_bits(
        mapper(augmentation="natural").fit_transform(X),
        mapper(augmentation=FeatureAugmentation()).fit_transform(X),
    )


# ------------------------------------------------------------------ input


def test_float32_is_read_in_place():
    X = vectors(100)
    checked = Vectors(mapper(), X, reset=True)
    assert checked.direct and np.shares_memory(checked.whole(), X)
    assert _core.data_address(checked.whole()) == X.ctypes.data
    # float64 is converted batch by batch.
    assert not Vectors(mapper(), X.astype(np.float64), reset=True).direct


def test_types_and_layouts_give_the_same_bits(tmp_path):
    X = vectors()
    Y = mapper().fit_transform(X)
    file = np.memmap(tmp_path / "X", mode="w+", dtype=np.float32, shape=X.shape)
    file[:] = X
    read_only = np.memmap(tmp_path / "X", mode="r", dtype=np.float32, shape=X.shape)
    for same in (X.astype(np.float64), X.tolist(), np.asfortranarray(X), X[::-1][::-1], file, read_only):
        model = mapper()
        assert_same_bits(model.fit_transform(same), Y)
        assert_same_bits(model.transform(same), Y)
    integers = np.random.default_rng(0).integers(-9, 9, (40, 6))
    assert_same_bits(mapper().fit_transform(integers), mapper().fit_transform(integers.astype(np.float32)))


def test_input_is_never_changed():
    X = vectors()
    before = X.copy()
    X.flags.writeable = False
    mapper(normalize="dataset").fit(X).transform(X)
    assert_same_bits(X, before)


def test_pipeline():
    X, labels = blobs()
    pipeline = make_pipeline(StandardScaler(), mapper(hidden_dim=64, batch_size=50, total_epochs=[20, 2, 5]))
    assert pipeline.fit(X).score(X, labels) > 0.9
    assert list(pipeline.get_feature_names_out()) == ["tsimcne0", "tsimcne1"]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.full((4, 3), np.nan), "NaN"),
        (np.full((4, 3), np.inf), "infinity"),
        (np.full((4, 3), 1e16), r"^X: got values beyond ±1e\+15"),
        (np.full((4, 3), -1e16), r"^X: got values beyond"),
        (np.zeros((1, 3)), "1 sample"),
        (np.zeros((0, 3)), "0 sample"),
        (np.zeros((4, 0)), "0 feature"),
        (np.zeros((2, 65537), np.float32), r"^X: got 65537 features, want at most 65536"),
        (np.zeros(4), "2D array"),
        (np.zeros((4, 8, 8)), "dim 3"),
        (np.array([["a", "b"]] * 4), "convert"),
    ],
)
def test_bad_vectors(X, message):
    with pytest.raises(ValueError, match=message):
        mapper().fit(X)


def test_transform_wants_as_many_features():
    model = mapper().fit(vectors())
    with pytest.raises(ValueError, match="X has 5 features, but TSimCNE is expecting 6"):
        model.transform(vectors(features=5))
    with pytest.raises(ValueError, match="NaN"):
        model.transform(np.full((1, 6), np.nan))
    assert_same_bits(model.transform(vectors()[:1]), model.embedding_[:1])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image_shape", (8, 8)),
        ("augmentation", Augmentation()),
        ("augmentation", "text"),
        ("augmentation", "microscopy"),
        ("augmentation", None),
        ("augmentation", FeatureAugmentation(noise=-1)),
        ("augmentation", FeatureAugmentation(noise=float("nan"))),
        ("augmentation", FeatureAugmentation(dropout=1.5)),
        ("augmentation", FeatureAugmentation(dropout="x")),
        ("normalize", ([1, 2], 1)),
        ("normalize", (0, 0)),
    ],
)
def test_what_vectors_exclude(name, value):
    with pytest.raises((ValueError, TypeError), match=f"^{name}"):
        mapper(**{name: value}).fit(vectors())


def test_images_exclude_noise_on_features():
    with pytest.raises(ValueError, match=r"^augmentation: .*backbone='identity'"):
        small(augmentation=FeatureAugmentation()).fit(images())


# ------------------------------------------------------------------ scikit-learn's checks that images pass


def test_images_parameters_are_not_touched():
    model = small(total_epochs=[1, 1, 1], lr=[0.1, 0.1, 0.01])
    before = pickle.dumps(model.get_params())
    model.fit(images())
    assert pickle.dumps(model.get_params()) == before
    assert clone(model).get_params() == model.get_params()
    # Every parameter is kept as the same object.
    for name, value in model.get_params(deep=False).items():
        twin = TSimCNE(**{name: value})
        assert getattr(twin, name) is value


def test_images_only_fit_changes_the_estimator():
    X = images()
    model = small().fit(X)
    before = pickle.dumps({name: v for name, v in vars(model).items() if name != "_network"})
    model.transform(X)
    model.features(X)
    model.score(X, np.arange(40))
    model.get_feature_names_out()
    assert pickle.dumps({name: v for name, v in vars(model).items() if name != "_network"}) == before


def test_images_attributes_of_fit_end_with_an_underscore():
    model = small()
    before = set(vars(model))
    model.fit(images())
    assert all(name.endswith("_") or name.startswith("_") for name in set(vars(model)) - before)


def test_images_fit_is_idempotent():
    X = images()
    model = small().fit(X)
    first = model.embedding_
    assert_same_bits(model.fit(X).embedding_, first)
    assert_same_bits(model.fit(images(30, (9, 9, 3))).fit(X).embedding_, first)
    assert model.fit(X, y=np.arange(40)) is model


def test_images_of_a_file_that_is_read_only(tmp_path):
    X = images()
    np.save(tmp_path / "X.npy", X)
    model = small()
    Y = model.fit_transform(np.load(tmp_path / "X.npy", mmap_mode="r"))
    assert_same_bits(Y, small().fit_transform(X))
    assert_same_bits(model.transform(np.load(tmp_path / "X.npy", mmap_mode="c")), Y)


@pytest.mark.parametrize(("make", "data"), [(small, images), (mapper, vectors)])
def test_map_of_a_sample_does_not_depend_on_the_others(make, data):
    X = data()
    model = make().fit(X)
    order = np.random.default_rng(0).permutation(40)
    assert_same_bits(model.transform(X[order]), model.embedding_[order])
    for part in (slice(0, 1), slice(3, 20), slice(None, None, 7)):
        assert_same_bits(model.transform(X[part]), np.ascontiguousarray(model.embedding_[part]))


def test_images_number_of_features():
    model = small()
    assert not hasattr(model, "n_features_in_")
    assert model.fit(images(shape=(8, 9, 3))).n_features_in_ == 8 * 9 * 3
    assert list(model.get_feature_names_out()) == ["tsimcne0", "tsimcne1"]
    assert model.fit(images()).n_features_in_ == 64


def test_images_complain_of_vectors_networks_and_back():
    with pytest.raises(ValueError, match=r"^X: got 10 features, want 64 as in fit"):
        small().fit(images()).transform(vectors(features=10))
    with pytest.raises(ValueError, match="dim 3"):
        mapper().fit(images().reshape(40, 64)).transform(images())
