"""Classify the faces of photos.

`python examples/photo.py photo.jpg`, or without a name a sample; takes a second.
"""

import sys
from pathlib import Path

from fer import EmotionClassifier, FERPipeline, load_detector, load_image, load_version

SAMPLE = Path(__file__).parents[1] / "app_pages" / "photos" / "samples" / "grace-hopper.jpg"


def main(photos: list[str]) -> None:
    """Print a line a face: where it is, its expression, and the score of that."""
    pipeline = FERPipeline(load_detector("blazeface"), EmotionClassifier(load_version()))
    for photo in photos:
        for prediction in pipeline(load_image(photo)):
            box = prediction.face.box
            place = f"{photo} at ({box.x1:.0f}, {box.y1:.0f})"
            print(f"{place}: {prediction.label} {prediction.score:.2f}")


if __name__ == "__main__":
    main(sys.argv[1:] or [str(SAMPLE)])
