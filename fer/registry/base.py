"""Find versions by name: what every registry offers.

A version is a tag `vX.Y.Z` of a Hub repo (`fer.registry.hub`) or a folder that comes with the
program (`fer.registry.bundled`). Aliases are names that move: they stand in `aliases.json` on the
repo's `main`, with the history of every move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from fer.errors import FERError, ModelError, RegistryError
from fer.registry.aliases import LATEST, Aliases
from fer.versions.folder import ModelVersion

DEFAULT = "flagship"
PRODUCTION = "production"


@dataclass(frozen=True)
class VersionRef:
    """The identity of a version in a registry: its name, and the commit that the name stood for.

    Two are equal where both agree; the date and the aliases are what the registry said of it.

    Attributes:
        name: The tag `vX.Y.Z` of a Hub repo, or the name of a bundled folder.
        commit: On the Hub the full sha of a commit. For a bundled version the sha256 of its
            `config.json`, which seals every other file; empty if that file cannot be read.
        date: When it was published or, if bundled, trained; None where that is not known.
        aliases: The names that stand for it now.

    Example:
        >>> from fer import VersionRef
        >>> VersionRef("v1.0.0", "a" * 40) == VersionRef("v1.0.0", "a" * 40, aliases=("latest",))
        True
    """

    name: str
    commit: str
    date: datetime | None = field(default=None, compare=False)
    aliases: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Listing:
    """The versions of a registry at one moment.

    Attributes:
        source: The name of the registry.
        versions: The versions, newest first.
        aliases: The names that move, with their history.
        notice: A sentence for the user where the listing is not all it should be, else empty.
        time: When the registry was asked.
        offline: Whether it is an old listing, of which only what is in the cache can be fetched.

    Example:
        >>> from fer import Listing, VersionRef
        >>> listing = Listing("user/faces", (VersionRef("v1.1.0", "b" * 40),))
        >>> listing.resolve("latest").name
        'v1.1.0'
    """

    source: str
    versions: tuple[VersionRef, ...]
    aliases: Aliases = field(default_factory=Aliases)
    notice: str = ""
    time: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)
    offline: bool = False

    def resolve(self, name: str) -> VersionRef:
        """The version called so.

        Args:
            name: The name of a version, an alias, `latest`, or a full commit.

        Raises:
            ModelError: There is no version of this name.
            RegistryError: It is an alias whose version is gone.
        """
        if name == LATEST and self.versions:
            return self.versions[0]
        for ref in self.versions:
            if name and name in (ref.name, ref.commit, *ref.aliases):
                return ref
        raise self._unknown(name)

    def default(self) -> VersionRef:
        """The version to start with: the one in production, else the default, else the newest.

        Raises:
            ModelError: There is no version at all.
        """
        named = {name: ref for ref in self.versions for name in (ref.name, *ref.aliases)}
        return named.get(PRODUCTION) or named.get(DEFAULT) or self.resolve(LATEST)

    def _unknown(self, name: str) -> FERError:
        if target := self.aliases.targets.get(name):
            return RegistryError(
                f"{self.source}: {name} is {target.version} at {target.commit[:12]}, but that"
                " version was deleted or moved; choose another version, and set the alias anew."
            )
        known = [*(ref.name for ref in self.versions), *self.aliases.targets]
        return ModelError(
            f"there is no version {name!r} in {self.source}; there is {', '.join(known) or 'none'}."
        )


class Registry(Protocol):
    """Where versions come from.

    Safe to share between threads; every method raises FERError and nothing else.
    """

    name: str

    def list(self) -> Listing:
        """The versions there are, remembered for a while."""

    def refresh(self) -> None:
        """Forget what is remembered, so that the next call asks again."""

    def resolve(self, name: str) -> VersionRef:
        """The version called so; see `Listing.resolve`."""

    def describe(self, refs: Iterable[VersionRef]) -> dict[VersionRef, ModelVersion | FERError]:
        """Configuration and metrics of many versions at once, or what is wrong with each.

        Graphs may not be there.
        """

    def fetch(self, ref: VersionRef) -> ModelVersion:
        """The version with every file that inference and comparison need, all checked."""

    def read(self, ref: VersionRef, file: str) -> bytes:
        """One file of a version, checked: the model card, say, without fetching the graph."""


def version_or_error(get: Callable[[], ModelVersion]) -> ModelVersion | FERError:
    """What `get` returns, or the error that it raises."""
    try:
        return get()
    except FERError as error:
        return error
