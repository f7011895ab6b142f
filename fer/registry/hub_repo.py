"""One model repo on the Hub: what it holds, and its files in the client's cache.

Checked before anybody sees them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import uuid4

from fer.errors import ModelError, RegistryError
from fer.registry import aliases
from fer.registry.aliases import ALIASES, SHA, VERSION, Aliases, Target
from fer.registry.base import Listing, VersionRef
from fer.registry.hub_cache import visitors_cache
from fer.registry.hub_client import FIELD_ERRORS, Patience, asking, connect, meter
from fer.versions.config import FileRecord
from fer.versions.folder import CONFIG, MAX_BYTES
from fer.versions.typed_json import parse_json

_COPY, _SCHEMA = "fer-listing.json", 1
_LIMITS = {**MAX_BYTES, ALIASES: aliases.MAX_BYTES}
_VISITORS_ALIASES = 256 << 10  # bytes of `aliases.json` in a repo that a visitor named
_ANSWER = 2 << 20  # bytes of one answer about tags and commits
MAX_VERSIONS = 100
"""So many versions of a repo are listed."""
_REPO = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)


class HubRepo:
    """Reads USER/NAME with a token as `fer.registry.opening.open_registry` says; one object serves all threads.

    A repo that is read without a token is one that a visitor named: its files go to a cache of
    their own.
    """

    def __init__(
        self, name: str, *, token: str | Literal[False] | None = None, endpoint: str | None = None
    ) -> None:
        if not _REPO.fullmatch(name) or "--" in name or ".." in name:
            raise RegistryError(f"a Hub repo is called USER/NAME, received {name!r:.100}.")
        self.name, self._api = name, connect(token, endpoint)
        self.endpoint = self._api.endpoint
        self._visitors = visitors_cache() if token is False else None
        self._dates: dict[str, datetime | None] = {}

    def listing(self, patience: Patience) -> Listing:
        """Ask the Hub for versions and aliases, and keep a copy.

        Raises RegistryError, DownloadError.
        """
        patience.limit = _ANSWER
        with asking(self.name, self.endpoint, patience):
            refs = self._api.list_repo_refs(self.name)
            tags = {
                tag.name: _sha(tag.target_commit)
                for tag in refs.tags
                if VERSION.fullmatch(tag.name)
            }
            (head,) = (
                _sha(branch.target_commit) for branch in refs.branches if branch.name == "main"
            )
        content = self._aliases(head, patience)
        with asking(self.name, self.endpoint, patience):
            if not self._dates.keys() >= set(tags.values()):
                commits = self._api.list_repo_commits(self.name, revision=head)
                dates = {commit.commit_id: commit.created_at for commit in commits}
                self._dates = {commit: dates.get(commit) for commit in tags.values()}
        now = datetime.now(UTC)
        self._keep(tags, content, now)
        return _listing(self.name, tags, self._dates, content, now)

    def recall(self) -> Listing | None:
        """The listing of an earlier time, from disk; None if there is none from this endpoint, or it is damaged.

        Without a token there is none either: no copy is kept of a visitor's repo.
        """
        if self._visitors:
            return None
        try:
            copy = parse_json(self._copy().read_bytes(), _COPY)
            if (copy["schema"], copy["endpoint"]) != (_SCHEMA, self.endpoint):
                return None
            tags = {
                name: _sha(commit)
                for name, commit in copy["tags"].items()
                if VERSION.fullmatch(name)
            }
            dates = {commit: datetime.fromisoformat(date) for commit, date in copy["dates"].items()}
            content = copy["aliases"].encode()
            return _listing(self.name, tags, dates, content, datetime.fromisoformat(copy["time"]))
        except (OSError, ModelError, *FIELD_ERRORS):
            return None

    def obtain(
        self,
        commit: str,
        name: str,
        patience: Patience,
        *,
        record: FileRecord | None = None,
        cached: bool = False,
    ) -> Path:
        """The path of a file as the commit holds it: its content agrees with `record`, or else with git's own digest.

        It comes from the cache, else (unless `cached`) from the Hub; a corrupt one is fetched
        again, once.
        """
        if record and record.bytes > _LIMITS[name]:
            raise ModelError(
                f"{name}: {CONFIG} promises more than the {_LIMITS[name]:,} bytes that are"
                " accepted."
            )
        for fresh in (False, True):
            path = self._download(commit, name, patience, fresh=fresh, cached=cached)
            fault = _fault(path, record)
            if not fault:
                return path
            if cached:
                raise ModelError(
                    f"{name} in the cache is corrupt ({fault}); go online once to mend it."
                )
            # where the cache holds plain files, a fresh download keeps the old one
            if not path.is_symlink():
                with suppress(OSError):
                    path.unlink()
        raise ModelError(
            f"{name} is corrupt, also after a fresh download: {fault}; choose another version."
        )

    def _download(
        self, commit: str, name: str, patience: Patience, *, fresh: bool, cached: bool
    ) -> Path:
        patience.limit = _VISITORS_ALIASES if self._visitors and name == ALIASES else _LIMITS[name]
        try:
            with asking(self.name, self.endpoint, patience):
                found = self._api.hf_hub_download(
                    self.name,
                    name,
                    revision=commit,
                    force_download=fresh,
                    local_files_only=cached,
                    tqdm_class=meter(patience),
                    cache_dir=self._visitors.folder if self._visitors else None,
                )
                path = Path(found)
                if self._visitors:
                    self._visitors.add(path.stat().st_size)
                return path
        except ModelError as error:
            raise ModelError(f"{name}: {error}") from error

    def _aliases(self, head: str, patience: Patience) -> bytes:
        """The content of `aliases.json`, empty where there is none.

        The Hub is asked even if it is in the cache.

        That shows whether files may still be read: what a gated repo holds is listed to everybody.
        """
        from huggingface_hub import hf_hub_url
        from huggingface_hub.errors import EntryNotFoundError

        with asking(self.name, self.endpoint, patience):
            try:
                url = hf_hub_url(self.name, ALIASES, revision=head, endpoint=self.endpoint)
                self._api.get_hf_file_metadata(url=url)
            except EntryNotFoundError:
                return b""
        return self.obtain(head, ALIASES, patience).read_bytes()

    def _copy(self) -> Path:
        """Beside the repo's files in the cache, so that deleting it from there deletes all."""
        from huggingface_hub import constants

        return Path(constants.HF_HUB_CACHE) / f"models--{self.name.replace('/', '--')}" / _COPY

    def _keep(self, tags: Mapping[str, str], content: bytes, now: datetime) -> None:
        """Write the copy for `recall`; where the cache cannot be written, there will be none."""
        if self._visitors:
            return
        dates = {
            commit: date.isoformat() for commit in tags.values() if (date := self._dates[commit])
        }
        document = {
            "schema": _SCHEMA,
            "endpoint": self.endpoint,
            "time": now.isoformat(),
            "tags": tags,
            "dates": dates,
        }
        text = json.dumps(document | {"aliases": content.decode("utf-8", "replace")})
        path = self._copy()
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f"{path.name}.{uuid4().hex}")
            new.write_text(text, encoding="utf-8")
            new.replace(path)


