"""Small videos, written and read back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer.streams.video import Frame, VideoFile
from fer.streams.video_writer import VideoWriter

Image = NDArray[np.uint8]


def picture(index: int, height: int = 48, width: int = 64) -> Image:
    """A pattern that moves with its index, so that every frame has something to encode."""
    y, x = np.mgrid[:height, :width]
    planes = ((3 * x + 5 * index) % 256, (3 * y + 3 * index) % 256, (x + y + 9 * index) % 256)
    return np.stack(planes, axis=-1).astype(np.uint8)


def write(path: Path, times: Sequence[float], height: int = 48, width: int = 64) -> Path:
    with VideoWriter(path) as writer:
        for index, time in enumerate(times):
            writer.write(picture(index, height, width), time)
    return path


def read(path: Path) -> list[Frame]:
    source = VideoFile(path)
    try:
        return list(source)
    finally:
        source.close()


def times_of(path: Path) -> list[float]:
    return [frame.seconds for frame in read(path)]
