"""Pictures in files of arrays."""

import numpy as np
import pytest
from tsimcne_swift import images

QUIET = {"progress": False, "n_jobs": 1}
X = np.random.default_rng(0).integers(0, 256, (12, 9, 10, 3), dtype=np.uint8)


def test_one_file_is_read_in_place(tmp_path):
    np.save(tmp_path / "x.npy", X)
    found = images.from_npy(tmp_path / "x.npy", **QUIET)
    assert isinstance(found.images, np.memmap) and found.names[11] == "11"
    np.testing.assert_array_equal(found.images, X)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_folder_of_stacks_and_single_pictures(dtype, tmp_path):
    values = X if dtype == np.uint8 else (X / 255).astype(dtype)
    for name, array in {"a/0": values[:5], "b/1": values[5:11], "b/2": values[11], "b/.3": values}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        np.save(tmp_path / f"{name}.npy", array)
    (tmp_path / "b/4.npy").write_bytes(b"no array")
    found = images.from_npy(tmp_path, **QUIET)
    np.testing.assert_array_equal(found.images, X)
    assert found.label_names == ["a", "b"] and found.labels.tolist() == [0] * 5 + [1] * 7
    assert found.names[4:6] == ["a/0.npy/4", "b/1.npy/0"] and found.names[11] == "b/2.npy"
    assert [name for name, _ in found.skipped] == ["b/4.npy"]
    paths = [tmp_path / "b/2.npy", tmp_path / "a/0.npy"]
    np.testing.assert_array_equal(images.from_npy(paths, **QUIET).images, X[[11, 0, 1, 2, 3, 4]])


def test_grey_pictures_and_stacks_of_them(tmp_path):
    np.save(tmp_path / "one.npy", X[0, :, :, 0])
    np.save(tmp_path / "stack.npy", X[1:, :, :, 0])
    found = images.from_npy(tmp_path, **QUIET)
    np.testing.assert_array_equal(found.images[..., 0], X[..., 0])


def test_what_is_no_set_of_arrays(tmp_path):
    with pytest.raises(ValueError, match=r"want \.npy files in it"):
        images.from_npy(tmp_path, **QUIET)
    with pytest.raises(FileNotFoundError, match="path: there is no"):
        images.from_npy(tmp_path / "x.npy", **QUIET)
    (tmp_path / "x.npy").write_bytes(b"no array")
    with pytest.raises(ValueError, match=r"got no \.npy file that can be read; x\.npy: cannot be read"):
        images.from_npy(tmp_path, **QUIET)
