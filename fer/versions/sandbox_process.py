"""Try a graph of unknown origin in this process, which may crash, hang or run out of memory in the attempt.

    python -m fer.versions.sandbox_process < model.tflite

`fer.versions.sandbox` starts it. It exits with 0 if the graph is admitted; with `REFUSED` it prints
why not.
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

_LIMITS = {
    # the first ends it by SIGXCPU, which tells why
    resource.RLIMIT_CPU: (CPU_SECONDS, CPU_SECONDS + 1),
    resource.RLIMIT_DATA: (MEMORY, MEMORY),
    resource.RLIMIT_CORE: (0, 0),
}


def main() -> int:
    """Limit this process, then check and run the graph that stands on standard input."""
    for kind, limits in _LIMITS.items():
        resource.setrlimit(kind, limits)
    content = sys.stdin.buffer.read()
    try:
        check_graph(content)
        run(content)
    except ModelError as error:
        sys.stdout.write(str(error))
        return REFUSED
    return 0


def run(content: bytes) -> None:
    """Run the graph once for each batch. Raises ModelError if it cannot be loaded or run."""
    try:
        interpreter = Interpreter(model_content=content, num_threads=1)
        start, end = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    except (ValueError, RuntimeError, MemoryError) as error:
        raise ModelError(f"it is not a LiteRT graph ({error})") from error
    for inputs in _batches(tuple(start["shape"][1:])):
        try:
            interpreter.resize_tensor_input(start["index"], inputs.shape)
            interpreter.allocate_tensors()
            interpreter.set_tensor(start["index"], inputs)
            interpreter.invoke()
            interpreter.get_tensor(end["index"])
        except (ValueError, RuntimeError, MemoryError) as error:
            raise ModelError(
                f"it cannot run a batch of {len(inputs)} in {MEMORY >> 20} MB ({error})"
            ) from error


def _batches(shape: tuple[int, ...]) -> Iterator[NDArray[np.float32]]:
    """Black, white, noise and a bright oval, alone, in pairs and as the largest batch."""
    axes = np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij")
    oval = np.exp(-2 * sum(axis**2 for axis in axes))
    noise = np.random.default_rng(0).random(shape)
    faces = np.stack([np.zeros(shape), np.ones(shape), noise, oval]).astype(np.float32)
    yield from (faces[i : i + 1] for i in range(len(faces)))
    yield faces[2:]
    yield np.resize(faces, (MAX_BATCH, *shape))


if __name__ == "__main__":
    sys.exit(main())
