"""What the pages share: the choice of version and detector, the version's card, the score chart and the note."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from fer import (
    DETECTORS,
    EmotionClassifier,
    FaceDetector,
    FERError,
    FERPipeline,
    ModelVersion,
    Prediction,
    list_versions,
    load_detector,
    load_version,
)
from fer.annotate import color_of
from fer.artifact import CONFIG, GRAPH
from fer.registry import BUNDLED, DEFAULT

MODELS = BUNDLED
UNCERTAIN = 0.5
"""Below this score the other expressions together are likelier than the one that is named."""

_DETECTOR_NAMES = {"blazeface": "BlazeFace", "yunet": "YuNet"}
_RETRY_SECONDS = 30.0
_STYLE = Path(__file__).with_name("style.css")


def choose_pipeline() -> FERPipeline | None:
    """Offer versions and detectors in the sidebar; the chosen pair, or None after an error was shown."""
    st.html(_STYLE)
    with st.sidebar:
        version = _choose_version()
        detector = _choose_detector()
        if version:
            version_card(version)
    if version is None or detector is None:
        return None
    try:
        return FERPipeline(detector, _classifier(version.folder.name, *_stamp(version.folder.name)))
    except FERError as error:
        show_error(f"{error} Choose another version or detector.")
        return None


def version_card(version: ModelVersion) -> None:
    """What a version is: its accuracy with n and interval, size, digest and labels."""
    accuracy = _accuracy(version)
    with st.container(border=True, gap="xsmall"):
        if accuracy:
            st.metric("Accuracy", f"{accuracy['value']:.3f}")
            interval = f"95 % interval {accuracy['low']:.3f} to {accuracy['high']:.3f}"
            st.caption(f"{interval}, n = {accuracy['n']:,} test pictures of FER2013")
        else:
            st.metric("Accuracy", "not measured")
        st.html(legend(version.labels))
        st.caption(
            f"{version.files[GRAPH].bytes / 1e6:.1f} MB, {version.parameters / 1e6:.2f} M parameters  \n"
            f"sha256 {version.sha256[:12]}"
        )


def note(kept: str) -> None:
    """What the numbers mean, what is kept, and where the data ends: at the foot of every page."""
    st.container(key="note").caption(
        f"An expression is what a face shows, not what a person feels. {kept} "
        "The versions learned from FER2013: small grey pictures from the web, with labels on which people often "
        "disagree. Expect more errors on children, profiles, covered faces and weak light. Do not judge people by it."
    )


def score_chart(prediction: Prediction, *, key: str) -> None:
    """Horizontal bars of all scores, in the version's order; the best one in strong type."""
    labels = list(prediction.scores)
    values = [_strong(f"{score:.2f}", label == prediction.label) for label, score in prediction.scores.items()]
    names = [_strong(html.escape(label), label == prediction.label) for label in labels]
    bars = {"y": labels, "orientation": "h", "marker_line_width": 0}
    track = go.Bar(
        x=[1.0] * len(labels), marker_color="rgba(128, 128, 128, 0.14)", cliponaxis=False,
        text=values, textposition="outside", textfont_size=13, constraintext="none", **bars,
    )  # fmt: skip
    scores = go.Bar(
        x=list(prediction.scores.values()), marker_color=[color_of(label, labels) for label in labels], **bars
    )
    figure = go.Figure([track, scores])
    margin = {"l": 0, "r": 40, "t": 0, "b": 0}
    figure.update_layout(height=26 * len(labels), margin=margin, bargap=0.5, barmode="overlay", showlegend=False)
    figure.update_xaxes(range=[0, 1], visible=False)
    figure.update_yaxes(
        autorange="reversed", tickvals=labels, ticktext=names, tickfont_size=13, ticklabelstandoff=8, showgrid=False
    )
    st.plotly_chart(figure, key=key, config={"staticPlot": True}, alt=f"Scores: {score_words(prediction)}")


def score_words(prediction: Prediction) -> str:
    """All scores in words, best first: "happy 0.93, neutral 0.05"."""
    return ", ".join(f"{label} {score:.2f}" for label, score in prediction.top(len(prediction.scores)))


def face_title(prediction: Prediction, number: int | None = None) -> str:
    """A face's expression and score, and a warning where the score is low, as HTML."""
    label, labels = prediction.label, list(prediction.scores)
    counter = f"<small>{number}</small>" if number else ""
    warning = "<small>uncertain</small>" if prediction.score < UNCERTAIN else ""
    return (
        f'<div class="fer-face">{counter}{swatch(label, labels)}<b>{html.escape(label)}</b>'
        f"<span>{prediction.score:.2f}</span>{warning}</div>"
    )


