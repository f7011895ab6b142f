"""What a version answers for photographs."""

from __future__ import annotations

import numpy as np
import pytest

from fer import BlazeFace, EmotionClassifier, FERPipeline, load_image, load_version
from training.answers import answer_photographs
from training.data.photographs import read_photographs


def test_the_largest_face_counts_and_where_none_is_found_all_scores_are_alike(portraits):
    photographs = read_photographs(portraits).split("Training")
    classifier = EmotionClassifier(load_version("seed-cnn"))
    answers = answer_photographs(classifier, photographs)
    assert [name.rpartition("/")[2] for name in photographs.names] == [
        "ann_1.jpg",
        "dee_1.png",
        "ann_2.jpg",
        "bo_1.jpg",
    ]
    assert answers.found.tolist() == [True, False, True, True]
    assert answers.scores[1] == pytest.approx([0.25] * 4)
    assert not answers.doubted[1]
    image = load_image(portraits / photographs.names[0])
    largest, *_ = FERPipeline(BlazeFace(), classifier)(image)
    assert answers.scores[0] == pytest.approx(list(largest.scores.values()), abs=1e-6)
    assert answers.doubted[0] == bool(largest.face.doubts)


def test_no_photograph_has_no_answer(portraits):
    none = read_photographs(portraits).select(np.array([], np.int64))
    answers = answer_photographs(EmotionClassifier(load_version("seed-cnn")), none)
    assert (answers.scores.shape, answers.found.tolist()) == ((0, 4), [])
