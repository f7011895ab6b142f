"""Pack the data set into one file of about 61 MB, to carry it to another machine; `training.data.load` reads it.

    python -m training.pack --data fer2013.csv --output packed.npz

Takes about ten seconds. All faces stand in one losslessly compressed picture; labels and votes stay as they are.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fer import FERError
from training.data import COLUMNS, FER2013, SIDE, load


def pack(data: FER2013, path: Path) -> None:
    """Write the data set to `path`, an .npz file."""
    blank = np.zeros((-len(data.images) % COLUMNS, SIDE, SIDE), np.uint8)
    faces = np.concatenate([data.images, blank]).reshape(-1, COLUMNS, SIDE, SIDE)
    mosaic = faces.transpose(0, 2, 1, 3).reshape(-1, COLUMNS * SIDE)
    png = cv2.imencode(".png", mosaic, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]
    arrays: dict[str, Any] = {"png": png, "label": data.classes, "usage": data.splits}
    if data.votes is not None:
        arrays["ferplus_votes"] = data.votes
    np.savez(path, **arrays)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="training.pack", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="fer2013.npz, fer2013.csv or a folder")
    parser.add_argument("--output", type=Path, required=True, help="the packed file, ending in .npz")
    options = parser.parse_args()
    try:
        pack(load(options.data), options.output)
    except FERError as error:
        sys.exit(f"error: {error}")
    print(f"{options.output}: {options.output.stat().st_size:,} bytes")
