"""JSON of unknown origin, decoded into types once, where it enters.

`parse_json` refuses what Python would let pass; `decode` checks every field against the type that
asks for it, and names the place of a fault.
"""

from __future__ import annotations

import json
import math
import re
import reprlib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from fer.errors import ModelError

T = TypeVar("T")

_AT = " - at `$"
_WORD = re.compile(r"[\w-]+", re.ASCII)
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


def parse_json(content: bytes, path: Path | str) -> dict[str, Any]:
    """A JSON object without doubled keys, NaN, Infinity, or numbers too large for a float."""
    try:
        value = json.loads(
            content,
            object_pairs_hook=_distinct,
            parse_constant=_no_number,
            parse_float=_finite,
        )
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not valid JSON ({error}).") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path}: holds a {type(value).__name__}, expected a JSON object.")
    return value


def convert(document: dict[str, Any], kind: type[T]) -> T:
    """The document as an object of `kind`.

    Raises ValueError naming the place of the first fault, what was received there and what was
    expected. The document is not to be used afterwards.
    """
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise ValueError(_fault(document, kind, str(error))) from error


def decode(document: dict[str, Any], kind: type[T], path: Path | str, mend: str) -> T:
    """The same; raises ModelError that also names the file and says how to mend it."""
    try:
        return convert(document, kind)
    except ValueError as error:
        raise wrong_field(path, str(error), mend) from error


def wrong_field(path: Path | str, fault: str, mend: str) -> ModelError:
    """The error of a file one of whose fields is missing or wrong."""
    return ModelError(f"{path}: a field is missing or wrong ({fault}); {mend}.")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        raise ValueError(f"doubled key {max(keys, key=keys.count)!r}")
    return dict(pairs)


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text:.40} is larger than any float")
    return number


def _fault(document: dict[str, Any], kind: type, complaint: str) -> str:
    """The complaint with its whole path and the value that stands there."""
    expected, at, steps = complaint.partition(_AT)
    if not at:  # of the document as a whole, which would say nothing
        return expected
    place, value = _find(document, kind, complaint, steps)
    if expected.startswith("Object missing"):
        return f"{expected} at {place}"
    return f"{expected} at {place}, received {reprlib.repr(value)}"


def _find(document: dict[str, Any], kind: type, complaint: str, steps: str) -> tuple[str, Any]:
    """The path of a fault and the value there.

    msgspec writes `[...]` for the key of a mapping, whichever it is.
    """
    place = "$"
    value: Any = document
    for field, index in _STEP.findall(steps):
        key = _key_at_fault(value, document, kind, complaint) if index == "..." else field
        place += _written(key) if key else f"[{index}]"
        value = value[key or int(index)]
    return place, value


def _written(key: str) -> str:
    """A key as it stands in a path; in quotes where it is not a plain word."""
    return f".{key}" if _WORD.fullmatch(key) else f"[{reprlib.repr(key)}]"


def _key_at_fault(
    mapping: dict[str, Any], document: dict[str, Any], kind: type, complaint: str
) -> str:
    """The first key of a mapping within the document that causes the complaint, by bisection."""
    entries = list(mapping.items())
    while len(entries) > 1:
        middle = len(entries) // 2
        mapping.clear()
        mapping.update(entries[:middle])
        entries = entries[:middle] if _complaint(document, kind) == complaint else entries[middle:]
    mapping.clear()
    mapping.update(entries)
    return entries[0][0]


def _complaint(document: dict[str, Any], kind: type) -> str:
    try:
        msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        return str(error)
    return ""