def legend(labels: Sequence[str], values: Mapping[str, object] | None = None) -> str:
    """The labels with their colours, and with a value each where there are `values`, as HTML."""
    items = [f"{swatch(label, labels)}{html.escape(label)}{_value(values, label)}" for label in labels]
    return f'<div class="fer-legend">{"".join(f"<span>{item}</span>" for item in items)}</div>'


def swatch(label: str, labels: Sequence[str]) -> str:
    """A small square in the label's colour, as HTML."""
    return f'<i class="fer-swatch" style="background:{color_of(label, labels)}"></i>'


def show_error(message: str) -> None:
    """An error with its text as it is: names of files are no Markdown."""
    st.error(plain(message), icon=":material/error:")


def plain(text: str) -> str:
    """`text` for a Markdown element, so that nothing in it becomes markup."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!~$|<>:&])", r"\\\1", " ".join(text.split()))


def download(label: str, name: str, mime: str, content: str | bytes | Callable[[], str | bytes]) -> None:
    """A button whose file is made at the click where `content` is a function: for files that take time.

    Streamlit forgets such a file once two scripts have ended, of whichever visitors; a slow browser then finds
    nothing and has to press again.
    """
    st.download_button(label, content, name, mime, key=name, on_click="ignore", icon=":material/download:")


def count(number: int, noun: str) -> str:
    """A number with its noun: 1 face, 2 faces."""
    return f"{number} {noun}{'s' * (number != 1)}"


def _accuracy(version: ModelVersion) -> Mapping[str, float] | None:
    metrics = version.metrics() or {}
    accuracy: Mapping[str, float] | None = metrics.get("labellings", {}).get("fer2013", {}).get("accuracy")
    return accuracy


def _value(values: Mapping[str, object] | None, label: str) -> str:
    return f" <b>{html.escape(str(values[label]))}</b>" if values else ""


def _strong(text: str, strong: bool) -> str:
    return f"<b>{text}</b>" if strong else text


def _choose_version() -> ModelVersion | None:
    names = list_versions(MODELS)
    broken = _broken(names)
    name = st.selectbox(
        "Version",
        names,
        index=names.index(DEFAULT) if DEFAULT in names else 0,
        format_func=lambda name: f"{name} (broken)" if name in broken else name,
        key="version",
        persist_state="session",
    )
    if name in broken:
        show_error(f"Version {name} cannot be used: {broken[name]} Choose another version.")
        return None
    if name is None:
        show_error(f"There is no version in {MODELS}. Train one, or fetch one into this folder.")
        return None
    return _version(name, *_stamp(name))


def _choose_detector() -> FaceDetector | None:
    name = st.selectbox(
        "Face detector",
        DETECTORS,
        format_func=lambda name: _DETECTOR_NAMES.get(name, name),
        key="detector",
        persist_state="session",
    )
    detector = _detector(name)
    if isinstance(detector, _Failure):
        show_error(str(detector.error))
        return None
    return detector


def _broken(names: Sequence[str]) -> dict[str, str]:
    """Why a version cannot be used, by name."""
    reasons = {}
    for name in names:
        try:
            _version(name, *_stamp(name))
        except FERError as error:
            reasons[name] = str(error)
    return reasons


def _stamp(name: str) -> tuple[str, int]:
    """What tells a version that was replaced on disk from the one in the cache."""
    return str(MODELS), (MODELS / name / CONFIG).stat().st_mtime_ns


@st.cache_resource(show_spinner=False, max_entries=64)
def _version(name: str, folder: str, modified: int) -> ModelVersion:  # noqa: ARG001
    return load_version(name, folder=Path(folder))


@st.cache_resource(show_spinner="Loading the version", max_entries=4)
def _classifier(name: str, folder: str, modified: int) -> EmotionClassifier:
    """Shared by all sessions, which it allows."""
    return EmotionClassifier(_version(name, folder, modified), threads=1)


@dataclass(frozen=True)
class _Failure:
    """A detector out of reach, remembered for a while so that not every click waits for the network."""

    error: FERError
    time: float = field(default_factory=time.monotonic)


def _lasts(detector: FaceDetector | _Failure) -> bool:
    return not isinstance(detector, _Failure) or time.monotonic() - detector.time < _RETRY_SECONDS


@st.cache_resource(show_spinner="Loading the face detector", validate=_lasts)
def _detector(name: str) -> FaceDetector | _Failure:
    """Shared by all sessions, which it allows."""
    try:
        return load_detector(name, threads=1)
    except FERError as error:
        return _Failure(error)
