"""Frames of video files and cameras as RGB with their real times.

And annotated frames back into a file.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
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

_JUMP = 0.5  # seconds back that are no disorder of frames any more
_TICKS = 90_000  # a second, the usual clock of video
_GAP = 0.5  # seconds that the header of a whole file may promise beyond its last frame
# AVI knows no time of a frame, and would put them out of order
_ENDINGS = (".mp4", ".m4v", ".mov", ".mkv", ".ts")
_ACCEPTED = "a video that FFmpeg reads is expected, such as MP4, WebM or MOV"


class Frame(NamedTuple):
    """A picture RGB uint8 (height, width.

    3) and its time in seconds from the start of the stream.
    """

    image: NDArray[np.uint8]
    seconds: float


@dataclass
class VideoFile:
    """The frames of a video file, upright.

    Packets that are damaged are counted, and left out where they cannot be decoded; frames that the
    decoder had to mend are counted too.
    """

    path: Path
    damaged: int = field(default=0, init=False)
    mended: int = field(default=0, init=False)
    _read: float = field(default=0.0, init=False, repr=False)

    def __post_init__(self) -> None:
        if not os.path.isfile(self.path):  # noqa: PTH113 - unlike Path.is_file, it says no to a name that is too long
            raise VideoError(
                f"{str(self.path)[:200]} is no file; name a video file, or a camera by its number."
            )
        try:
            self._container: InputContainer = av.open(
                self.path, metadata_errors="replace", options={"protocol_whitelist": "file"}
            )
        except FFmpegError as error:
            raise VideoError(
                f"{self.path}: not a video ({error.strerror}); {_ACCEPTED}."
            ) from error
        if self._container.format.name == "tty":  # any text file, drawn as a terminal would
            self._container.close()
            raise VideoError(f"{self.path}: not a video (a text); {_ACCEPTED}.")
        if not self._container.streams.video:
            self._container.close()
            raise VideoError(
                f"{self.path}: there is no picture in it, only other streams; {_ACCEPTED}."
            )
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"

    @property
    def total(self) -> int | None:
        """The number of frames that the file promises, if it does."""
        return self._stream.frames or None

    @property
    def damage(self) -> str:
        """What is wrong with a video that was read to its end; empty where nothing is."""
        promised = self._promised()
        faults = {
            f"{self.damaged} damaged packets": self.damaged,
            f"{self.mended} damaged frames": self.mended,
            f"{promised - self._read:.1f} s of {promised:.1f} s are missing at the end": (
                promised - self._read > _GAP
            ),
        }
        return ", ".join(fault for fault, there in faults.items() if there)

    def _promised(self) -> float:
        """The seconds up to which the header promises pictures, 0 where it does not tell."""
        if self._stream.duration and self._stream.time_base:
            return float(self._stream.duration * self._stream.time_base)
        # of a track in Matroska: 00:00:02.402000000
        if tag := self._stream.metadata.get("DURATION"):
            with suppress(ValueError):
                hours, minutes, seconds = map(float, tag.split(":"))
                return 3600 * hours + 60 * minutes + seconds
        # else sound may last longer
        if self._container.duration and len(self._container.streams) == 1:
            return self._container.duration / av.time_base
        return 0.0

    def __iter__(self) -> Iterator[Frame]:
        step = float(1 / self._stream.guessed_rate) if self._stream.guessed_rate else 0.0
        start, seconds = None, -step
        for frame in self._decoded():
            if frame.time is None:
                seconds += step
            else:
                if start is None or frame.time - start < seconds - _JUMP:
                    # also where recordings were joined and times start anew
                    start = frame.time - seconds - step
                seconds = max(frame.time - start, seconds)
            yield Frame(_upright(frame), seconds)

    def _decoded(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                if packet.pts is not None:
                    self._read = max(
                        self._read, float((packet.pts + (packet.duration or 0)) * packet.time_base)
                    )
                for frame in packet.decode():
                    self.mended += frame.is_corrupt
                    yield frame
                self.damaged += packet.is_corrupt  # such as one that the end of the file cuts
            except InvalidDataError:
                self.damaged += 1
            # a packet of a stream that was never announced ends PyAV's iterator, not the file
            except IndexError:
                self.damaged += 1
                packets = self._container.demux(self._stream)
            # cut short in the middle of a file: what came before is whole
            except FFmpegError as error:
                self.damaged += 1
                if packet is None or error.errno:
                    return

    def close(self) -> None:
        self._container.close()


class Camera:
    """The frames of a local camera, by its number, until it is unplugged or the reader stops."""

    total = None
    damage = ""

    def __init__(self, number: int) -> None:
        self._capture = cv2.VideoCapture(min(number, 2**31 - 1))
        if not self._capture.isOpened():
            raise VideoError(
                f"camera {number} cannot be opened; is it connected, and free of other programs?"
            )

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
            if path.suffix.lower() not in _ENDINGS:
                raise ValueError(f"{', '.join(_ENDINGS)} hold the frames with their times")
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(self._part, "w")
        except (OSError, ValueError) as error:
            raise self._unwritable(error) from error
        self._stream: av.VideoStream | None = None
        self._last = -1

    def write(self, image: NDArray[np.uint8], seconds: float) -> None:
        """Add a frame; one that is not later than the one before is moved to just after it."""
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        stream = self._stream or self._open(image)
        frame = frame.reformat(stream.width, stream.height, "yuv420p")
        frame.pts = self._last = max(self._last + 1, round(seconds * _TICKS))
        frame.time_base = Fraction(1, _TICKS)
        self._mux(frame)

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

    def _open(self, image: NDArray[np.uint8]) -> av.VideoStream:
        height, width = image.shape[:2]
        self._stream = stream = self._container.add_stream(
            "libx264", options={"crf": "20", "preset": "veryfast"}
        )
        stream.width, stream.height, stream.pix_fmt = (
            max(2, width // 2 * 2),
            max(2, height // 2 * 2),
            "yuv420p",
        )
        stream.codec_context.time_base = Fraction(1, _TICKS)
        return stream

    def __exit__(self, *_: object) -> None:
        whole = False
        try:
            if self._stream:
                self._mux(None)
                whole = True
        finally:
            with suppress(FFmpegError):  # closing again is harmless; what fails was told already
                self._container.close()
            if whole:
                self._part.replace(self._path)
            else:
                with suppress(OSError):
                    self._part.unlink()


def open_video(source: str) -> VideoFile | Camera:
    """A camera where `source` is a number, else a file.

    Raises VideoError where it cannot be opened.
    """
    return Camera(int(source)) if source.isdecimal() else VideoFile(Path(source))


def to_rgb(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """A decoded frame of any pixel format -> RGB uint8 (height, width, 3)."""
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def _upright(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """The picture as it should be seen: phones store a turned picture and say so."""
    return np.ascontiguousarray(np.rot90(to_rgb(frame), round(frame.rotation / 90)))
