"""Repositories on disk: one JSON file for each, and every file's content under its sha256."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

MAIN = "main"
REPO_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)


class HubError(Exception):
    """An answer with an error status; the client looks first at `code`, sent as X-Error-Code."""

    def __init__(
        self, status: int, message: str, code: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers or {}


@dataclass(frozen=True)
class File:
    """A file of a commit; `blob` is git's id of its content, or of its pointer if it is in LFS."""

    sha256: str
    size: int
    lfs: bool
    blob: str

    @classmethod
    def regular(cls, content: bytes) -> File:
        return cls(hashlib.sha256(content).hexdigest(), len(content), False, git_blob(content))

    @classmethod
    def large(cls, sha256: str, size: int) -> File:
        return cls(sha256, size, True, git_blob(pointer(sha256, size)))

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.blob


@dataclass(frozen=True)
class Commit:
    """One state of all files."""

    id: str
    title: str
    message: str
    user: str
    date: str
    files: dict[str, File]


@dataclass
class Repo:
    """A repository: commits from the first to the head of `main`, and tags by name."""

    id: str
    private: bool = False
    gated: str | bool = False
    granted: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    commits: list[Commit] = field(default_factory=list)

    @property
    def owner(self) -> str:
        return self.id.split("/")[0]

    @property
    def head(self) -> Commit:
        return self.commits[-1]

    def find(self, revision: str) -> Commit:
        """The commit that `main`, a tag or a full sha names; HubError 404 if there is none."""
        wanted = self.head.id if revision == MAIN else self.tags.get(revision, revision)
        for commit in self.commits:
            if commit.id == wanted:
                return commit
        raise HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")


class Store:
    """Reads and changes repositories; a change is written whole or not at all, one at a time."""

    def __init__(self, folder: Path) -> None:
        self.repos = folder / "repos"
        self.objects = folder / "objects"
        self.repos.mkdir(parents=True, exist_ok=True)
        self.objects.mkdir(exist_ok=True)
        self.lock = threading.RLock()
        self._read: dict[str, Repo] = {}

    def get(self, repo_id: str) -> Repo | None:
        """The repository, which only `change` may alter; None if there is none."""
        path = self._path(repo_id)
        if repo_id not in self._read and REPO_ID.fullmatch(repo_id) and path.is_file():
            self._read[repo_id] = _repo(json.loads(path.read_bytes()))
        return self._read.get(repo_id)

    def put(self, repo: Repo) -> None:
        path = self._path(repo.id)
        path.parent.mkdir(exist_ok=True)
        _replace(path, json.dumps(asdict(repo)).encode())
        self._read[repo.id] = repo

    def delete(self, repo_id: str) -> None:
        self._path(repo_id).unlink()
        del self._read[repo_id]

    @contextmanager
    def change(self, repo_id: str) -> Iterator[Repo]:
        """Hold the lock, hand out a copy of the repository, and keep it unless the block raises."""
        with self.lock:
            repo = copy.deepcopy(self.get(repo_id))
            if repo is None:
                raise HubError(404, "Repository not found", "RepoNotFound")
            yield repo
            self.put(repo)

    def has(self, sha256: str, size: int) -> bool:
        path = self.objects / sha256
        return path.is_file() and path.stat().st_size == size

    def read(self, sha256: str) -> bytes:
        return (self.objects / sha256).read_bytes()

    def write(self, content: bytes) -> str:
        """Keep a content and return its sha256."""
        sha256 = hashlib.sha256(content).hexdigest()
        _replace(self.objects / sha256, content)
        return sha256

    def _path(self, repo_id: str) -> Path:
        return self.repos / f"{repo_id}.json"


def pointer(sha256: str, size: int) -> bytes:
    """The text that git keeps in place of a file in LFS."""
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    )


def git_blob(content: bytes) -> str:
    """Git's id of a content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _repo(saved: dict[str, Any]) -> Repo:
    commits = [
        Commit(
            **{**commit, "files": {path: File(**file) for path, file in commit["files"].items()}}
        )
        for commit in saved["commits"]
    ]
    return Repo(**{**saved, "commits": commits})


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that a reader finds the old content or the new one, never a part."""
    new = path.with_name(f"{path.name}.{threading.get_ident()}.new")
    new.write_bytes(content)
    new.replace(path)
