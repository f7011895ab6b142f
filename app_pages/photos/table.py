"""The table of all photos, in which one is chosen to look at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import streamlit as st

from app_pages.photos.session import Visit
from fer.colors import color_of

_KEY = "table"
_HEAD_HEIGHT = 38
_ROW_HEIGHT = 44
_ROWS_VISIBLE = 6.5  # half a row says that there is more


def choose_photo(visit: Visit, labels: Sequence[str]) -> str:
    """The id of the photo to look at; from two photos on, a table of all of them asks."""
    identities = list(visit.photos)
    if len(identities) == 1:
        return identities[0]
    columns = ["Photo", "File", "Expressions", "Scores", "Faces"]
    if visit.failed():
        columns.append("Problem")
    st.dataframe(
        [_row(visit, identity) for identity in identities],
        key=_KEY,
        on_select="rerun",
        selection_mode="single-row-required",
        hide_index=True,
        row_height=_ROW_HEIGHT,
        height=round(_HEAD_HEIGHT + _ROW_HEIGHT * min(len(identities), _ROWS_VISIBLE)),
        column_order=columns,
        column_config=_column_config(labels),
        alt="All photos with their expressions; the selected one is shown below",
    )
    return identities[_selected_row(len(identities))]


def select_row(index: int) -> None:
    """Choose the photo in this row, as a click on it would."""
    st.session_state[_KEY] = {"selection": {"rows": [index]}}


def _selected_row(rows: int) -> int:
    selection = st.session_state.get(_KEY, {}).get("selection", {}).get("rows", [])
    return min(selection[0], rows - 1) if selection else 0


def _column_config(labels: Sequence[str]) -> dict[str, Any]:
    colors = [color_of(label, labels) for label in labels]
    return {
        "Photo": st.column_config.ImageColumn(width=64),
        "File": st.column_config.TextColumn(width=140),
        "Faces": st.column_config.NumberColumn(width=64),
        "Expressions": st.column_config.MultiselectColumn(options=labels, color=colors, width=260),
        "Scores": st.column_config.TextColumn(width=130),
        "Problem": st.column_config.TextColumn(width=130),
    }


def _row(visit: Visit, identity: str) -> dict[str, Any]:
    """A photo in the table; of what is wrong with it only the first words."""
    name = visit.photos[identity].name
    result = visit.results[identity]
    problem = result.error.removeprefix(f"{name}: ")
    return {
        "Photo": result.thumbnail or None,
        "File": name,
        "Faces": None if result.error else len(result.predictions),
        "Expressions": [face.label for face in result.predictions],
        "Scores": " ".join(f"{face.score:.2f}" for face in result.predictions),
        "Problem": re.split(r" \(|;", problem)[0],
    }
