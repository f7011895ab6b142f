"""The inference graph of a version, run by LiteRT."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from fer.calibration import logarithms, softmax
from fer.errors import ModelError
from fer.preprocessing import normalize, views_of_crops
from fer.results import Face, Prediction
from fer.versions.folder import CONFIG, GRAPH, ModelVersion
from fer.versions.sandbox import trials

MAX_BATCH = 16
"""Larger inputs run in pieces, which bounds memory and costs nothing."""


class EmotionClassifier:
    """Expression probabilities for grey crops; warm once constructed, and safe to call from many threads.

    Each calling thread gets its own interpreter over the one copy of the graph. A version that is
    not one of the bundled folders is first tried in a process of its own (`fer.versions.sandbox`),
    once for each graph.
    """

    def __init__(self, version: ModelVersion, *, threads: int | None = None) -> None:
        self.version = version
        self.labels = version.labels
        self._graph = version.read(GRAPH)
        if not version.bundled:
            self._try()
        self._threads = threads or min(2, os.cpu_count() or 1)
        self._local = threading.local()
        # two: a graph may be good for one alone
        self.predict(np.zeros((2, *version.input_shape[:2]), np.uint8))

    def predict(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Grey faces uint8 -> probabilities (n, classes) float32 that sum to 1.

        Faces that are cut already are (n, height, width); the version's views of them follow
        `views_of_crops`. Faces with every view cut from their picture, as by `crop_views`, are (n,
        views, height, width).
        """
        expected = self.version.input_shape[:2]
        if (
            crops.ndim not in (3, 4)
            or crops.shape[-2:] != expected
            or 0 in crops.shape[1:]
            or crops.dtype != np.uint8
        ):
            raise ValueError(
                f"crops must be uint8 (n, {expected[0]}, {expected[1]}) or (n, views,"
                f" {expected[0]}, {expected[1]}), received {crops.dtype} {crops.shape}"
            )
        if not len(crops):
            return np.empty((0, len(self.labels)), np.float32)
        views = crops if crops.ndim == 4 else views_of_crops(crops, self.version.views)
        inputs = normalize(views.reshape(-1, *expected), self.version.input_range)
        outputs = [
            self._invoke(inputs[i : i + MAX_BATCH]) for i in range(0, len(inputs), MAX_BATCH)
        ]
        return self._probabilities(np.concatenate(outputs), views.shape[1])

    def classify(self, faces: Sequence[Face], crops: NDArray[np.uint8]) -> list[Prediction]:
        """A prediction for each face, of its views (n, views, height, width) uint8; all run as one batch.

        A prediction carries the first view.
        """
        rows = zip(faces, self.predict(crops), crops[:, 0], strict=True)
        return [
            Prediction(
                face,
                dict(zip(self.labels, scores.tolist(), strict=True)),
                crop,
                self.version.uncertain_below,
            )
            for face, scores, crop in rows
        ]

    def _probabilities(self, outputs: NDArray[np.float32], views: int) -> NDArray[np.float32]:
        """The normalised geometric mean over the views of each face, at the version's temperature.

        It is the softmax of the mean logits, so that averaging before the temperature or after it
        gives the same.
        """
        logits = logarithms(outputs) if self.version.output == "probabilities" else outputs
        averaged = logits.reshape(-1, views, len(self.labels)).mean(axis=1)
        return softmax(averaged, self.version.temperature).astype(np.float32)

    def _invoke(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        interpreter = self._interpreter()
        index = interpreter.get_input_details()[0]["index"]
        try:
            if self._local.batch != len(inputs):
                interpreter.resize_tensor_input(index, inputs.shape)
                interpreter.allocate_tensors()
                self._local.batch = len(inputs)
            interpreter.set_tensor(index, inputs)
            interpreter.invoke()
        except (ValueError, RuntimeError, MemoryError) as error:
            raise ModelError(
                f"version {self.version.name}: {GRAPH} cannot run a batch of {len(inputs)}"
                f" ({error})."
            ) from error
        outputs: NDArray[np.float32] = interpreter.get_tensor(
            interpreter.get_output_details()[0]["index"]
        )
        self._check_values(outputs, len(inputs))
        return outputs

    def _interpreter(self) -> Interpreter:
        if not hasattr(self._local, "interpreter"):
            self._local.interpreter = self._load()
            self._local.batch = 0
        return self._local.interpreter

    def _try(self) -> None:
        try:
            trials.require(self._graph)
        except ModelError as error:
            raise ModelError(
                f"version {self.version.name}: {GRAPH} is refused: {error}."
            ) from error

    def _load(self) -> Interpreter:
        try:
            interpreter = Interpreter(model_content=self._graph, num_threads=self._threads)
            starts, ends = interpreter.get_input_details(), interpreter.get_output_details()
        # a ValueError also for a name that is no UTF-8
        except (ValueError, RuntimeError, MemoryError) as error:
            raise ModelError(
                f"version {self.version.name}: {GRAPH} is not a LiteRT graph ({error})."
            ) from error
        self._check("input", starts, self.version.input_shape)
        self._check("output", ends, (len(self.labels),))
        return interpreter

    def _check(self, end: str, details: list[dict[str, object]], shape: tuple[int, ...]) -> None:
        received = [
            (str(np.dtype(d["dtype"])), tuple(np.ravel(d["shape"])[1:].tolist())) for d in details
        ]  # type: ignore[call-overload]
        if received != [("float32", shape)]:
            raise ModelError(
                f"version {self.version.name}: graph {end} is {received}, {CONFIG} says float32"
                f" {shape}."
            )

    def _check_values(self, outputs: NDArray[np.float32], batch: int) -> None:
        """Check what the graph's description does not tell.

        Its shape for this batch, and its numbers.
        """
        expected = (batch, len(self.labels))
        sound = outputs.shape == expected and bool(np.isfinite(outputs).all())
        if sound and self.version.output == "probabilities":
            sound = bool((outputs >= 0).all()) and np.allclose(outputs.sum(axis=1), 1.0, atol=1e-3)
        if not sound:
            raise ModelError(
                f"version {self.version.name}: {GRAPH} returned {outputs.shape}"
                f" {outputs.ravel()[:4].tolist()}, {CONFIG} says {self.version.output} {expected}."
            )
