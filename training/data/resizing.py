"""Faces that are cut already, at the size that a network takes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fer import EmotionClassifier


def resized(images: NDArray[np.uint8], height: int, width: int | None = None) -> NDArray[np.uint8]:
    """Images (n, h, w) at another size: (n, height, width), by default square ones."""
    width = width or height
    if images.shape[1:] == (height, width):
        return images
    scaled = [cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC) for image in images]
    return np.array(scaled, np.uint8).reshape(-1, height, width)


def predict(classifier: EmotionClassifier, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The probabilities (n, classes) of faces (n, h, w), resized to what the version takes."""
    height, width, _ = classifier.version.input_shape
    return classifier.predict(resized(faces, height, width))
