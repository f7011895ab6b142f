"""Measure a version folder through the graph it serves, fit its temperature, write its model card.

    python -m training.evaluate --version models/seed-cnn --data fer2013.npz

    only the card, from what was measured before; under a second:
    python -m training.evaluate --version models/seed-cnn

Takes about three minutes, nearly all of them for the disturbed crops of `training.robustness`. Temperature and
the confidence that tells *uncertain* are fitted on PublicTest; PrivateTest is only reported. Writes `metrics.json`,
`predictions.npz` (with the graph's answers to `training.probes`) and `README.md` into the folder and seals it again.
Stopped at any point, it leaves a readable version and can be run again.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from numpy.typing import NDArray

from fer import LABELS, EmotionClassifier, ModelError, ModelVersion, metrics
from fer.artifact import CARD, CONFIG, METRICS, PREDICTIONS, read_version, write_config
from fer.console import without_chatter
from training import robustness
from training.command import command_line, finish, writing_to
from training.data import LABELLINGS, Split, load
from training.probes import answers

TEMPLATE = Path(__file__).with_name("model_card.md")
CERTAIN = 0.9  # of the answers that are not called uncertain, this share shall be right


def main(folder: Path, data: Path) -> dict[str, Any]:
    """Evaluate the version in `folder` on `data` and return what was written to `metrics.json`."""
    version = read_version(folder)
    if version.labels != LABELS:
        raise ModelError(f"{folder}: its labels are {', '.join(version.labels)}, expected {', '.join(LABELS)}.")
    dataset = load(data)
    public, private = dataset.split("PublicTest"), dataset.split("PrivateTest")
    with without_chatter():
        raw = EmotionClassifier(replace(version, temperature=1.0))
    rows = public.fer2013 >= 0
    temperature = metrics.fit_temperature(raw.predict(public.images[rows]), public.fer2013[rows])
    classifier = EmotionClassifier(replace(version, temperature=temperature))
    scores, public_scores = classifier.predict(private.images), classifier.predict(public.images)
    threshold = metrics.fit_threshold(public_scores[rows], public.fer2013[rows], CERTAIN)
    tested = private.fer2013 >= 0
    report = {
        "test_split": "PrivateTest",
        "test_sha256": private.sha256,
        "interval": "95 %: Wilson score for accuracy and recall, percentile bootstrap for the others",
        "labels": list(version.labels),
        "temperature": temperature,
        "labellings": {
            name: measure(scores, private.labels(name), version.labels)
            for name in LABELLINGS
            if (private.labels(name) >= 0).any()  # a folder of images carries no FER+ votes
        },
        "validation": measure(public_scores, public.fer2013, version.labels),
        "uncertain": _selective(scores[tested], private.fer2013[tested], threshold),
        "robustness": robustness.measure(classifier, private.images[tested], private.fer2013[tested]),
    }
    _write(folder, report, _predictions(scores, private, answers(classifier)), _card(version, report))
    return report


def write_card(folder: Path) -> dict[str, Any]:
    """Render the card of a measured version anew, seal the folder again and return what `metrics.json` holds."""
    version = read_version(folder)
    report = version.metrics()
    if report is None:
        raise ModelError(f"{folder} holds no {METRICS} to make a card of; measure it with --data.")
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    (folder / CARD).unlink(missing_ok=True)
    write_config(folder, config)
    (folder / CARD).write_text(_card(version, report), encoding="utf-8")
    write_config(folder, config)
    return report


def _write(folder: Path, report: dict[str, Any], predictions: bytes, card: str) -> None:
    """Replace what was measured before: unlist it, write the new files, list them; readable after each step."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8")) | {
        "temperature": report["temperature"],
        "uncertain_below": report["uncertain"]["below"],
    }
    written = {
        METRICS: json.dumps(report, indent=2, allow_nan=False).encode() + b"\n",
        PREDICTIONS: predictions,
        CARD: card.encode(),
    }
    for name in written:
        (folder / name).unlink(missing_ok=True)
    write_config(folder, config)
    for name, content in written.items():
        (folder / name).write_bytes(content)
    write_config(folder, config)


