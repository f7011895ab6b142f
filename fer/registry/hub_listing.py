"""What a Hub repo holds, as a listing and as a copy on disk for times without the Hub."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import uuid4

import msgspec
from huggingface_hub import constants

from fer.errors import RegistryError
from fer.registry.aliases import SHA, VERSION, Aliases, Target
from fer.registry.base import Listing, VersionRef

MAX_VERSIONS = 100
"""So many versions of a repo are listed."""
_COPY = "fer-listing.json"

_Name = Annotated[str, msgspec.Meta(pattern=rf"^{VERSION.pattern}$")]
_Commit = Annotated[str, msgspec.Meta(pattern=rf"^{SHA.pattern}$")]
_Time = Annotated[datetime, msgspec.Meta(tz=True)]


class RepoState(msgspec.Struct, frozen=True):
    """What the Hub said of a repo: the commits of its versions, and the dates of these.

    `aliases` is the text of `aliases.json`, empty where there is none.
    """

    endpoint: str
    time: _Time
    tags: Mapping[_Name, _Commit]
    dates: Mapping[_Commit, _Time]
    aliases: str
    schema: Literal[1] = 1

    def listing(self, repo: str) -> Listing:
        """The versions, newest first, at most `MAX_VERSIONS` of them."""
        aliases, notice = self._known_aliases()
        refs = sorted(self._refs(aliases), key=_number, reverse=True)
        if len(refs) > MAX_VERSIONS:
            notice = (
                f"{repo} holds {len(refs)} versions; listed are {MAX_VERSIONS}, the newest and"
                f" those with an alias. {notice}"
            )
            refs = _most_wanted(refs)
        return Listing(repo, tuple(refs), aliases, notice.strip(), self.time)

    def _known_aliases(self) -> tuple[Aliases, str]:
        """The aliases, or none and a sentence that says why."""
        if not self.aliases:
            return Aliases(), ""
        try:
            return Aliases.parse(self.aliases.encode()), ""
        except RegistryError as error:
            return Aliases(), f"{error} Until then, aliases are not shown."

    def _refs(self, aliases: Aliases) -> Iterable[VersionRef]:
        for name, commit in self.tags.items():
            version = Target(name, commit)
            names = (alias for alias, target in aliases.targets.items() if target == version)
            yield VersionRef(name, commit, self.dates.get(commit), tuple(sorted(names)))


def write_copy(repo: str, state: RepoState) -> None:
    """Keep the state for `read_copy`; where the cache cannot be written, there will be none."""
    path = _copy(repo)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.{uuid4().hex}")
        new.write_bytes(msgspec.json.encode(state))
        new.replace(path)


def read_copy(repo: str, endpoint: str) -> RepoState | None:
    """The last state; None if there is none from this endpoint, or it is damaged."""
    try:
        state = msgspec.json.decode(_copy(repo).read_bytes(), type=RepoState)
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    return state if state.endpoint == endpoint else None


def _copy(repo: str) -> Path:
    """Beside the repo's files in the cache, so that deleting it from there deletes all."""
    return Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}" / _COPY


def _number(ref: VersionRef) -> tuple[int, ...]:
    return tuple(int(part) for part in ref.name.removeprefix("v").split("."))


def _most_wanted(refs: list[VersionRef]) -> list[VersionRef]:
    """Those with an alias and the newest, in their order."""
    with_alias_first = sorted(refs, key=lambda ref: not ref.aliases)
    wanted = set(with_alias_first[:MAX_VERSIONS])
    return [ref for ref in refs if ref in wanted]
