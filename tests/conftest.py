"""Fixtures for every test."""

from __future__ import annotations

import os
from pathlib import Path

import pylibsrtp  # noqa: F401 - before TensorFlow: loaded after it, it ends the process
import pytest

for name in (
    "FER_HUB_REPO",
    "FER_ALLOW_ANY_REPO",
    "FER_ICE_SERVERS",
    "FER_MAX_UPLOADS",
):  # what one has set for the app is not for tests
    os.environ.pop(name, None)

collect_ignore = ["factories", "support"]  # no tests, and plugins must not be imported before

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The development material beside the project: data sets, photos, videos, detector weights."""
    path = ROOT.parent / "shared"
    if not path.is_dir():
        pytest.skip(f"needs the development material in {path}, which is not there")
    return path
