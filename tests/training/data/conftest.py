"""FER2013 of patterns as it is read, and as a csv."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factories.fer2013 import DATA, write_csv, write_npz
from training.data.fer2013 import FER2013
from training.data.fer2013_files import load


@pytest.fixture
def npz(tmp_path: Path) -> FER2013:
    return load(write_npz(tmp_path / "reference.npz", DATA))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "fer2013.csv", DATA)
