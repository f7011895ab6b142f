"""`config.json` of a version as frozen types.

What the app must know of a graph to run it, where it comes from, and what the version's other files
must hold.
"""

from __future__ import annotations

import hashlib
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from fer.errors import ModelError
from fer.preprocessing import CropGeometry, Views
from fer.versions.typed_json import decode, parse_json

SCHEMA = 1
OUTPUTS = ("probabilities", "logits")
UNCERTAIN_BELOW = 0.5
"""The limit of a version for which none was measured.

Below it, the other expressions together are likelier than the one that is named.
"""

_MEND = "fetch the version again, or export it again with training.export"

Side = Annotated[int, Meta(ge=1, le=1024)]
OneChannel = Annotated[int, Meta(ge=1, le=1)]


@dataclass(frozen=True)
class FileRecord:
    """What the manifest promises of one file."""

    sha256: str
    bytes: int


def record_of(content: bytes) -> FileRecord:
    """What a manifest promises of a file with this content."""
    return FileRecord(hashlib.sha256(content).hexdigest(), len(content))


class Input(Struct, frozen=True):
    """The graph's input: (height, width, channels), and the values of black and white."""

    shape: tuple[Side, Side, OneChannel]
    range: tuple[float, float]

    def __post_init__(self) -> None:
        black, white = self.range
        if black >= white:
            raise ValueError("the input range must rise")


class StoredGeometry(Struct, frozen=True):
    """A crop geometry as the file holds it: nothing may be left out."""

    scale: float
    shift: tuple[float, float]
    level: bool

    def __post_init__(self) -> None:
        self.geometry()

    def geometry(self) -> CropGeometry:
        return CropGeometry(self.scale, self.shift, self.level)


class StoredViews(Struct, frozen=True):
    """Views as the file holds them: nothing may be left out."""

    scales: tuple[float, ...]
    mirror: bool

    def __post_init__(self) -> None:
        self.views()

    def views(self) -> Views:
        return Views(self.scales, self.mirror)


class Config(Struct, frozen=True):
    """The content of `config.json`."""

    name: str
    architecture: str
    parameters: Annotated[int, Meta(ge=0, le=10**12)]
    labels: tuple[str, ...]
    input: Input
    output: str
    temperature: Annotated[float, Meta(gt=0, le=100)]
    crops: Mapping[str, StoredGeometry]
    lineage: Mapping[str, Any]
    files: Mapping[str, FileRecord]
    uncertain_below: Annotated[float, Meta(ge=0, le=1)] = UNCERTAIN_BELOW
    views: StoredViews = StoredViews((1.0,), mirror=False)

    def __post_init__(self) -> None:
        if not _is_word(self.name):
            raise ValueError(
                f"name must not be empty and must be printable, received {self.name!r}"
            )
        if not _are_labels(self.labels):
            raise ValueError(
                f"labels must be two or more different words, received {reprlib.repr(self.labels)}"
            )
        if self.output not in OUTPUTS:
            raise ValueError(
                f"output must be one of {', '.join(OUTPUTS)}, received {self.output!r}"
            )


def decode_config(content: bytes, path: Path) -> Config:
    """Decode and check the content of `config.json`. Raises ModelError."""
    document = parse_json(content, path)
    _check_schema(document.get("schema"), path)
    return decode(document, Config, path, _MEND)


def _check_schema(schema: object, path: Path) -> None:
    if type(schema) is int and schema > SCHEMA:
        raise ModelError(
            f"{path}: schema {schema!r}, but this program reads {SCHEMA}. Update the program."
        )
    if schema != SCHEMA:
        raise ModelError(
            f"{path}: its schema is {schema!r:.100}, expected {SCHEMA}, so this is no version"
            " folder; training.export makes one of a run."
        )


def _are_labels(words: tuple[str, ...]) -> bool:
    return len(set(words)) == len(words) >= 2 and all(map(_is_word, words))


def _is_word(text: str) -> bool:
    return bool(text) and text.isprintable()
