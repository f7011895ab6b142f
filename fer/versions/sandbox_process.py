"""Try a graph of unknown origin, which may crash this process, hang it or fill its memory.

    python -m fer.versions.sandbox_process < model.tflite

`fer.versions.sandbox` starts it. It exits with 0 if the graph is admitted, and with `REFUSED` if it
is not, having printed why.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from fer.errors import ModelError
from fer.inference import MAX_BATCH
from fer.versions.graph_check import check_graph
from fer.versions.sandbox import CPU_SECONDS, MEMORY, REFUSED

_FAULTS = (ValueError, RuntimeError, MemoryError)
_LIMITS = {
    # the first ends it by SIGXCPU, which tells why
    resource.RLIMIT_CPU: (CPU_SECONDS, CPU_SECONDS + 1),
    resource.RLIMIT_DATA: (MEMORY, MEMORY),
    resource.RLIMIT_CORE: (0, 0),
}


def main() -> int:
    """Limit this process, then check and run the graph that stands on standard input."""
    _limit_this_process()
    content = sys.stdin.buffer.read()
    try:
        check_graph(content)
        run(content)
    except ModelError as error:
        sys.stdout.write(str(error))
        return REFUSED
    return 0


def _limit_this_process() -> None:
    for kind, limits in _LIMITS.items():
        resource.setrlimit(kind, limits)


def run(content: bytes) -> None:
    """Run the graph once for each batch. Raises ModelError if it cannot be loaded or run."""
    try:
        interpreter = Interpreter(model_content=content, num_threads=1)
        shape = tuple(interpreter.get_input_details()[0]["shape"][1:])
    except _FAULTS as error:
        raise ModelError(f"it is not a LiteRT graph ({error})") from error
    for inputs in _batches(shape):
        try:
            _invoke(interpreter, inputs)
        except _FAULTS as error:
            raise ModelError(
                f"it cannot run a batch of {len(inputs)} in {MEMORY >> 20} MB ({error})"
            ) from error


def _invoke(interpreter: Interpreter, inputs: NDArray[np.float32]) -> None:
    start = interpreter.get_input_details()[0]["index"]
    end = interpreter.get_output_details()[0]["index"]
    interpreter.resize_tensor_input(start, inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(start, inputs)
    interpreter.invoke()
    interpreter.get_tensor(end)


def _batches(shape: tuple[int, ...]) -> Iterator[NDArray[np.float32]]:
    """Black, white, noise and a bright oval, alone, in pairs and as the largest batch."""
    faces = np.stack([np.zeros(shape), np.ones(shape), _noise(shape), _oval(shape)])
    faces = faces.astype(np.float32)
    for face in faces:
        yield face[None]
    yield faces[2:]
    yield np.resize(faces, (MAX_BATCH, *shape))


def _noise(shape: tuple[int, ...]) -> NDArray[np.float64]:
    return np.random.default_rng(0).random(shape)


def _oval(shape: tuple[int, ...]) -> NDArray[np.float64]:
    axes = np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij")
    return np.asarray(np.exp(-2 * sum(axis**2 for axis in axes)))


if __name__ == "__main__":
    sys.exit(main())
