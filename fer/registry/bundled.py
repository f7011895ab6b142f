"""The registry of the version folders that come with the program."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from fer.errors import FERError, ModelError
from fer.registry.base import DEFAULT, Listing, VersionRef, version_or_error
from fer.versions.files import read_limited
from fer.versions.folder import BUNDLED, CONFIG, MAX_BYTES, ModelVersion, read_version


class BundledRegistry:
    """The version folders of one folder; a broken one is listed too, and refused when fetched.

    Args:
        folder: Where the folders lie, by default those that come with the program.

    Example:
        >>> from fer import BundledRegistry
        >>> registry = BundledRegistry()
        >>> registry.fetch(registry.resolve("seed-cnn")).labels
        ('happy', 'sad', 'neutral', 'surprised')
    """

    def __init__(self, folder: Path = BUNDLED) -> None:
        self.folder = folder
        self.name = str(folder)

    def list(self) -> Listing:
        refs = [_bundled_ref(path.parent) for path in sorted(self.folder.glob(f"*/{CONFIG}"))]
        refs.sort(key=_timestamp, reverse=True)
        return Listing(self.name, tuple(refs))

    def refresh(self) -> None:
        """Nothing is remembered."""

    def resolve(self, name: str) -> VersionRef:
        return self.list().resolve(name)

    def describe(self, refs: Iterable[VersionRef]) -> dict[VersionRef, ModelVersion | FERError]:
        return {ref: version_or_error(partial(self.fetch, ref)) for ref in refs}

    def fetch(self, ref: VersionRef) -> ModelVersion:
        if self.resolve(ref.name).commit != ref.commit:
            raise ModelError(
                f"version {ref.name} in {self.name} has changed since it was listed; list it again."
            )
        return read_version(self.folder / ref.name)

    def read(self, ref: VersionRef, file: str) -> bytes:
        return self.fetch(ref).read(file)


def load_version(name: str = DEFAULT, *, folder: Path = BUNDLED) -> ModelVersion:
    """A bundled version, checked.

    Args:
        name: The name of its folder, or the commit of its listing.
        folder: Where the folders lie, by default those that come with the program.

    Returns:
        The version with every file that inference needs.

    Raises:
        ModelError: There is no such version, or it is broken.

    Example:
        >>> from fer import load_version
        >>> load_version().name
        'flagship'
    """
    registry = BundledRegistry(folder)
    return registry.fetch(registry.resolve(name))


def _bundled_ref(folder: Path) -> VersionRef:
    """What can be told of a version folder before it is checked."""
    try:
        config = read_limited(folder / CONFIG, MAX_BYTES[CONFIG])
    except ModelError:
        return VersionRef(folder.name, commit="")
    return VersionRef(folder.name, hashlib.sha256(config).hexdigest(), _date(config))


def _date(config: bytes) -> datetime | None:
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        return datetime.fromisoformat(json.loads(config)["lineage"]["date"])
    return None


def _timestamp(ref: VersionRef) -> float:
    return ref.date.timestamp() if ref.date else 0.0
