"""What the Hub tells of a repository, in the shapes that the client reads."""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import Any

import yaml

from demo.hub_server.store import MAIN, Commit, File, HubError, Repo, Store, pointer

CARD = "README.md"


def front_matter(card: str) -> dict[str, Any] | None:
    """The fields at the head of a model card, None without any.

    Raises yaml.YAMLError, or ValueError for a list.
    """
    parts = card.split("---\n", 2)
    if len(parts) < 3 or parts[0].strip():
        return None
    fields = yaml.safe_load(parts[1])
    if fields is not None and not isinstance(fields, dict):
        raise ValueError(f"received a {type(fields).__name__}, expected fields")
    return fields


def info(repo: Repo, commit: Commit, store: Store, *, blobs: bool) -> dict[str, Any]:
    card = _card(commit, store)
    return {
        "id": repo.id,
        "modelId": repo.id,
        "author": repo.owner,
        "sha": commit.id,
        "createdAt": repo.commits[0].date,
        "lastModified": commit.date,
        "private": repo.private,
        "gated": repo.gated,
        "disabled": False,
        "tags": card.get("tags", []),
        **{name: card[name] for name in ("library_name", "pipeline_tag") if name in card},
        "cardData": card,
        "siblings": [_sibling(path, file, blobs) for path, file in sorted(commit.files.items())],
    }


def refs(repo: Repo) -> dict[str, Any]:
    tags = [
        {"name": name, "ref": f"refs/tags/{name}", "targetCommit": sha}
        for name, sha in repo.tags.items()
    ]
    branch = {"name": MAIN, "ref": f"refs/heads/{MAIN}", "targetCommit": repo.head.id}
    return {"branches": [branch], "converts": [], "tags": tags, "pullRequests": []}


def history(repo: Repo, commit: Commit) -> list[dict[str, Any]]:
    """The commit and those before it, newest first."""
    until = repo.commits.index(commit) + 1
    return [
        {
            "id": c.id,
            "title": c.title,
            "message": c.message,
            "date": c.date,
            "authors": [{"user": c.user}],
        }
        for c in reversed(repo.commits[:until])
    ]


def tree(commit: Commit, folder: str, *, recursive: bool) -> list[dict[str, Any]]:
    """Files and folders below a folder; HubError 404 where there is no such folder."""
    root = PurePosixPath(folder)
    below = {
        PurePosixPath(path): file
        for path, file in commit.files.items()
        if root in PurePosixPath(path).parents
    }
    if folder and not below:
        raise HubError(404, f"{folder} does not exist on {commit.id}", "EntryNotFound")
    folders = {parent for path in below for parent in path.parents if root in parent.parents}
    entries = [_folder(path) for path in sorted(folders)] + [
        _file(path, file) for path, file in sorted(below.items())
    ]
    return [entry for entry in entries if recursive or PurePosixPath(entry["path"]).parent == root]


def _card(commit: Commit, store: Store) -> dict[str, Any]:
    """The card's fields, {} where it has none or they cannot be read."""
    if CARD not in commit.files:
        return {}
    try:
        return front_matter(store.read(commit.files[CARD].sha256).decode()) or {}
    except (yaml.YAMLError, ValueError):
        return {}


def _sibling(path: str, file: File, blobs: bool) -> dict[str, Any]:
    if not blobs:
        return {"rfilename": path}
    lfs = {"lfs": _lfs(file) | {"sha256": file.sha256}} if file.lfs else {}
    return {"rfilename": path, "size": file.size, "blobId": file.blob, **lfs}


def _file(path: PurePosixPath, file: File) -> dict[str, Any]:
    lfs = {"lfs": _lfs(file) | {"oid": file.sha256}} if file.lfs else {}
    return {"type": "file", "path": str(path), "size": file.size, "oid": file.blob, **lfs}


def _folder(path: PurePosixPath) -> dict[str, Any]:
    return {
        "type": "directory",
        "path": str(path),
        "size": 0,
        "oid": hashlib.sha1(str(path).encode()).hexdigest(),
    }


def _lfs(file: File) -> dict[str, Any]:
    return {"size": file.size, "pointerSize": len(pointer(file.sha256, file.size))}
