"""Find faces: BlazeFace from a wheel that is always there, YuNet from the Hub, or the picture as the face.

One detector serves all threads.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol, cast, runtime_checkable

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from fer.errors import ModelError
from fer.results import Box, Face, Landmarks, Point
from fer.weights import blazeface_weights, yunet_weights

Image = NDArray[np.uint8]
Array = NDArray[np.float32]
Tile = tuple[Array, Image]
DETECTORS = ("blazeface", "yunet", "none")

# BlazeFace. Its graph is convolutional: a 3:2 input costs what its square one does and shows faces larger.
_LAYERS = ((16, 2), (32, 6))  # pixels a cell and anchors a cell of its two feature maps
_LONG, _SHORT, _SQUARE = 320, 224, 256  # sides of its input, in pixels
_REGION = 128  # side of the input for a region, of either detector
_CONFIDENT, _OVERLAP = 0.53, 0.4
_TILE_CONFIDENT = 0.65
_WEAK = 0.70  # of detections under it one in six is no face, of the others one in sixty (wider300)
# From its square (eyebrows to chin) to a box as people draw them; fitted on the even half of wider300.
_SHIFT, _STRETCH = np.array((0.0, -0.11), np.float32), np.array((0.92, 1.265), np.float32)
_YUNET_SIDE, _YUNET_OPTIONS = 640, (0.7, 0.3, 5000)  # longest side; score, overlap, candidates kept
_YUNET_WEAK = 0.80  # of detections under it one in three is no face, of the others one in fifty

# A face that fills the picture shows only within a border, a share of the longest side. That look gives the faces of
# at least `_LARGE` of the shortest side; it is taken where the first look gave one of at least `_FILLING` of it.
_BORDER, _LARGE, _FILLING = 0.35, 0.7, 0.6
_NESTED = 0.6  # share of a box that lies within a larger one, from which on both are one face


class _CloserLook(NamedTuple):
    """In tiles, for pictures of at least `side` pixels where no face, or one under `small` of the side, was found."""

    side: int
    tiles: int  # a side
    part: float  # of the side that a tile spans
    small: float


_CLOSER_LOOKS = (_CloserLook(1920, 3, 0.4, 0.065), _CloserLook(960, 2, 0.6, 0.045))


class FaceDetector(Protocol):
    """Anything that finds faces; `detect` may be called from several threads at once."""

    @property
    def name(self) -> str: ...

    def detect(self, image: Image) -> list[Face]:
        """RGB uint8 (height, width, 3) -> faces, largest first."""


@runtime_checkable
class RegionDetector(FaceDetector, Protocol):
    """A detector that can search a part of the picture, which makes it cheap to follow faces through a stream."""

    def detect_within(self, image: Image, region: Box) -> list[Face]:
        """RGB uint8 (height, width, 3) -> faces within `region` of about half its side, largest first."""


def load_detector(name: str, *, threads: int = 2) -> FaceDetector:
    """The detector called `name`. Raises ModelError for other names, DownloadError if its weights are out of reach."""
    if name not in DETECTORS:
        raise ModelError(f"there is no detector {name!r}; choose one of {', '.join(DETECTORS)}.")
    if name == "none":
        return WholePicture()
    return BlazeFace(threads=threads) if name == "blazeface" else YuNet()


class WholePicture:
    """No detector, for pictures that are faces already: each holds one, which is the whole picture.

    A picture that is not square is shown whole too: its frame is as long as its longer side.
    """

    name = "none"

    def detect(self, image: Image) -> list[Face]:
        """RGB uint8 (height, width, 3) -> its one face."""
        half = _longest(image) / 2
        height, width = image.shape[:2]
        x, y = width / 2, height / 2
        frame = Box(x - half, y - half, x + half, y + half)
        return [Face(Box(0, 0, width, height), confidence=1.0, frame=frame)]


class BlazeFace:
    """Bazarevsky et al. 2019, "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs"; back camera."""

    name = "blazeface"

    def __init__(self, *, threads: int = 2) -> None:
        self._graph, self._threads = blazeface_weights(), threads
        self._local = threading.local()
        self._interpreter(_SQUARE, _SQUARE)

    def detect(self, image: Image) -> list[Face]:
        """RGB uint8 (height, width, 3) -> faces, largest first.

        The picture is looked at again with a border around it where nothing was found, or where a face that fills it
        may have been found in pieces, and in tiles where it is large and its faces are small.
        """
        longest = _longest(image)
        points, scores = weighted_nms(*self._candidates(image, _CONFIDENT))
        if _doubtful(points, min(image.shape[:2])):
            points, scores = self._look_from_afar(image, points, scores)
        kept = unnested(points)
        points, scores = points[kept], scores[kept]
        look = next((look for look in _CLOSER_LOOKS if longest >= look.side), None)
        if look and (not len(points) or np.ptp(points[:, :2, 0], axis=1).min() < look.small * longest):
            tiles = _tiles(image, look.tiles, look.part)
            points, scores = self._look_closer(tiles, points, scores, look.small * longest)
        return _faces(points, scores, image, _blazeface_landmarks, _WEAK)

    def _look_from_afar(self, image: Image, points: Array, scores: Array) -> tuple[Array, Array]:
        """The large faces that show within a border, then those of the first look, largest first."""
        border = round(_BORDER * max(image.shape[:2]))
        found, found_scores = weighted_nms(*self._candidates(image, _CONFIDENT, border=border))
        large = _heights(found) >= _LARGE * min(image.shape[:2])
        order = np.argsort(-_heights(points), kind="stable")
        points = np.concatenate((found[large], points[order]))
        return points, np.concatenate((found_scores[large], scores[order]))

    def detect_within(self, image: Image, region: Box) -> list[Face]:
        """RGB uint8 (height, width, 3) -> faces within `region` of about half its side."""
        corner, part = _part(image, region)
        points, scores = weighted_nms(*self._candidates(part, _CONFIDENT, (_REGION, _REGION)))
        return _faces(points + corner, scores, image, _blazeface_landmarks, _WEAK)

    def _look_closer(self, tiles: list[Tile], points: Array, scores: Array, limit: float) -> tuple[Array, Array]:
        """Add the tiles' small faces. Large faces stand; small ones of the first look, placed loosely, give way."""
        looks = [(corner, *self._candidates(tile, _TILE_CONFIDENT)) for corner, tile in tiles]
        found = np.concatenate([corner + candidates for corner, candidates, _ in looks])
        found, found_scores = weighted_nms(found, np.concatenate([certainty for *_, certainty in looks]))
        touching = np.array([_overlaps(np.concatenate((face[None], found)))[1:] > 0 for face in points], bool)
        touching = touching.reshape(len(points), len(found))
        large = np.ptp(points[:, :2, 0], axis=1) >= limit
        new = (np.ptp(found[:, :2, 0], axis=1) < limit) & ~touching[large].any(axis=0)
        kept = large | ~touching[:, new].any(axis=1)
        return np.concatenate((points[kept], found[new])), np.concatenate((scores[kept], found_scores[new]))

    def _candidates(
        self, image: Image, threshold: float, size: tuple[int, int] | None = None, border: int = 0
    ) -> tuple[Array, Array]:
        """Points (n, 8, 2) in picture pixels and scores (n,), before suppression, from an input of (height, width).

        The input shows a black border of so many picture pixels on every side.
        """
        pixels, origin, ratio = _letterbox(image, border, size)
        interpreter = self._interpreter(*pixels.shape[:2])
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels[None])
        interpreter.invoke()
        outputs = {d["name"]: interpreter.get_tensor(d["index"])[0] for d in interpreter.get_output_details()}
        points, scores = decode(outputs["regressors"], outputs["classificators"][:, 0], pixels.shape[:2], threshold)
        return (points - origin) * ratio, scores

    def _interpreter(self, height: int, width: int) -> Interpreter:
        """This thread's interpreter for one input size; resizing a single one would cost more than a detection."""
        known: dict[tuple[int, int], Interpreter] = self._local.__dict__.setdefault("interpreters", {})
        if (height, width) not in known:
            known[height, width] = interpreter = Interpreter(model_content=self._graph, num_threads=self._threads)
            interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], (1, height, width, 3))
            interpreter.allocate_tensors()
        return known[height, width]


