"""Photos under several versions: every face is found once and classified by each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app_pages.photos.photo import Photo
from app_pages.shared.pictures import jpeg_url
from fer import (
    EmotionClassifier,
    Face,
    FaceDetector,
    FERPipeline,
    ImageError,
    ModelError,
    Prediction,
)
from fer.preprocessing import crop_faces

_PORTRAIT_SIDE = 96
_JPEG_QUALITY = 95


class ComparedFace(NamedTuple):
    """One face of a photo, and what each version says of it.

    Attributes:
        photo: the photo's name.
        number: which of its faces.
        portrait: a picture of the face as a data URL.
        face: where it is, and how well it was found.
        answers: a prediction for each version that gave one.
    """

    photo: str
    number: int
    portrait: str
    face: Face
    answers: Mapping[str, Prediction]

    @property
    def shared(self) -> list[str]:
        """The expressions that all versions know, in the order of the first."""
        scores = [answer.scores for answer in self.answers.values()]
        if not scores:
            return []
        first, *others = scores
        return [label for label in first if all(label in other for other in others)]

    @property
    def agreed(self) -> bool:
        """Whether all versions find the same one of the shared expressions the most probable."""
        return len({_likeliest(answer, self.shared) for answer in self.answers.values()}) <= 1


@dataclass
class _ComparedPhoto:
    """What is known of one photo: its faces, and the answers and errors of each version.

    An `error` is that of the photo itself.
    """

    faces: Sequence[Face] = ()
    portraits: Sequence[str] = ()
    answers: dict[object, Sequence[Prediction]] = field(default_factory=dict)
    errors: dict[object, str] = field(default_factory=dict)
    error: str = ""

    def knows(self, classifier: EmotionClassifier) -> bool:
        """Whether nothing is left to do for this version."""
        key = _key(classifier)
        return bool(self.error) or key in self.answers or key in self.errors

    def problems(self, name: str, classifiers: Sequence[EmotionClassifier]) -> list[str]:
        """Why the photo of this name could not be used, by any version or by some of these."""
        if self.error:
            return [self.error]
        keys = [_key(classifier) for classifier in classifiers]
        return [f"{name}: {self.errors[key]}" for key in keys if key in self.errors]


@dataclass
class SideBySide:
    """The answers of one session by photo, under one detector; nothing is computed twice."""

    _detector: str = ""
    _compared: dict[str, _ComparedPhoto] = field(default_factory=dict)

    def classify(
        self,
        photos: Mapping[str, Photo],
        detector: FaceDetector,
        classifiers: Sequence[EmotionClassifier],
    ) -> Iterator[int]:
        """Fill in what is missing, yielding how many photos are done before each."""
        if detector.name != self._detector:
            self._detector = detector.name
            self._compared = {}
        for identity in self._compared.keys() - photos.keys():
            del self._compared[identity]
        for done, (identity, photo) in enumerate(photos.items()):
            compared = self._compared.get(identity)
            missing = [c for c in classifiers if not (compared and compared.knows(c))]
            if missing:
                yield done
                self._compared[identity] = _compare(photo, detector, missing, compared)

    def faces(
        self, photos: Mapping[str, Photo], classifiers: Sequence[EmotionClassifier]
    ) -> list[ComparedFace]:
        """Every face of every photo, those first on which the versions disagree."""
        faces = [
            ComparedFace(
                photo.name,
                index + 1,
                compared.portraits[index],
                face,
                _answers_at(index, compared, classifiers),
            )
            for identity, photo in photos.items()
            for compared in [self._compared[identity]]
            for index, face in enumerate(compared.faces)
        ]
        return sorted(faces, key=lambda face: face.agreed)

    def failed(
        self, photos: Mapping[str, Photo], classifiers: Sequence[EmotionClassifier]
    ) -> list[str]:
        """Why photos could not be used, by any version or by one of them."""
        return [
            problem
            for identity, compared in self._compared.items()
            for problem in compared.problems(photos[identity].name, classifiers)
        ]


def _likeliest(answer: Prediction, labels: Sequence[str]) -> str:
    return max(labels, key=lambda label: answer.scores[label], default="")


def _answers_at(
    index: int, compared: _ComparedPhoto, classifiers: Sequence[EmotionClassifier]
) -> dict[str, Prediction]:
    return {
        classifier.version.name: compared.answers[_key(classifier)][index]
        for classifier in classifiers
        if _key(classifier) in compared.answers
    }


def _compare(
    photo: Photo,
    detector: FaceDetector,
    classifiers: Sequence[EmotionClassifier],
    compared: _ComparedPhoto | None,
) -> _ComparedPhoto:
    """Find the photo's faces if that is still to do, and let these versions classify them."""
    try:
        image = photo.load()
    except ImageError as error:
        return _ComparedPhoto(error=str(error))
    if compared is None:
        faces = detector.detect(image)
        compared = _ComparedPhoto(faces, _portraits(image, faces, detector, classifiers[0]))
    for classifier in classifiers:
        key = _key(classifier)
        try:
            compared.answers[key] = FERPipeline(detector, classifier).classify(
                image, compared.faces
            )
        except ModelError as error:
            compared.errors[key] = str(error)
    return compared


def _portraits(
    image: NDArray[np.uint8],
    faces: Sequence[Face],
    detector: FaceDetector,
    classifier: EmotionClassifier,
) -> list[str]:
    geometry = classifier.version.geometry(detector.name)
    sides = (_PORTRAIT_SIDE, _PORTRAIT_SIDE)
    portraits = crop_faces(image, faces, geometry, sides, grey=False)
    return [jpeg_url(portrait, _JPEG_QUALITY) for portrait in portraits]


def _key(classifier: EmotionClassifier) -> object:
    version = classifier.version
    return version.name, version.sha256, version.temperature, version.views
