"""Calls to the Hub in threads of their own, each made once, however many sessions ask for it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

from fer.errors import DownloadError
from fer.registry.deadline import Deadline

T = TypeVar("T")

RETRY = 30.0
"""Seconds for which what failed is not tried again."""
_WORKERS = 16
_MOST = 1024  # calls are remembered: several for each of the versions that a listing can hold
_GRACE = 0.5  # seconds in which a call that ran out of time says so itself, with the better words


class Call(Generic[T]):
    """A call under way or ended, for which any number of threads may wait."""

    def __init__(self, future: Future[T], deadline: Deadline) -> None:
        self._future = future
        self._deadline = deadline
        self._ended = math.inf
        future.add_done_callback(self._end)

    def result(self) -> T:
        """What the call returned.

        Raises what the call raised, or DownloadError once its time is over.
        """
        while not self._future.done():
            left = self._deadline.left() + _GRACE
            if left <= 0:
                waited = self._deadline.waited()
                raise DownloadError(
                    f"the Hub was too slow: nothing within {waited:.0f} s; try again."
                )
            wait([self._future], timeout=left)
        if error := self._future.exception():
            # it may be raised many times, and would keep the frames of each
            raise error.with_traceback(None)
        return self._future.result()

    def is_current(self, remembered: float) -> bool:
        """Whether it is under way, ended well within `remembered` seconds, or failed lately."""
        if not self._future.done():
            return True
        lasts = RETRY if self._future.exception() else remembered
        return time.monotonic() - self._ended < lasts

    def is_awaited(self) -> bool:
        """Whether it is under way, and somebody may still get its result."""
        return not self._future.done() and self._deadline.left() > 0

    def _end(self, _: Future[T]) -> None:
        self._ended = time.monotonic()


class Calls:
    """The calls of one registry by their names."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="hub")
        self._lock = threading.Lock()
        self._calls: dict[Hashable, Call[Any]] = {}

    def start(
        self,
        name: Hashable,
        work: Callable[[Deadline], T],
        deadline: Deadline,
        *,
        remembered: float = 0.0,
    ) -> Call[T]:
        """The call of this name where it is still current, or else a new one that does `work`.

        Its result is remembered for so many seconds, its failure for `RETRY` seconds.
        """
        with self._lock:
            known = self._calls.get(name)
            if known and known.is_current(remembered):
                return known
            if len(self._calls) >= _MOST:
                self._forget()
            call = Call(self._pool.submit(work, deadline), deadline)
            self._calls[name] = call
            return call

    def forget(self) -> None:
        """Forget what has ended, or has run out of time."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._calls = {name: call for name, call in self._calls.items() if call.is_awaited()}
