"""Classify photos in several processes, and print a line of JSON a photo.

`python examples/processes.py album/*.jpg`, or without names the samples. Predictions travel between
processes like any other value; each process builds its own pipeline, once.
"""

import json
import multiprocessing
import sys
from functools import cache
from pathlib import Path

from fer import EmotionClassifier, FERPipeline, Prediction, load_detector, load_image, load_version

SAMPLES = Path(__file__).parents[1] / "app_pages" / "photos" / "samples"


def main(photos: list[str]) -> None:
    """Print an object a photo, in the order of the photos."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for photo, predictions in zip(photos, pool.imap(classify, photos), strict=True):
            faces = [prediction.to_dict() for prediction in predictions]
            print(json.dumps({"photo": photo, "faces": faces}))


def classify(photo: str) -> list[Prediction]:
    """The predictions for the faces of a photo."""
    return pipeline()(load_image(photo))


@cache
def pipeline() -> FERPipeline:
    """The pipeline of this process."""
    detector = load_detector("blazeface", threads=1)
    return FERPipeline(detector, EmotionClassifier(load_version(), threads=1))


if __name__ == "__main__":
    main(sys.argv[1:] or sorted(map(str, SAMPLES.glob("*.jpg"))))
