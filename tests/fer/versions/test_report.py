"""`metrics.json`: written and read by the same types, and refused where it has another form."""

from __future__ import annotations

import json

import pytest

from fer import BundledRegistry, ModelError, VersionRef
from fer.versions.folder import METRICS, write_config
from tests.factories.sealed import GONE, LABELLING, METRICS_CONTENT, estimate
from tests.factories.versions import tiny_config, write_tiny


@pytest.mark.parametrize("ref", BundledRegistry().list().versions, ids=lambda ref: ref.name)
def test_reports_are_written_as_they_were_read(ref: VersionRef) -> None:
    version = BundledRegistry().fetch(ref)
    assert version.report().to_bytes() == version.read(METRICS)


def test_a_version_never_evaluated_has_no_metrics(tmp_path):
    assert write_tiny(tmp_path).report() is None


TWO_LABELS = LABELLING | {"confusion_matrix": [[4, 1], [0, 5]]}


def set_with(**changes):
    """Change the fields of a test set."""
    return lambda content: content["test_sets"]["fer2013"].update(changes)


TWO_LABELS = LABELLING | {"confusion_matrix": [[4, 1], [0, 5]]}


def set_without(name):
    return lambda content: content["test_sets"]["fer2013"].pop(name)


def labelled(**changes):
    """Change the fields of what was measured under one labelling."""
    changed = {name: value for name, value in (LABELLING | changes).items() if value is not GONE}
    return set_with(labellings={"fer2013": changed})


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.clear(),
        lambda m: m.update(test_sets=[]),
        lambda m: m["test_sets"].clear(),
        lambda m: m["test_sets"].update(other=None),
        lambda m: m["test_sets"].update({"\x1b[2J": m["test_sets"]["fer2013"]}),
        *(set_without(name) for name in METRICS_CONTENT["test_sets"]["fer2013"]),
        set_with(title=1),
        set_with(sha256=None),
        set_with(people=1.5),
        set_with(found=0.9),
        # then the confusion matrix has a column for faces that were not found
        set_with(found=estimate()),
        set_with(labels=None),
        set_with(labels=["happy"]),
        set_with(labels=["asleep", "bored", "happy"]),
        set_with(labels=["happy", "bored", "angry"]),
        set_with(labels=["happy", "bored"]),  # then the confusion matrix is smaller
        set_with(labellings=[]),
        set_with(labellings={}),
        set_with(labellings={"fer2013": None}),
        set_with(labellings={"no name": LABELLING}),
        *(labelled(**{name: GONE}) for name in LABELLING),
        labelled(accuracy=0.8),
        labelled(accuracy=estimate(value="0.8")),
        labelled(accuracy=estimate(value=None)),
        labelled(accuracy=estimate(n=1.5)),
        labelled(accuracy=estimate(extra=1)),
        labelled(recall=[]),
        labelled(recall={"happy": {}}),
        labelled(confusion_matrix=[[1, 2], [3, 4]]),
        labelled(confusion_matrix=[[1], [2, 3], [4, 5, 6]]),
        labelled(confusion_matrix=[[0.5] * 3] * 3),
        labelled(confusion_matrix=[["1"] * 3] * 3),
        labelled(confusion_matrix=None),
    ],
)
def test_metrics_of_the_wrong_form_are_refused_although_their_digest_fits(folder, change):
    metrics = json.loads(json.dumps(METRICS_CONTENT))
    change(metrics)
    (folder / METRICS).write_text(json.dumps(metrics))
    version = write_config(folder, tiny_config())
    with pytest.raises(ModelError, match=r"metrics\.json: a field is missing or wrong"):
        version.report()


def test_a_test_set_may_ask_for_some_of_the_labels(folder):
    metrics = json.loads(json.dumps(METRICS_CONTENT))
    metrics["test_sets"]["fer2013"] |= {
        "labels": ["happy", "asleep"],
        "labellings": {"fer2013": TWO_LABELS},
    }
    (folder / METRICS).write_text(json.dumps(metrics))
    assert json.loads(write_config(folder, tiny_config()).report().to_bytes()) == metrics


@pytest.mark.parametrize("content", [b"", b"[]", b'{"test_sets": NaN}', b"\xff"])
def test_metrics_that_are_no_json_object_are_refused(folder, content):
    (folder / METRICS).write_bytes(content)
    version = write_config(folder, tiny_config())
    with pytest.raises(ModelError, match=r"metrics\.json: (not valid JSON|holds a list)"):
        version.report()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            labelled(accuracy=estimate(value="0.8")),
            "Expected `float`, got `str` at"
            " $.test_sets.fer2013.labellings.fer2013.accuracy.value, received '0.8'",
        ),
        (
            labelled(recall={"happy": estimate(), "bored": estimate(n="10")}),
            "Expected `int`, got `str` at"
            " $.test_sets.fer2013.labellings.fer2013.recall.bored.n, received '10'",
        ),
        (
            set_with(labels=["happy", "angry"], found=None, labellings={"a": TWO_LABELS}),
            "$.test_sets.fer2013 asks for ('happy', 'angry'), the version knows ('happy', 'bored',",
        ),
        (
            set_with(labellings={"no name": LABELLING}),
            "'no name' is no name for a test set or a labelling at $.test_sets.fer2013",
        ),
    ],
)
def test_the_place_of_a_fault_is_named(folder, change, fault):
    metrics = json.loads(json.dumps(METRICS_CONTENT))
    change(metrics)
    (folder / METRICS).write_text(json.dumps(metrics))
    version = write_config(folder, tiny_config())
    with pytest.raises(ModelError) as caught:
        version.report()
    expected = f"{folder / METRICS}: a field is missing or wrong ({fault}"
    assert str(caught.value).startswith(expected)
    assert str(caught.value).endswith("; evaluate the version again.")
