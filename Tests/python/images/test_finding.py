"""What lies in a folder: read, skipped or no picture, and counted with the reason."""

import io
import os
import zipfile

import numpy as np
import pytest
from PIL import Image
from test_images import QUIET, noise, png
from tsimcne_swift import images
from tsimcne_swift.images._decoding import _kinds

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)
RAW = b"II*\0" + bytes(100)


def jpeg(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "jpeg")
    return file.getvalue()


FILES = {
    "a.jpg": jpeg(noise(20, 24, 3)),
    "9f86d081884c7d65": png(noise(20, 24, 3)),
    "b.picture": jpeg(noise(20, 24, 3)),
    "c.CR2": RAW,
    "d.dng": RAW,
    "e.svg": b"<svg/>",
    "f.pdf": b"%PDF",
    "g.npy": b"x",
    "h.txt": b"text",
    "README": b"text",
    "i.mp4": b"x",
    "map.png": png(noise(20, 24, 3)),
    "map.html": b"<html>",
    "map.csv": b"file,x,y",
    ".DS_Store": b"x",
    "Thumbs.db": b"x",
}
READ = ["9f86d081884c7d65", "a.jpg", "b.picture"]
SKIPPED = {
    "c.CR2": "is a camera's raw file; develop it to JPEG or TIFF first",
    "d.dng": "is a camera's raw file; develop it to JPEG or TIFF first",
    "e.svg": "is a drawing; make it pixels first",
    "f.pdf": "is a document; make its pages pictures first",
    "g.npy": "holds arrays of numpy; images.from_npy takes them",
}
OTHERS = {
    "README": "is no picture (no ending)",
    "h.txt": "is no picture (.txt)",
    "i.mp4": "is a video; images.from_video takes it",
    "map.csv": "is no picture (.csv)",
    "map.html": "is no picture (.html)",
    "map.png": "is the picture of a map",
}


@pytest.mark.parametrize("source", ["folder", "zip"])
def test_every_file_is_counted(source, tmp_path):
    if source == "folder":
        for name, data in FILES.items():
            (tmp_path / name).write_bytes(data)
        found = images.from_folder(tmp_path, **QUIET)
    else:
        with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
            for name, data in FILES.items():
                archive.writestr(name, data)
        found = images.from_zip(tmp_path / "set.zip", **QUIET)
    assert found.names == READ
    assert (dict(found.skipped), dict(found.others)) == (SKIPPED, OTHERS)
    summary = found.summary()
    assert summary.startswith("3 read, 5 skipped (2 × is a camera's raw file; develop")
    assert "6 other files" in summary and "1 × is a video" in summary
    assert "5 skipped, 6 other files" in repr(found)


