"""The page Live without a browser and without a camera."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from streamlit.testing.v1 import AppTest

from app_pages.live.recording import Recording
from app_pages.live.stream import Stream
from app_pages.shared import sidebar
from fer import load_version
from fer.registry import base
from tests.support.pages import COLLINS, LIVE, PHOTOS, ROOT, plain_grey, press, texts


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


def test_live_looks_for_faces_whatever_photos_does(app: AppTest) -> None:
    app.selectbox(key="detector").select("none").run()
    app.switch_page(LIVE).run()
    assert not app.exception
    assert app.selectbox(key="detector").value == "blazeface"


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
    press(live, "Clear")
    assert not live.exception
    assert "recorded" not in texts(live)
    assert len(live.session_state["recording"]) == 0


def test_live_records_on_after_clear(live: AppTest) -> None:
    live.toggle(key="record").set_value(True).run()
    recording: Recording = live.session_state["live_stream"].recording
    feed(live.session_state["live_stream"])
    live.run()
    press(live, "Clear")
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
