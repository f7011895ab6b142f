"""Fixtures for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development material beside the project: data sets, photos, videos, detector weights."""
    path = ROOT.parent / "shared"
    if not path.is_dir():
        pytest.skip(f"needs the development material in {path}, which is not there")
    return path
