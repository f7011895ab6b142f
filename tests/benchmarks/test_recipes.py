"""Runs beside each other on validation data."""

from __future__ import annotations

import json
from itertools import product

import pytest

from tests.factories.fer2013 import arrays, write_folder
from tests.factories.runs import python, read_log
from training.data.fer2013_files import load

pytestmark = pytest.mark.timeout(300)


def test_runs_are_compared_on_public_test_and_on_photographs(
    finished, data, portraits, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    arguments = (
        "--runs",
        finished,
        "--data",
        data,
        "--photographs",
        portraits,
        "--output",
        tmp_path / "tried.json",
    )
    result = python("-m", "benchmarks.recipes", *arguments)
    assert result.returncode == 0, result.stdout
    assert "whole: 3 epochs; blend, fer2013, fer2013-dedup, ferplus, recalls" in result.stdout
    report = json.loads((tmp_path / "tried.json").read_text())
    (run,) = report["runs"]
    assert (run["seed"], run["epochs"], list(run["blends"])) == (
        1,
        3,
        [f"{i / 10:.1f}" for i in range(11)],
    )
    accuracy = run["blends"]["0.0"]["fer2013"]
    assert accuracy["n"] == (load(data).split("PublicTest").fer2013 >= 0).sum()
    assert run["log"] == read_log(finished)
    faces = run["blends"]["0.5"]["photographs"]
    happy, *others = faces["recall"]
    assert faces["accuracy"]["n"] == 1  # the one face of the validation split is happy
    assert faces["accuracy"]["value"] == faces["balanced"] == happy
    assert others == [None, None, None]
    assert f"photographs {happy:.4f}, balanced {happy:.4f}" in result.stdout
    private = report["agreement"]["PrivateTest"]
    assert (private["both"], private["agree"]["value"]) == (private["agree"]["n"], 1.0)
    groups = run["favourite"]
    assert list(groups) == ["up to 5", "6 or 7", "8", "9", "10"]
    assert (groups["up to 5"]["ferplus"], groups["10"]["agree"]["value"]) == (None, 1.0)
    public = load(data).split("PublicTest")
    assert groups["8"]["fer2013"]["n"] == ((public.agreement == 8) & (public.fer2013 >= 0)).sum()
    assert run["labellings"]["differ"] == {"agree": None, "fer2013": None, "ferplus": None}
    assert (run["labellings"]["agree"]["agree"]["value"], run["labellings"]["one"]["ferplus"]) == (
        1.0,
        None,
    )
    for (labelling, blend), parts in product(
        (("fer2013", "0.0"), ("ferplus", "1.0")), (groups, run["labellings"])
    ):
        counted = [group[labelling] for group in parts.values() if group[labelling]]
        whole = run["blends"][blend][labelling]
        assert sum(part["n"] for part in counted) == whole["n"]
        assert sum(part["value"] * part["n"] for part in counted) == pytest.approx(
            whole["value"] * whole["n"]
        )


ADDITIONS = """
import json, sys
from pathlib import Path
from fer import DataError
from benchmarks.recipes import compare

run, data, folder = map(Path, sys.argv[1:])
new = compare([run], data, folder / "absent.json")
earlier = [{**new["runs"][0], "run": name, "seed": 7} for name in ("gone", run.name)]
reports = {
    "earlier": {**new, "runs": earlier},
    "other data": {**new, "agreement": {}},
    "list": [],
    "runs": {"agreement": new["agreement"], "runs": [{}]},
}
for name, report in reports.items():
    path = folder / f"{name}.json"
    path.write_text(json.dumps(report))
    try:
        print([(entry["run"], entry["seed"]) for entry in compare([run], data, path)["runs"]])
    except DataError as error:
        print("refused:", error)
"""


def test_a_report_keeps_the_runs_whose_folders_are_gone(finished, data, tmp_path):
    result = python("-c", ADDITIONS, finished, data, tmp_path)
    assert result.returncode == 0, result.stdout
    lines = [line for line in result.stdout.splitlines() if line.startswith(("[(", "refused"))]
    assert lines == [
        str([("gone", 7), ("whole", 1)]),
        (
            f"refused: {tmp_path}/other data.json was measured on other data than {data}; choose"
            " another --output."
        ),
        *(
            f"refused: {tmp_path}/{name}.json is there and is no report of this command; choose"
            " another --output."
            for name in ("list", "runs")
        ),
    ]


def test_runs_are_compared_without_votes_too(finished, tmp_path):
    data = write_folder(tmp_path / "images", arrays((70, 35, 35)))
    result = python(
        "-m",
        "benchmarks.recipes",
        "--runs",
        finished,
        "--data",
        data,
        "--output",
        tmp_path / "tried.json",
    )
    assert result.returncode == 0, result.stdout
    report = json.loads((tmp_path / "tried.json").read_text())
    (run,) = report["runs"]
    assert report["agreement"]["PublicTest"]["agree"] is None
    assert {name: blend["ferplus"] for name, blend in run["blends"].items()} == dict.fromkeys(
        run["blends"]
    )
    whole = run["blends"]["0.0"]["fer2013"]
    assert run["labellings"]["one"]["fer2013"] == whole
    assert run["favourite"]["10"] == {"agree": None, "fer2013": None, "ferplus": None}
