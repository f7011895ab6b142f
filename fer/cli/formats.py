"""The forms of a batch's results: a table for people, JSON lines and CSV for programs.

Each is a header and then the lines of one photo after another, so that results are written as they
come.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from fer.records import Record, csv_lines, photo_columns, to_json_lines

FORMS = ("table", "json", "csv")


@dataclass(frozen=True)
class Form:
    """How records are written and, where a program can, read back.

    `parse` takes the lines of a file and gives each record with the number of lines up to its end.
    """

    suffix: str
    header: str
    lines: Callable[[Iterable[Record]], str]
    parse: Callable[[list[str]], Iterator[tuple[Record, int]]] | None = None


def form_of(name: str, labels: Sequence[str], files: Iterable[str]) -> Form:
    """The form called `name`, for the records of these files with scores of these labels."""
    if name == "json":
        return Form("jsonl", "", to_json_lines, _parse_json)
    if name == "csv":
        return _csv(labels)
    return _table(files)


def _csv(labels: Sequence[str]) -> Form:
    columns = photo_columns(labels)
    return Form(
        suffix="csv",
        header="".join(csv_lines([], columns)),
        lines=lambda records: "".join(csv_lines(records, columns, header=False)),
        parse=_parse_csv,
    )


def _table(files: Iterable[str]) -> Form:
    width = max(len(printable(file)) for file in files)
    return Form(
        suffix="txt",
        header=f"{'file':{width}}  face  expression  score  box\n",
        lines=lambda records: "".join(_table_line(record, width) for record in records),
    )


def printable(text: str) -> str:
    """The text without what would break a line or steer a terminal; a file name may hold both."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def _table_line(record: Record, width: int) -> str:
    if record["face"]:
        end = _face_cells(record)
    else:
        end = "      failed" if record["error"] else "      no face"
    return f"{printable(record['file']):{width}}  {end}\n"


def _face_cells(record: Record) -> str:
    box = " ".join(f"{side:.0f}" for side in record["box"])
    label = record["label"] + "?" * record["uncertain"]
    return f"{record['face']:>4}  {label:10}  {record['score']:5.2f}  {box}"


def _parse_json(lines: list[str]) -> Iterator[tuple[Record, int]]:
    for number, line in enumerate(lines, start=1):
        yield json.loads(line), number


def _parse_csv(lines: list[str]) -> Iterator[tuple[Record, int]]:
    reader = csv.DictReader(lines)
    for record in reader:
        yield record, reader.line_num
