"""A detector of one's own: in pictures of a photo booth, say, the face is always in the middle.

`python examples/own_detector.py face.png`, or without a name on a sample.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer import Box, CropGeometry, EmotionClassifier, Face, FERPipeline, load_image, load_version

SAMPLE = Path(__file__).parents[1] / "app_pages" / "photos" / "samples" / "grace-hopper.jpg"


@dataclass(frozen=True)
class Middle:
    """Takes the middle of every picture for its face.

    `name` is what records call the detector.
    """

    name: str = "middle"

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        """RGB uint8 (height, width, 3) -> its one face."""
        height, width = image.shape[:2]
        half = min(height, width) / 4
        x = width / 2
        y = height * 0.4
        return [Face(Box(x - half, y - half, x + half, y + half), confidence=1.0)]


def main(pictures: list[NDArray[np.uint8]]) -> None:
    """Print the score of each expression."""
    # The square that the network sees has the height and the centre of the detector's boxes.
    geometry = CropGeometry(scale=1.0)
    pipeline = FERPipeline(Middle(), EmotionClassifier(load_version()), geometry=geometry)
    for picture in pictures:
        for prediction in pipeline(picture):
            print(", ".join(f"{label} {score:.2f}" for label, score in prediction.scores.items()))


if __name__ == "__main__":
    main([load_image(path) for path in sys.argv[1:]] or [load_image(SAMPLE)])
