"""Targets that blend the labels of people with the answers of trained networks.

See Hinton et al. 2015. A label of FER2013 is one opinion and FER+ holds ten; networks that saw all
of the data weigh an odd one against all others.
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
from training.checkpoints import read_network
from training.data.classes import CLASSES, EMOTIONS
from training.data.examples import Examples

SHARE = 0.5  # of the targets that the teachers give


def distil(examples: Examples, teachers: Sequence[Path]) -> Examples:
    """The examples with targets that are half the mean answer of the teachers, which are runs.

    A label set whose target is all zero stays so.
    """
    if not teachers:
        return examples
    answers = np.mean([answer(run, examples.images) for run in teachers], axis=0)
    blended = (1 - SHARE) * examples.targets + SHARE * answers
    targets = np.where(_is_labelled(examples.targets), blended, 0.0)
    return replace(examples, targets=targets.astype(np.float32))


def answer(run: Path, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The probabilities (n, 15) of a run's network, averaged over images and mirror images."""
    model = read_network(run)
    probabilities = [_predict(model, view) for view in (images, images[:, :, ::-1])]
    keras.backend.clear_session()
    return np.mean(probabilities, axis=0)


def _predict(model: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Probabilities (n, 15), each of the two label sets summing to one."""
    logits = np.asarray(model.predict(normalize(images), batch_size=256, verbose=0))
    both_sets = np.split(logits, [len(CLASSES)], axis=1)
    return np.concatenate([softmax(part) for part in both_sets], axis=1)


def _is_labelled(targets: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which of the 15 numbers (n, 15) belong to a distribution that is not all zero."""
    classes, emotions = np.split(targets, [len(CLASSES)], axis=1)
    has_class = classes.any(axis=1, keepdims=True)
    has_emotion = emotions.any(axis=1, keepdims=True)
    return np.concatenate(
        [has_class.repeat(len(CLASSES), axis=1), has_emotion.repeat(len(EMOTIONS), axis=1)], axis=1
    )
