"""The averaged weights of an epoch on disk; whole runs are resumed in test_train."""

from __future__ import annotations

import numpy as np

from training.checkpoints import AVERAGE, read_average


def test_the_average_is_read_as_it_was_written(tmp_path):
    weights = [np.full((2, 3), 0.5, np.float32), np.arange(4, dtype=np.float32)]
    np.savez(tmp_path / AVERAGE, *weights, steps=np.array(16))
    read, steps = read_average(tmp_path)
    assert steps == 16
    assert all(np.array_equal(one, other) for one, other in zip(read, weights, strict=True))


def test_a_finished_run_holds_its_last_epoch(finished):
    weights, steps = read_average(finished / "backup" / "0003")
    assert steps == 3
    assert weights[-1].shape == (15,)
