"""What stands beside the live picture: the main face, its last minute, speed and record."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from app_pages.live.recording import MAX_ROWS, Recording
from app_pages.live.stream import TIMELINE_SECONDS, DisplayedValues, Sample, Stream
from app_pages.shared import face_cards, pictures, widgets
from app_pages.shared.html import render
from fer import Track
from fer.colors import color_of

_RECORDING = "recording"
_GAP_SECONDS = 1.0  # without a sample: the camera was off, or nothing could be classified


def show(values: DisplayedValues, labels: Sequence[str], *, playing: bool) -> None:
    """The main face and its scores, the last minute, and how fast frames are processed."""
    if values.silence is None:
        st.markdown(
            "**Not running.** Press START; the scores, the last minute and the speed appear here."
        )
        return
    if playing and values.main:
        face = _face(values.main)
    else:
        title = "no face" if playing else "stopped"
        face = render("live_nobody.html", labels=labels, title=title)
    timeline = _timeline(values.timeline, labels)
    st.html(face + timeline + render("live_speed.html", values=values))
    if values.error:
        st.warning(
            f"Some frames could not be classified. {widgets.plain(values.error)}",
            icon=":material/warning:",
        )


def record(stream: Stream) -> None:
    """The switch that records times, track numbers, boxes and scores, and the record so far.

    The files stand still while they are offered, and so do their addresses: this runs every second.
    """
    recording: Recording = st.session_state.setdefault(_RECORDING, Recording())
    on = st.toggle(
        "Record", key="record", help="Times, track numbers, boxes and scores; no picture."
    )
    stream.recording = recording if on else None
    if not recording:
        return
    st.caption(_summary(recording, on))
    with st.container(horizontal=True, gap="xsmall"):
        if not on:
            csv, json_lines = recording.files()
            widgets.download("CSV", "session.csv", "text/csv", csv)
            widgets.download("JSON", "session.jsonl", "application/jsonl", json_lines)
        st.button(
            "Clear", icon=":material/close:", type="tertiary", on_click=_clear, args=(stream,)
        )


def _summary(recording: Recording, on: bool) -> str:
    text = f"{widgets.count(len(recording), 'row')} recorded"
    if recording.dropped:
        text += f"; the {recording.dropped:,} oldest are gone, beyond {MAX_ROWS:,}"
    if on:
        text += "; switch Record off to download them"
    return text


def _clear(stream: Stream) -> None:
    st.session_state[_RECORDING] = Recording()
    stream.recording = None


def _face(track: Track) -> str:
    return render(
        "live_face.html",
        track=track,
        labels=list(track.scores),
        remark=_remark(track),
        crop=pictures.png_url(track.prediction.crop),
        words=", ".join(f"{label} {score:.2f}" for label, score in track.scores.items()),
    )


def _remark(track: Track) -> str:
    remark = f"face {track.number}"
    return f"{remark}, {face_cards.uncertainty(track.doubts)}" if track.uncertain else remark


def _timeline(samples: Sequence[Sample], labels: Sequence[str]) -> str:
    """The main face's scores over the last minute; lines break where there was no face.

    Building a Plotly figure at every refresh would hold the stream up for a tenth of a second.
    """
    lines = [
        (color_of(label, labels), points) for label in labels for points in _runs(samples, label)
    ]
    picture = pictures.svg_url(render("live_timeline.svg", lines=lines))
    seconds = round(TIMELINE_SECONDS)
    return render("live_timeline.html", picture=picture, seconds=seconds)


def _runs(samples: Sequence[Sample], label: str) -> list[str]:
    """Each unbroken run of a label's scores as the points of an SVG line."""
    runs: list[list[str]] = []
    before = -math.inf  # the time of the sample before, if it had this label
    for time, scores in samples:
        if not scores or label not in scores:
            before = -math.inf
            continue
        if time - before > _GAP_SECONDS:
            runs.append([])
        runs[-1].append(_point(time, scores[label]))
        before = time
    return [" ".join(run) for run in runs]


def _point(time: float, score: float) -> str:
    x = 600 * (1 + time / TIMELINE_SECONDS)
    y = 120 * (1 - score)
    return f"{x:.1f},{y:.1f}"
