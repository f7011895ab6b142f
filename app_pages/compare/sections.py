"""The sections of the page Compare; only the one that is open is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from app_pages.compare.charts import METRICS, Chart, labelling_title, show
from app_pages.compare.charts_of_all import (
    history_chart,
    robustness_chart,
    robustness_of,
    trade_chart,
)
from app_pages.compare.charts_of_chosen import (
    accuracy_rows,
    answers_of,
    confusion_chart,
    difference_chart,
    interval_chart,
    recall_rows,
    reliability_chart,
)
from app_pages.compare.model_card import history_list, read_card
from app_pages.compare.speed import speeds_of
from app_pages.compare.your_photos import on_your_photos
from app_pages.shared import widgets
from app_pages.shared.catalogue import Catalogue, Entry, Labelling
from fer import FERError
from fer.calibration import calibration_error_by_chance, reliability
from fer.versions.folder import GRAPH

Section = Callable[[Catalogue, Sequence[Entry], Labelling], None]


def overview(catalogue: Catalogue, chosen: Sequence[Entry], labelling: Labelling) -> None:
    """Accuracy and recall of the chosen versions.

    What accuracy costs, and how it went over time.
    """
    names = [entry.name for entry in chosen]
    _warn_of_other_tests(chosen)
    if not any(entry.labellings for entry in chosen):
        st.info(
            "These versions were published without measurements; evaluate them.",
            icon=":material/straighten:",
        )
        return
    left, right = st.columns(2, gap="large")
    with left:
        _titled(
            "Accuracy on each test set", interval_chart(names, accuracy_rows(chosen), "Accuracy")
        )
    with right:
        chart = interval_chart(names, recall_rows(chosen, labelling), "Recall")
        _titled(f"Recall of each expression, {labelling_title(labelling)}", chart)
    if len(catalogue.usable) > 1:
        _trades(catalogue, names, labelling)
        _history(catalogue, names, labelling)


def confusion(catalogue: Catalogue, chosen: Sequence[Entry], labelling: Labelling) -> None:  # noqa: ARG001
    """The confusion matrices on one scale.

    And where the first version differs from each other one.
    """
    measured = [entry for entry in chosen if labelling in entry.labellings]
    _name_missing(chosen, measured, f"was not measured on {labelling_title(labelling)}")
    st.caption(
        widgets.plain(
            f"{labelling_title(labelling)}: share of each true expression, by row, that got each"
            " answer, and how many pictures that is."
        )
    )
    _grid([(entry.name, confusion_chart(entry, labelling)) for entry in measured])
    alike = [
        entry
        for entry in measured[1:]
        if answers_of(entry, labelling) == answers_of(measured[0], labelling)
    ]
    if alike:
        st.subheader("Difference, in points", anchor=False)
        st.caption("More on the diagonal is better, and less elsewhere.")
        first = measured[0]
        _grid(
            [
                (f"{first.name} minus {other.name}", difference_chart(first, other, labelling))
                for other in alike
            ]
        )


def calibration(catalogue: Catalogue, chosen: Sequence[Entry], labelling: Labelling) -> None:
    """Reliability diagrams, drawn from the stored predictions, and the calibration errors."""
    tables, by_chance = {}, {}
    for name, found in catalogue.library.predictions(chosen).items():
        if isinstance(found, FERError):
            st.warning(widgets.plain(f"{name}: {found}"), icon=":material/warning:")
        elif known := found.test_sets.get(labelling.test_set):
            labels = known.labels.get(labelling.name, np.full(len(known.scores), -1))
            rows = labels >= 0 if known.found is None else (labels >= 0) & known.found
            if rows.any():
                tables[name] = reliability(known.scores[rows], labels[rows])
                by_chance[name] = calibration_error_by_chance(known.scores[rows])
    _name_missing(
        chosen,
        [entry for entry in chosen if entry.name in tables],
        f"has no predictions on {labelling_title(labelling)}",
    )
    if not tables:
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        show(reliability_chart([entry.name for entry in chosen], tables), key="reliability")
    with right:
        st.markdown(
            "On the diagonal, a score of 0.8 is right eight times in ten. Below it a version is too"
            " sure of itself, above it not sure enough. The larger a mark, the more pictures it"
            " stands for."
        )
        st.caption(
            widgets.plain(f"Test pictures: {labelling_title(labelling)}, where a face was found.")
        )
        for entry in chosen:
            _estimate(entry, "expected_calibration_error", labelling)
            if chance := by_chance.get(entry.name):
                st.caption(
                    f"Scores that are exactly right would measure {chance.low:.3f} to"
                    f" {chance.high:.3f} here."
                )


def robustness(catalogue: Catalogue, chosen: Sequence[Entry], labelling: Labelling) -> None:  # noqa: ARG001
    """What is left of the accuracy when the pictures are disturbed."""
    measured = {entry.name: found for entry in chosen if (found := robustness_of(entry))}
    if not measured:
        st.info(
            "None of these versions carries it yet: evaluate a version again, and this section"
            " shows its accuracy on blurred, dark, noisy and shifted pictures.",
            icon=":material/blur_on:",
        )
        return
    _name_missing(
        chosen,
        [entry for entry in chosen if entry.name in measured],
        "was evaluated without disturbances",
    )
    for name, found in measured.items():
        st.markdown(
            f"**{widgets.plain(name)}** keeps {found.mean:.1%} of its accuracy on FER2013 on"
            " average."
        )
    names = [entry.name for entry in chosen]
    strengths = {
        name: values for found in measured.values() for name, values in found.strengths.items()
    }
    charts = []
    for disturbance, values in strengths.items():
        shared = {
            name: found.accuracy[disturbance]
            for name, found in measured.items()
            if disturbance in found.accuracy
        }
        charts.append(
            (disturbance.partition(" (")[0], robustness_chart(names, shared, disturbance, values))
        )
    _grid(charts)


def card_and_history(catalogue: Catalogue, chosen: Sequence[Entry], labelling: Labelling) -> None:  # noqa: ARG001
    """The model card of any version, and every move of an alias."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        names = [entry.name for entry in catalogue.entries]
        name = st.selectbox("Model card of", names, names.index(chosen[0].name), key="card")
        _card(catalogue, catalogue.entry(name))
    with right:
        st.subheader("History of the aliases", anchor=False)
        if catalogue.listing.aliases.history:
            st.html(history_list(catalogue.listing.aliases.history))
        else:
            st.caption(
                "No alias was ever set here. In a repo on the Hub, `python -m training.promote`"
                " sets them."
            )


