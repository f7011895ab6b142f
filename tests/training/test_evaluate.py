"""Versions measured on FER2013 and on photographs, and their model cards."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer import (
    LABELS,
    BlazeFace,
    DataError,
    EmotionClassifier,
    FERPipeline,
    ModelError,
    intervals,
    load_image,
    metrics,
    read_version,
)
from fer.intervals import Estimate
from fer.versions.folder import CARD, CONFIG, GRAPH, METRICS, PREDICTIONS, WEIGHTS
from fer.versions.predictions import Predictions
from tests.factories.fer2013 import arrays, write_folder
from tests.factories.runs import FACES, python
from tests.factories.versions import ROOT, copy_seed, write_tiny
from training import evaluate, robustness
from training.data.fer2013_files import load
from training.probes import answers
from training.robustness import CORRUPTIONS

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    """A version that was not evaluated, to be evaluated."""
    return shutil.copytree(exported, tmp_path / "tiny")


def test_evaluate_measures_seals_and_tells(folder, data):
    result = python("-m", "training.evaluate", "--version", folder, "--data", data)
    assert result.returncode == 0, result.stdout
    version = read_version(folder)
    report = version.report()
    assert set(version.files) == {GRAPH, WEIGHTS, METRICS, PREDICTIONS, CARD}
    assert {path.name for path in folder.iterdir()} == {*version.files, CONFIG}
    private = load(data).split("PrivateTest")
    measured = report.test_sets["fer2013"]
    stored = Predictions.read(version.read(PREDICTIONS), 4)
    known = stored.test_sets["fer2013"]
    assert known.sha256 == measured.sha256 == private.sha256
    assert np.abs(answers(EmotionClassifier(version)) - stored.probes).max() < 1e-6
    assert np.abs(EmotionClassifier(version).predict(private.images) - known.scores).max() < 1e-6
    for name in ("fer2013", "fer2013-dedup", "ferplus"):
        assert np.array_equal(known.targets[name], private.targets(name))
        rows = private.targets(name) >= 0
        estimate = metrics.accuracy(known.scores[rows], private.targets(name)[rows])
        assert measured.labellings[name].accuracy.value == estimate.value
        assert measured.labellings[name].n == estimate.n == rows.sum()
        assert f"{name:14} accuracy {estimate.value:.4f} ({estimate.low:.4f} to" in result.stdout
    assert version.temperature == report.temperature
    assert version.uncertain_below == report.uncertain_below
    card = (folder / CARD).read_text(encoding="utf-8")
    assert card.startswith("---\n")
    accuracy = measured.labellings["fer2013"].accuracy.value
    assert f"| FER2013, PrivateTest, fer2013 | 20 | {accuracy:.4f} (" in card
    assert version.lineage["command"] in card
    assert "{{" not in card


def test_evaluate_again_gives_the_same_files(folder, data):
    evaluate.main(folder, data)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    evaluate.main(folder, data)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    # a zip tells the time
    assert {name for name in before if before[name] != after[name]} <= {PREDICTIONS, CONFIG}
    assert before[METRICS] == after[METRICS]


def test_evaluate_without_votes_leaves_ferplus_out(folder, tmp_path):
    images = write_folder(tmp_path / "images", arrays((70, 35, 35)))
    report = evaluate.main(folder, images)
    assert set(report.test_sets["fer2013"].labellings) == {"fer2013", "fer2013-dedup"}
    assert read_version(folder).report() == report
    assert "PrivateTest, ferplus" not in (folder / CARD).read_text(encoding="utf-8")


def photographed(root: Path, folders: dict[str, int]) -> Path:
    """So many copies of a photograph with one large face by class folder, of two people.

    The last shows nobody.
    """
    face = Image.open(ROOT / "app_pages" / "photos" / "samples" / "grace-hopper.jpg")
    for folder, n in folders.items():
        (root / folder).mkdir(parents=True)
        for i in range(n):
            face.save(root / folder / f"{'anna' if i % 2 else 'bert'}_{i}.jpg")
    Image.new("RGB", (100, 100), "grey").save(root / next(iter(folders)) / "nobody_0.jpg")
    return root


def test_photographs_are_measured_end_to_end_beside_what_was_measured_before(
    folder, data, tmp_path
):
    before = evaluate.main(folder, data)
    photographs = photographed(tmp_path / "photos", {"happy": 2, "neutral": 2, "angry": 1})
    report = evaluate.main(folder, photographs=photographs, name="mine")
    assert report.test_sets["fer2013"] == before.test_sets["fer2013"]
    assert list(report.test_sets) == ["fer2013", "mine"]
    version = read_version(folder)
    assert version.report() == report
    mine, known = (
        report.test_sets["mine"],
        Predictions.read(version.read(PREDICTIONS), 4).test_sets["mine"],
    )
    assert (mine.split, mine.people, mine.left_out) == ("all", 3, {"anger": 1})
    assert (mine.found.value, mine.found.n) == (0.8, 5)
    assert known.targets["mine"].tolist() == [-1, 0, 0, 0, 2, 2]
    assert known.found.tolist() == [True, True, True, False, True, True]
    prediction, *_ = FERPipeline(BlazeFace(), EmotionClassifier(version))(
        load_image(photographs / "happy/anna_1.jpg")
    )
    assert known.scores[2] == pytest.approx(list(prediction.scores.values()), abs=1e-5)
    result = mine.labellings["mine"]
    right = {"happy": 2, "neutral": 2}.get(prediction.label, 0)
    assert (result.n, result.accuracy.value) == (5, right / 5)
    assert result.recall["happy"].n == 3
    assert np.array(result.confusion_matrix)[:, 4].tolist() == [1, 0, 0, 0]
    assert result.log_loss.n == result.expected_calibration_error.n == 4
    card = (folder / CARD).read_text(encoding="utf-8")
    assert "Whole photographs of 3 people" in card
    assert "left out: 1 of anger" in card


def test_a_version_of_seven_labels_is_asked_for_the_four_and_for_all(folder, seven, data, tmp_path):
    evaluate.main(folder, data)
    wide = shutil.copytree(seven, tmp_path / "seven")
    photographs = photographed(tmp_path / "photos", {"happy": 2, "angry": 1})
    report = evaluate.main(wide, data, photographs, name="mine")
    version = read_version(wide)
    assert version.report() == report
    kept = Predictions.read(version.read(PREDICTIONS), 7)
    for name in ("fer2013", "mine"):
        narrow, full = report.test_sets[name], report.test_sets[f"{name}-seven"]
        assert (narrow.labels, full.labels) == (LABELS, version.labels)
        assert kept.test_sets[name].scores.shape[1] == 4
        assert kept.test_sets[f"{name}-seven"].scores.shape[1] == 7
    assert list(report.test_sets["fer2013-seven"].labellings) == [
        "fer2013-seven",
        "fer2013-dedup-seven",
        "ferplus-seven",
    ]
    assert report.test_sets["fer2013-seven"].title == "FER2013, seven expressions"
    assert [report.test_sets[name].labellings[name].n for name in ("mine", "mine-seven")] == [3, 4]
    served = EmotionClassifier(version).predict(load(data).split("PrivateTest").images)
    among = kept.test_sets["fer2013"].scores
    assert np.array_equal(among.argmax(axis=1), served[:, :4].argmax(axis=1))
    assert among.sum(axis=1) == pytest.approx(1)
    other = Predictions.read(read_version(folder).read(PREDICTIONS), 4)
    assert kept.compare(other, "fer2013", "fer2013").n == 20


@pytest.mark.parametrize(
    ("folders", "split", "measured", "n"),
    [
        ({"train/happy": 1, "valid/happy": 2}, None, "valid", 2),
        ({"train/happy": 1, "valid/happy": 2, "test/happy": 3}, None, "test", 3),
        ({"train/happy": 1, "valid/happy": 2, "test/happy": 3}, "PublicTest", "valid", 2),
        ({"happy": 2}, None, "all", 3),
    ],
)
def test_the_test_split_of_photographs_is_measured(folder, tmp_path, folders, split, measured, n):
    photographs = photographed(tmp_path / "mine", folders)
    report = evaluate.main(folder, photographs=photographs, split=split)
    assert (report.test_sets["mine"].split, report.test_sets["mine"].found.n) == (
        measured,
        n,
    )


@pytest.mark.parametrize(
    ("folders", "options", "message"),
    [
        ({"happy": 1}, {"name": "fer2013"}, "received the name 'fer2013'"),
        ({"happy": 1}, {"name": "two words"}, "received the name 'two words'"),
        ({"angry": 1}, {}, "no picture is labelled happy or sad or neutral or surprised"),
        (
            {"train/happy": 1},
            {"split": "PrivateTest"},
            "holds no PrivateTest; choose a --split of Training",
        ),
    ],
)
def test_photographs_that_cannot_be_measured(folder, tmp_path, folders, options, message):
    photographs = photographed(tmp_path / "mine", folders)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(DataError, match=message):
        evaluate.main(folder, photographs=photographs, **options)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_was_measured_at_another_temperature_is_dropped(folder, data, tmp_path):
    photographs = photographed(tmp_path / "mine", {"happy": 2})
    evaluate.main(folder, photographs=photographs)
    assert list(evaluate.main(folder, data).test_sets) == ["fer2013"]
    assert list(evaluate.main(folder, photographs=photographs).test_sets) == ["fer2013", "mine"]
    assert list(evaluate.main(folder, data).test_sets) == ["fer2013", "mine"]


class Stop(BaseException):
    """What Ctrl-C or a full disk do to a script."""


@pytest.mark.parametrize("evaluated", [False, True], ids=["first", "again"])
@pytest.mark.parametrize("step", range(9))
def test_a_stopped_evaluation_leaves_a_readable_version(folder, data, monkeypatch, evaluated, step):
    """Stopped before its first, second, ... change to the folder; then run again to the end."""
    estimate = Estimate(0.5, 0.4, 0.6, 1)
    monkeypatch.setattr(intervals, "bootstrap", lambda *_, **__: estimate)
    monkeypatch.setattr(robustness, "CORRUPTIONS", dict(list(CORRUPTIONS.items())[:1]))
    if evaluated:
        evaluate.main(folder, data)
    changes = iter(range(100))

    def stopping(method):
        def changed(path, *arguments, **options):
            if path.parent == folder and next(changes) == step:
                if method.__name__.startswith("write"):
                    method(path, arguments[0][: len(arguments[0]) // 2], **options)
                raise Stop
            return method(path, *arguments, **options)

        return changed

    with monkeypatch.context() as patch:
        for name in ("write_bytes", "write_text", "unlink", "replace"):
            patch.setattr(Path, name, stopping(getattr(Path, name)))
        with pytest.raises(Stop):
            evaluate.main(folder, data)
    version = read_version(folder)
    assert EmotionClassifier(version).predict(FACES[:1]).shape == (1, 4)
    report = evaluate.main(folder, data)
    assert read_version(folder).report() == report


def test_evaluate_refuses_a_version_of_other_labels_and_a_broken_one(tmp_path, data):
    with pytest.raises(
        ModelError,
        match=(
            r"happy, bored, asleep, expected those of training\.export --labels four, seven, eight"
        ),
    ):
        evaluate.main(write_tiny(tmp_path / "other").folder, data)
    seed = copy_seed(tmp_path)
    (seed / GRAPH).write_bytes(b"broken")
    with pytest.raises(ModelError, match=r"model\.tflite is corrupt"):
        evaluate.main(seed, data)


def test_a_card_needs_measurements(tmp_path):
    folder = write_tiny(tmp_path / "tiny").folder
    with pytest.raises(
        ModelError, match=r"holds no metrics\.json to make a card of; measure it with --data"
    ):
        evaluate.write_card(folder)
