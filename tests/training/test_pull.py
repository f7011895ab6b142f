"""Pulling versions: folders, and the networks with their weights."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from demo.hub_server import Answer
from fer import DataError, ModelError, read_version
from fer.versions.folder import WEIGHTS
from tests.factories.versions import ROOT, copy_seed, write_tiny
from tests.support.push_fixtures import REPO, reseal
from training import pull
from training.evaluate import write_card

pytest_plugins = ["tests.support.hub_fixtures", "tests.support.push_fixtures"]


def test_pulling_brings_the_folder_back(hub, send, measured, other, tmp_path):
    send()
    send(other, "v1.1.0")
    for _ in range(2):  # the second time it is there
        version = pull.main(
            REPO, "v1.0.0", tmp_path / "models" / "back", token=hub.read_token, endpoint=hub.url
        )
        assert version == replace(read_version(measured), folder=version.folder)
    assert {p.name: p.read_bytes() for p in version.folder.iterdir()} == {
        path.name: path.read_bytes() for path in measured.iterdir()
    }
    assert [path.name for path in version.folder.parent.iterdir()] == ["back"]
    with pytest.raises(DataError, match="holds something else; it is left alone"):
        pull.main(REPO, "v1.1.0", version.folder, token=hub.read_token, endpoint=hub.url)


def test_a_pull_that_fails_leaves_nothing(hub, send, tmp_path):
    send()
    hub.fault(Answer(404, headers={"X-Error-Code": "EntryNotFound"}), f"/{WEIGHTS}")
    with pytest.raises(ModelError, match=WEIGHTS):
        pull.main(
            REPO, "v1.0.0", tmp_path / "models" / "back", token=hub.read_token, endpoint=hub.url
        )
    assert list((tmp_path / "models").iterdir()) == []


def test_a_pull_to_a_place_that_cannot_be_written(hub, send, tmp_path):
    send()
    (tmp_path / "file").touch()
    with pytest.raises(
        DataError, match=r"file/back cannot be written \(File exists\); make room and see"
    ):
        pull.main(
            REPO, "v1.0.0", tmp_path / "file" / "back", token=hub.read_token, endpoint=hub.url
        )


class Variable:
    """As much of a Keras variable as `load_weights` asks for."""

    def __init__(self, path, value):
        self.path, self.shape, self.value = path, value.shape, np.zeros_like(value)

    def assign(self, value):
        self.value = value


class Network:
    name = "network"

    def __init__(self, tensors):
        self.weights = [Variable(path, value) for path, value in tensors.items()]


TENSORS = {
    "conv2d/kernel": np.full((3, 3), 1.0),
    "conv2d_1/kernel": np.full((3, 3), 2.0),
    "conv2d_10/kernel": np.full((3, 3), 3.0),
    "conv2d_10/bias": np.full(3, 4.0),
    "block_2/dense/kernel": np.full(2, 5.0),
}


@pytest.fixture
def weighted(tmp_path):
    from safetensors.numpy import save_file

    folder = write_tiny(tmp_path / "weighted").folder
    save_file(TENSORS, folder / WEIGHTS)
    reseal(folder)
    return folder


@pytest.mark.parametrize("first", [0, 11])
def test_weights_are_matched_by_name_whatever_the_numbers(weighted, first):
    renumbered = {
        f"conv2d_{first}/kernel" if first else "conv2d/kernel": "conv2d/kernel",
        f"conv2d_{first + 1}/kernel": "conv2d_1/kernel",
        f"conv2d_{first + 10}/kernel": "conv2d_10/kernel",
        f"conv2d_{first + 10}/bias": "conv2d_10/bias",
        f"block_{first + 2}/dense/kernel": "block_2/dense/kernel",
    }
    network = Network({path: TENSORS[stored] for path, stored in reversed(renumbered.items())})
    pull.load_weights(network, weighted)
    for variable in network.weights:
        assert np.array_equal(variable.value, TENSORS[renumbered[variable.path]])


@pytest.mark.parametrize(
    "change",
    [{"conv2d_1/kernel": None}, {"conv2d_1/kernel": np.ones((5, 5))}, {"extra/kernel": np.ones(2)}],
    ids=["missing", "shape", "more"],
)
def test_weights_of_another_network_are_refused(weighted, change):
    network = Network(
        {path: value for path, value in {**TENSORS, **change}.items() if value is not None}
    )
    with pytest.raises(ModelError, match="is not of the network network"):
        pull.load_weights(network, weighted)
    assert not any(variable.value.any() for variable in network.weights)


KERAS = """
import sys
from pathlib import Path
import numpy as np
from safetensors.numpy import load_file
from training.architectures import served
from training.pull import load_weights
folder = Path(sys.argv[1])
served("seed_cnn")  # takes the first numbers
model = served("seed_cnn")
load_weights(model, folder)
stored = list(load_file(folder / "model.safetensors").values())
assert len(stored) == len(model.weights)
total = sum(float(np.abs(tensor).sum()) for tensor in stored)
assert np.isclose(sum(float(np.abs(w.numpy()).sum()) for w in model.weights), total)
np.save(sys.argv[2], np.asarray(model(np.load(sys.argv[3]), training=False)))
"""


def test_a_pulled_version_is_the_network_that_was_trained(hub, send, tmp_path):
    from fer import EmotionClassifier
    from fer.preprocessing import normalize

    seed = copy_seed(tmp_path)
    write_card(seed)
    send(seed)
    version = pull.main(REPO, "v1.0.0", tmp_path / "back", token=hub.read_token, endpoint=hub.url)
    faces = np.random.default_rng(0).integers(0, 256, (4, 48, 48), np.uint8)
    np.save(tmp_path / "faces.npy", normalize(faces))
    command = [
        sys.executable,
        "-c",
        KERAS,
        version.folder,
        tmp_path / "out.npy",
        tmp_path / "faces.npy",
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    served = EmotionClassifier(replace(version, temperature=1.0)).predict(faces)
    assert np.abs(np.load(tmp_path / "out.npy") - served).max() < 1e-5
