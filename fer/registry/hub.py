"""The registry of a Hub model repo: versions are its tags, fetched into the client's cache and checked before use.

At most once a minute the Hub is asked whether the repo may still be read: by itself, its client
serves a cached copy where access was refused, just as where the network is down. What a sha names
never changes and is fetched once.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from fer.errors import DownloadError, FERError, ModelError
from fer.registry.base import Listing, VersionRef, outcome
from fer.registry.hub_client import SILENCE, Patience
from fer.registry.hub_repo import HubRepo
from fer.versions.config import FileRecord
from fer.versions.folder import (
    CONFIG,
    MAX_BYTES,
    METRICS,
    WEIGHTS,
    ModelVersion,
    read_config,
)

T = TypeVar("T")

REMEMBERED, RETRY = 60.0, 30.0
"""Seconds for which the list of versions is not asked for again.

And what failed is not tried again.
"""
_WORKERS = 16
_FLIGHTS = 1024  # are kept: several for each of the versions that a listing can hold
_SLOWEST = 50_000  # bytes a second
_GRACE = 0.5  # seconds in which a call that lost its patience says so itself, with the better words


class HubRegistry:
    """The versions of one model repo, USER/NAME.

    Read with a token as `fer.registry.opening.open_registry` says.
    """

    def __init__(
        self, repo: str, *, token: str | Literal[False] | None = None, endpoint: str | None = None
    ) -> None:
        self.name = repo
        self._repo = HubRepo(repo, token=token, endpoint=endpoint)
        self._flights = Flights()

    def list(self) -> Listing:
        """The versions, newest first.

        Raises RegistryError if the Hub refuses the repo, DownloadError if out of reach.

        Where the Hub is out of reach but was asked before, it is the listing of that time, marked
        as offline.
        """
        try:
            return self._flights.start(
                "listing", self._repo.listing, Patience(), keep=REMEMBERED
            ).result()
        except DownloadError as error:
            known = self._repo.recall()
            if known is None:
                raise DownloadError(
                    f"{error} This machine has no earlier list of {self.name} to show."
                ) from error
            notice = (
                f"Offline: {error} Shown is what {self.name} held on {known.time:%d %B %Y at %H:%M}"
                " UTC."
            )
            return replace(known, notice=f"{notice} {known.notice}".strip(), offline=True)

    def refresh(self) -> None:
        """Forget the list and what failed."""
        self._flights.forget()

    def resolve(self, name: str) -> VersionRef:
        """The version called so; see `Listing.resolve`."""
        return self.list().resolve(name)

    def describe(self, refs: Iterable[VersionRef]) -> dict[VersionRef, ModelVersion | FERError]:
        """Configuration and metrics of each version, fetched side by side.

        Its graph is there only after `fetch`.
        """
        offline = self.list().offline
        flights = {ref: self._describe(ref, offline) for ref in refs}
        return {ref: outcome(partial(_landed, flight), ref) for ref, flight in flights.items()}

    def fetch(self, ref: VersionRef) -> ModelVersion:
        """The version with its files, but the weights for training, in one folder of the cache.

        Raises ModelError if a file is not what the version's own manifest promises, DownloadError
        if out of reach.
        """
        offline = self._check(ref).offline
        version = _landed(self._describe(ref, offline), ref)
        names = [CONFIG, *(name for name in version.files if name != WEIGHTS)]
        for flight in [self._obtain(ref, name, version, offline) for name in names]:
            with _naming(ref):
                flight.result()
        return version

    def read(self, ref: VersionRef, file: str) -> bytes:
        """One file of a version, checked, without the others."""
        offline = self._check(ref).offline
        version = _landed(self._describe(ref, offline), ref)
        if file in version.files:
            with _naming(ref):
                self._obtain(ref, file, version, offline).result()
        return version.read(file)

    def _check(self, ref: VersionRef) -> Listing:
        """The current listing, if the version is still in it."""
        listing = self.list()
        if (ref.name, ref.commit) not in {(known.name, known.commit) for known in listing.versions}:
            raise ModelError(
                f"version {ref.name} at {ref.commit[:12]} was deleted from {self.name}, or moved;"
                " choose another one."
            )
        return listing

    def _describe(self, ref: VersionRef, offline: bool) -> Flight[ModelVersion]:
        call = partial(self._read_small_files, ref.commit, offline)
        return self._flights.start((ref.commit, offline), call, Patience())

    def _obtain(
        self, ref: VersionRef, name: str, version: ModelVersion, offline: bool
    ) -> Flight[Path]:
        record = version.files.get(name)
        call = partial(self._read_file, ref.commit, name, record, offline)
        patience = Patience(
            SILENCE + min(record.bytes if record else 0, MAX_BYTES[name]) / _SLOWEST
        )
        return self._flights.start((ref.commit, name, offline), call, patience, keep=0)

    def _read_small_files(self, commit: str, offline: bool, patience: Patience) -> ModelVersion:
        folder = self._read_file(commit, CONFIG, None, offline, patience).parent
        try:
            version = read_config(folder)
        except ModelError as error:
            raise ModelError(str(error).removeprefix(f"{folder}{os.sep}")) from error
        if METRICS in version.files:
            self._read_file(commit, METRICS, version.files[METRICS], offline, patience)
        return version

    def _read_file(
        self, commit: str, name: str, record: FileRecord | None, offline: bool, patience: Patience
    ) -> Path:
        return self._repo.obtain(commit, name, patience, record=record, cached=offline)


def _landed(flight: Flight[ModelVersion], ref: VersionRef) -> ModelVersion:
    """The version under the name by which it is known here: that of its tag."""
    with _naming(ref):
        return replace(flight.result(), name=ref.name)


@contextmanager
def _naming(ref: VersionRef) -> Iterator[None]:
    try:
        yield
    except FERError as error:
        raise type(error)(f"version {ref.name}: {error}") from error


class Flight(Generic[T]):
    """A call under way or ended, for which any number of threads may wait."""

    def __init__(self, future: Future[T], patience: Patience) -> None:
        self._future, self._patience = future, patience
        self._ended: float | None = None
        future.add_done_callback(self._end)

    def result(self) -> T:
        """What the call returned.

        Raises what it raised, or DownloadError once its patience has ended.
        """
        while not self._future.done():
            left = self._patience.left() + _GRACE
            if left <= 0:
                raise DownloadError(
                    f"the Hub was too slow: nothing within {self._patience.waited():.0f} s; try"
                    " again."
                )
            wait([self._future], timeout=left)
        if error := self._future.exception():
            # it may be raised many times, and would keep the frames of each
            raise error.with_traceback(None)
        return self._future.result()

    def lasts(self, keep: float, retry: float) -> bool:
        """Whether it is under way, or ended well at most `keep` seconds ago.

        Or badly at most `retry` seconds ago.
        """
        if not self._future.done():
            return True
        now = time.monotonic()
        return now - (self._ended or now) < (retry if self._future.exception() else keep)

    def hopeful(self) -> bool:
        """Whether it is under way, and somebody may still get its result."""
        return not self._future.done() and self._patience.left() > 0

    def _end(self, _: Future[T]) -> None:
        self._ended = time.monotonic()


class Flights:
    """Makes each call once, however many threads ask for it meanwhile.

    A failure lasts for a while.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="hub")
        self._lock, self._flights = threading.Lock(), dict[Hashable, Flight[Any]]()

    def start(
        self,
        key: Hashable,
        call: Callable[[Patience], T],
        patience: Patience,
        *,
        keep: float = math.inf,
    ) -> Flight[T]:
        """The flight called `key`: the last one for `keep` seconds after its success.

        Else a new one.
        """
        with self._lock:
            flight = self._flights.get(key)
            if flight is None or not flight.lasts(keep, RETRY):
                if len(self._flights) >= _FLIGHTS:
                    self._forget()
                flight = self._flights[key] = Flight(self._pool.submit(call, patience), patience)
            return flight

    def forget(self) -> None:
        """Forget what has ended, or has lost its patience."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        self._flights = {key: flight for key, flight in self._flights.items() if flight.hopeful()}
