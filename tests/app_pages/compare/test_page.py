"""The page Compare without a browser: on a folder and on a repo of the Hub for tests."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path
from typing import Literal

import pytest
import streamlit as st
from huggingface_hub import HfApi
from streamlit.testing.v1 import AppTest

from app_pages.compare.charts_of_all import frontier
from app_pages.photos.sources import SAMPLES
from app_pages.shared import catalogue, sidebar
from app_pages.shared.catalogue import FER2013
from demo.hub_server import Answer, HubServer
from fer import LABELS, Aliases, HubRegistry, Target
from fer.registry.base import DEFAULT
from fer.registry.bundled import BundledRegistry
from fer.versions.folder import METRICS
from tests.factories.compared import CROPS, publish, publish_versions, seal, write_versions
from tests.factories.measured import write_measured
from tests.factories.published import REPO, move, set_aliases
from tests.factories.versions import SEED, tiny_graph, weights, write_tiny

pytest_plugins = ["tests.support.hub_fixtures"]
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")

ROOT = Path(__file__).resolve().parents[3]
BUNDLED_NAMES = [ref.name for ref in BundledRegistry().list().versions]


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of four versions in place of the bundled one."""
    folder = write_versions(tmp_path / "models")
    monkeypatch.setattr(sidebar, "MODELS", folder)
    return folder


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_HUB_REPO", "")
    monkeypatch.setenv("FER_ALLOW_ANY_REPO", "")
    st.cache_resource.clear()


