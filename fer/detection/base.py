"""What a face detector is. One detector serves all threads."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fer.geometry import Box
from fer.results import Face

Image = NDArray[np.uint8]
"""A picture, RGB (height, width, 3)."""


class FaceDetector(Protocol):
    """Anything with a name that finds faces; `detect` may be called from several threads at once.

    Example:
        >>> import numpy as np
        >>> from fer import Box, CropGeometry, EmotionClassifier, Face, FERPipeline, load_version
        >>> class LeftHalf:
        ...     name = "left half"
        ...
        ...     def detect(self, image):
        ...         height, width = image.shape[:2]
        ...         return [Face(Box(0, 0, width / 2, height), confidence=1.0)]
        >>> classifier = EmotionClassifier(load_version())
        >>> pipeline = FERPipeline(LeftHalf(), classifier, geometry=CropGeometry(scale=1.0))
        >>> [prediction] = pipeline(np.zeros((100, 200, 3), np.uint8))
        >>> prediction.face.box
        Box(x1=0, y1=0, x2=100.0, y2=100)
    """

    @property
    def name(self) -> str:
        """Under which a version keeps its crop geometry."""

    def detect(self, image: Image) -> list[Face]:
        """Find the faces of a picture.

        Args:
            image: RGB uint8 (height, width, 3).

        Returns:
            Faces in pixels of the picture, the largest first; none is an empty list.

        Raises:
            ValueError: the picture is not RGB uint8.
        """


@runtime_checkable
class RegionDetector(FaceDetector, Protocol):
    """A detector that can search a part of the picture, which makes following faces cheap.

    Example:
        >>> from fer import BlazeFace, WholePicture
        >>> isinstance(BlazeFace(), RegionDetector), isinstance(WholePicture(), RegionDetector)
        (True, False)
    """

    def detect_within(self, image: Image, region: Box) -> list[Face]:
        """Find the faces within a region about twice as high as they are.

        Args:
            image: RGB uint8 (height, width, 3).
            region: Where to search, in pixels; what lies outside the picture is left out.

        Returns:
            Faces in pixels of the picture, the largest first.

        Raises:
            ValueError: the picture is not RGB uint8.
        """
