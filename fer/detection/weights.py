"""The weights of the face detectors, checked before use.

BlazeFace's lie beside this file, YuNet's come from the Hub.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from fer.errors import DownloadError, FERError, ModelError
from fer.registry.deadline import Deadline

BLAZEFACE = Path(__file__).with_name("face_detection_back.tflite")
"""MediaPipe's BlazeFace for the back camera, under the Apache License 2.0."""

_BLAZEFACE_SHA256 = "e376cf6b168d5ece8a3cedb94acc4eb168a136aede125ccc3d903ef38f5beda8"
_HUB_REPO = "opencv/face_detection_yunet"
_HUB_FILE = "face_detection_yunet_2023mar.onnx"
_HUB_SECONDS = 20.0
_HUB_SILENCE = 4.0
_MAX_BYTES = 1 << 20
_YUNET_SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"


def blazeface_weights() -> bytes:
    """The LiteRT graph of BlazeFace's back camera.

    Raises ModelError where the file is missing or damaged.
    """
    return _checked(BLAZEFACE, _BLAZEFACE_SHA256)


def yunet_weights(path: Path | None = None) -> bytes:
    """The ONNX graph of YuNet from a file or, without one, from the Hub.

    Raises ModelError or DownloadError.
    """
    return _checked(path, _YUNET_SHA256) if path else _fetch_yunet()


def _checked(path: Path, sha256: str) -> bytes:
    """The bytes of a file, once they are the expected ones."""
    content = path.read_bytes() if path.is_file() else b""
    if (received := hashlib.sha256(content).hexdigest()) != sha256:
        raise ModelError(
            f"{path} is missing or damaged: expected sha256 {sha256}, received {received};"
            " replace it."
        )
    return content


def _fetch_yunet() -> bytes:
    """YuNet's weights from the Hub's cache or, if they are not there or damaged, from the Hub."""
    from fer.registry.hub_client import asking, connect  # the Hub's client is slow to load

    api = connect(token=False)  # the repo is public

    def fetch(*, cached: bool) -> bytes:
        deadline = Deadline(_HUB_SECONDS, silence=_HUB_SILENCE)
        with asking(_HUB_REPO, api.endpoint, deadline, max_bytes=_MAX_BYTES) as counter:
            path = api.hf_hub_download(
                _HUB_REPO,
                _HUB_FILE,
                local_files_only=cached,
                force_download=not cached,
                tqdm_class=counter,
            )
        return _checked(Path(path), _YUNET_SHA256)

    with suppress(DownloadError, ModelError):
        return fetch(cached=True)
    try:
        return fetch(cached=False)
    except FERError as error:
        fault = f"YuNet's weights could not be fetched from {api.endpoint}/{_HUB_REPO} ({error})"
        raise DownloadError(f"{fault}; connect once, or choose detector blazeface.") from error
