"""All versions of a catalogue as a table, and as cards where the screen is narrow."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app_pages.common import plain
from app_pages.versions import Entry
from fer.artifact import GRAPH

_ROWS_SHOWN = 7.5  # half a row says that there is more


def version_table(entries: Sequence[Entry], speeds: Mapping[str, float]) -> None:
    """One row a version, sortable; `speeds` are milliseconds by name."""
    rows = [_row(entry, speeds) for entry in entries]
    columns = list(_COLUMNS)
    if not speeds:
        columns.remove("ms here")
    if not any(entry.ref.aliases for entry in entries):
        columns.remove("Alias")
    with st.container(key="versions-table"):
        st.dataframe(
            rows,
            hide_index=True,
            height=round(38 + 36 * min(len(rows), _ROWS_SHOWN)),
            row_height=36,
            column_order=columns,
            column_config=_COLUMNS,
            placeholder="",
            alt="All versions with what was measured of them",
        )
    st.html(f'<div class="fer-cards">{"".join(_card(row) for row in rows)}</div>')


def broken_list(entries: Sequence[Entry]) -> None:
    """Which versions cannot be used, and why."""
    broken = [entry for entry in entries if entry.problem]
    if broken:
        reasons = "\n".join(
            f"- **{plain(entry.name)}**: {plain(entry.problem.removeprefix(f'version {entry.name}: '))}"
            for entry in broken
        )
        some = "One version" if len(broken) == 1 else f"{len(broken)} versions"
        st.warning(f"{some} cannot be used; the others can.\n\n{reasons}", icon=":material/warning:")


_COLUMNS: dict[str, Any] = {
    "Version": st.column_config.TextColumn(width=105, pinned=True),
    "Alias": st.column_config.MultiselectColumn(width=105, color="gray"),
    "Date": st.column_config.DateColumn(width=88, format="YYYY-MM-DD"),
    "Sha": st.column_config.TextColumn(
        width=76, help="The first digits of the commit, or of the bundled version's seal"
    ),
    "Architecture": st.column_config.TextColumn(width=96),
    "Parameters": st.column_config.NumberColumn("Params", width=68, format="compact", help="Parameters"),
    "MB": st.column_config.NumberColumn(width=46, format="%.1f", help="Size of the graph that is run"),
    "Accuracy (95 %)": st.column_config.TextColumn(
        width=154, help="Share of FER2013's test pictures that it gets right, with its 95 % interval"
    ),
    "n": st.column_config.NumberColumn(width=54, format="localized", help="Test pictures"),
    "Macro F1": st.column_config.NumberColumn(
        "F1", width=52, format="%.3f", help="Macro F1: the mean over all expressions"
    ),
    "ECE": st.column_config.NumberColumn(
        width=52, format="%.3f", help="Expected calibration error: the mean gap between confidence and accuracy"
    ),
    "ms here": st.column_config.NumberColumn(
        width=62, format="%.2f", help="Milliseconds for one face on this machine, median"
    ),
}


def _row(entry: Entry, speeds: Mapping[str, float]) -> dict[str, Any]:
    ref, version = entry.ref, entry.version
    return {
        "Version": f"{entry.name} (broken)" if entry.problem else entry.name,
        "Alias": list(ref.aliases),
        "Date": ref.date.date() if ref.date else None,
        "Sha": ref.commit[:8],
        "Architecture": version.architecture if version else None,
        "Parameters": version.parameters if version else None,
        "MB": version.files[GRAPH].bytes / 1e6 if version else None,
        **_measured(entry),
        "ms here": speeds.get(entry.name),
    }


def _measured(entry: Entry) -> dict[str, Any]:
    accuracy, f1, gap = map(entry.estimate, ("accuracy", "macro_f1", "expected_calibration_error"))
    return {
        "Accuracy (95 %)": _with_interval(accuracy) if accuracy else None,
        "n": accuracy["n"] if accuracy else None,
        "Macro F1": f1["value"] if f1 else None,
        "ECE": gap["value"] if gap else None,
    }


def _with_interval(estimate: Mapping[str, float]) -> str:
    return f"{estimate['value']:.3f} ({estimate['low']:.3f} to {estimate['high']:.3f})"


def _card(row: Mapping[str, Any]) -> str:
    """A row of the table for a narrow screen, as HTML."""
    badges = "".join(f"<span>{html.escape(alias)}</span>" for alias in row["Alias"])
    facts = [
        f"accuracy {row['Accuracy (95 %)']}, n = {row['n']:,}" if row["n"] else "",
        f"F1 {row['Macro F1']:.3f}, ECE {row['ECE']:.3f}" if row["n"] else "",
        f"{row['MB']:.1f} MB, {row['Parameters'] / 1e6:.2f} M parameters" if row["MB"] else "",
        f"{row['ms here']:.2f} ms here" if row["ms here"] else "",
        " ".join(filter(None, (row["Architecture"], row["Sha"], str(row["Date"] or "")))),
    ]
    lines = "".join(f"<div>{html.escape(fact)}</div>" for fact in facts if fact)
    return f"<div><b>{html.escape(row['Version'])}</b>{badges}{lines}</div>"
