"""When a call to the Hub is given up."""

from __future__ import annotations

import time
from collections import Counter

SILENCE = 8.0
"""Seconds without a byte after which a call is given up, where it does not ask for others."""
_ATTEMPTS = 2


class Deadline:
    """The end of a call: so many seconds after its start, or earlier where nothing is heard.

    The Hub's client would repeat for 23 s what nobody answers; here two attempts are enough.
    """

    def __init__(self, seconds: float = SILENCE, *, silence: float | None = None) -> None:
        self._seconds = seconds
        self._silence = silence
        self._started = time.monotonic()
        self._heard = self._started
        self._unanswered = Counter[str]()

    @property
    def silence(self) -> float:
        """Seconds without a byte after which it is over."""
        return SILENCE if self._silence is None else self._silence

    def hear(self) -> None:
        """Note that bytes came."""
        self._heard = time.monotonic()

    def waited(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def left(self) -> float:
        """Seconds until the call is given up, below 0 from then on."""
        end = min(self._heard + self.silence, self._started + self._seconds)
        return end - time.monotonic()

    def check(self) -> float:
        """Seconds left. Raises TimeoutError, after which the client does not try again."""
        left = self.left()
        if left <= 0:
            raise TimeoutError
        return left

    def attempt(self, request: str) -> None:
        """Count an attempt. Raises ConnectionError for the third in a row without an answer."""
        self._unanswered[request] += 1
        if self._unanswered[request] > _ATTEMPTS:
            raise ConnectionError(f"{_ATTEMPTS} attempts failed")

    def answered(self, request: str) -> None:
        """Note that an attempt was answered."""
        del self._unanswered[request]
        self.hear()
