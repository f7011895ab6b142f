"""Live: the webcam, its faces followed and classified as you look."""

from __future__ import annotations

import gc

import streamlit as st
from streamlit_webrtc.component import WebRtcStreamerState

from app_pages.live import connection, panel
from app_pages.live.stream import Stream
from app_pages.shared import sidebar, widgets
from fer import DETECTORS, FERPipeline
from fer.streams.engine import StreamSettings

_REFRESH_SECONDS = 1.0
# a camera's picture is more than a face
_DETECTORS = [name for name in DETECTORS if name != "none"]


def controls() -> tuple[float, bool]:
    """Smoothing in seconds, and whether to mirror; both apply to the next frame."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        smoothing = st.slider(
            "Smoothing",
            0.0,
            2.0,
            0.5,
            0.1,
            format="%.1f s",
            key="smoothing",
            persist_state="session",
            width=240,
            help=(
                "Time constant of the scores. At 0 every frame speaks for itself, and labels jump."
            ),
        )
        mirror = st.toggle("Mirror", True, key="mirror", persist_state="session")
    return smoothing, mirror


def beside(stream: Stream, state: WebRtcStreamerState, pipeline: FERPipeline) -> None:
    """All that changes while the camera runs, without a rerun of the page."""
    values = stream.displayed_values()
    if problem := connection.trouble(state, values):
        st.warning(problem, icon=":material/warning:")
    panel.show(values, pipeline.classifier.labels, playing=state.playing)
    panel.record(stream)


@st.cache_resource(show_spinner=False)
def spare_the_collector() -> None:
    """Leave what is loaded by now, which is in use for good, out of garbage collections.

    Streamlit collects all garbage after every run, once a second here, which would hold the stream
    up each time. This makes a collection a thousand times faster.
    """
    gc.collect()
    gc.freeze()


st.title("Live", anchor=False)
pipeline = sidebar.choose_pipeline(_DETECTORS)
spare_the_collector()
if connection.may_start():
    connection.notice()
    left, right = st.columns([3, 2], gap="medium")
    with left:
        video = st.container()
        smoothing, mirror = controls()
    settings = StreamSettings(pipeline, smoothing, mirror) if pipeline else None
    stream = connection.open_stream(settings)
    if stream:
        with video:
            state = connection.connect(stream)
        with left:
            connection.help_with_camera(pipeline)
        running = state.playing or state.signalling
        with right:
            refreshed = st.fragment(beside, run_every=_REFRESH_SECONDS if running else None)
            refreshed(stream, state, stream.pipeline)
widgets.note("Frames stay in this app's memory only while they are classified; none is stored.")
