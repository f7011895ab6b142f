"""Photos under several versions: what is computed, kept, and said where something fails."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from app_pages.compare import side_by_side
from app_pages.compare.side_by_side import SideBySide
from app_pages.photos.photo import Photo
from fer import Box, Face, ModelError, Prediction
from tests.support.pages import COLLINS, HOPPER

FACE = Face(Box(100, 50, 300, 250), 0.9)


class Classifier:
    """Answers always the same, or fails on every photo whose number is in `fails_on`."""

    def __init__(self, name: str, label: str, *, fails_on: tuple[int, ...] = ()) -> None:
        self.version = SimpleNamespace(name=name, sha256=name, temperature=1.0, views=())
        self.label = label
        self.fails_on = fails_on
        self.calls = 0

    def answers(self, *_: object) -> list[Prediction]:
        self.calls += 1
        if self.calls in self.fails_on:
            raise ModelError(f"version {self.version.name}: broken.")
        scores = {"happy": 0.1, "sad": 0.1} | {self.label: 0.9}
        return [Prediction(FACE, scores, np.zeros((48, 48), np.uint8))]


@pytest.fixture(autouse=True)
def no_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "_portraits", lambda *_: ["data:,"])
    monkeypatch.setattr(
        side_by_side,
        "FERPipeline",
        lambda _, classifier: SimpleNamespace(classify=classifier.answers),
    )


@pytest.fixture
def photos() -> dict[str, Photo]:
    found = [Photo(path.name, path.read_bytes()) for path in (COLLINS, HOPPER)]
    return {photo.id: photo for photo in found}


def detector(name: str = "blazeface") -> SimpleNamespace:
    return SimpleNamespace(name=name, detect=lambda _: [FACE])


def test_nothing_is_computed_twice(photos: dict[str, Photo]) -> None:
    compared = SideBySide()
    one, other = Classifier("one", "happy"), Classifier("other", "sad")
    assert list(compared.classify(photos, detector(), [one])) == [0, 1]
    assert list(compared.classify(photos, detector(), [one, other])) == [0, 1]
    assert list(compared.classify(photos, detector(), [one, other])) == []
    assert (one.calls, other.calls) == (2, 2)
    assert list(compared.classify(photos, detector("yunet"), [one])) == [0, 1]
    assert one.calls == 4


def test_a_version_that_fails_on_one_photo_keeps_the_rest(photos: dict[str, Photo]) -> None:
    compared = SideBySide()
    good, bad = Classifier("good", "happy"), Classifier("bad", "happy", fails_on=(2,))
    list(compared.classify(photos, detector(), [good, bad]))
    faces = compared.faces(photos, [good, bad])
    assert [(face.photo, list(face.answers)) for face in faces] == [
        (COLLINS.name, ["good", "bad"]),
        (HOPPER.name, ["good"]),
    ]
    assert compared.failed(photos, [good, bad]) == [f"{HOPPER.name}: version bad: broken."]
    assert compared.failed(photos, [good]) == []
    assert list(compared.classify(photos, detector(), [good, bad])) == []


def test_a_face_without_any_answer_is_still_there(photos: dict[str, Photo]) -> None:
    compared = SideBySide()
    bad = Classifier("bad", "happy", fails_on=(1, 2))
    list(compared.classify(photos, detector(), [bad]))
    faces = compared.faces(photos, [bad])
    assert [(face.answers, face.shared, face.agreed) for face in faces] == [({}, [], True)] * 2


def test_a_file_that_is_no_picture_is_named_once() -> None:
    photo = Photo("bad.jpg", b"no picture")
    compared = SideBySide()
    versions = [Classifier("one", "happy"), Classifier("other", "sad")]
    list(compared.classify({photo.id: photo}, detector(), versions))
    (reason,) = compared.failed({photo.id: photo}, versions)
    assert reason.startswith("bad.jpg: not an image")
    assert compared.faces({photo.id: photo}, versions) == []


def test_photos_that_went_are_forgotten(photos: dict[str, Photo]) -> None:
    compared = SideBySide()
    version = Classifier("one", "happy")
    list(compared.classify(photos, detector(), [version]))
    first = next(iter(photos))
    left = {first: photos[first]}
    assert list(compared.classify(left, detector(), [version])) == []
    assert len(compared.faces(left, [version])) == 1
    assert compared.failed(left, [version]) == []


def test_where_versions_disagree_comes_first(photos: dict[str, Photo]) -> None:
    compared = SideBySide()
    one = Classifier("one", "happy")
    other = Classifier("other", "happy")
    run = compared.classify(photos, detector(), [one, other])
    next(run)
    next(run)
    other.label = "sad"
    list(run)
    faces = compared.faces(photos, [one, other])
    assert [(face.photo, face.agreed) for face in faces] == [
        (HOPPER.name, False),
        (COLLINS.name, True),
    ]
