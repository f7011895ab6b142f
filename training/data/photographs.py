"""Read labelled photographs of faces from a folder or a zip.

    read_photographs("natural.zip")       <split>/<class>/<person>_<number>.jpg
    read_photographs("mine")              the same as files; without the splits, <class>/*.jpg

Pictures may have any size and any format that the app accepts. A class is one of `EMOTIONS` or a
common other word for it; the caller may name more. Pictures whose names differ only in the number
at the end show the same person. Nobody is sampled more often, or stands in two splits, because
many pictures of them exist.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from fer import DataError, ImageError, load_image
from fer.images import ACCEPTED_SUFFIXES
from training.data.classes import EMOTIONS
from training.data.fer2013 import SPLITS

CLASS_WORDS = {
    "happy": "happiness",
    "joy": "happiness",
    "surprised": "surprise",
    "sad": "sadness",
    "angry": "anger",
    "disgusted": "disgust",
    "afraid": "fear",
    "fearful": "fear",
    "scared": "fear",
    "contemptuous": "contempt",
}
"""Other words for `EMOTIONS`, as data sets call their folders."""

SPLIT_WORDS = {
    "train": "Training",
    "training": "Training",
    "val": "PublicTest",
    "valid": "PublicTest",
    "validation": "PublicTest",
    "publictest": "PublicTest",
    "test": "PrivateTest",
    "privatetest": "PrivateTest",
}
_SPLIT_ENDS = (0.8, 0.9)
"""Without split folders, eight in ten people go to Training, one to PublicTest, the rest on."""

_NUMBER = re.compile(r"[_ -]?\d+$")


@dataclass(frozen=True)
class Photographs:
    """Labelled pictures of one face each, where they lie; none is decoded before it is asked for.

    Attributes:
        source: The folder or the zip.
        names: The name of each file within it.
        targets: (n,) int8, indices of `EMOTIONS`.
        splits: (n,) uint8, indices of `SPLITS`.
        people: (n,) int32, a number for each person.
    """

    source: Path
    names: tuple[str, ...]
    targets: NDArray[np.int8]
    splits: NDArray[np.uint8]
    people: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def has_splits(self) -> bool:
        """Whether folders tell the splits; if not, people were dealt out to them."""
        return any(name.count("/") != 1 for name in self.names)

    def split(self, name: str) -> Photographs:
        """The pictures of one of `SPLITS`."""
        return self.select(np.flatnonzero(self.splits == SPLITS.index(name)))

    def select(self, rows: NDArray[np.int64]) -> Photographs:
        """The pictures of these rows."""
        return replace(
            self,
            names=tuple(self.names[row] for row in rows),
            targets=self.targets[rows],
            splits=self.splits[rows],
            people=self.people[rows],
        )

    def targets_among(self, labels: Sequence[str]) -> NDArray[np.int8]:
        """Which of a version's labels each picture bears: (n,) int8, -1 for none of them."""
        index_of = {CLASS_WORDS.get(label, label): i for i, label in enumerate(labels)}
        return np.array([index_of.get(EMOTIONS[target], -1) for target in self.targets], np.int8)

    def contents(self) -> Iterator[bytes]:
        """The bytes of each file, in order. Raises DataError."""
        try:
            if self.source.is_dir():
                for name in self.names:
                    yield (self.source / name).read_bytes()
            else:
                with zipfile.ZipFile(self.source) as archive:
                    for name in self.names:
                        yield archive.read(name)
        except (OSError, zipfile.BadZipFile, RuntimeError) as error:
            raise DataError(
                f"{self.source}: a picture cannot be read ({error}); copy the data again."
            ) from error

    def images(self) -> Iterator[NDArray[np.uint8]]:
        """Each picture as RGB (height, width, 3) uint8. Raises DataError naming a damaged one."""
        for name, content in zip(self.names, self.contents(), strict=True):
            try:
                yield load_image(content, name=f"{self.source}, {name}")
            except ImageError as error:
                raise DataError(f"{error}; or take the file out of the data.") from error

    @property
    def sha256(self) -> str:
        """Digest of names and bytes: the same pictures were learnt or measured where it agrees."""
        digest = hashlib.sha256()
        for name, content in zip(self.names, self.contents(), strict=True):
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()


