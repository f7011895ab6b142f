"""The command line as a program: wrong commands, help, completion, and nothing else said."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import fer
from fer.cli.main import main
from tests.factories.versions import ROOT
from tests.support.commands import (
    COMMAND,
    run,
)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "Missing command"),
        (["predict"], "Missing argument 'PHOTO|FOLDER|-'"),
        (["guess", "a.jpg"], "No such command 'guess'"),
        (
            ["predict", "a.jpg", "--detector", "haar"],
            "Invalid value for '--detector': 'haar' is not",
        ),
        (["predict", "a.jpg", "--format", "xml"], "Invalid value for '--format': 'xml' is not one"),
    ],
)
def test_a_command_that_is_none_exits_with_2(capsys, arguments, reason):
    assert main(arguments) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("command", ["predict", "watch", "models"])
def test_help_tells_the_exit_status(capsys, command):
    assert main([command, "--help"]) == 0
    assert "exit status: 0 if " in " ".join(capsys.readouterr().out.split())


def test_the_version_of_the_program(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"fer {fer.__version__}\n"


def test_the_command_runs_from_any_folder(blank):
    result = subprocess.run(
        [*COMMAND, "predict", "blank.png"],
        cwd=blank,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert result.returncode == 0
    assert result.stdout.splitlines()[1].split() == ["blank.png", "no", "face"]
    assert "photo/s" not in result.stderr


@pytest.mark.parametrize("command", ["models", "predict", "watch"])
def test_nothing_but_the_results_is_told(blank, command):
    """LiteRT's own lines are not."""
    arguments = {"models": [], "predict": [blank], "watch": [blank / "blank.png"]}[command]
    result = run(command, *arguments)
    assert result.returncode == 0
    assert "INFO" not in result.stderr


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("fer ", {"predict", "watch", "models"}),
        ("fer predict --format ", {"table", "json", "csv"}),
        ("fer watch --detector b", {"blazeface"}),
    ],
)
def test_a_shell_completes_commands_and_their_words(words, completed):
    shell = {
        "_FER_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    result = run(env={**os.environ, **shell})
    assert (set(result.stdout.split()), result.stderr) == (completed, "")


def test_help_loads_neither_video_nor_decoration():
    code = (
        "import sys; from fer.cli.main import main; main(['--help']);"
        " print({'av', 'pydantic', 'rich'} & sys.modules.keys())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "set()"
