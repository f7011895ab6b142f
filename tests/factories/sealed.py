"""A sealed version with small files, and the ways to tell lies in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fer import ModelError, read_version
from fer.versions.folder import CARD, CONFIG, METRICS
from tests.factories.versions import LABELS, write_tiny

GONE = object()


def estimate(**changes: Any) -> dict[str, Any]:
    return {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10, **changes}


LABELLING: dict[str, Any] = {
    "n": 10,
    "accuracy": estimate(),
    "balanced_accuracy": estimate(),
    "macro_f1": estimate(),
    "log_loss": estimate(),
    "expected_calibration_error": estimate(),
    "recall": {label: estimate() for label in LABELS},
    "confusion_matrix": [[1, 2, 0], [0, 3, 0], [1, 1, 2]],
}
METRICS_CONTENT: dict[str, Any] = {
    "test_sets": {
        "natural": {
            "title": "Ordinary faces",
            "split": "valid",
            "sha256": "b" * 64,
            "labels": list(LABELS),
            "people": 7,
            "found": estimate(),
            "labellings": {
                "natural": (
                    LABELLING | {"confusion_matrix": [[1, 2, 0, 1], [0, 3, 0, 0], [1, 1, 1, 0]]}
                )
            },
        },
        "fer2013": {
            "title": "FER2013",
            "split": "PrivateTest",
            "sha256": "a" * 64,
            "labels": list(LABELS),
            "people": None,
            "found": None,
            "labellings": {"fer2013": LABELLING},
        },
    }
}


def write_sealed(folder: Path) -> Path:
    """A sealed version whose small files are all there."""
    folder.mkdir()
    (folder / METRICS).write_text(json.dumps(METRICS_CONTENT))
    (folder / CARD).write_text("# tiny")
    write_tiny(folder)
    return folder


def edit(folder: Path, *keys: str, value: object) -> None:
    """Set one field of config.json, or remove it, without sealing the folder again."""
    config = json.loads((folder / CONFIG).read_text())
    place = config
    for key in keys[:-1]:
        place = place[key]
    if value is GONE:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    (folder / CONFIG).write_text(json.dumps(config))


def refused(folder: Path, name: str = CONFIG) -> str:
    """The message with which the folder is refused, which must name the file first."""
    with pytest.raises(ModelError) as caught:
        read_version(folder)
    message = str(caught.value)
    assert message.startswith(str(folder / name)), message
    return message
