"""Read FER2013 in the forms in which people hold it.

    load("fer2013.npz")   images, label, usage and, if known, ferplus_votes; or a packed file
    load("fer2013.csv")   Kaggle's csv, joined with a `fer2013new.csv` beside it
    load("folder")        one of those files in it, or train/<class>/*.png, val/... and test/...

`training.data.pack` packs a data set, `icml_face_data.csv` is read as Kaggle's csv is. An image
whose file name begins with the name of a split, as the published names do, belongs to that split,
whatever its folder.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer import DataError
from training.data import fer2013_csv, fer2013_npz
from training.data.classes import CLASSES
from training.data.fer2013 import FER2013, SIDE, SPLITS, checked

_DATA_FILES = ("fer2013.npz", "fer2013.csv", "icml_face_data.csv")
_IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp"}
_OTHER_CLASS_NAMES = {
    "anger": "angry",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
    "disgusted": "disgust",
}
_SPLIT_FOLDERS = {
    "train": 0,
    "training": 0,
    "val": 1,
    "validation": 1,
    "publictest": 1,
    "test": 2,
    "privatetest": 2,
}


def load(path: Path | str) -> FER2013:
    """Read the data set at `path`, a file or a folder. Raises DataError naming file and row."""
    path = Path(path)
    if not path.exists():
        raise DataError(
            f"{path} does not exist; expected fer2013.npz, fer2013.csv or a folder train/<class>/."
        )
    if path.is_dir():
        for name in _DATA_FILES:
            if (path / name).is_file():
                return load(path / name)
        return _load_folder(path)
    if path.suffix == ".npz":
        return fer2013_npz.load(path)
    if path.suffix == ".csv":
        return fer2013_csv.load(path)
    raise DataError(
        f"{path}: received a {path.suffix or 'nameless'} file, expected .npz, .csv or a folder."
    )


def _load_folder(root: Path) -> FER2013:
    files = sorted(path for path in root.glob("*/*/*") if path.suffix.lower() in _IMAGE_SUFFIXES)
    if not files:
        raise DataError(f"{root}: holds neither {', '.join(_DATA_FILES)} nor train/<class>/*.png.")
    images = np.stack([_grey_image(path) for path in files])
    classes = np.array([_class_of(path) for path in files], np.uint8)
    splits = np.array([_split_of(path) for path in files], np.uint8)
    return checked(root, FER2013(images, classes, splits, votes=None))


def _grey_image(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("L"))
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{path}: not a readable image ({error}).") from error
    if pixels.shape != (SIDE, SIDE):
        height, width = pixels.shape
        raise DataError(f"{path}: {width} x {height} pixels, expected {SIDE} x {SIDE}.")
    return pixels


def _class_of(path: Path) -> int:
    folder = path.parent.name.lower()
    name = _OTHER_CLASS_NAMES.get(folder, folder)
    if name not in CLASSES:
        raise DataError(
            f"{path}: unknown class folder {path.parent.name!r}, expected {', '.join(CLASSES)}."
        )
    return CLASSES.index(name)


def _split_of(path: Path) -> int:
    """The split that the file name begins with, or else that of the folder.

    The published file names begin with their split, which alone tells PublicTest from PrivateTest.
    """
    prefix = path.name.split("_")[0]
    if prefix in SPLITS:
        return SPLITS.index(prefix)
    folder = path.parent.parent.name.lower()
    if folder in _SPLIT_FOLDERS:
        return _SPLIT_FOLDERS[folder]
    raise DataError(
        f"{path}: cannot tell its split; expected a folder {', '.join(_SPLIT_FOLDERS)}, "
        f"or a file name that begins with {', '.join(SPLITS)}."
    )