class YuNet:
    """Wu, Peng, Yu 2023, "YuNet: A Tiny Millisecond-level Face Detector"; weights from the Hub or from a file."""

    name = "yunet"

    def __init__(self, weights: Path | None = None) -> None:
        self._graph = np.frombuffer(yunet_weights(weights), np.uint8)
        self._local = threading.local()
        self._network((_YUNET_SIDE, _YUNET_SIDE))

    def detect(self, image: Image) -> list[Face]:
        """RGB uint8 (height, width, 3) -> faces."""
        points, scores = self._candidates(image, _YUNET_SIDE)
        return _faces(points, scores, image, _yunet_landmarks, _YUNET_WEAK)

    def detect_within(self, image: Image, region: Box) -> list[Face]:
        """RGB uint8 (height, width, 3) -> faces within `region` of about half its side."""
        corner, part = _part(image, region)
        points, scores = self._candidates(part, _REGION)
        return _faces(points + corner, scores, image, _yunet_landmarks, _YUNET_WEAK)

    def _candidates(self, image: Image, side: int) -> tuple[Array, Array]:
        """Points (n, 7, 2) in picture pixels and scores (n,), from a picture shrunk to `side` pixels at most."""
        small, ratio = _resize(image, min(1.0, side / _longest(image)))
        network = self._network((small.shape[1], small.shape[0]))
        found = cast("Array | None", network.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))[1])
        rows = np.empty((0, 15), np.float32) if found is None else found
        points = rows[:, :14].reshape(-1, 7, 2).copy()  # top left, size and the landmarks
        points[:, 1] += points[:, 0]
        return points * ratio, rows[:, 14]

    def _network(self, size: tuple[int, int]) -> cv2.FaceDetectorYN:
        """This thread's network, set to pictures of (width, height) pixels."""
        if not hasattr(self._local, "network"):
            self._local.network = cv2.FaceDetectorYN.create("onnx", self._graph, self._graph[:0], size, *_YUNET_OPTIONS)
        network: cv2.FaceDetectorYN = self._local.network
        network.setInputSize(size)
        return network


