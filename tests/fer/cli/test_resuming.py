"""A batch goes on where it was stopped, and ends as if it had never been."""

from __future__ import annotations

import json

import pytest

from tests.support.commands import (
    RESULTS_SUFFIXES,
    predict,
)


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("keep", [0, 0.3, 0.5, 0.99, 1])
def test_a_resumed_batch_ends_as_if_it_had_never_been_stopped(few, tmp_path, capsys, form, keep):
    """Wherever the rows were cut, in the middle of a line or of a character too."""
    arguments = [few, few / "a.jpg", few / "a.jpg", "--format", form, "--output", tmp_path / "out"]
    whole = predict(capsys, *arguments)
    results = tmp_path / "out" / f"results.{RESULTS_SUFFIXES[form]}"
    content = results.read_bytes()
    results.unlink()
    part = results.with_name(f"{results.name}.part")
    part.write_bytes(content[: int(keep * len(content))])
    status, out, err = predict(capsys, *arguments, "--resume")
    assert results.read_bytes() == content == out.encode()
    assert (status, err.splitlines()[-1]) == (whole[0], whole[2].splitlines()[-1])
    assert not part.exists()


def test_a_resumed_batch_does_only_what_is_left(few, tmp_path, capsys):
    arguments = [few, "--format", "json", "--output", tmp_path / "out"]
    predict(capsys, *arguments)
    results = tmp_path / "out" / "results.jsonl"
    results.rename(tmp_path / "out" / "results.jsonl.part")
    (few / "a.jpg").write_bytes(b"looked at no more")
    assert predict(capsys, *arguments, "--resume")[1].count("looked at no more") == 0
    assert json.loads(results.read_text().splitlines()[0])["error"] is None


def test_what_a_stopped_run_found_is_not_written_over(few, tmp_path, capsys):
    part = tmp_path / "results.csv.part"
    predict(capsys, few, "--format", "csv", "--output", tmp_path)
    part.write_bytes((tmp_path / "results.csv").read_bytes())
    status, out, err = predict(capsys, few, "--format", "csv", "--output", tmp_path)
    assert (status, out) == (2, "")
    assert (
        err == f"error: {part} holds what a stopped run found; go on with --resume, or remove it.\n"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            ["--model", "seed-cnn"],
            "holds results of other photos, another version or another detector; give the same",
        ),
        (["{few}/z.jpg"], "holds results of other photos"),
        (
            ["--format", "table"],
            "a table cannot be read back exactly; --resume needs --format json or --format csv.",
        ),
    ],
)
def test_another_batch_is_not_gone_on_with(few, tmp_path, capsys, change, reason):
    arguments = ["--format", "csv", "--output", tmp_path]
    predict(capsys, few, *arguments)
    (tmp_path / "results.csv").rename(tmp_path / "results.csv.part")
    change = [argument.format(few=few) for argument in change]
    status, out, err = predict(capsys, *arguments, *change, few, "--resume")
    assert (status, out) == (2, "")
    assert reason in err
    assert (tmp_path / "results.csv.part").exists()


@pytest.mark.parametrize(
    ("form", "content"), [("json", b"no JSON\n"), ("csv", b"a,b\n1,2\n"), ("json", b"\xff\n")]
)
def test_a_part_that_is_none_is_an_error(few, tmp_path, capsys, form, content):
    part = tmp_path / f"results.{RESULTS_SUFFIXES[form]}.part"
    part.write_bytes(content)
    status, _, err = predict(capsys, few, "--format", form, "--output", tmp_path, "--resume")
    assert status == 2
    assert f"{part} cannot be read back (" in err
    assert part.read_bytes() == content


def test_nothing_to_go_on_with_is_an_error_without_an_output(few, capsys):
    status, _, err = predict(capsys, few, "--format", "csv", "--resume")
    assert (status, err) == (
        2,
        "error: --resume goes on with a file of results; say with --output where it is.\n",
    )
