"""What the tests of versions have in common."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factories.sealed import write_sealed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sealed version whose small files are all there."""
    return write_sealed(tmp_path / "tiny")
