"""The versions that the pages offer.

Those of the operator's repo on the Hub, or those bundled with the app.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import streamlit as st

from app_pages.shared.settings import setting
from fer import (
    BundledRegistry,
    EmotionClassifier,
    FERError,
    Listing,
    ModelError,
    ModelVersion,
    Registry,
    VersionRef,
    open_registry,
)
from fer.intervals import Estimate
from fer.registry.opening import REPO_VARIABLE
from fer.versions.folder import METRICS, PREDICTIONS
from fer.versions.predictions import Predictions
from fer.versions.report import Metrics, Report, SetReport

T = TypeVar("T")

ANY_REPO = "FER_ALLOW_ANY_REPO"
BUNDLED_SOURCE = "bundled"
_METRICS_KEPT, _PREDICTIONS_KEPT = 2 << 20, 32 << 20
"""Bytes of `metrics.json`, and of unpacked predictions, that are kept of one registry."""
_READERS = 8
_TOO_MUCH = (
    f"the versions of this repo hold more than {_METRICS_KEPT >> 20} MB of {METRICS} together; "
    "choose one of those that were published later."
)


class Labelling(NamedTuple):
    """Which test pictures are meant, and whose labels of them count as the truth."""

    test_set: str
    name: str


ORDINARY, FER2013 = Labelling("natural", "natural"), Labelling("fer2013", "fer2013")


def labellings_of(entries: Sequence[Entry]) -> list[Labelling]:
    """Every labelling that one of the versions was measured with.

    Ordinary faces first, then FER2013.
    """
    known = dict.fromkeys(labelling for entry in entries for labelling in entry.labellings)
    return sorted(
        known, key=lambda one: (one.test_set != ORDINARY.test_set, one.test_set != FER2013.test_set)
    )


@dataclass(frozen=True)
class Entry:
    """A listed version with what is known of it.

    Or with the problem for which it cannot be used.
    """

    ref: VersionRef
    version: ModelVersion | None = None
    report: Report | None = field(default=None, repr=False)
    problem: str = ""

    @property
    def name(self) -> str:
        return self.ref.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The expressions that the version knows."""
        return self.version.labels if self.version else ()

    @property
    def test_sets(self) -> Mapping[str, SetReport]:
        """What was measured, by test set; empty for a version that was never evaluated."""
        return self.report.test_sets if self.report else {}

    @property
    def labellings(self) -> tuple[Labelling, ...]:
        """The test sets and labels under which it was measured."""
        sets = self.test_sets.items()
        return tuple(
            Labelling(name, labelling) for name, known in sets for labelling in known.labellings
        )

    def measured(self, labelling: Labelling) -> Metrics | None:
        """All metrics under these labels; None where there are none."""
        known = self.test_sets.get(labelling.test_set)
        return known.labellings.get(labelling.name) if known else None

    def asked(self, labelling: Labelling) -> tuple[str, ...]:
        """The expressions that the test set asks for.

        All that the version knows, or some of them.
        """
        return self.test_sets[labelling.test_set].labels

    def estimate(self, metric: str, labelling: Labelling) -> Estimate | None:
        """A metric, by the name of a field of `Metrics`; None where it was not measured."""
        found: Estimate | None = getattr(self.measured(labelling), metric, None)
        return found


class Library:
    """A registry and what was read from it so far; shared by all sessions, and safe between threads.

    Of a repo that a visitor named (`visitors`), fewer classifiers are kept ready.
    """

    def __init__(self, registry: Registry, *, visitors: bool = False) -> None:
        self.registry, self._visitors = registry, visitors
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, str], Entry] = {}
        self._predictions: dict[tuple[str, str], Predictions] = {}

    def entries(self, listing: Listing) -> tuple[Entry, ...]:
        """Every version of the listing.

        What is sound is looked at once, what is broken each time.
        """
        known = self._entries
        unknown = [ref for ref in listing.versions if _key(ref) not in known]
        listed = {_key(ref): known[_key(ref)] for ref in listing.versions if _key(ref) in known}
        size = sum(_metrics_size(entry.version) for entry in listed.values())
        for ref, outcome in self.registry.describe(unknown).items():
            needed = 0 if isinstance(outcome, FERError) else _metrics_size(outcome)
            fits = size + needed <= _METRICS_KEPT
            size += needed if fits else 0
            listed[_key(ref)] = _entry(ref, outcome if fits else ModelError(_TOO_MUCH))
        self._entries = {key: entry for key, entry in listed.items() if not entry.problem}
        return tuple(replace(listed[_key(ref)], ref=ref) for ref in listing.versions)

    def predictions(self, entries: Sequence[Entry]) -> dict[str, Predictions | FERError]:
        """The stored test predictions by version, read side by side, or why there are none."""
        with ThreadPoolExecutor(_READERS) as pool:  # most of it is waiting
            found = pool.map(partial(_attempt, self._read_predictions), entries)
            return {entry.name: outcome for entry, outcome in zip(entries, found, strict=True)}

    def read(self, entry: Entry, file: str) -> bytes:
        """One checked file of a version. Raises FERError."""
        return self.registry.read(entry.ref, file)

    def classifier(self, entry: Entry) -> EmotionClassifier:
        """The version ready to predict; it is fetched and loaded once for all sessions.

        Raises FERError.
        """
        load = _visitors_classifier if self._visitors else _classifier
        return load(self.registry.name, *_key(entry.ref), self.registry, entry.ref)

    def classifiers(self, entries: Sequence[Entry]) -> dict[str, EmotionClassifier | FERError]:
        """Versions ready to predict, by name, or why one is not."""
        return {entry.name: _attempt(self.classifier, entry) for entry in entries}

    def _read_predictions(self, entry: Entry) -> Predictions:
        key = _key(entry.ref)
        if key not in self._predictions:
            if entry.version is None:
                raise ModelError(f"version {entry.name} cannot be used.")
            if PREDICTIONS not in entry.version.files:
                raise ModelError(
                    f"version {entry.name} was published without test predictions; evaluate it"
                    " again."
                )
            read = Predictions.read(self.read(entry, PREDICTIONS), len(entry.version.labels))
            with self._lock:
                self._predictions[key] = read
                while sum(map(_bytes, self._predictions.values())) > _PREDICTIONS_KEPT:
                    del self._predictions[next(iter(self._predictions))]
            return read
        return self._predictions[key]


