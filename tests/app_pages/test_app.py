"""The pages without a browser: the real detector and the real version on the bundled samples."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import shutil
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from app_pages.compare.gallery import gallery_html
from app_pages.compare.side_by_side import ComparedFace
from app_pages.live.recording import Recording
from app_pages.live.stream import Stream
from app_pages.photos import session
from app_pages.photos.exports import annotated_zip, records_of, safe_names
from app_pages.photos.photo import Photo
from app_pages.photos.session import Visit
from app_pages.photos.sources import SAMPLES
from app_pages.shared import face_cards, sidebar, widgets
from fer import (
    Box,
    EmotionClassifier,
    Face,
    FERPipeline,
    Landmarks,
    Prediction,
    load_detector,
    load_image,
    load_version,
)
from fer.records import to_csv
from fer.registry import base
from fer.registry.base import DEFAULT

ROOT = Path(__file__).resolve().parents[2]
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
    blocks = (
        app.markdown,
        app.caption,
        app.info,
        app.warning,
        app.error,
        app.title,
        app.subheader,
        app.metric,
    )
    words = [element.value for block in blocks for element in block]
    return "\n".join(
        map(str, [*words, *(element.proto.body for element in app.get("html"))])
    ).replace("\\", "")


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
    upload(
        app,
        ("good.jpg", COLLINS.read_bytes()),
        ("bad.jpg", b"not an image at all"),
        ("wall.jpg", plain_grey()),
    )
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
    assert "1 photo added. Left out: a.jpg (already here)." in texts(app)


def test_left_out_files_are_named_until_the_next_change(app: AppTest) -> None:
    collins = COLLINS.read_bytes()
    upload(
        app,
        ("a.jpg", collins),
        ("note_*.txt", b"note"),
        ("big.jpg", bytes(50_000_001)),
        ("a.jpg", collins),
    )
    assert (
        "1 photo added. Left out: note_*.txt (not a picture), big.jpg (50 MB, at most 50 MB), a.jpg"
        " (already here)." in texts(app)
    )
    app.run()
    assert "Left out" in texts(app)
    button(app, "Remove")
    assert "Left out" not in texts(app)
    upload(app, ("note.txt", b"note"))
    assert "No photo added. Left out: note.txt (not a picture)." in texts(app)
    button(app, "Try two sample photos")
    assert "Left out" not in texts(app)


def test_left_out_files_are_not_named_on_another_page(app: AppTest) -> None:
    app.context["url"] = "http://localhost:8501/"
    app.run()
    upload(app, ("a.jpg", COLLINS.read_bytes()), ("note.txt", b"note"))
    assert "Left out" in texts(app)
    app.context["url"] = "http://localhost:8501/compare"
    app.switch_page("app_pages/compare/page.py").run()
    app.segmented_control(key="section").set_value("On your photos").run()
    assert not app.exception
    assert "Left out" not in texts(app)


def test_many_left_out_files_are_folded(app: AppTest) -> None:
    upload(app, ("a.jpg", COLLINS.read_bytes()), *((f"{n}.txt", b"note") for n in range(10)))
    assert "1 photo added. 10 files were left out." in texts(app)
    assert "0.txt" not in texts(app)
    (table,) = app.dataframe
    assert table.value["File"].tolist() == [f"{n}.txt" for n in range(10)]
    assert set(table.value["Reason"]) == {"not a picture"}


def test_photos_beyond_the_limit_are_named(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MAX_PHOTOS", 1)
    upload(app, ("a.jpg", COLLINS.read_bytes()), ("b.jpg", HOPPER.read_bytes()))
    assert "1 photo, 1 face" in texts(app)
    assert (
        "1 photo added. Left out: b.jpg (no room left for you). You can have 300 photos and 500 MB"
        in texts(app)
    )


def test_photos_beyond_the_limit_of_all_are_named(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_MAX_UPLOADS", "1")
    upload(app, ("a.jpg", COLLINS.read_bytes()), ("b.jpg", HOPPER.read_bytes() + bytes(1_000_000)))
    assert (
        "Left out: b.jpg (no room left in the app). The photos of all visitors may take 1 MB"
        in texts(app)
    )
    monkeypatch.setenv("FER_MAX_UPLOADS", "none")
    app.run()
    assert not app.exception
    assert "FER_MAX_UPLOADS is 'none', expected a whole number" in texts(app)
    assert not app.file_uploader


def test_clear_forgets_results_too(app: AppTest) -> None:
    button(app, "Try two sample photos")
    held = app.session_state["visit"]
    app.session_state["side_by_side"] = "portraits"
    button(app, "Clear")
    assert (held.photos, held.results, held._annotated) == ({}, {}, None)
    assert "side_by_side" not in app.session_state


def test_note_tells_how_long_photos_are_kept(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "until at most 3 minutes after you close the page" in texts(app)
    monkeypatch.setattr(widgets.st, "get_option", {"server.disconnectedSessionTTL": 601}.get)
    app.run()
    assert "until at most 12 minutes after you close the page" in texts(app)


def test_rerun_computes_nothing_again(app: AppTest) -> None:
    button(app, "Try two sample photos")
    before = dict(app.session_state["visit"].results)
    app.run()
    after = app.session_state["visit"].results
    assert all(after[identity] is result for identity, result in before.items())


def test_detector_out_of_reach_leaves_the_page_alive(app: AppTest) -> None:
    button(app, "Try two sample photos")
    app.selectbox(key="detector").select("yunet").run()
    assert not app.exception
    assert "YuNet's weights could not be fetched" in texts(app)
    assert "2 photos waiting" in texts(app)
    app.selectbox(key="detector").select("blazeface").run()
    assert "2 photos, 2 faces" in texts(app)


def test_a_picture_that_is_a_face_is_used_whole(app: AppTest) -> None:
    button(app, "Try two sample photos")
    app.selectbox(key="detector").select("none").run()
    assert not app.exception
    assert "2 photos, 2 faces" in texts(app)
    for photo in app.session_state["visit"].photos.values():
        (prediction,) = app.session_state["visit"].results[photo.id].predictions
        height, width = photo.load().shape[:2]
        assert prediction.face.box == Box(0, 0, width, height)


@pytest.mark.parametrize(
    ("size", "shown"), [((48, 48), (640, 640)), ((100, 50), (320, 640)), ((700, 350), (350, 700))]
)
def test_a_small_photo_is_enlarged_before_it_is_annotated(
    size: tuple[int, int], shown: tuple[int, int]
) -> None:
    buffer = io.BytesIO()
    Image.new("L", size[::-1], 128).save(buffer, "PNG")
    photo = Photo("small.png", buffer.getvalue())
    photos = Visit({photo.id: photo})
    pipeline = FERPipeline(load_detector("none"), EmotionClassifier(load_version()))
    assert list(photos.classify(pipeline)) == [0]
    assert photos.annotated(photo.id, pipeline).size == shown


def test_live_looks_for_faces_whatever_photos_does(app: AppTest) -> None:
    app.selectbox(key="detector").select("none").run()
    app.switch_page(LIVE).run()
    assert not app.exception
    assert app.selectbox(key="detector").value == "blazeface"


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
    monkeypatch.setattr(sidebar, "MODELS", tmp_path / "models")
    app.run()
    assert app.selectbox(key="version").options == ["cut-short", DEFAULT, "unmeasured"]
    button(app, "Try two sample photos")
    before = app.session_state["visit"].results
    app.selectbox(key="version").select("cut-short").run()
    assert "model.tflite is corrupt" in texts(app)
    assert "2 photos waiting" in texts(app)
    app.selectbox(key="version").select("unmeasured").run()
    assert "not measured" in texts(app)
    assert "2 photos, 2 faces" in texts(app)
    assert app.session_state["visit"].results is not before
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
    photos = Visit()
    photos.add([Photo("phone.jpg", jpeg(turned, exif=exif))])
    list(photos.classify(pipeline))
    (identity,) = photos.photos
    assert len(photos.results[identity].predictions) == 1
    assert photos.annotated(identity, pipeline).size == (640, 500)


def test_seen_is_the_models_input_enlarged(pipeline: FERPipeline) -> None:
    photos = Visit()
    photos.add([Photo("a.jpg", HOPPER.read_bytes())])
    list(photos.classify(pipeline))
    (identity,) = photos.photos
    annotated, (prediction,) = (
        photos.annotated(identity, pipeline),
        photos.results[identity].predictions,
    )
    assert np.array_equal(annotated.crops[0][::4, ::4], prediction.crop)
    assert annotated.portraits[0].shape == (192, 192, 3)


def test_downloads_hold_every_photo_once(pipeline: FERPipeline) -> None:
    photos = Visit()
    collins, hopper = COLLINS.read_bytes(), HOPPER.read_bytes()
    photos.add(
        [
            Photo("a.jpg", collins),
            Photo("=b.jpg", b"x"),
            Photo("x/a.png", hopper),
            Photo("w.jpg", plain_grey()),
        ]
    )
    list(photos.classify(pipeline))
    rows = list(
        csv.DictReader(
            io.StringIO(to_csv(records_of(photos, pipeline), pipeline.classifier.labels))
        )
    )
    assert [(row["file"], row["face"], bool(row["error"])) for row in rows] == [
        ("a.jpg", "1", False),
        ("'=b.jpg", "", True),
        ("x/a.png", "1", False),
        ("w.jpg", "", False),
    ]
    with zipfile.ZipFile(io.BytesIO(annotated_zip(photos))) as archive:
        assert archive.namelist() == ["a.jpg", "a (2).jpg", "w.jpg"]
        assert load_image(archive.read("a (2).jpg")).shape == load_image(hopper).shape


@pytest.mark.parametrize(
    ("nose", "weak", "labels", "remark", "uncertain"),
    [
        ((20, 25), False, ("happy", "happy"), "", 0),
        ((20, 25), False, ("happy", "sad"), "they disagree", 0),
        ((30, 25), False, ("happy", "happy"), "turned away", 2),
        ((30, 25), True, ("happy", "sad"), "weak detection, turned away, they disagree", 2),
    ],
)
def test_the_caption_of_a_compared_face_says_what_holds_for_every_version(
    nose: tuple[float, float], weak: bool, labels: tuple[str, str], remark: str, uncertain: int
) -> None:
    face = Face(Box(0, 0, 40, 40), 0.9, Landmarks((10, 20), (30, 20), nose), weak=weak)
    scores = [{"happy": 0.1, "sad": 0.1} | {label: 0.9} for label in labels]
    answers = {
        name: Prediction(face, s, np.zeros((8, 8), np.uint8), 0.5)
        for name, s in zip("ab", scores, strict=True)
    }
    markup = gallery_html(
        [ComparedFace("photo.jpg", 1, "data:,", face, answers)], {"a": "A", "b": "B"}
    )
    caption = re.search("<figcaption>(.*)</figcaption>", markup)
    assert caption is not None
    assert re.sub("<[^>]*>", "", caption[1]).strip() == f"photo.jpg, face 1 {remark}".strip()
    assert markup.count("uncertain") == uncertain


@pytest.mark.parametrize(
    ("score", "weak", "remark"),
    [
        (0.93, False, ""),
        (0.5, False, ""),
        (0.49, False, "<small>uncertain: low score</small>"),
        (0.93, True, "<small>uncertain: weak detection</small>"),
        (0.49, True, "<small>uncertain: low score, weak detection</small>"),
    ],
)
def test_the_title_of_a_face_says_why_it_is_uncertain(
    score: float, weak: bool, remark: str
) -> None:
    rest = (1 - score) / 2
    scores = {"<b>": score, "sad": rest, "neutral": rest}
    face = Face(Box(0, 0, 1, 1), 1.0, weak=weak)
    title = face_cards.face_title(
        Prediction(face, scores, np.zeros((48, 48), np.uint8), uncertain_below=0.5)
    )
    assert ("uncertain" in title) is bool(remark)
    assert remark in title
    assert f"{score:.2f}" in title
    assert "&lt;b&gt;" in title


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], []),
        (["a.png", "a.jpg", "A.webp"], ["a.jpg", "a (2).jpg", "A (3).jpg"]),
        (["a (2).jpg", "a.jpg", "a.jpg"], ["a (2).jpg", "a.jpg", "a (3).jpg"]),
        (["../../etc/passwd", "..\\x.jpg", "/abs.jpg"], ["passwd.jpg", "x.jpg", "abs.jpg"]),
        (
            ["", ".", "..", ".jpg", "///"],
            ["photo.jpg", "photo (2).jpg", "photo (3).jpg", "jpg.jpg", "photo (4).jpg"],
        ),
        (
            ["CON.jpg", "nul", "a\0b\n.jpg", "é\u202egpj.exe"],
            ["_CON.jpg", "_nul.jpg", "a_b.jpg", "é_gpj.jpg"],
        ),
        (["x" * 300 + ".jpg"], ["x" * 80 + ".jpg"]),
    ],
)
def test_safe_names(names: list[str], expected: list[str]) -> None:
    assert safe_names(names) == expected


# The page Live

LIVE, PHOTOS = "app_pages/live/page.py", "app_pages/photos/page.py"


@pytest.fixture
def live(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The page Live on localhost after its first run."""
    monkeypatch.setattr("streamlit_webrtc.component.get_this_session_info", lambda: None)
    loop = asyncio.new_event_loop()  # in place of the server's, which AppTest does not run
    monkeypatch.setattr("streamlit_webrtc.relay.get_global_event_loop", lambda: loop)
    for name in ("FER_ICE_SERVERS", "CLOUDFLARE_TURN_KEY_ID", "TWILIO_ACCOUNT_SID"):
        monkeypatch.delenv(name, raising=False)
    app.context["url"] = "http://localhost:8501/live"
    yield app.run().switch_page(LIVE).run()
    if stream := app.session_state.get("live_stream"):
        stream.ended()
    loop.close()


