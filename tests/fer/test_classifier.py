"""Real LiteRT graphs: hand-made ones whose every number is known, and the bundled one."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import asdict
from numpy.typing import NDArray
from scipy.special import softmax

from fer import (
    LABELS,
    BundledRegistry,
    EmotionClassifier,
    ModelVersion,
    load_version,
    read_version,
)
from fer.metrics import accuracy, among
from fer.versions.folder import METRICS, PREDICTIONS
from fer.versions.predictions import Predictions
from tests.factories.versions import ROOT, SEED, SHAPE, tiny_graph, weights, write_tiny

BOUND = 0.80  # the least that is bundled, on `fer2013`


def crops(n: int, seed: int = 0, shape: tuple[int, ...] = SHAPE[:2]) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (n, *shape)).astype(np.uint8)


def expected(
    pictures: NDArray[np.uint8], temperature: float = 1.0, low: float = 0.0, high: float = 1.0
):
    inputs = pictures.reshape(len(pictures), -1) / 255.0 * (high - low) + low
    return softmax(inputs @ weights().T.astype(float) / temperature, axis=1)


@pytest.fixture
def version(tmp_path: Path) -> ModelVersion:
    return write_tiny(tmp_path / "tiny")


@pytest.fixture(scope="module")
def seed() -> EmotionClassifier:
    return EmotionClassifier(read_version(SEED))


def test_no_crop_gives_no_row(version, seed):
    scores = EmotionClassifier(version).predict(crops(0))
    assert (scores.shape, scores.dtype) == ((0, 3), np.float32)
    assert seed.predict(np.empty((0, 48, 48), np.uint8)).shape == (0, 4)


@pytest.mark.parametrize("temperature", [0.05, 0.5, 1.0, 2.7, 100.0])
def test_logits_divide_by_the_temperature(tmp_path, temperature):
    classifier = EmotionClassifier(write_tiny(tmp_path, temperature=temperature))
    scores = classifier.predict(crops(50))
    assert (scores.shape, scores.dtype, classifier.labels) == (
        (50, 3),
        np.float32,
        ("happy", "bored", "asleep"),
    )
    assert np.abs(scores - expected(crops(50), temperature)).max() < 5e-6 / min(temperature, 1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.7, 100.0])
def test_probabilities_are_softened_like_their_logits(tmp_path, temperature):
    graph = tiny_graph(weights(), softmax=True)
    classifier = EmotionClassifier(
        write_tiny(tmp_path, graph, output="probabilities", temperature=temperature)
    )
    assert np.abs(classifier.predict(crops(50)) - expected(crops(50), temperature)).max() < 1e-5


def test_a_certain_graph_stays_finite(tmp_path):
    """Softmax outputs of exactly 0 and 1 have no logarithm."""
    graph = tiny_graph(weights() * 1000, softmax=True)
    for temperature in (0.2, 1.0, 5.0):
        scores = EmotionClassifier(
            write_tiny(tmp_path, graph, output="probabilities", temperature=temperature)
        ).predict(crops(50))
        assert np.isfinite(scores).all()
        assert np.abs(scores.sum(axis=1) - 1).max() < 1e-6


@pytest.mark.parametrize("output", ["logits", "probabilities"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.7])
def test_the_log_probabilities_of_all_views_are_averaged(tmp_path, output, temperature):
    """Before the temperature or after it.

    Both give the normalised geometric mean that is asked for here.
    """
    graph = tiny_graph(weights(), softmax=output == "probabilities")
    classifier = EmotionClassifier(
        write_tiny(tmp_path, graph, output=output, temperature=temperature)
    )
    views = crops(21).reshape(7, 3, *SHAPE[:2])
    one_by_one = classifier.predict(views.reshape(21, *SHAPE[:2])).reshape(7, 3, 3)
    means = np.exp(np.log(np.maximum(one_by_one, 1e-30)).mean(axis=1))
    scores = classifier.predict(views)
    assert np.abs(scores - means / means.sum(axis=1, keepdims=True)).max() < 1e-5
    assert not np.allclose(scores, one_by_one[:, 0], atol=0.01)


def test_faces_that_are_cut_already_are_seen_in_the_version_s_views(tmp_path):
    faces = crops(5)
    once = EmotionClassifier(write_tiny(tmp_path / "once"))
    views = {"scales": [0.9, 1.2], "mirror": True}
    mirrored = EmotionClassifier(write_tiny(tmp_path / "mirrored", views=views))
    both = np.stack([faces, faces[..., ::-1]], axis=1)
    assert np.array_equal(mirrored.predict(faces), once.predict(both))
    assert np.array_equal(mirrored.predict(faces[:, None]), once.predict(faces))


def test_inputs_fill_the_version_s_range(tmp_path):
    classifier = EmotionClassifier(
        write_tiny(tmp_path, input={"shape": list(SHAPE), "range": [-1.0, 3.0]})
    )
    assert np.abs(classifier.predict(crops(20)) - expected(crops(20), low=-1, high=3)).max() < 1e-5


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 200])
def test_a_batch_of_any_size_gives_the_rows_of_its_crops(seed, n):
    faces = crops(200, 1, (48, 48))
    scores = seed.predict(faces[:n])
    assert scores.shape == (n, 4)
    assert np.abs(scores.sum(axis=1) - 1).max(initial=0) < 1e-6
    assert (scores >= 0).all()
    alone = np.concatenate([seed.predict(face[None]) for face in faces[:n][-3:]]) if n else scores
    assert np.abs(scores[-3:] - alone).max(initial=0) < 1e-5


def test_all_batch_sizes_agree(version):
    classifier, faces = EmotionClassifier(version), crops(200)
    whole = classifier.predict(faces)
    assert np.abs(whole - expected(faces)).max() < 1e-5
    for n in (1, 63, 64, 65, 128, 129):
        assert np.abs(classifier.predict(faces[:n]) - whole[:n]).max() < 1e-6


def test_threads_with_changing_batches_get_what_one_thread_gets(seed):
    """Eight threads, each with batches of its own sizes, against the rows of a single thread."""
    faces = crops(70, 2, (48, 48))
    rows = seed.predict(faces)
    rng = np.random.default_rng(3)
    jobs = [(int(start), int(rng.integers(1, 70 - start + 1))) for start in rng.integers(0, 69, 48)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda job: seed.predict(faces[job[0] : job[0] + job[1]]), jobs))
    for (start, length), scores in zip(jobs, results, strict=True):
        assert np.abs(scores - rows[start : start + length]).max() < 1e-5


def test_predict_leaves_its_crops_alone(version):
    faces = crops(5)
    before = faces.copy()
    EmotionClassifier(version).predict(faces)
    assert np.array_equal(faces, before)


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((8, 6), np.uint8),
        np.zeros((2, 6, 8), np.uint8),
        np.zeros((2, 8, 6, 1), np.uint8),
        np.zeros((2, 0, 8, 6), np.uint8),
        np.zeros((2, 8, 6), np.float32),
        np.zeros((2, 8, 6), np.int8),
        np.zeros((0, 8, 7), np.uint8),
        np.zeros(0, np.uint8),
    ],
    ids=lambda a: f"{a.dtype}{a.shape}",
)
def test_other_crops_are_refused(version, wrong):
    classifier = EmotionClassifier(version)
    expected = rf"crops must be uint8 \(n, 8, 6\) or \(n, views, 8, 6\), received {wrong.dtype} \("
    with pytest.raises(ValueError, match=expected):
        classifier.predict(wrong)


# The bundled version


def test_the_bundled_version_s_metrics_are_those_of_its_predictions():
    version = load_version()
    report = version.report()
    predictions = Predictions.read(version.read(PREDICTIONS), 4)
    expected = {
        "natural": {"natural": 3764},
        "fer2013": {"fer2013": 2515, "fer2013-dedup": 2327, "ferplus": 2444},
    }
    assert list(report.test_sets) == list(expected)
    for test_set, labellings in expected.items():
        known, measured = predictions.test_sets[test_set], report.test_sets[test_set]
        assert known.sha256 == measured.sha256
        assert set(known.targets) == set(measured.labellings) == set(labellings)
        for name, n in labellings.items():
            rows = known.targets[name] >= 0
            people = None if known.people is None else known.people[rows]
            estimate = accuracy(known.answers[rows], known.targets[name][rows], people)
            assert estimate.n == n
            assert asdict(measured.labellings[name].accuracy) == pytest.approx(asdict(estimate))
            correct = np.trace(np.array(measured.labellings[name].confusion_matrix))
            assert correct / n == pytest.approx(estimate.value)


@pytest.mark.parametrize("test_set", ["natural", "fer2013"])
def test_the_readme_tells_the_accuracy_of_the_version_that_the_app_starts_with(test_set):
    found = load_version().report().test_sets[test_set].labellings[test_set].accuracy
    interval = rf"{100 * found.low:.1f} to {100 * found.high:.1f}"
    words = rf"{100 * found.value:.1f} % \({interval}\) of (the )?{found.n:,} "
    assert re.search(words, (ROOT / "README.md").read_text(encoding="utf-8"))


def test_the_bundled_version_is_accurate_enough():
    measured = json.loads((SEED / METRICS).read_text())["test_sets"]["fer2013"]
    value = measured["labellings"]["fer2013"]["accuracy"]["value"]
    assert value >= BOUND


@pytest.mark.parametrize("ref", BundledRegistry().list().versions, ids=lambda ref: ref.name)
def test_the_predictions_of_bundled_versions_can_be_computed_again(shared, ref):
    """On every PrivateTest row, through the classifier that the app uses."""
    from training.data.fer2013_files import load
    from training.data.resizing import predict

    private = load(shared / "data" / "fer2013").split("PrivateTest")
    version = BundledRegistry().fetch(ref)
    known = Predictions.read(version.read(PREDICTIONS), len(version.labels)).test_sets["fer2013"]
    assert private.sha256 == known.sha256
    assert all(
        np.array_equal(private.targets(name), targets) for name, targets in known.targets.items()
    )
    scores = among(predict(EmotionClassifier(version), private.images), version.labels, LABELS)
    assert np.abs(scores - known.scores).max() < 1e-3
    rows = private.fer2013 >= 0
    reported = version.report().test_sets["fer2013"].labellings["fer2013"].accuracy.value
    assert accuracy(scores[rows], private.fer2013[rows]).value == pytest.approx(reported, abs=1e-3)
