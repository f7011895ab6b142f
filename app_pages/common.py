"""What the pages share: the choice of version and detector, the version's card, the score chart and the note."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import plotly.graph_objects as go
import streamlit as st

from app_pages.detection import Failure, shared_detector
from app_pages.versions import (
    BUNDLED_SOURCE,
    FER2013,
    ORDINARY,
    Catalogue,
    Entry,
    any_repo_allowed,
    open_catalogue,
    refresh,
    sources,
)
from fer import DETECTORS, LABELS, FaceDetector, FERError, FERPipeline, Prediction
from fer.annotate import color_of
from fer.artifact import GRAPH
from fer.registry import BUNDLED, PRODUCTION

MODELS = BUNDLED
_DETECTOR_NAMES = {"blazeface": "BlazeFace", "yunet": "YuNet", "none": "None: the picture is a face"}
_VERSION, _SWITCH = "version", ":material/swap_horiz:"
_STYLE = Path(__file__).with_name("style.css")


def choose_pipeline(detectors: Sequence[str] = DETECTORS) -> FERPipeline | None:
    """Offer versions and `detectors` in the sidebar; the chosen pair, or None after an error was shown."""
    style()
    with st.sidebar:
        catalogue = choose_catalogue()
        entry = _choose_version(catalogue)
        detector = choose_detector(detectors)
        if entry:
            version_card(entry)
    if entry is None or detector is None:
        return None
    try:
        return FERPipeline(detector, catalogue.library.classifier(entry))
    except FERError as error:
        show_error(f"{error} Choose another version or detector.")
        return None


def style() -> None:
    """What Streamlit has no option for."""
    st.html(_STYLE)


def choose_catalogue() -> Catalogue:
    """The versions on offer, after the choice of their source; what is wrong with it is said."""
    source = _choose_source(sources())
    with st.spinner("Asking for versions"):
        catalogue = open_catalogue(source, MODELS)
    if catalogue.notice:
        icon = ":material/cloud_off:" if catalogue.listing.offline else ":material/warning:"
        st.warning(plain(catalogue.notice), icon=icon)
    return catalogue


def choose_detector(names: Sequence[str] = DETECTORS) -> FaceDetector | None:
    """The chosen face detector, or None after an error was shown."""
    if st.session_state.get("detector") not in names:
        st.session_state["detector"] = names[0]
    name = st.selectbox(
        "Face detector",
        names,
        format_func=lambda name: _DETECTOR_NAMES[name],
        key="detector",
        persist_state="session",
    )
    detector = shared_detector(name)
    if isinstance(detector, Failure):
        show_error(str(detector.error))
        return None
    return detector


class _Look(NamedTuple):
    """What a visitor saw last: where versions come from, which are chosen, what aliases stand for."""

    source: str
    chosen: tuple[str, ...]
    aliases: Mapping[str, str]


def tell_changes(
    catalogue: Catalogue,
    offered: Sequence[str],
    chosen: Sequence[str],
    *,
    key: str,
) -> None:
    """Say once what happened to the chosen versions since the visitor's last look.

    `key` names the widget in which they are chosen.
    """
    aliases = {alias: entry.name for entry in catalogue.entries for alias in entry.ref.aliases}
    look = _Look(catalogue.listing.source, tuple(chosen), aliases)
    before: _Look = st.session_state.get(f"last look at {key}", look)
    st.session_state[f"last look at {key}"] = look
    if before.source != look.source:
        return
    for name in before.chosen:
        if name not in offered:
            _toast(f"{name} is no longer offered; in use now: {', '.join(chosen) or 'none'}.")
    for alias, name in aliases.items():
        former = before.aliases.get(alias)
        if former in chosen and former != name:
            _toast(f"{alias} is now {name}; you stay on {former}.")


def version_card(entry: Entry) -> None:
    """What a version is: its accuracy with n and interval, on ordinary faces first, size, digest and labels."""
    version = entry.version
    if version is None:
        return
    ordinary, fer2013 = (entry.estimate("accuracy", labelling) for labelling in (ORDINARY, FER2013))
    with st.container(border=True, gap="xsmall"):
        if ordinary:
            st.metric("Right on ordinary faces", _percent(ordinary))
            st.caption(f"{_interval(ordinary)}, n = {ordinary['n']:,} photographs, each with a face to be found")
        if fer2013 and ordinary:
            st.caption(f"On FER2013 {_percent(fer2013)}, {_interval(fer2013)}, n = {fer2013['n']:,}")
        elif fer2013:
            st.metric("Right on FER2013", _percent(fer2013))
            st.caption(f"{_interval(fer2013)}, n = {fer2013['n']:,} test pictures")
        elif not ordinary:
            st.metric("Accuracy", "not measured")
        st.html(legend(version.labels))
        if known := _labels_words(entry, version.labels):
            st.caption(plain(known))
        st.caption(
            f"{version.files[GRAPH].bytes / 1e6:.1f} MB, {version.parameters / 1e6:.2f} M parameters  \n"
            f"sha256 {version.sha256[:12]}"
        )


def _labels_words(entry: Entry, labels: Sequence[str]) -> str:
    """What to know of the figures of a version that knows other expressions than the four; empty for these."""
    if set(labels) == set(LABELS):
        return ""
    if LABELS in {entry.asked(labelling) for labelling in entry.labellings}:
        return (
            f"It knows {len(labels)} expressions. For the figures above, the likeliest of {', '.join(LABELS)} counts, "
            "so that they compare with those of the others."
        )
    if set(labels) > set(LABELS):
        return (
            f"It knows {len(labels)} expressions, of which any may be mistaken for another: its figures cannot be "
            f"compared with those of versions that know {len(LABELS)}."
        )
    return (
        f"Unusual: it knows {', '.join(labels)} instead of {', '.join(LABELS)}, so its figures cannot be compared "
        "with those of the others."
    )


def _percent(estimate: Mapping[str, float]) -> str:
    return f"{100 * estimate['value']:.1f} %"


def _interval(estimate: Mapping[str, float]) -> str:
    return f"95 % interval {100 * estimate['low']:.1f} to {100 * estimate['high']:.1f} %"


def note(kept: str) -> None:
    """What the numbers mean, what is kept, and where the data ends: at the foot of every page."""
    st.container(key="note").caption(
        f"An expression is what a face shows, not what a person feels. {kept} "
        "The versions learned from small grey pictures of the web (FER2013), some from news and films too, with labels "
        "on which people often disagree. Expect more errors on children, profiles, covered faces and weak light. "
        "Do not judge people by it."
    )


def photos_note() -> None:
    """The note of a page that takes photos; a closed page may reconnect, so its session lives on."""
    minutes = math.ceil(st.get_option("server.disconnectedSessionTTL") / 60) + 1
    note(
        "Photos stay in this app's memory until you clear them, or until at most "
        f"{count(minutes, 'minute')} after you close the page; none is stored."
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


def uncertainty(doubts: Sequence[str]) -> str:
    """That an answer is uncertain, and why: "uncertain: low score, turned away"."""
    return f"uncertain: {', '.join(doubts)}"


def face_title(prediction: Prediction, number: int | None = None) -> str:
    """A face's expression and score, and why it is uncertain where it is, as HTML."""
    label, labels = prediction.label, list(prediction.scores)
    counter = f"<small>{number}</small>" if number else ""
    warning = f"<small>{uncertainty(prediction.doubts)}</small>" if prediction.uncertain else ""
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


