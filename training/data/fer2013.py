"""Read FER2013 in the forms in which people hold it.

    load("fer2013.npz")            images, label, usage and, if present, ferplus_votes; or `training.data.pack`'s form of it
    load("fer2013.csv")            Kaggle's csv; `icml_face_data.csv` too; joined with a `fer2013new.csv` beside it
    load("folder")                 a folder holding one of those files, or train/<class>/*.png, val/... and test/...

The three splits keep their published names: Training, PublicTest (validation here), PrivateTest
(test). An image whose file name begins with one of them, as the published names do, belongs to it,
whatever its folder.
"""

from __future__ import annotations

import csv
import hashlib
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer import LABELS, DataError

SPLITS = ("Training", "PublicTest", "PrivateTest")
CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
VOTES = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)
EMOTIONS = VOTES[:8]
LABELLINGS = ("fer2013", "fer2013-dedup", "ferplus")
SIDE = 48
COLUMNS = 200  # of faces in a packed file

CLASS_OF = {
    "happy": "happy",
    "sad": "sad",
    "neutral": "neutral",
    "surprised": "surprise",
    "angry": "angry",
    "disgusted": "disgust",
    "afraid": "fear",
}
EMOTION_OF = {
    "happy": "happiness",
    "sad": "sadness",
    "neutral": "neutral",
    "surprised": "surprise",
    "angry": "anger",
    "disgusted": "disgust",
    "afraid": "fear",
    "contemptuous": "contempt",
}
# where `fer.LABELS` stand in `CLASSES`
FER2013_INDEX = tuple(CLASSES.index(CLASS_OF[label]) for label in LABELS)
# where they stand in `EMOTIONS`
FERPLUS_INDEX = tuple(EMOTIONS.index(EMOTION_OF[label]) for label in LABELS)

