"""The loss over both label sets, and its gradient."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.factories.runs import succeed

pytestmark = pytest.mark.timeout(300)

FACTS = """
import json
import numpy as np
import tensorflow as tf
from training.loss import two_labellings

LOGITS = np.linspace(-1, 1, 15, dtype=np.float32)[None]

def target(classes):
    result = np.zeros((1, 15), np.float32)
    result[0, classes] = 1
    return result

def loss(classes, adjustment):
    values = two_labellings(target(classes), LOGITS, 0.1, np.array(adjustment, np.float32))
    return float(np.asarray(values)[0])

def gradient(classes):
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = two_labellings(target(classes), logits, 0.1, np.zeros(15, np.float32))
    return np.asarray(tape.gradient(value, logits))[0].tolist()

print(json.dumps({
    "losses": [loss(classes, np.zeros(15)) for classes in ([], [2], [9], [2, 9])],
    "adjusted": loss([2, 9], np.arange(15)),
    "gradients": [gradient(classes) for classes in ([], [9])],
}))
"""


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    """What a process with Keras says of the loss."""
    facts: dict[str, Any] = json.loads(succeed("-c", FACTS).splitlines()[-1])
    return facts


def cross_entropy(logits: np.ndarray, target: np.ndarray) -> float:
    return float(-(target * (logits - np.log(np.exp(logits).sum()))).sum())


def test_the_loss_is_the_mean_of_both_label_sets_and_nothing_teaches_nothing(facts):
    nothing, one, other, both = facts["losses"]
    logits = np.linspace(-1, 1, 15)
    classes, emotions = np.eye(7)[2] * 0.9 + 0.1 / 7, np.eye(8)[2]
    assert nothing == 0
    assert one == pytest.approx(cross_entropy(logits[:7], classes) / 2, rel=1e-5)
    assert other == pytest.approx(cross_entropy(logits[7:], emotions) / 2, rel=1e-5)
    assert both == pytest.approx(one + other, rel=1e-5)
    logits = logits + np.arange(15)
    expected = (cross_entropy(logits[:7], classes) + cross_entropy(logits[7:], emotions)) / 2
    assert facts["adjusted"] == pytest.approx(expected, rel=1e-5)
    without, voted = facts["gradients"]
    assert without == [0.0] * 15
    assert voted[:7] == [0.0] * 7
    assert sum(voted[7:]) == pytest.approx(0, abs=1e-6)
    assert voted[9] < 0
