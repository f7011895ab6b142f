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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.hf_api import RepoFile

from fer.errors import DownloadError, RegistryError
from fer.registry.aliases import ALIASES, VERSION
from fer.registry.hub_client import Patience, asking, connect
from fer.registry.hub_repo import HubRepo
from fer.versions.folder import CONFIG, MAX_BYTES
from training.command import command_line, finish
from training.gate import read_complete

MAIN = "main"
KEPT = (ALIASES, ".gitattributes")  # files of a repo that belong to no version
ATTEMPTS = 8
FORBIDDEN, CONFLICT, MOVED = 403, 409, 412

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
    api, _ = open_repo(config.repo, token, endpoint)
    files = read_complete(config.folder)
    user = require_writer(api, config.repo)
    exists, state = _state(api, config, files)
    print("\n".join(f"{name:18} {len(content):>12,} bytes" for name, content in files.items()))
    print(
        f"{config.folder} to {api.endpoint}/{config.repo} as {config.version}, by {user}: {state}"
    )
    if config.dry_run:
        return None
    if not exists:
        with writing(api, config.repo):
            api.create_repo(config.repo, private=config.private or None, exist_ok=True)
    commit = publish(api, config.repo, config.version, files)
    print(f"{api.endpoint}/{config.repo}/tree/{config.version} is commit {commit}")
    return commit


def publish(api: HfApi, repo: str, version: str, files: Files) -> str:
    """Commit and tag the files, as far as that is not done; returns the commit of the version.

    Whenever someone else changes the repo meanwhile, everything is looked at anew.
    """
    for _ in range(ATTEMPTS):
        if commit := published(api, repo, version, files):
            return commit
        commit = _commit(api, repo, version, files)
        if commit and _tag(api, repo, version, commit):
            return commit
    raise DownloadError(
        f"{repo} was changed by others {ATTEMPTS} times meanwhile; run the command again."
    )


def published(api: HfApi, repo: str, version: str, files: Files) -> str | None:
    """The commit of the version if it holds the same files, None if there is no such version.

    Raises RegistryError if it holds others: a version never moves.
    """
    with asking(repo, api.endpoint, Patience()):
        try:
            commit = head(api, repo, version)
        except RevisionNotFoundError:
            return None
        stored = tree(api, repo, commit)
    if different := _different(stored, files):
        there = stored[CONFIG].blob_id if CONFIG in stored else "missing"
        raise RegistryError(
            f"{repo} has another {version}, commit {commit}: its {CONFIG} is {there}, the one here"
            f" {_blob_id(files[CONFIG])}; {', '.join(different)} differ. A version never moves:"
            " choose a new number."
        )
    return commit


def open_repo(repo: str, token: str | None, endpoint: str | None) -> tuple[HfApi, HubRepo]:
    """The client that writes, and the repo to read from.

    Raises RegistryError for what cannot be a repo's name.
    """
    return connect(token, endpoint), HubRepo(repo, token=token, endpoint=endpoint)


def require_writer(api: HfApi, repo: str) -> str:
    """The name of the token's account.

    Raises RegistryError where no token is, or one that may not write there.
    """
    if not (api.token or get_token()):
        raise RegistryError(
            f"no token for {api.endpoint}; run `hf auth login`, or set HF_TOKEN to one that may"
            " write."
        )
    with asking(repo, api.endpoint, Patience()):
        account = api.whoami()
        name, token = str(account["name"]), account.get("auth", {}).get("accessToken", {})
        scopes = token.get("fineGrained", {}).get("scoped", [])
        writes = any("repo.write" in scope["permissions"] for scope in scopes)
        organisations = [
            org["name"] for org in account.get("orgs", []) if org.get("roleInOrg") != "read"
        ]
    if token.get("role") == "read" or (token.get("role") == "fineGrained" and not writes):
        raise RegistryError(
            f"the token of {name} may only read; set HF_TOKEN to one that may write to {repo}."
        )
    owner = repo.partition("/")[0]
    if owner not in (name, *organisations):
        raise RegistryError(
            f"the token may not write to {repo}: it is of {name}, who is not {owner} and may not"
            " write for an organisation of that name; set HF_TOKEN to one that may, or choose"
            " another --repo."
        )
    return name


