"""Draw predictions and tracks on a copy of a picture: boxes in the colours of the expressions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fer.captions import Caption, Rect, Wanted, fitted, placed, tag_of
from fer.colors import color_of, rgb
from fer.geometry import Box
from fer.results import Prediction, Track

_BANNER_COLOR = "#8A2F2B"
_TRACK_HEIGHT = 0.25  # of the picture: the letters and lines of a track are as for such a face


def annotate(image: NDArray[np.uint8], predictions: Sequence[Prediction]) -> NDArray[np.uint8]:
    """Draw each prediction's box and a caption such as "happy 0.93", or "2 happy? 0.41".

    A question mark follows an uncertain label. Numbers appear from two faces on. Lines lie around
    the boxes, not in them, except along the picture's own edge. A caption touches its box and
    avoids every face and caption: in a crowd all grow smaller, then those without room show their
    number alone. A face that fills the picture loses a corner to its caption, because the picture
    must keep its size.

    Args:
        image: RGB uint8 (height, width, 3); it stays as it is.
        predictions: What to draw, numbered from 1 in this order.

    Returns:
        An annotated copy, RGB uint8 (height, width, 3).

    Raises:
        ValueError: The image has another shape or type.

    Example:
        >>> from fer import Face
        >>> face = Face(Box(100, 80, 180, 180), confidence=0.9)
        >>> crop = np.zeros((48, 48), np.uint8)
        >>> image = np.full((240, 320, 3), 128, np.uint8)
        >>> annotated = annotate(image, [Prediction(face, {"happy": 0.9, "sad": 0.1}, crop)])
        >>> annotated.shape, bool((annotated != image).any())
        ((240, 320, 3), True)
    """
    numbered = len(predictions) > 1
    marks = [
        _Mark(prediction.face.box, str(number) if numbered else "", prediction, prediction.score)
        for number, prediction in enumerate(predictions, start=1)
    ]
    return _draw(image, marks)


def annotate_tracks(
    image: NDArray[np.uint8], tracks: Sequence[Track], *, mirror: bool = False
) -> NDArray[np.uint8]:
    """A copy of the RGB frame with each track's steady box, number, label and displayed score.

    With `mirror` it is the mirror image, in which text alone reads as ever. Letters keep their size
    from frame to frame, whatever the size of the face.
    """
    boxes = [track.box for track in tracks]
    if mirror:
        boxes = [box.mirrored(image.shape[1]) for box in boxes]
        image = np.asarray(cv2.flip(image, 1), np.uint8)
    marks = [
        _Mark(box, str(track.number), track, track.displayed_score)
        for box, track in zip(boxes, tracks, strict=True)
    ]
    return _draw(image, marks)


def write_banner(image: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    """A copy of the RGB picture with one line of text at its lower edge, as small as it must be."""
    height, width = image.shape[:2]
    canvas = np.array(image, order="C")
    size = max(10, round(_side(image) * 0.03))
    caption = fitted(Caption(_printable(text), size, _BANNER_COLOR), width)
    tag = tag_of(caption)[:height, :width]
    canvas[height - len(tag) :, : tag.shape[1]] = tag
    return canvas


class _Mark(NamedTuple):
    """What is drawn of one face."""

    box: Box
    number: str
    answer: Prediction | Track
    score: float

    @property
    def color(self) -> str:
        return color_of(self.answer.label, tuple(self.answer.scores))

    @property
    def text(self) -> str:
        label = self.answer.label + "?" * self.answer.uncertain
        return _printable(f"{self.number} {label} {self.score:.2f}")

    @property
    def steady(self) -> bool:
        return isinstance(self.answer, Track)


def _printable(text: str) -> str:
    """The text on one line; no font draws lone surrogates or line ends."""
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _draw(image: NDArray[np.uint8], marks: Sequence[_Mark]) -> NDArray[np.uint8]:
    _check_picture(image)
    height, width = image.shape[:2]
    canvas = np.array(image, order="C")
    outlines = [_draw_box(canvas, mark) for mark in marks]
    wanted = [_wanted(mark, image) for mark in marks]
    for caption, (x1, y1, x2, y2) in placed(wanted, outlines, (height, width)):
        canvas[y1:y2, x1:x2] = tag_of(caption)[: y2 - y1, : x2 - x1]
    return canvas


def _check_picture(image: NDArray[np.uint8]) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            f"expected RGB uint8 (height, width, 3), received {image.dtype} {image.shape}"
        )


def _wanted(mark: _Mark, image: NDArray[np.uint8]) -> Wanted:
    size = _letter_size(mark, _side(image))
    return Wanted(mark.text, mark.number, size, mark.color, shrinks=not mark.steady)


def _letter_size(mark: _Mark, side: float) -> float:
    """Letters suit the face and the picture."""
    smallest = max(9.0, side * 0.024)
    largest = max(10.0, side * 0.038)
    return _clipped(_height(mark, side) * 0.12, smallest, largest)


def _line_width(mark: _Mark, side: float) -> int:
    """Lines suit the face and the picture, too."""
    thinnest = max(1.0, side / 320)
    thickest = max(1.0, side / 150)
    return round(_clipped(_height(mark, side) * 0.02, thinnest, thickest))


def _clipped(value: float, lowest: float, highest: float) -> float:
    return min(max(value, lowest), highest)


def _draw_box(canvas: NDArray[np.uint8], mark: _Mark) -> Rect:
    """Draw lines around the face's box and return their outline, clipped to the picture."""
    line = _line_width(mark, _side(canvas))
    outline = _outline(mark.box, line, canvas)
    x1, y1, x2, y2 = outline
    color = rgb(mark.color)
    canvas[y1 : y1 + line, x1:x2] = color
    canvas[max(y1, y2 - line) : y2, x1:x2] = color
    canvas[y1:y2, x1 : x1 + line] = color
    canvas[y1:y2, max(x1, x2 - line) : x2] = color
    return outline


def _outline(box: Box, line: int, image: NDArray[np.uint8]) -> Rect:
    height, width = image.shape[:2]
    x1 = max(0, math.floor(box.x1) - line)
    y1 = max(0, math.floor(box.y1) - line)
    x2 = min(width, math.ceil(box.x2) + line)
    y2 = min(height, math.ceil(box.y2) + line)
    return x1, y1, max(x1, x2), max(y1, y2)


def _side(image: NDArray[np.uint8]) -> float:
    """The side of the square with the picture's area, which lines and letters are measured by."""
    height, width = image.shape[:2]
    return math.sqrt(height * width)


def _height(mark: _Mark, side: float) -> float:
    """The height of the face that lines and letters suit."""
    return side * _TRACK_HEIGHT if mark.steady else mark.box.height
