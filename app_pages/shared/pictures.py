"""Pictures as the browser gets them: resized, encoded, and as data URLs for HTML."""

from __future__ import annotations

import base64
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def fit(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The picture, shrunk if its longer side exceeds `side`."""
    scale = side / max(image.shape)
    if scale >= 1:
        return image
    height, width = (max(1, round(length * scale)) for length in image.shape[:2])
    return resize(image, width, height)


def resize(image: NDArray[Any], width: int, height: int) -> NDArray[np.uint8]:
    """The picture at another size, averaged where it shrinks and interpolated where it grows."""
    method = cv2.INTER_AREA if width < image.shape[1] else cv2.INTER_CUBIC
    resized = cv2.resize(image, (width, height), interpolation=method)
    return resized.astype(np.uint8, copy=False)


def jpeg(image: NDArray[np.uint8], quality: int = 90) -> bytes:
    """An RGB picture as a JPEG file."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return data.tobytes()


def jpeg_url(image: NDArray[np.uint8], quality: int = 90) -> str:
    """An RGB picture as a data URL for HTML."""
    return _data_url("image/jpeg", jpeg(image, quality))


def png_url(image: NDArray[np.uint8]) -> str:
    """A grey picture, such as a crop, as a data URL that keeps every pixel."""
    _, data = cv2.imencode(".png", image)
    return _data_url("image/png", data.tobytes())


def svg_url(svg: str) -> str:
    """A drawing as a data URL for HTML."""
    return _data_url("image/svg+xml", svg.encode())


def _data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
