"""What all commands share: lists of values, names to choose from, errors, help and Ctrl-C."""

from __future__ import annotations

from typing import Annotated

import pytest
import typer

from fer.cli.application import add_command, application, number, one_of, run
from fer.errors import FERError


def work(
    numbers: Annotated[list[int], typer.Option(help="any")],
    word: Annotated[str, one_of(("one", "two"))] = "one",
    share: Annotated[float, typer.Option(parser=number(0, 1))] = 0.5,
    last: Annotated[str | None, typer.Argument()] = None,
) -> int:
    print(numbers, word, share, last)
    if word == "two":
        raise FERError("this is no number.")
    return numbers[0]


def end(function, *arguments: str, **options: int) -> int:
    """Run a function as the only command of an application."""
    app = application()
    add_command(app, function, description="Print numbers.\n\n    as they\n    stand\n\nEnd.\n")
    return run(app, arguments, name="numbers", **options)


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["--numbers", "3"], "[3] one 0.5 None"),
        (["--numbers", "3", "4", "--share", "1"], "[3, 4] one 1.0 None"),
        (["--numbers", "3", "--share", "0", "--numbers", "4", "5"], "[3, 4, 5] one 0.0 None"),
        (["--numbers", "3", "--word=one", "end"], "[3] one 0.5 end"),
        (["end", "--numbers", "3"], "[3] one 0.5 end"),
        (["--numbers", "3", "--", "end"], "[3] one 0.5 end"),
    ],
)
def test_lists_take_several_values_after_their_name(capsys, arguments, printed):
    assert end(work, *arguments) == 3
    assert capsys.readouterr() == (f"{printed}\n", "")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "Missing option '--numbers'"),
        (["--numbers"], "Option '--numbers' requires an argument"),
        (["--numbers", "3", "--word", "six"], "'--word': 'six' is not one of one, two"),
        (["--numbers", "3", "--share", "nan"], "'--share': received nan, expected a number"),
        (["--numbers", "3", "--share", "-1"], "'--share': received -1, expected a number"),
        (["--numbers", "many"], "'--numbers': 'many' is not a valid int"),
        (["--numbres", "3"], "No such option: --numbres"),
    ],
)
def test_wrong_arguments_end_with_2_and_one_line(capsys, arguments, reason):
    assert end(work, *arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert reason in line
    assert line.endswith("; see --help")


@pytest.mark.parametrize("status", [1, 2])
def test_an_error_of_ours_is_one_sentence(capsys, status):
    assert end(work, "--numbers", "0", "--word", "two", error_status=status) == status
    assert capsys.readouterr().err == "error: this is no number.\n"


@pytest.mark.parametrize(
    ("words", "said"), [((), "interrupted\n"), (("kept; go on",), "kept; go on\n")]
)
def test_ctrl_c_ends_with_130_and_a_word(capsys, words, said):
    def stopped() -> None:
        raise KeyboardInterrupt(*words)

    assert end(stopped) == 130
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_shows_the_documentation_as_it_stands(capsys, option):
    assert end(work, option) == 0
    out = capsys.readouterr().out
    assert out.startswith("Usage: numbers [OPTIONS]")
    assert "\n\nPrint numbers.\n\n    as they\n    stand\n\nEnd.\n\n" in out
    assert "--word one|two" in out
