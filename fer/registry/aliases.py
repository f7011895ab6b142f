"""Aliases of a Hub repo: names such as `production` that move from version to version.

They and the record of every move are one file, `aliases.json`, on the repo's `main`; whoever writes
it does so by compare-and-swap.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec

from fer.errors import ModelError, RegistryError
from fer.versions.typed_json import convert, parse_json

ALIASES, LATEST = "aliases.json", "latest"
SCHEMA = 1
MAX_BYTES = 4 << 20
VERSION = re.compile(r"v(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})", re.ASCII)
SHA = re.compile(r"[0-9a-f]{40}")
_ALIAS = re.compile(r"[a-z][a-z-]{0,31}")


@dataclass(frozen=True)
class Target:
    """What an alias stands for: a version, and the commit it had when the alias was set."""

    version: str
    commit: str

    def __post_init__(self) -> None:
        if not VERSION.fullmatch(self.version):
            raise ValueError(f"a version is called vX.Y.Z, received {self.version!r:.100}")
        if not SHA.fullmatch(self.commit):
            raise ValueError(f"a commit is 40 hexadecimal digits, received {self.commit!r:.100}")


@dataclass(frozen=True)
class Move:
    """One entry of the history: who set which alias when, from what to what, and why."""

    alias: str
    target: Target
    former: Target | None
    reason: str
    actor: str
    time: datetime
    forced: bool = False
    gate: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not _ALIAS.fullmatch(self.alias) or self.alias == LATEST:
            raise ValueError(
                f"an alias is up to 32 small letters and hyphens and not {LATEST!r}, received"
                f" {self.alias!r:.100}"
            )
        if self.time.tzinfo is None:
            raise ValueError(f"a time needs its zone, received {self.time}")


@dataclass(frozen=True)
class Aliases:
    """The content of `aliases.json`: every move so far, oldest first, and where they led."""

    history: tuple[Move, ...] = ()
    targets: Mapping[str, Target] = field(init=False)

    def __post_init__(self) -> None:
        targets: dict[str, Target] = {}
        for number, move in enumerate(self.history, start=1):
            if move.former != targets.get(move.alias):
                raise ValueError(
                    f"entry {number} of the history does not begin where {move.alias} was"
                )
            targets[move.alias] = move.target
        object.__setattr__(self, "targets", MappingProxyType(targets))

    @classmethod
    def parse(cls, content: bytes) -> Aliases:
        """Check the bytes of `aliases.json`. Raises RegistryError saying what is wrong."""
        try:
            document = _decode(content)
            aliases = cls(tuple(entry.move() for entry in document.history))
            if _targets_document(aliases) != document.aliases:
                raise ValueError("the aliases are not where the history leads")
        except (ModelError, ValueError) as error:
            raise RegistryError(
                f"{ALIASES} is broken ({error}); restore an earlier commit of it."
            ) from error
        return aliases

    def to_bytes(self) -> bytes:
        """The content of the file; `parse` gives back an equal object."""
        history = [_move_document(move) for move in self.history]
        document = {"schema": SCHEMA, "aliases": _targets_document(self), "history": history}
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n"

    def moved(self, move: Move) -> Aliases:
        """These aliases after one more move."""
        return replace(self, history=(*self.history, move))


class _Entry(msgspec.Struct, frozen=True, rename={"former": "from"}):
    """A move as the file holds it: the target's fields stand among its own."""

    alias: str
    version: str
    commit: str
    former: Target | None
    reason: str
    actor: str
    time: datetime
    forced: bool
    gate: dict[str, Any] | None

    def __post_init__(self) -> None:
        self.move()

    def move(self) -> Move:
        return Move(
            alias=self.alias,
            target=Target(self.version, self.commit),
            former=self.former,
            reason=self.reason,
            actor=self.actor,
            time=self.time,
            forced=self.forced,
            gate=self.gate,
        )


class _Document(msgspec.Struct, frozen=True):
    """The content of `aliases.json`."""

    aliases: dict[str, dict[str, str]]
    history: tuple[_Entry, ...]


def _decode(content: bytes) -> _Document:
    document = parse_json(content, ALIASES)
    schema = document.get("schema")
    if schema != SCHEMA:
        raise ValueError(f"schema {schema!r}, but this program reads {SCHEMA}; update the program")
    return convert(document, _Document)


def _targets_document(aliases: Aliases) -> dict[str, Any]:
    return {alias: _target_document(target) for alias, target in aliases.targets.items()}


def _target_document(target: Target) -> dict[str, Any]:
    return {"version": target.version, "commit": target.commit}


def _move_document(move: Move) -> dict[str, Any]:
    return {
        "alias": move.alias,
        **_target_document(move.target),
        "from": _target_document(move.former) if move.former else None,
        "reason": move.reason,
        "actor": move.actor,
        "time": move.time.isoformat(),
        "forced": move.forced,
        "gate": move.gate,
    }
