"""Frames of video files and cameras, as RGB with their real times."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from numpy.typing import NDArray

from fer.errors import VideoError

_JUMP = 0.5  # seconds back that are more than disorder of frames
_GAP = 0.5  # seconds that the header of a whole file may promise beyond its last frame
_ACCEPTED = "a video that FFmpeg reads is expected, such as MP4, WebM or MOV"


class Frame(NamedTuple):
    """A picture, RGB uint8 (height, width, 3), and its time in seconds from the stream's start."""

    image: NDArray[np.uint8]
    seconds: float


@dataclass
class VideoFile:
    """The frames of a video file, upright.

    `damaged` counts damaged packets, which are left out where they cannot be decoded, `mended`
    counts frames that the decoder had to mend.
    """

    path: Path
    damaged: int = field(default=0, init=False)
    mended: int = field(default=0, init=False)
    _end: float = field(default=0.0, init=False, repr=False)

    def __post_init__(self) -> None:
        self._container = _open_container(self.path)
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"

    @property
    def total(self) -> int | None:
        """The number of frames that the file promises, if it does."""
        return self._stream.frames or None

    @property
    def damage(self) -> str:
        """What is wrong with a video that was read to its end; empty where nothing is."""
        faults = (
            f"{self.damaged} damaged packets" if self.damaged else "",
            f"{self.mended} damaged frames" if self.mended else "",
            self._missing_end(),
        )
        return ", ".join(filter(None, faults))

    def __iter__(self) -> Iterator[Frame]:
        rate = self._stream.guessed_rate
        clock = _Clock(step=float(1 / rate) if rate else 0.0)
        for frame in self._decoded():
            yield Frame(_upright(frame), clock.seconds_of(frame))

    def close(self) -> None:
        self._container.close()

    def _missing_end(self) -> str:
        promised = self._promised_seconds()
        missing = promised - self._end
        if missing <= _GAP:
            return ""
        return f"{missing:.1f} s of {promised:.1f} s are missing at the end"

    def _promised_seconds(self) -> float:
        """The seconds up to which the header promises pictures, 0 where it does not tell."""
        if self._stream.duration and self._stream.time_base:
            return float(self._stream.duration * self._stream.time_base)
        tag = self._stream.metadata.get("DURATION")
        if tag and (seconds := _seconds_of_tag(tag)) is not None:
            return seconds
        pictures_alone = len(self._container.streams) == 1  # else sound may last longer
        if self._container.duration and pictures_alone:
            return self._container.duration / av.time_base
        return 0.0

    def _decoded(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self._stream)
        packet: av.Packet[av.VideoStream] | None = None
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                yield from self._frames_of(packet)
            except InvalidDataError:
                self.damaged += 1
            except IndexError:
                # a packet of a stream that was never announced ends PyAV's iterator, not the file
                self.damaged += 1
                packets = self._container.demux(self._stream)
            except FFmpegError as error:
                # cut short in the middle of a file: what came before is whole
                self.damaged += 1
                if packet is None or error.errno:
                    return

    def _frames_of(self, packet: av.Packet[av.VideoStream]) -> Iterator[av.VideoFrame]:
        self._end = max(self._end, _end_of(packet))
        for frame in packet.decode():
            self.mended += frame.is_corrupt
            yield frame
        self.damaged += packet.is_corrupt  # such as one that the end of the file cuts


class _Clock:
    """Times of successive frames from the start of a stream; they never run backwards.

    A frame without a time comes one step after the one before. So does one whose time is far back,
    as where recordings were joined and times start anew.
    """

    def __init__(self, step: float) -> None:
        self._step = step
        self._start: float | None = None
        self._seconds = -step

    def seconds_of(self, frame: av.VideoFrame) -> float:
        if frame.time is None:
            self._seconds += self._step
            return self._seconds
        if self._start is None or frame.time - self._start < self._seconds - _JUMP:
            self._start = frame.time - self._seconds - self._step
        self._seconds = max(frame.time - self._start, self._seconds)
        return self._seconds


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
            found, picture = self._capture.read()
            if not found:
                return
            yield Frame(np.asarray(picture[..., ::-1], np.uint8), time.monotonic() - start)

    def close(self) -> None:
        self._capture.release()


def open_video(source: str) -> VideoFile | Camera:
    """A camera where `source` is a number, else a file.

    Raises:
        VideoError: It cannot be opened.
    """
    return Camera(int(source)) if source.isdecimal() else VideoFile(Path(source))


def to_rgb(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """A decoded frame of any pixel format -> RGB uint8 (height, width, 3)."""
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def _open_container(path: Path) -> InputContainer:
    # unlike Path.is_file, this says no to a name that is too long
    if not os.path.isfile(path):  # noqa: PTH113
        raise VideoError(
            f"{str(path)[:200]} is no file; name a video file, or a camera by its number."
        )
    try:
        container = av.open(path, metadata_errors="replace", options={"protocol_whitelist": "file"})
    except FFmpegError as error:
        raise VideoError(f"{path}: not a video ({error.strerror}); {_ACCEPTED}.") from error
    if reason := _unfit(container):
        container.close()
        raise VideoError(f"{path}: {reason}; {_ACCEPTED}.")
    return container


def _unfit(container: InputContainer) -> str:
    """Why the file is no video, or ""."""
    if container.format.name == "tty":  # any text file, drawn as a terminal would
        return "not a video (a text)"
    if not container.streams.video:
        return "there is no picture in it, only other streams"
    return ""


def _end_of(packet: av.Packet[av.VideoStream]) -> float:
    """The seconds at which the packet's picture ends, 0 where it does not tell."""
    if packet.pts is None:
        return 0.0
    return float((packet.pts + (packet.duration or 0)) * packet.time_base)


def _seconds_of_tag(tag: str) -> float | None:
    """A track's duration in Matroska, such as 00:00:02.402000000, or None where it is none."""
    with suppress(ValueError):
        hours, minutes, seconds = map(float, tag.split(":"))
        return 3600 * hours + 60 * minutes + seconds
    return None


def _upright(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """The picture as it should be seen: phones store a turned picture and say so."""
    return np.ascontiguousarray(np.rot90(to_rgb(frame), round(frame.rotation / 90)))
