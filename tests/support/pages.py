"""Pages without a browser: open one, press its buttons, read its words."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Literal

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from app_pages.photos.sources import SAMPLES
from app_pages.shared import registries
from demo.hub_server import HubServer
from fer import HubRegistry

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = "app_pages/photos/page.py"
LIVE = "app_pages/live/page.py"
COMPARE = "app_pages/compare/page.py"
COLLINS = SAMPLES / "eileen-collins.jpg"
HOPPER = SAMPLES / "grace-hopper.jpg"


def new_app() -> AppTest:
    """The app as a new visitor opens it, after its first run; only then can a page be named."""
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()


def open_page(page: str = COMPARE, *, source: str = "") -> AppTest:
    """A page as a new visitor opens it, who has named a repo as the source where one is given."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if source:
        app.session_state["source of versions"] = source
    app.run()
    if source:
        # AppTest sends what is among the options only, though visitors may type something else
        app.selectbox(key="source of versions").options.append(source)
    app.switch_page(page).run()
    assert not app.exception
    return app


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
    bodies = [element.proto.body for element in app.get("html")]
    charts = [chart.proto.alt for chart in app.get("plotly_chart")]
    return "\n".join(map(str, [*words, *bodies, *charts])).replace("\\", "")


def toasts(app: AppTest) -> list[str]:
    return [toast.value.replace("\\", "") for toast in app.toast]


def press(app: AppTest, label: str) -> AppTest:
    """Press the button of this label or key."""
    return next(b for b in app.button if label in (b.label, b.key)).click().run()


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    app.file_uploader[0].set_value([(name, data, "image/jpeg") for name, data in files]).run()
    assert not app.exception
    return app


def open_section(app: AppTest, name: str) -> AppTest:
    """Open a section of the page Compare."""
    app.segmented_control(key="section").set_value(name).run()
    assert not app.exception
    return app


def choose(app: AppTest, *names: str) -> AppTest:
    """Compare these versions."""
    app.multiselect[0].set_value(list(names)).run()
    assert not app.exception
    return app


def set_repo(monkeypatch: pytest.MonkeyPatch, hub: HubServer, repo: str) -> None:
    """Set the app to a repo of the Hub for tests."""
    monkeypatch.setenv("FER_HUB_REPO", repo)

    def opened(name: str, token: Literal[False] | None) -> HubRegistry:
        return HubRegistry(name, token=hub.read_token if token is None else token, endpoint=hub.url)

    monkeypatch.setattr(registries, "open_registry", opened)


def forget_versions() -> None:
    """Let the next page ask for versions anew."""
    st.cache_resource.clear()


def jpeg(image: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def plain_grey() -> bytes:
    return jpeg(Image.new("RGB", (320, 240), "grey"))
