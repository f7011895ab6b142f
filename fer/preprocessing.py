"""The only crop, align, resize and normalise code of the project; training calls it too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def normalize(crops: NDArray[np.uint8], value_range: tuple[float, float] = (0.0, 1.0)) -> NDArray[np.float32]:
    """Grey crops (n, height, width) uint8 -> network input (n, height, width, 1) float32 in `value_range`."""
    low, high = value_range
    return (crops[..., None].astype(np.float32) * ((high - low) / 255.0) + low).astype(np.float32)
