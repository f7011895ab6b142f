r"""Measure a version through the graph it serves, test set by test set, and write its model card.

    python -m training.evaluate --version models/seed-cnn --data fer2013.npz \
        --photographs natural.zip

    photographs of one's own, beside what was measured before; no training data needed:
    python -m training.evaluate --version models/seed-cnn --photographs FOLDER --name mine

    only the card, from what was measured before; under a second:
    python -m training.evaluate --version models/seed-cnn

Takes about three minutes for FER2013, nearly all of them for the corrupted crops of
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
from pathlib import Path
from typing import Annotated

import typer

from fer import DataError, EmotionClassifier, ModelError, ModelVersion
from fer.cli.application import one_of, run_script
from fer.cli.console import without_chatter
from fer.intervals import Estimate
from fer.versions.folder import CARD, CONFIG, METRICS, PREDICTIONS, read_version, write_config
from fer.versions.predictions import Predictions, SetScores
from fer.versions.report import TEST_SET_NAME, Report, SetReport
from training.calibrate import calibrated
from training.command import writing_to
from training.data.fer2013 import SPLITS
from training.data.fer2013_files import load
from training.evaluation_sets import FER2013, order
from training.measure import Measured, measure_fer2013, measure_photographs
from training.model_card import render_card
from training.probes import answers

_INTERVAL = (
    "95 %: Wilson score for shares, percentile bootstrap for the others; people resampled"
    " where known"
)


def main(
    folder: Path,
    data: Path | None = None,
    photographs: Path | None = None,
    *,
    name: str | None = None,
    split: str | None = None,
) -> Report:
    """Measure the version in `folder` on FER2013, on photographs, or on both.

    What was measured before of the same answers is kept. Returns what was written to
    `metrics.json`.
    """
    version = read_version(folder)
    name = name or (photographs.stem.lower() if photographs else "")
    if photographs:
        _check_name(name)
    before = _report_before(version)
    chosen_on = before.chosen_on if before else ()
    dataset = load(data) if data else None
    if dataset:
        version, chosen_on = calibrated(version, dataset, photographs)
    with without_chatter():
        classifier = EmotionClassifier(version)
    measured: dict[str, Measured] = {}
    if dataset:
        measured |= measure_fer2013(classifier, dataset)
    if photographs:
        measured |= measure_photographs(classifier, photographs, name, split)
    reports, scores = _kept(version, before)
    reports |= {test_set: result.report for test_set, result in measured.items()}
    scores |= {test_set: result.scores for test_set, result in measured.items()}
    report = _report(version, reports, chosen_on)
    _write(version, report, Predictions(scores, answers(classifier)))
    return report


def write_card(folder: Path) -> Report:
    """Render the card of a measured version anew, and seal the folder again.

    Returns what `metrics.json` holds.
    """
    version = read_version(folder)
    report = version.report()
    if report is None:
        raise ModelError(f"{folder} holds no {METRICS} to make a card of; measure it with --data.")
    _replace(folder, _read_config(folder), {CARD: render_card(version, report).encode()})
    return report


def _check_name(name: str) -> None:
    if name.startswith(FER2013) or not TEST_SET_NAME.fullmatch(name):
        raise DataError(
            f"received the name {name!r} for a test set; expected a --name like my-photos."
        )


def _report_before(version: ModelVersion) -> Report | None:
    """The report of an earlier evaluation, if there is one that can be read."""
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


def _report(
    version: ModelVersion, reports: dict[str, SetReport], chosen_on: tuple[str, ...]
) -> Report:
    return Report(
        interval=_INTERVAL,
        labels=version.labels,
        temperature=version.temperature,
        uncertain_below=version.uncertain_below,
        crops=dict(version.crops),
        views=version.views,
        chosen_on=chosen_on,
        test_sets={test_set: reports[test_set] for test_set in sorted(reports, key=order)},
    )


def _write(version: ModelVersion, report: Report, predictions: Predictions) -> None:
    config = _read_config(version.folder) | {
        "temperature": version.temperature,
        "uncertain_below": version.uncertain_below,
    }
    contents = {
        METRICS: report.to_bytes(),
        PREDICTIONS: predictions.to_bytes(),
        CARD: render_card(version, report).encode(),
    }
    _replace(version.folder, config, contents)


def _read_config(folder: Path) -> dict[str, object]:
    config: dict[str, object] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    return config


def _replace(folder: Path, config: dict[str, object], contents: dict[str, bytes]) -> None:
    """Take files off the sealed list, write them, list them: readable after each step."""
    for name in contents:
        (folder / name).unlink(missing_ok=True)
    write_config(folder, config)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    write_config(folder, config)


def command(
    version: Annotated[Path, typer.Option(help="version folder, e.g. models/seed-cnn")],
    *,
    data: Annotated[Path | None, typer.Option(help="fer2013.npz, fer2013.csv or a folder")] = None,
    photographs: Annotated[
        Path | None, typer.Option(help="a folder or a zip of labelled photographs")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="what the photographs are called; default: the folder's or zip's name"),
    ] = None,
    split: Annotated[
        str | None,
        one_of(SPLITS, help="of the photographs; default: the test split, or validation"),
    ] = None,
) -> None:
    """Measure a version, or only write its model card, and say what was measured."""
    with writing_to(version):
        if data or photographs:
            report = main(version, data, photographs, name=name, split=split)
        else:
            report = write_card(version)
    for test_set in report.test_sets.values():
        for labelling, result in test_set.labellings.items():
            accuracy = _words(result.accuracy)
            balanced = _words(result.balanced_accuracy)
            print(f"{labelling:14} accuracy {accuracy}, balanced accuracy {balanced}")
        if test_set.found:
            print(f"{'':14} faces found {_words(test_set.found)}")


def _words(estimate: Estimate) -> str:
    interval = f"{estimate.low:.4f} to {estimate.high:.4f}"
    return f"{estimate.value:.4f} ({interval}, n={estimate.n})"


if __name__ == "__main__":
    run_script(command, __doc__)
