"""Take a tiny version through its whole life on a Hub of one's own.

It is trained, pushed, compared, promoted, rolled back and pulled.

    python -m demo.cycle          or: make demo-cycle

    the tiniest one:
    python -m demo.cycle --images 40 --epochs 1

Takes one to three minutes on two CPU cores, shows every command with its time, and ends with an
error at the first one that does not do what it should. The data are drawn faces, so its numbers say
nothing of faces. Everything that it makes is deleted in the end.
"""

from __future__ import annotations

import argparse
import sys
import time

from demo import terminal
from demo.terminal import EPOCHS, IMAGES, ROOT, Terminal, playground
from fer.registry.base import DEFAULT
from fer.versions.folder import BUNDLED

FIRST, TINY, AGAIN = "v1.0.0", "v1.1.0", "v1.2.0"


def main(images: int, epochs: int) -> None:
    """Run every command in a fresh playground."""
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
    print(
        f"\nThe whole cycle worked and took {time.monotonic() - start:.0f} s; {typist.here} is"
        " deleted."
    )


def _publish(typist: Terminal, images: int, epochs: int) -> None:
    print(
        "\n# The bundled version is published and, as the gate finds it good enough, taken into"
        " production."
    )
    for command in terminal.fill({FIRST: (BUNDLED / DEFAULT).relative_to(ROOT)}):
        typist.run(command)
    print(
        "\n# A tiny version is trained on drawn faces, measured on others of them, and published."
    )
    for command in [
        *terminal.train(typist.here, images, epochs),
        terminal.push(f"{typist.here}/tiny", TINY),
    ]:
        typist.run(command)


def _compare(typist: Terminal) -> None:
    print(
        f"\n# {FIRST} was measured on FER2013, so there are no pairs with {TINY} until it is"
        " measured on drawings too."
    )
    for command in [
        *terminal.measure_default(typist.here),
        terminal.push(f"{typist.here}/{DEFAULT}", AGAIN),
    ]:
        typist.run(command)
    typist.run(terminal.show([TINY, FIRST, AGAIN]))


def _promote(typist: Terminal) -> None:
    print(
        "\n# The gate refuses the tiny version; by force it goes into production all the same, and"
        " out again."
    )
    typist.run(
        terminal.promote(TINY, "to see the gate"), refusal=f"the gate refuses {TINY} for production"
    )
    typist.run(terminal.promote(TINY, "to try a rollback", "--force"))
    typist.run(terminal.roll_back())
    typist.run(terminal.show())


def _bring_back(typist: Terminal) -> None:
    print("\n# Pulled from the Hub, the tiny version is the same to the last byte.")
    typist.run(terminal.pull(TINY, f"{typist.here}/pulled"))
    typist.run(f"diff -r {typist.here}/tiny {typist.here}/pulled")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="demo.cycle", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--images", type=int, default=IMAGES, help="to train on; default %(default)s"
    )
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="default %(default)s")
    try:
        main(**vars(parser.parse_args()))
    except KeyboardInterrupt:
        sys.exit("interrupted; everything that was made is deleted")
