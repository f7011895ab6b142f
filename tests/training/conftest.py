"""Runs and versions that several modules are tested with."""

from tests.factories.runs import data, exported, finished, portraits, seven

__all__ = ["data", "exported", "finished", "portraits", "seven"]
