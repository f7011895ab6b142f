"""What stands beside the live picture.

The main face, its last minute, the speed, and the session's record.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence

import cv2
import streamlit as st

from app_pages.live.recording import MAX_ROWS, Recording
from app_pages.live.stream import TIMELINE_SECONDS, DisplayedValues, Sample, Stream
from app_pages.shared import face_cards, widgets
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
    nobody = "no face" if playing else "stopped"
    face = _face(values.main) if playing and values.main else _nobody(labels, nobody)
    st.html(face + _timeline(values.timeline, labels) + _speed(values))
    if values.error:
        st.warning(
            f"Some frames could not be classified. {widgets.plain(values.error)}",
            icon=":material/warning:",
        )


def record(stream: Stream) -> None:
    """The switch that records times, track numbers, boxes and scores, and what has been recorded.

    The files stand still while they are offered, and so do their addresses: this runs every second.
    """
    recording: Recording = st.session_state.setdefault(_RECORDING, Recording())
    on = st.toggle(
        "Record", key="record", help="Times, track numbers, boxes and scores; no picture."
    )
    stream.recording = recording if on else None
    if not recording:
        return
    dropped = (
        f"; the {recording.dropped:,} oldest are gone, beyond {MAX_ROWS:,}"
        if recording.dropped
        else ""
    )
    downloads = "; switch Record off to download them" if on else ""
    st.caption(f"{widgets.count(len(recording), 'row')} recorded{dropped}{downloads}")
    with st.container(horizontal=True, gap="xsmall"):
        if not on:
            csv, json_lines = recording.files()
            widgets.download("CSV", "session.csv", "text/csv", csv)
            widgets.download("JSON", "session.jsonl", "application/jsonl", json_lines)
        st.button(
            "Clear", icon=":material/close:", type="tertiary", on_click=_clear, args=(stream,)
        )


def _clear(stream: Stream) -> None:
    st.session_state[_RECORDING] = Recording()
    stream.recording = None


def _face(track: Track) -> str:
    labels = list(track.scores)
    words = ", ".join(f"{label} {track.scores[label]:.2f}" for label in labels)
    png = base64.b64encode(cv2.imencode(".png", track.prediction.crop)[1].tobytes()).decode()
    seen = (
        f'<img src="data:image/png;base64,{png}" alt="What the model saw" title="What the model'
        ' saw">'
    )
    title = (
        "<div"
        f' class="fer-main">{face_cards.swatch(track.label, labels)}<b>{html.escape(track.label)}</b>'
        f"<span>{track.score:.2f}</span><small>{_remark(track)}</small>{seen}</div>"
    )
    return (
        f'{title}<div class="fer-bars" role="img" aria-label="Scores:'
        f' {html.escape(words)}">{_bars(track)}</div>'
    )


def _remark(track: Track) -> str:
    remark = f"face {track.number}"
    return f"{remark}, {face_cards.uncertainty(track.doubts)}" if track.uncertain else remark


def _bars(track: Track) -> str:
    labels = list(track.scores)
    return "".join(
        f"<span>{html.escape(label)}</span><i><i"
        f' style="width:{100 * score:.1f}%;background:{color_of(label, labels)}">'
        f"</i></i><span>{score:.2f}</span>"
        for label, score in track.scores.items()
    )


def _nobody(labels: Sequence[str], title: str) -> str:
    """The same shape as with a face, so that nothing below it jumps."""
    bars = "".join(f"<span>{html.escape(label)}</span><i></i><span>–</span>" for label in labels)
    return (
        f'<div class="fer-main"><span>{title}</span></div><div class="fer-bars"'
        f' aria-hidden="true">{bars}</div>'
    )


def _timeline(samples: Sequence[Sample], labels: Sequence[str]) -> str:
    """The main face's scores over the last minute, one line a label; lines break where there was no face.

    Drawn by hand: building a Plotly figure at every refresh would hold the stream up for a tenth of
    a second.
    """
    lines = "".join(
        f'<polyline points="{points}" stroke="{color_of(label, labels)}" stroke-width="2"/>'
        for label in labels
        for points in _runs(samples, label)
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -2 600 124" preserveAspectRatio="none"'
        ' fill="none" stroke="#8888" vector-effect="non-scaling-stroke"'
        f' stroke-linejoin="round"><path d="M0 0H600M0 60H600M0 120H600"/>{lines}</svg>'
    )
    source = base64.b64encode(svg.encode()).decode()
    return (
        '<div class="fer-timeline"><div><span>1</span><span>0</span></div><img'
        f' src="data:image/svg+xml;base64,{source}" alt="Scores of the main face over the last'
        f' {TIMELINE_SECONDS:.0f} seconds"><p><span>{TIMELINE_SECONDS:.0f} s'
        " ago</span><span>now</span></p></div>"
    )


def _runs(samples: Sequence[Sample], label: str) -> list[str]:
    """Each unbroken run of a label's scores as SVG points.

    X from 0 to 600 over the minute, y from 120 to 0.
    """
    runs: list[list[str]] = [[]]
    before = -TIMELINE_SECONDS
    for time, scores in samples:
        if time - before > _GAP_SECONDS and runs[-1]:
            runs.append([])
        before = time
        if scores and label in scores:
            runs[-1].append(
                f"{600 * (1 + time / TIMELINE_SECONDS):.1f},{120 * (1 - scores[label]):.1f}"
            )
        elif runs[-1]:
            runs.append([])
    return [" ".join(run) for run in runs if run]


def _speed(values: DisplayedValues) -> str:
    """Frames a second, time a frame, frames dropped."""
    figures = (
        (f"{values.rate:.0f}", "processed fps"),
        (f"{1e3 * values.median:.1f} ms", f"a frame (95 % within {1e3 * values.late:.1f} ms)"),
        (f"{values.dropped:,}", "frames dropped"),
    )
    return (
        "<div"
        f' class="fer-legend">{"".join(f"<span><b>{value}</b> {unit}</span>" for value, unit in figures)}</div>'
    )
