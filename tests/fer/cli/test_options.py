"""The version and the detector that commands are asked for."""

from __future__ import annotations

import json
import os

import pytest

from fer.versions.folder import BUNDLED
from tests.factories.versions import SEED
from tests.support.commands import (
    predict,
)


@pytest.mark.parametrize("name", ["nothing", "seed-cnn ", ""])
def test_an_unknown_version_is_an_error(blank, capsys, name):
    status, out, err = predict(capsys, blank, "--model", name)
    assert (status, out) == (2, "")
    assert err.startswith(f"error: there is no version {name!r} in {BUNDLED}; there is ")


@pytest.mark.parametrize("form", [str(SEED), f"{SEED}/", os.path.relpath(SEED)])
def test_a_version_s_folder_serves_as_the_model(blank, capsys, form):
    status, out, _ = predict(capsys, blank, "--format", "json", "--model", form)
    assert (status, json.loads(out)["model"]) == (0, "seed-cnn")


def test_a_folder_that_is_no_version_is_an_error(blank, capsys):
    status, out, err = predict(capsys, blank, "--model", f"{blank}/")
    assert (status, out) == (2, "")
    assert f"error: {blank}/config.json cannot be read" in err


def test_without_a_detector_each_picture_is_a_face(blank, capsys):
    status, out, _ = predict(capsys, blank / "blank.png", "--detector", "none", "--format", "json")
    face = json.loads(out)
    assert status == 0
    assert (face["face"], face["detector"], face["box"][:2]) == (1, "none", [0, 0])