def _value(values: Mapping[str, object] | None, label: str) -> str:
    return f" <b>{html.escape(str(values[label]))}</b>" if values else ""


def _strong(text: str, strong: bool) -> str:
    return f"<b>{text}</b>" if strong else text


def _choose_source(repos: Sequence[str]) -> str:
    """Where the versions come from, with a button that asks there again; nothing to choose without a repo."""
    if len(repos) == 1 and not any_repo_allowed():
        return repos[0]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        source = st.selectbox(
            "Versions from",
            repos,
            format_func=lambda name: "this app's folder" if name == BUNDLED_SOURCE else name,
            accept_new_options=any_repo_allowed(),
            key="source of versions",
            persist_state="session",
        )
        source = source or repos[0]
        st.button("Refresh", icon=":material/refresh:", help="Refresh", key="Refresh", on_click=refresh,
                  args=(source, MODELS))  # fmt: skip
    return source


def _choose_version(catalogue: Catalogue) -> Entry | None:
    entries = {entry.name: entry for entry in catalogue.entries}
    if not entries:
        show_error(f"There is no version in {MODELS}. Train one, or fetch one into this folder.")
        return None
    chosen = st.session_state.get(_VERSION)
    # Written at every run, so that the browser shows it on every page and after every refresh.
    st.session_state[_VERSION] = chosen if chosen in entries else catalogue.default
    name = st.selectbox(
        "Version",
        list(entries),  # the names alone: Streamlit keeps a choice by its text, and aliases move
        key=_VERSION,
        persist_state="session",
    )
    _mark(entries[name], catalogue)
    tell_changes(catalogue, list(entries), [name], key=_VERSION)
    if problem := entries[name].problem:
        show_error(f"Version {name} cannot be used: {problem} Choose another version.")
        return None
    return entries[name]


def _mark(entry: Entry, catalogue: Catalogue) -> None:
    """The aliases of the chosen version, and a way to the one in production where it is another."""
    if entry.ref.aliases or entry.problem:
        with st.container(horizontal=True, gap="xsmall"):
            for alias in entry.ref.aliases:
                st.badge(plain(alias), color="primary")
            if entry.problem:
                st.badge("broken", color="red")
    for other in catalogue.usable:
        if PRODUCTION in other.ref.aliases and other.name != entry.name:
            label = plain(f"Switch to {other.name} ({PRODUCTION})")
            st.button(
                label,
                icon=_SWITCH,
                key="Switch",
                type="tertiary",
                on_click=_use,
                args=(other.name,),
            )


def _use(name: str) -> None:
    st.session_state[_VERSION] = name


def _toast(message: str) -> None:
    st.toast(plain(message), icon=_SWITCH, duration="long")
