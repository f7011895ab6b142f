"""The registry of a Hub model repo: versions are its tags, fetched into the client's cache.

At most once a minute the Hub is asked whether the repo may still be read: by itself, its client
serves a cached copy where access was refused, just as where the network is down. What a sha names
never changes and is fetched once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fer.errors import DownloadError, FERError, ModelError
from fer.registry import deadline as deadlines
from fer.registry.base import Listing, VersionRef, version_or_error
from fer.registry.deadline import Deadline
from fer.registry.hub_calls import Call, Calls
from fer.versions.config import FileRecord
from fer.versions.folder import (
    CONFIG,
    MAX_BYTES,
    METRICS,
    WEIGHTS,
    ModelVersion,
    read_config,
)

if TYPE_CHECKING:
    from fer.registry.hub_repo import HubRepo

REMEMBERED = 60.0
"""Seconds for which the list of versions is not asked for again."""
_SLOWEST = 50_000  # bytes a second


class HubRegistry:
    """The versions of one model repo.

    Args:
        repo: The repo as USER/NAME.
        token: What it is read with: None means the client's own token, False none at all.
        endpoint: The address of the Hub; by default that of the variable HF_ENDPOINT.

    Raises:
        RegistryError: The name cannot be a repo's, or the token cannot be sent.

    Example:
        >>> from fer import HubRegistry
        >>> HubRegistry("user/faces").name
        'user/faces'
    """

    def __init__(
        self, repo: str, *, token: str | Literal[False] | None = None, endpoint: str | None = None
    ) -> None:
        from fer.registry.hub_repo import HubRepo  # the Hub's client is slow to load

        self.name = repo
        self._repo: HubRepo = HubRepo(repo, token=token, endpoint=endpoint)
        self._calls = Calls()

    def list(self) -> Listing:
        """The versions, newest first.

        Where the Hub is out of reach but was asked before, it is the listing of that time, marked
        as offline.

        Raises:
            RegistryError: The Hub refuses the repo.
            DownloadError: The Hub is out of reach and was never asked before.
        """
        call = self._calls.start("list", self._list, Deadline(), remembered=REMEMBERED)
        try:
            return call.result()
        except DownloadError as error:
            return self._earlier_list(error)

    def refresh(self) -> None:
        """Forget the list and what failed."""
        self._calls.forget()

    def resolve(self, name: str) -> VersionRef:
        """The version called so; see `Listing.resolve`."""
        return self.list().resolve(name)

    def describe(self, refs: Iterable[VersionRef]) -> dict[VersionRef, ModelVersion | FERError]:
        """Configuration and metrics of each version, fetched side by side.

        Its graph is there only after `fetch`.
        """
        offline = self.list().offline
        calls = {ref: self._start_description(ref, offline) for ref in refs}
        return {
            ref: version_or_error(partial(_described, call, ref)) for ref, call in calls.items()
        }

    def fetch(self, ref: VersionRef) -> ModelVersion:
        """The version with its files, but the weights for training, in one folder of the cache.

        Raises:
            ModelError: A file is not what the version's own manifest promises.
            DownloadError: The Hub is out of reach.
        """
        offline = self._check(ref).offline
        version = _described(self._start_description(ref, offline), ref)
        names = [CONFIG, *(name for name in version.files if name != WEIGHTS)]
        calls = [self._start_file(ref, name, version, offline) for name in names]
        with _naming(ref):
            for call in calls:
                call.result()
        return version

    def read(self, ref: VersionRef, file: str) -> bytes:
        """One file of a version, checked, without the others."""
        offline = self._check(ref).offline
        version = _described(self._start_description(ref, offline), ref)
        if file in version.files:
            with _naming(ref):
                self._start_file(ref, file, version, offline).result()
        return version.read(file)

    def _list(self, deadline: Deadline) -> Listing:
        return self._repo.ask(deadline).listing(self.name)

    def _earlier_list(self, error: DownloadError) -> Listing:
        """The list that is kept on this machine, with a notice that says why it is shown."""
        state = self._repo.recall()
        if state is None:
            raise DownloadError(
                f"{error} This machine has no earlier list of {self.name} to show."
            ) from error
        earlier = state.listing(self.name)
        notice = (
            f"Offline: {error} Shown is what {self.name} held on"
            f" {earlier.time:%d %B %Y at %H:%M} UTC. {earlier.notice}"
        )
        return replace(earlier, notice=notice.strip(), offline=True)

    def _check(self, ref: VersionRef) -> Listing:
        """The current listing, if the version is still in it."""
        listing = self.list()
        if ref not in listing.versions:
            raise ModelError(
                f"version {ref.name} at {ref.commit[:12]} was deleted from {self.name}, or moved;"
                " choose another one."
            )
        return listing

    def _start_description(self, ref: VersionRef, offline: bool) -> Call[ModelVersion]:
        work = partial(self._read_small_files, ref.commit, offline)
        return self._calls.start((ref.commit, offline), work, Deadline())

    def _start_file(
        self, ref: VersionRef, name: str, version: ModelVersion, offline: bool
    ) -> Call[Path]:
        record = version.files.get(name)
        promised_bytes = min(record.bytes, MAX_BYTES[name]) if record else 0
        work = partial(self._obtain, ref.commit, name, record, offline)
        deadline = Deadline(deadlines.SILENCE + promised_bytes / _SLOWEST)
        return self._calls.start((ref.commit, name, offline), work, deadline)

    def _read_small_files(self, commit: str, offline: bool, deadline: Deadline) -> ModelVersion:
        folder = self._obtain(commit, CONFIG, None, offline, deadline).parent
        try:
            version = read_config(folder)
        except ModelError as error:
            raise ModelError(str(error).removeprefix(f"{folder}{os.sep}")) from error
        if METRICS in version.files:
            self._obtain(commit, METRICS, version.files[METRICS], offline, deadline)
        return version

    def _obtain(
        self, commit: str, name: str, record: FileRecord | None, offline: bool, deadline: Deadline
    ) -> Path:
        return self._repo.obtain(commit, name, deadline, record=record, cached=offline)


def _described(call: Call[ModelVersion], ref: VersionRef) -> ModelVersion:
    """The version under the name by which it is known here: that of its tag."""
    with _naming(ref):
        return replace(call.result(), name=ref.name)


@contextmanager
def _naming(ref: VersionRef) -> Iterator[None]:
    """Let an error name the version."""
    try:
        yield
    except FERError as error:
        raise type(error)(f"version {ref.name}: {error}") from error
