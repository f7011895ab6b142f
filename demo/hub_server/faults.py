"""Faults on demand: what may go wrong, and rules that tell to which requests."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Answer:
    """Answer this instead of handling the request."""

    status: int
    body: bytes = b'{"error": "a fault on demand"}'
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Delay:
    """Handle the request later; the delays of all rules that match add up."""

    seconds: float


@dataclass(frozen=True)
class Hang:
    """Hold the request until the rules are cleared; if the client gives up first, nothing is done.

    With `handled`, the request takes effect and only the answer is held.
    """

    handled: bool = False


@dataclass(frozen=True)
class Truncate:
    """Promise the whole body, send so many bytes of it (half by default), close the connection."""

    keep: int | None = None


@dataclass(frozen=True)
class Corrupt:
    """Change the byte in the middle of the body."""


@dataclass(frozen=True)
class LoseAnswer:
    """Handle the request, then close the connection before the first byte of the body."""


@dataclass(frozen=True)
class Cut:
    """For `TcpProxy` alone: cut the connection once so many bytes of one side have passed.

    The client finds it reset, or, with `reset` False, ended from the other side while it could
    still write.
    """

    side: Literal["request", "answer"]
    after_bytes: int = 0
    reset: bool = True


Action = Answer | Delay | Hang | Truncate | Corrupt | LoseAnswer | Cut


@dataclass(frozen=True)
class Request:
    """A request as it arrived: its path is still percent-encoded and without the query."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)

    def matches(self, method: str, path: str) -> bool:
        return bool(re.fullmatch(method, self.method) and re.search(path, self.path))


@dataclass(eq=False)
class Fault:
    """A rule: after so many requests that match, do `action` so many times.

    With `times` None it is done until the rule is cleared.
    """

    action: Action
    method: str
    path: str
    after: int = 0
    times: int | None = None
    matches: int = 0
    reached: threading.Event = field(default_factory=threading.Event)

    def applies(self, request: Request) -> bool:
        """Whether to act on this request, which is counted."""
        if not request.matches(self.method, self.path):
            return False
        self.matches += 1
        due = self.matches > self.after and (
            self.times is None or self.matches <= self.after + self.times
        )
        if due:
            self.reached.set()
        return due


class Faulty:
    """What can be given rules, whose action must be one of `actions`."""

    actions: tuple[type[Action], ...]

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(
        self,
        action: Action,
        path: str = "",
        *,
        method: str = ".*",
        after: int = 0,
        times: int | None = None,
    ) -> Fault:
        """Spoil requests of a method (the whole of it) and a path (a part of it is enough).

        Both are regular expressions. The first `after` requests pass. The rule's event `reached`
        tells that it has acted.
        """
        if not isinstance(action, self.actions):
            raise TypeError(
                f"received {action}, expected one of"
                f" {', '.join(kind.__name__ for kind in self.actions)}"
            )
        rule = Fault(action, method, path, after, times)
        self.faults.append(rule)
        return rule

    def clear_faults(self) -> None:
        """Forget every rule; what hangs goes on."""
        self.faults.clear()
