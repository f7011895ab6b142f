r"""Compare runs on PublicTest: what each recipe gives, and how the blend trades two labellings.

    python -m benchmarks.recipes --runs runs/a runs/b --data fer2013.npz \
        --output benchmarks/results/recipes.json

    ordinary faces too:
    python -m benchmarks.recipes --runs runs/a --data fer2013.npz --photographs natural.zip

Takes about ten seconds a run, and prints a line a blend; a run need not be finished. The averaged
weights of the last epoch on disk are measured. Of photographs the validation split is measured,
where a face is found, cut as the run's own recipe says. An earlier report in --output keeps its
other runs, whose folders may be gone by then. No network sees PrivateTest. Of both splits the
report says how far the two labellings agree, which bounds what one answer can score on both.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from msgspec.structs import asdict
from numpy.typing import NDArray

from benchmarks.options import FER2013Option
from fer import DataError, intervals, metrics
from fer.cli.application import run_script
from fer.preprocessing import normalize
from training.checkpoints import read_network
from training.command import load_keras, write_report
from training.data.classes import blend_logits
from training.data.faces import cut_wide
from training.data.fer2013 import LABELLINGS, Split
from training.data.fer2013_files import load
from training.data.photographs import Photographs, read_photographs
from training.data.resizing import resized
from training.runs import read_config, read_log

if TYPE_CHECKING:
    import keras

BLENDS = tuple(i / 10 for i in range(11))
VOTES = {"up to 5": (1, 5), "6 or 7": (6, 7), "8": (8, 8), "9": (9, 9), "10": (10, 10)}
"""How many of ten annotators chose the emotion that most of them chose, from and to."""


def compare(
    runs: list[Path],
    data: Path,
    output: Path | None = None,
    photographs: Photographs | None = None,
) -> dict[str, Any]:
    """The report that `output` is to hold: these runs after the others that it holds already."""
    load_keras()
    dataset = load(data)
    splits = {name: dataset.split(name) for name in ("PublicTest", "PrivateTest")}
    agreed = {name: agreement(split) for name, split in splits.items()}
    earlier: dict[str, Any] = {"agreement": agreed, "runs": []}
    if output and output.exists():
        earlier = _read(output)
    if earlier["agreement"] != agreed:
        raise DataError(
            f"{output} was measured on other data than {data}; choose another --output."
        )
    names = {run.name for run in runs}
    others = [entry for entry in earlier["runs"] if entry["run"] not in names]
    return {
        "agreement": agreed,
        "runs": others + [describe(run, splits["PublicTest"], photographs) for run in runs],
    }


def _read(report: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(report.read_text())
        _ = content["agreement"]
        for entry in content["runs"]:
            _ = (entry["run"], entry["epochs"], entry["blends"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{report} is there and is no report of this command; choose another --output."
        ) from error
    return content


def agreement(split: Split) -> dict[str, Any]:
    """How many rows each labelling counts and both do, and on which share of these they agree."""
    rows = agreements(split)
    both = ~rows["one"]
    return {
        "fer2013": int((split.fer2013 >= 0).sum()),
        "ferplus": int((split.ferplus >= 0).sum()),
        "both": int(both.sum()),
        "agree": _share(rows["agree"], both),
    }


def describe(run: Path, public: Split, photographs: Photographs | None = None) -> dict[str, Any]:
    """The recipe of a run, and its accuracy by epoch, by blend and by how far labels agree."""
    import keras

    config = read_config(run)
    log = read_log(run)
    recipe = config["recipe"]
    side = recipe["decay_crops"]["side"]
    network = read_network(run)
    logits = _logits(network, resized(public.images, side))
    blends = {f"{blend:.1f}": _measured(blend_logits(logits, blend), public) for blend in BLENDS}
    if photographs:
        faces = cut_wide(photographs, side, recipe["photographs"]["scale"])
        face_logits = _logits(network, faces.served_crops)
        for blend in BLENDS:
            blended = blend_logits(face_logits, blend)
            blends[f"{blend:.1f}"]["photographs"] = _balanced(blended, faces.label_targets)
    keras.backend.clear_session()
    return {
        "run": run.name,
        "seed": config["seed"],
        "share": config["share"],
        "recipe": recipe,
        "epochs": len(log),
        "blends": blends,
        "favourite": {
            name: _within(rows, logits, public) for name, rows in rows_by_votes(public).items()
        },
        "labellings": {
            name: _within(rows, logits, public) for name, rows in agreements(public).items()
        },
        "log": log,
    }


def _logits(network: keras.Model, faces: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(network.predict(normalize(faces), batch_size=256, verbose=0))


def _measured(logits: NDArray[np.float32], public: Split) -> dict[str, Any]:
    accuracies = {name: _accuracy(logits, public.targets(name)) for name in LABELLINGS}
    return {**accuracies, "recall": _recalls(logits, public.fer2013)}


def _balanced(logits: NDArray[np.float32], labels: NDArray[np.int8]) -> dict[str, Any]:
    recalls = _recalls(logits, labels)
    found = [recall for recall in recalls if recall is not None]
    return {
        "accuracy": _accuracy(logits, labels),
        "balanced": round(float(np.mean(found)), 4),
        "recall": recalls,
    }


def _recalls(logits: NDArray[np.float32], labels: NDArray[np.int8]) -> list[float | None]:
    rows = labels >= 0
    estimates = metrics.recalls(logits[rows], labels[rows])
    return [round(recall.value, 4) if recall else None for recall in estimates]


def rows_by_votes(split: Split) -> dict[str, NDArray[np.bool_]]:
    """The rows of a split by how many annotators chose the emotion that most of them chose."""
    return {
        name: (low <= split.agreement) & (split.agreement <= high)
        for name, (low, high) in VOTES.items()
    }


def agreements(split: Split) -> dict[str, NDArray[np.bool_]]:
    """The rows on which the two labellings agree, differ, and those that one leaves out."""
    both = (split.fer2013 >= 0) & (split.ferplus >= 0)
    same = split.fer2013 == split.ferplus
    return {"agree": both & same, "differ": both & ~same, "one": ~both}


def _within(rows: NDArray[np.bool_], logits: NDArray[np.float32], public: Split) -> dict[str, Any]:
    """How far the labellings agree on some rows, and how well each is met by its own outputs."""
    original = public.fer2013[rows]
    ferplus = public.ferplus[rows]
    return {
        "agree": _share(original == ferplus, (original >= 0) & (ferplus >= 0)),
        "fer2013": _accuracy(blend_logits(logits[rows], 0.0), original),
        "ferplus": _accuracy(blend_logits(logits[rows], 1.0), ferplus),
    }


def _accuracy(logits: NDArray[np.float32], labels: NDArray[np.int8]) -> dict[str, Any] | None:
    return _share(logits.argmax(axis=1) == labels, labels >= 0)


def _share(hits: NDArray[np.bool_], rows: NDArray[np.bool_]) -> dict[str, Any] | None:
    return asdict(intervals.wilson(int(hits[rows].sum()), int(rows.sum()))) if rows.any() else None


def main(
    *,
    runs: Annotated[list[Path], typer.Option(help="run folders of training.train")],
    data: FER2013Option,
    photographs: Annotated[
        Path | None, typer.Option(help="folder or zip of <split>/<class>/*.jpg")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="write the report here, as JSON, or add to the one that is there"),
    ] = None,
) -> None:
    """Compare the runs, print a line a blend and write the report."""
    faces = read_photographs(photographs).split("PublicTest") if photographs else None
    report = compare(runs, data, output, faces)
    for result in report["runs"]:
        _print(result)
    if output:
        write_report(output, report)


def _print(result: dict[str, Any]) -> None:
    print(f"{result['run']}: {result['epochs']} epochs; blend, {', '.join(LABELLINGS)}, recalls")
    for blend, scores in result["blends"].items():
        values = (
            f"{scores[name]['value']:.4f}" if scores[name] else "   -  " for name in LABELLINGS
        )
        print(f"  {blend}  " + "  ".join(values), scores["recall"])
        if ordinary := scores.get("photographs"):
            accuracy = ordinary["accuracy"]["value"]
            balanced = ordinary["balanced"]
            print(
                f"       photographs {accuracy:.4f}, balanced {balanced:.4f}",
                ordinary["recall"],
            )


if __name__ == "__main__":
    run_script(main, __doc__)
