"""Time the untrained graphs of every architecture side by side: weights do not change the time.

    python -m benchmarks.networks --output benchmarks/results/networks.json

    a tiny run, a few seconds:
    python -m benchmarks.networks --rounds 1

Takes a minute and prints a line a graph. The graphs take turns, so that whatever else the machine
does hits all of them alike; compare ratios, not milliseconds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Hashable, Mapping
from typing import Annotated, Any, TypeVar

import numpy as np
import typer
from ai_edge_litert.interpreter import Interpreter

from benchmarks.options import OutputOption
from fer.cli.application import run_script
from training.architectures import BODIES, served
from training.command import write_report
from training.convert import PRECISIONS, convert

Name = TypeVar("Name", bound=Hashable)

ROUNDS = 25
CALLS = 20  # of a graph in each round
REFERENCE = ("seed_cnn", "float32")


def measure(threads: int, rounds: int) -> dict[str, Any]:
    """Bytes and median milliseconds a face at batch 1, also as a ratio to `REFERENCE`."""
    networks = {name: served(name) for name in BODIES}
    graphs = {
        (name, precision): convert(model, **options)
        for name, model in networks.items()
        for precision, options in PRECISIONS.items()
    }
    times = medians(graphs, threads, rounds)
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


def medians(graphs: Mapping[Name, bytes], threads: int, rounds: int = ROUNDS) -> dict[Name, float]:
    """Milliseconds a face of each graph at batch 1, all of them taking turns."""
    interpreters = {
        name: Interpreter(model_content=graph, num_threads=threads)
        for name, graph in graphs.items()
    }
    for interpreter in interpreters.values():
        interpreter.allocate_tensors()
    times_of_rounds = [
        {name: milliseconds(interpreter) for name, interpreter in interpreters.items()}
        for _ in range(rounds)
    ]
    return {name: statistics.median(times[name] for times in times_of_rounds) for name in graphs}


def milliseconds(interpreter: Interpreter) -> float:
    """The mean over some calls, after one that warms the caches again."""
    source = interpreter.get_input_details()[0]
    interpreter.set_tensor(source["index"], np.full(source["shape"], 0.5, np.float32))
    interpreter.invoke()
    start = time.perf_counter()
    for _ in range(CALLS):
        interpreter.invoke()
    return (time.perf_counter() - start) / CALLS * 1e3


def main(
    *,
    threads: Annotated[int, typer.Option(min=1)] = 2,
    rounds: Annotated[int, typer.Option(min=1)] = ROUNDS,
    output: OutputOption = None,
) -> None:
    """Time every graph, print a line of each and write the report."""
    report = measure(threads, rounds)
    for name, result in report.items():
        for precision, graph in result["graphs"].items():
            size = f"{name:9} {precision:8} {result['parameters']:,} parameters"
            print("{}, {bytes:,} bytes, {median_ms} ms, ratio {ratio}".format(size, **graph))
    if output:
        write_report(output, report)


if __name__ == "__main__":
    run_script(main, __doc__)
