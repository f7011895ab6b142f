"""The classes of FER2013, the emotions of FER+, and the labels that they stand for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fer import LABELS

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The classes of FER2013, in the order of its numbers."""

EMOTIONS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
)
"""The emotions of FER+, in the order of its columns."""

CLASS_OF = {
    "happy": "happy",
    "sad": "sad",
    "neutral": "neutral",
    "surprised": "surprise",
    "angry": "angry",
    "disgusted": "disgust",
    "afraid": "fear",
}
EMOTION_OF = {
    "happy": "happiness",
    "sad": "sadness",
    "neutral": "neutral",
    "surprised": "surprise",
    "angry": "anger",
    "disgusted": "disgust",
    "afraid": "fear",
    "contemptuous": "contempt",
}

FER2013_INDEX = tuple(CLASSES.index(CLASS_OF[label]) for label in LABELS)
"""Where `fer.LABELS` stand in `CLASSES`."""

FERPLUS_INDEX = tuple(EMOTIONS.index(EMOTION_OF[label]) for label in LABELS)
"""Where `fer.LABELS` stand in `EMOTIONS`."""


def target_of_each(
    names: tuple[str, ...], name_of: Mapping[str, str], labels: tuple[str, ...]
) -> NDArray[np.int8]:
    """For each of a data set's names the index of its label, or -1 where it is none of them."""
    known_labels = [label for label in labels if label in name_of]
    index_of = {name_of[label]: labels.index(label) for label in known_labels}
    return np.array([index_of.get(name, -1) for name in names], np.int8)


def blend_logits(
    logits: NDArray[np.floating], blend: float, labels: tuple[str, ...] = LABELS
) -> NDArray[np.floating]:
    """Logits (..., 15) of both data sets as logits (..., labels).

    A blend of 0 takes the logits of FER2013, 1 those of FER+. The eight labels need 1, as FER2013
    does not know the last of them.
    """
    ferplus_columns = [len(CLASSES) + EMOTIONS.index(EMOTION_OF[label]) for label in labels]
    ferplus = logits[..., ferplus_columns]
    if blend == 1:
        return ferplus
    fer2013_columns = [CLASSES.index(CLASS_OF[label]) for label in labels]
    return (1.0 - blend) * logits[..., fer2013_columns] + blend * ferplus
