"""Which settings may change when a run goes on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from fer import DataError
from training.resuming import check_same_settings
from training.settings import TrainConfig, described

RUN = Path("runs/a")
DATA = {"Training": "a" * 64, "PublicTest": "b" * 64}


def settings(*changes: str, epochs: int = 10, sha256: Any = DATA, **options: Any) -> dict[str, Any]:
    """What config.json notes of a run of ten epochs, the last five of them the decay."""
    config = TrainConfig("runs/a", "flagship", changes, data="a.npz", epochs=epochs, **options)
    return described(config, config.read_recipe()) | {"split_sha256": sha256}


@pytest.mark.parametrize(
    "now",
    [
        settings(),
        settings("labels.blend=0.5"),
        settings(epochs=20),
        settings("schedule.decay=2"),
        settings("decay_crops.mixup=0"),
    ],
)
def test_until_the_decay_begins_its_length_and_its_crops_may_change(now):
    check_same_settings(RUN, settings(), now, epochs_done=5)


def test_the_blend_may_change_at_any_time():
    check_same_settings(RUN, settings(), settings("labels.blend=0.5"), epochs_done=9)


@pytest.mark.parametrize(
    ("now", "epochs_done", "message"),
    [
        (settings(epochs=20), 6, "of 10 it falls after epoch 5, of 20 after epoch 12; resume with"),
        (settings("decay_crops.side=64"), 1, "was started with another recipe; resume"),
        (settings("stable_crops.mixup=0"), 1, "was started with another recipe; resume"),
        (settings("schedule.learning_rate=1e-3"), 1, "was started with another recipe; resume"),
        (settings("average=0.9"), 1, "was started with another recipe; resume"),
        (settings(seed=2), 1, "was started with another seed; resume"),
        (settings("average=0.9", share=0.5), 1, "was started with another share, recipe; resume"),
        (
            settings(sha256=DATA | {"PublicTest": "c" * 64}),
            1,
            "its PublicTest images and labels have the sha256 bbbbbbbbbbbb, those received"
            " cccccccccccc; resume with the data it was started with (a.npz)",
        ),
        (
            settings(sha256=DATA | {"Training photographs": "c" * 64}),
            1,
            "its Training photographs images and labels have the sha256 none, those received cccc",
        ),
    ],
)
def test_what_has_taught_something_may_not_change(now, epochs_done, message):
    with pytest.raises(DataError, match=re.escape(message)):
        check_same_settings(RUN, settings(), now, epochs_done)
