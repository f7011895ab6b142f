"""Reading files of unknown origin."""

from __future__ import annotations

import stat
from pathlib import Path

from fer.errors import ModelError


def read_limited(path: Path, limit: int) -> bytes:
    """The content of a file of at most `limit` bytes. Raises ModelError if it is none."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{path} is not a file; a version folder needs it as one.")
        if status.st_size > limit:
            raise ModelError(f"{path}: {status.st_size:,} bytes, at most {limit:,} are accepted.")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read ({error.strerror}); a version folder needs it."
        ) from error
