"""The versions of a registry as the pages offer them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import streamlit as st

from app_pages.shared.entry import Entry
from fer import (
    BundledRegistry,
    EmotionClassifier,
    FERError,
    HubRegistry,
    Listing,
    ModelError,
    ModelVersion,
    Move,
    Registry,
    VersionRef,
)
from fer.versions.folder import METRICS, PREDICTIONS
from fer.versions.predictions import Predictions

T = TypeVar("T")

_METRICS_KEPT = 2 << 20
"""Bytes of `metrics.json` that are kept of one registry."""
_PREDICTIONS_KEPT = 32 << 20
"""Bytes of unpacked predictions that are kept of one registry."""
_READERS = 8
_TOO_MUCH = (
    f"the versions of this repo hold more than {_METRICS_KEPT >> 20} MB of {METRICS} together; "
    "choose one of those that were published later."
)


@dataclass(frozen=True)
class Catalogue:
    """The versions on offer, newest first, and a sentence where not all is as it should be."""

    memory: Memory
    listing: Listing
    entries: tuple[Entry, ...]
    notice: str = ""

    @property
    def source(self) -> str:
        """The name of the registry."""
        return self.listing.source

    @property
    def offline(self) -> bool:
        """Whether the registry is out of reach, and this is what it held at an earlier time."""
        return self.listing.offline

    @property
    def history(self) -> tuple[Move, ...]:
        """Every move of an alias, oldest first."""
        return self.listing.aliases.history

    @property
    def usable(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if not entry.problem)

    @property
    def default(self) -> str:
        """The name of the version to start with, the one in production where there is one.

        Empty without versions.
        """
        return self.listing.default().name if self.entries else ""

    def entry(self, name: str) -> Entry:
        """The version called so."""
        return next(entry for entry in self.entries if entry.name == name)

    def read(self, entry: Entry, file: str) -> bytes:
        """One checked file of a version. Raises FERError."""
        return self.memory.registry.read(entry.ref, file)

    def predictions(self, entries: Sequence[Entry]) -> dict[str, Predictions | FERError]:
        """The stored test predictions by version, or why there are none."""

        def read(entry: Entry) -> Predictions | FERError:
            return _attempt(self.memory.predictions, entry)

        with ThreadPoolExecutor(_READERS) as pool:  # most of it is waiting
            found = list(pool.map(read, entries))
        return {entry.name: result for entry, result in zip(entries, found, strict=True)}

    def classifier(self, entry: Entry) -> EmotionClassifier:
        """The version ready to predict. Raises FERError."""
        return self.memory.classifier(entry)

    def classifiers(self, entries: Sequence[Entry]) -> dict[str, EmotionClassifier | FERError]:
        """Versions ready to predict, by name, or why one is not."""
        return {entry.name: _attempt(self.classifier, entry) for entry in entries}


class Memory:
    """What was read of a registry so far, for all sessions; safe between threads.

    Of a repo that a visitor named (`visitors`), fewer classifiers are kept ready.
    """

    def __init__(self, registry: Registry, *, visitors: bool = False) -> None:
        self.registry = registry
        self._visitors = visitors
        self._lock = threading.Lock()
        self._entries: dict[VersionRef, Entry] = {}
        self._predictions: dict[VersionRef, Predictions] = {}

    def catalogue(self) -> Catalogue:
        """The versions that the registry lists now. Raises FERError."""
        listing = self.registry.list()
        return Catalogue(self, listing, self._read_entries(listing), listing.notice)

    def predictions(self, entry: Entry) -> Predictions:
        """The stored test predictions of a version. Raises FERError."""
        if known := self._predictions.get(entry.ref):
            return known
        if entry.version is None:
            raise ModelError(f"version {entry.name} cannot be used.")
        if PREDICTIONS not in entry.version.files:
            raise ModelError(
                f"version {entry.name} was published without test predictions; evaluate it again."
            )
        content = self.registry.read(entry.ref, PREDICTIONS)
        predictions = Predictions.read(content, len(entry.version.labels))
        self._keep(entry.ref, predictions)
        return predictions

    def classifier(self, entry: Entry) -> EmotionClassifier:
        """The version ready to predict; it is fetched and loaded once. Raises FERError."""
        load = _visitors_classifier if self._visitors else _classifier
        return load(self.registry, entry.ref)

    def _read_entries(self, listing: Listing) -> tuple[Entry, ...]:
        """Every version of a listing: what is sound is read once, what is broken each time."""
        remembered = self._entries
        entries = {ref: remembered[ref] for ref in listing.versions if ref in remembered}
        room = _METRICS_KEPT - sum(_metrics_bytes(entry.version) for entry in entries.values())
        unknown = [ref for ref in listing.versions if ref not in entries]
        for ref, described in self.registry.describe(unknown).items():
            entry = _entry(ref, described, room)
            room -= _metrics_bytes(entry.version)
            entries[ref] = entry
        self._entries = {ref: entry for ref, entry in entries.items() if not entry.problem}
        return tuple(replace(entries[ref], ref=ref) for ref in listing.versions)

    def _keep(self, ref: VersionRef, predictions: Predictions) -> None:
        """Remember predictions in place of those that were read longest ago."""
        with self._lock:
            self._predictions[ref] = predictions
            while sum(map(_bytes, self._predictions.values())) > _PREDICTIONS_KEPT:
                del self._predictions[next(iter(self._predictions))]


def _entry(ref: VersionRef, described: ModelVersion | FERError, room: int) -> Entry:
    """What is known of a version whose metrics may take so many bytes."""
    if isinstance(described, FERError):
        return Entry(ref, problem=str(described))
    if _metrics_bytes(described) > room:
        return Entry(ref, problem=_TOO_MUCH)
    try:
        return Entry(ref, described, described.report())
    except FERError as error:
        return Entry(ref, problem=str(error))


def _metrics_bytes(version: ModelVersion | None) -> int:
    return version.files[METRICS].bytes if version and METRICS in version.files else 0


def _bytes(predictions: Predictions) -> int:
    return sum(known.nbytes for known in predictions.test_sets.values())


def _attempt(work: Callable[[Entry], T], entry: Entry) -> T | FERError:
    try:
        return work(entry)
    except FERError as error:
        return error


_IDENTITIES: dict[str | type[Any], Callable[[Any], object]] = {
    BundledRegistry: lambda registry: registry.name,
    HubRegistry: lambda registry: registry.name,
    VersionRef: lambda ref: (ref.name, ref.commit),
}


@st.cache_resource(show_spinner="Loading the version", max_entries=16, hash_funcs=_IDENTITIES)
def _classifier(registry: Registry, ref: VersionRef) -> EmotionClassifier:
    return EmotionClassifier(registry.fetch(ref), threads=1)


@st.cache_resource(show_spinner="Trying the version", max_entries=2, hash_funcs=_IDENTITIES)
def _visitors_classifier(registry: Registry, ref: VersionRef) -> EmotionClassifier:
    return EmotionClassifier(registry.fetch(ref), threads=1)
