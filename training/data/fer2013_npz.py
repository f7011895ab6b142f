"""FER2013 as one .npz file: as arrays, or packed with all faces in one picture."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer import DataError
from training.data.fer2013 import FER2013, SIDE, checked

COLUMNS = 200  # of faces in the picture of a packed file


def load(path: Path) -> FER2013:
    """Read an .npz file of either form. Raises DataError."""
    arrays = _read_arrays(path)
    if "png" in arrays and "label" in arrays:
        arrays["images"] = _unpacked(path, arrays.pop("png"), len(arrays["label"]))
    missing = {"images", "label", "usage"} - arrays.keys()
    if missing:
        raise DataError(
            f"{path}: misses the arrays {', '.join(sorted(missing))}; it holds"
            f" {', '.join(sorted(arrays))}."
        )
    votes = arrays.get("ferplus_votes")
    return checked(path, FER2013(arrays["images"], arrays["label"], arrays["usage"], votes))


def pack(data: FER2013, path: Path) -> None:
    """Write the data set as an .npz file with all faces in one losslessly compressed picture."""
    blank = np.zeros((-len(data.images) % COLUMNS, SIDE, SIDE), np.uint8)
    faces = np.concatenate([data.images, blank]).reshape(-1, COLUMNS, SIDE, SIDE)
    mosaic = faces.transpose(0, 2, 1, 3).reshape(-1, COLUMNS * SIDE)
    png = cv2.imencode(".png", mosaic, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1]
    arrays: dict[str, Any] = {"png": png, "label": data.classes, "usage": data.splits}
    if data.votes is not None:
        arrays["ferplus_votes"] = data.votes
    np.savez(path, **arrays)


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (
        OSError,
        ValueError,
        TypeError,
        EOFError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DataError(f"{path}: not a readable .npz archive ({error}).") from error


def _unpacked(path: Path, png: NDArray[np.uint8], n: int) -> NDArray[np.uint8]:
    """The first `n` faces (n, 48, 48) of the picture of a packed file."""
    rows = -(-n // COLUMNS)
    height = rows * SIDE
    width = COLUMNS * SIDE
    is_encoded = png.dtype == np.uint8 and png.size
    mosaic = cv2.imdecode(png, cv2.IMREAD_GRAYSCALE) if is_encoded else None
    if mosaic is None or mosaic.shape != (height, width):
        raise DataError(
            f"{path}: png is no picture of {width} x {height} pixels; pack the data again."
        )
    faces = np.asarray(mosaic, np.uint8).reshape(rows, SIDE, COLUMNS, SIDE).transpose(0, 2, 1, 3)
    return faces.reshape(-1, SIDE, SIDE)[:n]
