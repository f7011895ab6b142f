"""Following faces: a scripted detector that counts the looks at it.

Then the real one on a portrait that moves.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fer import BlazeFace, Box, Face, RegionDetector, load_image
from fer.detection.following import LOOK_EVERY, FollowingDetector

SAMPLES = Path(__file__).resolve().parents[3] / "app_pages" / "photos" / "samples"
FRAME = np.zeros((480, 640, 3), np.uint8)
Image = NDArray[np.uint8]


class Scene:
    """A detector that sees the boxes it is given; in a region, those centred there.

    `looks` is W whole, r region.
    """

    name = "scene"

    def __init__(self, *boxes: Box) -> None:
        self.boxes, self.looks = list(boxes), ""

    def detect(self, image: Image) -> list[Face]:
        self.looks += "W"
        return self._faces(image, self.boxes)

    def detect_within(self, image: Image, region: Box) -> list[Face]:
        self.looks += "r"
        return self._faces(image, [box for box in self.boxes if inside(box.center, region)])

    def _faces(self, image: Image, boxes: list[Box]) -> list[Face]:
        assert image.ndim == 3
        return [Face(box, 0.9) for box in sorted(boxes, key=lambda box: -box.area)]


class Plain:
    """A detector that cannot search a region."""

    name = "plain"

    def __init__(self, *boxes: Box) -> None:
        self.boxes, self.looks = list(boxes), ""

    def detect(self, image: Image) -> list[Face]:
        assert image is FRAME
        self.looks += "W"
        return [Face(box, 0.9) for box in self.boxes]


class Counted:
    """A real detector, whose looks are counted in the same way."""

    def __init__(self, detector: RegionDetector) -> None:
        self.name, self._detector, self.looks = detector.name, detector, ""

    def detect(self, image: Image) -> list[Face]:
        self.looks += "W"
        return self._detector.detect(image)

    def detect_within(self, image: Image, region: Box) -> list[Face]:
        self.looks += "r"
        return self._detector.detect_within(image, region)


def inside(point: tuple[float, float], box: Box) -> bool:
    return box.x1 <= point[0] <= box.x2 and box.y1 <= point[1] <= box.y2


def box_at(x: float, y: float = 100.0, side: float = 80.0) -> Box:
    return Box(x, y, x + side, y + side)


def looks_of(
    scene: Scene | Plain | Counted, detector: FollowingDetector, image: Image = FRAME
) -> tuple[str, list[Box]]:
    """The looks that one frame takes, and the boxes it gives."""
    scene.looks = ""
    faces = detector.detect(image)
    return scene.looks, [face.box for face in faces]


def test_it_goes_by_the_name_of_its_detector():
    assert FollowingDetector(Scene()).name == "scene"


def test_without_a_face_every_frame_is_searched_whole():
    scene = Scene()
    detector = FollowingDetector(scene)
    assert [looks_of(scene, detector) for _ in range(20)] == [("W", [])] * 20


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_faces_are_followed_in_regions_and_every_eighth_frame_is_searched_whole(count):
    scene = Scene(*(box_at(300 * i, side=80 - i) for i in range(count)))
    detector = FollowingDetector(scene)
    looks = [looks_of(scene, detector) for _ in range(4 * LOOK_EVERY + 1)]
    assert [len(boxes) for _, boxes in looks] == [count] * len(looks)
    assert looks[0][0] == "W"
    for number, (kinds, _) in enumerate(looks[1:], start=1):
        assert kinds == "r" * count + "W" * (number % LOOK_EVERY == 0)


@pytest.mark.parametrize("count", [3, 4, 12])
def test_a_crowd_is_searched_whole_alone(count):
    scene = Scene(*(box_at(90 * i, side=80 - i) for i in range(count)))
    detector = FollowingDetector(scene)
    assert [looks_of(scene, detector) for _ in range(12)] == [("W", scene.boxes)] * 12


def test_a_crowd_that_leaves_is_followed_again():
    scene = Scene(*(box_at(90 * i, side=80 - i) for i in range(4)))
    detector = FollowingDetector(scene)
    detector.detect(FRAME)
    del scene.boxes[2:]
    assert looks_of(scene, detector) == ("W", scene.boxes)
    assert looks_of(scene, detector) == ("rr", scene.boxes)


@pytest.mark.parametrize("frame", range(1, 2 * LOOK_EVERY + 2))
def test_a_new_face_far_away_is_seen_within_eight_frames(frame):
    scene = Scene(box_at(0))
    detector = FollowingDetector(scene)
    for _ in range(frame):
        detector.detect(FRAME)
    scene.boxes.append(box_at(400, side=70))
    seen = [len(looks_of(scene, detector)[1]) for _ in range(LOOK_EVERY)]
    assert seen[-1] == 2
    assert seen == sorted(seen)


@pytest.mark.parametrize("there", [[], [box_at(500)], [box_at(500), box_at(300, 300)]], ids=len)
def test_a_lost_face_has_the_whole_picture_searched_in_the_same_frame(there):
    scene = Scene(box_at(0))
    detector = FollowingDetector(scene)
    detector.detect(FRAME)
    detector.detect(FRAME)
    scene.boxes = there
    looks, boxes = looks_of(scene, detector)
    assert looks == "rW"
    assert boxes == there


def test_one_of_two_lost_costs_neither():
    scene = Scene(box_at(0), box_at(400, side=70))
    detector = FollowingDetector(scene)
    detector.detect(FRAME)
    del scene.boxes[0]
    looks, boxes = looks_of(scene, detector)
    assert looks.endswith("W")
    assert boxes == scene.boxes


@pytest.mark.parametrize("step", [1, 5, 17, 40])
def test_two_faces_that_meet_and_part_are_never_one_face_twice(step):
    scene = Scene()
    detector = FollowingDetector(scene)
    for x in [*range(0, 300, step), *range(300, -step * LOOK_EVERY, -step)]:
        one, other = box_at(x), box_at(600 - x, side=79)
        # as a detector's suppression leaves them
        scene.boxes = [one] if one.iou(other) > 0.4 else [one, other]
        _, boxes = looks_of(scene, detector)
        assert boxes in ([one], [other], [one, other])
    assert len(boxes) == 2


def test_a_frame_of_another_size_is_searched_whole():
    scene = Scene(box_at(0))
    detector = FollowingDetector(scene)
    for size in ((480, 640), (640, 480), (240, 320), (1, 1), (480, 640)):
        assert looks_of(scene, detector, np.zeros((*size, 3), np.uint8))[0] == "W"
    assert looks_of(scene, detector)[0] == "r"


def test_a_detector_that_fails_once_is_asked_again():
    scene = Scene(box_at(0))
    detector = FollowingDetector(scene)
    detector.detect(FRAME)
    with pytest.raises(AssertionError):
        detector.detect(FRAME[..., 0])
    assert looks_of(scene, detector) == ("r", scene.boxes)


def test_a_detector_that_cannot_search_a_region_looks_at_every_frame():
    plain = Plain(box_at(0))
    detector = FollowingDetector(plain)
    for _ in range(3):
        assert looks_of(plain, detector) == ("W", plain.boxes)


def test_the_largest_face_comes_first_between_two_looks_too():
    """One walks up to the camera while the other walks away."""
    scene = Scene(box_at(0, side=100), box_at(400, side=90))
    detector = FollowingDetector(scene)
    detector.detect(FRAME)
    scene.boxes = [box_at(0, side=90), box_at(400, side=100)]
    _, boxes = looks_of(scene, detector)
    assert [box.width for box in boxes] == [100, 90]


@pytest.mark.parametrize(
    "box",
    [box_at(-40, -40), Box(0, 0, 0.5, 0.5), Box(639.9, 479.9, 640, 480), Box(0, 470, 640, 480)],
)
def test_faces_cut_by_the_border_are_found_in_every_frame(box):
    scene = Scene(box)
    detector = FollowingDetector(scene)
    assert [looks_of(scene, detector)[1] for _ in range(2 * LOOK_EVERY)] == [[box]] * 2 * LOOK_EVERY


# The real detector


@functools.cache
def portrait(name: str) -> Image:
    return load_image(SAMPLES / f"{name}.jpg")


@functools.cache
def blazeface() -> BlazeFace:
    return BlazeFace(threads=1)


def scene_of(
    x: float, y: float, scale: float, name: str = "grace-hopper", base: Image | None = None
) -> Image:
    """A grey picture, or a copy of `base`, with the portrait's left top corner at (x, y)."""
    canvas = np.full((240, 320, 3), 120, np.uint8) if base is None else base.copy()
    move = np.array([[scale, 0, x], [0, scale, y]])
    return np.asarray(
        cv2.warpAffine(
            portrait(name), move, (320, 240), canvas, cv2.INTER_AREA, cv2.BORDER_TRANSPARENT
        ),
        np.uint8,
    )


