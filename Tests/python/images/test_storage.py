"""Files that hold many images: room is there before they are filled, and each collection has its own."""

import os
import resource
import stat
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from test_images import QUIET, noise
from tsimcne_swift import images


@pytest.fixture
def folders(tmp_path):
    """Two folders of different pictures."""
    found = []
    for number, count in enumerate((6, 3)):
        found.append(tmp_path / str(number))
        found[-1].mkdir()
        for i in range(count):
            Image.fromarray(noise(20, 24, 3, seed=10 * number + i)).save(found[-1] / f"{i}.png")
    return found


def test_one_cache_for_two_collections(folders, tmp_path):
    """The first one keeps its pixels; the file has those of the second."""
    path = tmp_path / "set.npy"
    first = images.from_folder(folders[0], cache=path, **QUIET)
    before = np.array(first.images)
    second = images.from_folder(folders[1], cache=path, **QUIET)
    np.testing.assert_array_equal(first.images, before)
    np.testing.assert_array_equal(second.images, images.from_folder(folders[1], **QUIET).images)
    np.testing.assert_array_equal(np.load(path), second.images)
    second.images[0] = 7
    np.testing.assert_array_equal(first.images, before)


def test_a_cache_is_whole_or_as_it_was(folders, tmp_path):
    path = tmp_path / "set.npy"
    images.from_folder(folders[0], cache=path, **QUIET)
    before = path.read_bytes()
    for file in folders[1].iterdir():
        file.write_bytes(b"x")
    with pytest.raises(ValueError, match="no picture that can be read"):
        images.from_folder(folders[1], cache=path, **QUIET)
    assert path.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["0", "1", "set.npy"]


def test_a_cache_is_as_any_file_of_its_user(folders, tmp_path):
    path, link = tmp_path / "set.npy", tmp_path / "link.npy"
    mask = os.umask(0o027)
    try:
        images.from_folder(folders[0], cache=path, **QUIET)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    link.symlink_to(path)
    found = images.from_folder(folders[1], cache=link, **QUIET)
    assert link.is_symlink() and len(np.load(path)) == 3
    assert found.images.filename == str(link)


FULL = """
import resource, sys
from tsimcne_swift import images
images._storage.MEMORY_SHARE = 0.0
# A disk that takes no more than this of a file.
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
cache = sys.argv[2] if len(sys.argv) > 2 else None
try:
    images.from_folder(sys.argv[1], cache=cache, progress=False)
except OSError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(images.from_folder(sys.argv[1], cache=cache, progress=False).images.sum())
"""


@pytest.mark.parametrize("cache", [None, "set.npy"])
def test_full_disk(folders, tmp_path, cache):
    """The process would end when the first page of a map has no room."""
    arguments = [folders[0]] + ([] if cache is None else [tmp_path / cache])
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", FULL, *map(str, arguments)],
        capture_output=True, text=True, check=False, env=environment, timeout=60,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    error, total = found.stdout.splitlines()
    name = "images" if cache is None else "cache"
    assert f"{name}: 8,768 bytes of images have no room in {tmp_path}" in error
    assert ("TMPDIR" in error) == (cache is None)
    assert int(total) == images.from_folder(folders[0], **QUIET).images.sum()
    assert sorted(os.listdir(tmp_path)) == ["0", "1"] + ([] if cache is None else [cache])


def test_limits_are_set_in_children_only():
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
