"""Tell a better recipe from a luckier seed: how far runs that differ in nothing but their seed differ on PrivateTest.

    python -m benchmarks.seeds --runs runs/1 runs/2 runs/3 --data fer2013.npz --output benchmarks/results/seeds.json

Takes about half a minute a run. Every run is exported and asked through its graph, as a version is.
Report all the seeds that were trained: the best of them says nothing of the recipe.
"""

from __future__ import annotations

import statistics
import tempfile
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import asdict
from numpy.typing import NDArray

from fer import LABELS, DataError, EmotionClassifier, metrics
from training import export
from training.command import command_line, finish, write_report
from training.data.fer2013 import LABELLINGS, Split
from training.data.fer2013_files import load
from training.data.resizing import predict
from training.runs import read_lineage


def main(runs: list[Path], data: Path) -> dict[str, Any]:
    """Every run's results, their mean and standard deviation.

    And the share of faces that two runs answer alike.
    """
    lineages = [read_lineage(run) for run in runs]
    _check(runs, [lineage["config"] for lineage in lineages])
    private = load(data).split("PrivateTest")
    scores = [_scores(run, private.images) for run in runs]
    results = [_measure(answers, private) for answers in scores]
    pairs = combinations([answers.argmax(axis=1) for answers in scores], 2)
    return {
        "test_split": "PrivateTest",
        "recipe": lineages[0]["config"]["recipe"],
        "runs": [
            {
                "seed": lineage["config"]["seed"],
                "git_commit": lineage["git_commit"],
                "results": result,
            }
            for lineage, result in zip(lineages, results, strict=True)
        ],
        "spread": {
            name: _spread([result[name]["value"] for result in results]) for name in results[0]
        },
        "same_answer": statistics.mean(float((one == other).mean()) for one, other in pairs),
    }


def _check(runs: list[Path], configs: list[dict[str, Any]]) -> None:
    """Raise DataError unless two or more runs differ in their seed and in nothing else."""
    seeds = [config["seed"] for config in configs]
    if len(seeds) < 2 or len(set(seeds)) < len(seeds):
        raise DataError(
            f"received the seeds {', '.join(map(str, seeds))}, expected two or more, each once."
        )
    for run, config in zip(runs, configs, strict=True):
        differing = [
            name
            for name, value in config.items()
            if name != "seed" and value != configs[0].get(name)
        ]
        if differing:
            raise DataError(
                f"{run} and {runs[0]} differ in {', '.join(differing)}; only the seed may differ."
            )


def _scores(run: Path, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    with tempfile.TemporaryDirectory() as scratch:
        return predict(EmotionClassifier(export.main(run, Path(scratch) / run.name)), images)


def _measure(scores: NDArray[np.float32], private: Split) -> dict[str, Any]:
    """Accuracy under every labelling, and the recall of every class under the original one.

    With intervals.
    """
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


def _tell(runs: list[Path], data: Path, output: Path | None) -> None:
    report = main(runs, data)
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
    options = command_line("benchmarks.seeds", __doc__)
    options.add_argument(
        "--runs", type=Path, nargs="+", required=True, help="finished run folders of training.train"
    )
    options.add_argument(
        "--data", type=Path, required=True, help="fer2013.npz, fer2013.csv or a folder"
    )
    options.add_argument("--output", type=Path, help="write the report here as JSON")
    finish(partial(_tell, **vars(options.parse_args())))