def _card(catalogue: Catalogue, entry: Entry) -> None:
    st.caption(
        f"{widgets.plain(entry.name)}, commit {widgets.plain(entry.ref.commit or 'unknown')}"
    )
    try:
        with st.container(border=True, key="card-text"):
            st.html(read_card(catalogue.library, entry))
    except FERError as error:
        widgets.show_error(str(error))


def _trades(catalogue: Catalogue, names: Sequence[str], labelling: Labelling) -> None:
    """What accuracy costs, in size and in time."""
    left, right = st.columns(2, gap="large")
    speeds = speeds_of(catalogue)
    sizes = {
        entry.name: entry.version.files[GRAPH].bytes / 1e6
        for entry in catalogue.usable
        if entry.version
    }
    with left:
        _titled(
            "Accuracy against size",
            trade_chart(catalogue.usable, names, sizes, "Size in MB", labelling),
        )
    with right:
        if speeds:
            axis = "Milliseconds for one face, on this machine"
            _titled(
                "Accuracy against time",
                trade_chart(catalogue.usable, names, speeds, axis, labelling),
            )
        else:
            st.subheader("Accuracy against time", anchor=False)
            st.caption("Not measured yet: press **Measure speed here** at the top.")


def _history(catalogue: Catalogue, names: Sequence[str], labelling: Labelling) -> None:
    with st.container(
        horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"
    ):
        st.subheader("All versions over time", anchor=False)
        metric = st.selectbox(
            "Metric",
            list(METRICS),
            format_func=METRICS.__getitem__,
            key="metric",
            persist_state="session",
            width=220,
        )
    show(history_chart(catalogue.usable, names, metric, labelling), key="history")


def _titled(title: str, chart: Chart) -> None:
    st.subheader(widgets.plain(title), anchor=False)
    show(chart, key=title)


def _grid(charts: Sequence[tuple[str, Chart]]) -> None:
    """Charts side by side where there is room."""
    for i in range(0, len(charts), 2):
        for column, (title, chart) in zip(
            st.columns(2, gap="large"), charts[i : i + 2], strict=False
        ):
            with column:
                st.markdown(f"**{widgets.plain(title)}**")
                show(chart, key=f"grid {title}")


def _estimate(entry: Entry, metric: str, labelling: Labelling) -> None:
    if found := entry.estimate(metric, labelling):
        st.metric(f"{METRICS[metric]} of {widgets.plain(entry.name)}", f"{found['value']:.3f}")
        st.caption(f"95 % interval {found['low']:.3f} to {found['high']:.3f}, n = {found['n']:,}")


def _warn_of_other_tests(chosen: Sequence[Entry]) -> None:
    """Say which of the chosen versions were measured on other pictures under the same name."""
    for test_set in dict.fromkeys(name for entry in chosen for name in entry.test_sets):
        tests = {
            entry.name: known["sha256"]
            for entry in chosen
            if (known := entry.test_sets.get(test_set))
        }
        if len(set(tests.values())) > 1:
            named = ", ".join(f"{name} on {digest[:8]}" for name, digest in tests.items())
            st.warning(
                widgets.plain(
                    f"These versions were measured on different test pictures of {test_set}, so"
                    f" their figures do not compare: {named}."
                ),
                icon=":material/warning:",
            )


def _name_missing(chosen: Sequence[Entry], shown: Sequence[Entry], why: str) -> None:
    missing = [entry.name for entry in chosen if entry not in shown]
    if missing:
        st.caption(widgets.plain(f"Left out, since it {why}: {', '.join(missing)}."))


SECTIONS: dict[str, Section] = {
    "Overview": overview,
    "Confusion": confusion,
    "Calibration": calibration,
    "Robustness": robustness,
    "On your photos": on_your_photos,
    "Card and history": card_and_history,
}
