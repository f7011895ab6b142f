"""Measure a version folder through the graph it serves, test set by test set, and write its model card.

    python -m training.evaluate --version models/seed-cnn --data fer2013.npz --photographs natural.zip

    photographs of one's own, beside what was measured before; no training data needed:
    python -m training.evaluate --version models/seed-cnn --photographs FOLDER --name mine

    only the card, from what was measured before; under a second:
    python -m training.evaluate --version models/seed-cnn

Takes about three minutes for FER2013, nearly all of them for the disturbed crops of
`training.robustness`, and a minute for 4,000 photographs. Temperature and the confidence that tells
*uncertain* are fitted on FER2013's PublicTest; PrivateTest is only reported. Photographs are
<split>/<class>/<person>_<number>.jpg or <class>/..., in a folder or a zip, and are measured as they
are served: a face must be found first. Writes `metrics.json`, `predictions.npz` (with the graph's
answers to `training.probes`) and `README.md` into the folder and seals it again; sets that were
measured before at another temperature are dropped. Stopped at any point, it leaves a readable
version and can be run again.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from fer import DataError, EmotionClassifier, ModelError, ModelVersion, calibration
from fer.cli.console import without_chatter
from fer.intervals import Estimate
from fer.versions.folder import (
    CARD,
    CONFIG,
    METRICS,
    PREDICTIONS,
    read_version,
    write_config,
)
from fer.versions.predictions import Predictions, SetScores
from fer.versions.report import TEST_SET_NAME, Report, SetReport
from training import measure
from training.command import command_line, finish, writing_to
from training.data.fer2013 import FER2013, SPLITS, load
from training.probes import answers

TEMPLATE = Path(__file__).with_name("model_card.md")
CERTAIN = 0.9  # of the answers that are not called uncertain, this share shall be right


def main(
    folder: Path,
    data: Path | None = None,
    photographs: Path | None = None,
    *,
    name: str | None = None,
    split: str | None = None,
) -> Report:
    """Measure the version in `folder` on FER2013, on photographs, or on both, beside what was measured before.

    Returns what was written to `metrics.json`.
    """
    version = read_version(folder)
    name = name or (photographs.stem.lower() if photographs else "")
    if photographs and (name.startswith(measure.FER2013) or not TEST_SET_NAME.fullmatch(name)):
        raise DataError(
            f"received the name {name!r} for a test set; expected a --name like my-photos."
        )
    before = _before(version)
    chosen_on = before.chosen_on if before else ()
    measured: dict[str, measure.Measured] = {}
    if data:
        dataset = load(data)
        version, chosen_on = _calibrated(version, dataset, photographs)
    with without_chatter():
        classifier = EmotionClassifier(version)
    if data:
        measured |= measure.measure_fer2013(classifier, dataset)
    if photographs:
        measured |= measure.measure_photographs(classifier, photographs, name, split)
    reports, scores = _kept(version, before)
    reports |= {key: found.report for key, found in measured.items()}
    scores |= {key: found.scores for key, found in measured.items()}
    report = Report(
        interval=(
            "95 %: Wilson score for shares, percentile bootstrap for the others; people resampled"
            " where known"
        ),
        labels=version.labels,
        temperature=version.temperature,
        uncertain_below=version.uncertain_below,
        crops=dict(version.crops),
        views=version.views,
        chosen_on=chosen_on,
        test_sets={key: reports[key] for key in sorted(reports, key=measure.order)},
    )
    predictions = Predictions(scores, answers(classifier))
    _write(version, report, predictions)
    return report


def _calibrated(
    version: ModelVersion, dataset: FER2013, photographs: Path | None
) -> tuple[ModelVersion, tuple[str, ...]]:
    """The version with the temperature and the limit of certainty that validation data ask for.

    And their names.
    """
    with without_chatter():
        raw = EmotionClassifier(replace(version, temperature=1.0))
    scores, labels = measure.validation_crops(raw, dataset)
    chosen_on: tuple[str, ...] = ("FER2013's PublicTest",)
    if photographs and (known := measure.validation_photographs(raw, photographs)):
        scores, labels = np.concatenate([scores, known[0]]), np.concatenate([labels, known[1]])
        chosen_on = (*chosen_on, f"the validation photographs of {photographs.name}")
    temperature = calibration.fit_temperature(scores, labels)
    limit = calibration.fit_threshold(
        calibration.scale_by_temperature(scores, temperature), labels, CERTAIN
    )
    return replace(version, temperature=temperature, uncertain_below=limit), chosen_on


def _before(version: ModelVersion) -> Report | None:
    """The report of an earlier evaluation.

    None if there is none, or one by a program that wrote another form.
    """
    with suppress(ModelError):
        return version.report()
    return None


def _kept(
    version: ModelVersion, before: Report | None
) -> tuple[dict[str, SetReport], dict[str, SetScores]]:
    """What was measured before of the same answers: by test set, the report and the scores."""
    if before and _served(before) == _served(version):
        with suppress(ModelError):
            predictions = Predictions.read(version.read(PREDICTIONS), len(version.labels))
            return dict(before.test_sets), dict(predictions.test_sets)
    return {}, {}


def _served(of: ModelVersion | Report) -> tuple[object, ...]:
    """What decides the answers beside the graph; what was measured holds as long as it stays."""
    return of.temperature, of.uncertain_below, of.crops, of.views


def write_card(folder: Path) -> Report:
    """Render the card of a measured version anew.

    Seal the folder again and return what `metrics.json` holds.
    """
    version = read_version(folder)
    report = version.report()
    if report is None:
        raise ModelError(f"{folder} holds no {METRICS} to make a card of; measure it with --data.")
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    (folder / CARD).unlink(missing_ok=True)
    write_config(folder, config)
    (folder / CARD).write_text(_card(version, report), encoding="utf-8")
    write_config(folder, config)
    return report


def _write(version: ModelVersion, report: Report, predictions: Predictions) -> None:
    """Replace what was measured before.

    Unlist it, write the new files, list them; readable after each step.
    """
    folder = version.folder
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8")) | {
        "temperature": version.temperature,
        "uncertain_below": version.uncertain_below,
    }
    written = {
        METRICS: report.to_bytes(),
        PREDICTIONS: predictions.to_bytes(),
        CARD: _card(version, report).encode(),
    }
    for name in written:
        (folder / name).unlink(missing_ok=True)
    write_config(folder, config)
    for name, content in written.items():
        (folder / name).write_bytes(content)
    write_config(folder, config)


def _card(version: ModelVersion, report: Report) -> str:
    card_data = ModelCardData(
        model_name=version.name,
        library_name="keras",
        pipeline_tag="image-classification",
        license="apache-2.0",
        tags=["facial-expression-recognition", "litert"],
        datasets=list(report.test_sets),
        metrics=["accuracy", "f1"],
        eval_results=eval_results(report),
    )
    card = ModelCard.from_template(
        card_data,
        template_path=str(TEMPLATE),
        version=version,
        lineage=version.lineage,
        report=report,
        result_name=result_name,
        text=_text,
        code=_code,
    )
    return f"{card}\n"


def _text(value: object) -> str:
    """Words from outside that stay words in Markdown.

    No tag, link, code, column or line of their own.
    """
    return "".join(
        f"&#{ord(c)};" if c in "&<>[]|`" or not c.isprintable() else c for c in str(value)
    )


def _code(value: object) -> str:
    """Words from outside between backticks."""
    return "".join("'" if c == "`" else c if c.isprintable() else " " for c in str(value))


def eval_results(report: Report) -> list[EvalResult]:
    """The results at the head of the card, which the Hub shows beside it."""
    return [
        EvalResult(
            task_type="image-classification",
            dataset_type=test_set,
            dataset_name=result_name(measured, labelling),
            dataset_config=labelling,
            dataset_split=measured.split,
            metric_type=kind,
            metric_value=round(estimate.value, 4),
            metric_name=name,
        )
        for test_set, measured in report.test_sets.items()
        for labelling, result in measured.labellings.items()
        for kind, name, estimate in (
            ("accuracy", "accuracy", result.accuracy),
            ("f1", "macro f1", result.macro_f1),
        )
    ]


def result_name(measured: SetReport, labelling: str) -> str:
    """A test set and whose labels count, in words."""
    place = f"{measured.title}, {measured.split}"
    return f"{place}, {labelling}" if len(measured.labellings) > 1 else place


def _tell(
    version: Path, data: Path | None, photographs: Path | None, name: str | None, split: str | None
) -> None:
    with writing_to(version):
        measured = data or photographs
        report = (
            main(version, data, photographs, name=name, split=split)
            if measured
            else write_card(version)
        )
    for test_set in report.test_sets.values():
        for labelling, result in test_set.labellings.items():
            accuracy = _words(result.accuracy)
            balanced = _words(result.balanced_accuracy)
            print(f"{labelling:14} accuracy {accuracy}, balanced accuracy {balanced}")
        if test_set.found:
            print(f"{'':14} faces found {_words(test_set.found)}")


def _words(found: Estimate) -> str:
    return f"{found.value:.4f} ({found.low:.4f} to {found.high:.4f}, n={found.n})"


if __name__ == "__main__":
    options = command_line("training.evaluate", __doc__)
    options.add_argument(
        "--version", type=Path, required=True, help="version folder, e.g. models/seed-cnn"
    )
    options.add_argument("--data", type=Path, help="fer2013.npz, fer2013.csv or a folder")
    options.add_argument(
        "--photographs", type=Path, help="a folder or a zip of labelled photographs"
    )
    options.add_argument(
        "--name", help="what the photographs are called; default the name of the folder or zip"
    )
    options.add_argument(
        "--split", choices=SPLITS, help="of the photographs; default the test split, or validation"
    )
    finish(partial(_tell, **vars(options.parse_args())))
