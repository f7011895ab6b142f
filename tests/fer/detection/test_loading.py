"""Detectors by name."""

import pytest

from fer import ModelError, load_detector


def test_load_detector():
    assert load_detector("blazeface").name == "blazeface"
    assert load_detector("none").name == "none"
    with pytest.raises(
        ModelError, match="no detector 'haar'; choose one of blazeface, yunet, none"
    ):
        load_detector("haar")
