"""Frames of a video, through PyAV."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np

from ._kinds import VIDEO_REASON, RefusedError
from ._limits import check_picture
from ._raw import Raw

# Seconds by which a time may seem to be before itself.
ROUNDING = 1e-6
# Containers of pictures and sound. Others of FFmpeg's are lists of further files or addresses to open.
CONTAINERS = "asf,avi,flv,matroska,mov,mpeg,mpegts,ogg"


class Video:
    """A file that is open, and where in it the last frame was.

    Parameters
    ----------
    path : str
    """

    def __init__(self, path: str) -> None:
        try:
            import av
        except ImportError as error:
            raise RefusedError(VIDEO_REASON) from error
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
        try:
            self._container: Any = av.open(
                file, options={"format_whitelist": CONTAINERS, "protocol_whitelist": "none"}
            )
        except av.FFmpegError as error:
            raise RefusedError("is no video that is known") from error
        if not self._container.streams.video:
            raise RefusedError("has no pictures, only sound")
        self._stream: Any = self._container.streams.video[0]
        # There are as many processes as are wanted.
        self._stream.codec_context.thread_count = 1
        self._frames: Any = None
        self._place: int | None = None

    def list_frames(self, every: float) -> dict[str, Any]:
        """The first frame in each stretch of so many seconds, without decoding any but one.

        Returns
        -------
        dict
            ``size``, (height, width) of frames that are upright; ``frames``, for each its time stamp, that of
            the frame from which it is decoded, and its seconds from the beginning.
        """
        stamps: list[tuple[int, bool]] = []
        for packet in self._container.demux(self._stream):
            stamp = packet.dts if packet.pts is None else packet.pts
            if stamp is not None and packet.size:
                stamps.append((int(stamp), bool(packet.is_keyframe)))
        if not stamps:
            raise RefusedError("has no frames whose time is known")
        stamps.sort()
        (start, _), key = stamps[0], stamps[0][0]
        frames, due = [], 0
        for stamp, is_key in stamps:
            key = stamp if is_key else key
            seconds = float((stamp - start) * self._stream.time_base)
            if seconds >= due * every - ROUNDING:
                frames.append((stamp, key, seconds))
                due = int((seconds + ROUNDING) / every) + 1
        height, width = self.frame(start, start).values.shape[:2]
        return {"size": (height, width), "frames": frames}

    def frame(self, stamp: int, key: int) -> Raw:
        """The frame at a time stamp, decoded from that at ``key`` or from where the last one was."""
        if self._place is None or not key <= self._place < stamp:
            self._begin(key)
            found = self._next(stamp)
            if found is None or found.pts is None or found.pts > stamp:
                # Some kinds have no list of places, and go on somewhere near.
                self._begin(self._stream.start_time or 0)
                found = self._next(stamp)
        else:
            found = self._next(stamp)
        if found is None:
            raise RefusedError("has no frame there that can be decoded")
        array = found.to_ndarray(format="rgb24")
        return Raw(np.ascontiguousarray(np.rot90(array, round(found.rotation / 90))), is_colour=True)

    def _begin(self, key: int) -> None:
        self._container.seek(key, stream=self._stream)
        self._frames = self._container.decode(self._stream)

    def _next(self, stamp: int) -> Any:
        """The first of the frames from here on that is not before the stamp; else the last; None if there is
        none.
        """
        context = self._stream.codec_context
        check_picture(3 * context.width * context.height)
        found = None
        for found in self._frames:
            self._place = found.pts
            if found.pts is None or found.pts >= stamp:
                return found
        self._place = None
        return found


@cache
def open_video(path: str) -> Video:
    """The video, which stays open."""
    return Video(path)
