"""The loss of a network that learns two label sets at once."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from training.data.classes import CLASSES


def two_labellings(
    targets: keras.KerasTensor,
    logits: keras.KerasTensor,
    smoothing: float,
    adjustment: NDArray[np.float32],
) -> keras.KerasTensor:
    """The mean cross-entropy (n,) of both label sets, for targets and logits (n, 15).

    The class of FER2013, a single opinion, is smoothed; `adjustment` (15,) is added to the logits.
    A target of nothing stays so, and teaches nothing. TensorFlow's own cross-entropy takes for
    granted that targets sum to one, and has another gradient where they do not.
    """
    logits = logits + adjustment
    split = len(CLASSES)
    classes = targets[:, :split]
    is_labelled = keras.ops.sum(classes, axis=1, keepdims=True)
    smoothed_classes = classes * (1 - smoothing) + is_labelled * smoothing / split
    class_loss = _cross_entropy(smoothed_classes, logits[:, :split])
    emotion_loss = _cross_entropy(targets[:, split:], logits[:, split:])
    return (class_loss + emotion_loss) / 2


def _cross_entropy(targets: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    return -keras.ops.sum(targets * keras.ops.log_softmax(logits), axis=1)
