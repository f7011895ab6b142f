"""Read labelled photographs of faces, in a folder or a zip, and cut their faces as `fer` does when it serves.

    read_photographs("natural.zip")       <split>/<class>/<person>_<number>.jpg
    read_photographs("mine")              the same as files; without the splits, <class>/*.jpg

Pictures may have any size and any format that the app accepts. A class is one of `EMOTIONS` or a
common other word for it; the caller may name more. Pictures whose names differ in the number at the
end alone show one person, so that nobody is drawn more often, or stands in two splits, because many
pictures of him exist.
"""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer import DataError, FaceDetector, ImageError, load_detector, load_image
from fer.cli.console import without_chatter
from fer.images import ACCEPTED_SUFFIXES
from fer.preprocessing import GEOMETRIES, CropGeometry, crop_faces
from training.data.fer2013 import EMOTIONS, FERPLUS_INDEX, SPLITS

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
_SHARES = (0.8, 0.9)
"""Without split folders, people are dealt out.

To Training up to the first share, to PublicTest up to the second.
"""

_NUMBER = re.compile(r"[_ -]?\d+$")


@dataclass(frozen=True)
class Photographs:
    """Labelled pictures of one face each, where they lie; none is decoded before `read`.

    `labels` (n,) int8 index `EMOTIONS`, `splits` (n,) uint8 index `SPLITS`, `people` (n,) int32
    number the people.
    """

    source: Path
    names: tuple[str, ...]
    labels: NDArray[np.int8]
    splits: NDArray[np.uint8]
    people: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.names)

    def split(self, name: str) -> Photographs:
        """The pictures of one of `SPLITS`."""
        return self.select(np.flatnonzero(self.splits == SPLITS.index(name)))

    def select(self, rows: NDArray[np.int64]) -> Photographs:
        """The pictures of these rows."""
        names = tuple(self.names[row] for row in rows)
        return replace(
            self,
            names=names,
            labels=self.labels[rows],
            splits=self.splits[rows],
            people=self.people[rows],
        )

    def indices(self, labels: Sequence[str]) -> NDArray[np.int8]:
        """Which of a version's labels each picture bears: (n,) int8, -1 for none of them."""
        place = {CLASS_WORDS.get(label, label): i for i, label in enumerate(labels)}
        return np.array([place.get(EMOTIONS[label], -1) for label in self.labels], np.int8)

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
        """Each picture as RGB (height, width, 3) uint8.

        Raises DataError naming the first that is damaged.
        """
        for name, content in zip(self.names, self.contents(), strict=True):
            try:
                yield load_image(content, name=f"{self.source}, {name}")
            except ImageError as error:
                raise DataError(f"{error}; or take the file out of the data.") from error

    @property
    def sha256(self) -> str:
        """Digest of names and bytes: what was learnt or measured is the same only where it agrees."""
        digest = hashlib.sha256()
        for name, content in zip(self.names, self.contents(), strict=True):
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()


@dataclass(frozen=True)
class Faces:
    """The main face of each photograph.

    `crops` (n, side, side) uint8 grey, black where `found` (n,) bool is False.
    """

    crops: NDArray[np.uint8]
    found: NDArray[np.bool_]


@dataclass(frozen=True)
class WideFaces:
    """Faces that were found in photographs, each with some of what lies around it.

    The middle `side` pixels of `crops` (n, wide, wide) uint8 are the crop that is served. `labels`
    (n,) int8 index `EMOTIONS`, `people` (n,) int32 number the people.
    """

    crops: NDArray[np.uint8]
    labels: NDArray[np.int8]
    people: NDArray[np.int32]
    side: int

    def __len__(self) -> int:
        return len(self.crops)

    def select(self, rows: NDArray[np.int64]) -> WideFaces:
        """The faces of these rows."""
        return WideFaces(self.crops[rows], self.labels[rows], self.people[rows], self.side)

    @property
    def middles(self) -> NDArray[np.uint8]:
        """The crops that are served: (n, side, side)."""
        edge = (self.crops.shape[1] - self.side) // 2
        return self.crops[:, edge : edge + self.side, edge : edge + self.side]

    @property
    def expressions(self) -> NDArray[np.int8]:
        """The labels as indices of `fer.LABELS`, -1 for an emotion that is none of them."""
        index = np.full(len(EMOTIONS), -1, np.int8)
        index[list(FERPLUS_INDEX)] = np.arange(len(FERPLUS_INDEX))
        return index[self.labels]


