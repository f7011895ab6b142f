"""Draw predictions on a copy of the picture.

A box in the expression's colour and a caption that hides no face.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fer.colors import color_of, rgb, text_color
from fer.results import Box, Prediction
from fer.streams.tracking import Track, mirrored

Rect = tuple[int, int, int, int]
"""x1, y1, x2, y2 in whole pixels; x2 and y2 lie just outside."""


def annotate(image: NDArray[np.uint8], predictions: Sequence[Prediction]) -> NDArray[np.uint8]:
    """A copy of the RGB picture with each prediction's box, and a caption such as "happy 0.93", or "2 happy 0.93".

    A question mark follows an uncertain label. Numbers are in the order of `predictions` and appear
    from two faces on. Lines lie around the boxes, not in them, except along the picture's own edge.
    A caption touches its box and avoids every face and caption: in a crowd all grow smaller, then
    those without room show their number alone. A face that fills the picture loses a corner to its
    caption, because the picture must keep its size.
    """
    numbers = (
        [str(number) for number in range(1, len(predictions) + 1)] if len(predictions) > 1 else [""]
    )
    marks = [
        _mark(p.face.box, number, p.label, p.score, p)
        for number, p in zip(numbers, predictions, strict=False)
    ]
    return _drawn(image, marks)


def annotate_tracks(
    image: NDArray[np.uint8], tracks: Sequence[Track], *, mirror: bool = False
) -> NDArray[np.uint8]:
    """A copy of the RGB frame with each track's steady box, number and label; with `mirror` as a mirror shows it.

    Letters keep their size from frame to frame, whatever the size of the face; text is never
    mirrored.
    """
    if mirror:
        tracks = [mirrored(track, image.shape[1]) for track in tracks]
        image = np.asarray(cv2.flip(image, 1), np.uint8)
    return _drawn(
        image,
        [_mark(t.box, str(t.number), t.label, t.figure, t)._replace(steady=True) for t in tracks],
    )


def write_banner(image: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    """A copy of the RGB picture with a line of text along its lower edge.

    As small as the width demands.
    """
    canvas = np.array(image, order="C")
    caption = _fitted(
        _Caption(_printable(text), max(10, round(_scale(image) * 0.03)), "#8A2F2B"), image.shape[1]
    )
    tag = _tag(caption)[: image.shape[0], : image.shape[1]]
    canvas[canvas.shape[0] - len(tag) :, : tag.shape[1]] = tag
    return canvas


class _Mark(NamedTuple):
    """What is drawn of one face; the letters of a `steady` one depend on the picture alone."""

    box: Box
    number: str
    text: str
    color: str
    steady: bool = False


def _mark(box: Box, number: str, label: str, score: float, answer: Prediction | Track) -> _Mark:
    text = f"{number} {label}{'?' * answer.uncertain} {score:.2f}"
    return _Mark(box, number, _printable(text), color_of(label, tuple(answer.scores)))


def _printable(text: str) -> str:
    """The text on one line; no font draws lone surrogates or line ends."""
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _drawn(image: NDArray[np.uint8], marks: Sequence[_Mark]) -> NDArray[np.uint8]:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            f"expected RGB uint8 (height, width, 3), received {image.dtype} {image.shape}"
        )
    canvas = np.array(image, order="C")
    rects = [_draw_box(canvas, mark) for mark in marks]
    for caption, (x1, y1, x2, y2) in _layout(canvas, marks, rects):
        canvas[y1:y2, x1:x2] = _tag(caption)[: y2 - y1, : x2 - x1]
    return canvas


def _scale(image: NDArray[np.uint8]) -> float:
    """The side of the square with the picture's area.

    What lines and letters are measured against.
    """
    height, width = image.shape[:2]
    return math.sqrt(height * width)


def _draw_box(canvas: NDArray[np.uint8], mark: _Mark) -> Rect:
    """Draw the frame around the face's box and return its outline, clipped to the picture."""
    box, scale = mark.box, _scale(canvas)
    size = scale * 0.25 if mark.steady else box.height
    line = round(float(np.clip(size * 0.02, max(1.0, scale / 320), max(1.0, scale / 150))))
    x1, y1, x2, y2 = rect = _outline(box, line, canvas)
    color = rgb(mark.color)
    canvas[y1 : y1 + line, x1:x2] = canvas[max(y1, y2 - line) : y2, x1:x2] = color
    canvas[y1:y2, x1 : x1 + line] = canvas[y1:y2, max(x1, x2 - line) : x2] = color
    return rect


def _outline(box: Box, line: int, image: NDArray[np.uint8]) -> Rect:
    height, width = image.shape[:2]
    x1, y1 = max(0, math.floor(box.x1) - line), max(0, math.floor(box.y1) - line)
    return (
        x1,
        y1,
        max(x1, min(width, math.ceil(box.x2) + line)),
        max(y1, min(height, math.ceil(box.y2) + line)),
    )


class _Caption(NamedTuple):
    text: str
    size: int
    color: str


