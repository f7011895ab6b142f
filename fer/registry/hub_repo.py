"""One model repo on the Hub: what it holds, and its files, checked before anybody sees them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from huggingface_hub import GitRefInfo, hf_hub_url
from huggingface_hub.errors import EntryNotFoundError
from huggingface_hub.utils.tqdm import tqdm

from fer.errors import ModelError, RegistryError
from fer.registry import aliases
from fer.registry.aliases import ALIASES, SHA, VERSION
from fer.registry.deadline import Deadline
from fer.registry.hub_cache import visitors_cache
from fer.registry.hub_client import asking, connect
from fer.registry.hub_listing import RepoState, read_copy, write_copy
from fer.versions.config import FileRecord
from fer.versions.folder import CONFIG, MAX_BYTES

_LIMITS = {**MAX_BYTES, ALIASES: aliases.MAX_BYTES}
_VISITORS_ALIASES = 256 << 10  # bytes of `aliases.json` in a repo that a visitor named
_ANSWER = 2 << 20  # bytes of one answer about tags and commits
_REPO = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)


class HubRepo:
    """Reads USER/NAME with a token as `fer.registry.opening.open_registry` says.

    A repo that is read without a token is one that a visitor named: its files go to a cache of
    their own. One object serves all threads.
    """

    def __init__(
        self, name: str, *, token: str | Literal[False] | None = None, endpoint: str | None = None
    ) -> None:
        if not _REPO.fullmatch(name) or "--" in name or ".." in name:
            raise RegistryError(f"a Hub repo is called USER/NAME, received {name!r:.100}.")
        self.name = name
        self.api = connect(token, endpoint)
        self._visitors = visitors_cache() if token is False else None
        self._dates: dict[str, datetime | None] = {}

    def asking(
        self, deadline: Deadline | None = None, *, max_bytes: int = 16 << 20
    ) -> AbstractContextManager[type[tqdm]]:
        """Bound calls of `api`; see `fer.registry.hub_client.asking`."""
        return asking(self.name, self.api.endpoint, deadline or Deadline(), max_bytes=max_bytes)

    def ask(self, deadline: Deadline) -> RepoState:
        """What the repo holds now, of which a copy is kept. Raises RegistryError, DownloadError."""
        with self.asking(deadline, max_bytes=_ANSWER):
            refs = self.api.list_repo_refs(self.name)
            tags = _commits(tag for tag in refs.tags if VERSION.fullmatch(tag.name))
            head = _commits(refs.branches)["main"]
        text = self._aliases(head, deadline).decode("utf-8", "backslashreplace")
        with self.asking(deadline, max_bytes=_ANSWER):
            self._learn_dates(tags.values(), head)
        dates = {commit: date for commit in tags.values() if (date := self._dates[commit])}
        state = RepoState(self.api.endpoint, datetime.now(UTC), tags, dates, text)
        if not self._visitors:
            write_copy(self.name, state)
        return state

    def recall(self) -> RepoState | None:
        """What the repo held when it was last asked; None where that is not known.

        No copy is kept of a visitor's repo.
        """
        return None if self._visitors else read_copy(self.name, self.api.endpoint)

    def obtain(
        self,
        commit: str,
        name: str,
        deadline: Deadline,
        *,
        record: FileRecord | None = None,
        cached: bool = False,
    ) -> Path:
        """The path of a file as the commit holds it.

        It comes from the cache, else (unless `cached`) from the Hub. Its content agrees with
        `record`, or without one with the Hub's own digest; a corrupt file is fetched again, once.
        """
        if record and record.bytes > _LIMITS[name]:
            raise ModelError(
                f"{name}: {CONFIG} promises more than the {_LIMITS[name]:,} bytes that are"
                " accepted."
            )
        for fresh in (False, True):
            path = self._download(commit, name, deadline, fresh=fresh, cached=cached)
            fault = _fault(path, record)
            if not fault:
                return path
            if cached:
                raise ModelError(
                    f"{name} in the cache is corrupt ({fault}); go online once to mend it."
                )
            _discard_plain(path)
        raise ModelError(
            f"{name} is corrupt, also after a fresh download: {fault}; choose another version."
        )

    def _download(
        self, commit: str, name: str, deadline: Deadline, *, fresh: bool, cached: bool
    ) -> Path:
        limit = _VISITORS_ALIASES if self._visitors and name == ALIASES else _LIMITS[name]
        try:
            with self.asking(deadline, max_bytes=limit) as counter:
                found = self.api.hf_hub_download(
                    self.name,
                    name,
                    revision=commit,
                    force_download=fresh,
                    local_files_only=cached,
                    tqdm_class=counter,
                    cache_dir=self._visitors.folder if self._visitors else None,
                )
        except ModelError as error:
            raise ModelError(f"{name}: {error}") from error
        path = Path(found)
        if self._visitors:
            self._visitors.add(path.stat().st_size)
        return path

    def _aliases(self, head: str, deadline: Deadline) -> bytes:
        """The content of `aliases.json`, empty where there is none.

        The Hub is asked even if the file is in the cache. That shows whether files may still be
        read: what a gated repo holds is listed to everybody.
        """
        url = hf_hub_url(self.name, ALIASES, revision=head, endpoint=self.api.endpoint)
        with self.asking(deadline, max_bytes=_ANSWER):
            try:
                self.api.get_hf_file_metadata(url=url)
            except EntryNotFoundError:
                return b""
        return self.obtain(head, ALIASES, deadline).read_bytes()

    def _learn_dates(self, commits: Iterable[str], head: str) -> None:
        """Ask for the dates of commits, unless all are known."""
        if self._dates.keys() >= set(commits):
            return
        history = self.api.list_repo_commits(self.name, revision=head)
        dates = {commit.commit_id: commit.created_at for commit in history}
        self._dates = {commit: dates.get(commit) for commit in commits}


def _commits(refs: Iterable[GitRefInfo]) -> dict[str, str]:
    """The full sha of each branch or tag. Raises ValueError where one has none."""
    commits = {ref.name: ref.target_commit for ref in refs}
    for commit in commits.values():
        if not SHA.fullmatch(commit):
            raise ValueError(f"expected a full sha, received {commit!r:.100}")
    return commits


def _discard_plain(path: Path) -> None:
    """Delete a file that is no link: where the cache has none, a fresh download keeps the old."""
    if not path.is_symlink():
        with suppress(OSError):
            path.unlink()


def _fault(path: Path, record: FileRecord | None) -> str:
    """What is wrong with a file in the cache, in words; empty if nothing is."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    size = len(content)
    if record:
        expected = (record.bytes, record.sha256)
        received = (size, _sha256(content))
    else:
        digest = path.resolve().name  # the cache calls a content by the Hub's digest of it
        expected = (size, digest)
        received = (size, _digest_like(digest, content))
    if received == expected:
        return ""
    return (
        f"received {size:,} bytes, digest {received[1][:12]}, expected {expected[0]:,},"
        f" {expected[1][:12]!r}"
    )


def _digest_like(expected: str, content: bytes) -> str:
    """The digest of the same kind; what a cache without links calls a file is none, and agrees."""
    match len(expected):
        case 40:
            git_object = b"blob %d\0" % len(content) + content
            return hashlib.sha1(git_object, usedforsecurity=False).hexdigest()
        case 64:
            return _sha256(content)
    return expected


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
