"""Pack FER2013 into one file of about 61 MB, to carry it to another machine.

    python -m training.data.pack --data fer2013.csv --output packed.npz

Takes about ten seconds. All faces stand in one losslessly compressed picture; labels and votes stay
as they are. Every command that takes --data reads the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fer.cli.application import run_script
from training.command import writing_to
from training.data.fer2013_files import load
from training.data.fer2013_npz import pack


def main(
    data: Annotated[Path, typer.Option(help="fer2013.npz, fer2013.csv or a folder")],
    output: Annotated[Path, typer.Option(help="the packed file, ending in .npz")],
) -> None:
    """Read a data set and pack it."""
    dataset = load(data)
    with writing_to(output):
        pack(dataset, output)
    print(f"{output}: {output.stat().st_size:,} bytes")


if __name__ == "__main__":
    run_script(main, __doc__)
