"""Frames of videos, which make the same pictures however they are reached."""

import struct

import numpy as np
import pytest
from test_images import QUIET
from tsimcne_swift import images
from tsimcne_swift._cli import main
from tsimcne_swift._cli._arguments import make_parser
from tsimcne_swift._cli._sources import read_source

av = pytest.importorskip("av")
CORNER = (0, 255, 0)


def film(path, codec="libx264", count=75):
    """Three seconds that get brighter, of 25 frames each, with a green corner."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.gop_size = 30
        for i in range(count):
            picture = np.full((48, 64, 3), 3 * i, np.uint8)
            picture[:16, :16] = CORNER
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def mp4(tmp_path_factory):
    return film(tmp_path_factory.mktemp("film") / "film.mp4")


def brightness(found):
    return found.images[:, 30:40, 40:50].mean(axis=(1, 2, 3))


@pytest.mark.parametrize(
    ("ending", "codec"), [("mp4", "libx264"), ("mkv", "libx264"), ("avi", "mpeg4"), ("mpg", "mpeg2video")]
)
def test_frames_at_their_times(ending, codec, tmp_path):
    found = images.from_video(film(tmp_path / f"film.{ending}", codec), every=0.5, **QUIET)
    frames = np.array([0, 13, 25, 38, 50, 63])
    np.testing.assert_allclose(found.metadata["seconds"], frames / 25, atol=1e-3)
    assert found.names[1:3] == ["00:00:00.520", "00:00:01.000"]
    np.testing.assert_allclose(brightness(found), 3 * frames, atol=8)
    assert found.images.shape == (6, 48, 64, 3) and found.skipped == [] and found.labels is None
    np.testing.assert_allclose(found.images[0, 4, 4].astype(int), CORNER, atol=12)


def test_no_frame_is_taken_twice_and_none_is_left_out(mp4):
    found = images.from_video(mp4, every="0.001s", **QUIET)
    assert len(found) == 75
    np.testing.assert_allclose(brightness(found), 3 * np.arange(75), atol=8)
    assert len(images.from_video(mp4, every="1h", **QUIET)) == 1


def test_threads_and_the_way_there_change_nothing(mp4):
    one, two = (images.from_video(mp4, every="0.04s", n_jobs=jobs, progress=False) for jobs in (1, 2))
    np.testing.assert_array_equal(one.images, two.images)
    few = images.from_video(mp4, every="1s", **QUIET)
    np.testing.assert_array_equal(few.images, one.images[::25])
    np.testing.assert_array_equal(few.like(images.Layout((48, 64), 3)).images, few.images)


def test_what_was_filmed_on_the_side_is_upright(mp4, tmp_path):
    data = bytearray(mp4.read_bytes())
    place = data.index(b"tkhd") + 4 + 4 + 20 + 16
    data[place : place + 36] = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 48 << 16, 0, 1 << 30)
    (tmp_path / "phone.mp4").write_bytes(data)
    found = images.from_video(tmp_path / "phone.mp4", **QUIET)
    assert found.images.shape[1:] == (64, 48, 3)
    np.testing.assert_allclose(found.images[0, 4, -4].astype(int), CORNER, atol=12)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no video",
        b"#EXTM3U\n#EXTINF:10.0,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile film.mp4\n",
    ],
    ids=["empty", "text", "list of addresses", "list of files"],
)
def test_what_is_no_video(data, mp4, tmp_path):
    (tmp_path / "film.mp4").write_bytes(mp4.read_bytes())
    (tmp_path / "a.mp4").write_bytes(data)
    with pytest.raises(ValueError, match=r"path: got .*a\.mp4', which is no video that is known"):
        images.from_video(tmp_path / "a.mp4")


def test_a_film_that_is_cut_gives_what_is_there(tmp_path):
    path = film(tmp_path / "film.mkv")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = images.from_video(path, every=0.2, **QUIET)
    assert 2 <= len(found) < 15
    np.testing.assert_allclose(brightness(found), 75 * found.metadata["seconds"], atol=8)


def test_times_that_are_none(mp4):
    for every, message in (
        (0, "every: got 0, want more than 0"),
        ("soon", "every: got 'soon', want seconds"),
    ):
        with pytest.raises(ValueError, match=message):
            images.from_video(mp4, every=every)


def test_a_reader_that_is_not_installed_is_named(mp4, monkeypatch):
    program = images._workers.PROGRAM.replace("import sys;", "import sys; sys.modules['av'] = None;", 1)
    monkeypatch.setattr(images._workers, "PROGRAM", program)
    with pytest.raises(ValueError, match=r"wants a reader: pip install 'tsimcne-swift\[video\]'"):
        images.from_video(mp4)


def test_the_command_takes_videos(mp4, tmp_path, capsys):
    options = make_parser().parse_args(["embed", str(mp4), "--every", "0.2s"])
    assert len(read_source(options)) == 15
    assert len(read_source(make_parser().parse_args(["embed", str(mp4)]))) == 3
    (tmp_path / "in").mkdir()
    assert main(["embed", str(tmp_path / "in"), "-o", str(tmp_path / "map.html"), "--every", "1s"]) == 1
    assert "every: got 1 s, want it with videos only" in capsys.readouterr().err
