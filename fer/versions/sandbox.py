"""The trial of a graph that did not come with this program: it runs in a process of its own before it may run in ours.

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

SECONDS, CPU_SECONDS = 9.0, 5
"""How long a caller waits for a verdict, and how long the trial may compute."""
MEMORY = 256 << 20
"""Bytes of data of the process that tries a graph.

Python and LiteRT alone take about 70 MB of them.
"""
REFUSED = 3
"""The exit status of a trial that says why on standard output."""
_REMEMBERED = 1024
# to find Python's packages; none is a secret
_VARIABLES = ("HOME", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")


class Trials:
    """Tries each graph once, one at a time, and remembers what came of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._verdicts: dict[str, str] = {}

    def require(self, graph: bytes) -> None:
        """Raises ModelError saying why a graph may not enter this process."""
        sha256 = hashlib.sha256(graph).hexdigest()
        complaint = self._verdicts.get(sha256)  # known ones need not wait for those being tried
        if complaint is None:
            complaint = self._new_verdict(graph, sha256)
        if complaint:
            raise ModelError(complaint)

    def _new_verdict(self, graph: bytes, sha256: str) -> str:
        """What is wrong with a graph; empty if nothing is."""
        deadline = time.monotonic() + SECONDS
        if not self._lock.acquire(timeout=SECONDS):
            raise ModelError(
                "it could not be tried, because others are being tried; try again in a moment"
            )
        try:
            if sha256 not in self._verdicts:
                self._verdicts[sha256] = _try(graph, deadline)
                while len(self._verdicts) > _REMEMBERED:
                    del self._verdicts[next(iter(self._verdicts))]
            return self._verdicts[sha256]
        finally:
            self._lock.release()


def _try(graph: bytes, deadline: float) -> str:
    environment = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    try:
        process = subprocess.run(
            [sys.executable, "-m", "fer.versions.sandbox_process"],
            input=graph,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).parents[2],
            env=environment | {"OPENBLAS_NUM_THREADS": "1"},  # each thread would count as memory
            timeout=max(0.0, deadline - time.monotonic()),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"it could not be tried within {SECONDS:.0f} s; try again when less is going on"
        ) from error
    except OSError as error:
        raise ModelError(
            f"it could not be tried ({error.strerror}); a process of its own is needed for it"
        ) from error
    return _complaint(process.returncode, process.stdout)


def _complaint(status: int, output: bytes) -> str:
    if status == REFUSED:
        sentence = output[:400].decode("utf-8", "replace")
        return "".join(character if character.isprintable() else " " for character in sentence)
    if status == -signal.SIGXCPU:
        return f"it needs more than {CPU_SECONDS} s of computing for a few faces"
    if status < 0:
        ended = f"the process that tried it was ended by signal {-status}"
        return f"it is broken, or needs more than {MEMORY >> 20} MB: {ended}"
    return "it is not a LiteRT graph that can be read" if status else ""


trials = Trials()
"""Those of this process."""
