"""Pack the data set into one file of about 61 MB, to carry it to another machine; `training.data.fer2013.load` reads it.

    python -m training.data.pack --data fer2013.csv --output packed.npz

Takes about ten seconds. All faces stand in one losslessly compressed picture; labels and votes stay
as they are.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from training.command import command_line, finish, writing_to
from training.data.fer2013 import COLUMNS, FER2013, SIDE, load


def pack(data: FER2013, path: Path) -> None:
    """Write the data set to `path`, an .npz file."""
    blank = np.zeros((-len(data.images) % COLUMNS, SIDE, SIDE), np.uint8)
    faces = np.concatenate([data.images, blank]).reshape(-1, COLUMNS, SIDE, SIDE)
    mosaic = faces.transpose(0, 2, 1, 3).reshape(-1, COLUMNS * SIDE)
    png = cv2.imencode(".png", mosaic, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]
    arrays: dict[str, Any] = {"png": png, "label": data.classes, "usage": data.splits}
    if data.votes is not None:
        arrays["ferplus_votes"] = data.votes
    with writing_to(path):
        np.savez(path, **arrays)


def _tell(data: Path, output: Path) -> None:
    pack(load(data), output)
    print(f"{output}: {output.stat().st_size:,} bytes")


if __name__ == "__main__":
    options = command_line("training.data.pack", __doc__)
    options.add_argument(
        "--data", type=Path, required=True, help="fer2013.npz, fer2013.csv or a folder"
    )
    options.add_argument(
        "--output", type=Path, required=True, help="the packed file, ending in .npz"
    )
    finish(partial(_tell, **vars(options.parse_args())))
