"""How fast a stream is processed."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

_RATE_SECONDS = 2.0
_WINDOW = 300  # frames, ten seconds of a camera


class _Done(NamedTuple):
    """When a frame was done, and how long it took, in seconds."""

    time: float
    duration: float


class FrameTimes:
    """Frame rate and processing times of the latest frames of a stream, `window` of them."""

    def __init__(self, window: int = _WINDOW) -> None:
        self.frames = 0
        self._latest: deque[_Done] = deque(maxlen=window)

    def add(self, time: float, duration: float) -> None:
        """Count a frame that was done at `time` and took `duration` seconds."""
        self.frames += 1
        self._latest.append(_Done(time, duration))

    def rate(self, now: float) -> float:
        """Frames a second over the last two seconds, or since the first frame."""
        recent = [frame.time for frame in self._latest if now - frame.time <= _RATE_SECONDS]
        if not recent or now <= recent[0]:
            return 0.0
        elapsed = now - self._latest[0].time
        if elapsed <= _RATE_SECONDS:  # the first frame begins the first interval
            return (len(recent) - 1) / elapsed
        return len(recent) / _RATE_SECONDS

    def quantile(self, share: float) -> float:
        """The seconds within which this share of the latest frames was done, 0 before the first."""
        if not self._latest:
            return 0.0
        return float(np.quantile([frame.duration for frame in self._latest], share))
