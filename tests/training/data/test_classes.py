"""The names of the classes and the emotions behind the labels."""

from __future__ import annotations

from training.data.classes import CLASSES, EMOTIONS, FER2013_INDEX, FERPLUS_INDEX


def test_the_labels_stand_where_the_indices_say():
    assert [CLASSES[i] for i in FER2013_INDEX] == ["happy", "sad", "neutral", "surprise"]
    assert [EMOTIONS[i] for i in FERPLUS_INDEX] == ["happiness", "sadness", "neutral", "surprise"]
