"""Calls to the Hub that end: bounded in time and bytes, and failing with a sentence.

Its client has no time-outs on most calls, retries for 23 s when a server is down, and serves its
cache where access was refused. So each call here runs under a `Patience`, which hooks in the HTTP
client enforce.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from fer.errors import DownloadError, FERError, ModelError, RegistryError

if TYPE_CHECKING:
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError
    from tqdm import tqdm

FIELD_ERRORS = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What reading an answer of another form than expected may raise."""

SILENCE = 8.0
"""Seconds without a byte after which a call is given up."""
_DEFAULT_SECONDS = 60.0
_TRIES = 2
_TROUBLE = (408, 429)
_TOKEN = re.compile(r"[\w.~+/-]+=*", re.ASCII)  # what HTTP allows after "Bearer" (RFC 6750)


class Patience:
    """How long a call may stay silent and last, in seconds.

    And how many bytes one answer may bring.
    """

    def __init__(self, total: float = SILENCE, limit: int = 16 << 20) -> None:
        self.total, self.limit = total, limit
        self._started = self._heard = time.monotonic()
        self._tries = Counter[str]()

    def try_once_more(self, what: str) -> None:
        """Count an attempt.

        Raises ConnectionError for the third one in a row that nobody answered.
        """
        self._tries[what] += 1
        if self._tries[what] > _TRIES:
            raise ConnectionError(f"{_TRIES} attempts failed")

    def answered(self, what: str) -> None:
        """Bytes came in answer to an attempt."""
        self._tries[what] = 0
        self.hear()

    def hear(self) -> None:
        """Bytes came."""
        self._heard = time.monotonic()

    def waited(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def left(self) -> float:
        """Seconds until the call is given up."""
        return min(self._heard + SILENCE, self._started + self.total) - time.monotonic()

    def check(self) -> float:
        """Seconds left.

        Raises TimeoutError, which the client does not take as a reason to try again.
        """
        if (left := self.left()) <= 0:
            raise TimeoutError
        return left

    def accept(self, size: int) -> None:
        if size > self.limit:
            raise ModelError(f"received {size:,} bytes, expected at most {self.limit:,}")


_patience: ContextVar[Patience | None] = ContextVar("patience", default=None)


def connect(token: str | Literal[False] | None = None, endpoint: str | None = None) -> HfApi:
    """A client whose every call has a time-out; call its methods, never the module's functions.

    Raises RegistryError for a token that cannot be sent.
    """
    from huggingface_hub import HfApi, get_token

    used = get_token() if token is None else token
    if used and not is_token(used):
        raise RegistryError(
            "the token holds a character that no token has: a space, a quote, a line break, or one "
            "that is not ASCII and may be invisible; copy it anew into HF_TOKEN, or run "
            "`hf auth login`."
        )
    _install_hooks()
    return HfApi(endpoint=endpoint, token=token, library_name="fer-studio")


def is_token(text: str) -> bool:
    """Whether the text can be a token at all; one copied badly often holds a quote or a space."""
    return bool(_TOKEN.fullmatch(text))


def meter(patience: Patience) -> type[tqdm[Any]]:
    """A progress bar for one download which shows nothing.

    Decoded bytes and those of Xet are seen only by it.
    """
    from huggingface_hub.utils.tqdm import tqdm

    class Meter(tqdm):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **{**options, "disable": True})  # type: ignore[no-untyped-call]
            self._size = 0

        def update(self, n: float | None = 1) -> bool | None:
            self._size += int(n or 0)
            patience.hear()
            patience.accept(self._size)
            return None

    return Meter


@contextmanager
def asking(repo: str, endpoint: str, patience: Patience | None = None) -> Iterator[None]:
    """Bound the client's calls inside.

    And turn what goes wrong with them into a FERError that says what to do.
    """
    import httpx2

    token = _patience.set(patience)
    try:
        yield
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, RuntimeError, *FIELD_ERRORS) as error:
        raise explain(error, repo, endpoint) from error
    finally:
        _patience.reset(token)


def explain(error: Exception, repo: str, endpoint: str) -> FERError:
    """What went wrong and what to do.

    DownloadError where waiting may help, RegistryError where somebody must act.
    """
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    wrapped = isinstance(error, (LocalEntryNotFoundError, ValueError)) and not isinstance(
        error, HfHubHTTPError
    )
    if wrapped and isinstance(error.__cause__, (httpx2.HTTPError, OSError)):
        error = error.__cause__  # what went wrong when the client asked for the file's facts
    if isinstance(error, HfHubHTTPError):
        return _explain_status(error, repo, endpoint)
    kinds: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
        (
            LocalEntryNotFoundError,
            "it is not in this machine's cache, and the Hub is out of reach; go online once.",
        ),
        (
            OfflineModeIsEnabled,
            f"{endpoint} is not asked, because HF_HUB_OFFLINE is set; unset it to go online.",
        ),
        (
            (TimeoutError, httpx2.TimeoutException),
            f"{endpoint} did not answer within {SILENCE:.0f} s; try again.",
        ),
        (
            (ConnectionError, httpx2.TransportError),
            f"{endpoint} cannot be reached ({_words(error)}); check the connection.",
        ),
        (
            (OSError, RuntimeError),
            f"{repo} could not be fetched ({_words(error)}); check the disk, or try again.",
        ),
        (
            Exception,
            (
                f"{endpoint} does not answer as a Hub does ({_words(error)}); check HF_ENDPOINT and"
                " the network."
            ),
        ),
    )
    return DownloadError(next(sentence for kind, sentence in kinds if isinstance(error, kind)))


