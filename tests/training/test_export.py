"""Versions made of runs: the graph, the weights, the labels, and the mean of several runs."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from fer import LABELS, DataError, EmotionClassifier, ModelVersion, read_version
from fer.preprocessing import Views
from fer.versions.folder import GRAPH, WEIGHTS
from tests.factories.runs import FACES, RECIPE, python, succeed
from tests.factories.versions import copy_seed
from training.data.resizing import resized
from training.export import main

pytestmark = pytest.mark.timeout(300)

PARITY = """
import json, sys
import numpy as np
from pathlib import Path
from PIL import Image
from safetensors.numpy import load_file
from scipy.special import softmax
from fer.preprocessing import normalize
from training.architectures import serve
from training.checkpoints import read_network
trained = read_network(Path(sys.argv[1]))
model = serve(trained, 0.3)
tensors = load_file(Path(sys.argv[2]) / "model.safetensors")
assert set(tensors) == {v.path for v in trained.weights}
assert all(np.array_equal(tensors[v.path], v.numpy()) for v in trained.weights)
faces = np.load(sys.argv[3])["images"]
np.save(sys.argv[4], np.asarray(model(normalize(faces), training=False)))
"""


def test_the_exported_graph_computes_what_keras_computes(finished, exported, data, tmp_path):
    version = read_version(exported)
    assert (version.name, version.labels, version.parameters) == ("tiny", LABELS, 1_219_812)
    assert (version.output, version.temperature, version.input_range) == (
        "probabilities",
        1.0,
        (0.0, 1.0),
    )
    assert set(version.files) == {GRAPH, WEIGHTS}
    assert version.report() is None
    lineage = json.loads((finished / "train.json").read_text())
    lineage["config"]["recipe"]["labels"]["blend"] = 0.3
    assert dict(version.lineage) == lineage | {"precision": "float32", "offsets": {}}
    result = python("-c", PARITY, finished, exported, data, tmp_path / "keras.npy")
    assert result.returncode == 0, result.stdout
    difference = EmotionClassifier(version).predict(FACES) - np.load(tmp_path / "keras.npy")
    assert np.abs(difference).max() < 1e-5
    assert load_file(exported / WEIGHTS)["logits/kernel"].shape == (192, 15)
    assert [path.name for path in exported.parent.iterdir()] == ["tiny"]
    assert len({stat.S_IMODE(path.stat().st_mode) for path in exported.iterdir()}) == 1


def test_an_int8_graph_is_small_and_computes_nearly_the_same(finished, exported, tmp_path):
    """Each face is scaled for itself: what else is in the batch changes nothing."""
    options = ["--blend", "0.3", "--precision", "int8", "--views", "0.9", "1.2", "--mirror"]
    result = python(
        "-m", "training.export", "--run", finished, "--output", tmp_path / "small", *options
    )
    assert result.returncode == 0, result.stdout
    version, reference = read_version(tmp_path / "small"), read_version(exported)
    assert version.lineage["precision"] == "int8"
    assert version.views == Views((0.9, 1.2), mirror=True)
    assert version.files[GRAPH].bytes < 0.3 * reference.files[GRAPH].bytes
    assert version.read(WEIGHTS) == reference.read(WEIGHTS)
    one_view = FACES[:, None]
    scores = EmotionClassifier(version).predict(one_view)
    assert 0 < np.abs(scores - EmotionClassifier(reference).predict(one_view)).max() < 0.02
    alone = np.concatenate([EmotionClassifier(version).predict(face[None]) for face in one_view])
    assert np.abs(scores - alone).max() < 1e-5


WEIGHTS_OF_GRAPH = """
import json, sys
from pathlib import Path
from fer import ModelError
from fer.versions.folder import CONFIG, read_version, write_config
from training.completeness import check_weights

folder = Path(sys.argv[1])
check_weights(read_version(folder))
config = json.loads((folder / CONFIG).read_text())
config["lineage"]["config"]["recipe"]["labels"]["blend"] = 0.9
for change in ({}, {"labels": list("abcdefg")}):
    write_config(folder, config | change)
    try:
        check_weights(read_version(folder))
    except ModelError as error:
        print(error)