@pytest.fixture
def published(
    hub: HubServer, writer: HfApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The four versions in a repo, v1.0.0 in production, the app set to it.

    Their commits by name.
    """
    commits = publish_versions(writer, tmp_path / "published")
    visit(monkeypatch, hub, REPO)
    return commits


def visit(monkeypatch: pytest.MonkeyPatch, hub: HubServer, repo: str) -> None:
    """Set the app to a repo of the Hub for tests."""
    monkeypatch.setenv("FER_HUB_REPO", repo)

    def opened(name: str, token: Literal[False] | None) -> HubRegistry:
        return HubRegistry(name, token=hub.read_token if token is None else token, endpoint=hub.url)

    monkeypatch.setattr(catalogue, "open_registry", opened)


def open_page(page: str = "compare", **state: object) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    for key, value in state.items():
        app.session_state[key] = value
    app.switch_page(f"app_pages/{page}/page.py").run()
    assert not app.exception
    return app


def section(app: AppTest, name: str) -> AppTest:
    app.segmented_control(key="section").set_value(name).run()
    assert not app.exception
    return app


def choose(app: AppTest, *names: str) -> AppTest:
    app.multiselect[0].set_value(list(names)).run()
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


@pytest.mark.usefixtures("models")
def test_the_better_of_two_is_named() -> None:
    app = choose(open_page(), "v1.1.0", "v1.0.0")
    assert "v1.1.0 is better: +10.0 points, 95 % interval" in texts(app)
    assert "Exact McNemar test: p &lt; 0.001" in texts(app)
    assert len(app.get("plotly_chart")) == 4


@pytest.mark.usefixtures("models")
def test_table_lists_every_version_and_says_what_is_broken() -> None:
    app = open_page()
    table = app.dataframe[0].value
    assert sorted(table["Version"]) == ["v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0 (broken)"]
    accuracies = dict(zip(table["Version"], table["FER2013 (95 %)"], strict=True))
    assert accuracies["v1.1.0"] == "0.800 (0.776 to 0.822) of 1,200"
    assert "metrics.json is corrupt" in texts(app)
    assert "v1.3.0" not in app.multiselect[0].options


@pytest.mark.usefixtures("models")
def test_other_test_sets_are_refused_with_the_reason() -> None:
    app = choose(open_page(), "v1.0.0", "v1.2.0")
    assert "v1.0.0 and v1.2.0 cannot be compared." in texts(app)
    assert "the test sets fer2013 differ (aaaaaaaaaaaa and bbbbbbbbbbbb)" in texts(app)
    assert "measured on different test pictures of fer2013" in texts(app)


def test_other_labels_are_refused_and_still_drawn(models: Path) -> None:
    shutil.copytree(SEED, models / "seed-cnn")
    app = choose(open_page(), "v1.0.0", "seed-cnn")
    app.selectbox(key="labelling").set_value(FER2013).run()
    assert "they know different expressions" in texts(app)
    for name in ("Confusion", "Calibration"):
        assert (
            len(section(app, name).get("plotly_chart")) == {"Confusion": 2, "Calibration": 1}[name]
        )


def test_ordinary_faces_lead_where_they_were_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, accuracy, ordinary in (
        ("v1.0.0", 0.9, 0.5),
        ("v1.1.0", 0.7, 0.8),
        ("v1.2.0", 0.8, None),
    ):
        write_measured(tmp_path / name, accuracy, ordinary=ordinary, crops=CROPS)
    monkeypatch.setattr(sidebar, "MODELS", tmp_path)
    app = choose(open_page(), "v1.1.0", "v1.0.0")
    assert app.selectbox(key="labelling").options[:2] == ["Ordinary faces", "FER2013"]
    assert "v1.1.0 is better: +30.0 points" in texts(app)
    assert "Ordinary faces. McNemar's and, over 100 people, Obuchowski's test" in html.unescape(
        texts(app)
    )
    table = app.dataframe[0].value.set_index("Version")
    assert table["Ordinary faces (95 %)"]["v1.1.0"].startswith("0.800 (")
    assert table["FER2013 (95 %)"]["v1.1.0"].startswith("0.700 (")
    assert "Recall with 95 % intervals. happy: v1.1.0 0.800" in texts(app)
    words = texts(section(app, "Confusion"))
    assert "v1.1.0 on Ordinary faces; share recognised of each: happy 0.80" in words
    assert "v1.1.0 minus v1.0.0 in points" in words
    assert len(section(app, "Calibration").get("plotly_chart")) == 1
    words = texts(section(choose(app, "v1.2.0", "v1.1.0"), "Confusion"))
    assert "Left out, since it was not measured on Ordinary faces: v1.2.0" in words
    assert "v1.2.0 and v1.1.0 cannot be compared" in words
    app.selectbox(key="labelling").set_value(FER2013).run()
    assert "v1.2.0 is better: +10.0 points" in texts(app)


def test_the_sidebar_leads_with_ordinary_faces_and_names_fer2013(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_measured(tmp_path / "both", 0.8, ordinary=0.6, crops=CROPS)
    monkeypatch.setattr(sidebar, "MODELS", tmp_path)
    app = open_page("photos")
    assert [(metric.label, metric.value) for metric in app.metric] == [
        ("Right on ordinary faces", "60.0 %")
    ]
    assert "On FER2013 80.0 %, 95 % interval 77.6 to 82.2 %, n = 1,200" in texts(app)
    shutil.rmtree(tmp_path / "both")
    write_measured(tmp_path / "one", 0.8, crops=CROPS)
    st.cache_resource.clear()
    app = open_page("photos")
    assert [(metric.label, metric.value) for metric in app.metric] == [
        ("Right on FER2013", "80.0 %")
    ]


@pytest.mark.usefixtures("models")
def test_calibration_says_what_chance_alone_would_give() -> None:
    app = section(choose(open_page(), "v1.1.0", "v1.0.0"), "Calibration")
    said = [
        found.value
        for found in app.caption
        if found.value.startswith("Scores that are exactly right")
    ]
    assert len(said) == 2
    for text in said:
        low, high = (float(number) for number in re.findall(r"0\.\d{3}", text))
        assert 0 < low < high < 0.3


@pytest.mark.usefixtures("models")
def test_many_versions_stand_against_the_first() -> None:
    app = choose(open_page(), "v1.1.0", "v1.0.0", "v1.2.0")
    assert "v1.1.0 is better" in texts(app)
    assert "v1.1.0 and v1.2.0 cannot be compared" in texts(app)


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("name", "charts", "words"),
    [
        ("Overview", 4, "Recall with 95 % intervals. happy: v1.1.0 0.800"),
        ("Confusion", 3, "v1.1.0 minus v1.0.0 in points"),
        ("Calibration", 1, "Reliability diagram"),
        ("Robustness", 1, "Accuracy under blur (sigma, pixels) by strength: v1.1.0 0.80 0.72"),
        ("Card and history", 0, "No alias was ever set here"),
    ],
)
def test_sections_describe_their_charts(name: str, charts: int, words: str) -> None:
    app = section(choose(open_page(), "v1.1.0", "v1.0.0"), name)
    assert len(app.get("plotly_chart")) == charts
    assert words in texts(app)


def test_robustness_is_shown_where_it_was_measured(models: Path) -> None:
    folder = models / "v1.0.0"
    metrics = json.loads((folder / METRICS).read_text())
    del metrics["test_sets"]["fer2013"]["robustness"]
    (folder / METRICS).write_text(json.dumps(metrics))
    seal(folder)
    app = section(choose(open_page(), "v1.1.0", "v1.0.0"), "Robustness")
    assert "v1.1.0** keeps 80.0% of its accuracy on FER2013" in texts(app)
    assert "Left out" in texts(app)
    assert "evaluate a version again" in texts(section(choose(app, "v1.0.0"), "Robustness"))


@pytest.mark.usefixtures("models")
def test_card_is_shown_without_its_head_scripts_and_pictures() -> None:
    app = section(choose(open_page(), "v1.1.0", "v1.0.0"), "Card and history")
    (card,) = (
        element.proto.body
        for element in app.get("html")
        if 'class="fer-model-card"' in element.proto.body
    )
    assert card.startswith('<div class="fer-model-card"><h3>')
    assert "a picture of a spy" in card
    assert "spy.example" not in card
    assert "script" not in card


@pytest.mark.usefixtures("models")
def test_speed_is_measured_at_a_click() -> None:
    app = choose(open_page(), "v1.1.0", "v1.0.0")
    next(button for button in app.button if button.label == "Measure speed here").click().run()
    assert not app.exception
    assert "of the slowest" in texts(app)
    assert "Accuracy (FER2013) against Milliseconds for one face" in texts(app)
    assert app.dataframe[0].value["ms here"].notna().sum() == 2


@pytest.mark.usefixtures("models")
def test_photos_are_seen_by_all_versions() -> None:
    app = section(choose(open_page(), "v1.1.0", "v1.0.0"), "On your photos")
    photos = [
        (path.name, path.read_bytes(), "image/jpeg") for path in sorted(SAMPLES.glob("*.jpg"))
    ]
    app.file_uploader[0].set_value([*photos, ("bad.jpg", b"no image", "image/jpeg")]).run()
    assert not app.exception
    assert "Both versions give the same expression to" in texts(app)
    assert "of 2 faces" in texts(app)
    assert "bad.jpg: not an image" in texts(app)
    assert texts(app).count("<figure>") == 2


def test_one_version_says_how_to_get_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_measured(tmp_path / "models" / "only", crops=CROPS)
    monkeypatch.setattr(sidebar, "MODELS", tmp_path / "models")
    app = open_page()
    assert "1 version can be used so far" in texts(app)
    assert len(app.get("plotly_chart")) == 2
    for name in ("Confusion", "Calibration", "Robustness", "On your photos", "Card and history"):
        section(app, name)


def test_nothing_at_all_keeps_the_page_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sidebar, "MODELS", tmp_path)
    assert "0 versions can be used so far" in texts(open_page())


def test_repo_shows_aliases_history_and_the_others_beside_a_broken_one(
    published: dict[str, str],
) -> None:
    app = open_page()
    table = app.dataframe[0].value
    assert table["Version"].tolist() == ["v1.3.0 (broken)", "v1.2.0", "v1.1.0", "v1.0.0"]
    assert table["Sha"].tolist()[-1] == published["v1.0.0"][:8]
    assert app.multiselect[0].value == ["v1.0.0", "v1.2.0"]
    assert "version v1.3.0" not in texts(app)
    assert "after a fresh download" in texts(app)
    words = texts(section(app, "Card and history"))
    assert "<b>production</b> v1.1.0 → v1.0.0" in words


@pytest.mark.usefixtures("published")
def test_photos_page_offers_the_repo_and_starts_in_production(hub: HubServer) -> None:
    app = open_page("photos")
    version = app.selectbox(key="version")
    assert version.options == ["v1.3.0", "v1.2.0", "v1.1.0", "v1.0.0"]
    assert version.value == "v1.0.0"
    assert "production" in texts(app)
    assert hub.count("GET", "model.tflite") == 1
    open_page("photos")
    assert hub.count("GET", "model.tflite") == 1
    app.selectbox(key="source of versions").select("bundled").run()
    assert app.selectbox(key="version").value == DEFAULT
    assert not app.exception


@pytest.mark.usefixtures("published")
def test_unreachable_repo_falls_back_to_the_bundled_versions(hub: HubServer) -> None:
    hub.fault(Answer(503))
    app = open_page()
    assert "Shown instead are the versions that came with this app" in app.warning[0].value.replace(
        "\\", ""
    )
    assert app.dataframe[0].value["Version"].tolist() == BUNDLED_NAMES


@pytest.mark.usefixtures("published")
def test_offline_the_last_list_is_shown_with_a_notice(hub: HubServer) -> None:
    open_page()
    st.cache_resource.clear()
    hub.fault(Answer(503))
    app = open_page()
    assert "Offline:" in texts(app)
    assert "v1.0.0" in app.dataframe[0].value["Version"].tolist()


@pytest.mark.usefixtures("published")
def test_refresh_shows_what_was_published_meanwhile(writer: HfApi, tmp_path: Path) -> None:
    app = open_page()
    publish(writer, write_measured(tmp_path / "v2.0.0", 0.85))
    app.run()
    assert "v2.0.0" not in app.dataframe[0].value["Version"].tolist()
    app.button(key="Refresh").click().run()
    assert app.dataframe[0].value["Version"].tolist()[0] == "v2.0.0"


def promote(writer: HfApi, commits: dict[str, str], name: str, former: str = "v1.0.0") -> None:
    """Move production, as `training.promote` does."""
    history = [
        move(
            "production",
            version,
            commits[version],
            Target(before, commits[before]) if before else None,
        )
        for version, before in (("v1.0.0", ""), (name, former))
    ]
    set_aliases(writer, Aliases(tuple(history)).to_bytes())


def toasts(app: AppTest) -> list[str]:
    return [toast.value.replace("\\", "") for toast in app.toast]


def test_a_visitor_stays_on_the_version_that_is_named(
    published: dict[str, str], writer: HfApi
) -> None:
    app = open_page("photos")
    promote(writer, published, "v1.1.0")
    app.button(key="Refresh").click().run()
    assert app.selectbox(key="version").value == "v1.0.0"
    assert toasts(app) == ["production is now v1.1.0; you stay on v1.0.0."]
    app.run()
    assert not toasts(app)
    app.button(key="Switch").click().run()
    assert app.selectbox(key="version").value == "v1.1.0"
    assert not toasts(app)
    assert "Switch" not in [button.key for button in app.button]
    app.selectbox(key="version").select("v1.2.0").run()
    app.switch_page("app_pages/compare/page.py").run()
    app.switch_page("app_pages/photos/page.py").run()
    assert app.selectbox(key="version").value == "v1.2.0"
    assert not app.exception


@pytest.mark.usefixtures("published")
def test_a_version_that_goes_is_told(writer: HfApi) -> None:
    app = open_page("photos")
    app.selectbox(key="version").select("v1.2.0").run()
    writer.delete_tag(REPO, tag="v1.2.0")
    app.button(key="Refresh").click().run()
    assert app.selectbox(key="version").value == "v1.0.0"
    assert toasts(app) == ["v1.2.0 is no longer offered; in use now: v1.0.0."]
    app.run()
    assert not toasts(app)
    assert not app.warning


def test_the_versions_compared_stay_when_an_alias_moves_or_one_goes(
    published: dict[str, str], writer: HfApi
) -> None:
    app = choose(open_page(), "v1.2.0", "v1.0.0")
    promote(writer, published, "v1.1.0")
    app.button(key="Refresh").click().run()
    assert app.multiselect[0].value == ["v1.2.0", "v1.0.0"]
    assert toasts(app) == ["production is now v1.1.0; you stay on v1.0.0."]
    writer.delete_tag(REPO, tag="v1.2.0")
    app.button(key="Refresh").click().run()
    assert app.multiselect[0].value == ["v1.0.0"]
    assert toasts(app) == ["v1.2.0 is no longer offered; in use now: v1.0.0."]
    assert not app.exception


@pytest.mark.parametrize("repo", ["no repo", "tester/absent", "../../etc"])
def test_wrong_repos_are_named(hub: HubServer, monkeypatch: pytest.MonkeyPatch, repo: str) -> None:
    visit(monkeypatch, hub, repo)
    app = open_page()
    assert "came with this app" in texts(app)
    assert repo in texts(app)


def test_visitors_name_a_repo_only_where_it_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "source of versions" not in [box.key for box in open_page("photos").selectbox]
    monkeypatch.setenv("FER_ALLOW_ANY_REPO", "1")
    app = open_page("photos")
    assert app.selectbox(key="source of versions").proto.accept_new_options


@pytest.mark.usefixtures("published")
def test_the_server_s_token_opens_nothing_for_visitors(
    hub: HubServer, writer: HfApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_ALLOW_ANY_REPO", "1")
    writer.update_repo_settings(REPO, private=True)
    app = open_page()
    assert "v1.2.0" in app.dataframe[0].value["Version"].tolist()
    st.cache_resource.clear()
    visit(monkeypatch, hub, "tester/other")
    app = open_page("compare", **{"source of versions": REPO})
    assert "no token was sent" in texts(app)
    assert app.dataframe[0].value["Version"].tolist() == BUNDLED_NAMES


def test_unusual_expressions_are_named(models: Path) -> None:
    shutil.rmtree(models)
    write_tiny(models / "tiny", name="tiny", labels=("happy", "angry_1", "sad"))
    app = open_page("photos")
    assert (
        "Unusual: it knows happy, angry_1, sad instead of happy, sad, neutral, surprised"
        in texts(app)
    )


def test_a_version_of_seven_expressions_tells_how_many_it_knows(models: Path) -> None:
    shutil.rmtree(models)
    graph = tiny_graph(weights(classes=7))
    write_tiny(
        models / "tiny", graph, name="tiny", labels=(*LABELS, "angry", "disgusted", "afraid")
    )
    app = open_page("photos")
    assert "It knows 7 expressions" in texts(app)
    assert "Unusual" not in texts(app)


def test_four_and_seven_expressions_are_compared_on_those_that_both_know() -> None:
    app = choose(open_page(), "flagship", "flagship-seven")
    words = texts(app)
    assert (
        "Of happy, sad, neutral, surprised alone the likeliest counts here: flagship-seven knows 7"
        in words
    )
    assert re.search(r"points, 95 % interval|not distinguishable", words)
    assert "cannot be compared" not in words
    assert "flagship-seven on Ordinary faces; share recognised of each: happy" in texts(
        section(app, "Confusion")
    )


@pytest.mark.parametrize(
    ("points", "best"),
    [
        ([], []),
        ([(1, 0.8)], [(1, 0.8)]),
        ([(2, 0.9), (1, 0.8), (3, 0.85), (1, 0.7)], [(1, 0.8), (2, 0.9)]),
    ],
)
def test_frontier(points: list[tuple[float, float]], best: list[tuple[float, float]]) -> None:
    assert frontier(points) == best