def read_photographs(
    path: Path | str, classes: Mapping[str, str] | None = None, *, seed: int = 0
) -> Photographs:
    """The pictures of a folder or a zip, sorted by name.

    Args:
        path: holds `<split>/<class>/<file>`, or `<class>/<file>`, whose people are then dealt out to the splits.
        classes: further names of folders, each with the one of `EMOTIONS` (or of its common words) that it stands for.
        seed: of the dealing out.

    Raises:
        DataError: the path is neither, a folder bears an unknown name, or there is no picture.
    """
    path = Path(path)
    words = {**CLASS_WORDS, **{name: name for name in EMOTIONS}}
    words |= {name.lower(): words.get(word.lower(), word) for name, word in (classes or {}).items()}
    if unknown := sorted(set(words.values()) - set(EMOTIONS)):
        raise DataError(f"received the class {', '.join(unknown)}, expected {', '.join(EMOTIONS)}.")
    names = [PurePosixPath(name) for name in _file_names(path)]
    names = sorted(name for name in names if name.suffix.lower() in ACCEPTED_SUFFIXES)
    if not names:
        raise DataError(
            f"{path}: there is no picture in it; expected <split>/<class>/*.jpg or <class>/*.jpg."
        )
    labels = np.array([_label(name, words, path) for name in names], np.int8)
    _, numbers = np.unique([_person(name) for name in names], return_inverse=True)
    people = np.asarray(numbers, np.int32)
    if all(len(name.parts) == 2 for name in names):
        splits = _dealt(people, seed)
    else:
        splits = np.array([_split(name, path) for name in names], np.uint8)
    return Photographs(path, tuple(map(str, names)), labels, splits, people)


def cut_faces(
    photographs: Photographs,
    detector: FaceDetector,
    geometry: CropGeometry,
    side: int,
    cache: Path | None = None,
) -> Faces:
    """Find the largest face of each picture and cut it: once, if there is a folder for `cache`."""
    settings = f"{photographs.sha256} {detector.name} {geometry} {side}"
    kept = cache and cache / f"faces-{hashlib.sha256(settings.encode()).hexdigest()[:24]}.npz"
    if kept and kept.is_file():
        with np.load(kept, allow_pickle=False) as stored:
            return Faces(stored["crops"], stored["found"])
    pictures = tqdm(photographs.images(), total=len(photographs), unit="face", disable=None)
    crops = [_cut(image, detector, geometry, side) for image in pictures]
    found = np.array([crop is not None for crop in crops], bool)
    nothing = np.zeros((side, side), np.uint8)
    faces = Faces(np.stack([nothing if crop is None else crop for crop in crops]), found)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part.npz")
        np.savez_compressed(part, crops=faces.crops, found=faces.found)
        part.replace(kept)
    return faces


def cut_wide(photographs: Photographs, side: int, scale: float) -> WideFaces:
    """Find the faces with BlazeFace and cut them a third wider than they are served: once, then from the cache.

    `side` is that of the served crop in pixels, `scale` how much larger it is than `GEOMETRIES`
    says.
    """
    wide = side + 2 * (side // 6)
    served = GEOMETRIES["blazeface"]
    geometry = replace(served, scale=served.scale * scale * wide / side)
    with without_chatter():
        detector = load_detector("blazeface")
    faces = cut_faces(photographs, detector, geometry, wide, user_cache())
    found = photographs.select(np.flatnonzero(faces.found))
    return WideFaces(faces.crops[faces.found], found.labels, found.people, side)


def user_cache() -> Path:
    """Where faces are kept between runs: `fer-studio` in the user's cache folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "fer-studio"


def draw_weights(
    labels: NDArray[np.int8], people: NDArray[np.int32], power: float
) -> NDArray[np.float64]:
    """How often each picture is drawn, as probabilities (n,).

    A person counts with the square root of the number of his pictures; a class of n pictures with n
    to the `power`, so that 1 draws the classes as they come and 0 all alike.
    """
    people_counts = np.bincount(people)[people]
    weights = 1 / np.sqrt(people_counts)
    totals = np.bincount(labels, weights, minlength=len(EMOTIONS))
    class_counts = np.bincount(labels, minlength=len(EMOTIONS)).astype(np.float64)
    weights *= class_counts[labels] ** power / totals[labels]
    return np.asarray(weights / weights.sum(), np.float64)


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


def _label(name: PurePosixPath, words: Mapping[str, str], path: Path) -> int:
    word = words.get(name.parent.name.lower())
    if word is None:
        raise DataError(
            f"{path}: unknown class folder {name.parent.name!r} of {name}, expected one of "
            f"{', '.join(sorted(words))}; name what it stands for, or take it out."
        )
    return EMOTIONS.index(word)


def _split(name: PurePosixPath, path: Path) -> int:
    folder = name.parts[-3] if len(name.parts) > 2 else ""
    if folder.lower() not in SPLIT_WORDS:
        raise DataError(
            f"{path}: cannot tell the split of {name}; expected <split>/<class>/<file> with a split"
            f" of {', '.join(SPLIT_WORDS)}, or <class>/<file> throughout."
        )
    return SPLITS.index(SPLIT_WORDS[folder.lower()])


def _person(name: PurePosixPath) -> str:
    """Who a picture shows; a name that is a number alone tells nobody.

    And the picture stands for itself.
    """
    return _NUMBER.sub("", name.stem) or str(name)


def _dealt(people: NDArray[np.int32], seed: int) -> NDArray[np.uint8]:
    """A split for each picture, the same for all of one person."""
    place = np.random.default_rng(seed).random(int(people.max()) + 1)
    return np.searchsorted(_SHARES, place, side="right").astype(np.uint8)[people]


def _cut(
    image: NDArray[np.uint8], detector: FaceDetector, geometry: CropGeometry, side: int
) -> NDArray[np.uint8] | None:
    faces = detector.detect(image)
    return crop_faces(image, faces[:1], geometry, (side, side))[0] if faces else None
