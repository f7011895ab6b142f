"""Targets with the answers of teachers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.factories.runs import python

pytestmark = pytest.mark.timeout(300)

DISTIL = """
import json, sys
import numpy as np
from pathlib import Path
from training.data.fer2013_files import load
from training.data.classes import CLASSES
from training.distillation import answer, distil
from training.data.examples import training_examples
examples, run = training_examples(load(sys.argv[1])), Path(sys.argv[2])
examples.targets[0, len(CLASSES):] = 0
given, taught = answer(run, examples.images), distil(examples, [run, run]).targets
print(json.dumps({
    "sums": given.reshape(len(given), -1)[:, : len(CLASSES)].sum(axis=1).tolist(),
    "error": float(np.abs(taught - (examples.targets + given) / 2)[1:].max()),
    "unlabelled": float(taught[0, len(CLASSES):].max()),
    "same": distil(examples, []) is examples,
}))
"""


def test_teachers_give_half_of_the_targets(finished, data):
    result = python("-c", DISTIL, data, finished)
    assert result.returncode == 0, result.stdout
    report = json.loads(result.stdout.splitlines()[-1])
    assert np.allclose(report["sums"], 1)
    assert report["error"] < 1e-6
    assert (report["unlabelled"], report["same"]) == (0.0, True)
