"""Standard output and standard error of a command, also where they are closed, full or unread."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tqdm import tqdm

from fer.errors import FERError

_CHATTER = re.compile(r"INFO: |[IW]\d{4} \d\d:|WARNING: All log messages before absl")


def prepare_streams() -> None:
    """Open the streams that are closed, so that no file takes their place, and show every name."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    if sys.stderr is None:
        # open for as long as the process runs
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def write_utf_8() -> None:
    """Write UTF-8 to standard output, as JSON must be, whatever the terminal speaks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")


def say(text: str) -> None:
    """Write to standard error, if that can be."""
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


class StandardOutput:
    """Standard output until its reader has seen enough, as `head` has, which is no error.

    Raises FERError where it is closed and `needed`, or where it cannot be written.
    """

    def __init__(self, *, needed: bool = True) -> None:
        if needed and sys.stdout is None:
            raise FERError(
                "standard output is closed, and nothing else was asked for; open it, or use an"
                " option."
            )
        self.wanted = sys.stdout is not None

    def write(self, text: str) -> None:
        """Write at once, above the progress bar of a terminal."""
        if not self.wanted:
            return
        try:
            with tqdm.external_write_mode(file=sys.stdout):
                sys.stdout.write(text)
                sys.stdout.flush()
        except BrokenPipeError:
            self._discard()
        except OSError as error:
            self._discard()
            raise FERError(
                f"standard output cannot be written ({error.strerror}); choose another place."
            ) from error

    def _discard(self) -> None:
        """Write nothing any more; else Python would try again, and fail again, while it exits."""
        self.wanted = False
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def without_chatter() -> Iterator[None]:
    """Drop the notes that LiteRT and TensorFlow write to standard error, past Python.

    No setting silences them. Other lines are kept. The redirection holds for the whole process, so
    it is for commands alone.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)  # what a pipe does not hold is lost, rather than waited for
    os.set_blocking(reader, False)  # as is its end, where a child process still has it
    stderr = os.dup(2)
    os.dup2(writer, 2)
    os.close(writer)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        say(_without_notes(_read_all(reader)))


def _read_all(reader: int) -> str:
    """What a pipe holds, which is closed then."""
    content = b""
    with suppress(BlockingIOError):
        content = os.read(reader, 1 << 16)
    os.close(reader)
    return content.decode("utf-8", "backslashreplace")


def _without_notes(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not _CHATTER.match(line))
