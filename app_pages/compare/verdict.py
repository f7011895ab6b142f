"""Is one version really better? On the stored test predictions, picture by picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from app_pages.compare.charts import labelling_title
from app_pages.shared.catalogue import Catalogue
from app_pages.shared.entry import Entry, Labelling
from app_pages.shared.html import render
from app_pages.shared.widgets import count
from fer import FERError, ModelError
from fer.versions.comparison import PairedComparison
from fer.versions.predictions import Predictions

_LEAST_REACH = 0.01
"""What either end of the line of differences stands for at least."""
_MARGIN = 1.25


class Pair(NamedTuple):
    """Two versions and how they compare, or why they cannot be compared.

    `note` is what the reader has to know.
    """

    a: str
    b: str
    note: str
    comparison: PairedComparison | FERError


def verdict(catalogue: Catalogue, entries: Sequence[Entry], labelling: Labelling) -> None:
    """The first of the chosen versions against each other one, or how to get a second one."""
    if len(entries) >= 2:
        pairs = compare_with_first(catalogue, entries, labelling)
        st.html("".join(pair_html(pair, labelling) for pair in pairs))
    elif len(catalogue.usable) < 2:
        st.info(
            f"{count(len(catalogue.usable), 'version')} can be used so far, and comparing"
            " takes two. Train another one and export it into the folder models, or set"
            " FER_HUB_REPO to a repo on the Hugging Face Hub.",
            icon=":material/balance:",
        )
    else:
        st.info(
            "Choose two versions to see whether one is really better.", icon=":material/balance:"
        )


def compare_with_first(
    catalogue: Catalogue, entries: Sequence[Entry], labelling: Labelling
) -> list[Pair]:
    """The first version against each of the others."""
    predictions = catalogue.predictions(entries)
    first, *others = entries
    return [
        Pair(
            first.name,
            other.name,
            note_on_labels((first, other), labelling),
            _compared(first, other, predictions, labelling),
        )
        for other in others
    ]


def note_on_labels(entries: Sequence[Entry], labelling: Labelling) -> str:
    """Which of the versions know more expressions than count under a labelling, or ""."""
    wider = [
        entry
        for entry in entries
        if labelling in entry.labellings and entry.asked(labelling) != entry.labels
    ]
    if not wider:
        return ""
    known = " and ".join(f"{entry.name} knows {len(entry.labels)}" for entry in wider)
    return (
        f"Of {', '.join(wider[0].asked(labelling))} alone the likeliest counts here: {known}"
        " expressions."
    )


def pair_html(pair: Pair, labelling: Labelling) -> str:
    """The plain sentence, the difference drawn against zero, and the counts behind them."""
    comparison = pair.comparison
    if isinstance(comparison, FERError):
        reason = str(comparison)
        return render("verdict.html", comparison=None, a=pair.a, b=pair.b, details=reason)
    low, value, high = _places(comparison)
    return render(
        "verdict.html",
        comparison=comparison,
        a=pair.a,
        b=pair.b,
        low=low,
        value=value,
        high=high,
        details=f"{_counts(pair, comparison, labelling)} {pair.note}".strip(),
    )


def _compared(
    a: Entry, b: Entry, predictions: Mapping[str, Predictions | FERError], labelling: Labelling
) -> PairedComparison | FERError:
    left = predictions[a.name]
    right = predictions[b.name]
    if isinstance(left, FERError):
        return left
    if isinstance(right, FERError):
        return right
    measured = all(labelling in entry.labellings for entry in (a, b))
    if measured and a.asked(labelling) != b.asked(labelling):
        known = [f"{entry.name} knows {', '.join(entry.labels)}" for entry in (a, b)]
        return ModelError(f"they know different expressions: {'; '.join(known)}.")
    try:
        return left.compare(right, *labelling)
    except FERError as error:
        return error


def _counts(pair: Pair, comparison: PairedComparison, labelling: Labelling) -> str:
    p = comparison.p_value
    p_value = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    test = "Exact McNemar test"
    if comparison.people is not None:
        test = f"McNemar's and, over {comparison.people:,} people, Obuchowski's test"
    return (
        f"{labelling_title(labelling)}. {test}: {p_value}. Of {comparison.n:,} test pictures, "
        f"{pair.a} alone got {comparison.only_a:,} right and {pair.b} alone"
        f" {comparison.only_b:,}; both got {comparison.both:,} right,"
        f" neither {comparison.neither:,}."
    )


def _places(comparison: PairedComparison) -> tuple[float, float, float]:
    """Low end, difference and high end on a line from 0 to 100 whose middle is no difference."""
    reach = _MARGIN * max(_LEAST_REACH, abs(comparison.low), abs(comparison.high))
    low, value, high = (
        50 + 50 * number / reach
        for number in (comparison.low, comparison.difference, comparison.high)
    )
    return low, value, high