@contextmanager
def writing(api: HfApi, repo: str) -> Iterator[None]:
    """As `asking`, for calls that change the repo.

    An upload may take long, and one cut short may be done again.
    """
    try:
        with asking(repo, api.endpoint):
            try:
                yield
            except RuntimeError as error:  # the client's wrapper around a failed upload
                raise error.__cause__ or error from None
    except DownloadError as error:
        raise DownloadError(
            f"{error} Then run the command again: it completes what is missing."
        ) from error
    except RegistryError as error:
        if (
            isinstance(error.__cause__, HfHubHTTPError)
            and error.__cause__.response.status_code == FORBIDDEN
        ):
            raise RegistryError(
                f"the token may not write to {repo}; set HF_TOKEN to one that may."
            ) from error
        raise


def head(api: HfApi, repo: str, revision: str = MAIN) -> str:
    """The commit that a branch or a tag names."""
    commit = api.model_info(repo, revision=revision).sha
    if not commit:
        raise ValueError(f"{revision} has no commit")
    return commit


def _state(api: HfApi, config: PushConfig, files: Files) -> tuple[bool, str]:
    """Whether there is a repo, and what the push will make, in words.

    Raises RegistryError where it must not go on.
    """
    with asking(config.repo, api.endpoint, Patience()):
        try:
            private = api.model_info(config.repo).private
            stored = tree(api, config.repo, MAIN)
        except RepositoryNotFoundError:
            return False, f"a new {'private' if config.private else 'public'} repo"
    if config.private and not private:
        raise RegistryError(
            f"{config.repo} is public already, and --private is for a new repo; change its"
            " settings."
        )
    _refuse_strangers(config.repo, stored)
    if published(api, config.repo, config.version, files):
        return True, "there already, with the same content"
    return True, f"a new version in a {'private' if private else 'public'} repo"


def _commit(api: HfApi, repo: str, version: str, files: Files) -> str | None:
    """The head, if it holds these files alone, or else a new commit that does.

    None if the head moved meanwhile.
    """
    with asking(repo, api.endpoint, Patience()):
        parent = head(api, repo)
        stored = tree(api, repo, parent)
    if not _different(stored, files):
        return parent
    _refuse_strangers(repo, stored)
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationAdd(name, content) for name, content in files.items()
    ]
    operations += [CommitOperationDelete(name) for name in stored if name not in (*files, *KEPT)]
    with writing(api, repo):
        try:
            commit = api.create_commit(
                repo, operations, commit_message=f"Version {version}", parent_commit=parent
            ).oid
        except HfHubHTTPError as error:
            if error.response.status_code == MOVED:
                return None
            raise
        stored = tree(api, repo, commit)
    if different := _different(stored, files):
        raise RegistryError(
            f"{repo}: commit {commit} lacks or spoils {', '.join(different)}; it was not tagged."
        )
    return commit


def _tag(api: HfApi, repo: str, version: str, commit: str) -> bool:
    """Whether the tag could be set: False if someone else was faster."""
    with writing(api, repo):
        try:
            api.create_tag(repo, tag=version, revision=commit)
        except HfHubHTTPError as error:
            if error.response.status_code == CONFLICT:
                return False
            raise
    return True


def tree(api: HfApi, repo: str, revision: str) -> dict[str, RepoFile]:
    entries = api.list_repo_tree(repo, revision=revision, recursive=True)
    return {entry.path: entry for entry in entries if isinstance(entry, RepoFile)}


def _refuse_strangers(repo: str, stored: Mapping[str, RepoFile]) -> None:
    """A push deletes what earlier versions left behind.

    So it must not go to a repo of something else.
    """
    if strangers := sorted(set(stored) - set(MAX_BYTES) - set(KEPT)):
        raise RegistryError(
            f"{repo} holds files that are no part of a version: {', '.join(strangers[:5])}; choose"
            " another repo, or delete them there."
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


if __name__ == "__main__":
    options = command_line("training.push", __doc__)
    options.add_argument("folder", type=Path, help="version folder, e.g. models/seed-cnn")
    options.add_argument(
        "--repo", required=True, help="USER/REPO on the Hub; created if it is not there"
    )
    options.add_argument("--version", required=True, help="the version's name there, e.g. v1.2.0")
    options.add_argument("--private", action="store_true", help="make a new repo private")
    options.add_argument("--dry-run", action="store_true", help="check everything, send nothing")
    finish(partial(main, PushConfig(**vars(options.parse_args()))))
