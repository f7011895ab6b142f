"""Fixtures around pushes; a test module asks for them with `pytest_plugins`."""

from __future__ import annotations

import json
import shutil

import pytest

from fer.versions.folder import CONFIG, write_config
from tests.factories.measured import one_layer_known, write_measured
from training import push
from training.push import PushConfig

REPO = "tester/faces"


@pytest.fixture(scope="session", autouse=True)
def one_layer():
    with one_layer_known():
        yield


@pytest.fixture(scope="session")
def measured(tmp_path_factory):
    """A whole version; tests only read it."""
    return write_measured(tmp_path_factory.mktemp("versions") / "tiny")


@pytest.fixture
def other(tmp_path):
    """Another one."""
    return write_measured(tmp_path / "other", seed=1)


@pytest.fixture
def send(hub, measured):
    """Push a folder, `measured` by default, as the user of the Hub."""

    def send(folder=measured, version="v1.0.0", token=hub.write_token, **options):
        return push.main(
            PushConfig(folder, REPO, version, **options), token=token, endpoint=hub.url
        )

    return send


@pytest.fixture
def broken(measured, tmp_path):
    """A copy to be broken."""
    return shutil.copytree(measured, tmp_path / "tiny")


def reseal(folder):
    """Seal whatever is in the folder now."""
    config = json.loads((folder / CONFIG).read_text())
    write_config(
        folder, {key: value for key, value in config.items() if key not in ("schema", "files")}
    )
