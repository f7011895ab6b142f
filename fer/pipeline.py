"""A detector and a classifier, joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer.classifier import EmotionClassifier
from fer.detection.base import FaceDetector
from fer.preprocessing import CropGeometry, crop_views
from fer.results import Prediction


@dataclass(frozen=True)
class FERPipeline:
    """Every face of a picture with its expression scores.

    `geometry` says how a face is cut from the boxes of this detector. Without one, the version's
    own for the detector of this name serves. Raises ModelError if it has none.
    """

    detector: FaceDetector
    classifier: EmotionClassifier
    geometry: CropGeometry | None = None

    def __post_init__(self) -> None:
        self._geometry()

    def __call__(self, image: NDArray[np.uint8]) -> list[Prediction]:
        """RGB (h, w, 3) uint8 -> predictions, in the order of the detector's faces.

        All views of all faces run as one batch.
        """
        if not isinstance(image, np.ndarray):
            raise TypeError(
                "a picture must be an RGB uint8 array (height, width, 3), received"
                f" {type(image).__name__}; load_image reads files, np.asarray(image.convert('RGB'))"
                " takes a PIL image; call once a picture."
            )
        faces = self.detector.detect(image)
        version = self.classifier.version
        views = version.views_with(self.detector.name)
        crops = crop_views(image, faces, self._geometry(), views, version.input_shape[:2])
        return self.classifier.classify(faces, crops)

    def _geometry(self) -> CropGeometry:
        return self.geometry or self.classifier.version.geometry(self.detector.name)
