"""Targets that blend the labels of people with the answers of trained networks (Hinton et al. 2015).

A label of FER2013 is one opinion and FER+ holds ten; networks that saw the whole set judge an odd
one by all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from fer.calibration import softmax
from fer.preprocessing import normalize
from training.data.examples import Examples
from training.data.fer2013 import CLASSES
from training.runs import read_network

SHARE = 0.5  # of the targets that the teachers give


def distil(examples: Examples, teachers: Sequence[Path]) -> Examples:
    """The examples with targets that are half the teachers' mean answer.

    An all-zero target stays so.
    """
    if not teachers:
        return examples
    answers = np.mean([answer(run, examples.images) for run in teachers], axis=0)
    labelled = np.repeat(
        [part.any(axis=1) for part in np.split(examples.targets, [len(CLASSES)], axis=1)],
        [len(CLASSES), examples.targets.shape[1] - len(CLASSES)],
        axis=0,
    ).T
    targets = np.where(labelled, (1 - SHARE) * examples.targets + SHARE * answers, 0.0)
    return replace(examples, targets=targets.astype(np.float32))


def answer(run: Path, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The probabilities (n, 15) that a run gives for both label sets.

    The mean of each picture and its mirror image.
    """
    model = read_network(run)
    views = (images, images[:, :, ::-1])
    logits = [
        np.asarray(model.predict(normalize(view), batch_size=256, verbose=0)) for view in views
    ]
    keras.backend.clear_session()
    return np.mean([both_softmax(view) for view in logits], axis=0)


def both_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Each of the two label sets made probabilities by itself."""
    return np.concatenate(
        [softmax(part) for part in np.split(logits, [len(CLASSES)], axis=1)], axis=1
    )
