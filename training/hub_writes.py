"""Change a repo on the Hub: who may, what it holds, and errors that say how to go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from huggingface_hub import get_token
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.hf_api import RepoFile

from fer.errors import DownloadError, RegistryError
from fer.registry.hub_client import REQUEST_SECONDS
from fer.registry.hub_errors import explaining
from fer.registry.hub_repo import HubRepo

MAIN = "main"
ATTEMPTS = 8
FORBIDDEN = 403
CONFLICT = 409
MOVED = 412


def head(repo: HubRepo, revision: str = MAIN) -> str:
    """The commit that a branch or a tag names."""
    commit = repo.api.model_info(repo.name, revision=revision).sha
    if not commit:
        raise ValueError(f"{revision} has no commit")
    return commit


def tree(repo: HubRepo, revision: str) -> dict[str, RepoFile]:
    """The files of a commit by their paths."""
    entries = repo.api.list_repo_tree(repo.name, revision=revision, recursive=True)
    return {entry.path: entry for entry in entries if isinstance(entry, RepoFile)}


@contextmanager
def writing(repo: HubRepo) -> Iterator[None]:
    """As `HubRepo.asking`, for calls that change the repo.

    An upload may take long, and one cut short may be done again.
    """
    try:
        with explaining(repo.name, repo.api.endpoint, REQUEST_SECONDS):
            try:
                yield
            except RuntimeError as error:  # the client's wrapper around a failed upload
                raise error.__cause__ or error from None
    except DownloadError as error:
        raise DownloadError(
            f"{error} Then run the command again: it completes what is missing."
        ) from error
    except RegistryError as error:
        if has_status(error.__cause__, FORBIDDEN):
            raise RegistryError(
                f"the token may not write to {repo.name}; set HF_TOKEN to one that may."
            ) from error
        raise


def has_status(error: BaseException | None, status: int) -> bool:
    """Whether the Hub answered so."""
    return isinstance(error, HfHubHTTPError) and error.response.status_code == status


def busy(repo: HubRepo) -> DownloadError:
    """The error for a repo that others changed at each attempt."""
    return DownloadError(
        f"{repo.name} was changed by others {ATTEMPTS} times meanwhile; run the command again."
    )


def require_writer(repo: HubRepo) -> str:
    """The name of the token's account.

    Raises RegistryError where no token is, or one that may not write there.
    """
    if not (repo.api.token or get_token()):
        raise RegistryError(
            f"no token for {repo.api.endpoint}; run `hf auth login`, or set HF_TOKEN to one that"
            " may write."
        )
    with repo.asking():
        account = repo.api.whoami()
        name = str(account["name"])
        may_write = _may_write(account.get("auth", {}).get("accessToken", {}))
        writable = [name, *_organisations(account)]
    if not may_write:
        raise RegistryError(
            f"the token of {name} may only read; set HF_TOKEN to one that may write to {repo.name}."
        )
    owner = repo.name.partition("/")[0]
    if owner not in writable:
        raise RegistryError(
            f"the token may not write to {repo.name}: it is of {name}, who is not {owner} and may"
            " not write for an organisation of that name; set HF_TOKEN to one that may, or choose"
            " another --repo."
        )
    return name


def _may_write(token: Mapping[str, Any]) -> bool:
    """Whether a token may write at all: a fine-grained one says so for each of its scopes."""
    if token.get("role") == "fineGrained":
        scopes = token.get("fineGrained", {}).get("scoped", [])
        return any("repo.write" in scope["permissions"] for scope in scopes)
    return token.get("role") != "read"


def _organisations(account: Mapping[str, Any]) -> list[str]:
    """The names of those for which an account may write."""
    return [org["name"] for org in account.get("orgs", []) if org.get("roleInOrg") != "read"]
