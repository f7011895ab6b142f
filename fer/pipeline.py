"""A detector and a classifier, joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer.classifier import EmotionClassifier
from fer.detection.base import FaceDetector
from fer.preprocessing import CropGeometry, crop_views
from fer.results import Face, Prediction


@dataclass(frozen=True)
class FERPipeline:
    """A detector and a classifier: every face of a picture with the scores of its expressions.

    Args:
        detector: What finds the faces.
        classifier: What scores their expressions.
        geometry: How a face is cut from the boxes of this detector; by default as the version says
            for a detector of this name.

    Raises:
        ModelError: the version does not know the detector, and there is no geometry.

    Example:
        >>> import numpy as np
        >>> from fer import EmotionClassifier, FERPipeline, load_detector, load_version
        >>> pipeline = FERPipeline(load_detector("blazeface"), EmotionClassifier(load_version()))
        >>> pipeline(np.zeros((100, 100, 3), np.uint8))
        []
    """

    detector: FaceDetector
    classifier: EmotionClassifier
    geometry: CropGeometry | None = None

    def __post_init__(self) -> None:
        self._geometry()

    def __call__(self, image: NDArray[np.uint8]) -> list[Prediction]:
        """Find the faces of a picture and score their expressions.

        All views of all faces run together.

        Args:
            image: RGB uint8 (height, width, 3), such as `load_image` gives.

        Returns:
            Predictions, in the order of the detector's faces; no face is an empty list.

        Raises:
            TypeError: the picture is no array.
            ValueError: the picture is not RGB uint8.
            ModelError: the graph cannot run, or returns something else than its config says.
        """
        if not isinstance(image, np.ndarray):
            raise TypeError(
                "a picture must be an RGB uint8 array (height, width, 3), received"
                f" {type(image).__name__}; load_image reads files, np.asarray(image.convert('RGB'))"
                " takes a PIL image; call once a picture."
            )
        return self.classify(image, self.detector.detect(image))

    def classify(self, image: NDArray[np.uint8], faces: Sequence[Face]) -> list[Prediction]:
        """Score the expressions of faces that this detector found before.

        Args:
            image: RGB uint8 (height, width, 3).
            faces: What the detector found in it.

        Returns:
            Predictions, in the order of the faces.

        Raises:
            ValueError: the picture is not RGB uint8.
            ModelError: the graph cannot run, or returns something else than its config says.
        """
        version = self.classifier.version
        views = version.views_with(self.detector.name)
        crops = crop_views(image, faces, self._geometry(), views, version.input_shape[:2])
        return self.classifier.classify(faces, crops)

    def _geometry(self) -> CropGeometry:
        return self.geometry or self.classifier.version.geometry(self.detector.name)