def _explain_status(error: HfHubHTTPError, repo: str, endpoint: str) -> FERError:
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, RevisionNotFoundError

    status, known = error.response.status_code, "authorization" in error.response.request.headers
    if isinstance(error, EntryNotFoundError):
        return ModelError(f"it is missing in {repo}; choose another version.")
    if isinstance(error, RevisionNotFoundError):
        return ModelError(
            f"its commit is gone from {repo}: the version was deleted; choose another version."
        )
    if status >= 500 or status in _TROUBLE:
        return _trouble(endpoint, status)
    if isinstance(error, GatedRepoError):
        refused = (
            f"{repo} is gated, and"
            f" {'this token may not' if known else 'without a token nobody may'} read its files;"
            f" ask for access on {endpoint}/{repo}, then set HF_TOKEN to a token of that account."
        )
    elif status == 401 and known:
        refused = (
            f"{endpoint} refuses the token (401): it is wrong, expired or revoked; set HF_TOKEN to"
            " a valid one, or run `hf auth login`."
        )
    elif status in (401, 404):
        refused = (
            f"there is no repo {repo} on {endpoint}, or it is private and"
            f" {'this token may not see it' if known else 'no token was sent'}; check the name, or"
            " set HF_TOKEN to a token that may read it."
        )
    else:
        refused = (
            f"{endpoint} forbids this with {repo} ({status}); use a token that may. It said:"
            f" {_words(error)}."
        )
    return RegistryError(refused)


def _words(error: Exception) -> str:
    """The error in one printable line of bounded length; a server may have written it."""
    words = "".join(
        character for character in " ".join(str(error).split()) if character.isprintable()
    )
    return f"{type(error).__name__}: {words[:200]}".rstrip(": .")


@cache
def _install_hooks() -> None:
    """Once a process, and only once the Hub is needed.

    The client's HTTP session is shared by the whole program.
    """
    import httpx2
    from huggingface_hub import get_session, set_client_factory

    class Counted(httpx2.SyncByteStream):
        """A body under somebody's patience."""

        def __init__(self, stream: httpx2.SyncByteStream, patience: Patience) -> None:
            self.stream, self.patience = stream, patience

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for chunk in self.stream:
                self.patience.hear()
                self.patience.check()
                self.patience.accept(size := size + len(chunk))
                yield chunk

        def close(self) -> None:
            self.stream.close()

    def limit_answer(response: httpx2.Response) -> None:
        if patience := _patience.get():
            _limit_answer(response, patience)
            if response.is_success and isinstance(response.stream, httpx2.SyncByteStream):
                response.stream = Counted(response.stream, patience)

    # the client's own, among them the one that keeps offline mode
    hooks = get_session().event_hooks
    hooks = {
        "request": [*hooks["request"], _limit_time],
        "response": [*hooks["response"], limit_answer],
    }
    set_client_factory(
        lambda: httpx2.Client(event_hooks=hooks, follow_redirects=True, timeout=_DEFAULT_SECONDS)
    )


def _limit_time(request: httpx2.Request) -> None:
    """Give the request a time-out; the client asks for none in many places, by passing None."""
    seconds = _DEFAULT_SECONDS
    if patience := _patience.get():
        seconds = patience.check()
        patience.try_once_more(f"{request.method} {request.url}")
    given: dict[str, float | None] = request.extensions.get("timeout", {})
    kinds = ("connect", "read", "write", "pool")
    request.extensions["timeout"] = {
        kind: min(seconds, given.get(kind) or seconds) for kind in kinds
    }


def _limit_answer(response: httpx2.Response, patience: Patience) -> None:
    """Refuse what is too large before it is sent.

    And what the client would only ask for again and again.
    """
    if response.status_code >= 500 or response.status_code in _TROUBLE:
        raise _trouble(str(response.request.url.join("/")).rstrip("/"), response.status_code)
    patience.answered(f"{response.request.method} {response.request.url}")
    if response.is_success or response.is_redirect:
        patience.accept(int(response.headers.get("X-Linked-Size", 0)))
    if response.is_success:
        patience.accept(int(response.headers.get("Content-Length", 0)))


def _trouble(place: str, status: int) -> DownloadError:
    return DownloadError(f"{place} is in trouble (it answered {status}); try again later.")
