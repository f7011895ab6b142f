"""How long versions take for one face on this machine."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Mapping

import numpy as np
import streamlit as st

from app_pages.shared.catalogue import Catalogue
from fer import EmotionClassifier

ROUNDS = 100
_SECONDS = 3.0
_LEAST_ROUNDS = 15
_one_race = threading.Lock()


def speeds_of(catalogue: Catalogue) -> dict[str, float]:
    """What the last race of this session found for these versions, by name."""
    found: dict[str, float] = st.session_state.get(_key(catalogue), {})
    return found


def keep(catalogue: Catalogue, speeds: dict[str, float]) -> None:
    """Remember a race until the next one."""
    st.session_state[_key(catalogue)] = speeds


def speed_words(speeds: Mapping[str, float]) -> str:
    """The result of a race in words, fastest first, each with its ratio to the slowest."""
    slowest = max(speeds.values())
    ranks = sorted(speeds.items(), key=lambda item: item[1])
    times = ", ".join(
        f"{name} {ms:.2f} ms ({ms / slowest:.2f} of the slowest)" for name, ms in ranks
    )
    return (
        f"One face at a time with all its views on this machine, in turns, median of up to {ROUNDS}"
        f" turns: {times}."
    )


def race(classifiers: Mapping[str, EmotionClassifier]) -> dict[str, float]:
    """Median milliseconds for one face, all its views included, by name.

    All take their turn in every round, so that all meet the same load.
    """
    pixels = np.random.default_rng(0)
    faces = {
        name: pixels.integers(
            0, 256, (1, len(c.version.views), *c.version.input_shape[:2]), np.uint8
        )
        for name, c in classifiers.items()
    }
    times: dict[str, list[float]] = {name: [] for name in classifiers}
    with _one_race:
        for name, classifier in classifiers.items():
            classifier.predict(faces[name])
        end = time.monotonic() + _SECONDS
        for done in range(ROUNDS):
            if done >= _LEAST_ROUNDS and time.monotonic() > end:
                break
            for name, classifier in classifiers.items():
                begun = time.perf_counter()
                classifier.predict(faces[name])
                times[name].append(time.perf_counter() - begun)
    return {name: 1e3 * statistics.median(values) for name, values in times.items()}


def _key(catalogue: Catalogue) -> str:
    return f"speeds of {catalogue.listing.source}"
