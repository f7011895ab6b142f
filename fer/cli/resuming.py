"""Go on with a batch where an earlier run was stopped."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fer.cli.batch import Tally
from fer.cli.files import name_of
from fer.cli.formats import Form
from fer.cli.photos import Photo
from fer.errors import FERError
from fer.pipeline import FERPipeline
from fer.records import Record, error_record

_FIRST = (1, "1", None, "")  # the number of the face in a photo's first record, in JSON and in CSV
_IDENTITY = ("file", "model", "sha256", "detector")  # what must agree where a run goes on


@dataclass(frozen=True)
class Kept:
    """What stays of an earlier run's results, header included, and how much that is."""

    text: str = ""
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True)
class _PhotoRows:
    """The records of one photo, and the number of the line at which they begin."""

    start: int
    records: list[Record] = field(default_factory=list)


def read_part(part: Path, form: Form, photos: Sequence[Photo], pipeline: FERPipeline) -> Kept:
    """What stays of the results of a stopped run: all but the last photo, whose rows may be cut.

    Raises FERError where the results are not the beginning of what this run would write: of the
    same photos by the same version and detector, in the same form.
    """
    if form.parse is None:
        raise FERError(
            "a table cannot be read back exactly; --resume needs --format json or --format csv."
        )
    lines, rows = _read_rows(part, form) if part.exists() else ([], [])
    if not rows:
        return Kept()
    *whole, last = rows
    if _identities(whole) != _expected_identities(form, photos[: len(whole)], pipeline):
        raise FERError(
            f"{name_of(part)} holds results of other photos, another version or another detector; "
            "give the same options as before, or remove it to start anew."
        )
    kept = Kept("".join(lines[: last.start]))
    for photo in whole:
        kept.tally.add(photo.records)
    return kept


def _read_rows(part: Path, form: Form) -> tuple[list[str], list[_PhotoRows]]:
    try:
        lines = _whole_lines(part)
        return lines, list(_by_photo(form, lines))
    except (OSError, ValueError, LookupError, csv.Error) as error:
        raise FERError(
            f"{name_of(part)} cannot be read back ({error}); remove it to start anew."
        ) from error


def _whole_lines(part: Path) -> list[str]:
    content = part.read_bytes()
    return _lines(content[: content.rfind(b"\n") + 1].decode("utf-8"))


def _lines(text: str) -> list[str]:
    return [f"{line}\n" for line in text.split("\n")[:-1]]


def _by_photo(form: Form, lines: list[str]) -> Iterator[_PhotoRows]:
    assert form.parse is not None
    rows: _PhotoRows | None = None
    end = form.header.count("\n")
    for record, next_end in form.parse(lines):
        if record["face"] in _FIRST:
            if rows:
                yield rows
            rows = _PhotoRows(end)
        if rows is None:
            raise LookupError("the first face of the first photo is missing")
        rows.records.append(record)
        end = next_end
    if rows:
        yield rows


def _identities(rows: Sequence[_PhotoRows]) -> list[list[str]]:
    return [_identity(photo.records[0]) for photo in rows]


def _expected_identities(
    form: Form, photos: Sequence[Photo], pipeline: FERPipeline
) -> list[list[str]]:
    """The identities of these photos' records once they are written and read back."""
    assert form.parse is not None
    version = pipeline.classifier.version
    detector = pipeline.detector.name
    records = [error_record(photo.name, "", version, detector) for photo in photos]
    text = form.header + form.lines(records)
    return [_identity(record) for record, _ in form.parse(_lines(text))]


def _identity(record: Record) -> list[str]:
    return [record[key] for key in _IDENTITY]
