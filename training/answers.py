"""What a version answers for photographs, as they are served: a face must be found first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer import BlazeFace, EmotionClassifier, FERPipeline
from fer.metrics import Scores
from training.data.photographs import Photographs


@dataclass(frozen=True)
class Answers:
    """The answers for n photographs.

    Attributes:
        scores: (n, labels); all alike where no face was found.
        found: (n,) bool, whether a face was found.
        doubted: (n,) bool, whether its detection is weak or it is turned away.
    """

    scores: Scores
    found: NDArray[np.bool_]
    doubted: NDArray[np.bool_]


def answer_photographs(classifier: EmotionClassifier, photographs: Photographs) -> Answers:
    """The answer for the largest face that BlazeFace finds in each picture."""
    pipeline = FERPipeline(BlazeFace(), classifier)
    n = len(photographs)
    labels = len(classifier.labels)
    answers = Answers(
        scores=np.full((n, labels), 1 / labels, np.float32),
        found=np.zeros(n, bool),
        doubted=np.zeros(n, bool),
    )
    images = tqdm(photographs.images(), "photographs", n, unit="picture", disable=None)
    for row, image in enumerate(images):
        predictions = pipeline(image)
        if predictions:
            largest = predictions[0]
            answers.scores[row] = list(largest.scores.values())
            answers.found[row] = True
            answers.doubted[row] = bool(largest.face.doubts)
    return answers