def start(app: AppTest) -> dict[str, object] | None:
    """What the component with START was given, or None where there is none."""
    components = app.get("component_instance")
    return json.loads(components[0].proto.json_args) if components else None


def feed(stream: Stream, frames: int = 3) -> None:
    """Frames of a real face, as the library hands them over."""
    with av.open(COLLINS) as photo:
        portrait = next(photo.decode(video=0)).reformat(240, 240, "yuv420p")
    visitor = threading.Thread(
        target=lambda: [asyncio.run(stream.receive([portrait])) for _ in range(frames)]
    )
    visitor.start()
    visitor.join(20)


def test_live_explains_itself_before_start(live: AppTest) -> None:
    assert not live.exception
    assert not live.error
    assert "frames stay in memory only" in live.info[0].value
    assert "not what anybody feels" in live.info[0].value
    assert "Not running" in texts(live)
    component = start(live)
    assert component is not None
    assert component["rtc_configuration"] == {"iceServers": []}
    assert component["media_stream_constraints"]["audio"] is False
    assert isinstance(live.session_state["live_stream"], Stream)
    assert not [
        thread
        for thread in threading.enumerate()
        if thread.name.startswith(("analysis", "tab watch"))
    ]


@pytest.mark.parametrize(
    ("url", "setting", "servers", "warned"),
    [
        ("https://example.org/live", "", [{"urls": "stun:stun.l.google.com:19302"}], False),
        (
            "https://example.org/live",
            '[{"urls": "stun:a.example.org"}]',
            [{"urls": "stun:a.example.org"}],
            False,
        ),
        ("http://localhost:1/live", "*[x](http://y)*", [], True),
        ("https://example.org/live", "[]", [], False),
    ],
)
def test_live_always_passes_its_own_servers(
    live: AppTest,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    setting: str,
    servers: list[object],
    warned: bool,
) -> None:
    """Without any, the library would ask for some, with the Hub's token."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr(
        "streamlit_webrtc.component.get_available_ice_servers",
        lambda: pytest.fail("servers asked for"),
    )
    monkeypatch.setenv("FER_ICE_SERVERS", setting)
    live.context["url"] = url
    live.run()
    assert not live.exception
    component = start(live)
    assert component is not None
    assert component["rtc_configuration"] == {"iceServers": servers}
    assert "hf_secret" not in json.dumps(component)
    assert len(live.warning) == warned
    if warned:
        assert "finds the reason in its log" in texts(live)
        assert "[x](" not in texts(live)


@pytest.mark.parametrize("url", ["http://192.168.1.7:8501/live", "http://example.org/live", ""])
def test_live_without_https_leads_to_photos(live: AppTest, url: str) -> None:
    live.context["url"] = url
    live.run()
    assert not live.exception
    assert "served over https, or on localhost" in texts(live)
    assert len(live.error) == 1
    (link,) = live.get("page_link")
    assert link.proto.label == "Go to Photos"
    assert (start(live), list(live.info)) == (None, [])


def test_live_with_a_broken_version_has_no_start(
    live: AppTest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    good = load_version().folder
    shutil.copytree(good, tmp_path / "models" / good.name)
    broken = tmp_path / "models" / "**broken**"
    shutil.copytree(good, broken)
    (broken / "model.tflite").write_bytes(b"x")
    monkeypatch.setattr(sidebar, "MODELS", tmp_path / "models")
    monkeypatch.setattr(base, "DEFAULT", "**broken**")
    visitor = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    visitor.context.update(live.context)
    live = visitor.run().switch_page(LIVE).run()
    assert not live.exception
    assert "Version **broken** cannot be used" in texts(live)
    assert "**broken**" not in live.error[0].value
    assert start(live) is None
    assert "live_stream" not in live.session_state
    live.selectbox(key="version").select(good.name).run()
    assert start(live) is not None
    stream = live.session_state["live_stream"]
    before = stream.pipeline
    live.selectbox(key="version").select("**broken**").run()  # while it runs: what runs goes on
    assert not live.exception
    assert "Version **broken** cannot be used" in texts(live)
    assert start(live) is not None
    assert live.session_state["live_stream"] is stream
    assert stream.pipeline is before


def test_live_settings_reach_the_stream_and_keep_it(live: AppTest) -> None:
    stream = live.session_state["live_stream"]
    key = start(live)["component_key"]
    live.slider(key="smoothing").set_value(1.2).run()
    live.toggle(key="mirror").set_value(False).run()
    assert (stream._settings.time_constant, stream._settings.mirror) == (1.2, False)
    assert live.session_state["live_stream"] is stream
    assert start(live)["component_key"] == key
    live.switch_page(PHOTOS).run().switch_page(LIVE).run()
    again = live.session_state["live_stream"]
    assert again is not stream
    assert (again._settings.time_constant, again._settings.mirror) == (1.2, False)


def test_live_shows_what_the_stream_measured(live: AppTest) -> None:
    stream = live.session_state["live_stream"]
    feed(stream)
    live.run()
    assert not live.exception
    assert "Not running" not in texts(live)
    assert "processed fps" in texts(live)
    assert all(label in texts(live) for label in load_version().labels)
    stream._error = ("RuntimeError: **x** [a](http://b)", time.monotonic())
    live.run()
    assert "RuntimeError: **x** [a](http://b)" in texts(live)
    assert "**x**" not in live.warning[0].value


def test_live_records_only_when_asked_to(live: AppTest) -> None:
    stream = live.session_state["live_stream"]
    feed(stream)
    live.run()
    assert len(live.session_state["recording"]) == 0
    assert not live.get("download_button")
    live.toggle(key="record").set_value(True).run()
    feed(stream)
    live.run()
    assert "3 rows recorded; switch Record off to download them" in texts(live)
    assert not live.get("download_button")
    live.toggle(key="record").set_value(False).run()
    offered = [(b.proto.label, b.proto.url) for b in live.get("download_button")]
    assert [label for label, _ in offered] == ["CSV", "JSON"]
    feed(stream)
    live.run()
    assert [(b.proto.label, b.proto.url) for b in live.get("download_button")] == offered
    assert "3 rows recorded" in texts(live)
    rows = list(csv.DictReader(io.StringIO(live.session_state["recording"].to_csv())))
    assert {row["sha256"] for row in rows} == {load_version().sha256}
    button(live, "Clear")
    assert not live.exception
    assert "recorded" not in texts(live)
    assert len(live.session_state["recording"]) == 0


def test_live_records_on_after_clear(live: AppTest) -> None:
    live.toggle(key="record").set_value(True).run()
    recording: Recording = live.session_state["live_stream"].recording
    feed(live.session_state["live_stream"])
    live.run()
    button(live, "Clear")
    assert live.session_state["live_stream"].recording is not recording
    assert live.session_state["live_stream"].recording is live.session_state["recording"]


def test_leaving_live_lets_go_of_the_stream(live: AppTest) -> None:
    kept = {"live_stream", "live", "live_since", "live_watched"}
    assert {"live_stream", "live"} <= set(live.session_state)
    live.switch_page(PHOTOS).run()
    assert not live.exception
    assert not kept & set(live.session_state)
    live.switch_page(LIVE).run()
    assert not live.exception
    assert start(live) is not None


def test_live_takes_a_single_photo_instead(live: AppTest) -> None:
    assert not live.get("camera_input")
    live.toggle(key="single_photo").set_value(True).run()
    for data, words in (
        (b"x", "not an image"),
        (plain_grey(), "No face was found"),
        (COLLINS.read_bytes(), ""),
    ):
        live.get("camera_input")[0].set_value(("photo.jpg", data, "image/jpeg")).run()
        assert not live.exception
        assert words in texts(live)
    (image,) = live.get("image")
    assert image.proto.imgs[0].alt.startswith("happy 0.")
    live.slider(key="smoothing").set_value(1.2).run()
    assert live.get("image")
    live.toggle(key="single_photo").set_value(False).run()
    assert "live_photo" not in live.session_state
