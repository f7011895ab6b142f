"""No secret of the operator reaches a page or a log, however it is broken."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import streamlit as st
from huggingface_hub import constants
from streamlit.testing.v1 import AppTest

from app_pages.live import ice_servers
from app_pages.shared import registries
from demo.hub_server import HubServer
from fer import DownloadError, HubRegistry, load_detector
from tests.factories.published import REPO
from tests.support.providers import answering

pytest_plugins = ["tests.support.hub_fixtures"]

ROOT = Path(__file__).resolve().parents[1]
LIVE, PHOTOS = "app_pages/live/page.py", "app_pages/photos/page.py"
CLOUDFLARE = ("CLOUDFLARE_TURN_KEY_ID", "CLOUDFLARE_TURN_KEY_API_TOKEN")
TWILIO = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")

SECRET = "k3Y4fR-uT7pQ2x-9Xw8vU"
FRAGMENTS = ("k3Y4f", "uT7pQ", "Xw8vU")
BROKEN = {
    "a line break at its end": SECRET + "\n",
    "a line break within": SECRET[:10] + "\n" + SECRET[10:],
    "a vertical tab within": SECRET[:10] + "\v" + SECRET[10:],
    "a letter that is not ASCII": SECRET + "é",
    "quotes around it": f'"{SECRET}"',
    "curly quotes around it": f"\u201c{SECRET}\u201d",
    "a zero-width space within": SECRET[:10] + "\u200b" + SECRET[10:],
    "a space within": SECRET[:10] + " " + SECRET[10:],
    "two lines of a file": f"# my key\n{SECRET}",
    "another one that is refused": SECRET,
}


@pytest.fixture(scope="module")
def live() -> Iterator[AppTest]:
    """The page Live on localhost after its first run."""
    loop = asyncio.new_event_loop()  # in place of the server's, which AppTest does not run
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streamlit_webrtc.component.get_this_session_info", lambda: None)
        patch.setattr("streamlit_webrtc.relay.get_global_event_loop", lambda: loop)
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.context["url"] = "http://localhost:8501/live"
        yield app.run().switch_page(LIVE).run()
    app.session_state["live_stream"].ended()
    loop.close()


@pytest.fixture(autouse=True)
def everything_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every logger there is, the libraries' too, says all it can to the log that pytest keeps."""
    loggers = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
    for logger in (logging.root, *loggers):
        monkeypatch.setattr(logger, "level", logging.DEBUG)
        monkeypatch.setattr(logger, "propagate", True)
        monkeypatch.setattr(logger, "_cache", {})


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (ice_servers.SERVERS, *CLOUDFLARE, *TWILIO):
        monkeypatch.setenv(name, "")
    for remembering in (ice_servers._provided, ice_servers._ask, ice_servers.tell_operator):
        remembering.clear()


class Refusal(BaseHTTPRequestHandler):
    """A provider that repeats to whom it answers what it was told."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        told = f"{self.path} {self.headers['Authorization']}"
        self.send_error(403, told, told)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real server in place of the providers."""
    with answering(Refusal, monkeypatch):
        yield


def shown(app: AppTest) -> str:
    """Everything that the server sends to the browser.

    But for the servers of the connection itself.
    """
    elements = [element for block in (app.main, app.sidebar) for element in block]
    return "\n".join(
        f"{element.proto}"
        for element in elements
        if getattr(element, "proto", None) is not None and element.type != "component_instance"
    )


def assert_no_secret(text: str) -> None:
    found = [fragment for fragment in FRAGMENTS if fragment in text]
    assert not found, text


