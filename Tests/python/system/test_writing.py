"""Writing in place of an older file: by every writer, all or nothing, and no other file is touched."""

import os
import stat
import threading

import numpy as np
import pytest
from helpers import images, small
from PIL import Image
from tsimcne_swift import callbacks, explore, plot
from tsimcne_swift import images as pictures
from tsimcne_swift._system.writing import check_writable, write

X = images()
Y = np.random.default_rng(0).standard_normal((30, 2))
RECORD = callbacks.Record(1, 1, 0.5, 0.1, 1.0, 1.0, 10.0, lambda: Y)


@pytest.fixture(scope="module")
def model():
    return small().fit(X)


def onnx(model, path):
    pytest.importorskip("onnx")
    model.export_onnx(path)


WRITERS = {
    "model": lambda model, path: model.save(path),
    "checkpoint": lambda model, path: small(checkpoint=path).fit(X, resume=True),
    "onnx": onnx,
    "page": lambda model, path: explore(Y, path=path),
    "film": lambda model, path: plot.animation([Y, Y], path, between=1, fps=1),
    "log": lambda model, path: callbacks.CSVLog(path)(RECORD),
    "cache": lambda model, path: pictures.from_files(
        [*X, np.zeros((5, 5, 2))], size=8, cache=path, progress=False
    ),
}


def write_with(writer, model, path):
    WRITERS[writer](model, path)


def prepared(writer, model, folder):
    """A path at which the writer has written before, in the mode that secrets have."""
    path = folder / "file.gif"
    write_with(writer, model, path)
    os.chmod(path, 0o640)
    return path, path.read_bytes()


@pytest.mark.parametrize("writer", WRITERS)
def test_modes_and_links_stay(writer, model, tmp_path):
    path, _ = prepared(writer, model, tmp_path)
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "link.gif"
    link.symlink_to(path)
    write_with(writer, model, link)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert link.is_symlink() and os.listdir(tmp_path / "links") == ["link.gif"]
    assert sorted(os.listdir(tmp_path)) == ["file.gif", "links"]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.filterwarnings("ignore:checkpoint")
def test_a_write_that_fails_leaves_the_old_file(writer, model, tmp_path, monkeypatch):
    path, before = prepared(writer, model, tmp_path)
    number = path.stat().st_ino

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    if writer == "checkpoint":  # it warns, and training goes on
        write_with(writer, model, path)
    else:
        with pytest.raises(OSError, match=r"No space left on device: .*file\.gif"):
            write_with(writer, model, path)
    assert path.read_bytes() == before and path.stat().st_ino == number
    assert os.listdir(tmp_path) == ["file.gif"]


@pytest.mark.parametrize("writer", WRITERS)
def test_names_as_long_as_they_may_be(writer, model, tmp_path):
    path = tmp_path / ("n" * 251 + ".gif")
    write_with(writer, model, path)
    assert path.stat().st_size > 0 and os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_link_that_was_planted_is_not_followed(writer, model, tmp_path):
    """The link lies beside the file, under the name that a writer might take for a draft."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".file.gif.tmp").symlink_to(victim)
    write_with(writer, model, tmp_path / "file.gif")
    assert victim.read_text() == "mine" and (tmp_path / ".file.gif.tmp").is_symlink()


@pytest.mark.parametrize("writer", WRITERS)
def test_what_is_no_file_is_not_replaced(writer, model, tmp_path):
    path = tmp_path / "file.gif"
    os.mkfifo(path)
    with pytest.raises((ValueError, OSError), match=r"(?i)no regular file"):
        write_with(writer, model, path)
    assert stat.S_ISFIFO(path.stat().st_mode) and os.listdir(tmp_path) == ["file.gif"]


def test_snapshots_replace_in_one_step(tmp_path, monkeypatch):
    snapshots = callbacks.EmbeddingSnapshots(tmp_path)
    snapshots(RECORD)
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda descriptor: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        snapshots(RECORD)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_savers_of_one_path_do_not_tear_it(tmp_path):
    path = tmp_path / "file"
    parts = [bytes([65 + i]) * (3_000_000 + i) for i in range(3)]
    write(path, parts[0])
    done = threading.Event()
    failed = []

    def save(data):
        try:
            while not done.is_set():
                write(path, data)
        except BaseException as error:
            failed.append(error)

    savers = [threading.Thread(target=save, args=(data,)) for data in parts]
    for saver in savers:
        saver.start()
    try:
        found = [path.read_bytes() for _ in range(60)]
    finally:
        done.set()
        for saver in savers:
            saver.join()
    assert failed == [] and all(data in parts for data in found)
    assert os.listdir(tmp_path) == ["file"]


def test_new_files_have_the_usual_mode(tmp_path):
    usual, written = tmp_path / "usual", tmp_path / "written"
    usual.write_bytes(b"")
    write(written, b"x")
    assert written.stat().st_mode == usual.stat().st_mode


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_the_owner_stays(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    os.chown(path, 12345, 23456)
    write(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 23456) and path.read_bytes() == b"new"


def test_a_file_that_may_not_be_written_stays(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    # A user who is not root gets this answer.
    monkeypatch.setattr(os, "access", lambda *arguments, **options: False)
    with pytest.raises(PermissionError, match=str(path)):
        write(path, b"new")
    assert path.read_bytes() == b"old"


def test_trying_leaves_all_as_it_was(tmp_path):
    path = tmp_path / "file"
    check_writable(path, 1000)
    assert os.listdir(tmp_path) == []
    path.write_bytes(b"old")
    check_writable(path, 1000)
    assert os.listdir(tmp_path) == ["file"] and path.read_bytes() == b"old"
    for wrong in (tmp_path / "none" / "file", tmp_path / ("n" * 256), "/proc/file"):
        with pytest.raises(OSError, match=str(wrong)):
            check_writable(wrong, 1000)


def test_a_cache_is_what_was_read(tmp_path):
    """Its memory map stays as it is when another set takes its name."""
    path = tmp_path / "set.npy"
    first = pictures.from_files(list(X[:20]), size=8, cache=path, progress=False)
    before = first.images.copy()
    assert first.images.filename == str(path)
    second = pictures.from_files([Image.new("L", (8, 8)), "/nowhere"], size=8, cache=path, progress=False)
    assert len(second) == 1 and np.load(path).shape == (1, 8, 8, 1)
    np.testing.assert_array_equal(first.images, before)