_COUNTS = tuple(map(str, range(11)))
_MAJORITY = 5  # FER+ labels count where more than this many of the ten annotators agree
_ALIASES = {
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
_DATA_FILES = ("fer2013.npz", "fer2013.csv", "icml_face_data.csv")
_IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp"}


@dataclass(frozen=True)
class FER2013:
    """The data set, row by row in the order of its source.

    `images` (n, 48, 48) uint8 grey; `classes` (n,) uint8 indexes `CLASSES`; `splits` (n,) uint8
    indexes `SPLITS`; `votes` (n, 10) uint8 counts the FER+ annotators per `VOTES`, or is None.
    """

    images: NDArray[np.uint8]
    classes: NDArray[np.uint8]
    splits: NDArray[np.uint8]
    votes: NDArray[np.uint8] | None

    def split(self, name: str, labels: tuple[str, ...] = LABELS) -> Split:
        """The rows of one split that carry one of the labels, in one of `LABEL_SETS`.

        Under `fer2013` or `ferplus`.
        """
        in_split = self.splits == SPLITS.index(name)
        original = _places(CLASSES, CLASS_OF, labels)[self.classes]
        if self.votes is not None:
            ferplus = ferplus_labels(self.votes, labels)
        else:
            ferplus = np.full(len(self.images), -1, np.int8)
        rows = np.flatnonzero(in_split & ((original >= 0) | (ferplus >= 0)))
        if not len(rows):
            raise DataError(
                f"the data holds no {name} image of {', '.join(labels)}; all three splits are"
                " needed."
            )
        training = {
            image.tobytes() for image in self.images[self.splits == SPLITS.index("Training")]
        }
        duplicate = np.array([self.images[row].tobytes() in training for row in rows]) & (
            name != "Training"
        )
        favourite = (
            self.votes[rows, : len(EMOTIONS)].max(axis=1)
            if self.votes is not None
            else np.zeros_like(rows)
        )
        return Split(
            self.images[rows], original[rows], ferplus[rows], duplicate, favourite.astype(np.uint8)
        )


@dataclass(frozen=True)
class Split:
    """One split reduced to a label set; -1 marks a row that a labelling leaves out.

    `images` (n, 48, 48) uint8; `fer2013` and `ferplus` (n,) int8 index the label set; `duplicate`
    (n,) bool marks images with a pixel-identical copy in Training; `favourite` (n,) uint8 counts
    the FER+ annotators, of ten, who chose the emotion that most of them chose, 0 without votes.
    """

    images: NDArray[np.uint8]
    fer2013: NDArray[np.int8]
    ferplus: NDArray[np.int8]
    duplicate: NDArray[np.bool_]
    favourite: NDArray[np.uint8]

    def labels(self, labelling: str) -> NDArray[np.int8]:
        """The labels of every row under one of `LABELLINGS`.

        -1 where the labelling leaves the row out.
        """
        if labelling == "fer2013":
            return self.fer2013
        if labelling == "fer2013-dedup":
            return np.where(self.duplicate, np.int8(-1), self.fer2013)
        if labelling == "ferplus":
            return self.ferplus
        raise ValueError(f"unknown labelling {labelling!r}; there are {', '.join(LABELLINGS)}")

    @property
    def sha256(self) -> str:
        """Digest of images and labels: two predictions files may be paired only where it agrees."""
        digest = hashlib.sha256()
        for array in (self.images, self.fer2013, self.ferplus, self.duplicate):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def ferplus_labels(votes: NDArray[np.uint8], labels: tuple[str, ...] = LABELS) -> NDArray[np.int8]:
    """Majority labels of the FER+ votes: (n, 10) counts -> (n,) indices of `labels`, or -1.

    Of the four labels, more than five of the ten annotators must agree on one. Larger sets follow
    the rule under which results on FER+ are published (Barsoum et al. 2016): an answer that one
    annotator alone gave is dropped, and more than half of the others must agree on an emotion.
    """
    if labels == LABELS:
        clear = votes[:, : len(EMOTIONS)].max(axis=1) > _MAJORITY
    else:
        votes = np.where(votes > 1, votes, 0)
        clear = 2 * votes[:, : len(EMOTIONS)].max(axis=1) > votes.sum(axis=1)
    winner = votes[:, : len(EMOTIONS)].argmax(axis=1)
    return np.where(clear, _places(EMOTIONS, EMOTION_OF, labels)[winner], np.int8(-1))


def _places(
    names: tuple[str, ...], name_of: Mapping[str, str], labels: tuple[str, ...]
) -> NDArray[np.int8]:
    """For each of a data set's names, which of the labels it is, or -1."""
    place = {name_of[label]: i for i, label in enumerate(labels) if label in name_of}
    return np.array([place.get(name, -1) for name in names], np.int8)


def blend_logits(logits: np.ndarray, blend: float, labels: tuple[str, ...] = LABELS) -> np.ndarray:
    """Logits (..., 15) -> logits (..., labels); `blend` 0 takes the labels of FER2013, 1 those of FER+.

    FER2013 does not know the last of the eight labels, so that these need a blend of 1.
    """
    ferplus = logits[..., [len(CLASSES) + EMOTIONS.index(EMOTION_OF[label]) for label in labels]]
    if blend == 1:
        return ferplus
    original = logits[..., [CLASSES.index(CLASS_OF[label]) for label in labels]]
    return (1.0 - blend) * original + blend * ferplus


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
        return _load_npz(path)
    if path.suffix == ".csv":
        return _load_csv(path)
    raise DataError(
        f"{path}: received a {path.suffix or 'nameless'} file, expected .npz, .csv or a folder."
    )


def _load_npz(path: Path) -> FER2013:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            data = {name: arrays[name] for name in arrays.files}
    except (
        OSError,
        ValueError,
        TypeError,
        EOFError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DataError(f"{path}: not a readable .npz archive ({error}).") from error
    if "png" in data and "label" in data:
        data["images"] = _unpack(path, data.pop("png"), len(data["label"]))
    missing = {"images", "label", "usage"} - data.keys()
    if missing:
        raise DataError(
            f"{path}: misses the arrays {', '.join(sorted(missing))}; it holds"
            f" {', '.join(sorted(data))}."
        )
    votes = data.get("ferplus_votes")
    return _checked(path, data["images"], data["label"], data["usage"], votes)


def _unpack(path: Path, png: NDArray[np.uint8], n: int) -> NDArray[np.uint8]:
    """The first `n` faces of a mosaic, (n, 48, 48)."""
    mosaic = cv2.imdecode(png, cv2.IMREAD_GRAYSCALE) if png.dtype == np.uint8 and png.size else None
    height, width = (-(-n // COLUMNS) * SIDE, COLUMNS * SIDE)
    if mosaic is None or mosaic.shape != (height, width):
        raise DataError(
            f"{path}: png is no picture of {width} x {height} pixels; pack the data again."
        )
    faces = np.asarray(mosaic, np.uint8).reshape(-1, SIDE, COLUMNS, SIDE).transpose(0, 2, 1, 3)
    return faces.reshape(-1, SIDE, SIDE)[:n]


def _checked(
    path: Path,
    images: NDArray[np.uint8],
    classes: NDArray[np.uint8],
    splits: NDArray[np.uint8],
    votes: NDArray[np.uint8] | None,
) -> FER2013:
    n = classes.size
    expected = {
        "images": (n, SIDE, SIDE),
        "label": (n,),
        "usage": (n,),
        "ferplus_votes": (n, len(VOTES)),
    }
    received = {"images": images, "label": classes, "usage": splits, "ferplus_votes": votes}
    for name, array in received.items():
        if array is not None and (array.shape != expected[name] or array.dtype != np.uint8):
            raise DataError(
                f"{path}: {name} is {array.dtype} {array.shape}, expected uint8 {expected[name]}."
            )
    for name, array, count in (("label", classes, len(CLASSES)), ("usage", splits, len(SPLITS))):
        wrong = np.flatnonzero(array >= count)
        if len(wrong):
            row = int(wrong[0])
            raise DataError(
                f"{path}, row {row}: {name} is {array[row]}, expected 0 to {count - 1}."
            )
    missing = [name for i, name in enumerate(SPLITS) if not (splits == i).any()]
    if missing:
        raise DataError(
            f"{path}: the split {', '.join(missing)} is missing; {', '.join(SPLITS)} are all"
            " needed."
        )
    return FER2013(images, classes, splits, votes)


def _rows(path: Path, required: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a csv file with their line number.

    Column names are stripped, as Kaggle's carry blanks.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, skipinitialspace=True)
        try:
            columns = [name.strip() for name in reader.fieldnames or []]
            missing = [name for name in required if name not in columns]
            if missing:
                received = ", ".join(columns) or "an empty file"
                raise DataError(
                    f"{path}: misses the columns {', '.join(missing)}; received {received}."
                )
            reader.fieldnames = columns
            for row in reader:
                yield reader.line_num, row
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(
                f"{path}, after line {reader.line_num}: not a csv file in UTF-8 ({error})."
            ) from error


def _load_csv(path: Path) -> FER2013:
    images, classes, splits = [], [], []
    for line, row in _rows(path, ("emotion", "pixels", "Usage")):
        where = f"{path}, line {line}"
        images.append(_pixels(row["pixels"], where))
        classes.append(
            _index(row["emotion"], tuple(map(str, range(len(CLASSES)))), "emotion", where)
        )
        splits.append(_index(row["Usage"], SPLITS, "Usage", where))
    beside = path.with_name("fer2013new.csv")
    votes = _load_votes(beside, path, splits) if beside.is_file() else None
    pixels = np.stack(images) if images else np.zeros((0, SIDE, SIDE), np.uint8)
    return _checked(path, pixels, np.array(classes, np.uint8), np.array(splits, np.uint8), votes)


def _load_votes(path: Path, images_path: Path, splits: list[int]) -> NDArray[np.uint8]:
    """FER+ votes, joined to the images by row order.

    The image names of the published file skip rows.
    """
    votes = []
    for i, (line, row) in enumerate(_rows(path, ("Usage", *VOTES))):
        where = f"{path}, line {line}"
        split = _index(row["Usage"], SPLITS, "Usage", where)
        if i >= len(splits) or split != splits[i]:
            raise DataError(
                f"{where}: does not match row {i + 1} of {images_path.name}; take both from one"
                " release."
            )
        votes.append([_index(row[name], _COUNTS, name, where) for name in VOTES])
    if len(votes) != len(splits):
        raise DataError(
            f"{path}: {len(votes)} rows, but {images_path.name} has {len(splits)}; they join by row"
            " order."
        )
    return np.array(votes, np.uint8)


def _pixels(text: str | None, where: str) -> NDArray[np.uint8]:
    try:
        values = np.array((text or "").split(), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{where}: pixels are not whole numbers ({error}).") from error
    if values.size != SIDE * SIDE:
        raise DataError(f"{where}: {values.size} pixels, expected {SIDE * SIDE} (48 x 48).")
    if values.min() < 0 or values.max() > 255:
        raise DataError(
            f"{where}: pixels span {values.min()} to {values.max()}, expected 0 to 255."
        )
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def _index(value: str | None, names: tuple[str, ...], column: str, where: str) -> int:
    if value is None or value.strip() not in names:
        raise DataError(f"{where}: {column} is {value!r}, expected one of {', '.join(names)}.")
    return names.index(value.strip())


def _load_folder(root: Path) -> FER2013:
    files = sorted(p for p in root.glob("*/*/*") if p.suffix.lower() in _IMAGE_SUFFIXES)
    if not files:
        raise DataError(f"{root}: holds neither {', '.join(_DATA_FILES)} nor train/<class>/*.png.")
    images = np.stack([_grey_image(path) for path in files])
    classes = np.array([_folder_class(path) for path in files], np.uint8)
    splits = np.array([_folder_split(path) for path in files], np.uint8)
    return _checked(root, images, classes, splits, None)


def _grey_image(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("L"))
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{path}: not a readable image ({error}).") from error
    if pixels.shape != (SIDE, SIDE):
        raise DataError(
            f"{path}: {pixels.shape[1]} x {pixels.shape[0]} pixels, expected {SIDE} x {SIDE}."
        )
    return pixels


def _folder_class(path: Path) -> int:
    name = path.parent.name.lower()
    name = _ALIASES.get(name, name)
    if name not in CLASSES:
        raise DataError(
            f"{path}: unknown class folder {path.parent.name!r}, expected {', '.join(CLASSES)}."
        )
    return CLASSES.index(name)


def _folder_split(path: Path) -> int:
    """The published file names begin with their split.

    Which alone tells PublicTest from PrivateTest.
    """
    prefix = path.name.split("_")[0]
    if prefix in SPLITS:
        return SPLITS.index(prefix)
    name = path.parent.parent.name.lower()
    if name in _SPLIT_FOLDERS:
        return _SPLIT_FOLDERS[name]
    raise DataError(
        f"{path}: cannot tell its split; expected a folder {', '.join(_SPLIT_FOLDERS)}, "
        f"or a file name that begins with {', '.join(SPLITS)}."
    )
