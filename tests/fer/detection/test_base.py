"""What every detector does, on real pictures and at the edges."""

import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from fer import Box
from tests.factories.pictures import corners, noise, photo

COUNTS = {
    "pyfeat_multi_face.jpg": 5,
    "pyfeat_single_face.jpg": 1,
    "fr_two_people.jpg": 2,
    "insightface_t1.jpg": 6,
    "fer_no_faces.jpg": 0,
    "inspireface_rot0.jpg": 1,
    "faceapi_bbt2.jpg": 3,
    "inspireface_happy.png": 1,
}


@pytest.mark.parametrize(
    "size",
    [(1, 1), (1, 2), (3, 1), (1, 3000), (3000, 1), (31, 33), (48, 48), (90, 5000), (6000, 8000)],
)
def test_a_picture_of_any_size_without_a_face_gives_none(detector, size):
    assert detector.detect(np.full((*size, 3), 128, np.uint8)) == []


@pytest.mark.parametrize(
    "image", [noise(240, 320), np.zeros((100, 100, 3), np.uint8)], ids=["noise", "black"]
)
def test_no_face_is_an_empty_list(detector, image):
    assert detector.detect(image) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((9, 9), np.uint8),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((9, 9, 3), np.float32),
        np.zeros((0, 9, 3), np.uint8),
    ],
)
def test_anything_but_rgb_bytes_is_refused(detector, image):
    with pytest.raises(ValueError, match="must be RGB uint8"):
        detector.detect(image)


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_every_face_of_a_photo_is_found_and_nothing_else(detector, name, count):
    image = photo(name)
    faces = detector.detect(image)
    assert len(faces) == count
    areas = [face.box.width * face.box.height for face in faces]
    assert areas == sorted(areas, reverse=True)
    for face in faces:
        assert 0 <= face.box.x1 < face.box.x2 <= image.shape[1]
        assert 0 <= face.box.y1 < face.box.y2 <= image.shape[0]
        (x1, y1), (x2, y2) = face.landmarks.left_eye, face.landmarks.right_eye
        assert face.extent.x1 < x1 < x2 < face.extent.x2
        assert face.extent.y1 < (y1 + y2) / 2 < face.extent.center[1]


def test_a_mirrored_photo_gives_mirrored_faces(detector):
    image = photo("pyfeat_single_face.jpg")
    (face,), (mirrored,) = (
        detector.detect(image),
        detector.detect(np.ascontiguousarray(image[:, ::-1])),
    )
    x1, y1, x2, y2 = corners(face)
    expected = np.array((image.shape[1] - x2, y1, image.shape[1] - x1, y2))
    assert np.abs(corners(mirrored) - expected).max() < 0.08 * face.extent.width


def test_a_view_with_negative_strides_is_a_picture_too(detector):
    view = photo("pyfeat_single_face.jpg")[:, ::-1]
    assert detector.detect(view) == detector.detect(view.copy())


@pytest.mark.parametrize("degrees", [-20, 20])
def test_the_eyes_follow_a_tilted_head(detector, degrees):
    image = photo("pyfeat_single_face.jpg")
    height, width = image.shape[:2]
    tilt = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    (face,) = detector.detect(image)
    (tilted,) = detector.detect(np.asarray(cv2.warpAffine(image, tilt, (width, height))))
    for eye in ("left_eye", "right_eye"):
        expected = tilt @ (*getattr(face.landmarks, eye), 1)
        assert np.abs(getattr(tilted.landmarks, eye) - expected).max() < 0.1 * face.extent.width


@pytest.mark.parametrize("name", ["pyfeat_single_face.jpg", "inspireface_happy.png"])
def test_a_face_has_eyes_above_its_nose_and_that_above_its_mouth(detector, name):
    (face,) = detector.detect(photo(name))
    marks = face.landmarks
    assert max(marks.left_eye[1], marks.right_eye[1]) < marks.nose[1] < marks.mouth[1]
    assert marks.left_eye[0] < marks.nose[0] < marks.right_eye[0]
    if detector.name == "blazeface":
        left_ear, right_ear = marks.ears
        assert left_ear[0] < marks.left_eye[0] < marks.right_eye[0] < right_ear[0]


def test_a_mirrored_face_is_turned_the_other_way(detector):
    image = photo("pyfeat_single_face.jpg")
    (face,), (mirrored,) = (
        detector.detect(image),
        detector.detect(np.ascontiguousarray(image[:, ::-1])),
    )
    assert mirrored.landmarks.yaw == pytest.approx(-face.landmarks.yaw, abs=8)


