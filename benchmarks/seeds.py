r"""Tell a better recipe from a luckier seed: compare runs that differ in nothing but their seed.

    python -m benchmarks.seeds --runs runs/1 runs/2 runs/3 --data fer2013.npz \
        --output benchmarks/results/seeds.json

    the tiniest one, a minute:
    python -m benchmarks.seeds --runs runs/1 runs/2 --data fer2013.npz

Takes about half a minute a run, and prints each result on PrivateTest with its mean and standard
deviation. Every run is exported and asked through its graph, as a version is. Report all the seeds
that were trained: the best of them says nothing of the recipe.
"""

from __future__ import annotations

import statistics
import tempfile
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from msgspec.structs import asdict
from numpy.typing import NDArray

from benchmarks.options import FER2013Option, OutputOption
from fer import LABELS, DataError, EmotionClassifier, metrics
from fer.cli.application import run_script
from training import export
from training.command import write_report
from training.data.fer2013 import LABELLINGS, Split
from training.data.fer2013_files import load
from training.data.resizing import predict
from training.runs import read_lineage


def compare(runs: list[Path], data: Path) -> dict[str, Any]:
    """Every run's results, their spread, and the share of faces that two runs answer alike."""
    lineages = [read_lineage(run) for run in runs]
    _check(runs, [lineage["config"] for lineage in lineages])
    private = load(data).split("PrivateTest")
    scores = [_scores(run, private.images) for run in runs]
    results = [_measure(answers, private) for answers in scores]
    return {
        "test_split": "PrivateTest",
        "recipe": lineages[0]["config"]["recipe"],
        "runs": [
            _entry(lineage, result) for lineage, result in zip(lineages, results, strict=True)
        ],
        "spread": {
            name: _spread([result[name]["value"] for result in results]) for name in results[0]
        },
        "same_answer": _same_answer(scores),
    }


def _entry(lineage: dict[str, Any], results: dict[str, Any]) -> dict[str, Any]:
    return {
        "seed": lineage["config"]["seed"],
        "git_commit": lineage["git_commit"],
        "results": results,
    }


def _same_answer(scores: list[NDArray[np.float32]]) -> float:
    pairs = combinations([answers.argmax(axis=1) for answers in scores], 2)
    return statistics.mean(float((one == other).mean()) for one, other in pairs)


def _check(runs: list[Path], configs: list[dict[str, Any]]) -> None:
    """Raise DataError unless two or more runs differ in their seed and in nothing else."""
    seeds = [config["seed"] for config in configs]
    if len(seeds) < 2 or len(set(seeds)) < len(seeds):
        raise DataError(
            f"received the seeds {', '.join(map(str, seeds))}, expected two or more, each once."
        )
    first = configs[0]
    for run, config in zip(runs, configs, strict=True):
        differing = [name for name, value in config.items() if value != first.get(name)]
        if others := [name for name in differing if name != "seed"]:
            raise DataError(
                f"{run} and {runs[0]} differ in {', '.join(others)}; only the seed may differ."
            )


def _scores(run: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    with tempfile.TemporaryDirectory() as scratch:
        return predict(EmotionClassifier(export.main(run, Path(scratch) / run.name)), images)


def _measure(scores: NDArray[np.float32], private: Split) -> dict[str, Any]:
    """Accuracy under every labelling and recalls under the original one, with intervals."""
    results = {}
    for name in LABELLINGS:
        rows = private.targets(name) >= 0
        if rows.any():  # a folder of images carries no FER+ votes
            results[name] = asdict(metrics.accuracy(scores[rows], private.targets(name)[rows]))
    rows = private.fer2013 >= 0
    recalls = zip(LABELS, metrics.recalls(scores[rows], private.fer2013[rows]), strict=True)
    return results | {f"recall of {label}": asdict(recall) for label, recall in recalls if recall}


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "mean": statistics.mean(values),
        "standard_deviation": statistics.stdev(values),
        "least": min(values),
        "greatest": max(values),
    }


def main(
    *,
    runs: Annotated[list[Path], typer.Option(help="finished run folders of training.train")],
    data: FER2013Option,
    output: OutputOption = None,
) -> None:
    """Compare the runs, print the spread of each result and write the report."""
    report = compare(runs, data)
    for name, spread in report["spread"].items():
        values = " ".join(f"{run['results'][name]['value']:.4f}" for run in report["runs"])
        print(
            f"{name:20} {values}, mean {spread['mean']:.4f}, standard deviation"
            f" {spread['standard_deviation']:.4f}"
        )
    print(f"{'same answer':20} {report['same_answer']:.4f}")
    if output:
        write_report(output, report)


if __name__ == "__main__":
    run_script(main, __doc__)
