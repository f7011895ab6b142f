"""The temperature and the limit of certainty, fitted on validation data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer import EmotionClassifier, ModelError, load_version
from fer.calibration import fit_temperature
from tests.factories.versions import write_tiny
from training.calibrate import calibrated
from training.data.fer2013_files import load
from training.data.resizing import predict


def test_public_test_decides_both(data):
    dataset = load(data)
    seed = load_version("seed-cnn")
    version, chosen_on = calibrated(seed, dataset, photographs=None)
    assert chosen_on == ("FER2013's PublicTest",)
    public_test = dataset.split("PublicTest")
    rows = public_test.fer2013 >= 0
    raw = EmotionClassifier(replace(seed, temperature=1.0))
    scores = predict(raw, public_test.images[rows])
    assert version.temperature == fit_temperature(scores, public_test.fer2013[rows])
    assert 0 <= version.uncertain_below <= 1


def test_validation_photographs_are_taken_too_where_there_are_some(data, portraits):
    version, chosen_on = calibrated(load_version("seed-cnn"), load(data), portraits)
    assert chosen_on[1] == f"the validation photographs of {portraits.name}"
    assert np.isfinite(version.temperature)


def test_labels_that_fer2013_does_not_know_are_refused(data, tmp_path):
    with pytest.raises(ModelError, match="measure it on photographs alone"):
        calibrated(write_tiny(tmp_path / "tiny"), load(data), photographs=None)
