"""Frames of video files and cameras as RGB with their real times, and annotated frames back into a file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from numpy.typing import NDArray

from fer.errors import VideoError

_TICKS = 90_000  # a second, the usual clock of video
_ACCEPTED = "a video that FFmpeg reads is expected, such as MP4, WebM or MOV"


class Frame(NamedTuple):
    """A picture RGB uint8 (height, width, 3) and its time in seconds from the start of the stream."""

    image: NDArray[np.uint8]
    seconds: float


@dataclass
class VideoFile:
    """The frames of a video file, upright; what cannot be decoded is left out and counted in `damaged`."""

    path: Path
    damaged: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if not self.path.is_file():
            raise VideoError(f"{self.path} is no file; name a video file, or a camera by its number.")
        try:
            self._container: InputContainer = av.open(self.path)
        except FFmpegError as error:
            raise VideoError(f"{self.path}: not a video ({error.strerror}); {_ACCEPTED}.") from error
        if not self._container.streams.video:
            self._container.close()
            raise VideoError(f"{self.path}: there is no picture in it, only other streams; {_ACCEPTED}.")
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"

    @property
    def total(self) -> int | None:
        """The number of frames that the file promises, if it does."""
        return self._stream.frames or None

    def __iter__(self) -> Iterator[Frame]:
        start = None
        for frame in self._decoded():
            start = frame.time if start is None else start
            yield Frame(_upright(frame), (frame.time or 0.0) - (start or 0.0))

    def _decoded(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                yield from packet.decode()
            except InvalidDataError:
                self.damaged += 1
            except FFmpegError as error:  # cut short in the middle of a file: what came before is whole
                self.damaged += 1
                if packet is None or error.errno:
                    return

    def close(self) -> None:
        self._container.close()


class Camera:
    """The frames of a local camera, by its number, until it is unplugged or the reader stops."""

    total = None
    damaged = 0

    def __init__(self, number: int) -> None:
        self._capture = cv2.VideoCapture(number)
        if not self._capture.isOpened():
            raise VideoError(f"camera {number} cannot be opened; is it connected, and free of other programs?")

    def __iter__(self) -> Iterator[Frame]:
        start = time.monotonic()
        while True:
            there, picture = self._capture.read()
            if not there:
                return
            yield Frame(np.asarray(picture[..., ::-1], np.uint8), time.monotonic() - start)

    def close(self) -> None:
        self._capture.release()


class VideoWriter(AbstractContextManager["VideoWriter"]):
    """Writes RGB frames with their own times into an H.264 file; the first frame sets its size.

    The file appears under its name when it is whole.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._part = path, path.with_name(f"{path.stem}.part{path.suffix}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(self._part, "w")
        except (OSError, ValueError) as error:
            raise VideoError(f"{path} cannot be written ({error}); choose another name, such as out.mp4.") from error
        self._stream: av.VideoStream | None = None
        self._last = -1

    def write(self, image: NDArray[np.uint8], seconds: float) -> None:
        """Add a frame; one that is not later than the one before is moved to just after it."""
        stream = self._stream or self._open(image)
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame = frame.reformat(stream.width, stream.height, "yuv420p")
        frame.pts = self._last = max(self._last + 1, round(seconds * _TICKS))
        frame.time_base = Fraction(1, _TICKS)
        self._container.mux(stream.encode(frame))

    def _open(self, image: NDArray[np.uint8]) -> av.VideoStream:
        height, width = image.shape[:2]
        try:
            self._stream = stream = self._container.add_stream("libx264", options={"crf": "20", "preset": "veryfast"})
        except ValueError as error:
            raise VideoError(
                f"{self._path} cannot hold H.264 video ({error}); choose a name such as out.mp4."
            ) from error
        stream.width, stream.height, stream.pix_fmt = max(2, width // 2 * 2), max(2, height // 2 * 2), "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        return stream

    def __exit__(self, *_: object) -> None:
        if self._stream:
            self._container.mux(self._stream.encode(None))
        self._container.close()
        if self._stream:
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)


def open_video(source: str) -> VideoFile | Camera:
    """A camera where `source` is a number, else a file. Raises VideoError where it cannot be opened."""
    return Camera(int(source)) if source.isdecimal() else VideoFile(Path(source))


def to_rgb(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """A decoded frame of any pixel format -> RGB uint8 (height, width, 3)."""
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def _upright(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """The picture as it should be seen: phones store a turned picture and say so."""
    return np.ascontiguousarray(np.rot90(to_rgb(frame), round(frame.rotation / 90)))
