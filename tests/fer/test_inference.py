"""Graphs that lie, are broken, or cannot run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fer import EmotionClassifier, ModelError, ModelVersion
from fer.versions.folder import GRAPH
from tests.factories.versions import SEED, SHAPE, byte_graph, tiny_graph, weights, write_tiny


@pytest.fixture
def version(tmp_path: Path) -> ModelVersion:
    return write_tiny(tmp_path / "tiny")


LIES = [
    (
        "labels",
        {"labels": ["happy", "bored"]},
        {},
        r"graph output is .*\(3,\).*, config\.json says float32 \(2,\)",
    ),
    (
        "labels",
        {"labels": list("abcd")},
        {},
        r"graph output is .*\(3,\).*, config\.json says float32 \(4,\)",
    ),
    (
        "shape",
        {"input": {"shape": [6, 8, 1], "range": [0, 1]}},
        {},
        r"graph input is .*\(8, 6, 1\).* \(6, 8, 1\)",
    ),
    (
        "shape",
        {"input": {"shape": [48, 1, 1], "range": [0, 1]}},
        {},
        r"graph input is .*\(8, 6, 1\).* \(48, 1, 1\)",
    ),
    ("flat", {}, {"graph": {"shape": (48,)}}, r"graph input is \[\('float32', \(48,\)\)\]"),
    ("colour", {}, {"graph": {"shape": (4, 4, 3)}}, r"graph input is .*\(4, 4, 3\)"),
    (
        "one",
        {},
        {"graph": {"one_only": True}},
        r"model\.tflite is refused: it cannot run a batch of 2",
    ),
    (
        "logits",
        {"output": "probabilities"},
        {},
        r"model\.tflite returned .*, config\.json says probabilities \(2, 3\)",
    ),
]


@pytest.mark.parametrize(
    ("name", "config", "options", "reason"),
    LIES,
    ids=[f"{i}-{lie[0]}" for i, lie in enumerate(LIES)],
)
def test_a_graph_that_disagrees_with_its_config_is_refused(tmp_path, name, config, options, reason):
    matrix = weights() + (name == "logits")
    graph = tiny_graph(matrix, **options.get("graph", {}))
    if name == "logits":  # black crops give zeros, which are no probabilities
        config = {**config, "input": {"shape": list(SHAPE), "range": [0.5, 1.0]}}
    version = write_tiny(tmp_path, graph, **config)
    with pytest.raises(ModelError, match="version tiny: " + reason):
        EmotionClassifier(version)


def test_a_graph_of_bytes_is_refused(tmp_path):
    version = write_tiny(tmp_path, byte_graph())
    with pytest.raises(
        ModelError, match=r"version tiny: .* is refused: the tensor t0 is UINT8, expected FLOAT32"
    ):
        EmotionClassifier(version)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_graph_that_computes_no_numbers_is_refused(tmp_path, value):
    matrix = weights()
    matrix[1, 5] = value
    version = write_tiny(tmp_path, tiny_graph(matrix))
    with pytest.raises(ModelError, match=r"model\.tflite returned \(2, 3\) .*nan"):
        EmotionClassifier(version)


CORRUPT = """
import sys
from pathlib import Path
import numpy as np
from fer import EmotionClassifier, ModelError, read_version
from fer.versions.folder import CONFIG, GRAPH, write_config
from tests.factories.versions import tiny_graph, weights, write_tiny

folder, seed = Path(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(seed)
graph = np.frombuffer(tiny_graph(weights(), softmax=seed % 2 == 0), np.uint8)
outcomes = []
for trial in range(10):
    bad = graph.copy()
    spots = rng.integers(0, len(bad), rng.integers(1, 9))
    bad[spots] = rng.integers(0, 256, len(spots))
    content = bad.tobytes()[: rng.integers(0, len(bad)) if trial % 3 == 0 else None]
    version = write_tiny(folder, content)
    print(trial, flush=True)
    try:
        scores = EmotionClassifier(version).predict(np.zeros((3, 8, 6), np.uint8))
        assert scores.shape == (3, 3) and np.isfinite(scores).all()
        outcomes.append("ran")
    except ModelError as error:
        outcomes.append("refused")
print(outcomes.count("refused"), "refused")
"""


@pytest.mark.parametrize("seed", [0, 1])
def test_corrupt_graphs_with_a_correct_digest_are_refused_without_a_crash(tmp_path, seed):
    """In a process of its own, so that a crash of LiteRT fails this test alone."""
    process = subprocess.run(
        [sys.executable, "-c", CORRUPT, str(tmp_path / "tiny"), str(seed)],
        cwd=SEED.parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert process.returncode == 0, (
        process.returncode,
        process.stdout[-200:],
        process.stderr[-2000:],
    )
    assert int(process.stdout.split()[-2]) > 3


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"TFL3", b"\x1c\0\0\0TFL3", b"\x1c\0\0\0TFL3" + b"\xff" * 500, b"x" * 9999],
)
def test_bytes_that_are_no_graph_are_refused(tmp_path, content):
    version = write_tiny(tmp_path, content)
    with pytest.raises(
        ModelError, match=r"version tiny: model\.tflite is refused: it is not a LiteRT graph"
    ):
        EmotionClassifier(version)


def test_a_graph_that_changed_since_the_check_is_refused(version):
    (version.folder / GRAPH).write_bytes(b"swapped")
    with pytest.raises(ModelError, match=r"model\.tflite is corrupt"):
        EmotionClassifier(version)
