"""What a visitor is told when versions go and aliases move."""

from __future__ import annotations

import pytest
from huggingface_hub import HfApi

from fer import Aliases, Target
from tests.factories.published import REPO, move, set_aliases
from tests.support.pages import COMPARE, PHOTOS, choose, open_page, press, toasts

pytest_plugins = ["tests.support.hub_fixtures"]
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")


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


def test_a_visitor_stays_on_the_version_that_is_named(
    published: dict[str, str], writer: HfApi
) -> None:
    app = open_page(PHOTOS)
    promote(writer, published, "v1.1.0")
    press(app, "Refresh")
    assert app.selectbox(key="version").value == "v1.0.0"
    assert toasts(app) == ["production is now v1.1.0; you stay on v1.0.0."]
    app.run()
    assert not toasts(app)
    press(app, "Switch")
    assert app.selectbox(key="version").value == "v1.1.0"
    assert not toasts(app)
    assert "Switch" not in [button.key for button in app.button]
    app.selectbox(key="version").select("v1.2.0").run()
    app.switch_page(COMPARE).run()
    app.switch_page(PHOTOS).run()
    assert app.selectbox(key="version").value == "v1.2.0"
    assert not app.exception


@pytest.mark.usefixtures("published")
def test_a_version_that_goes_is_told(writer: HfApi) -> None:
    app = open_page(PHOTOS)
    app.selectbox(key="version").select("v1.2.0").run()
    writer.delete_tag(REPO, tag="v1.2.0")
    press(app, "Refresh")
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
    press(app, "Refresh")
    assert app.multiselect[0].value == ["v1.2.0", "v1.0.0"]
    assert toasts(app) == ["production is now v1.1.0; you stay on v1.0.0."]
    writer.delete_tag(REPO, tag="v1.2.0")
    press(app, "Refresh")
    assert app.multiselect[0].value == ["v1.0.0"]
    assert toasts(app) == ["v1.2.0 is no longer offered; in use now: v1.0.0."]
    assert not app.exception
