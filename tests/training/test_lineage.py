"""What made a run is noted without the places of its files."""

from __future__ import annotations

import sys

from training.command import load_keras


def test_paths_are_told_by_their_names(tmp_path, monkeypatch):
    load_keras()
    from training.lineage import origin

    data = str(tmp_path / "private" / "fer2013.npz")
    arguments = ["train.py", "--data", data, f"--output={tmp_path}/runs/a", "--seed", "3"]
    monkeypatch.setattr(sys, "argv", arguments)
    noted = origin(data, f"{tmp_path}/runs/a")
    assert noted["command"] == ("python -m training.train --data fer2013.npz --output=a --seed 3")
    assert noted["git_commit"] is None or len(noted["git_commit"]) == 40
    assert set(noted["versions"]) == {"python", "keras", "numpy"}
