"""Calls to the Hub that end: bounded in time and bytes, and failing with a sentence.

The Hub's client has no time-outs on most calls, repeats for 23 s when a server is down, and serves
its cache where access was refused. So every call is made within `asking`, whose bounds the hooks of
the HTTP client enforce.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Literal, NamedTuple

import httpx2
from huggingface_hub import HfApi, get_session, get_token, set_client_factory
from huggingface_hub.utils.tqdm import tqdm

from fer.errors import ModelError, RegistryError
from fer.registry.deadline import Deadline
from fer.registry.hub_errors import explaining, is_overloaded, overloaded
from fer.registry.tokens import is_token

REQUEST_SECONDS = 60.0
"""The time-out of a request that no deadline bounds, an upload's for example."""


class _Bounds(NamedTuple):
    """What the calls within one `asking` may take."""

    deadline: Deadline
    max_bytes: int

    def accept(self, size: int) -> None:
        if size > self.max_bytes:
            raise ModelError(f"received {size:,} bytes, expected at most {self.max_bytes:,}")


_bounds: ContextVar[_Bounds | None] = ContextVar("bounds", default=None)


def connect(token: str | Literal[False] | None = None, endpoint: str | None = None) -> HfApi:
    """A client whose every call has a time-out; call its methods, never the module's functions.

    Raises RegistryError for a token that cannot be sent.
    """
    used = get_token() if token is None else token
    if used and not is_token(used):
        raise RegistryError(
            "the token holds a character that no token has: a space, a quote, a line break, or one "
            "that is not ASCII and may be invisible; copy it anew into HF_TOKEN, or run "
            "`hf auth login`."
        )
    _install_hooks()
    return HfApi(endpoint=endpoint, token=token, library_name="fer-studio")


@contextmanager
def asking(repo: str, endpoint: str, deadline: Deadline, *, max_bytes: int) -> Iterator[type[tqdm]]:
    """Bound the client's calls inside, of which no answer may be larger than `max_bytes`.

    A download inside needs the `tqdm_class` that comes with it. Raises the FERError that says what
    to do about whatever goes wrong.
    """
    bounds = _Bounds(deadline, max_bytes)
    token = _bounds.set(bounds)
    try:
        with explaining(repo, endpoint, deadline.silence):
            yield _counter(bounds)
    finally:
        _bounds.reset(token)


def _counter(bounds: _Bounds) -> type[tqdm]:
    """A progress bar that shows nothing: it alone sees unpacked bytes, and those of Xet."""

    class Counter(tqdm):
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **{**options, "disable": True})  # type: ignore[no-untyped-call]
            self._size = 0

        def update(self, n: float | None = 1) -> bool | None:
            self._size += int(n or 0)
            bounds.deadline.hear()
            bounds.accept(self._size)
            return None

    return Counter


class _CountedBody(httpx2.SyncByteStream):
    """The body of an answer, bounded while it comes."""

    def __init__(self, stream: httpx2.SyncByteStream, bounds: _Bounds) -> None:
        self.stream = stream
        self.bounds = bounds

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self.stream:
            size += len(chunk)
            self.bounds.deadline.hear()
            self.bounds.deadline.check()
            self.bounds.accept(size)
            yield chunk

    def close(self) -> None:
        self.stream.close()


@cache
def _install_hooks() -> None:
    """Once a process: the client's HTTP session is shared by the whole program."""
    hooks = get_session().event_hooks  # the client's own, among them what keeps offline mode
    hooks = {
        "request": [*hooks["request"], _bound_request],
        "response": [*hooks["response"], _bound_answer],
    }
    set_client_factory(
        lambda: httpx2.Client(event_hooks=hooks, follow_redirects=True, timeout=REQUEST_SECONDS)
    )


def _bound_request(request: httpx2.Request) -> None:
    """Give the request a time-out; the client asks for none in many places, by passing None."""
    seconds = REQUEST_SECONDS
    if bounds := _bounds.get():
        seconds = bounds.deadline.check()
        bounds.deadline.attempt(_name(request))
    given: dict[str, float | None] = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {
        kind: min(seconds, given.get(kind) or seconds)
        for kind in ("connect", "read", "write", "pool")
    }


def _bound_answer(response: httpx2.Response) -> None:
    """Refuse what is too large before it is sent, and what the client would ask for again."""
    bounds = _bounds.get()
    if bounds is None:
        return
    if is_overloaded(response.status_code):
        place = str(response.request.url.join("/")).rstrip("/")
        raise overloaded(place, response.status_code)
    bounds.deadline.answered(_name(response.request))
    if response.is_success or response.is_redirect:
        bounds.accept(int(response.headers.get("X-Linked-Size", 0)))
    if response.is_success:
        bounds.accept(int(response.headers.get("Content-Length", 0)))
        if isinstance(response.stream, httpx2.SyncByteStream):
            response.stream = _CountedBody(response.stream, bounds)


def _name(request: httpx2.Request) -> str:
    return f"{request.method} {request.url}"
