"""How fast a stream is processed."""

from __future__ import annotations

from collections import deque

import numpy as np

_RATE_SECONDS = 2.0
_WINDOW = 300  # frames, ten seconds of a camera


class FrameMeter:
    """Rate and processing time of the latest frames of a stream."""

    def __init__(self, window: int = _WINDOW) -> None:
        self.frames = 0
        self._frames: deque[tuple[float, float]] = deque(maxlen=window)

    def add(self, time: float, seconds: float) -> None:
        """Count a frame that was done at `time` and took `seconds`."""
        self.frames += 1
        self._frames.append((time, seconds))

    def rate(self, now: float) -> float:
        """Frames a second over the last two seconds, or since the first frame."""
        recent = [time for time, _ in self._frames if now - time <= _RATE_SECONDS]
        if not recent or now <= recent[0]:
            return 0.0
        since = now - self._frames[0][0]
        # frames after the first
        return (len(recent) - (since <= _RATE_SECONDS)) / min(_RATE_SECONDS, since)

    def quantile(self, share: float) -> float:
        """The processing time in seconds that this share of the latest frames stays within.

        0 before the first.
        """
        return (
            float(np.quantile([seconds for _, seconds in self._frames], share))
            if self._frames
            else 0.0
        )
