"""Photos for the commands."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.support.commands import (
    LONG_NAME,
    PORTRAITS,
    save_blank,
)


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    """A folder with one photo without a face."""
    folder = tmp_path / "photos"
    folder.mkdir()
    save_blank(folder / "blank.png")
    return folder


@pytest.fixture
def mixed(shared: Path, blank: Path) -> Path:
    """A folder with a face, no face, a broken file and one that is no photo, in subfolders too."""
    (blank / "deep" / "er").mkdir(parents=True)
    shutil.copy(
        shared / "data" / "photos" / "pyfeat_single_face.jpg", blank / "deep" / "er" / "face.JPG"
    )
    (blank / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not much of a photo")
    (blank / "notes.txt").write_text("not scanned")
    (blank / "folder.jpg").mkdir()
    return blank


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A face, two faces in one name's two lines.

    A broken file and one whose copy cannot have its name.
    """
    folder = tmp_path / "few"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(PORTRAITS[0].read_bytes())
    (folder / "b\nc, d.jpg").write_bytes(PORTRAITS[1].read_bytes())
    (folder / "broken.jpg").write_bytes(b"broken")
    Image.new("RGB", (32, 32)).save(folder / LONG_NAME)
    (folder / "z.jpg").write_bytes(PORTRAITS[0].read_bytes())
    return folder