def decode(regressors: Array, logits: Array, size: tuple[int, ...], threshold: float) -> tuple[Array, Array]:
    """BlazeFace's outputs (n, 16) and (n,) -> corners and landmarks (m, 8, 2) in input pixels, scores (m,)."""
    scores = 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
    kept = (scores >= threshold) & (regressors[:, 2:4].min(axis=1) > 0)
    points = regressors[kept].reshape(-1, 8, 2).copy()  # centre, size and the landmarks
    centre, half = points[:, 0] + points[:, 1] * _SHIFT, points[:, 1] * _STRETCH / 2
    points[:, 0], points[:, 1] = centre - half, centre + half
    return points + anchors(size[0], size[1])[kept, None], scores[kept]


@cache
def anchors(height: int, width: int) -> Array:
    """The pixels (n, 2) that BlazeFace's outputs are offsets from; 896 of them at 256 x 256."""
    layers = []
    for stride, count in _LAYERS:
        cells = np.mgrid[: height // stride, : width // stride][::-1].reshape(2, -1).T  # (x, y), row by row
        layers.append((np.repeat(cells, count, axis=0) + 0.5) * stride)
    return np.concatenate(layers).astype(np.float32)


def weighted_nms(points: Array, scores: Array, overlap: float = _OVERLAP) -> tuple[Array, Array]:
    """Merge candidates that overlap: points averaged by score, the best score stays (as in the paper, section 3)."""
    order = np.argsort(-scores, kind="stable")
    points, scores = points[order], scores[order]
    merged, best = [points[:0]], [scores[:0]]
    while len(scores):
        same = _overlaps(points) > overlap
        merged.append(np.average(points[same], axis=0, weights=scores[same])[None])
        best.append(scores[:1])
        points, scores = points[~same], scores[~same]
    return np.concatenate(merged), np.concatenate(best)


def unnested(points: Array) -> list[int]:
    """The rows whose box shares most of its area, or of the other's, with none that comes before it."""
    kept: list[int] = []
    areas = (points[:, 1] - points[:, 0]).prod(axis=1)
    for row in range(len(points)):
        shared = _shared(points[row], points[kept])
        if (shared <= _NESTED * np.minimum(areas[row], areas[kept])).all():
            kept.append(row)
    return kept


def _doubtful(points: Array, shortest: int) -> bool:
    """Whether no face was found, one fills a picture of this shortest side, or one lies within another."""
    if not len(points) or _heights(points).max() >= _FILLING * shortest:
        return True
    return len(unnested(points)) < len(points)


def _heights(points: Array) -> Array:
    return np.asarray(points[:, 1, 1] - points[:, 0, 1], np.float32)


def _shared(box: Array, boxes: Array) -> Array:
    """The area (n,) that a box, its corners the first two points, shares with each of others (n, ...)."""
    sides = np.minimum(boxes[:, 1], box[1]) - np.maximum(boxes[:, 0], box[0])
    return np.asarray(np.maximum(sides, 0).prod(axis=1), np.float32)


def _overlaps(points: Array) -> Array:
    """Intersection over union of the first box with every box, itself included."""
    shared, areas = _shared(points[0], points), (points[:, 1] - points[:, 0]).prod(axis=1)
    return np.asarray(shared / (areas + areas[0] - shared), np.float32)


def _faces(
    points: Array,
    scores: Array,
    image: Image,
    landmarks: Callable[[list[Point]], Landmarks],
    weak_below: float,
) -> list[Face]:
    """Corners and landmarks (n, points, 2) -> the faces that show in the picture, largest first."""
    height, width = map(float, image.shape[:2])
    faces = []
    for ((x1, y1), (x2, y2), *others), score in zip(points.tolist(), scores.tolist(), strict=True):
        left, top, right, bottom = max(x1, 0.0), max(y1, 0.0), min(x2, width), min(y2, height)
        if left < right and top < bottom:
            box, frame = Box(left, top, right, bottom), Box(x1, y1, x2, y2)
            marks = landmarks([(x, y) for x, y in others])
            faces.append(Face(box, min(score, 1.0), marks, frame, weak=score < weak_below))
    return sorted(faces, key=lambda face: -face.box.width * face.box.height)


def _blazeface_landmarks(points: list[Point]) -> Landmarks:
    *eyes, nose, mouth, ear, other_ear = points
    left_eye, right_eye = sorted(eyes)
    left_ear, right_ear = sorted((ear, other_ear))
    return Landmarks(left_eye, right_eye, nose, mouth, (left_ear, right_ear))


def _yunet_landmarks(points: list[Point]) -> Landmarks:
    *eyes, nose, (x1, y1), (x2, y2) = points
    left_eye, right_eye = sorted(eyes)
    return Landmarks(left_eye, right_eye, nose, ((x1 + x2) / 2, (y1 + y2) / 2))


def _longest(image: Image) -> int:
    _check(image)
    return int(max(image.shape[:2]))


def _check(image: Image) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f"a picture must be RGB uint8 (height, width, 3), received {image.dtype} {image.shape}")


