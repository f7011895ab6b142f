"""Write frames with their times into a video file."""

from __future__ import annotations

import errno
import os
from contextlib import AbstractContextManager, suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from numpy.typing import NDArray

from fer.errors import VideoError

_TICKS = 90_000  # a second, the usual clock of video
# AVI knows no time of a frame, and would put them out of order
_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".ts")
_OPTIONS = {"crf": "20", "preset": "veryfast"}


class VideoWriter(AbstractContextManager["VideoWriter"]):
    """Writes RGB frames with their own times into an H.264 file; the first frame sets its size.

    The file appears under its name when it is whole.

    Raises:
        VideoError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f"{path.stem}.part{path.suffix}")
        try:
            _check(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container: OutputContainer = av.open(self._part, "w")
        except (OSError, ValueError) as error:
            raise self._unwritable(error) from error
        self._stream: av.VideoStream | None = None
        self._last_ticks = -1

    def write(self, image: NDArray[np.uint8], seconds: float) -> None:
        """Add a frame; one that is not later than the one before is moved to just after it."""
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        if self._stream is None:
            self._stream = self._add_stream(image)
        frame = frame.reformat(self._stream.width, self._stream.height, "yuv420p")
        self._last_ticks = max(self._last_ticks + 1, round(seconds * _TICKS))
        frame.pts = self._last_ticks
        frame.time_base = Fraction(1, _TICKS)
        self._mux(frame)

    def __exit__(self, *_: object) -> None:
        whole = False
        try:
            if self._stream:
                self._mux(None)
                whole = True
        finally:
            self._finish(whole)

    def _finish(self, whole: bool) -> None:
        with suppress(FFmpegError):  # closing again is harmless; what fails was told already
            self._container.close()
        if whole:
            self._part.replace(self._path)
        else:
            with suppress(OSError):
                self._part.unlink()

    def _add_stream(self, image: NDArray[np.uint8]) -> av.VideoStream:
        height, width = image.shape[:2]
        stream = self._container.add_stream("libx264", options=_OPTIONS)
        stream.width = _even(width)
        stream.height = _even(height)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        return stream

    def _mux(self, frame: av.VideoFrame | None) -> None:
        """Encode and write a frame, or with None all that wait; a failure spoils the file."""
        try:
            if self._stream:
                self._container.mux(self._stream.encode(frame))
            if frame is None:
                self._container.close()
        except FFmpegError as error:
            self._stream = None
            raise self._unwritable(error) from error

    def _unwritable(self, error: Exception) -> VideoError:
        return VideoError(
            f"{self._path} cannot be written ({error}); choose another name, such as out.mp4."
        )


def _check(path: Path) -> None:
    if path.suffix.lower() not in _SUFFIXES:
        raise ValueError(f"{', '.join(_SUFFIXES)} hold the frames with their times")
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def _even(side: int) -> int:
    """H.264 wants even sides."""
    return max(2, side // 2 * 2)
