"""What tests of the gate share: its verdicts by name, and versions with other predictions."""

from __future__ import annotations

import json
from dataclasses import replace

from fer.versions.folder import CONFIG, PREDICTIONS, write_config
from fer.versions.predictions import Predictions, SetScores
from training.gate import run_gate
from training.gate_limits import LIMITS


def checks(new, current=None, costs=None, **limits):
    """The gate's verdicts by name, FER2013's without its own."""
    known = LIMITS | {"fer2013": replace(LIMITS["fer2013"], **limits)}
    return {
        check.name.removeprefix("fer2013: "): check
        for check in run_gate(new, current, known, costs)
    }


def rescored(folder, scores, labels, **changes):
    """A version with other predictions on FER2013, and the probes that it had."""
    kept = read_predictions(folder)
    known = {"fer2013": SetScores(scores, {"fer2013": labels}, "a" * 64)}
    (folder / PREDICTIONS).write_bytes(replace(kept, test_sets=known, **changes).to_bytes())
    return seal(folder)


def seal(folder):
    config = json.loads((folder / CONFIG).read_text())
    return write_config(
        folder, {key: value for key, value in config.items() if key not in ("schema", "files")}
    )


def read_predictions(folder):
    return Predictions.read((folder / PREDICTIONS).read_bytes(), 3)
