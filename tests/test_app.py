"""The page Photos without a browser: the real detector and the real version on the bundled samples."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from app_pages import common, tray
from app_pages.intake import SAMPLES
from app_pages.tray import Photo, Tray, safe_names
from fer import Box, EmotionClassifier, Face, FERPipeline, Prediction, load_detector, load_image, load_version
from fer.records import to_csv

ROOT = Path(__file__).resolve().parents[1]
COLLINS, HOPPER = (SAMPLES / name for name in ("eileen-collins.jpg", "grace-hopper.jpg"))


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AppTest:
    """The app after its first run, offline and with an empty Hub cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    st.cache_resource.clear()
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()


@pytest.fixture(scope="module")
def pipeline() -> FERPipeline:
    return FERPipeline(load_detector("blazeface"), EmotionClassifier(load_version()))


def jpeg(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def plain_grey() -> bytes:
    return jpeg(Image.new("RGB", (320, 240), "grey"))


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    app.file_uploader[0].set_value([(name, data, "image/jpeg") for name, data in files]).run()
    assert not app.exception
    return app


def button(app: AppTest, label: str) -> AppTest:
    return next(b for b in app.button if label in (b.label, b.key)).click().run()


def texts(app: AppTest) -> str:
    """All words of the page, to look for some."""
    blocks = (app.markdown, app.caption, app.info, app.warning, app.error, app.title, app.subheader, app.metric)
    words = [element.value for block in blocks for element in block]
    return "\n".join(map(str, [*words, *(element.proto.body for element in app.get("html"))])).replace("\\", "")


def test_empty_page_offers_one_thing_to_do(app: AppTest) -> None:
    assert not app.exception
    assert [b.label for b in app.button] == ["Try two sample photos"]
    assert "not what a person feels" in texts(app)
    assert not app.get("camera_input")


def test_samples_show_faces_with_scores(app: AppTest) -> None:
    button(app, "Try two sample photos")
    assert not app.exception
    assert "2 photos, 2 faces" in texts(app)
    assert app.dataframe[0].value["File"].tolist() == [COLLINS.name, HOPPER.name]
    assert app.dataframe[0].value["Faces"].tolist() == [1, 1]
    (chart,) = app.get("plotly_chart")
    assert all(label in chart.proto.alt for label in load_version().labels)


def test_one_photo_needs_no_table(app: AppTest) -> None:
    upload(app, ("me.jpg", COLLINS.read_bytes()))
    assert not app.dataframe
    assert "1 photo, 1 face" in texts(app)
    assert [image.proto.imgs[0].alt for image in app.get("image")][1:] == [
        "Face 1, cut from the photo",
        "Face 1 as the model saw it",
    ]


def test_one_bad_file_spoils_no_batch(app: AppTest) -> None:
    upload(app, ("good.jpg", COLLINS.read_bytes()), ("bad.jpg", b"not an image at all"), ("wall.jpg", plain_grey()))
    assert "3 photos, 1 face, 1 failed" in texts(app)
    assert "bad.jpg: not an image (received 19 bytes" in texts(app)
    assert app.dataframe[0].value["Problem"].tolist() == ["", "not an image", ""]
    button(app, "Next photo")
    assert "not an image" in app.error[0].value
    button(app, "Next photo")
    assert "No face found" in app.info[0].value
    button(app, "Remove")
    assert "2 photos, 1 face, 1 failed" in texts(app)
    button(app, "Clear")
    assert "No photos yet" in texts(app)


def test_names_of_files_are_no_markup(app: AppTest) -> None:
    name = "**<b>x</b>** [a](http://b) $1$ :red[c].jpg"
    upload(app, (name, b"x"))
    assert name in texts(app)
    assert app.subheader[0].value != name


def test_uploads_add_up_and_the_same_photo_counts_once(app: AppTest) -> None:
    upload(app, ("a.jpg", COLLINS.read_bytes()))
    upload(app, ("b.jpg", HOPPER.read_bytes()), ("a.jpg", COLLINS.read_bytes()))
    assert "2 photos, 2 faces" in texts(app)


def test_photos_beyond_the_limit_are_named(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tray, "MAX_PHOTOS", 1)
    upload(app, ("a.jpg", COLLINS.read_bytes()), ("b.jpg", HOPPER.read_bytes()))
    assert "1 photo, 1 face" in texts(app)
    assert "1 photo left out" in app.warning[0].value
    assert "b.jpg" in texts(app)


def test_rerun_computes_nothing_again(app: AppTest) -> None:
    button(app, "Try two sample photos")
    before = dict(app.session_state["tray"].outcomes)
    app.run()
    after = app.session_state["tray"].outcomes
    assert all(after[identity] is outcome for identity, outcome in before.items())


def test_detector_out_of_reach_leaves_the_page_alive(app: AppTest) -> None:
    button(app, "Try two sample photos")
    app.selectbox(key="detector").select("yunet").run()
    assert not app.exception
    assert "YuNet's weights could not be fetched" in texts(app)
    assert "2 photos waiting" in texts(app)
    app.selectbox(key="detector").select("blazeface").run()
    assert "2 photos, 2 faces" in texts(app)


def test_broken_version_is_marked_and_the_others_work(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    good = load_version().folder
    for name in (good.name, "cut-short", "unmeasured"):
        shutil.copytree(good, tmp_path / "models" / name)
    graph = tmp_path / "models" / "cut-short" / "model.tflite"
    graph.write_bytes(graph.read_bytes()[:1000])
    config = tmp_path / "models" / "unmeasured" / "config.json"
    content = json.loads(config.read_text())
    del content["files"]["metrics.json"]
    config.write_text(json.dumps(content | {"name": "unmeasured"}))
    monkeypatch.setattr(common, "MODELS", tmp_path / "models")
    app.run()
    assert app.selectbox(key="version").options == ["cut-short (broken)", "seed-cnn", "unmeasured"]
    button(app, "Try two sample photos")
    before = app.session_state["tray"].outcomes
    app.selectbox(key="version").select("cut-short").run()
    assert "model.tflite is corrupt" in texts(app)
    assert "2 photos waiting" in texts(app)
    app.selectbox(key="version").select("unmeasured").run()
    assert "not measured" in texts(app)
    assert "2 photos, 2 faces" in texts(app)
    assert app.session_state["tray"].outcomes is not before
    assert not app.exception


def test_camera_stays_off_until_asked_for(app: AppTest) -> None:
    app.segmented_control(key="source").set_value("Camera").run()
    assert not app.get("camera_input")
    assert "not stored" in texts(app)
    button(app, "Switch the camera on")
    app.get("camera_input")[0].set_value(("photo.jpg", COLLINS.read_bytes(), "image/jpeg")).run()
    assert "1 photo, 1 face" in texts(app)
    assert not app.get("camera_input")


def test_phone_photos_are_upright(pipeline: FERPipeline) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    turned = Image.open(COLLINS).crop((0, 0, 512, 400)).transpose(Image.Transpose.ROTATE_90)
    photos = Tray()
    photos.add([Photo("phone.jpg", jpeg(turned, exif=exif))])
    list(photos.classify(pipeline))
    (identity,) = photos.photos
    assert len(photos.outcomes[identity].predictions) == 1
    assert photos.view(identity, pipeline).size == (512, 400)


def test_seen_is_the_models_input_enlarged(pipeline: FERPipeline) -> None:
    photos = Tray()
    photos.add([Photo("a.jpg", HOPPER.read_bytes())])
    list(photos.classify(pipeline))
    (identity,) = photos.photos
    view, (prediction,) = photos.view(identity, pipeline), photos.outcomes[identity].predictions
    assert np.array_equal(view.seen[0][::4, ::4], prediction.crop)
    assert view.portraits[0].shape == (192, 192, 3)


def test_downloads_hold_every_photo_once(pipeline: FERPipeline) -> None:
    photos = Tray()
    collins, hopper = COLLINS.read_bytes(), HOPPER.read_bytes()
    photos.add([Photo("a.jpg", collins), Photo("=b.jpg", b"x"), Photo("x/a.png", hopper), Photo("w.jpg", plain_grey())])
    list(photos.classify(pipeline))
    rows = list(csv.DictReader(io.StringIO(to_csv(photos.records(pipeline), pipeline.classifier.labels))))
    assert [(row["file"], row["face"], bool(row["error"])) for row in rows] == [
        ("a.jpg", "1", False),
        ("'=b.jpg", "", True),
        ("x/a.png", "1", False),
        ("w.jpg", "", False),
    ]
    with zipfile.ZipFile(io.BytesIO(photos.annotated_zip())) as archive:
        assert archive.namelist() == ["a.jpg", "a (2).jpg", "w.jpg"]
        assert load_image(archive.read("a (2).jpg")).shape == load_image(hopper).shape


@pytest.mark.parametrize(("score", "uncertain"), [(0.93, False), (0.5, False), (0.49, True)])
def test_low_scores_are_called_uncertain(score: float, uncertain: bool) -> None:
    rest = (1 - score) / 2
    face = Prediction(
        Face(Box(0, 0, 1, 1), 1.0), {"<b>": score, "sad": rest, "neutral": rest}, np.zeros((48, 48), np.uint8)
    )
    title = common.face_title(face)
    assert ("uncertain" in title) is uncertain
    assert f"{score:.2f}" in title
    assert "&lt;b&gt;" in title


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], []),
        (["a.png", "a.jpg", "A.webp"], ["a.jpg", "a (2).jpg", "A (3).jpg"]),
        (["a (2).jpg", "a.jpg", "a.jpg"], ["a (2).jpg", "a.jpg", "a (3).jpg"]),
        (["../../etc/passwd", "..\\x.jpg", "/abs.jpg"], ["passwd.jpg", "x.jpg", "abs.jpg"]),
        (["", ".", "..", ".jpg", "///"], ["photo.jpg", "photo (2).jpg", "photo (3).jpg", "jpg.jpg", "photo (4).jpg"]),
        (["CON.jpg", "nul", "a\0b\n.jpg", "é\u202egpj.exe"], ["_CON.jpg", "_nul.jpg", "a_b.jpg", "é_gpj.jpg"]),
        (["x" * 300 + ".jpg"], ["x" * 80 + ".jpg"]),
    ],
)
def test_safe_names(names: list[str], expected: list[str]) -> None:
    assert safe_names(names) == expected