def read_photographs(
    path: Path | str, classes: Mapping[str, str] | None = None, *, seed: int = 0
) -> Photographs:
    """The pictures of a folder or a zip, sorted by name.

    Args:
        path: Holds `<split>/<class>/<file>`, or `<class>/<file>`, whose people are then dealt out
            to the splits.
        classes: Further names of folders, each with the one of `EMOTIONS` (or of its common words)
            that it stands for.
        seed: Of the dealing out.

    Raises:
        DataError: The path is neither, a folder bears an unknown name, or there is no picture.
    """
    path = Path(path)
    emotion_of = _class_words(classes or {})
    names = _picture_names(path)
    targets = np.array([_target(name, emotion_of, path) for name in names], np.int8)
    _, numbers = np.unique([_person(name) for name in names], return_inverse=True)
    people = np.asarray(numbers, np.int32)
    if all(len(name.parts) == 2 for name in names):
        splits = _dealt_out(people, seed)
    else:
        splits = np.array([_split(name, path) for name in names], np.uint8)
    return Photographs(path, tuple(map(str, names)), targets, splits, people)


def sampling_weights(
    targets: NDArray[np.int8], people: NDArray[np.int32], power: float
) -> NDArray[np.float64]:
    """How often each picture is sampled, as probabilities (n,).

    A person counts with the square root of the number of their pictures, a class of n pictures
    with n to the `power`: 1 samples the classes as they come, 0 all alike.
    """
    pictures_of_person = np.bincount(people)[people]
    weights = 1 / np.sqrt(pictures_of_person)
    class_weights = np.bincount(targets, weights, minlength=len(EMOTIONS))
    class_sizes = np.bincount(targets, minlength=len(EMOTIONS)).astype(np.float64)
    weights *= class_sizes[targets] ** power / class_weights[targets]
    return np.asarray(weights / weights.sum(), np.float64)


def _class_words(classes: Mapping[str, str]) -> dict[str, str]:
    """The emotion that each name of a folder stands for."""
    words = {**CLASS_WORDS, **{name: name for name in EMOTIONS}}
    words |= {name.lower(): words.get(word.lower(), word) for name, word in classes.items()}
    if unknown := sorted(set(words.values()) - set(EMOTIONS)):
        raise DataError(f"received the class {', '.join(unknown)}, expected {', '.join(EMOTIONS)}.")
    return words


def _picture_names(path: Path) -> list[PurePosixPath]:
    files = [PurePosixPath(name) for name in _file_names(path)]
    pictures = sorted(name for name in files if name.suffix.lower() in ACCEPTED_SUFFIXES)
    if not pictures:
        raise DataError(
            f"{path}: there is no picture in it; expected <split>/<class>/*.jpg or <class>/*.jpg."
        )
    return pictures


def _file_names(path: Path) -> list[str]:
    if path.is_dir():
        return [file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()]
    if not path.exists():
        raise DataError(
            f"{path} does not exist; expected a folder or a zip of <split>/<class>/*.jpg."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            return [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: neither a folder nor a readable zip ({error}).") from error


def _target(name: PurePosixPath, emotion_of: Mapping[str, str], path: Path) -> int:
    emotion = emotion_of.get(name.parent.name.lower())
    if emotion is None:
        raise DataError(
            f"{path}: unknown class folder {name.parent.name!r} of {name}, expected one of "
            f"{', '.join(sorted(emotion_of))}; name what it stands for, or take it out."
        )
    return EMOTIONS.index(emotion)


def _split(name: PurePosixPath, path: Path) -> int:
    folder = name.parts[-3].lower() if len(name.parts) > 2 else ""
    if folder not in SPLIT_WORDS:
        raise DataError(
            f"{path}: cannot tell the split of {name}; expected <split>/<class>/<file> with a split"
            f" of {', '.join(SPLIT_WORDS)}, or <class>/<file> throughout."
        )
    return SPLITS.index(SPLIT_WORDS[folder])


def _person(name: PurePosixPath) -> str:
    """Who a picture shows: its name without the number, or itself where nothing else is left."""
    return _NUMBER.sub("", name.stem) or str(name)


def _dealt_out(people: NDArray[np.int32], seed: int) -> NDArray[np.uint8]:
    """A random split for each picture, the same for all pictures of one person."""
    draws = np.random.default_rng(seed).random(int(people.max()) + 1)
    split_of_person = np.searchsorted(_SPLIT_ENDS, draws, side="right").astype(np.uint8)
    return split_of_person[people]
