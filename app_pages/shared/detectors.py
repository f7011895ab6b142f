"""Face detectors, loaded once for all sessions."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import streamlit as st

from fer import FaceDetector, FERError, load_detector

_RETRY_SECONDS = 30.0


@dataclass(frozen=True)
class Failure:
    """A detector out of reach, remembered so that not every click waits for the network."""

    error: FERError
    time: float = field(default_factory=time.monotonic)


def _is_current(detector: FaceDetector | Failure) -> bool:
    return not isinstance(detector, Failure) or time.monotonic() - detector.time < _RETRY_SECONDS


@st.cache_resource(show_spinner="Loading the face detector", validate=_is_current)
def shared_detector(name: str) -> FaceDetector | Failure:
    """The detector of this name, or why it cannot be had."""
    try:
        return load_detector(name, threads=1)
    except FERError as error:
        return Failure(error)
