"""Commits: from the client's lines of JSON to a new head of `main`."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from fnmatch import fnmatch
from typing import Any

from demo.hub_server.store import Commit, File, HubError, Repo, Store

# What a new model repository on the real Hub sends to LFS, as far as it may concern a model.
LFS_PATTERNS = (
    "*.7z",
    "*.bin",
    "*.gz",
    "*.h5",
    "*.joblib",
    "*.msgpack",
    "*.npy",
    "*.npz",
    "*.onnx",
    "*.parquet",
    "*.pb",
    "*.pickle",
    "*.pkl",
    "*.pt",
    "*.pth",
    "*.safetensors",
    "*.tar",
    "*.tflite",
    "*.zip",
    "*tfevents*",
)
LFS_BYTES = 10 << 20
ATTRIBUTES = ".gitattributes"


def goes_to_lfs(path: str, size: int) -> bool:
    """Whether the client shall upload a file to LFS: by its name, or because it is large."""
    return size > LFS_BYTES or any(fnmatch(path, pattern) for pattern in LFS_PATTERNS)


def start_history(repo: Repo, store: Store, user: str) -> None:
    """The first commit, which the Hub makes itself when a repository is created."""
    content = "".join(
        f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in LFS_PATTERNS
    ).encode()
    store.write(content)
    _append(repo, {ATTRIBUTES: File.regular(content)}, {"summary": "initial commit"}, user)


def commit(repo: Repo, store: Store, lines: bytes, user: str) -> Commit:
    """Apply a commit and return the head: a new one, or the old one where no file changes."""
    header, operations = _parse(lines)
    parent = header.get("parentCommit")
    if parent and not repo.head.id.startswith(parent):
        raise HubError(
            412,
            f"A commit has happened since {parent}: the head is {repo.head.id}. Refresh and try"
            " again.",
        )
    files = dict(repo.head.files)
    for key, value in operations:
        _apply(files, store, key, value)
    if files != repo.head.files:
        _append(repo, files, header, user)
    return repo.head


def _parse(lines: bytes) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    """The header and the operations, as (key, value)."""
    try:
        pairs = [(line["key"], line["value"]) for line in map(json.loads, lines.splitlines())]
    except (ValueError, KeyError, TypeError) as error:
        raise HubError(
            400, f"received a commit that is not lines of JSON with key and value: {error}"
        ) from error
    if not pairs or pairs[0][0] != "header" or not pairs[0][1].get("summary"):
        raise HubError(400, "a commit must begin with a header that has a summary")
    return pairs[0][1], pairs[1:]


def _apply(files: dict[str, File], store: Store, key: str, value: Mapping[str, Any]) -> None:
    path = _checked(value["path"].removesuffix("/") if key == "deletedFolder" else value["path"])
    if key == "file":
        content = base64.b64decode(value["content"])
        store.write(content)
        files[path] = File.regular(content)
    elif key == "lfsFile":
        if not store.has(value["oid"], value["size"]):
            raise HubError(
                400, f"the LFS pointer of {path} names {value['oid']}, which was never uploaded"
            )
        files[path] = File.large(value["oid"], value["size"])
    elif key in ("deletedFile", "deletedFolder"):
        _delete(files, path, folder=key == "deletedFolder")
    else:
        raise HubError(
            400,
            f"received the operation {key!r}, expected file, lfsFile, deletedFile or deletedFolder",
        )


def _checked(path: str) -> str:
    if (
        not path
        or path.startswith("/")
        or any(part in ("", ".", "..", ".git") for part in path.split("/"))
    ):
        raise HubError(400, f"received the path {path!r}, expected one below the repository's root")
    return path


def _delete(files: dict[str, File], path: str, *, folder: bool) -> None:
    doomed = _below(files, path) if folder else [name for name in files if name == path]
    if not doomed:
        raise HubError(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
    for name in doomed:
        del files[name]


def _below(files: Iterable[str], folder: str) -> list[str]:
    return [name for name in files if name.startswith(f"{folder}/")]


def _append(repo: Repo, files: dict[str, File], header: Mapping[str, Any], user: str) -> None:
    date = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    parent = repo.commits[-1].id if repo.commits else ""
    content = json.dumps(
        [repo.id, parent, date, header, {path: asdict(file) for path, file in files.items()}]
    )
    oid = hashlib.sha1(content.encode()).hexdigest()
    repo.commits.append(
        Commit(oid, header["summary"], header.get("description", ""), user, date, files)
    )
