"""Weights that are missing, damaged or out of reach; a Hub of one's own that serves them."""

import hashlib
import http.server
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fer import BlazeFace, ModelError, YuNet
from fer.detection import weights
from tests.factories.pictures import YUNET_WEIGHTS


@pytest.mark.parametrize("content", [None, b"", b"not a graph"])
def test_unusable_blazeface_weights_are_refused(monkeypatch, tmp_path, content):
    path = tmp_path / "face_detection_back.tflite"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(weights, "BLAZEFACE", path)
    with pytest.raises(ModelError, match="missing or damaged: expected sha256 e376cf6b"):
        BlazeFace()


@pytest.mark.parametrize("content", [None, b"", b"not a network"])
def test_unusable_yunet_weights_are_refused(tmp_path, content):
    path = tmp_path / "yunet.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match="missing or damaged: expected sha256 8f2383e4"):
        YuNet(path)


LOAD = """
import sys, time
from fer.detection.loading import load_detector
from fer.errors import DownloadError
start = time.perf_counter()
try:
    print("loaded", load_detector("yunet").name)
except DownloadError as error:
    print("refused", error)
print(time.perf_counter() - start < 10)
"""


def load_yunet(home, **environment):
    """What a process of its own says: the client reads its settings when it is imported."""
    settings = {
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        **environment,
    }
    ours = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", LOAD]
    done = subprocess.run(
        command,
        env=ours | settings,
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.parametrize("case", ["offline", "refused", "silent"])
def test_without_the_hub_yunet_says_so_within_seconds(tmp_path, case):
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        port = mute.getsockname()[1] if case == "silent" else closed_port()
        settings = {
            "HF_ENDPOINT": f"http://127.0.0.1:{port}",
            "HF_HUB_OFFLINE": str(int(case == "offline")),
        }
        answer = load_yunet(tmp_path, **settings)
    assert answer.startswith("refused YuNet's weights could not be fetched from http://127.0.0.1")
    assert "connect once, or choose detector blazeface." in answer
    assert answer.endswith("True\n")


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the Hub as one download needs; of `contents`, the last is served for good."""

    contents: list[bytes]
    gets: list[str]

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        if self.path.startswith("/opencv"):  # the client asks for other things as well
            self.gets.append(self.path)
        self.wfile.write(self.answer())
        if len(self.contents) > 1:
            del self.contents[0]

    def answer(self):
        content = self.contents[0]
        self.send_response(200)
        self.send_header("X-Repo-Commit", "a" * 40)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return content

    def log_message(self, *_):
        pass


@pytest.fixture
def hub():
    class OneHub(Hub):
        pass

    OneHub.contents, OneHub.gets = [], []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), OneHub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        OneHub.endpoint = f"http://127.0.0.1:{server.server_port}"
        yield OneHub
        server.shutdown()
        thread.join()


def test_yunet_comes_from_the_hub_once_and_mends_a_damaged_copy(hub, tmp_path):
    if not YUNET_WEIGHTS.is_file():
        pytest.skip(f"needs YuNet's weights in {YUNET_WEIGHTS}, which are not there")
    hub.contents = [YUNET_WEIGHTS.read_bytes()]
    assert load_yunet(tmp_path, HF_ENDPOINT=hub.endpoint).startswith("loaded yunet")
    assert load_yunet(tmp_path, HF_HUB_OFFLINE="1").startswith("loaded yunet")
    assert hub.gets == [
        "/opencv/face_detection_yunet/resolve/main/face_detection_yunet_2023mar.onnx"
    ]
    (cached,) = (path for path in tmp_path.rglob("*.onnx"))
    cached.resolve().write_bytes(b"damaged")
    assert load_yunet(tmp_path, HF_ENDPOINT=hub.endpoint).startswith("loaded yunet")
    assert len(hub.gets) == 2


def test_a_hub_that_serves_something_else_is_refused(hub, tmp_path):
    hub.contents = [b"something else"]
    answer = load_yunet(tmp_path, HF_ENDPOINT=hub.endpoint)
    assert answer.startswith("refused YuNet's weights")
    assert "expected sha256 8f2383e4" in answer
