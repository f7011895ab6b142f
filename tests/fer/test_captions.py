"""Captions by themselves: how large they are and where they go."""

from __future__ import annotations

import numpy as np
import pytest

from fer.captions import Caption, Rect, Wanted, fitted, placed, size_of, tag_of

PICTURE = (480, 640)
ORANGE = "#E69F00"


def wanted(text: str = "happy 0.93", *, number: str = "1", shrinks: bool = True) -> Wanted:
    return Wanted(text, number, 16.0, ORANGE, shrinks)


def test_without_a_box_there_is_no_caption() -> None:
    assert placed([], [], PICTURE) == []


@pytest.mark.parametrize("size", [6, 16, 39, 40, 90])
@pytest.mark.parametrize("text", ["", "happy 0.93", "幸せ"])
def test_a_tag_has_the_size_it_says(size: int, text: str) -> None:
    caption = Caption(text, size, ORANGE)
    tag = tag_of(caption)
    assert (tag.shape, tag.dtype) == ((*size_of(caption), 3), np.uint8)


@pytest.mark.parametrize("width", [640, 100, 40, 1])
def test_letters_shrink_to_a_narrow_picture(width: int) -> None:
    caption = Caption("happy 0.93", 30, ORANGE)
    smaller = fitted(caption, width)
    assert 6 <= smaller.size <= caption.size
    assert size_of(smaller)[1] <= width or smaller.size == 6


@pytest.mark.parametrize(
    ("box", "side"),
    [
        ((250, 180, 390, 340), "above"),
        ((250, 0, 390, 160), "below"),
        ((0, 0, 120, 480), "right"),
        ((520, 0, 640, 480), "left"),
    ],
)
def test_a_caption_goes_where_it_hides_nothing(box: Rect, side: str) -> None:
    [(caption, (x1, y1, x2, y2))] = placed([wanted()], [box], PICTURE)
    assert (caption.text, caption.size) == ("happy 0.93", 16)
    assert (y2 - y1, x2 - x1) == size_of(caption)
    where = {"above": y2 <= box[1], "below": y1 >= box[3], "right": x1 >= box[2]}
    where["left"] = x2 <= box[0]
    assert [name for name, true in where.items() if true] == [side]


CROWD = [(x, y, x + 60, y + 60) for y in range(0, 180, 64) for x in range(0, 180, 64)]


def test_in_a_crowd_letters_shrink_and_some_captions_are_a_number() -> None:
    captions = placed([wanted()] * len(CROWD), CROWD, (188, 188))
    assert {caption.size for caption, _ in captions} <= {16, 13, 10, 8}
    assert "1" in {caption.text for caption, _ in captions}


def test_letters_that_must_not_shrink_keep_their_size() -> None:
    captions = placed([wanted(shrinks=False)] * len(CROWD), CROWD, (188, 188))
    assert {caption.size for caption, _ in captions} == {16}


def test_a_single_face_that_fills_the_picture_keeps_its_whole_caption() -> None:
    [(caption, place)] = placed([wanted()], [(0, 0, 640, 480)], PICTURE)
    assert caption.text == "happy 0.93"
    assert 0 <= place[0] < place[2] <= 640
