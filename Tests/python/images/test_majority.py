"""Most pictures decide what all become; the odd one is converted, or skipped by name."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from test_images import QUIET, noise
from tsimcne_swift import images


def stack(path, channels, axes="CYX"):
    values = np.random.default_rng(channels).integers(0, 4000, (channels, 24, 24)).astype(np.uint16)
    tifffile.imwrite(path, values, photometric="minisblack", metadata={"axes": axes})


def test_one_with_more_channels(tmp_path):
    for i in range(6):
        Image.fromarray(noise(24, 24, 3)).save(tmp_path / f"{i}.png")
    stack(tmp_path / "odd.tif", 5)
    found = images.from_folder(tmp_path, **QUIET)
    assert found.images.shape == (6, 24, 24, 3)
    assert found.skipped == [("odd.tif", "ValueError: got 5 channels, others have 3")]
    assert images.from_folder(tmp_path, channels=5, **QUIET).names == ["odd.tif"]


def test_two_channels_and_one_with_five(tmp_path):
    for i in range(6):
        stack(tmp_path / f"{i}.tif", 2)
    stack(tmp_path / "odd.tif", 5)
    found = images.from_folder(tmp_path, **QUIET)
    assert found.images.shape == (6, 24, 24, 2) and [name for name, _ in found.skipped] == ["odd.tif"]


@pytest.mark.parametrize("place", [0, 7, 399])
def test_a_rare_colour_picture_among_grey_ones_keeps_its_colour(place):
    pictures = [noise(9, 9, seed=i % 5) for i in range(400)]
    pictures[place] = noise(9, 9, 3)
    found = images.from_files(pictures, **QUIET).images
    assert found.shape == (400, 9, 9, 3)
    np.testing.assert_array_equal(found[place], noise(9, 9, 3))
    np.testing.assert_array_equal(found[1, :, :, 2], noise(9, 9, seed=1))
    assert images.from_files(pictures, channels=1, **QUIET).images.shape[3] == 1


def test_a_colour_picture_that_is_broken_colours_nothing(tmp_path):
    for i in range(5):
        Image.fromarray(noise(24, 24, seed=i)).save(tmp_path / f"{i}.png")
    Image.fromarray(noise(24, 24, 3)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:300])
    found = images.from_folder(tmp_path, **QUIET)
    assert found.images.shape == (5, 24, 24, 1)


def test_one_of_another_size_does_not_decide():
    many = [noise(30, 30, 3)] * 19
    assert images.from_files([*many, noise(90, 200, 3)], **QUIET).images.shape == (20, 30, 30, 3)
    assert images.from_files([*many[:5], noise(90, 200, 3)], **QUIET).images.shape == (6, 64, 64, 3)


def test_stacks_of_unequal_depth(tmp_path):
    for i in range(10):
        stack(tmp_path / f"{i}.tif", 8 + i % 5, "ZYX")
    found = images.from_folder(tmp_path, **QUIET)
    assert found.images.shape == (10, 24, 24, 1) and found.skipped == []
    assert "grey pages of one file are a stack: its middle one was taken" in found.notes
    middle = tifffile.imread(tmp_path / "2.tif")[4].astype(float)
    ((low, high),) = found.layout.ranges["uint16:grey"]
    np.testing.assert_allclose(found.images[2, :, :, 0], (middle - low) / (high - low) * 255, atol=1)


def test_grey_colour_and_deep_pictures_together(tmp_path):
    """All are kept, and grey stays grey."""
    ramp = np.tile(np.linspace(0, 255, 24).astype(np.uint8), (24, 1))
    colour = np.dstack([ramp, ramp // 2, ramp * 0])
    Image.fromarray(colour).save(tmp_path / "rgb.png")
    Image.fromarray(ramp).save(tmp_path / "grey.png")
    Image.fromarray(ramp).convert("P").save(tmp_path / "palette.png")
    Image.fromarray(ramp.astype(np.uint16) * 257).save(tmp_path / "grey16.png")
    tifffile.imwrite(tmp_path / "rgb16.tif", colour.astype(np.uint16) * 257, photometric="rgb")
    found = images.from_folder(tmp_path, **QUIET)
    by_name = dict(zip(found.names, found.images.astype(int), strict=True))
    for name, image in by_name.items():
        wanted = colour if name.startswith("rgb") else np.dstack([ramp] * 3)
        np.testing.assert_allclose(image, wanted, atol=1, err_msg=name)
    grey = images.from_folder(tmp_path, channels=1, **QUIET)
    assert grey.images.shape == (5, 24, 24, 1) and grey.skipped == []
    np.testing.assert_allclose(
        grey.images[grey.names.index("rgb16.tif")].astype(int),
        grey.images[grey.names.index("rgb.png")],
        atol=1,
    )


def test_what_is_broken_has_all_read_again_once(tmp_path, monkeypatch):
    """A colour picture that is broken behind its headers, and not in the sample."""
    monkeypatch.setattr(images._reading, "SAMPLE", 2)
    for i in range(9):
        Image.fromarray(noise(24, 24, seed=i)).save(tmp_path / f"{i}.png")
    Image.fromarray(noise(24, 24, 3)).save(tmp_path / "7.png")
    (tmp_path / "7.png").write_bytes((tmp_path / "7.png").read_bytes()[:300])
    passes, whole = [], images._reading._Reader.read
    monkeypatch.setattr(
        images._reading._Reader, "read", lambda self, choice: passes.append(choice) or whole(self, choice)
    )
    found = images.from_folder(tmp_path, **QUIET)
    assert found.images.shape == (8, 24, 24, 1) and [name for name, _ in found.skipped] == ["7.png"]
    assert len(passes) == 2
