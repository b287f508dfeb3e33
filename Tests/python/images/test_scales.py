"""Which values become black and white: in a set, alone, and as a caller says."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from test_images import QUIET
from tsimcne_swift import images

RANDOM = np.random.default_rng(0)


def dark(n, high=600):
    return [RANDOM.integers(100, high, (32, 32)).astype(np.uint16) for _ in range(n)]


@pytest.mark.parametrize("odd", [1, 2])
@pytest.mark.parametrize("share", [1.0, 0.3])
def test_overexposed_pictures_leave_the_others_as_they_are(odd, share):
    """Whole ones, or with an overexposed part."""
    bright = dark(odd)
    for picture in bright:
        picture[: int(32 * share)] = 65535
    found = images.from_files([*dark(100 if share < 1 else 20), *bright], **QUIET)
    assert len(np.unique(found.images[:20])) > 200
    assert (found.images[-1, 0] == 255).all()


def test_many_bright_pictures_keep_their_range():
    found = images.from_files([*dark(10), *dark(10, 5000)], **QUIET)
    assert found.images[10:].max() == 255 and 20 < found.images[:10].max() < 45


def test_the_hue_stays_in_any_scale():
    colour = np.stack([np.full((16, 16), value) for value in (4000, 2000, 1000)], axis=2).astype(np.uint16)
    colour[0, 0], colour[0, 1] = 0, 5000
    for scale in ("auto", "depth", (0, 8000)):
        red, green, blue = images.from_files([colour], scale=scale, **QUIET).images[0, 8, 8].astype(float)
        assert red > green > blue
        assert red / green == pytest.approx(2, abs=0.15) and green / blue == pytest.approx(2, abs=0.35)


@pytest.mark.parametrize(
    ("scale", "expected"),
    [("depth", (1, 4)), ("percentile", (0, 255)), ((0, 1000), (51, 255)), (None, (0, 255))],
)
def test_scale(scale, expected):
    values = np.linspace(200, 1000, 256).reshape(16, 16).astype(np.uint16)
    found = images.from_files([values, values], scale=scale, **QUIET)
    assert (found.images.min(), found.images.max()) == pytest.approx(expected, abs=1)
    ((low, high),) = found.layout.ranges["uint16:grey"]
    assert f"{low:g} to {high:g} became black to white" in found.notes[0]


@pytest.mark.parametrize(
    ("scale", "error"),
    [
        ("most", ValueError),
        ((1, 1), ValueError),
        ((0, float("nan")), ValueError),
        (3, TypeError),
        ((1, 2, 3), TypeError),
    ],
)
def test_wrong_scales(scale, error):
    with pytest.raises(error, match="scale: got"):
        images.from_files([np.zeros((16, 16))], scale=scale, **QUIET)


def test_eight_bits_stay_as_they_are_in_any_scale():
    picture = RANDOM.integers(90, 120, (16, 16, 3), np.uint8)
    for scale in ("auto", "depth", "percentile", (0, 1)):
        np.testing.assert_array_equal(images.from_files([picture], scale=scale, **QUIET).images[0], picture)


def test_floats_of_two_scales_side_by_side():
    picture = RANDOM.integers(0, 256, (16, 16, 3), np.uint8)
    many = [picture / 255, picture.astype(float), picture, picture.astype(np.int32)]
    for pictures in (many, many[::-1], [many[0], *[many[1]] * 9], [many[1], *[many[0]] * 9]):
        for image in images.from_files(pictures, **QUIET).images:
            np.testing.assert_array_equal(image, picture)
    # Nearly black is no unit.
    black = np.zeros((16, 16, 3))
    black[3] = 1
    assert images.from_files([black, *[picture.astype(float)] * 4], **QUIET).images[0].max() == 1


def test_values_that_stand_for_none_decide_nothing(tmp_path):
    for i in range(6):
        values = RANDOM.normal(500, 50, (32, 32)).astype(np.float32)
        values[:4] = (-9999, np.nan, -32768, np.inf, -3.4e38, -99999)[i]
        tifffile.imwrite(tmp_path / f"{i}.tif", values)
    (tmp_path / "7.tif").write_bytes(b"")
    found = images.from_folder(tmp_path, **QUIET)
    assert (found.images[:, :4] == 0).all() and 115 < found.images[:, 5:].mean() < 140


def test_a_kind_of_values_that_the_sample_did_not_have(tmp_path, monkeypatch):
    """All pictures are looked at: the rare one is as in a set where it is seen at once."""
    monkeypatch.setattr(images._reading, "SAMPLE", 2)
    for i in range(9):
        Image.fromarray(np.full((16, 16), 20 * i, np.uint8)).save(tmp_path / f"{i}.png")
    deep = np.linspace(0, 1023, 256).reshape(16, 16).astype(np.uint16)
    tifffile.imwrite(tmp_path / "5.tif", deep)
    found = images.from_folder(tmp_path, **QUIET)
    assert found.layout.ranges == {"uint16:grey": ((0.0, 1023.0),)}
    place = found.names.index("5.tif")
    np.testing.assert_allclose(found.images[place, :, :, 0], deep / 1023 * 255, atol=1)