"""


def test_offsets_and_larger_faces_belong_to_the_weights(data, tmp_path):
    run, folder = tmp_path / "large", tmp_path / "version"
    begun = python(
        "-m",
        "training.train",
        "--data",
        data,
        "--output",
        run,
        *RECIPE,
        "--epochs",
        "1",
        "--set",
        "decay_crops.side=56",
    )
    assert begun.returncode == 0, begun.stdout
    told = {}
    for offsets in ({"sad": 0.0}, {"sad": 1.5, "surprised": -1.0}):
        words = ",".join(f"{label}={offset}" for label, offset in offsets.items())
        result = python(
            "-m", "training.export", "--run", run, "--output", folder, "--offsets", words
        )
        assert result.returncode == 0, result.stdout
        version = read_version(folder)
        assert version.input_shape == (56, 56, 1)
        assert version.lineage["offsets"] == offsets
        told[words] = np.log(EmotionClassifier(version).predict(resized(FACES, 56)))
    before, after = told.values()
    shift = (after - after[:, 2:3]) - (before - before[:, 2:3])  # over neutral
    assert np.allclose(shift, [0, 1.5, 0, -1], atol=1e-3)
    checked = python("-c", WEIGHTS_OF_GRAPH, folder)
    assert checked.returncode == 0, checked.stdout
    assert "model.safetensors is not of this model.tflite" in checked.stdout
    refused = python(
        "-m", "training.export", "--run", run, "--output", folder, "--offsets", "angry=1"
    )
    assert refused.returncode == 1
    assert (
        "received an offset of angry, expected one of happy, sad, neutral, surprised"
        in refused.stdout
    )


def export(output: Path, *options: object) -> ModelVersion:
    succeed("-m", "training.export", "--output", output, *options)
    return read_version(output)


def other_run(run: Path, output: Path, seed: int) -> Path:
    """A run as another seed might have left it: the same settings, other weights."""
    shutil.copytree(run, output)
    lineage = json.loads((output / "train.json").read_text())
    lineage["config"]["seed"] = seed
    lineage["command"] += f" --seed {seed}"
    (output / "train.json").write_text(json.dumps(lineage))
    (path,) = output.glob("backup/*/average.npz")
    with np.load(path) as saved:
        average = dict(saved)
    for name in average.keys() - {"steps"}:
        average[name] = average[name] + np.float32(0.01)
    np.savez(path, **average)
    return output


def last_layer(folder: Path) -> np.ndarray:
    """The kernel of the last layer of a version, or of the averaged weights of a run."""
    if (folder / WEIGHTS).exists():
        return load_file(folder / WEIGHTS)["logits/kernel"]
    (path,) = folder.glob("backup/*/average.npz")
    with np.load(path) as average:
        kernel: np.ndarray = average[f"arr_{len(average) - 3}"]  # a bias and the steps follow
    return kernel


@pytest.fixture(scope="module")
def two_runs(exported: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs that began from the same version; tests only read them."""
    runs = [tmp_path_factory.mktemp("runs") / name for name in ("one", "two")]
    for seed, run in enumerate(runs):
        options = ("--epochs", "1", "--initial", exported, "--seed", seed)
        succeed("-m", "training.train", "--data", data, "--output", run, *RECIPE, *options)
    return runs


@pytest.fixture(scope="module")
def mean(two_runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> ModelVersion:
    """The mean of the two runs; tests only read it."""
    one, two = two_runs
    return export(tmp_path_factory.mktemp("versions") / "mean", "--run", one, "--with", two)


def test_the_mean_of_runs_from_one_version(finished, two_runs, mean, tmp_path):
    one, two = map(last_layer, two_runs)
    assert np.abs(one - two).max() > 1e-3
    assert np.allclose(last_layer(mean.folder), (one + two) / 2, atol=1e-7)
    (told,) = mean.lineage["averaged_with"]
    assert (told["seed"], told["epochs"]) == (1, 1)
    assert "--output two" in told["command"]
    with pytest.raises(DataError, match="only runs with the same --initial may be averaged"):
        main(two_runs[0], tmp_path / "new", others=[finished])


def test_the_mean_of_a_mean_and_another_run_tells_all_runs(two_runs, mean, tmp_path):
    three = other_run(two_runs[1], tmp_path / "three", seed=3)
    version = export(tmp_path / "of_three", "--run", mean.folder, "--with", three)
    assert [told["seed"] for told in version.lineage["averaged_with"]] == [1, 3]
    kernels = [last_layer(run) for run in (*two_runs, three)]
    assert np.allclose(last_layer(version.folder), np.mean(kernels, axis=0), atol=1e-6)


def test_the_weights_that_only_serve_four_labels_give_no_others(tmp_path):
    result = python(
        "-m", "training.export", "--run", copy_seed(tmp_path), "--output", tmp_path / "new"
    )
    assert result.returncode == 1
    assert (
        "keeps the weights of the labels that it serves alone; name the run it was made of"
        in result.stdout
    )


def test_a_version_of_seven_labels_comes_from_the_weights_of_one_of_four(exported, seven, tmp_path):
    folder = shutil.copytree(seven, tmp_path / "seven")
    version = read_version(folder)
    assert version.labels == (
        "happy",
        "sad",
        "neutral",
        "surprised",
        "angry",
        "disgusted",
        "afraid",
    )
    assert version.read(WEIGHTS) == read_version(exported).read(WEIGHTS)
    assert EmotionClassifier(version).predict(FACES).shape == (len(FACES), 7)
    checked = python("-c", WEIGHTS_OF_GRAPH, folder)
    assert checked.returncode == 0, checked.stdout
    assert (
        "model.safetensors is not of this model.tflite: with these weights the answers"
        in checked.stdout
    )
    assert (
        "its labels are a, b, c, d, e, f, g, which no export of these weights gives"
        in checked.stdout
    )


@pytest.mark.parametrize(
    "scales", [["1", "1"], ["0.8", "0.9", "1", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6"]]
)
def test_impossible_views_are_refused(finished, tmp_path, scales):
    result = python(
        "-m", "training.export", "--run", finished, "--output", tmp_path / "new", "--views", *scales
    )
    assert result.returncode == 1
    assert "at most 8 views, mirror images included" in result.stdout
    assert "Traceback" not in result.stdout
    assert not (tmp_path / "new").exists()