def measure(scores: NDArray[np.floating], labels: NDArray[np.integer], names: tuple[str, ...]) -> dict[str, Any]:
    """Every metric over the rows with a label (not -1), each with n and its interval."""
    scores, labels = scores[labels >= 0], labels[labels >= 0].astype(np.int64)
    recalls = zip(names, metrics.recalls(scores, labels), strict=True)
    return {
        "n": len(labels),
        "accuracy": asdict(metrics.accuracy(scores, labels)),
        "macro_f1": asdict(metrics.bootstrap(metrics.macro_f1, scores, labels)),
        "log_loss": asdict(metrics.bootstrap(metrics.log_loss, scores, labels)),
        "expected_calibration_error": asdict(metrics.bootstrap(metrics.expected_calibration_error, scores, labels)),
        "recall": {name: asdict(recall) for name, recall in recalls if recall},
        "confusion_matrix": metrics.confusion_matrix(scores, labels).tolist(),
    }


def _selective(scores: NDArray[np.floating], labels: NDArray[np.integer], threshold: float) -> dict[str, Any]:
    """What is gained by calling answers under the threshold uncertain, and the whole curve of risk over coverage."""
    certain = scores.max(axis=1) >= threshold
    right = (scores.argmax(axis=1) == labels)[certain]
    return {
        "below": threshold,
        "wanted_accuracy": CERTAIN,
        "coverage": asdict(metrics.wilson(int(certain.sum()), len(labels))),
        "accuracy": asdict(metrics.wilson(int(right.sum()), len(right))) if len(right) else None,
        "risk_coverage": [list(point) for point in metrics.risk_coverage(scores, labels)],
    }


def _predictions(scores: NDArray[np.float32], split: Split, probes: NDArray[np.float32]) -> bytes:
    """Scores and labels of every test row, so that two versions can be compared as pairs, and the answers to probes."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        scores=scores,
        fer2013=split.fer2013,
        ferplus=split.ferplus,
        duplicate=split.duplicate,
        test_sha256=np.array(split.sha256),
        probes=probes,
    )
    return buffer.getvalue()


def _card(version: ModelVersion, report: dict[str, Any]) -> str:
    main_result = report["labellings"]["fer2013"]
    card_data = ModelCardData(
        model_name=version.name,
        library_name="keras",
        pipeline_tag="image-classification",
        license="apache-2.0",
        tags=["facial-expression-recognition", "litert"],
        datasets=["fer2013"],
        metrics=["accuracy", "f1"],
        eval_results=eval_results(report),
    )
    card = ModelCard.from_template(
        card_data,
        template_path=str(TEMPLATE),
        version=version,
        lineage=version.lineage,
        report=report,
        recalls=main_result["recall"],
        text=_text,
        code=_code,
    )
    return f"{card}\n"


def _text(value: object) -> str:
    """Words from outside that stay words in Markdown: no tag, link, code, column or line of their own."""
    return "".join(f"&#{ord(c)};" if c in "&<>[]|`" or not c.isprintable() else c for c in str(value))


def _code(value: object) -> str:
    """Words from outside between backticks."""
    return "".join("'" if c == "`" else c if c.isprintable() else " " for c in str(value))


def eval_results(report: dict[str, Any]) -> list[EvalResult]:
    """The results at the head of the card, which the Hub shows beside it."""
    return [_eval_result(name, kind, report) for name in report["labellings"] for kind in ("accuracy", "f1")]


def _eval_result(labelling: str, kind: str, report: dict[str, Any]) -> EvalResult:
    value = report["labellings"][labelling]["accuracy" if kind == "accuracy" else "macro_f1"]["value"]
    return EvalResult(
        task_type="image-classification", dataset_type="fer2013", dataset_name=f"FER2013 PrivateTest, {labelling}",
        dataset_config=labelling, dataset_split="PrivateTest", metric_type=kind, metric_value=round(value, 4),
        metric_name="macro F1" if kind == "f1" else "accuracy",
    )  # fmt: skip


def _tell(version: Path, data: Path | None) -> None:
    with writing_to(version):
        report = main(version, data) if data else write_card(version)
    for name, result in report["labellings"].items():
        print("{name:14} accuracy {value:.4f} ({low:.4f} to {high:.4f}, n={n})".format(name=name, **result["accuracy"]))


if __name__ == "__main__":
    options = command_line("training.evaluate", __doc__)
    options.add_argument("--version", type=Path, required=True, help="version folder, e.g. models/seed-cnn")
    options.add_argument("--data", type=Path, help="fer2013.npz, fer2013.csv or a folder; without it, only the card")
    finish(partial(_tell, **vars(options.parse_args())))
