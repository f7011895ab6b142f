"""Runs that benchmarks compare."""

from tests.factories.runs import data, finished, portraits

__all__ = ["data", "finished", "portraits"]