@pytest.fixture
def reasons(
    live: AppTest, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Callable[[], list[str]]:
    """Look at Live twice, find no secret there, in the log or on the terminal.

    And tell what the operator reads.
    """

    def look() -> list[str]:
        live.run().run()
        assert not live.exception
        assert_no_secret(shown(live))
        assert_no_secret(caplog.text)
        assert_no_secret("".join(capfd.readouterr()))
        (warning,) = live.warning
        assert warning.value.endswith("finds the reason in its log.")
        return [
            record.getMessage() for record in caplog.records if record.name == ice_servers.__name__
        ]

    return look


@pytest.mark.usefixtures("refusing")
@pytest.mark.parametrize("form", BROKEN)
@pytest.mark.parametrize(
    ("names", "broken"), [(names, i) for names in (CLOUDFLARE, TWILIO) for i in (0, 1)]
)
def test_credentials_of_a_provider(
    monkeypatch: pytest.MonkeyPatch,
    reasons: Callable[[], list[str]],
    names: tuple[str, str],
    broken: int,
    form: str,
) -> None:
    monkeypatch.setenv(names[1 - broken], SECRET)
    monkeypatch.setenv(names[broken], BROKEN[form])
    (reason,) = reasons()
    sendable = form in ("a line break at its end", "another one that is refused")
    assert ("it answered 403" if sendable else f"{names[broken]} holds a character") in reason


@pytest.mark.parametrize("name", [*CLOUDFLARE, *TWILIO])
def test_one_of_a_pair(
    monkeypatch: pytest.MonkeyPatch, reasons: Callable[[], list[str]], name: str
) -> None:
    monkeypatch.setenv(name, SECRET)
    (reason,) = reasons()
    assert "belong together" in reason


SERVER = {"urls": "turn:turn.example.org", "username": SECRET, "credential": SECRET}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(SERVER),
        json.dumps([SERVER])[:-1] + ",]",
        json.dumps([SERVER])[:-10],
        json.dumps([SERVER])[:60],
        json.dumps([SERVER]).replace(SECRET, SECRET[:10] + "\n" + SECRET[10:]),
        json.dumps([SERVER]).replace('"', "'"),
        json.dumps([SERVER]).replace('"', "\u201d"),
        json.dumps(json.dumps([SERVER])),
        f"'{json.dumps([SERVER])}'",
        f"\u200b{json.dumps([SERVER])}",
        json.dumps([{**SERVER, "password": SECRET}]),
        json.dumps([{"urls": SERVER["urls"], "username": SECRET}]),
        json.dumps([{"urls": SERVER["urls"], "credential": SECRET}]),
        json.dumps([{**SERVER, "credential": [SECRET]}]),
        json.dumps([{**SERVER, "urls": f"turn:{SECRET}@turn.example.org"}]),
        SECRET,
    ],
)
def test_servers_of_the_operator(
    monkeypatch: pytest.MonkeyPatch, reasons: Callable[[], list[str]], text: str
) -> None:
    monkeypatch.setenv(ice_servers.SERVERS, text)
    (reason,) = reasons()
    assert reason.startswith("TURN servers: FER_ICE_SERVERS cannot be used: received ")


@pytest.mark.parametrize("form", BROKEN)
def test_token_of_the_hub(
    hub: HubServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    form: str,
) -> None:
    monkeypatch.setenv("HF_TOKEN", BROKEN[form])
    monkeypatch.setenv("FER_HUB_REPO", REPO)
    monkeypatch.setattr(
        registries,
        "open_registry",
        lambda name, token: HubRegistry(name, token=token, endpoint=hub.url),
    )
    st.cache_resource.clear()
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not app.exception
    assert_no_secret(shown(app))
    assert_no_secret(caplog.text)
    assert_no_secret("".join(capfd.readouterr()))
    (warning,) = (element.value.replace("\\", "") for element in app.warning)
    sendable = "line break" in form or form == "another one that is refused"
    assert (
        "refuses the token (401)" if sendable else "the token holds a character that no token has"
    ) in warning


@pytest.mark.parametrize("form", BROKEN)
def test_a_public_detector_is_fetched_without_the_token(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", BROKEN[form])
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    with pytest.raises(DownloadError, match=r"YuNet's weights could not be fetched") as caught:
        load_detector("yunet")
    assert_no_secret("".join(traceback.format_exception(caught.value)))
