"""The visitor's photos under several versions.

Every face is found once and classified by each of them.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app_pages.photos.photo import Photo
from app_pages.shared.face_cards import swatch
from fer import EmotionClassifier, Face, FaceDetector, ImageError, Prediction
from fer.preprocessing import crop_faces, crop_views

_PORTRAIT_SIDE = 96
Answers = tuple[Prediction, ...]


class Row(NamedTuple):
    """One face: the photo's name, its number there, a picture of it as a data URL.

    And each version's answer.
    """

    photo: str
    number: int
    portrait: str
    answers: Mapping[str, Prediction]

    @property
    def shared(self) -> list[str]:
        """The expressions that all versions know, in the order of the first."""
        first, *others = (answer.scores for answer in self.answers.values())
        return [label for label in first if all(label in scores for scores in others)]

    @property
    def agreed(self) -> bool:
        """Whether all versions find the same one of the shared expressions the most probable."""
        return len({_likeliest(answer, self.shared) for answer in self.answers.values()}) == 1

    @property
    def doubts(self) -> tuple[str, ...]:
        """What makes every version's answer about this face uncertain."""
        return next(iter(self.answers.values())).face.doubts


@dataclass
class _Seen:
    """What is known of one photo: its faces with a picture each, and each version's answers."""

    faces: Sequence[Face] = ()
    portraits: Sequence[str] = ()
    answers: dict[object, Answers] = field(default_factory=dict)
    error: str = ""


@dataclass
class SideBySide:
    """The answers of one session by photo, under one detector; nothing is computed twice."""

    _detector: str = ""
    _seen: dict[str, _Seen] = field(default_factory=dict)

    def classify(
        self,
        photos: Mapping[str, Photo],
        detector: FaceDetector,
        classifiers: Sequence[EmotionClassifier],
    ) -> Iterator[int]:
        """Fill in what is missing, yielding how many photos are done before each."""
        if detector.name != self._detector:
            self._detector, self._seen = detector.name, {}
        self._seen = {identity: seen for identity, seen in self._seen.items() if identity in photos}
        for done, (identity, photo) in enumerate(photos.items()):
            seen = self._seen.get(identity)
            missing = [c for c in classifiers if not seen or _key(c) not in seen.answers]
            if missing and not (seen and seen.error):
                yield done
                self._seen[identity] = _look(photo, detector, missing, seen)

    def rows(
        self, photos: Mapping[str, Photo], classifiers: Sequence[EmotionClassifier]
    ) -> list[Row]:
        """Every face of every photo, those first on which the versions disagree."""
        rows = [
            Row(
                photo.name,
                number,
                portrait,
                {c.version.name: seen.answers[_key(c)][number - 1] for c in classifiers},
            )
            for identity, photo in photos.items()
            if not (seen := self._seen[identity]).error
            for number, portrait in enumerate(seen.portraits, start=1)
        ]
        return sorted(rows, key=lambda row: row.agreed)

    def failed(self) -> list[str]:
        """Why photos could not be used."""
        return [seen.error for seen in self._seen.values() if seen.error]


def summary(rows: Sequence[Row], versions: int) -> str:
    """How often the versions agree, in words."""
    faces = f"{len(rows)} face{'s' * (len(rows) != 1)}"
    if versions < 2 or not rows:
        return f"{faces} found."
    if not rows[0].shared:
        return f"{faces} found; there is no expression that all of these versions know."
    same = sum(row.agreed for row in rows)
    some = "Both" if versions == 2 else f"All {versions}"
    alike = all(len(answer.scores) == len(rows[0].shared) for answer in rows[0].answers.values())
    among = "" if alike else f", among those that {some.lower()} know: {', '.join(rows[0].shared)}"
    return (
        f"{some} versions give the same expression to {same} of {faces}"
        f" ({same / len(rows):.0%}){among}."
    )


def faces_html(rows: Sequence[Row], marks: Mapping[str, str]) -> str:
    """Each face with the answers beside it, as HTML; `marks` are the versions' signs by name."""
    return f'<div class="fer-duel">{"".join(_face_html(row, marks) for row in rows)}</div>'


def _likeliest(answer: Prediction, labels: Sequence[str]) -> str:
    return max(labels, key=lambda label: answer.scores[label], default="")


def _face_html(row: Row, marks: Mapping[str, str]) -> str:
    title = f"{html.escape(row.photo)}, face {row.number}"
    answers = "".join(_answer(marks[name], name, answer) for name, answer in row.answers.items())
    remarks = row.doubts if row.agreed else (*row.doubts, "they disagree")
    small = f"<small>{', '.join(remarks)}</small>" if remarks else ""
    picture = f'<img src="{row.portrait}" alt="{title}">'
    return f"<figure>{picture}<div><figcaption>{title} {small}</figcaption>{answers}</div></figure>"


def _answer(mark: str, name: str, answer: Prediction) -> str:
    uncertain = " <small>uncertain</small>" if answer.uncertain else ""
    seen = f'<img src="{_url(".png", answer.crop)}" alt="What {html.escape(name)} saw">'
    return (
        f"<div>{seen}<span>{mark}"
        f" {html.escape(name)}</span><span>{swatch(answer.label, list(answer.scores))}<b>{html.escape(answer.label)}</b>"
        f" {answer.score:.2f}{uncertain}</span></div>"
    )


def _look(
    photo: Photo,
    detector: FaceDetector,
    classifiers: Sequence[EmotionClassifier],
    seen: _Seen | None,
) -> _Seen:
    try:
        image = photo.load()
    except ImageError as error:
        return _Seen(error=str(error))
    if seen is None:
        faces = detector.detect(image)
        geometry = classifiers[0].version.geometry(detector.name)
        portraits = crop_faces(image, faces, geometry, (_PORTRAIT_SIDE, _PORTRAIT_SIDE), grey=False)
        seen = _Seen(
            faces,
            [_url(".jpg", cv2.cvtColor(portrait, cv2.COLOR_RGB2BGR)) for portrait in portraits],
        )
    for classifier in classifiers:
        seen.answers[_key(classifier)] = _answers(image, seen.faces, classifier, detector.name)
    return seen


def _answers(
    image: NDArray[np.uint8], faces: Sequence[Face], classifier: EmotionClassifier, detector: str
) -> Answers:
    version = classifier.version
    views = version.views_with(detector)
    crops = crop_views(image, faces, version.geometry(detector), views, version.input_shape[:2])
    return tuple(classifier.classify(faces, crops))


def _key(classifier: EmotionClassifier) -> object:
    version = classifier.version
    return version.name, version.sha256, version.temperature, version.views


def _url(suffix: str, picture: NDArray[Any]) -> str:
    _, data = cv2.imencode(suffix, picture)
    kind = {".jpg": "jpeg", ".png": "png"}[suffix]
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode()}"
