"""The model card: words of others stay words."""

from __future__ import annotations

import json
import shutil

import pytest
from huggingface_hub import ModelCard

from fer import read_version
from fer.versions.folder import CARD, CONFIG
from tests.factories.measured import write_measured
from training.completeness import read_complete
from training.evaluate import write_card
from training.model_card import eval_results, render_card, result_name

pytest_plugins = ["tests.support.hub_fixtures", "tests.support.push_fixtures"]


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    lineage = {
        "command": "python -m `rm` <b>\n",
        "date": "<script>|`x`",
        "config": {"seed": 1},
        "versions": {},
        "split_sha256": {},
        "images": 20,
        "epochs": 2,
    }
    folder = tmp_path_factory.mktemp("versions") / "measured"
    return read_version(write_measured(folder, lineage=lineage))


def test_the_results_stand_at_its_head_and_in_its_table(version):
    report = version.report()
    results = eval_results(report)
    assert [result.metric_type for result in results[:2]] == ["accuracy", "f1"]
    card = render_card(version, report)
    accuracy = report.test_sets["fer2013"].labellings["fer2013"].accuracy
    assert f"| FER2013, PrivateTest, fer2013 | {accuracy.n} | {accuracy.value:.4f} (" in card
    assert f"value: {round(accuracy.value, 4)}" in card
    assert card.endswith("\n")
    assert not card.endswith("\n\n")


def test_words_of_others_make_no_markdown(version):
    card = render_card(version, version.report())
    assert "`python -m 'rm' <b> `" in card
    assert "Date &#60;script&#62;&#124;&#96;x&#96;," in card


def test_a_labelling_is_named_where_there_are_several(version):
    fer2013 = version.report().test_sets["fer2013"]
    assert result_name(fer2013, "fer2013-dedup") == "FER2013, PrivateTest, fer2013-dedup"


def test_words_in_a_card_stay_words(tmp_path):
    script = "<script>alert(1)</script>"
    name = f'{script}`[x](javascript:alert(1))|"'
    folder = write_measured(tmp_path / "odd", name=name, labels=[script, "a`b", "[c](d)"])
    lineage = {**read_version(folder).lineage, "command": f"`{script}"}
    config = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**config, "lineage": lineage}))
    write_card(folder)
    card = ModelCard((folder / CARD).read_text())
    assert card.data.model_name == name
    assert f"Command: `'{script}`" in card.text  # between backticks, where Markdown knows no tags
    body = card.text.replace(f"`'{script}`", "")
    assert "&#60;script&#62;alert(1)&#60;/script&#62;&#96;&#91;x&#93;(javascript" in body
    assert not any(sign in body for sign in ("<script", "](", "a`b"))
    read_complete(folder)


def test_a_card_tells_how_a_run_went_on(measured, tmp_path):
    folder = shutil.copytree(measured, tmp_path / "tiny")
    config = json.loads((folder / CONFIG).read_text())
    resume = {
        "command": "train --resume",
        "date": "2026-11-24",
        "git_commit": "abc",
        "git_dirty": True,
    }
    config["lineage"] |= {"git_commit": "def", "git_dirty": True, "resumes": [resume]}
    (folder / CONFIG).write_text(json.dumps(config))
    write_card(folder)
    card = (folder / CARD).read_text()
    assert "commit `def` with uncommitted changes, backend tensorflow, python 3.11.7\n" in card
    assert (
        "\n- Resumed 2026-11-24, commit `abc` with uncommitted changes: `train --resume`\n-"
        " Seed 1, " in card
    )
    assert "Resumed" not in (measured / CARD).read_text()


def test_the_head_of_the_card_tells_each_labelling_apart(measured):
    results = ModelCard((measured / CARD).read_text()).data.eval_results
    assert [(r.dataset_config, r.metric_type) for r in results] == [
        (labelling, metric)
        for labelling in ("fer2013", "fer2013-dedup")
        for metric in ("accuracy", "f1")
    ]


def test_the_card_shows_code_that_runs(measured):
    code = (measured / CARD).read_text().split("```python\n")[1].split("```")[0]
    exec(code.split("registry =")[0], {})
    compile(code, CARD, "exec")
