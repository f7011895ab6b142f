"""Compare runs on PublicTest: what each recipe gives, and how the blend trades one labelling for the other.

    python -m training.tried --runs runs/a runs/b --data fer2013.npz --output benchmarks/results/recipes.json

Takes about ten seconds a run; a run need not be finished. The averaged weights of the last epoch on disk are measured.
No network sees PrivateTest. Of both splits the report says how far the two labellings agree, which bounds what one
answer can score on both.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from fer import FERError, metrics
from fer.preprocessing import normalize
from training.architectures import blend_logits
from training.data import LABELLINGS, Split, load
from training.runs import read_config, read_log, read_network

BLENDS = tuple(i / 10 for i in range(11))


def main(runs: list[Path], data: Path) -> dict[str, Any]:
    """Measure every run and return what is to be written."""
    dataset = load(data)
    splits = {name: dataset.split(name) for name in ("PublicTest", "PrivateTest")}
    return {
        "agreement": {name: agreement(split) for name, split in splits.items()},
        "runs": [describe(run, splits["PublicTest"]) for run in runs],
    }


def agreement(split: Split) -> dict[str, Any]:
    """How many rows each labelling counts, how many both, and the share of those on which they agree."""
    original, ferplus = split.fer2013, split.ferplus
    both = (original >= 0) & (ferplus >= 0)
    return {
        "fer2013": int((original >= 0).sum()),
        "ferplus": int((ferplus >= 0).sum()),
        "both": int(both.sum()),
        "agree": asdict(metrics.wilson(int((original == ferplus)[both].sum()), int(both.sum()))),
    }


def describe(run: Path, public: Split) -> dict[str, Any]:
    """The recipe of a run, its accuracy after every epoch, and its curve over the blend."""
    config, log = read_config(run), read_log(run)
    return {
        "run": run.name,
        "seed": config["seed"],
        "recipe": config["recipe"],
        "epochs": len(log),
        "blends": {f"{blend:.1f}": scores for blend, scores in curve(run, public).items()},
        "log": log,
    }


def curve(run: Path, public: Split) -> dict[float, dict[str, Any]]:
    """Accuracy on every labelling, and recall on the original one, for every blend of the two label sets."""
    logits = np.asarray(read_network(run).predict(normalize(public.images), batch_size=256, verbose=0))
    keras.backend.clear_session()
    return {blend: _measured(blend_logits(logits, blend), public) for blend in BLENDS}


def _measured(logits: NDArray[np.float32], public: Split) -> dict[str, Any]:
    accuracies = {}
    for labelling in LABELLINGS:
        labels = public.labels(labelling)
        accuracies[labelling] = asdict(metrics.accuracy(logits[labels >= 0], labels[labels >= 0]))
    rows = public.fer2013 >= 0
    recalls = metrics.recalls(logits[rows], public.fer2013[rows])
    return {**accuracies, "recall": [recall and round(recall.value, 4) for recall in recalls]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="training.tried", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="run folders of training.train")
    parser.add_argument("--data", type=Path, required=True, help="fer2013.npz, fer2013.csv or a folder")
    parser.add_argument("--output", type=Path, help="write the report here as JSON")
    options = parser.parse_args()
    try:
        report = main(options.runs, options.data)
    except FERError as error:
        sys.exit(f"error: {error}")
    for result in report["runs"]:
        print(f"{result['run']}: {result['epochs']} epochs; blend, {', '.join(LABELLINGS)}, recalls")
        for blend, scores in result["blends"].items():
            print(f"  {blend}  " + "  ".join(f"{scores[name]['value']:.4f}" for name in LABELLINGS), scores["recall"])
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(report, indent=2) + "\n")
