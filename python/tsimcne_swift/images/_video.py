"""Frames of a video as pictures."""

from __future__ import annotations

import os
from typing import Unpack

from .._checks.durations import check_duration
from .._checks.values import check_regular
from ._collection import ImageCollection
from ._decoding._pixels import Facts
from ._reading import Item, Options, read
from ._workers import Encoded, Workers


def from_video(
    path: str | os.PathLike[str],
    *,
    every: float | str = "1s",
    **options: Unpack[Options],
) -> ImageCollection:
    """Frames of a video, evenly in time; else as `from_folder`. Wants the extra ``tsimcne-swift[video]``.

    Parameters
    ----------
    path : path
        Video of a kind that FFmpeg decodes: MP4, MOV, Matroska, WebM, AVI, MPEG, Ogg, WMV and the like.
    every : float or str
        Seconds from a frame to the next, or a time like ``"0.5s"`` or ``"1min"``: the first frame in
        each such stretch is taken. No frame is taken twice.
    **options
        Options of `from_folder`.

    Returns
    -------
    ImageCollection
        Names are times in the video, such as ``00:01:30.000``; ``metadata`` has them as ``seconds``. Frames
        that were filmed on the side are upright.

    Raises
    ------
    ValueError
        If it is no video that can be read, or the extra is not installed.
    """
    seconds = check_duration("every", every)
    check_regular("path", path)
    file = os.path.abspath(path)
    workers = Workers()
    try:
        found = workers.frames(file, seconds)
    finally:
        workers.close()
    if isinstance(found, str):
        raise ValueError(f"path: got {os.fspath(path)!r}, which {found}")
    # All frames have one size, which would take long to find in each.
    facts = Facts(tuple(found["size"]), 3)

    def item(stamp: int, key: int, at: float) -> Item:
        frame = Encoded(("frame", file, stamp, key))
        return Item(_clock(at), None, lambda: frame, facts, {"seconds": at})

    return read([item(*frame) for frame in found["frames"]], os.path.basename(file), **options)


def _clock(seconds: float) -> str:
    thousandths = round(1000 * seconds)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest / 1000:06.3f}"
