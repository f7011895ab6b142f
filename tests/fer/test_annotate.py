"""What is drawn, where and how large; above all, what is left alone."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from fer import annotate as annotate_function
from fer.annotate import annotate, annotate_tracks, write_banner
from fer.colors import EXPRESSION_COLORS, OTHER_COLORS
from fer.geometry import Box
from fer.results import Face, Prediction, Track
from fer.streams.tracking import FaceTracker
from fer.versions.labels import LABELS

pytestmark = pytest.mark.filterwarnings("error")
BACKGROUND = (120, 140, 125)
Rect = tuple[int, int, int, int]


def prediction(
    box: tuple[float, float, float, float], label: str = "happy", score: float = 0.93
) -> Prediction:
    labels = dict.fromkeys((*LABELS, label))
    scores = {
        other: score if other == label else (1 - score) / (len(labels) - 1) for other in labels
    }
    return Prediction(Face(Box(*box), 0.9), scores, np.zeros((48, 48), np.uint8))


def blank(width: int, height: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), BACKGROUND, np.uint8)


def drawn(annotated: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.any(annotated != BACKGROUND, axis=2)


def rgb(color: str) -> list[int]:
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


@pytest.fixture
def captions(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Rect]]:
    """Filled by each call of `annotate`: the text and the place of every caption."""
    module = importlib.import_module("fer.annotate")  # in the package the function hides the module
    placed = module.placed
    seen: list[tuple[str, Rect]] = []

    def spy(*args: object) -> object:
        result = placed(*args)
        seen[:] = [(caption.text, place) for caption, place in result]
        return result

    monkeypatch.setattr(module, "placed", spy)
    return seen


def overlap(a: Sequence[float], b: Sequence[float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_the_package_offers_the_function() -> None:
    assert annotate_function is annotate


@pytest.mark.parametrize("shape", [(480, 640, 3), (1, 1, 3)])
def test_no_prediction_gives_an_equal_copy(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    annotated = annotate(image, [])
    assert np.array_equal(annotated, image)
    assert not np.shares_memory(annotated, image)


@pytest.mark.parametrize("view", [np.s_[:, :], np.s_[::-1, ::-1], np.s_[:, 10:90]])
def test_the_input_stays_as_it_was(view: tuple[slice, slice]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)[view]
    before = image.copy()
    image.flags.writeable = False
    annotated = annotate(image, [prediction((30, 40, 60, 80))])
    assert np.array_equal(image, before)
    assert annotated.shape == image.shape
    assert annotated.flags.c_contiguous
    assert not np.array_equal(annotated, before)


@pytest.mark.parametrize(
    "image",
    [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3), np.float32)],
)
def test_anything_but_rgb_uint8_is_refused(image: NDArray[np.uint8]) -> None:
    with pytest.raises(
        ValueError, match=r"expected RGB uint8 \(height, width, 3\), received .*\(9, 9"
    ):
        annotate(image, [])


BOXES = {
    "middle": (250, 180, 390, 340),
    "fractions": (250.4, 180.6, 390.5, 340.2),
    "top": (250, 0, 390, 160),
    "left top corner": (0, 0, 120, 150),
    "right bottom corner": (520, 330, 640, 480),
    "full height": (200, 0, 400, 480),
    "full width": (0, 150, 640, 400),
    "small": (300, 200, 312, 215),
    "at the right edge": (628, 200, 640, 215),
}


@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES.keys())
def test_a_caption_shows_and_the_face_stays_untouched(
    box: tuple[float, float, float, float], captions: list[tuple[str, Rect]]
) -> None:
    marks = drawn(annotate(blank(640, 480), [prediction(box)]))
    line = 4  # the lines of a box at the picture's edge lie inside it
    x1, y1, x2, y2 = (round(v) for v in box)
    inside = np.s_[
        y1 + line * (y1 == 0) : y2 - line * (y2 == 480),
        x1 + line * (x1 == 0) : x2 - line * (x2 == 640),
    ]
    assert not marks[inside].any()
    [(text, place)] = captions
    assert text == "happy 0.93"
    assert marks[place[1] : place[3], place[0] : place[2]].all()
    assert marks.sum() > (place[3] - place[1]) * (place[2] - place[0])


@pytest.mark.parametrize(
    ("box", "side"),
    [
        (BOXES["middle"], "above"),
        (BOXES["right bottom corner"], "above"),
        (BOXES["top"], "below"),
        (BOXES["full height"], "right"),
        ((500, 0, 640, 480), "left"),
    ],
)
def test_above_is_preferred_then_below_then_the_sides(
    box: tuple[float, float, float, float], side: str, captions: list[tuple[str, Rect]]
) -> None:
    annotate(blank(640, 480), [prediction(box)])
    x1, y1, x2, y2 = captions[0][1]
    found = {
        "above": y2 <= box[1],
        "below": y1 >= box[3],
        "right": x1 >= box[2],
        "left": x2 <= box[0],
    }
    assert [name for name, true in found.items() if true] == [side]


@pytest.mark.parametrize("face", [0.1, 0.3, 0.7])
@pytest.mark.parametrize(
    ("width", "height"), [(100, 100), (240, 320), (640, 480), (1920, 1080), (8000, 3000)]
)
def test_letters_and_lines_grow_with_the_picture(
    width: int, height: int, face: float, captions: list[tuple[str, Rect]]
) -> None:
    side, scale = face * height, (width * height) ** 0.5
    x, y = (width - side) / 2, (height - side) / 2
    marks = drawn(annotate(blank(width, height), [prediction((x, y, x + side, y + side))]))
    x1, y1, x2, y2 = captions[0][1]
    assert max(9, 0.025 * scale) <= y2 - y1 <= max(15, 0.055 * scale)
    assert 2.5 * (y2 - y1) <= x2 - x1 <= width
    line = int(marks[height // 2, : width // 2].sum())
    assert max(1, 0.002 * scale) <= line <= max(1, 0.008 * scale)


def test_larger_faces_get_larger_letters(captions: list[tuple[str, Rect]]) -> None:
    heights = []
    for side in (20, 140, 300):
        annotate(blank(640, 480), [prediction((100, 100, 100 + side, 100 + side))])
        heights.append(captions[0][1][3] - captions[0][1][1])
    assert all(a < b for a, b in pairwise(heights))


def test_numbers_follow_the_order_from_two_faces_on(captions: list[tuple[str, Rect]]) -> None:
    faces = [
        prediction((400, 200, 450, 260), "sad", 0.5),
        prediction((100, 200, 150, 260), "happy", 0.987),
    ]
    annotate(blank(640, 480), faces)
    assert [text for text, _ in captions] == ["1 sad 0.50", "2 happy 0.99"]
    assert captions[0][1][0] > captions[1][1][0]


def crowd(
    seed: int, columns: int, rows: int, width: int, height: int, size: float
) -> list[Prediction]:
    """Faces `size` times as high as their cells, on a shaken grid."""
    rng = np.random.default_rng(seed)
    side, cell_width, cell_height = size * height / rows, width / columns, height / rows
    faces = []
    for cell in range(columns * rows):
        row, column = divmod(cell, columns)
        x = np.clip((column + 0.5 + rng.normal() * 0.05) * cell_width - side / 2, 0, width - side)
        y = np.clip((row + 0.5 + rng.normal() * 0.05) * cell_height - side / 2, 0, height - side)
        faces.append(
            prediction((x, y, x + side, y + side), LABELS[rng.integers(4)], rng.uniform(0.4, 1))
        )
    return faces


@pytest.mark.parametrize(
    "faces",
    [
        crowd(seed, *grid, 1600, 1000, 0.45)
        for seed in range(3)
        for grid in ((2, 1), (3, 2), (6, 4), (10, 5))
    ],
    ids=lambda faces: f"{len(faces)} faces",
)
def test_captions_cover_no_face_and_no_caption_and_touch_their_own_box(
    faces: list[Prediction], captions: list[tuple[str, Rect]]
) -> None:
    marks = drawn(annotate(blank(1600, 1000), faces))
    places = [place for _, place in captions]
    boxes = [(f.face.box.x1, f.face.box.y1, f.face.box.x2, f.face.box.y2) for f in faces]
    assert len(places) == len(faces)
    assert not [pair for pair in combinations(places, 2) if overlap(*pair)]
    assert not [(place, box) for place in places for box in boxes if overlap(place, box)]
    assert all(0 <= x1 < x2 <= 1600 and 0 <= y1 < y2 <= 1000 for x1, y1, x2, y2 in places)
    reach = 12  # the line and rounding
    for (x1, y1, x2, y2), box in zip(places, boxes, strict=True):
        assert overlap((x1 - reach, y1 - reach, x2 + reach, y2 + reach), box)
    for x1, y1, x2, y2 in boxes:
        assert not marks[round(y1) + 1 : round(y2) - 1, round(x1) + 1 : round(x2) - 1].any()
    assert all(" " in text for text, _ in captions)


def test_a_crowd_gets_smaller_letters(captions: list[tuple[str, Rect]]) -> None:
    faces = crowd(0, 10, 5, 1600, 1000, 0.45)
    annotate(blank(1600, 1000), faces)
    crowded = captions[0][1]
    annotate(blank(1600, 1000), faces[:1])
    assert crowded[3] - crowded[1] < captions[0][1][3] - captions[0][1][1]


def test_faces_without_room_between_them_keep_their_numbers(
    captions: list[tuple[str, Rect]],
) -> None:
    faces = [prediction((x, y, x + 50, y + 50)) for y in (0, 52, 104) for x in (0, 52, 104)]
    annotate(blank(154, 154), faces)
    assert [text.split()[0] for text, _ in captions] == [str(number) for number in range(1, 10)]
    assert "5" in [text for text, _ in captions]


@pytest.mark.parametrize(("width", "height"), [(100, 100), (640, 480), (4000, 3000)])
def test_a_face_that_fills_the_picture_loses_a_corner_alone(width: int, height: int) -> None:
    image = blank(width, height)
    annotated = annotate(image, [prediction((0, 0, width, height))])
    assert annotated.shape == image.shape
    marks = drawn(annotated)
    middle = marks[height // 6 : -height // 40, width // 40 : -width // 40]
    assert marks[: height // 40].any()
    assert not middle.any()


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (5, 5), (10, 20), (20, 300), (300, 20)])
def test_tiny_and_thin_pictures(shape: tuple[int, int]) -> None:
    height, width = shape
    faces = [
        prediction((0, 0, width, height)),
        prediction((width / 4, height / 4, width / 2, height / 2)),
    ]
    assert annotate(blank(width, height), faces).shape == (height, width, 3)
    assert annotate(blank(width, height), faces[1:]).shape == (height, width, 3)


@pytest.mark.parametrize(
    "box", [(-50, -50, 40, 40), (600, 440, 900, 900), (700, 500, 800, 600), (-90, -90, -10, -10)]
)
def test_boxes_beyond_the_picture_are_clipped(box: tuple[float, float, float, float]) -> None:
    assert annotate(blank(640, 480), [prediction(box)]).shape == (480, 640, 3)


@pytest.mark.parametrize("label", [*LABELS, "fear"])
def test_box_and_tag_wear_the_colour_and_the_text_stands_out(
    label: str, captions: list[tuple[str, Rect]]
) -> None:
    annotated = annotate(blank(640, 480), [prediction((250, 180, 390, 340), label)])
    color = rgb(EXPRESSION_COLORS.get(label, OTHER_COLORS[0]))
    assert (
        annotated[260, 249].tolist()
        == annotated[260, 390].tolist()
        == annotated[340, 300].tolist()
        == color
    )
    x1, y1, x2, y2 = captions[0][1]
    tag = annotated[y1:y2, x1:x2].reshape(-1, 3)
    assert np.mean(np.all(tag == color, axis=1)) > 0.5
    assert max(contrast(pixel, color) for pixel in tag) >= 4.5  # WCAG 2, level AA


def contrast(a: Sequence[int], b: Sequence[int]) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def luminance(color: Sequence[int]) -> float:
    values = np.asarray(color) / 255
    return float(
        np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        @ (0.2126, 0.7152, 0.0722)
    )


@pytest.mark.parametrize(
    "label",
    [
        "überrascht",
        "счастье",
        "幸せ",
        "😀",
        "two\nlines",
        "tab\tbed",
        "\ud800",
        "\0",
        "",
        "x" * 500,
        "سعيد",
    ],
)
def test_any_label_can_be_drawn(label: str) -> None:
    marks = drawn(annotate(blank(200, 150), [prediction((60, 60, 120, 120), label)]))
    assert not marks[62:118, 62:118].any()
    assert marks[:58].any() or marks[123:].any()


# Tracks of a stream


def track(
    box: tuple[float, float, float, float],
    number: int = 1,
    label: str = "happy",
    displayed_score: float = 0.93,
) -> Track:
    inner = prediction(box, label, displayed_score)
    return Track(number, Box(*box), inner.scores, label, displayed_score, inner, 0.0, inner.doubts)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("shape", [(480, 640, 3), (1, 1, 3)])
def test_no_track_gives_the_frame_or_its_mirror_image(shape, mirror):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    annotated = annotate_tracks(image, [], mirror=mirror)
    assert np.array_equal(annotated, image[:, ::-1] if mirror else image)
    assert annotated.flags.c_contiguous
    assert not np.shares_memory(annotated, image)


def test_a_track_wears_its_number_even_alone(captions):
    annotate_tracks(blank(640, 480), [track((250, 180, 390, 340), 7)])
    assert [text for text, _ in captions] == ["7 happy 0.93"]


def test_the_figure_is_written_and_not_the_score(captions):
    annotate_tracks(blank(640, 480), [replace(track((250, 180, 390, 340)), displayed_score=0.41)])
    assert captions[0][0] == "1 happy 0.41"


@pytest.mark.parametrize(
    "box", [(250, 180, 390, 340), (20, 100, 160, 260), (560.5, 100, 640, 220.5)]
)
def test_a_mirror_moves_the_box_and_leaves_the_letters(box, captions):
    image = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    plain, plain_place = annotate_tracks(image, [track(box)]), captions[0][1]
    mirror, mirror_place = annotate_tracks(image, [track(box)], mirror=True), captions[0][1]
    assert np.array_equal(cut(plain, plain_place), cut(mirror, mirror_place))
    swapped = annotate_tracks(image[:, ::-1], [track((640 - box[2], box[1], 640 - box[0], box[3]))])
    assert np.array_equal(mirror, swapped)
    inside = np.s_[int(box[1]) + 5 : int(box[3]) - 5, 640 - int(box[2]) + 5 : 640 - int(box[0]) - 5]
    assert np.array_equal(mirror[inside], image[:, ::-1][inside])


def cut(image: NDArray[np.uint8], place: Rect) -> NDArray[np.uint8]:
    return image[place[1] : place[3], place[0] : place[2]]


@pytest.mark.parametrize(("width", "height"), [(160, 120), (320, 240), (640, 480), (1920, 1080)])
def test_letters_and_lines_keep_their_size_whatever_the_size_of_the_face(width, height, captions):
    image, sizes, lines = blank(width, height), set(), set()
    for share in (0.02, 0.1, 0.3, 0.6, 0.9, 1.0):
        half = share * height / 2
        box = (width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)
        marks = drawn(annotate_tracks(image, [track(box)]))
        x1, y1, x2, y2 = captions[0][1]
        sizes.add((x2 - x1, y2 - y1))
        if share == 0.3:
            lines.add(int(marks[height // 2, : width // 2].sum()))
        if share == 0.6:
            lines.add(int(marks[round(height * 0.65), : width // 2].sum()))
    assert len(sizes) == len(lines) == 1


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (20, 300), (300, 20)])
@pytest.mark.parametrize("mirror", [False, True])
def test_tiny_and_thin_frames(shape, mirror):
    height, width = shape
    tracks = [
        track((0, 0, width, height)),
        track((width / 4, height / 4, width / 2, height / 2), 2),
    ]
    assert annotate_tracks(blank(width, height), tracks, mirror=mirror).shape == (height, width, 3)


@pytest.mark.parametrize(
    "box", [(-50, -50, 40, 40), (600, 440, 900, 900), (700, 500, 800, 600), (-90, -90, -10, -10)]
)
@pytest.mark.parametrize("mirror", [False, True])
def test_tracks_beyond_the_frame_are_clipped(box, mirror):
    assert annotate_tracks(blank(640, 480), [track(box)], mirror=mirror).shape == (480, 640, 3)


def test_the_frame_of_a_stream_stays_as_it_was():
    image = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    image.flags.writeable = False
    before = image.copy()
    annotate_tracks(image, [track((30, 40, 60, 80))], mirror=True)
    write_banner(image, "text")
    assert np.array_equal(image, before)


# Banners

TEXTS = ["", "not classified", "x" * 10_000, "\ud800", "\0", "幸せ", "tab\tbed"]


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (5, 500), (500, 5), (480, 640)])
@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:20]))
def test_any_text_can_be_a_banner_on_any_picture(shape, text):
    image = blank(shape[1], shape[0])
    written = write_banner(image, text)
    assert written.shape == image.shape
    assert not np.shares_memory(written, image)
    if shape == (480, 640):
        marks = drawn(written)
        assert not marks[:440].any()
        assert marks[-1, 0]


def test_a_banner_shows_its_text_at_the_lower_edge():
    written = write_banner(blank(640, 480), "classification is slow")
    rows, columns = np.nonzero(drawn(written))
    assert (rows.max(), columns.min()) == (479, 0)
    assert 100 < columns.max() < 640
    tag = written[rows.min() :, : columns.max() + 1].reshape(-1, 3)
    assert max(contrast(pixel, rgb("#8A2F2B")) for pixel in np.unique(tag, axis=0)) >= 4.5


@pytest.mark.parametrize("text", ["first\nsecond", "first\r\nsecond", "first\n\n  second\n"])
def test_a_banner_puts_a_text_of_several_lines_on_one(text):
    """Error messages are such texts."""
    assert np.array_equal(
        write_banner(blank(300, 60), text), write_banner(blank(300, 60), "first second")
    )


def test_a_view_of_a_picture_can_wear_a_banner():
    image = np.random.default_rng(0).integers(0, 256, (60, 300, 3), dtype=np.uint8)[:, ::-1]
    written = write_banner(image, "text")
    assert written.flags.c_contiguous
    assert np.array_equal(written[:30], image[:30])


def test_uncertain_labels_carry_a_question_mark(captions):
    for below, text in ((0.49, "happy 0.49"), (0.5, "happy? 0.49")):
        face = replace(prediction((100, 100, 200, 220), score=0.49), uncertain_below=below)
        annotate(blank(400, 300), [face])
        assert captions[0][0] == text
        annotate_tracks(blank(400, 300), FaceTracker().update([face], 0.0))
        assert captions[0][0] == f"1 {text}"