@dataclass(frozen=True)
class Catalogue:
    """The versions on offer, newest first.

    And a sentence for the visitor where not all is as it should be.
    """

    library: Library
    listing: Listing
    entries: tuple[Entry, ...]
    notice: str = ""

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


def sources() -> list[str]:
    """Where versions may come from.

    The operator's repo, if there is one, and the app's own folder.
    """
    repo = setting(REPO_VARIABLE)
    return [repo, BUNDLED_SOURCE] if repo else [BUNDLED_SOURCE]


def any_repo_allowed() -> bool:
    """Whether visitors may name a repo of their own; it is read without the server's token."""
    return setting(ANY_REPO) == "1"


def open_catalogue(source: str, models: Path) -> Catalogue:
    """The versions of a source; those bundled in `models` where a repo cannot be used.

    With a notice that says why.
    """
    if source == BUNDLED_SOURCE:
        return _catalogue(_bundled(str(models)))
    try:
        found = _catalogue(_repo(source))
        if found.usable:
            return found
        problem = f"{found.notice} {_nothing_usable(source, found)}".strip()
    except FERError as error:
        problem = str(error)
    notice = f"{problem} Shown instead are the versions that came with this app."
    return replace(_catalogue(_bundled(str(models))), notice=notice)


def refresh(source: str, models: Path) -> None:
    """Ask again at the next look, whatever is remembered."""
    try:
        library = _bundled(str(models)) if source == BUNDLED_SOURCE else _repo(source)
    except FERError:
        return  # the page says why when it opens the catalogue
    library.registry.refresh()


def _metrics_size(version: ModelVersion | None) -> int:
    return version.files[METRICS].bytes if version and METRICS in version.files else 0


def _bytes(predictions: Predictions) -> int:
    return sum(known.nbytes for known in predictions.test_sets.values())


def _attempt(work: Callable[[Entry], T], entry: Entry) -> T | FERError:
    try:
        return work(entry)
    except FERError as error:
        return error


def _catalogue(library: Library) -> Catalogue:
    listing = library.registry.list()
    return Catalogue(library, listing, library.entries(listing), listing.notice)


def _nothing_usable(source: str, found: Catalogue) -> str:
    if not found.entries:
        return f"{source} holds no version yet; publish one with `python -m training.push`."
    return f"None of the versions in {source} can be used: {found.entries[0].problem}"


def _entry(ref: VersionRef, outcome: ModelVersion | FERError) -> Entry:
    if isinstance(outcome, FERError):
        return Entry(ref, problem=str(outcome))
    try:
        return Entry(ref, outcome, outcome.report())
    except FERError as error:
        return Entry(ref, problem=str(error))


def _key(ref: VersionRef) -> tuple[str, str]:
    """The name is that of a tag, which may be one of two on a commit; the commit is the content."""
    return ref.name, ref.commit


def _repo(source: str) -> Library:
    return _operators_repo(source) if source == setting(REPO_VARIABLE) else _visitors_repo(source)


@st.cache_resource(show_spinner=False, max_entries=1)
def _operators_repo(source: str) -> Library:
    return Library(open_registry(source, token=None))


@st.cache_resource(show_spinner=False, max_entries=2)
def _visitors_repo(source: str) -> Library:
    return Library(open_registry(source, token=False), visitors=True)


@st.cache_resource(show_spinner=False, max_entries=4)
def _bundled(folder: str) -> Library:
    return Library(BundledRegistry(Path(folder)))


@st.cache_resource(show_spinner="Loading the version", max_entries=16)
def _classifier(
    source: str, name: str, commit: str, _registry: Registry, _ref: VersionRef
) -> EmotionClassifier:
    return EmotionClassifier(_registry.fetch(_ref), threads=1)


@st.cache_resource(show_spinner="Trying the version", max_entries=2)
def _visitors_classifier(
    source: str,  # noqa: ARG001
    name: str,  # noqa: ARG001
    commit: str,  # noqa: ARG001
    _registry: Registry,
    _ref: VersionRef,
) -> EmotionClassifier:
    return EmotionClassifier(_registry.fetch(_ref), threads=1)
