"""What stands beside the live picture.

Its HTML, its timeline and its empty states.
"""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app_pages.live.panel import _runs
from app_pages.live.stream import DisplayedValues
from fer import LABELS, Box, Face, Prediction, Track
from fer.colors import color_of

EMPTY = DisplayedValues(None, 0.0, 0.0, 0.0, 0, "", None, [])
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='x",
    "&lt;b&gt;",
    "</div>",
)


class Tags(HTMLParser):
    """Every tag and attribute of a piece of HTML, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += f" {data} "


def track(labels: tuple[str, ...] = LABELS, score: float = 0.7) -> Track:
    rest = (1 - score) / (len(labels) - 1)
    scores = dict(zip(labels, [score] + [rest] * (len(labels) - 1), strict=True))
    prediction = Prediction(Face(Box(0, 0, 9, 9), 0.9), scores, np.zeros((48, 48), np.uint8), 0.5)
    return Track(3, Box(0, 0, 9, 9), scores, labels[0], score, prediction, 0.0, prediction.doubts)


def running(**changes: object) -> DisplayedValues:
    return replace(EMPTY, silence=0.01, rate=29.6, median=0.00412, late=0.0119, **changes)


def shown(
    values: DisplayedValues, labels: tuple[str, ...] = LABELS, *, playing: bool = True
) -> AppTest:
    def page(values, labels, playing) -> None:
        from app_pages.live.panel import show

        show(values, labels, playing=playing)

    app = AppTest.from_function(page, args=(values, labels, playing), default_timeout=30).run()
    assert not app.exception
    return app


def markup(app: AppTest) -> str:
    return app.get("html")[0].proto.body


def picture(html: str) -> ET.Element:
    """The timeline's drawing."""
    (source,) = re.findall(r"data:image/svg\+xml;base64,([^\"]+)", html)
    return ET.fromstring(base64.b64decode(source))


def lines(html: str) -> list[ET.Element]:
    return picture(html).findall("{http://www.w3.org/2000/svg}polyline")


def test_before_the_first_frame_it_says_what_will_be_here() -> None:
    app = shown(EMPTY)
    assert "Press START" in app.markdown[0].value
    assert not app.get("html")


@pytest.mark.parametrize(
    ("playing", "face", "title"),
    [(True, False, "no face"), (False, False, "stopped"), (False, True, "stopped")],
)
def test_without_a_face_the_shape_stays(playing: bool, face: bool, title: str) -> None:
    html = markup(
        shown(replace(EMPTY, silence=0.1, main=track() if face else None), playing=playing)
    )
    tags = Tags(html)
    assert title in tags.words
    assert all(f" {label} " in tags.words for label in LABELS)
    assert tags.words.count(" – ") == len(LABELS)
    assert lines(html) == []
    assert (" 0 " in tags.words, " 0.0 ms " in tags.words) == (True, True)


def test_numbers_and_the_main_face_are_shown() -> None:
    app = shown(running(main=track(), dropped=1234))
    assert not app.warning
    html = markup(app)
    tags = Tags(html)
    for word in (
        "happy",
        "0.70",
        "0.10",
        "face 3",
        "30",
        "processed fps",
        "4.1 ms",
        "within 11.9 ms",
        "1,234",
    ):
        assert f" {word}" in tags.words or word in tags.words
    assert "uncertain" not in tags.words
    assert (
        "aria-label",
        "Scores: happy 0.70, sad 0.10, neutral 0.10, surprised 0.10",
    ) in tags.attributes
    assert [
        value for name, value in tags.attributes if name == "style" and "width:" in str(value)
    ] == [
        f"width:{share}%;background:{color_of(label, LABELS)}"
        for label, share in zip(LABELS, ("70.0", "10.0", "10.0", "10.0"), strict=True)
    ]


@pytest.mark.parametrize(
    ("score", "remark"), [(0.5, " face 3 "), (0.49, " face 3, uncertain: low score ")]
)
def test_a_low_score_is_called_uncertain(score: float, remark: str) -> None:
    assert remark in Tags(markup(shown(running(main=track(score=score))))).words


@pytest.mark.parametrize("face", [False, True])
def test_labels_are_never_markup(face: bool) -> None:
    scores = dict.fromkeys(HOSTILE, 0.2)
    values = running(
        main=track(HOSTILE) if face else None, timeline=[(-1.0, scores), (-0.5, scores)]
    )
    html = markup(shown(values, HOSTILE))
    tags = Tags(html)
    assert tags.tags <= {"div", "i", "b", "span", "small", "img", "p"}
    assert not tags.open
    assert {name for name, _ in tags.attributes} <= {
        "class",
        "style",
        "role",
        "aria-label",
        "aria-hidden",
        "src",
        "alt",
        "title",
    }
    assert all(
        str(value).startswith("data:image/") for name, value in tags.attributes if name == "src"
    )
    assert all(label in tags.words for label in HOSTILE)
    assert len(lines(html)) == len(HOSTILE)


def test_another_version_than_the_face_shown_breaks_nothing() -> None:
    html = markup(
        shown(
            running(
                main=track(("a", "b")),
                timeline=[(-2.0, {"a": 1.0, "b": 0.0}), (-1.0, dict.fromkeys(LABELS, 0.25))],
            )
        )
    )
    assert " a " in Tags(html).words
    assert len(lines(html)) == len(LABELS)


@pytest.mark.parametrize(
    "error", ["FERError: **x** [a](http://b) <b>", "RuntimeError: :red[x] $1$", "ValueError: a\nb"]
)
def test_errors_are_plain_text(error: str) -> None:
    app = shown(running(error=error))
    (warning,) = app.warning
    text = warning.value
    assert " ".join(error.split()) in text.replace("\\", "")
    assert not re.search(r"(?<!\\)[*\[<$]|(?<!\\):red", text)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([], []),
        ([(-1.0, None)], []),
        ([(-60.0, {"a": 1.0}), (0.0, {"a": 0.0})], ["0.0,0.0", "600.0,120.0"]),
        ([(-0.4, {"a": 1.0}), (-0.2, {"a": 0.5})], ["596.0,0.0 598.0,60.0"]),
        (
            [(-0.6, {"a": 1.0}), (-0.4, None), (-0.2, {"a": 1.0}), (0.0, None)],
            ["594.0,0.0", "598.0,0.0"],
        ),
        ([(-0.6, {"a": 1.0}), (-0.4, {"b": 1.0}), (-0.2, {"a": 1.0})], ["594.0,0.0", "598.0,0.0"]),
    ],
)
def test_lines_of_the_timeline(samples: list, expected: list[str]) -> None:
    # far apart: one line or two, but at these places
    if len(samples) == 2 and samples[0][0] == -60.0:
        assert " ".join(_runs(samples, "a")).split() == expected
    else:
        assert _runs(samples, "a") == expected


def test_the_line_breaks_where_the_camera_was_off() -> None:
    before, after = (
        [(-50 + i / 5, {"a": 1.0}) for i in range(10)],
        [(-5 + i / 5, {"a": 1.0}) for i in range(10)],
    )
    assert len(_runs(before + after, "a")) == 2
