"""BlazeFace's network: from a picture to candidates."""

from __future__ import annotations

import threading
from functools import cache
from typing import NamedTuple

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from fer.detection.base import Image
from fer.detection.candidates import Array, Candidates
from fer.detection.pictures import resized
from fer.detection.weights import blazeface_weights

Size = tuple[int, int]
"""(height, width) in pixels."""

# The graph is convolutional: a 3:2 input costs what its square one does and shows faces larger.
_SQUARE: Size = (256, 256)
_UPRIGHT: Size = (320, 224)
_WIDE: Size = (224, 320)

_LAYERS = ((16, 2), (32, 6))
"""Pixels a cell, and anchors a cell, of the graph's two feature maps."""

# From its square (eyebrows to chin) to a box as people draw them, in sides of the square; fitted on
# the even half of wider300.
_SHIFT = np.array((0.0, -0.11), np.float32)
_STRETCH = np.array((0.92, 1.265), np.float32)

_PIXEL_STEP = np.float32(1 / 127.5)
_BLACK = np.float32(-1)


class BlazeFaceGraph:
    """The graph, run by LiteRT; safe to call from many threads."""

    def __init__(self, *, threads: int) -> None:
        self._content = blazeface_weights()
        self._threads = threads
        self._interpreters = _InterpretersOfThread()
        self._interpreter(_SQUARE)

    def candidates(
        self, image: Image, least_score: float, *, size: Size | None = None, border: int = 0
    ) -> Candidates:
        """What a picture shows, in its own pixels, before suppression.

        The input is `size`, by default what suits the picture. It shows a black border of so many
        pixels of the picture on every side.
        """
        letterbox = _letterbox(image, border, size)
        regressors, logits = self._outputs(letterbox.pixels)
        found = decode(regressors, logits, letterbox.pixels.shape[:2], least_score)
        return Candidates((found.points - letterbox.origin) * letterbox.ratio, found.scores)

    def _outputs(self, pixels: Array) -> tuple[Array, Array]:
        """Regressors (n, 16) and logits (n,)."""
        interpreter = self._interpreter(pixels.shape[:2])
        interpreter.set_tensor(_input_index(interpreter), pixels[None])
        interpreter.invoke()
        outputs = _outputs_by_name(interpreter)
        return outputs["regressors"], outputs["classificators"][:, 0]

    def _interpreter(self, size: tuple[int, ...]) -> Interpreter:
        """This thread's interpreter for an input size; resizing one costs more than a detection."""
        by_size = self._interpreters.by_size
        if size not in by_size:
            by_size[size] = self._new_interpreter(size)
        return by_size[size]

    def _new_interpreter(self, size: tuple[int, ...]) -> Interpreter:
        interpreter = Interpreter(model_content=self._content, num_threads=self._threads)
        interpreter.resize_tensor_input(_input_index(interpreter), (1, *size, 3))
        interpreter.allocate_tensors()
        return interpreter


class _InterpretersOfThread(threading.local):
    def __init__(self) -> None:
        self.by_size: dict[tuple[int, ...], Interpreter] = {}


def _input_index(interpreter: Interpreter) -> int:
    return int(interpreter.get_input_details()[0]["index"])


def _outputs_by_name(interpreter: Interpreter) -> dict[str, Array]:
    return {
        output["name"]: interpreter.get_tensor(output["index"])[0]
        for output in interpreter.get_output_details()
    }


class _Letterbox(NamedTuple):
    """A picture centred on a black input."""

    pixels: Array
    """The input (height, width, 3) in [-1, 1]."""
    origin: Array
    """Where the picture's top left corner lies in the input, (x, y)."""
    ratio: Array
    """How many pixels of the picture (x, y) one of the input spans."""


def _letterbox(image: Image, border: int, size: Size | None) -> _Letterbox:
    """Lay a picture with its border into an input, by default of the size that suits both."""
    full_height, full_width = (side + 2 * border for side in image.shape[:2])
    height, width = size or _input_size(full_height, full_width)
    small, ratio = resized(image, min(height / full_height, width / full_width))
    pixels, origin = _centred(small, (height, width))
    return _Letterbox(pixels, origin, ratio)


def _centred(image: Image, size: Size) -> tuple[Array, Array]:
    """A picture centred on a black input of this size, and the (x, y) of its corner there."""
    height, width = image.shape[:2]
    top = (size[0] - height) // 2
    left = (size[1] - width) // 2
    pixels = np.full((*size, 3), _BLACK, np.float32)
    pixels[top : top + height, left : left + width] = _normalized(image)
    return pixels, np.array((left, top), np.float32)


def _normalized(image: Image) -> Array:
    """0 to 255 becomes -1 to 1."""
    return image * _PIXEL_STEP + _BLACK


def _input_size(height: int, width: int) -> Size:
    """The input that suits a picture of this shape."""
    if 5 * height > 6 * width:
        return _UPRIGHT
    return _WIDE if 5 * width > 6 * height else _SQUARE


def decode(
    regressors: Array, logits: Array, size: tuple[int, ...], least_score: float
) -> Candidates:
    """The graph's outputs (n, 16) and (n,) as candidates in pixels of an input of this size."""
    scores = _sigmoid(logits)
    has_area = regressors[:, 2:4].min(axis=1) > 0
    kept = (scores >= least_score) & has_area
    points = regressors[kept].reshape(-1, 8, 2)  # centre, size and the landmarks
    offsets = _with_corners(points)
    origins = anchors(size[0], size[1])[kept]
    return Candidates(offsets + origins[:, None], scores[kept])


def _sigmoid(logits: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -80, 80))))


def _with_corners(points: Array) -> Array:
    """Points that begin with the corners of a box, of those that begin with BlazeFace's square."""
    centre = points[:, 0] + points[:, 1] * _SHIFT
    half = points[:, 1] * _STRETCH / 2
    corners = np.stack((centre - half, centre + half), axis=1)
    return np.concatenate((corners, points[:, 2:]), axis=1)


@cache
def anchors(height: int, width: int) -> Array:
    """The pixels (n, 2) that the outputs are offsets from; 896 of them at 256 x 256."""
    return np.concatenate([_layer(height, width, *layer) for layer in _LAYERS]).astype(np.float32)


def _layer(height: int, width: int, stride: int, count: int) -> Array:
    """The centres (x, y) of a feature map's cells, row by row, `count` times each."""
    rows_and_columns = np.mgrid[: height // stride, : width // stride]
    cells = rows_and_columns[::-1].reshape(2, -1).T
    return np.asarray((np.repeat(cells, count, axis=0) + 0.5) * stride)
