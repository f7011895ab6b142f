"""The photos of a batch, found in files and folders or named on standard input."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from fer.cli.files import name_of
from fer.errors import ImageError
from fer.images import ACCEPTED_SUFFIXES

ANNOTATED = "annotated"  # the folder of the annotated copies, below that of the results
_STDIN = Path("-")


class Photo(NamedTuple):
    """A photo of a batch: its place in the batch, its file, and where its annotated copy goes."""

    number: int
    path: Path
    copy: Path

    @property
    def name(self) -> str:
        """What records call it."""
        return name_of(self.path)


def find_photos(paths: Sequence[Path], output: Path | None) -> list[Photo]:
    """The photos of these files and folders, and of the names on standard input for a `-`.

    Annotated copies of earlier runs are left out, and copies of equal names are numbered. Raises
    ImageError if there is no photo.
    """
    paths = list(_with_standard_input(paths))
    earlier_copies = output.resolve() / ANNOTATED if output else None
    found = [
        (path, relative)
        for path, relative in _search(paths)
        if earlier_copies not in path.resolve().parents
    ]
    if not found:
        accepted = ", ".join(sorted(ACCEPTED_SUFFIXES))
        places = ", ".join(map(name_of, paths))
        raise ImageError(f"no photo in {places}; a folder must hold {accepted} files.")
    copies = _name_copies(relative for _, relative in found)
    pairs = zip(found, copies, strict=True)
    return [Photo(number, path, copy) for number, ((path, _), copy) in enumerate(pairs)]


def _name_copies(relatives: Iterable[Path]) -> Iterator[Path]:
    """Where annotated copies go: a name that came before, in whatever case, gets a number."""
    times_seen: Counter[str] = Counter()
    for relative in relatives:
        key = str(relative).casefold()
        times_seen[key] += 1
        number = f"-{times_seen[key]}" if times_seen[key] > 1 else ""
        yield relative.with_name(f"{relative.name}{number}.jpg")


def _with_standard_input(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path == _STDIN:
            yield from _read_names()
        else:
            yield path


def _read_names() -> Iterator[Path]:
    """The file names that standard input holds, one a line or separated by NUL."""
    content = sys.stdin.buffer.read() if sys.stdin else b""
    separator = b"\0" if b"\0" in content else b"\n"
    names = [name for name in content.split(separator) if name]
    if not names:
        raise ImageError(
            "standard input holds no name; file names are expected, one a line or separated by NUL."
        )
    for name in names:
        yield Path(os.fsdecode(name))


def _search(paths: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Each photo with its path relative to the argument that named it.

    A named file is taken whatever its suffix.
    """
    for path in paths:
        if not os.path.isdir(path):  # noqa: PTH112 - unlike Path.is_dir, it takes too long a name
            yield path, Path(path.name)
            continue
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in ACCEPTED_SUFFIXES and file.is_file():
                yield file, file.relative_to(path)
