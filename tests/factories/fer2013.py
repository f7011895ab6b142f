"""A small FER2013 of patterns that a network learns at once.

In every form in which people hold the real one.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fer import DataError
from training.data.classes import CLASSES
from training.data.fer2013 import FER2013, SPLITS, VOTES
from training.data.fer2013_files import load

Arrays = dict[str, NDArray[np.uint8]]
_VOTE_OF_CLASS = np.array([4, 5, 6, 1, 3, 2, 0])  # columns of VOTES for CLASSES


def arrays(counts: tuple[int, int, int] = (70, 14, 21), seed: int = 0) -> Arrays:
    """Noisy stripes whose direction and width tell the class; splits in their published order."""
    rng = np.random.default_rng(seed)
    n = sum(counts)
    label = (np.arange(n) % len(CLASSES)).astype(np.uint8)
    yy, xx = np.mgrid[:48, :48]
    waves = np.stack(
        [np.sin((xx * np.cos(k) + yy * np.sin(k)) * (0.15 + 0.1 * k)) for k in range(len(CLASSES))]
    )
    images = (
        (127 + 90 * waves[label] + rng.normal(0, 20, (n, 48, 48))).clip(0, 255).astype(np.uint8)
    )
    votes = np.zeros((n, len(VOTES)), np.uint8)
    votes[np.arange(n), _VOTE_OF_CLASS[label]] = rng.integers(4, 11, n)
    votes[:, VOTES.index("unknown")] = 10 - votes.sum(axis=1)
    usage = np.repeat(np.arange(3), counts).astype(np.uint8)
    return {"images": images, "label": label, "usage": usage, "ferplus_votes": votes}


DATA = arrays()
"""What most tests read or write in some form; none changes it."""


def write_npz(path: Path, data: Arrays) -> Path:
    np.savez_compressed(path, **data)
    return path


def write_csv(
    path: Path, data: Arrays, header: tuple[str, ...] = ("emotion", "pixels", "Usage")
) -> Path:
    """Kaggle's form; `header` gives the names and the order of the columns."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for image, label, usage in zip(data["images"], data["label"], data["usage"], strict=True):
            cells = {
                "emotion": label,
                "pixels": " ".join(map(str, image.ravel())),
                "Usage": SPLITS[usage],
            }
            writer.writerow([cells[name.strip()] for name in header])
    return path


def write_votes(path: Path, data: Arrays) -> Path:
    """FER+'s form, whose image names are empty where an image was dropped."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("Usage", "Image name", *VOTES))
        for i, (usage, votes) in enumerate(zip(data["usage"], data["ferplus_votes"], strict=True)):
            writer.writerow((SPLITS[usage], f"fer{i:07d}.png" if i % 5 else "", *votes))
    return path


def write_folder(root: Path, data: Arrays) -> Path:
    """The image-folder form: both test splits lie in `test/`, and file names tell them apart."""
    for i, (image, label, usage) in enumerate(
        zip(data["images"], data["label"], data["usage"], strict=True)
    ):
        folder = root / ("test" if usage else "train") / CLASSES[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{SPLITS[usage]}_{i:05d}.png")
    return root


def assert_equal(one: FER2013, other: FER2013, *, votes: bool = True) -> None:
    assert np.array_equal(one.images, other.images)
    assert np.array_equal(one.classes, other.classes)
    assert np.array_equal(one.splits, other.splits)
    if votes:
        assert np.array_equal(one.votes, other.votes)


def contents(data: FER2013) -> list[tuple[int, int, bytes]]:
    """What a data set holds, whatever the order of its rows."""
    rows = zip(data.splits.tolist(), data.classes.tolist(), data.images, strict=True)
    return sorted((split, label, image.tobytes()) for split, label, image in rows)


def refused(path: Path, start: Path | str) -> str:
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value).startswith(str(start)), caught.value
    return str(caught.value)