def _caption(image: NDArray[np.uint8], mark: _Mark, shrink: float) -> _Caption:
    """The mark's text in letters that suit the face and the picture, `shrink` times as large."""
    scale = _scale(image)
    size = scale * 0.25 if mark.steady else mark.box.height
    size = float(np.clip(size * 0.12, max(9.0, scale * 0.024), max(10.0, scale * 0.038))) * shrink
    return _fitted(_Caption(mark.text, max(7, round(size)), mark.color), image.shape[1])


def _fitted(caption: _Caption, width: int) -> _Caption:
    """The caption in letters small enough for a picture of this width."""
    excess = _extent(caption)[1] / width
    return caption if excess <= 1 else caption._replace(size=max(6, int(caption.size / excess)))


def _extent(caption: _Caption) -> tuple[int, int]:
    """Height and width of the caption's tag in pixels."""
    text, size, _ = caption
    return round(size * 0.72) + 2 * round(size * 0.3), math.ceil(
        _font(size).getlength(text)
    ) + 2 * round(size * 0.35)


@lru_cache(maxsize=512)  # a stream asks for the same captions again and again
def _tag(caption: _Caption) -> NDArray[np.uint8]:
    """The caption on a filled rectangle, RGB (h, w, 3)."""
    text, size, color = caption
    height, width = _extent(caption)
    fine = 4 if size < 40 else 1  # small letters are drawn larger and shrunk: even gaps, soft edges
    mask = Image.new("L", (width * fine, height * fine))
    middle, baseline = width * fine // 2, (height + round(size * 0.72)) * fine // 2
    ImageDraw.Draw(mask).text(
        (middle, baseline),
        text,
        255,
        _font(size * fine),
        anchor="ms",
        stroke_width=size * fine * 0.018,
    )
    tag = Image.new("RGB", (width, height), color)
    tag.paste(rgb(text_color(color)), mask=mask.reduce(fine))
    return np.asarray(tag)


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _layout(
    image: NDArray[np.uint8], marks: Sequence[_Mark], rects: Sequence[Rect]
) -> list[tuple[_Caption, Rect]]:
    """Each caption and its place.

    In the largest letters that leave the fewest captions without room.
    """
    best, fewest = [], len(rects) + 1
    for shrink in (1.0,) if any(mark.steady for mark in marks) else (1.0, 0.8, 0.64, 0.5):
        captions = [_caption(image, mark, shrink) for mark in marks]
        short = [
            caption._replace(text=mark.number)
            for caption, mark in zip(captions, marks, strict=True)
        ]
        placed, misfits = _arrange(captions, short, rects, image)
        if misfits < fewest:
            best, fewest = placed, misfits
        if fewest == 0:
            break
    return best


def _arrange(
    captions: Sequence[_Caption],
    short: Sequence[_Caption],
    rects: Sequence[Rect],
    image: NDArray[np.uint8],
) -> tuple[list[tuple[_Caption, Rect]], int]:
    """Give every caption a place, one after the other.

    And count those that found none for their whole text.
    """
    placed: list[tuple[_Caption, Rect]] = []
    misfits = 0
    for caption, number, rect in zip(captions, short, rects, strict=True):
        taken = [*rects, *(place for _, place in placed)]
        place, hidden = _place(_extent(caption), rect, taken, image)
        if hidden and len(rects) > 1:
            placed.append((number, _place(_extent(number), rect, taken, image)[0]))
        else:
            placed.append((caption, place))
        misfits += hidden > 0
    return placed, misfits


def _place(
    extent: tuple[int, int], rect: Rect, taken: Sequence[Rect], image: NDArray[np.uint8]
) -> tuple[Rect, int]:
    """The first place beside the box that hides the fewest pixels of boxes and captions `taken`.

    And how many.
    """
    height, width = min(extent[0], image.shape[0]), min(extent[1], image.shape[1])
    corners = np.clip(
        _beside((height, width), rect), 0, (image.shape[1] - width, image.shape[0] - height)
    )
    places, others = np.hstack([corners, np.add(corners, (width, height))]), np.array(taken)
    overlap = np.minimum(places[:, None, 2:], others[:, 2:]) - np.maximum(
        places[:, None, :2], others[:, :2]
    )
    hidden = np.maximum(overlap, 0).prod(axis=2).sum(axis=1)
    best = int(hidden.argmin())
    x1, y1, x2, y2 = places[best].tolist()
    return (x1, y1, x2, y2), int(hidden[best])


def _beside(extent: tuple[int, int], rect: Rect) -> list[tuple[int, int]]:
    """Left top corners of a caption above, below, right and left of the box.

    The most readable first.
    """
    (height, width), (x1, y1, x2, y2) = extent, rect
    columns = (x1, x2 - width, (x1 + x2 - width) // 2)
    rows = (y1, y2 - height, (y1 + y2 - height) // 2)
    level = [(x, y) for y in (y1 - height, y2) for x in columns]
    return level + [(x, y) for x in (x2, x1 - width) for y in rows]
