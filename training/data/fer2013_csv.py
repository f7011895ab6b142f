"""FER2013 as Kaggle's csv file, and the votes of FER+ as theirs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer import DataError
from training.data.classes import CLASSES
from training.data.fer2013 import FER2013, SIDE, SPLITS, VOTES, checked

_CLASS_NUMBERS = tuple(str(number) for number in range(len(CLASSES)))
_VOTE_COUNTS = tuple(str(count) for count in range(11))


def load(path: Path) -> FER2013:
    """Read Kaggle's csv, joined with a `fer2013new.csv` beside it. Raises DataError."""
    images = []
    classes = []
    splits = []
    for line, row in _rows(path, ("emotion", "pixels", "Usage")):
        where = f"{path}, line {line}"
        images.append(_pixels(row["pixels"], where))
        classes.append(_index(row["emotion"], _CLASS_NUMBERS, "emotion", where))
        splits.append(_index(row["Usage"], SPLITS, "Usage", where))
    votes_path = path.with_name("fer2013new.csv")
    data = FER2013(
        np.stack(images) if images else np.zeros((0, SIDE, SIDE), np.uint8),
        np.array(classes, np.uint8),
        np.array(splits, np.uint8),
        _load_votes(votes_path, path, splits) if votes_path.is_file() else None,
    )
    return checked(path, data)


def _load_votes(path: Path, images_path: Path, splits: list[int]) -> NDArray[np.uint8]:
    """The votes of FER+, joined by row order, as the image names of the file skip rows."""
    votes = []
    for i, (line, row) in enumerate(_rows(path, ("Usage", *VOTES))):
        where = f"{path}, line {line}"
        split = _index(row["Usage"], SPLITS, "Usage", where)
        if i >= len(splits) or split != splits[i]:
            raise DataError(
                f"{where}: does not match row {i + 1} of {images_path.name}; take both from one"
                " release."
            )
        votes.append([_index(row[name], _VOTE_COUNTS, name, where) for name in VOTES])
    if len(votes) != len(splits):
        raise DataError(
            f"{path}: {len(votes)} rows, but {images_path.name} has {len(splits)}; they join by row"
            " order."
        )
    return np.array(votes, np.uint8)


def _rows(path: Path, required: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a csv file with their line numbers."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        try:
            reader.fieldnames = _columns(path, reader, required)
            for row in reader:
                yield reader.line_num, row
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(
                f"{path}, after line {reader.line_num}: not a csv file in UTF-8 ({error})."
            ) from error


def _columns(path: Path, reader: csv.DictReader[str], required: tuple[str, ...]) -> list[str]:
    """The names of the columns without the blanks around them, which Kaggle's carry."""
    columns = [name.strip() for name in reader.fieldnames or []]
    missing = [name for name in required if name not in columns]
    if missing:
        received = ", ".join(columns) or "an empty file"
        raise DataError(f"{path}: misses the columns {', '.join(missing)}; received {received}.")
    return columns


def _pixels(text: str | None, where: str) -> NDArray[np.uint8]:
    try:
        values = np.array((text or "").split(), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{where}: pixels are not whole numbers ({error}).") from error
    if values.size != SIDE * SIDE:
        raise DataError(f"{where}: {values.size} pixels, expected {SIDE * SIDE} (48 x 48).")
    if values.min() < 0 or values.max() > 255:
        raise DataError(
            f"{where}: pixels span {values.min()} to {values.max()}, expected 0 to 255."
        )
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def _index(value: str | None, names: tuple[str, ...], column: str, where: str) -> int:
    if value is None or value.strip() not in names:
        raise DataError(f"{where}: {column} is {value!r}, expected one of {', '.join(names)}.")
    return names.index(value.strip())
