"""The table of all versions."""

from __future__ import annotations

import pytest

from tests.support.pages import open_page, texts


@pytest.mark.usefixtures("models")
def test_table_lists_every_version_and_says_what_is_broken() -> None:
    app = open_page()
    table = app.dataframe[0].value
    assert sorted(table["Version"]) == ["v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0 (broken)"]
    accuracies = dict(zip(table["Version"], table["FER2013 (95 %)"], strict=True))
    assert accuracies["v1.1.0"] == "0.800 (0.776 to 0.822) of 1,200"
    assert "metrics.json is corrupt" in texts(app)
    assert "v1.3.0" not in app.multiselect[0].options
