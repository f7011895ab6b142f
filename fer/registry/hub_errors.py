"""What went wrong with the Hub, as an error that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RevisionNotFoundError,
)

from fer.errors import DownloadError, FERError, ModelError, RegistryError

_NO_HUB = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What the client raises for an answer that is none of a Hub."""
_FAILURES = (httpx2.HTTPError, httpx2.InvalidURL, OSError, RuntimeError, *_NO_HUB)
_OVERLOADED = (408, 429)


@contextmanager
def explaining(repo: str, endpoint: str, seconds: float) -> Iterator[None]:
    """Say what to do where the client's calls inside fail, which may wait for `seconds`.

    Raises DownloadError where waiting may help, RegistryError where somebody must act, ModelError
    where another version may be sound.
    """
    try:
        yield
    except _FAILURES as error:
        raise _explain(error, repo, endpoint, seconds) from error


def is_overloaded(status: int) -> bool:
    """Whether a server with this answer is only to be left alone for a while."""
    return status >= 500 or status in _OVERLOADED


def overloaded(place: str, status: int) -> DownloadError:
    return DownloadError(f"{place} is in trouble (it answered {status}); try again later.")


def _explain(error: Exception, repo: str, endpoint: str, seconds: float) -> FERError:
    error = _first(error)
    if isinstance(error, HfHubHTTPError):
        return _explain_status(error, repo, endpoint)
    return DownloadError(_explain_failure(error, repo, endpoint, seconds))


def _first(error: Exception) -> Exception:
    """What went wrong when the client asked for a file's facts, where it wrapped that."""
    if isinstance(error, HfHubHTTPError):
        return error
    wraps = isinstance(error, (LocalEntryNotFoundError, ValueError))
    cause = error.__cause__
    return cause if wraps and isinstance(cause, (httpx2.HTTPError, OSError)) else error


def _explain_failure(error: Exception, repo: str, endpoint: str, seconds: float) -> str:
    match error:
        case LocalEntryNotFoundError():
            return "it is not in this machine's cache, and the Hub is out of reach; go online once."
        case OfflineModeIsEnabled():
            return f"{endpoint} is not asked, because HF_HUB_OFFLINE is set; unset it to go online."
        case TimeoutError() | httpx2.TimeoutException():
            return f"{endpoint} did not answer within {seconds:.0f} s; try again."
        case ConnectionError() | httpx2.TransportError():
            return f"{endpoint} cannot be reached ({_words(error)}); check the connection."
        case OSError() | RuntimeError():
            return f"{repo} could not be fetched ({_words(error)}); check the disk, or try again."
    return (
        f"{endpoint} does not answer as a Hub does ({_words(error)}); check HF_ENDPOINT and the"
        " network."
    )


def _explain_status(error: HfHubHTTPError, repo: str, endpoint: str) -> FERError:
    if isinstance(error, EntryNotFoundError):
        return ModelError(f"it is missing in {repo}; choose another version.")
    if isinstance(error, RevisionNotFoundError):
        return ModelError(
            f"its commit is gone from {repo}: the version was deleted; choose another version."
        )
    status = error.response.status_code
    if is_overloaded(status):
        return overloaded(endpoint, status)
    return RegistryError(_explain_refusal(error, status, repo, endpoint))


def _explain_refusal(error: HfHubHTTPError, status: int, repo: str, endpoint: str) -> str:
    token_sent = "authorization" in error.response.request.headers
    if isinstance(error, GatedRepoError):
        who = "this token may not" if token_sent else "without a token nobody may"
        return (
            f"{repo} is gated, and {who} read its files; ask for access on {endpoint}/{repo}, then"
            " set HF_TOKEN to a token of that account."
        )
    if status == 401 and token_sent:
        return (
            f"{endpoint} refuses the token (401): it is wrong, expired or revoked; set HF_TOKEN to"
            " a valid one, or run `hf auth login`."
        )
    if status in (401, 404):
        why = "this token may not see it" if token_sent else "no token was sent"
        return (
            f"there is no repo {repo} on {endpoint}, or it is private and {why}; check the name, or"
            " set HF_TOKEN to a token that may read it."
        )
    return (
        f"{endpoint} forbids this with {repo} ({status}); use a token that may. It said:"
        f" {_words(error)}."
    )


def _words(error: Exception) -> str:
    """The error in one printable line of bounded length; a server may have written it."""
    line = " ".join(str(error).split())
    printable = "".join(character for character in line if character.isprintable())
    return f"{type(error).__name__}: {printable[:200]}".rstrip(": .")
