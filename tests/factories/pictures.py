"""Grey pictures whose values are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def picture(grey: NDArray[np.generic]) -> Picture:
    return np.repeat(np.rint(grey).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def ramps(height: int, width: int) -> tuple[Picture, Picture]:
    """Pictures that grow by 255 from edge to edge, across and down."""
    across, down = (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    return picture(255 * across + 0 * down[:, None]), picture(255 * down[:, None] + 0 * across)