PATHS: dict[str, Callable[[int], tuple[float, float, float]]] = {
    "still": lambda _: (100, 30, 0.25),
    "to and fro": lambda k: (80 + 70 * np.sin(k / 5), 40 + 30 * np.cos(k / 6), 0.25),
    "nearer": lambda k: (100 - 4 * k, 40 - 2 * k, 0.2 + 0.02 * k),
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_a_moving_portrait_is_found_where_the_plain_detector_finds_it(path):
    counted = Counted(blazeface())
    detector = FollowingDetector(counted)
    frames = 2 * LOOK_EVERY + 2
    for k in range(frames):
        image = scene_of(*path(k))
        (face,), (expected,) = detector.detect(image), blazeface().detect(image)
        assert face.box.iou(expected.box) > 0.6
        assert face.landmarks is not None
    assert counted.looks.count("W") == 3
    assert counted.looks.count("r") == frames - 1


def test_two_portraits_are_both_followed():
    counted = Counted(blazeface())
    detector = FollowingDetector(counted)
    for k in range(LOOK_EVERY):
        image = scene_of(180 - 2 * k, 60, 0.25, "eileen-collins", scene_of(2 * k, 20, 0.25))
        faces, expected = detector.detect(image), blazeface().detect(image)
        assert len(faces) == len(expected) == 2
        assert min(max(a.box.iou(b.box) for b in expected) for a in faces) > 0.6
    assert counted.looks == "W" + "rr" * (LOOK_EVERY - 1)


@pytest.mark.parametrize(
    ("dx", "dy"), [(-20, 0), (20, 0), (0, -17), (0, 17)], ids=["left", "right", "up", "down"]
)
def test_a_portrait_that_leaves_is_found_as_long_as_the_plain_detector_finds_it(dx, dy):
    detector = FollowingDetector(blazeface())
    counts = []
    for k in range(11):
        image = scene_of(95 + dx * k, 45 + dy * k, 0.25)
        counts.append((len(detector.detect(image)), len(blazeface().detect(image))))
    assert counts[0] == (1, 1)
    assert counts[-1] == (0, 0)
    assert all(followed >= plain for followed, plain in counts)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 400, 3), (400, 1, 3)])
def test_thin_frames_in_the_middle_of_a_stream(shape):
    detector = FollowingDetector(blazeface())
    image = scene_of(100, 30, 0.25)
    for _ in range(2):
        assert len(detector.detect(image)) == 1
        assert detector.detect(np.full(shape, 90, np.uint8)) == []
