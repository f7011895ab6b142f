"""Look into the memory of another process; Linux alone shows it."""

from __future__ import annotations

import time
from io import FileIO
from pathlib import Path

_CHUNK = 1 << 24


def occurrences(pid: int, needle: bytes) -> int:
    """How often a process holds these bytes in memory that it may write to."""
    found = 0
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            # the kernel's own pages cannot be read
            if rights.startswith("rw") and "[v" not in line:
                start, end = (int(address, 16) for address in span.split("-"))
                found += sum(
                    _count(memory, address, end, needle) for address in range(start, end, _CHUNK)
                )
    return found


def seconds_until_gone(pid: int, needle: bytes, patience: float) -> float | None:
    """Seconds until a process holds these bytes no more.

    Or None if it still does after `patience`.
    """
    begun = time.monotonic()
    while time.monotonic() - begun < patience:
        if not occurrences(pid, needle):
            return time.monotonic() - begun
        time.sleep(0.5)
    return None


def _count(memory: FileIO, start: int, end: int, needle: bytes) -> int:
    """Matches that begin in the chunk at `start`, of a mapping that ends at `end`."""
    memory.seek(start)
    try:
        return memory.read(min(_CHUNK + len(needle) - 1, end - start)).count(needle)
    except OSError:  # unmapped meanwhile
        return 0
