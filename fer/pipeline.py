"""A detector and a classifier, joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer.classifier import EmotionClassifier
from fer.detectors import FaceDetector
from fer.preprocessing import crop_faces
from fer.results import Prediction


@dataclass(frozen=True)
class FERPipeline:
    """Every face of a picture with its expression scores. Raises ModelError if the two do not fit together."""

    detector: FaceDetector
    classifier: EmotionClassifier

    def __post_init__(self) -> None:
        self.classifier.version.geometry(self.detector.name)

    def __call__(self, image: NDArray[np.uint8]) -> list[Prediction]:
        """RGB (h, w, 3) uint8 -> predictions, largest face first; all faces run as one batch."""
        version = self.classifier.version
        faces = self.detector.detect(image)
        crops = crop_faces(image, faces, version.geometry(self.detector.name), version.input_shape[:2])
        return self.classifier.classify(faces, crops)
