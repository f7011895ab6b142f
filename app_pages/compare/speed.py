"""How long versions take for one face on this machine."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app_pages.shared.catalogue import Catalogue
from app_pages.shared.entry import Entry
from app_pages.shared.widgets import show_error
from fer import EmotionClassifier, FERError

ROUNDS = 100
_SECONDS = 3.0
_LEAST_ROUNDS = 15
_one_measurement = threading.Lock()


def speed_button(catalogue: Catalogue, entries: Sequence[Entry]) -> None:
    """A button that times the chosen versions on this machine; errors are shown."""
    if st.button("Measure speed here", icon=":material/timer:", disabled=not entries):
        with st.spinner("Timing one face at a time, version after version"):
            classifiers: dict[str, EmotionClassifier] = {}
            for name, loaded in catalogue.classifiers(entries).items():
                if isinstance(loaded, FERError):
                    show_error(str(loaded))
                else:
                    classifiers[name] = loaded
            st.session_state[_key(catalogue)] = measure(classifiers)


def speeds_of(catalogue: Catalogue) -> dict[str, float]:
    """What the last measurement of this session found for these versions, by name."""
    found: dict[str, float] = st.session_state.get(_key(catalogue), {})
    return found


def speed_words(speeds: Mapping[str, float]) -> str:
    """The times in words, fastest first, each with its ratio to the slowest."""
    slowest = max(speeds.values())
    fastest_first = sorted(speeds.items(), key=lambda item: item[1])
    times = ", ".join(
        f"{name} {milliseconds:.2f} ms ({milliseconds / slowest:.2f} of the slowest)"
        for name, milliseconds in fastest_first
    )
    return (
        f"One face at a time with all its views on this machine, in turns, median of up to {ROUNDS}"
        f" turns: {times}."
    )


def measure(classifiers: Mapping[str, EmotionClassifier]) -> dict[str, float]:
    """Median milliseconds for one face, all its views included, by name.

    All take their turn in every round, so that all meet the same load.
    """
    faces = {name: _random_face(classifier) for name, classifier in classifiers.items()}
    seconds: dict[str, list[float]] = {name: [] for name in classifiers}
    with _one_measurement:
        for name, classifier in classifiers.items():
            classifier.predict(faces[name])
        end = time.monotonic() + _SECONDS
        for done in range(ROUNDS):
            if done >= _LEAST_ROUNDS and time.monotonic() > end:
                break
            for name, classifier in classifiers.items():
                seconds[name].append(_timed(classifier, faces[name]))
    return {name: 1e3 * statistics.median(times) for name, times in seconds.items()}


def _random_face(classifier: EmotionClassifier) -> NDArray[np.uint8]:
    version = classifier.version
    shape = (1, len(version.views), *version.input_shape[:2])
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _timed(classifier: EmotionClassifier, face: NDArray[np.uint8]) -> float:
    begun = time.perf_counter()
    classifier.predict(face)
    return time.perf_counter() - begun


def _key(catalogue: Catalogue) -> str:
    return f"speeds of {catalogue.source}"