def test_nothing_but_other_files(tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.nef").write_bytes(RAW)
    with pytest.raises(ValueError, match=r"with 3 files, want pictures in it; 3 × is a camera's raw file"):
        images.from_folder(tmp_path)


def test_a_reader_that_is_not_installed_is_named(tmp_path, monkeypatch):
    """The process that reads has no such module."""
    (tmp_path / "a.jpg").write_bytes(jpeg(noise(20, 24, 3)))
    (tmp_path / "b.HEIC").write_bytes(HEIC)
    (tmp_path / "c.dcm").write_bytes(bytes(128) + b"DICM" + bytes(100))
    program = images._workers.PROGRAM.replace(
        "import sys;", "import sys; sys.modules['pillow_heif'] = sys.modules['pydicom'] = None;", 1
    )
    monkeypatch.setattr(images._workers, "PROGRAM", program)
    found = images.from_folder(tmp_path, **QUIET)
    assert found.skipped == [("b.HEIC", _kinds.HEIF_REASON), ("c.dcm", _kinds.DICOM_REASON)]
    assert "tsimcne-swift[heif]" in _kinds.HEIF_REASON and "tsimcne-swift[dicom]" in _kinds.DICOM_REASON


def test_heic(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    picture = np.zeros((24, 32, 3), np.uint8) + np.array([150, 90, 60], np.uint8)
    heif.from_pillow(Image.fromarray(picture)).save(tmp_path / "a.heic", quality=95)
    found = images.from_folder(tmp_path, **QUIET)
    np.testing.assert_allclose(found.images[0].astype(int), picture, atol=4)


def dicom(path, values, **tags):
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    file = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    file.Rows, file.Columns = values.shape
    file.SamplesPerPixel, file.BitsAllocated, file.BitsStored, file.HighBit = 1, 16, 16, 15
    file.PixelRepresentation = 1
    file.PhotometricInterpretation = "MONOCHROME2"
    for name, value in tags.items():
        setattr(file, name, value)
    file.PixelData = values.astype(np.int16).tobytes()
    file.save_as(path, enforce_file_format=True)


def test_dicom(tmp_path):
    pytest.importorskip("pydicom")
    values = np.linspace(0, 2000, 24 * 24).reshape(24, 24)
    rescaled = {"RescaleSlope": 1, "RescaleIntercept": -1000}
    window = {"WindowCenter": 0.5, "WindowWidth": 1001}
    dicom(tmp_path / "a.dcm", values, **rescaled, **window)
    # Such files often have no ending.
    dicom(tmp_path / "b", values, **rescaled, **window, PhotometricInterpretation="MONOCHROME1")
    dicom(tmp_path / "c.dcm", values, **rescaled)
    found = images.from_folder(tmp_path, **QUIET)
    assert found.names == ["a.dcm", "b", "c.dcm"]
    shown = np.clip((values.astype(int) - 1000 + 500) / 1000, 0, 1) * 255
    np.testing.assert_allclose(found.images[0, :, :, 0], shown, atol=1)
    np.testing.assert_allclose(found.images[1, :, :, 0], 255 - shown, atol=1)
    np.testing.assert_allclose(found.images[2, :, :, 0], values / 2000 * 255, atol=1.5)


def test_linked_folders_are_read_and_loops_are_seen(tmp_path):
    for folder in ("store/cats", "set/dogs"):
        (tmp_path / folder).mkdir(parents=True)
        for i in range(3):
            (tmp_path / folder / f"{i}.png").write_bytes(png(noise(20, 24, 3, seed=i)))
    (tmp_path / "set" / "cats").symlink_to(tmp_path / "store" / "cats")
    (tmp_path / "set" / "again").symlink_to(tmp_path / "set" / "dogs")
    (tmp_path / "set" / "dogs" / "loop").symlink_to(tmp_path / "set")
    (tmp_path / "set" / "dogs" / "file.png").symlink_to(tmp_path / "store" / "cats" / "0.png")
    found = images.from_folder(tmp_path / "set", **QUIET)
    assert len(found) == 7 and found.label_names == ["cats", "dogs"]
    assert sorted(name for name, _ in found.others) == ["again", "dogs/loop"]
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "cats").symlink_to(tmp_path / "store" / "cats")
    assert len(images.from_folder(tmp_path / "only", **QUIET)) == 3


def test_folders_that_cannot_be_read_are_named(tmp_path, monkeypatch):
    for folder in ("open", "closed"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").write_bytes(png(noise(20, 24, 3)))
    whole = os.scandir

    def scandir(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return whole(path)

    # Root may read everything.
    monkeypatch.setattr(images._finding.os, "scandir", scandir)
    found = images.from_folder(tmp_path, **QUIET)
    assert found.names == ["open/a.png"]
    assert found.skipped == [("closed", "is a folder that cannot be read (Permission denied)")]


def test_endings_that_lie(tmp_path):
    picture = Image.fromarray(noise(20, 24, 3))
    for kind, ending in (("png", "jpg"), ("jpeg", "tif"), ("png", "tiff"), ("tiff", "jpg"), ("webp", "png")):
        picture.save(tmp_path / f"{kind}.{ending}", kind)
    (tmp_path / "text.png").write_bytes(b"<html>404 not found</html>")
    found = images.from_folder(tmp_path, **QUIET)
    assert len(found) == 5 and found.skipped == [("text.png", "is no picture that is known")]


def test_names_of_any_bytes(tmp_path):
    (tmp_path / os.fsdecode(b"stra\xdfe.png")).write_bytes(png(noise(20, 24, 3)))
    (tmp_path / os.fsdecode(b"\xe4.nef")).write_bytes(RAW)
    found = images.from_folder(tmp_path, **QUIET)
    assert found.names == [os.fsdecode(b"stra\xdfe.png")] and found.skipped[0][0] == os.fsdecode(b"\xe4.nef")


def test_a_link_to_itself_is_one_file_that_cannot_be_read(tmp_path):
    (tmp_path / "a.jpg").write_bytes(jpeg(noise(20, 24, 3)))
    os.symlink("loop.png", tmp_path / "loop.png")
    os.symlink("nowhere.png", tmp_path / "lost.png")
    found = images.from_folder(tmp_path, **QUIET)
    assert found.names == ["a.jpg"]
    assert dict(found.skipped) == {
        "loop.png": "cannot be read (Too many levels of symbolic links)",
        "lost.png": "ValueError: is no regular file",
    }


def test_folders_that_look_the_same_are_one_class(tmp_path):
    """A letter with an accent may be one character or two."""
    for folder in ("\u00e9", "e\u0301", "cat"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").write_bytes(png(noise(20, 24, 3)))
    found = images.from_folder(tmp_path, **QUIET)
    assert found.label_names == ["cat", "\u00e9"] and sorted(found.labels) == [0, 1, 1]
