"""Detector and classifier joined: a detector with known faces, a graph with known numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fer import Box, CropGeometry, EmotionClassifier, Face, FERPipeline, ModelError, load_version
from fer.detection.whole_picture import WholePicture
from fer.preprocessing import ONE_VIEW, Views, crop_faces, crop_views
from tests.factories.versions import LABELS, write_tiny

FACES = [
    Face(Box(100, 50, 180, 150), 0.9),
    Face(Box(10, 20, 60, 90), 0.8),
    Face(Box(0, 0, 30, 40), 0.7, None, Box(-20, -25, 30, 40)),
]
IMAGE = np.random.default_rng(0).integers(0, 256, (200, 220, 3)).astype(np.uint8)


@dataclass
class FixedDetector:
    """Finds the same faces in every picture."""

    faces: list[Face]
    name: str = "fixed"

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        assert image is IMAGE
        return self.faces


@pytest.fixture
def classifier(tmp_path: Path) -> EmotionClassifier:
    return EmotionClassifier(
        write_tiny(tmp_path, crops={"fixed": {"scale": 1.2, "shift": [0.05, -0.1], "level": False}})
    )


def test_no_face_gives_no_prediction(classifier):
    assert FERPipeline(FixedDetector([]), classifier)(IMAGE) == []


@pytest.mark.parametrize("order", [(0,), (0, 1, 2), (2, 0, 1)])
def test_predictions_keep_the_order_of_the_faces(classifier, order):
    faces = [FACES[i] for i in order]
    predictions = FERPipeline(FixedDetector(faces), classifier)(IMAGE)
    assert [prediction.face for prediction in predictions] == faces
    for prediction in predictions:
        assert tuple(prediction.scores) == LABELS
        assert sum(prediction.scores.values()) == pytest.approx(1, abs=1e-6)


def test_the_crop_is_what_the_classifier_saw(classifier):
    predictions = FERPipeline(FixedDetector(FACES), classifier)(IMAGE)
    crops = crop_faces(IMAGE, FACES, CropGeometry(1.2, (0.05, -0.1)), (8, 6))
    for prediction, crop in zip(predictions, crops, strict=True):
        assert np.array_equal(prediction.crop, crop)
        scores = classifier.predict(prediction.crop[None])[0]
        assert list(prediction.scores.values()) == pytest.approx(scores.tolist(), abs=1e-6)


@pytest.mark.parametrize("mirror", [False, True])
def test_every_view_of_the_version_is_seen_and_the_first_is_shown(tmp_path, mirror):
    crops = {"fixed": {"scale": 1.0, "shift": [0.0, 0.0], "level": False}}
    views = {"scales": [0.8, 1.3], "mirror": mirror}
    classifier = EmotionClassifier(write_tiny(tmp_path / "views", crops=crops, views=views))
    every = crop_views(IMAGE, FACES, CropGeometry(1.0), Views((0.8, 1.3), mirror), (8, 6))
    predictions = FERPipeline(FixedDetector(FACES), classifier)(IMAGE)
    for prediction, of_face, scores in zip(
        predictions, every, classifier.predict(every), strict=True
    ):
        assert np.array_equal(prediction.crop, of_face[0])
        assert list(prediction.scores.values()) == pytest.approx(scores.tolist(), abs=1e-6)


def test_a_crowd_is_classified_like_its_members(classifier):
    crowd = [
        Face(Box(x, y, x + 20, y + 25), 0.9) for x in range(0, 200, 10) for y in range(0, 170, 25)
    ]
    together = FERPipeline(FixedDetector(crowd), classifier)(IMAGE)
    assert len(together) == len(crowd) > 64
    for face, prediction in list(zip(crowd, together, strict=True))[::17]:
        alone = FERPipeline(FixedDetector([face]), classifier)(IMAGE)[0]
        assert list(prediction.scores.values()) == pytest.approx(
            list(alone.scores.values()), abs=1e-6
        )


def test_the_picture_is_left_alone(classifier):
    before = IMAGE.copy()
    FERPipeline(FixedDetector(FACES), classifier)(IMAGE)
    assert np.array_equal(IMAGE, before)


def test_a_version_without_the_detector_s_geometry_is_refused_at_once(classifier):
    with pytest.raises(
        ModelError, match="version tiny has no crop geometry for the detector 'other'; it has fixed"
    ):
        FERPipeline(FixedDetector(FACES, "other"), classifier)


@pytest.mark.parametrize("name", ["blazeface", "yunet"])
def test_the_bundled_version_fits_both_detectors(name):
    assert FERPipeline(FixedDetector([], name), EmotionClassifier(load_version()))(IMAGE) == []


def test_a_detector_of_one_s_own_brings_its_geometry(classifier):
    """Under a name that the version does not know.

    The geometry given wins over one that it does.
    """
    geometry = CropGeometry(0.7, (-0.1, 0.2))
    crops = crop_faces(IMAGE, FACES, geometry, (8, 6))
    for name in ("mine", "fixed"):
        predictions = FERPipeline(FixedDetector(FACES, name), classifier, geometry=geometry)(IMAGE)
        assert np.array_equal([prediction.crop for prediction in predictions], crops)


def fer2013_faces() -> NDArray[np.uint8]:
    path = Path(__file__).parents[3] / "shared" / "data" / "fer2013" / "fer2013.npz"
    if not path.is_file():
        pytest.skip(f"needs the faces in {path}, which are not there")
    with np.load(path) as data:
        return np.asarray(data["images"][-20:], np.uint8)


def grey_noise() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (20, 48, 48)).astype(np.uint8)


@pytest.mark.parametrize("pictures", [fer2013_faces, grey_noise])
@pytest.mark.parametrize("views", [ONE_VIEW, Views((1.2, 0.9), mirror=True)])
def test_a_picture_that_is_a_face_is_used_as_it_is(pictures, views):
    """Without a detector, and by a version that was made for two detectors."""
    faces = pictures()
    classifier = EmotionClassifier(replace(load_version("flagship-fer2013"), views=views))
    pipeline = FERPipeline(WholePicture(), classifier)
    predictions = [
        prediction for face in faces for prediction in pipeline(np.stack([face] * 3, axis=-1))
    ]
    assert np.array_equal([prediction.crop for prediction in predictions], faces)
    expected = [classifier.predict(face[None])[0].tolist() for face in faces]
    assert [list(prediction.scores.values()) for prediction in predictions] == expected


@pytest.mark.parametrize("size", [(1, 1), (30, 200), (200, 30), (900, 700)])
def test_without_a_detector_any_picture_gives_one_answer(classifier, size):
    image = np.full((*size, 3), 90, np.uint8)
    (prediction,) = FERPipeline(WholePicture(), classifier)(image)
    assert (prediction.crop == 90).all()


@pytest.mark.parametrize(
    "thing", ["photo.jpg", Path("photo.jpg"), b"", [], [IMAGE, IMAGE], None, Image.new("L", (9, 9))]
)
def test_what_is_no_array_is_told(classifier, thing):
    with pytest.raises(
        TypeError, match=r"a picture must be an RGB uint8 array \(height, width, 3\), received "
    ) as caught:
        FERPipeline(FixedDetector(FACES), classifier)(thing)
    assert f"received {type(thing).__name__}; load_image reads files, " in str(caught.value)
