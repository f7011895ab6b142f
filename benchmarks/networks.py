"""Time the inference graph of every architecture, untrained, side by side: weights do not change the time.

python -m benchmarks.networks --output benchmarks/results/networks.json

Takes half a minute. The graphs take turns, so that whatever else the machine does hits all of them alike; compare
ratios, not milliseconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from training.architectures import BODIES, served
from training.export import convert

ROUNDS, CALLS = 25, 20
REFERENCE = "seed_cnn"


def main(threads: int) -> dict[str, Any]:
    """Median milliseconds a face at batch 1, and the ratio to the seed network's."""
    graphs = {name: convert(served(name)) for name in BODIES}
    times = medians(graphs, threads)
    return {
        name: {
            "parameters": served(name).count_params(),
            "bytes": len(graph),
            "median_ms": round(times[name], 3),
            "ratio": round(times[name] / times[REFERENCE], 3),
        }
        for name, graph in graphs.items()
    }


def medians(graphs: dict[str, bytes], threads: int) -> dict[str, float]:
    """Milliseconds a face of each graph at batch 1, all of them taking turns."""
    interpreters = {name: Interpreter(model_content=graph, num_threads=threads) for name, graph in graphs.items()}
    for interpreter in interpreters.values():
        interpreter.allocate_tensors()
    rounds = [{name: milliseconds(interpreter) for name, interpreter in interpreters.items()} for _ in range(ROUNDS)]
    return {name: statistics.median(times[name] for times in rounds) for name in graphs}


def milliseconds(interpreter: Interpreter) -> float:
    """The mean over some calls, after one that warms the caches again."""
    index = interpreter.get_input_details()[0]["index"]
    interpreter.set_tensor(index, np.full((1, 48, 48, 1), 0.5, np.float32))
    interpreter.invoke()
    start = time.perf_counter()
    for _ in range(CALLS):
        interpreter.invoke()
    return (time.perf_counter() - start) / CALLS * 1e3


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="benchmarks.networks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2, help="default: 2")
    parser.add_argument("--output", type=Path, help="write the report here as JSON")
    options = parser.parse_args()
    report = main(options.threads)
    for name, result in report.items():
        print("{:10} {parameters:,} parameters, {median_ms} ms, ratio {ratio}".format(name, **result))
    if options.output:
        options.output.write_text(json.dumps(report, indent=2) + "\n")
