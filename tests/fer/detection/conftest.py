"""Each detector in turn, and a portrait."""

import pytest

from fer import BlazeFace, YuNet, load_image
from tests.factories.pictures import SAMPLES, YUNET_WEIGHTS


@pytest.fixture(scope="module", params=["blazeface", "yunet"])
def detector(request):
    if request.param == "blazeface":
        return BlazeFace()
    if not YUNET_WEIGHTS.is_file():
        pytest.skip(f"needs YuNet's weights in {YUNET_WEIGHTS}, which are not there")
    return YuNet(YUNET_WEIGHTS)


@pytest.fixture(scope="module")
def portrait():
    return load_image(SAMPLES / "grace-hopper.jpg")