def _listing(
    name: str,
    tags: Mapping[str, str],
    dates: Mapping[str, datetime | None],
    content: bytes,
    time: datetime,
) -> Listing:
    known, notice = Aliases(), ""
    try:
        known = Aliases.parse(content) if content else known
    except RegistryError as error:
        notice = f"{error} Until then, aliases are not shown."
    names = {
        tag: tuple(
            sorted(
                alias for alias, target in known.targets.items() if target == Target(tag, commit)
            )
        )
        for tag, commit in tags.items()
    }
    refs = (VersionRef(tag, commit, dates.get(commit), names[tag]) for tag, commit in tags.items())
    newest_first = sorted(
        refs, key=lambda ref: [int(part) for part in ref.name[1:].split(".")], reverse=True
    )
    if len(newest_first) > MAX_VERSIONS:
        more = (
            f"{name} holds {len(newest_first)} versions; listed are {MAX_VERSIONS}, the newest and"
            " those with an alias."
        )
        notice = f"{more} {notice}".strip()
        named_first = sorted(newest_first, key=lambda ref: not ref.aliases)
        listed = set(named_first[:MAX_VERSIONS])
        newest_first = [ref for ref in newest_first if ref in listed]
    return Listing(name, tuple(newest_first), known, notice, time)


def _sha(value: object) -> str:
    if not isinstance(value, str) or not SHA.fullmatch(value):
        raise ValueError(f"expected a full sha, received {value!r:.100}")
    return value


def _fault(path: Path, record: FileRecord | None) -> str:
    """What is wrong with a file in the cache, in words; empty if nothing is."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    name = path.resolve().name  # the cache calls a content by the Hub's digest of it
    digest = _sha256 if record else {40: _git_digest, 64: _sha256}.get(len(name))
    if digest is None:
        return ""  # a cache without links tells no digest
    size, expected = (record.bytes, record.sha256) if record else (len(content), name)
    if (len(content), digest(content)) == (size, expected):
        return ""
    return (
        f"received {len(content):,} bytes, digest {digest(content)[:12]}, expected {size:,},"
        f" {expected[:12]!r}"
    )


def _git_digest(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
