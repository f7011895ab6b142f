"""From crops of faces to the scores of their expressions."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer.calibration import logarithms, softmax
from fer.inference import InferenceGraph
from fer.preprocessing import normalize, views_of_crops
from fer.results import Face, Prediction
from fer.versions.folder import ModelVersion


class EmotionClassifier:
    """The network of a version, ready to classify; safe to call from many threads.

    Args:
        version: A version, such as `load_version()` gives.
        threads: How many threads work on a batch; by default two, or as many as there are cores.

    Attributes:
        version: The version.
        labels: Its labels, in the order of the scores.

    Raises:
        ModelError: the version's graph is damaged, refused, or not what its config says.

    Example:
        >>> import numpy as np
        >>> from fer import EmotionClassifier, load_version
        >>> classifier = EmotionClassifier(load_version())
        >>> classifier.labels
        ('happy', 'sad', 'neutral', 'surprised')
        >>> height, width, _ = classifier.version.input_shape
        >>> classifier.predict(np.zeros((2, height, width), np.uint8)).shape
        (2, 4)
    """

    def __init__(self, version: ModelVersion, *, threads: int | None = None) -> None:
        self.version = version
        self.labels = version.labels
        self._graph = InferenceGraph(version, threads=threads or _default_threads())
        self._size = version.input_shape[:2]
        self.predict(np.zeros((2, *self._size), np.uint8))  # two: a graph may be good for one alone

    def predict(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute the scores of faces.

        Args:
            crops: Grey uint8 of the version's size. Either (n, height, width), one crop a face,
                whose views `fer.preprocessing.views_of_crops` gives; or (n, views, height, width),
                every view cut from its picture, as `fer.preprocessing.crop_views` does.

        Returns:
            Probabilities float32 (n, classes); each row sums to one.

        Raises:
            ValueError: the crops have another shape or type.
            ModelError: the graph cannot run, or returns something else.
        """
        self._check(crops)
        if not len(crops):
            return np.empty((0, len(self.labels)), np.float32)
        views = self._views(crops)
        inputs = normalize(views.reshape(-1, *self._size), self.version.input_range)
        return self._probabilities(self._graph.run(inputs), views.shape[1])

    def classify(self, faces: Sequence[Face], crops: NDArray[np.uint8]) -> list[Prediction]:
        """Compute a prediction for each face; all of them run together.

        Args:
            faces: The faces.
            crops: Their views, grey uint8 (n, views, height, width).

        Returns:
            Predictions in the order of the faces. Each carries the first view of its face.

        Raises:
            ValueError: the crops have another shape or type.
            ModelError: the graph cannot run, or returns something else.
        """
        rows = zip(faces, self.predict(crops), crops[:, 0], strict=True)
        return [self._prediction(face, scores, crop) for face, scores, crop in rows]

    def _check(self, crops: NDArray[np.uint8]) -> None:
        height, width = self._size
        if not self._fit(crops):
            raise ValueError(
                f"crops must be uint8 (n, {height}, {width}) or (n, views,"
                f" {height}, {width}), received {crops.dtype} {crops.shape}"
            )

    def _fit(self, crops: NDArray[np.uint8]) -> bool:
        has_shape = crops.ndim in (3, 4) and crops.shape[-2:] == self._size
        return has_shape and 0 not in crops.shape[1:] and crops.dtype == np.uint8

    def _views(self, crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(n, views, height, width), whether they are so already or one crop a face."""
        return crops if crops.ndim == 4 else views_of_crops(crops, self.version.views)

    def _probabilities(self, outputs: NDArray[np.float32], views: int) -> NDArray[np.float32]:
        """The normalised geometric mean over the views of each face, at the version's temperature.

        It is the softmax of the mean logits, so that averaging before the temperature or after it
        gives the same.
        """
        logits = self._logits(outputs).reshape(-1, views, len(self.labels))
        averaged = logits.mean(axis=1)
        return softmax(averaged, self.version.temperature).astype(np.float32)

    def _logits(self, outputs: NDArray[np.float32]) -> NDArray[np.floating]:
        return logarithms(outputs) if self.version.output == "probabilities" else outputs

    def _prediction(
        self, face: Face, scores: NDArray[np.float32], crop: NDArray[np.uint8]
    ) -> Prediction:
        by_label = dict(zip(self.labels, scores.tolist(), strict=True))
        return Prediction(face, by_label, crop, self.version.uncertain_below)


def _default_threads() -> int:
    return min(2, os.cpu_count() or 1)
