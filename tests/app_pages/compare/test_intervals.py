"""Charts of intervals."""

from __future__ import annotations

import pytest

from tests.support.pages import choose, open_page, texts


@pytest.mark.usefixtures("models")
def test_every_row_is_told_with_its_interval() -> None:
    words = texts(choose(open_page(), "v1.1.0", "v1.0.0"))
    assert "Accuracy with 95 % intervals. FER2013: v1.1.0 0.800 (0.776 to 0.822), v1.0.0" in words
    assert "Recall with 95 % intervals. happy: v1.1.0 0.800" in words
