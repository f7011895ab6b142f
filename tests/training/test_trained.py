"""What can be exported, and which runs may be averaged."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from fer import DataError, read_version
from tests.factories.versions import copy_seed
from training.export import main
from training.trained import Trained, note_average


def test_a_run_and_a_version_of_it_are_the_same_network(finished, exported):
    run = Trained.read(finished)
    version = Trained.read(exported)
    assert (run.side, run.runs) == (version.side, version.runs) == (48, 1)
    assert run.recipe["architecture"] == version.recipe["architecture"] == "flagship"
    version.recipe["labels"]["blend"] = 0.9
    assert read_version(exported).lineage["config"]["recipe"]["labels"]["blend"] == 0.3


def test_the_weights_of_the_served_labels_alone_are_not_enough(tmp_path):
    with pytest.raises(DataError, match="keeps the weights of the labels that it serves alone"):
        Trained.read(copy_seed(tmp_path))


def test_runs_that_began_from_chance_have_no_mean(finished):
    with pytest.raises(DataError, match=r"whole began from chance and .*whole from chance; only"):
        note_average(Trained.read(finished), [finished])


@pytest.mark.parametrize("voted", [(20, 0), (0, 20)])
def test_runs_that_learnt_ferplus_and_runs_that_did_not_have_no_mean(finished, tmp_path, voted):
    runs = [tmp_path / "one", tmp_path / "two"]
    for run, images in zip(runs, voted, strict=True):
        shutil.copytree(finished, run)
        lineage = json.loads((run / "train.json").read_text())
        lineage["config"]["initial"] = "the same"
        lineage["voted"] = images
        (run / "train.json").write_text(json.dumps(lineage))
    with_votes, without_votes = sorted(runs, key=lambda run: voted[runs.index(run)], reverse=True)
    message = f"{with_votes} saw FER+ votes and {without_votes} saw none"
    with pytest.raises(DataError, match=re.escape(message)):
        main(runs[0], tmp_path / "new", others=[runs[1]])
    assert not (tmp_path / "new").exists()


def test_a_run_of_an_earlier_program_is_refused(finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    for name in ("config.json", "train.json"):
        text = (run / name).read_text()
        (run / name).write_text(text.replace('"decay_crops"', '"fall"'))
    with pytest.raises(DataError, match=r"holds architecture, .*, expected decay_crops too; train"):
        Trained.read(run)
