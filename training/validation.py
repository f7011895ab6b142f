"""How well a network in training does on the validation data."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from fer import LABELS, metrics
from fer.preprocessing import normalize
from training.data.classes import blend_logits
from training.data.faces import WideFaces
from training.data.fer2013 import Split
from training.data.resizing import resized
from training.data.training_set import Validation
from training.recipes import Recipe

_BLENDS = {"original": 0.0, "half": 0.5, "votes": 1.0}


def measure(model: keras.Model, validation: Validation, recipe: Recipe) -> dict[str, float]:
    """The columns of the log that tell accuracies."""
    result: dict[str, float] = {}
    if validation.public_test is not None:
        result |= _measure_public_test(model, validation.public_test, recipe.decay_crops.side)
    if validation.photographs is not None:
        result |= _measure_photographs(model, validation.photographs, recipe.labels.blend)
    return result


def _measure_public_test(model: keras.Model, split: Split, side: int) -> dict[str, float]:
    """Accuracy under each labelling in the data: of either label set alone, and of their mean."""
    logits = _logits(model, resized(split.images, side))
    result = {}
    for labelling in ("fer2013", "ferplus"):
        targets = split.targets(labelling)
        has_target = targets >= 0
        if has_target.any():
            for name, blend in _BLENDS.items():
                is_right = blend_logits(logits, blend).argmax(axis=1) == targets
                result[f"{labelling}_{name}"] = float(is_right[has_target].mean())
    return result


def _measure_photographs(model: keras.Model, faces: WideFaces, blend: float) -> dict[str, float]:
    """Of the faces that were found: accuracy, the mean recall, and the recall of each label."""
    has_target = faces.label_targets >= 0
    targets = faces.label_targets[has_target]
    scores = blend_logits(_logits(model, faces.served_crops)[has_target], blend)
    estimates = zip(LABELS, metrics.recalls(scores, targets), strict=True)
    recalls = {label: recall.value for label, recall in estimates if recall}
    return {
        "photographs": metrics.accuracy(scores, targets).value,
        "photographs_balanced": float(np.mean(list(recalls.values()))),
        **{f"photographs_{label}": value for label, value in recalls.items()},
    }


def _logits(model: keras.Model, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(model.predict(normalize(faces), batch_size=256, verbose=0))
