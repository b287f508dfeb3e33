"""Losses of other shapes, a trained temperature, and what changes over the epochs of one stage."""

import numpy as np
import pytest
from helpers import assert_same_bits, images, small
from tsimcne_swift import Stage, TSimCNE, recipes
from tsimcne_swift._stages import annealing as _annealing

X = images(60)


@pytest.mark.parametrize(
    ("shape", "first", "last", "epochs", "wanted"),
    [
        ("cosine", 128, 2, 10, [125, 116, 102, 85, 65, 45, 28, 14, 5, 2]),
        ("cosine", 128, 2, 4, [110, 65, 20, 2]),
        ("cosine", 3, 2, 10, [3] * 5 + [2] * 5),
        ("cosine", 128, 2, 1, [2]),
        ("piecewise-linear", 128, 2, 24, [128] * 16 + [128, 86, 44] + [2] * 5),
        ("piecewise-linear", 128, 2, 7, [128] * 4 + [2] * 3),
        ("piecewise-cosine", 128, 2, 24, [128] * 16 + [97, 33, 2] + [2] * 5),
        ("linear", 10, 2, 5, [10, 8, 6, 4, 2]),
        ("linear", 10, 2, 1, [10]),
    ],
)
def test_dimensions(shape, first, last, epochs, wanted):
    assert _annealing.output_dimensions(shape, first, last, epochs) == wanted


def test_dimensions_of_a_thousand_epochs():
    """They change where those of tsimcne 0.4.24 do."""
    dimensions = _annealing.output_dimensions("cosine", 128, 2, 1000)
    assert (dimensions.index(127), dimensions[499], dimensions.index(2)) == (56, 65, 943)
    # Here double precision rounds the other way.
    assert _annealing.output_dimensions("cosine", 128, 2, 547)[238] == 78


def test_degrees():
    ours = _annealing.degrees_of_freedom((1, 128), [2] * 5, 5)
    np.testing.assert_allclose(ours, [1, 13.1274, 44.8774, 84.1226, 115.8726], rtol=1e-5)
    assert _annealing.degrees_of_freedom("dimension", [8, 3, 1], 3) == [7, 2, 1]


def test_what_stays_is_one_number_however_long_the_stage():
    assert _annealing.degrees_of_freedom("dimension", [8], 10**9) == [7]
    model = small(total_epochs=[Stage(1e9, 2, dof="dimension")], callbacks=lambda record: True).fit(X)
    assert len(model.history_) == 1


ANNEALED = {"total_epochs": [Stage(6, 2, anneal_from=16, dof="dimension")], "optimizer": "adam"}
OTHERS = {
    "annealed": ANNEALED,
    "annealed, degrees": {"dof": (1, 10), "total_epochs": [Stage(4.5, 3, anneal_from=9)]},
    "Gaussian": {"metric": "gauss", "temperature": 0.5},
    "Student t": {"dof": 5},
    "trained temperature": {"temperature_lr": 0.05},
    "trained temperature, cosine": {"metric": ["cosine", "euclidean", "euclidean"], "temperature_lr": 0.05},
    "linear rule": {"lr": "linear"},
}


@pytest.mark.parametrize("options", OTHERS.values(), ids=OTHERS)
def test_interrupted_and_saved(options, tmp_path):
    """The map is finite, and has the same bits again, after an interruption, and from a file."""
    whole = small(**options).fit(X)
    assert np.isfinite(whole.embedding_).all()
    path, seen = tmp_path / "run.ckpt", []

    def stop(record):
        seen.append(record)
        if len(seen) == 2:
            raise KeyboardInterrupt

    model = small(**options | {"checkpoint": path, "callbacks": stop})
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert_same_bits(model.fit(X, resume=True).embedding_, whole.embedding_)
    whole.save(tmp_path / "model.safetensors")
    assert_same_bits(TSimCNE.load(tmp_path / "model.safetensors").transform(X), whole.embedding_)
    again = small(**options | {"total_epochs": whole.stages_}).fit_transform(X)
    assert_same_bits(again, whole.embedding_)


def test_maps_have_the_dimension_of_the_epoch():
    shapes = []
    model = small(**ANNEALED | {"callbacks": lambda record: shapes.append(record.embedding().shape[1])}).fit(
        X
    )
    assert shapes[-1] == model.embedding_.shape[1] == 2
    assert shapes == sorted(shapes, reverse=True) and shapes[0] > 2


def test_temperature_in_the_history():
    model = small(temperature_lr=0.5, temperature=0.7).fit(X)
    temperatures = [row["temperature"] for row in model.history_]
    assert all(value > 0 and value != 0.7 for value in temperatures)
    # Without a rate it stays.
    assert {row["temperature"] for row in small(temperature=0.7).fit(X).history_} == {0.7}


def test_student_t_of_one_degree_is_the_default():
    assert_same_bits(small(dof=1).fit_transform(X), small().fit_transform(X))


@pytest.mark.parametrize("rule", ["linear", "sqrt"])
def test_rules_for_the_rate(rule):
    stages = small(lr=rule, batch_size=16).fit(X).stages_
    rate = recipes.BATCH_RULES[rule](16)
    assert [stage.lr for stage in stages] == [rate, rate, rate / 1000]
    assert recipes.BATCH_RULES["linear"](512) == pytest.approx(0.06)
    assert recipes.BATCH_RULES["sqrt"](256) == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"dof": 0}, "dof"),
        ({"dof": (1, 2, 3)}, "dof"),
        ({"dof": "parameter"}, "dof"),
        ({"dof": None}, "dof"),
        ({"temperature_lr": -1}, "temperature_lr"),
        ({"temperature_lr": "auto"}, "temperature_lr"),
        ({"lr": "square"}, "lr"),
        ({"metric": "student"}, "metric"),
        ({"total_epochs": [Stage(1, 4, anneal_from=2)]}, r"total_epochs\[0\].anneal_from"),
        ({"total_epochs": [Stage(1, 2, anneal_from=0)]}, r"total_epochs\[0\].anneal_from"),
        ({"total_epochs": [Stage(1, 2, dim_annealing="cos")]}, r"total_epochs\[0\].dim_annealing"),
        ({"total_epochs": [Stage(1, 2, dof=-3)]}, r"total_epochs\[0\].dof"),
        ({"total_epochs": [Stage(1, 8), Stage(1, 2, anneal_from=16)]}, "n_components"),
    ],
)
def test_wrong_options(options, name):
    with pytest.raises((ValueError, TypeError), match=f"^{name}: got "):
        small(**options).fit(X)
