"""Files that are never half there: they get their name, or replace another, once they are whole."""

from __future__ import annotations

import errno
import os
from contextlib import AbstractContextManager, suppress
from io import FileIO
from pathlib import Path

from fer.errors import FERError


class GrowingFile(AbstractContextManager["GrowingFile"]):
    """A text file that grows as `NAME.part` and gets its name once it is finished.

    Every text that is appended goes to the operating system at once, whole or not at all. A part
    that was not finished stays if it holds more than its header. A device or a pipe is written
    under its own name.
    """

    def __init__(self, path: Path, option: str, *, header: str = "", kept: str = "") -> None:
        """Start anew with `header`, or go on after `kept`, which the part must begin with.

        Args:
            path: The name of the finished file; the folders above it are made.
            option: The option of the command line that chose the path, for errors.
            header: What the file begins with.
            kept: What stays of an earlier part.
        """
        self.path = path
        self.part = path if _is_special(path) else part_of(path)
        self._option = option
        self._header_size = len(_encoded(header))
        self._size = len(_encoded(kept))
        try:
            self._file = self._open()
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            self.append("" if kept else header)
        except FERError:
            self.__exit__()
            raise

    def _open(self) -> FileIO:
        """The part, cut to what is kept of it."""
        if self.path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self._size:
            return self.part.open("wb", buffering=0)
        file = self.part.open("r+b", buffering=0)
        file.truncate(self._size)
        file.seek(self._size)
        return file

    def append(self, text: str) -> None:
        """Write whole lines. Raises FERError where they do not fit, and takes back what did."""
        rest = memoryview(_encoded(text))
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            with suppress(OSError):  # a device has no end to go back to
                self._file.truncate(self._size)
            raise self._unwritable(error) from error
        self._size += len(_encoded(text))

    def finish(self) -> None:
        """Give the file its name."""
        self._file.close()
        try:
            self.part.replace(self.path)
        except OSError as error:
            raise self._unwritable(error) from error

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if self._size <= self._header_size and self.part != self.path:
            self.part.unlink(missing_ok=True)

    def _unwritable(self, error: OSError) -> FERError:
        return unwritable(self.path, error, self._option)


def part_of(path: Path) -> Path:
    """The name of a file that is not finished."""
    return path.with_name(f"{path.name}.part")


def write_whole(path: Path, content: bytes, temporary: Path) -> None:
    """Write a file under a temporary name, in the same file system, then give it its own.

    Raises FERError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise unwritable(path, error, "--output") from error


def unwritable(path: Path, error: OSError, option: str) -> FERError:
    """The error for a file that the system refuses to write."""
    return FERError(
        f"{name_of(path)} cannot be written ({error.strerror}); choose another {option}."
    )


def name_of(path: Path) -> str:
    r"""The path as text for every encoding and reader; a byte that is no UTF-8 reads `\xe9`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
