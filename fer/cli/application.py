"""How every command of the project reads its arguments, shows its help and ends."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand
from typer.main import get_command

from fer.cli.console import prepare_streams, say
from fer.errors import FERError

INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it
_HELP = {"help_option_names": ["-h", "--help"]}


class Command(TyperCommand):
    """A command that takes lists as `--runs a b`, and whose help is its text as it stands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401
        lists = {name for param in self.params if param.multiple for name in param.opts}
        return super().parse_args(ctx, _repeat_names(args, lists))

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401, ARG002
        formatter.write(f"\n{inspect.cleandoc(self.help or '')}\n")

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        """Say that Ctrl-C ended the command; the KeyboardInterrupt may bring words of its own."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interruption:
            say(f"{str(interruption) or 'interrupted'}\n")
            raise typer.Exit(INTERRUPTED) from None


def application(description: str | None = None, *, completion: bool = False) -> typer.Typer:
    """An application without commands; `completion` adds options that install it in a shell."""
    return typer.Typer(
        help=description,
        context_settings=_HELP,
        add_completion=completion,
        rich_markup_mode=None,  # plain text, which also starts faster
    )


def add_command(
    app: typer.Typer,
    work: Callable[..., int | None],
    *,
    description: str | None,
    name: str | None = None,
    epilog: str | None = None,
) -> None:
    """Add a function whose annotated parameters are options, and which returns an exit status."""
    register = app.command(
        name, cls=Command, help=description, epilog=epilog, context_settings=_HELP
    )
    register(work)


def one_of(names: Iterable[str], *declarations: str, **details: Any) -> Any:  # noqa: ANN401
    """An option that takes one of these names; the rest is that of `typer.Option`."""
    known = list(names)

    def parse(text: str) -> str:
        if text not in known:
            raise typer.BadParameter(f"{text!r} is not one of {', '.join(known)}")
        return text

    return typer.Option(
        *declarations,
        parser=parse,
        metavar="|".join(known),
        autocompletion=lambda: known,
        **details,
    )


def whole_number(least: int) -> Callable[[str], int]:
    """The parser of an option that is a whole number, `least` or more."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise typer.BadParameter(f"received {text}, expected a whole number from {least} on")
        return value

    return parse


def number(least: float, most: float) -> Callable[[str], float]:
    """The parser of an option that is a number from `least` to `most`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise typer.BadParameter(
                f"received {text}, expected a number from {least:g} to {most:g}"
            )
        return value

    return parse


def pairs(example: str) -> Callable[[str], dict[str, str]]:
    """The parser of an option that gives words for names, as NAME=WORD,NAME=WORD."""

    def parse(text: str) -> dict[str, str]:
        parts = [pair.partition("=") for pair in text.split(",")]
        if not all(name and equals and word for name, equals, word in parts):
            raise typer.BadParameter(f"received {text}, expected pairs as in {example}")
        return {name: word for name, _, word in parts}

    return parse


def run(
    app: typer.Typer,
    arguments: Sequence[str] | None = None,
    *,
    name: str | None = None,
    error_status: int = 1,
) -> int:
    """Run a command and return its exit status; 2 for wrong arguments, `error_status` for FERError.

    Args:
        app: The application.
        arguments: The words after its name, by default those of the process.
        name: What help calls it, by default what the process was started as.
        error_status: The exit status after a FERError.
    """
    prepare_streams()
    command = get_command(app)
    try:
        status = command.main(arguments, prog_name=name, standalone_mode=False)
    except typer.TyperException as error:
        say(f"error: {error.format_message().rstrip('.')}; see --help\n")
        return error.exit_code
    except FERError as error:
        say(f"error: {error}\n")
        return error_status
    return int(status or 0)


def run_script(main: Callable[..., int | None], documentation: str | None) -> NoReturn:
    """Run the only command of a script, whose documentation is its help, and end the process."""
    app = application()
    add_command(app, main, description=documentation)
    sys.exit(run(app))


def _repeat_names(arguments: Sequence[str], lists: set[str]) -> list[str]:
    """`--runs a b` as `--runs a --runs b`, which is what the library reads."""
    repeated: list[str] = []
    name = None
    for argument in arguments:
        if argument.startswith("-"):
            name = argument if argument in lists else None
        elif name and repeated[-1] != name:
            repeated.append(name)
        repeated.append(argument)
    return repeated
