"""Calls that begin at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from fer import FERError


def results_of(*calls: Callable[[], object]) -> list[object]:
    """What each call returned or raised."""
    barrier = threading.Barrier(len(calls))

    def start(call: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return call()
        except FERError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(start, calls))
