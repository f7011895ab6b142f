"""All versions of a catalogue as a table, and as a list where the screen is narrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app_pages.shared.entry import FER2013, ORDINARY, Entry
from app_pages.shared.html import render
from app_pages.shared.widgets import plain
from fer.intervals import Estimate
from fer.versions.folder import GRAPH

_HEAD_HEIGHT = 38
_ROW_HEIGHT = 36
_ROWS_VISIBLE = 7.5  # half a row says that there is more
Row = Mapping[str, Any]
"""What the table says of one version, by column."""


def version_table(entries: Sequence[Entry], speeds: Mapping[str, float]) -> None:
    """One row a version, sortable; `speeds` are milliseconds by name."""
    rows = [_row(entry, speeds) for entry in entries]
    with st.container(key="versions-table"):
        st.dataframe(
            rows,
            hide_index=True,
            height=round(_HEAD_HEIGHT + _ROW_HEIGHT * min(len(rows), _ROWS_VISIBLE)),
            row_height=_ROW_HEIGHT,
            column_order=_columns(entries, speeds),
            column_config=_COLUMNS,
            placeholder="",
            alt="All versions with what was measured of them",
        )
    st.html(version_list(rows))


def version_list(rows: Sequence[Row]) -> str:
    """The same for a narrow screen, as HTML."""
    versions = [
        {"name": row["Version"], "aliases": row["Alias"], "facts": _facts(row)} for row in rows
    ]
    return render("version_list.html", versions=versions)


def broken_list(entries: Sequence[Entry]) -> None:
    """Which versions cannot be used, and why."""
    broken = [entry for entry in entries if entry.problem]
    if broken:
        reasons = "\n".join(
            f"- **{plain(entry.name)}**:"
            f" {plain(entry.problem.removeprefix(f'version {entry.name}: '))}"
            for entry in broken
        )
        some = "One version" if len(broken) == 1 else f"{len(broken)} versions"
        st.warning(
            f"{some} cannot be used; the others can.\n\n{reasons}", icon=":material/warning:"
        )


_COLUMNS: dict[str, Any] = {
    "Version": st.column_config.TextColumn(width=105, pinned=True),
    "Alias": st.column_config.MultiselectColumn(width=105, color="gray"),
    "Ordinary faces (95 %)": st.column_config.TextColumn(
        width=200,
        help=(
            "Share of photographs of ordinary faces that it gets right; a face that is not found"
            " counts as wrong"
        ),
    ),
    "Balanced": st.column_config.NumberColumn(
        width=68,
        format="%.3f",
        help="Balanced accuracy on ordinary faces: the mean over all expressions",
    ),
    "FER2013 (95 %)": st.column_config.TextColumn(
        width=200, help="Share of FER2013's test pictures that it gets right: small grey crops"
    ),
    "F1": st.column_config.NumberColumn(
        width=52, format="%.3f", help="Macro F1 on FER2013: the mean over all expressions"
    ),
    "ECE": st.column_config.NumberColumn(
        width=52,
        format="%.3f",
        help="Expected calibration error on FER2013: the mean gap between confidence and accuracy",
    ),
    "ms here": st.column_config.NumberColumn(
        width=62, format="%.2f", help="Milliseconds for one face on this machine, median"
    ),
    "MB": st.column_config.NumberColumn(
        width=46, format="%.1f", help="Size of the graph that is run"
    ),
    "Parameters": st.column_config.NumberColumn(
        "Params", width=68, format="compact", help="Parameters"
    ),
    "Date": st.column_config.DateColumn(width=88, format="YYYY-MM-DD"),
    "Sha": st.column_config.TextColumn(
        width=76, help="The first digits of the commit, or of the bundled version's seal"
    ),
    "Architecture": st.column_config.TextColumn(width=96),
}


def _columns(entries: Sequence[Entry], speeds: Mapping[str, float]) -> list[str]:
    """The columns that have something to say of these versions."""
    hidden = set()
    if not speeds:
        hidden.add("ms here")
    if not any(entry.aliases for entry in entries):
        hidden.add("Alias")
    if not any(ORDINARY in entry.labellings for entry in entries):
        hidden |= {"Ordinary faces (95 %)", "Balanced"}
    return [column for column in _COLUMNS if column not in hidden]


def _row(entry: Entry, speeds: Mapping[str, float]) -> Row:
    version = entry.version
    return {
        "Version": f"{entry.name} (broken)" if entry.problem else entry.name,
        "Alias": list(entry.aliases),
        "Date": entry.date.date() if entry.date else None,
        "Sha": entry.commit[:8],
        "Architecture": version.architecture if version else None,
        "Parameters": version.parameters if version else None,
        "MB": version.files[GRAPH].bytes / 1e6 if version else None,
        "Ordinary faces (95 %)": _with_interval(entry.estimate("accuracy", ORDINARY)),
        "Balanced": _value(entry.estimate("balanced_accuracy", ORDINARY)),
        "FER2013 (95 %)": _with_interval(entry.estimate("accuracy", FER2013)),
        "F1": _value(entry.estimate("macro_f1", FER2013)),
        "ECE": _value(entry.estimate("expected_calibration_error", FER2013)),
        "ms here": speeds.get(entry.name),
    }


def _value(estimate: Estimate | None) -> float | None:
    return estimate.value if estimate else None


def _with_interval(estimate: Estimate | None) -> str | None:
    if estimate is None:
        return None
    interval = f"({estimate.low:.3f} to {estimate.high:.3f})"
    return f"{estimate.value:.3f} {interval} of {estimate.n:,}"


def _facts(row: Row) -> list[str]:
    """What a row says, in a few lines of words."""
    facts = []
    if row["Balanced"]:
        facts.append(f"ordinary faces {row['Ordinary faces (95 %)']}")
    if row["F1"]:
        facts.append(f"FER2013 {row['FER2013 (95 %)']}, F1 {row['F1']:.3f}, ECE {row['ECE']:.3f}")
    if row["MB"]:
        facts.append(f"{row['MB']:.1f} MB, {row['Parameters'] / 1e6:.2f} M parameters")
    if row["ms here"]:
        facts.append(f"{row['ms here']:.2f} ms here")
    origin = [row["Architecture"], row["Sha"], str(row["Date"] or "")]
    facts.append(" ".join(filter(None, origin)))
    return [fact for fact in facts if fact]
