"""The inference graph of a version, run by LiteRT."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from fer.errors import ModelError
from fer.versions.folder import CONFIG, GRAPH, ModelVersion
from fer.versions.sandbox import trials

MAX_BATCH = 16
"""Larger inputs run in pieces, which bounds memory and costs nothing."""

# What LiteRT raises for a graph that it cannot read or run.
_FAILURES = (ValueError, RuntimeError, MemoryError)


class InferenceGraph:
    """A graph that does what its version's config says; safe to call from many threads.

    Each calling thread gets its own interpreter over the one copy of the graph. One that did not
    come with this program is first tried in a process of its own (`fer.versions.sandbox`), once.
    """

    def __init__(self, version: ModelVersion, *, threads: int) -> None:
        self._version = version
        self._content = version.read(GRAPH)
        self._threads = threads
        self._of_thread = _InterpreterOfThread()
        if not version.bundled:
            self._try()

    def run(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """The outputs (n, classes) of n inputs of the version's shape."""
        starts = range(0, len(inputs), MAX_BATCH)
        outputs = [self._run_batch(inputs[start : start + MAX_BATCH]) for start in starts]
        return np.concatenate(outputs)

    def _run_batch(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        interpreter = self._interpreter()
        try:
            self._invoke(interpreter, inputs)
        except _FAILURES as error:
            raise self._error(f"{GRAPH} cannot run a batch of {len(inputs)} ({error})") from error
        outputs = _outputs(interpreter)
        self._check_values(outputs, len(inputs))
        return outputs

    def _invoke(self, interpreter: Interpreter, inputs: NDArray[np.float32]) -> None:
        index = interpreter.get_input_details()[0]["index"]
        if self._of_thread.batch != len(inputs):
            interpreter.resize_tensor_input(index, inputs.shape)
            interpreter.allocate_tensors()
            self._of_thread.batch = len(inputs)
        interpreter.set_tensor(index, inputs)
        interpreter.invoke()

    def _interpreter(self) -> Interpreter:
        if self._of_thread.interpreter is None:
            self._of_thread.interpreter = self._load()
        return self._of_thread.interpreter

    def _load(self) -> Interpreter:
        try:
            interpreter = Interpreter(model_content=self._content, num_threads=self._threads)
            inputs = interpreter.get_input_details()
            outputs = interpreter.get_output_details()
        except _FAILURES as error:  # a ValueError also for a name that is no UTF-8
            raise self._error(f"{GRAPH} is not a LiteRT graph ({error})") from error
        self._check_end("input", inputs, self._version.input_shape)
        self._check_end("output", outputs, (len(self._version.labels),))
        return interpreter

    def _try(self) -> None:
        try:
            trials.require(self._content)
        except ModelError as error:
            raise self._error(f"{GRAPH} is refused: {error}") from error

    def _check_end(self, end: str, details: list[dict[str, Any]], shape: tuple[int, ...]) -> None:
        """Check type and shape of the graph's only input or output, the batch aside."""
        received = [_type_and_shape(tensor) for tensor in details]
        if received != [("float32", shape)]:
            raise self._error(f"graph {end} is {received}, {CONFIG} says float32 {shape}")

    def _check_values(self, outputs: NDArray[np.float32], batch: int) -> None:
        """Check what the graph's description does not tell: its outputs for this batch."""
        expected = (batch, len(self._version.labels))
        if outputs.shape == expected and self._are_sound(outputs):
            return
        raise self._error(
            f"{GRAPH} returned {outputs.shape} {outputs.ravel()[:4].tolist()},"
            f" {CONFIG} says {self._version.output} {expected}"
        )

    def _are_sound(self, outputs: NDArray[np.float32]) -> bool:
        if self._version.output == "probabilities" and not _are_probabilities(outputs):
            return False
        return bool(np.isfinite(outputs).all())

    def _error(self, fault: str) -> ModelError:
        return ModelError(f"version {self._version.name}: {fault}.")


class _InterpreterOfThread(threading.local):
    """The interpreter of a thread and the batch that it is set to."""

    interpreter: Interpreter | None = None
    batch = 0


def _outputs(interpreter: Interpreter) -> NDArray[np.float32]:
    [output] = interpreter.get_output_details()
    return np.asarray(interpreter.get_tensor(output["index"]))


def _type_and_shape(tensor: dict[str, Any]) -> tuple[str, tuple[int, ...]]:
    """Of one example, as the batch may have any size."""
    shape = np.ravel(tensor["shape"])[1:]
    return str(np.dtype(tensor["dtype"])), tuple(shape.tolist())


def _are_probabilities(outputs: NDArray[np.float32]) -> bool:
    return bool((outputs >= 0).all()) and np.allclose(outputs.sum(axis=1), 1.0, atol=1e-3)
