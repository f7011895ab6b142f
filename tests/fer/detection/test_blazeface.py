"""BlazeFace's further looks, and what it calls weak."""

import numpy as np
import pytest

from fer import BlazeFace, Box, load_image
from fer.detection.blazeface_graph import decode
from tests.factories.pictures import SAMPLES, corners, noise, photo


@pytest.mark.parametrize(("cells", "row", "column"), [(2, 1, 0), (3, 1, 1), (3, 0, 2), (4, 3, 2)])
def test_small_faces_of_a_large_picture_are_found_once(cells, row, column):
    group = photo("pyfeat_multi_face.jpg")
    height, width = group.shape[:2]
    wall = np.full((cells * height, cells * width, 3), 128, np.uint8)
    wall[row * height : (row + 1) * height, column * width : (column + 1) * width] = group
    faces = BlazeFace().detect(wall)
    assert len(faces) == 5
    assert all(column * width < face.box.center[0] < (column + 1) * width for face in faces)


@pytest.mark.parametrize("name", ["eileen-collins.jpg", "grace-hopper.jpg"])
@pytest.mark.parametrize("margin", [-0.05, 0.0, 0.1, 0.3])
def test_a_portrait_cut_to_its_face_holds_one_face(name, margin):
    image = load_image(SAMPLES / name)
    detector = BlazeFace()
    (face,) = detector.detect(image)
    left, top, right, bottom = (
        round(v + sign * margin * face.box.height)
        for v, sign in zip(corners(face), (-1, -1, 1, 1), strict=True)
    )
    cut = np.ascontiguousarray(image[max(top, 0) : bottom, max(left, 0) : right])
    (found,) = detector.detect(cut)
    moved = corners(found) + (max(left, 0), max(top, 0)) * 2
    assert np.abs(moved - corners(face)).max() < 0.2 * face.extent.height


@pytest.mark.parametrize(("confidence", "weak"), [(0.69, True), (0.71, False)])
def test_a_blazeface_detection_of_little_confidence_is_weak(monkeypatch, confidence, weak):
    logits, regressors = np.full(896, -9.0, np.float32), np.zeros((896, 16), np.float32)
    logits[400] = np.log(confidence / (1 - confidence))
    regressors[400, 2:4] = 100
    detector = BlazeFace()
    monkeypatch.setattr(
        detector._graph, "candidates", lambda *_, **__: decode(regressors, logits, (256, 256), 0.5)
    )
    image = noise(256, 256)
    for faces in (detector.detect(image), detector.detect_within(image, Box(0, 0, 256, 256))):
        assert [face.weak for face in faces] == [weak]