def _resize(image: Image, scale: float) -> tuple[Image, Array]:
    """The resized picture, and how many pixels of the picture (x, y) one of its pixels spans."""
    (height, width), method = image.shape[:2], cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    size = max(1, round(width * scale)), max(1, round(height * scale))
    resized = np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)
    return resized, np.array((width / size[0], height / size[1]), np.float32)


def _letterbox(image: Image, border: int, size: tuple[int, int] | None) -> tuple[Array, Array, Array]:
    """BlazeFace's input: the picture in [-1, 1] centred on black, its top left corner there, picture pixels a pixel.

    The input is (height, width) pixels, by default those that suit the shape of the picture with its border.
    """
    shown_height, shown_width = (side + 2 * border for side in image.shape[:2])
    height, width = size or _input_size(shown_height, shown_width)
    small, ratio = _resize(image, min(height / shown_height, width / shown_width))
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    pixels = np.full((height, width, 3), -1, np.float32)
    pixels[top : top + small.shape[0], left : left + small.shape[1]] = small * np.float32(1 / 127.5) - 1
    return pixels, np.array((left, top), np.float32), ratio


def _input_size(height: int, width: int) -> tuple[int, int]:
    """Height and width of the input that suits a picture of this shape."""
    if 5 * height > 6 * width:
        return _LONG, _SHORT
    return (_SHORT, _LONG) if 5 * width > 6 * height else (_SQUARE, _SQUARE)


def _part(image: Image, region: Box) -> tuple[Array, Image]:
    """The part of a picture that a region covers, at least one pixel, and its top left corner (x, y)."""
    _check(image)
    height, width = image.shape[:2]
    left, top = min(max(int(region.x1), 0), width - 1), min(max(int(region.y1), 0), height - 1)
    right, bottom = max(left + 1, math.ceil(region.x2)), max(top + 1, math.ceil(region.y2))
    return np.array((left, top), np.float32), image[top:bottom, left:right]


def _tiles(image: Image, count: int, part: float) -> list[Tile]:
    """Overlapping parts of a picture, `count` a side and `part` of it long, each with its top left corner (x, y)."""
    height, width = (max(1, round(side * part)) for side in image.shape[:2])
    rows = np.linspace(0, image.shape[0] - height, count).astype(int)
    columns = np.linspace(0, image.shape[1] - width, count).astype(int)
    return [(np.array((x, y), np.float32), image[y : y + height, x : x + width]) for y in rows for x in columns]
