"""The schedule of the learning rate, the averaged weights, and the line of an epoch."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.factories.runs import succeed

pytestmark = pytest.mark.timeout(300)

FACTS = """
import json
import numpy as np
from training.callbacks import ExponentialMovingAverage, WarmupStableDecay, epoch_line
from training.recipes import Schedule

schedule = Schedule(epochs=10, warm_up=2, decay=4, learning_rate=1.0)
rate = WarmupStableDecay(schedule, steps_per_epoch=5)
average = ExponentialMovingAverage(0.9)
averages = []
for step in range(1, 201):
    average.steps = step
    if step % 8 == 0:
        average.update([np.full(2, 1.0 if step <= 16 else 2.0, np.float32)])
        averages.append(float(average.weights[0][0]))
row = {"epoch": 3, "loss": 1.25, "learning_rate": 0.003, "seconds": 61.2}
accuracies = {"fer2013_original": 0.7, "fer2013_half": 0.75, "photographs": 0.8}
print(json.dumps({
    "rates": [float(rate(step)) for step in (0, 9, 10, 29, 30, 40, 49, 50)],
    "averages": averages,
    "lines": [epoch_line(row, 9), epoch_line({**row, **accuracies, "photographs_sad": 0.5}, 9)],
}))
"""


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    """What a process with Keras says of the schedule and the average."""
    facts: dict[str, Any] = json.loads(succeed("-c", FACTS).splitlines()[-1])
    return facts


def test_the_learning_rate_warms_up_stays_and_decays(facts):
    assert facts["rates"] == pytest.approx([0.1, 1.0, 1.0, 1.0, 1.0, 0.5, 0.05, 0.0])


def test_the_moving_average_begins_as_a_mean_and_forgets_its_beginning(facts):
    averages = facts["averages"]
    assert averages[:2] == [1.0, 1.0]
    assert averages[2] == pytest.approx(1.0 + 1.0 - 0.9**8, abs=1e-6)
    assert averages[-1] == pytest.approx(2.0, abs=1e-3)


def test_an_epoch_is_told_in_one_line(facts):
    begin = "epoch 3/9  loss 1.2500  learning rate 3.0e-03  61 s"
    assert facts["lines"] == [begin, f"{begin}  fer2013 0.750  photographs 0.800 (sad 0.500)"]