@pytest.mark.parametrize("scale", [0.5, 3])
def test_boxes_scale_with_the_picture(detector, scale):
    image = photo("pyfeat_single_face.jpg")
    (face,), (scaled,) = (
        detector.detect(image),
        detector.detect(cv2.resize(image, None, fx=scale, fy=scale)),
    )
    assert np.abs(corners(scaled) / scale - corners(face)).max() < 0.1 * face.extent.width


def test_a_face_at_the_border_keeps_its_extent(detector):
    image = photo("pyfeat_single_face.jpg")
    (face,) = detector.detect(image)
    (cut,) = detector.detect(
        np.ascontiguousarray(image[:, int(face.extent.x1 + face.extent.width / 6) :])
    )
    assert cut.box.x1 == 0
    assert cut.extent.x1 < 0


def test_four_threads_at_once_agree_with_one(detector):
    images = [
        photo(name)
        for name in ("pyfeat_multi_face.jpg", "inspireface_rot0.jpg", "faceapi_bbt2.jpg")
    ]
    alone = [detector.detect(image) for image in images]
    barrier = threading.Barrier(4)

    def work(_):
        barrier.wait()
        return [detector.detect(image) for image in images]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [alone] * 4


# Regions: the sample portrait, whose face lies around (270, 215) and is some 250 pixels high


def around(face, side=2.2, dx=0.0, dy=0.0):
    """A region of `side` heights of the face, moved by `dx` and `dy` of them."""
    (x, y), height = face.box.center, face.box.height
    half = side / 2 * height
    return Box(
        x - half + dx * height,
        y - half + dy * height,
        x + half + dx * height,
        y + half + dy * height,
    )


@pytest.mark.parametrize(
    ("side", "dx", "dy"),
    [(2.2, 0, 0), (2.2, 0.2, -0.2), (2.2, -0.3, 0.1), (1.8, 0, 0), (2.8, 0, 0)],
)
def test_a_region_shows_the_face_where_the_whole_picture_does(detector, portrait, side, dx, dy):
    (face,) = detector.detect(portrait)
    (again,) = detector.detect_within(portrait, around(face, side, dx, dy))
    assert np.abs(corners(again) - corners(face)).max() < 0.15 * face.extent.height
    assert (
        np.abs(np.subtract(again.landmarks.left_eye, face.landmarks.left_eye)).max()
        < 0.08 * face.extent.height
    )


def test_a_face_outside_the_region_is_not_found(detector, portrait):
    wide = np.hstack([portrait, np.full_like(portrait, 120)])
    assert detector.detect_within(wide, Box(560, 0, 1000, 600)) == []


def test_a_region_s_faces_lie_in_the_picture(detector, portrait):
    (face,) = detector.detect(portrait)
    half = np.ascontiguousarray(portrait[:, : int(face.box.center[0] + 0.2 * face.box.width)])
    for found in detector.detect_within(half, around(face)):
        assert 0 <= found.box.x1 < found.box.x2 <= half.shape[1]
        assert 0 <= found.box.y1 < found.box.y2 <= half.shape[0]


@pytest.mark.parametrize(
    "region",
    [
        Box(-500, -500, -100, -100),
        Box(5000, 5000, 6000, 6000),
        Box(-500, 100, -1, 200),
        Box(100, 600, 200, 700),
        Box(511.5, 599.5, 512.5, 600.5),
        Box(10, 10, 10.001, 10.001),
        Box(0, 300, 512, 300.5),
        Box(-1e300, -1e300, -1, -1),
    ],
    ids=str,
)
def test_a_region_beside_the_picture_or_of_hardly_a_pixel_gives_none(detector, portrait, region):
    assert detector.detect_within(portrait, region) == []


@pytest.mark.parametrize(
    "region", [Box(-400, -400, 900, 900), Box(-1e9, -1e9, 1e9, 1e9), Box(0, 0, 512, 600)], ids=str
)
def test_a_region_larger_than_the_picture_is_the_picture(detector, portrait, region):
    (face,) = detector.detect(portrait)
    (again,) = detector.detect_within(portrait, region)
    assert np.abs(corners(again) - corners(face)).max() < 0.25 * face.extent.height


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2)])
def test_a_region_of_a_tiny_picture(detector, size):
    assert detector.detect_within(np.full((*size, 3), 128, np.uint8), Box(-5, -5, 50, 50)) == []


def test_a_region_of_anything_but_rgb_bytes_is_refused(detector):
    with pytest.raises(ValueError, match="must be RGB uint8"):
        detector.detect_within(np.zeros((9, 9), np.uint8), Box(0, 0, 5, 5))


def test_the_picture_is_left_alone_by_a_look_at_a_region(detector, portrait):
    before = portrait.copy()
    detector.detect_within(portrait, Box(100, 0, 400, 400))
    assert np.array_equal(portrait, before)
