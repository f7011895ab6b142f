"""Time the inference graphs of every architecture, untrained, side by side: weights do not change the time.

python -m benchmarks.networks --output benchmarks/results/networks.json

Takes a minute. The graphs take turns, so that whatever else the machine does hits all of them
alike; compare ratios, not milliseconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from training.architectures import BODIES, served
from training.convert import PRECISIONS, convert

Name = TypeVar("Name", bound=Hashable)

ROUNDS, CALLS = 25, 20
REFERENCE = ("seed_cnn", "float32")


def main(threads: int) -> dict[str, Any]:
    """Bytes, median milliseconds a face at batch 1.

    And the ratio to the seed network's in float32.
    """
    networks = {name: served(name) for name in BODIES}
    graphs = {
        (name, precision): convert(model, **options)
        for name, model in networks.items()
        for precision, options in PRECISIONS.items()
    }
    times = medians(graphs, threads)
    return {
        name: {
            "parameters": model.count_params(),
            "graphs": {
                precision: {
                    "bytes": len(graphs[name, precision]),
                    "median_ms": round(times[name, precision], 3),
                    "ratio": round(times[name, precision] / times[REFERENCE], 3),
                }
                for precision in PRECISIONS
            },
        }
        for name, model in networks.items()
    }


def medians(graphs: Mapping[Name, bytes], threads: int) -> dict[Name, float]:
    """Milliseconds a face of each graph at batch 1, all of them taking turns."""
    interpreters = {
        name: Interpreter(model_content=graph, num_threads=threads)
        for name, graph in graphs.items()
    }
    for interpreter in interpreters.values():
        interpreter.allocate_tensors()
    rounds = [
        {name: milliseconds(interpreter) for name, interpreter in interpreters.items()}
        for _ in range(ROUNDS)
    ]
    return {name: statistics.median(times[name] for times in rounds) for name in graphs}


def milliseconds(interpreter: Interpreter) -> float:
    """The mean over some calls, after one that warms the caches again."""
    source = interpreter.get_input_details()[0]
    interpreter.set_tensor(source["index"], np.full(source["shape"], 0.5, np.float32))
    interpreter.invoke()
    start = time.perf_counter()
    for _ in range(CALLS):
        interpreter.invoke()
    return (time.perf_counter() - start) / CALLS * 1e3


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="benchmarks.networks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--threads", type=int, default=2, help="default: 2")
    parser.add_argument("--output", type=Path, help="write the report here as JSON")
    options = parser.parse_args()
    report = main(options.threads)
    for name, result in report.items():
        for precision, graph in result["graphs"].items():
            size = f"{name:9} {precision:8} {result['parameters']:,} parameters"
            print("{}, {bytes:,} bytes, {median_ms} ms, ratio {ratio}".format(size, **graph))
    if options.output:
        options.output.write_text(json.dumps(report, indent=2) + "\n")
