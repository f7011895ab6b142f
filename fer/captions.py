"""Captions beside boxes: in letters that suit the picture, where they hide no face."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fer.colors import rgb, text_color

Rect = tuple[int, int, int, int]
"""x1, y1, x2, y2 in whole pixels; x2 and y2 lie just outside."""

Size = tuple[int, int]
"""Height and width in pixels."""

_SHRINKS = (1.0, 0.8, 0.64, 0.5)  # letter sizes that a crowd tries, in this order
_SMALLEST_IN_CROWD = 7  # pixels, of letters
_SMALLEST = 6  # in a picture that is narrower than its caption


class Caption(NamedTuple):
    """One line of text; `size` is that of its letters in pixels, `color` that of the tag."""

    text: str
    size: int
    color: str


class Wanted(NamedTuple):
    """A caption as it should be; where there is no room, `number` alone is its text."""

    text: str
    number: str
    size: float
    color: str
    shrinks: bool


def placed(
    wanted: Sequence[Wanted], boxes: Sequence[Rect], picture: Size
) -> list[tuple[Caption, Rect]]:
    """A caption and its place for each box, in the largest letters that leave room for the most."""
    crowded = all(one.shrinks for one in wanted)
    best: list[tuple[Caption, Rect]] = []
    fewest = len(boxes) + 1
    for shrink in _SHRINKS if crowded else _SHRINKS[:1]:
        captions, without_room = _arranged(wanted, boxes, picture, shrink)
        if without_room < fewest:
            best, fewest = captions, without_room
        if fewest == 0:
            break
    return best


def fitted(caption: Caption, width: int) -> Caption:
    """The caption in letters small enough for a picture of this width."""
    excess = size_of(caption)[1] / width
    if excess <= 1:
        return caption
    return caption._replace(size=max(_SMALLEST, int(caption.size / excess)))


def size_of(caption: Caption) -> Size:
    """The size of the caption's tag."""
    height = _cap_height(caption) + 2 * round(caption.size * 0.3)
    letters = math.ceil(_font(caption.size).getlength(caption.text))
    return height, letters + 2 * round(caption.size * 0.35)


def _cap_height(caption: Caption) -> int:
    """The height of a capital letter."""
    return round(caption.size * 0.72)


@lru_cache(maxsize=512)  # a stream asks for the same captions again and again
def tag_of(caption: Caption) -> NDArray[np.uint8]:
    """The caption on a filled rectangle, RGB (height, width, 3)."""
    height, width = size_of(caption)
    tag = Image.new("RGB", (width, height), caption.color)
    tag.paste(rgb(text_color(caption.color)), mask=_letters(caption, height, width))
    return np.asarray(tag)


def _letters(caption: Caption, height: int, width: int) -> Image.Image:
    """The mask of the text; small letters are drawn larger and shrunk: even gaps, soft edges."""
    fine = 4 if caption.size < 40 else 1
    mask = Image.new("L", (width * fine, height * fine))
    middle = width * fine // 2
    baseline = (height + _cap_height(caption)) * fine // 2
    size = caption.size * fine
    ImageDraw.Draw(mask).text(
        (middle, baseline), caption.text, 255, _font(size), anchor="ms", stroke_width=size * 0.018
    )
    return mask.reduce(fine)


@lru_cache(maxsize=64)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _arranged(
    wanted: Sequence[Wanted], boxes: Sequence[Rect], picture: Size, shrink: float
) -> tuple[list[tuple[Caption, Rect]], int]:
    """A place for every caption, one after the other, and how many have no room for their text."""
    result: list[tuple[Caption, Rect]] = []
    without_room = 0
    for one, box in zip(wanted, boxes, strict=True):
        taken = [*boxes, *(place for _, place in result)]
        caption = _shrunk(one, shrink, picture[1])
        place, hidden = _best_place(caption, box, taken, picture)
        if hidden and len(boxes) > 1:
            caption = caption._replace(text=one.number)
            place, _ = _best_place(caption, box, taken, picture)
        result.append((caption, place))
        without_room += hidden > 0
    return result, without_room


def _shrunk(wanted: Wanted, shrink: float, width: int) -> Caption:
    size = max(_SMALLEST_IN_CROWD, round(wanted.size * shrink))
    return fitted(Caption(wanted.text, size, wanted.color), width)


def _best_place(
    caption: Caption, box: Rect, taken: Sequence[Rect], picture: Size
) -> tuple[Rect, int]:
    """The first place beside the box that hides the fewest pixels of `taken`, and how many."""
    places = _places(caption, box, picture)
    hidden = _hidden_pixels(places, np.array(taken))
    best = int(hidden.argmin())
    x1, y1, x2, y2 = places[best].tolist()
    return (x1, y1, x2, y2), int(hidden[best])


def _places(caption: Caption, box: Rect, picture: Size) -> NDArray[np.int_]:
    """Places for the caption beside the box, within the picture: (n, 4)."""
    height, width = np.minimum(size_of(caption), picture).tolist()
    last = (picture[1] - width, picture[0] - height)
    corners = np.clip(_beside((height, width), box), 0, last)
    return np.hstack([corners, np.add(corners, (width, height))])


def _hidden_pixels(places: NDArray[np.int_], taken: NDArray[np.int_]) -> NDArray[np.int_]:
    """How many pixels of the rectangles `taken` each of the places hides."""
    ends = np.minimum(places[:, None, 2:], taken[:, 2:])
    starts = np.maximum(places[:, None, :2], taken[:, :2])
    return np.asarray(np.maximum(ends - starts, 0).prod(axis=2).sum(axis=1))


def _beside(tag: Size, box: Rect) -> list[tuple[int, int]]:
    """Left top corners of a tag above, below, right and left of the box, most readable first."""
    height, width = tag
    x1, y1, x2, y2 = box
    level = [(x, y) for y in (y1 - height, y2) for x in _aligned(width, x1, x2)]
    return level + [(x, y) for x in (x2, x1 - width) for y in _aligned(height, y1, y2)]


def _aligned(length: int, start: int, end: int) -> tuple[int, int, int]:
    """Where something begins that is as long as this, at the start, the end and the middle."""
    return start, end - length, (start + end - length) // 2
