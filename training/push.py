"""Publish a version folder on the Hub: one commit, and a tag on that commit which never moves.

    python -m training.push models/seed-cnn --repo USER/REPO --version v1.0.0

    only to see what would be sent, and whether the token may send it:
    python -m training.push models/seed-cnn --repo USER/REPO --version v1.0.0 --dry-run

Takes a few seconds and the time to send 11 MB; prints the address of the version. The token comes
from HF_TOKEN or from `hf auth login`. Stopped at any point, the same command completes the push, or
finds it complete.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from huggingface_hub import CommitOperationAdd, CommitOperationDelete
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.hf_api import RepoFile

from fer.cli.application import run_script
from fer.errors import RegistryError
from fer.registry.aliases import ALIASES, VERSION
from fer.registry.hub_repo import HubRepo
from fer.versions.folder import CONFIG, MAX_BYTES
from training.completeness import read_complete
from training.hub_writes import (
    ATTEMPTS,
    CONFLICT,
    MAIN,
    MOVED,
    busy,
    has_status,
    head,
    require_writer,
    tree,
    writing,
)

KEPT = (ALIASES, ".gitattributes")  # files of a repo that belong to no version

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class PushConfig:
    """What goes where; `private` is for a repo that is not there yet."""

    folder: Path
    repo: str
    version: str
    private: bool = False
    dry_run: bool = False


def main(
    config: PushConfig, *, token: str | None = None, endpoint: str | None = None
) -> str | None:
    """Publish the folder and return the commit that the tag names; None for a dry run."""
    if not VERSION.fullmatch(config.version):
        raise RegistryError(f"a version is called vX.Y.Z, received {config.version!r}.")
    repo = HubRepo(config.repo, token=token, endpoint=endpoint)
    files = read_complete(config.folder)
    user = require_writer(repo)
    exists, state = _state(repo, config, files)
    address = f"{repo.api.endpoint}/{repo.name}"
    print("\n".join(f"{name:18} {len(content):>12,} bytes" for name, content in files.items()))
    print(f"{config.folder} to {address} as {config.version}, by {user}: {state}")
    if config.dry_run:
        return None
    if not exists:
        with writing(repo):
            repo.api.create_repo(repo.name, private=config.private or None, exist_ok=True)
    commit = publish(repo, config.version, files)
    print(f"{address}/tree/{config.version} is commit {commit}")
    return commit


def publish(repo: HubRepo, version: str, files: Files) -> str:
    """Commit and tag the files, as far as that is not done; returns the commit of the version.

    Whenever someone else changes the repo meanwhile, everything is looked at anew.
    """
    for _ in range(ATTEMPTS):
        if commit := published(repo, version, files):
            return commit
        commit = _commit(repo, version, files)
        if commit and _tag(repo, version, commit):
            return commit
    raise busy(repo)


def published(repo: HubRepo, version: str, files: Files) -> str | None:
    """The commit of the version if it holds the same files, None if there is no such version.

    Raises RegistryError if it holds others: a version never moves.
    """
    with repo.asking():
        try:
            commit = head(repo, version)
        except RevisionNotFoundError:
            return None
        stored = tree(repo, commit)
    if different := _different(stored, files):
        there = stored[CONFIG].blob_id if CONFIG in stored else "missing"
        raise RegistryError(
            f"{repo.name} has another {version}, commit {commit}: its {CONFIG} is {there}, the one"
            f" here {_blob_id(files[CONFIG])}; {', '.join(different)} differ. A version never"
            " moves: choose a new number."
        )
    return commit


def _state(repo: HubRepo, config: PushConfig, files: Files) -> tuple[bool, str]:
    """Whether there is a repo, and what the push will make, in words.

    Raises RegistryError where it must not go on.
    """
    with repo.asking():
        try:
            private = repo.api.model_info(repo.name).private
            stored = tree(repo, MAIN)
        except RepositoryNotFoundError:
            return False, f"a new {_visibility(config.private)} repo"
    if config.private and not private:
        raise RegistryError(
            f"{repo.name} is public already, and --private is for a new repo; change its settings."
        )
    _refuse_foreign(repo, stored)
    if published(repo, config.version, files):
        return True, "there already, with the same content"
    return True, f"a new version in a {_visibility(bool(private))} repo"


def _commit(repo: HubRepo, version: str, files: Files) -> str | None:
    """The head, if it holds these files alone, or else a new commit that does.

    None if the head moved meanwhile.
    """
    with repo.asking():
        parent = head(repo)
        stored = tree(repo, parent)
    if not _different(stored, files):
        return parent
    _refuse_foreign(repo, stored)
    with writing(repo):
        try:
            commit = repo.api.create_commit(
                repo.name,
                _operations(stored, files),
                commit_message=f"Version {version}",
                parent_commit=parent,
            ).oid
        except HfHubHTTPError as error:
            if has_status(error, MOVED):
                return None
            raise
        stored = tree(repo, commit)
    if different := _different(stored, files):
        raise RegistryError(
            f"{repo.name}: commit {commit} lacks or spoils {', '.join(different)}; it was not"
            " tagged."
        )
    return commit


def _operations(
    stored: Mapping[str, RepoFile], files: Files
) -> list[CommitOperationAdd | CommitOperationDelete]:
    """What makes a commit hold these files and no others."""
    added = [CommitOperationAdd(name, content) for name, content in files.items()]
    deleted = [CommitOperationDelete(name) for name in stored if name not in (*files, *KEPT)]
    return [*added, *deleted]


def _tag(repo: HubRepo, version: str, commit: str) -> bool:
    """Whether the tag could be set: False if someone else was faster."""
    with writing(repo):
        try:
            repo.api.create_tag(repo.name, tag=version, revision=commit)
        except HfHubHTTPError as error:
            if has_status(error, CONFLICT):
                return False
            raise
    return True


def _refuse_foreign(repo: HubRepo, stored: Mapping[str, RepoFile]) -> None:
    """Refuse a repo of something else: a push deletes what earlier versions left behind."""
    foreign = sorted(set(stored) - set(MAX_BYTES) - set(KEPT))
    if foreign:
        raise RegistryError(
            f"{repo.name} holds files that are no part of a version: {', '.join(foreign[:5])};"
            " choose another repo, or delete them there."
        )


def _different(stored: Mapping[str, RepoFile], files: Files) -> list[str]:
    """The names of the files that are not the same in a commit and here."""
    both = {name for name in files if name in stored and _same(stored[name], files[name])}
    return sorted((set(stored) | set(files)) - both - set(KEPT))


def _same(stored: RepoFile, content: bytes) -> bool:
    if stored.lfs:
        return bool(stored.lfs.sha256 == hashlib.sha256(content).hexdigest())
    return stored.blob_id == _blob_id(content)


def _blob_id(content: bytes) -> str:
    """Git's name for a content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _visibility(private: bool) -> str:
    return "private" if private else "public"


def command(
    folder: Annotated[Path, typer.Argument(help="version folder, e.g. models/seed-cnn")],
    *,
    repo: Annotated[str, typer.Option(help="USER/REPO on the Hub; created if it is not there")],
    version: Annotated[str, typer.Option(help="the version's name there, e.g. v1.2.0")],
    private: Annotated[bool, typer.Option("--private", help="make a new repo private")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="check everything, send nothing")
    ] = False,
) -> None:
    """Publish a version folder."""
    main(PushConfig(folder, repo, version, private, dry_run))


if __name__ == "__main__":
    run_script(command, __doc__)
