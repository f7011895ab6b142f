"""Find versions by name: the bundled folders in `models/`."""

from __future__ import annotations

from pathlib import Path

from fer.artifact import CONFIG, ModelVersion, read_version
from fer.errors import ModelError

BUNDLED = Path(__file__).resolve().parent.parent / "models"
DEFAULT = "seed-cnn"


def list_versions(folder: Path = BUNDLED) -> list[str]:
    """The names of the version folders, sorted; a broken one is listed too and complains when loaded."""
    return sorted(path.parent.name for path in folder.glob(f"*/{CONFIG}"))


def load_version(name: str = DEFAULT, *, folder: Path = BUNDLED) -> ModelVersion:
    """The checked version called `name`. Raises ModelError if there is none, or if it is broken."""
    names = list_versions(folder)
    if name not in names:
        raise ModelError(f"there is no version {name!r} in {folder}; there is {', '.join(names) or 'none'}.")
    return read_version(folder / name)
