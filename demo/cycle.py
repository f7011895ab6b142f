"""Take a tiny version through its whole life on a Hub of one's own, up to a rollback.

    python -m demo.cycle          or: make demo-cycle

    the tiniest one:
    python -m demo.cycle --images 40 --epochs 1

Takes one to three minutes on two CPU cores. It trains, pushes, compares, promotes, rolls back and
pulls, shows every command with its time, and ends with an error at the first one that does not do
what it should. The data are drawn faces, so its numbers say nothing of faces. Everything that it
makes is deleted in the end.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Annotated

import typer

from demo import terminal
from demo.terminal import EPOCHS, IMAGES, ROOT, Terminal, playground
from fer.cli.application import run_script
from fer.registry.base import DEFAULT
from fer.versions.folder import BUNDLED

FIRST = "v1.0.0"  # the bundled version
TINY = "v1.1.0"  # the one that is trained here
AGAIN = "v1.2.0"  # the bundled version, measured on drawings


def main(
    *,
    images: Annotated[int, typer.Option(help="to train on")] = IMAGES,
    epochs: Annotated[int, typer.Option()] = EPOCHS,
) -> None:
    """Run every command in a fresh playground."""
    try:
        _run_cycle(images, epochs)
    except KeyboardInterrupt:
        raise SystemExit("interrupted; everything that was made is deleted") from None


def _run_cycle(images: int, epochs: int) -> None:
    start = time.monotonic()
    with playground() as typist:
        print(
            f"A Hub for tests on {typist.hub.url}; everything is made in {typist.here}, which is"
            " deleted in the end."
        )
        _publish(typist, images, epochs)
        _compare(typist)
        _promote(typist)
        _bring_back(typist)
    seconds = time.monotonic() - start
    print(f"\nThe whole cycle worked and took {seconds:.0f} s; {typist.here} is deleted.")


def _publish(typist: Terminal, images: int, epochs: int) -> None:
    _tell(
        "The bundled version is published and, as the gate finds it good enough, taken into"
        " production."
    )
    _run_all(typist, terminal.fill({FIRST: (BUNDLED / DEFAULT).relative_to(ROOT)}))
    _tell("A tiny version is trained on drawn faces, measured on others of them, and published.")
    _run_all(typist, terminal.train(typist.here, images, epochs))
    typist.run(terminal.push(f"{typist.here}/tiny", TINY))


def _compare(typist: Terminal) -> None:
    _tell(
        f"{FIRST} was measured on FER2013, so there are no pairs with {TINY} until it is measured"
        " on drawings too."
    )
    _run_all(typist, terminal.measure_default(typist.here))
    typist.run(terminal.push(f"{typist.here}/{DEFAULT}", AGAIN))
    typist.run(terminal.show([TINY, FIRST, AGAIN]))


def _promote(typist: Terminal) -> None:
    _tell(
        "The gate refuses the tiny version; by force it goes into production all the same, and out"
        " again."
    )
    typist.run(
        terminal.promote(TINY, "to see the gate"), refusal=f"the gate refuses {TINY} for production"
    )
    typist.run(terminal.promote(TINY, "to try a rollback", "--force"))
    typist.run(terminal.roll_back())
    typist.run(terminal.show())


def _bring_back(typist: Terminal) -> None:
    _tell("Pulled from the Hub, the tiny version is the same to the last byte.")
    typist.run(terminal.pull(TINY, f"{typist.here}/pulled"))
    typist.run(f"diff -r {typist.here}/tiny {typist.here}/pulled")


def _tell(story: str) -> None:
    print(f"\n# {story}")


def _run_all(typist: Terminal, commands: Iterable[str]) -> None:
    for command in commands:
        typist.run(command)


if __name__ == "__main__":
    run_script(main, __doc__)
