"""The trial of a graph that did not come with the program, in a process of its own.

LiteRT is C++ that believes much of what a graph says; one that was made to can crash the process,
hang it or fill its memory. `fer.versions.sandbox_process` finds out at its own cost, within limits
that the operating system enforces. It runs as the same user and is no sandbox: it protects against
a graph that breaks the program, not against one that takes it over.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from fer.errors import ModelError

SECONDS = 9.0
"""How long a caller waits for the result of a trial."""
CPU_SECONDS = 5
"""How long a trial may compute."""
MEMORY = 256 << 20
"""Bytes of data of the process that tries a graph; Python and LiteRT alone take about 70 MB."""
REFUSED = 3
"""The exit status of a trial that says why on standard output."""

_REMEMBERED = 1024  # graphs
_ROOT = Path(__file__).parents[2]
_COMMAND = (sys.executable, "-m", "fer.versions.sandbox_process")
# to find Python's packages; none is a secret
_VARIABLES = ("HOME", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")


class Trials:
    """Tries each graph once, one at a time, and remembers the result."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._complaints: dict[str, str] = {}

    def require(self, graph: bytes) -> None:
        """Raises ModelError saying why a graph may not enter this process."""
        sha256 = hashlib.sha256(graph).hexdigest()
        # a known graph need not wait for those being tried
        complaint = self._complaints.get(sha256)
        if complaint is None:
            complaint = self._try_in_turn(graph, sha256)
        if complaint:
            raise ModelError(complaint)

    def _try_in_turn(self, graph: bytes, sha256: str) -> str:
        """What is wrong with a graph; empty if nothing is."""
        deadline = time.monotonic() + SECONDS
        if not self._lock.acquire(timeout=SECONDS):
            raise ModelError(
                "it could not be tried, because others are being tried; try again in a moment"
            )
        try:
            if sha256 not in self._complaints:
                self._remember(sha256, _try(graph, deadline))
            return self._complaints[sha256]
        finally:
            self._lock.release()

    def _remember(self, sha256: str, complaint: str) -> None:
        self._complaints[sha256] = complaint
        while len(self._complaints) > _REMEMBERED:
            del self._complaints[next(iter(self._complaints))]


def _try(graph: bytes, deadline: float) -> str:
    try:
        process = _run(graph, timeout=max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"it could not be tried within {SECONDS:.0f} s; try again when less is going on"
        ) from error
    except OSError as error:
        raise ModelError(
            f"it could not be tried ({error.strerror}); a process of its own is needed for it"
        ) from error
    return _complaint(process.returncode, process.stdout)


def _run(graph: bytes, timeout: float) -> subprocess.CompletedProcess[bytes]:
    environment = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    environment["OPENBLAS_NUM_THREADS"] = "1"  # each thread would count as memory
    return subprocess.run(
        _COMMAND,
        input=graph,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        env=environment,
        timeout=timeout,
        check=False,
    )


def _complaint(status: int, output: bytes) -> str:
    """What the end of a trial says of the graph; empty if nothing is wrong with it."""
    if status == REFUSED:
        return _printable(output[:400].decode("utf-8", "replace"))
    if status == -signal.SIGXCPU:
        return f"it needs more than {CPU_SECONDS} s of computing for a few faces"
    if status < 0:
        ended = f"the process that tried it was ended by signal {-status}"
        return f"it is broken, or needs more than {MEMORY >> 20} MB: {ended}"
    return "it is not a LiteRT graph that can be read" if status else ""


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


trials = Trials()
"""The trials of this process."""
