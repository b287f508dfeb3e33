"""Training with numbers of 16 bits."""

import numpy as np
import pytest
from helpers import assert_same_bits, images, small
from tsimcne_swift import TSimCNE, show_config

AVAILABLE = show_config()["precisions"]
# Convolutions of whole vectors of channels have numbers of 16 bits.
OPTIONS = {"width": 16, "plane": "parametric"}
each = pytest.mark.parametrize(
    "precision",
    [
        pytest.param(
            precision,
            marks=pytest.mark.skipif(precision not in AVAILABLE, reason="the processor has no avx512_bf16"),
        )
        for precision in ("bfloat16-storage", "bfloat16")
    ],
)


@each
def test_losses_are_nearly_those_of_single_precision(precision):
    X = images()
    single, half = (small(**OPTIONS, precision=which).fit(X) for which in ("float32", precision))
    losses = [[row["loss"] for row in model.history_] for model in (single, half)]
    assert losses[0] != losses[1]
    # Of the first epoch; afterwards the two part, as any two runs do.
    np.testing.assert_allclose(losses[0][0], losses[1][0], rtol=0.02)


@each
def test_bits_are_the_same_on_any_number_of_threads_and_after_a_stop(tmp_path, precision):
    X, path = images(), tmp_path / "run.ckpt"
    options = OPTIONS | {"precision": precision}
    whole = small(**options, n_jobs=1).fit(X)
    small(**options, checkpoint=path, callbacks=lambda record: record.stage == 2).fit(X)
    resumed = small(**options, checkpoint=path, n_jobs=2).fit(X, resume=True)
    assert_same_bits(whole.embedding_, resumed.embedding_)
    with pytest.raises(ValueError, match=f"^precision: got 'float32', .* made with '{precision}'"):
        small(**OPTIONS, checkpoint=path).fit(X, resume=True)


@each
def test_maps_are_made_in_single_precision(tmp_path, precision):
    """What was trained here maps the same images to the same places on processors without."""
    model = small(**OPTIONS, precision=precision).fit(images())
    model.save(tmp_path / "model.safetensors")
    loaded = TSimCNE.load(tmp_path / "model.safetensors")
    assert loaded.precision == precision
    plain = TSimCNE.from_state_dict(model.to_state_dict(), image_shape=model.image_shape_)
    assert_same_bits(loaded.transform(images()), plain.transform(images()))


def test_processors_without_it_say_so(monkeypatch):
    config = show_config() | {"precisions": ["float32", "bfloat16-storage"]}
    monkeypatch.setattr("tsimcne_swift._parameters.show_config", lambda: config)
    with pytest.raises(ValueError, match=r"^precision: got 'bfloat16', .* want 'float32' or 'bfloat16-s"):
        small(**OPTIONS, precision="bfloat16").fit(images())
