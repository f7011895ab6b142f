"""The section "On your photos" of the page Compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from app_pages.compare.charts import MARKS
from app_pages.compare.gallery import Row, SideBySide, faces_html, summary
from app_pages.photos.session import Visit
from app_pages.photos.sources import add_photos, clear, current_visit, welcome
from app_pages.shared import sidebar, widgets
from app_pages.shared.catalogue import Catalogue, Entry, Labelling
from fer import EmotionClassifier, FaceDetector, FERError, FERPipeline

_FACES_A_PAGE = 12


def on_your_photos(catalogue: Catalogue, chosen: Sequence[Entry], labelling: Labelling) -> None:  # noqa: ARG001
    """The chosen versions on the same faces, those first on which they disagree."""
    visit = current_visit()
    add_photos(visit)
    with st.container(width=240):
        detector = sidebar.choose_detector()
    if not visit.photos:
        welcome()
        return
    classifiers = _ready(catalogue, chosen, detector) if detector else []
    if detector and classifiers:
        marks = {entry.name: MARKS[place].glyph for place, entry in enumerate(chosen)}
        _show(_classified(visit, detector, classifiers), visit, classifiers, marks)


def _ready(
    catalogue: Catalogue, chosen: Sequence[Entry], detector: FaceDetector
) -> list[EmotionClassifier]:
    """The versions that can be used with this detector; of the others, why not."""
    ready = []
    for entry in chosen:
        try:
            ready.append(FERPipeline(detector, catalogue.library.classifier(entry)).classifier)
        except FERError as error:
            widgets.show_error(str(error))
    return ready


def _classified(
    visit: Visit, detector: FaceDetector, classifiers: Sequence[EmotionClassifier]
) -> SideBySide:
    found: SideBySide = st.session_state.setdefault("side_by_side", SideBySide())
    bar = st.empty()
    for done in found.classify(visit.photos, detector, classifiers):
        bar.progress(
            done / len(visit.photos), f"{done} of {widgets.count(len(visit.photos), 'photo')}"
        )
    bar.empty()
    return found


def _show(
    found: SideBySide,
    visit: Visit,
    classifiers: Sequence[EmotionClassifier],
    marks: Mapping[str, str],
) -> None:
    rows = found.rows(visit.photos, classifiers)
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        st.markdown(f"**{widgets.plain(summary(rows, len(classifiers)))}**")
        st.button("Clear", icon=":material/close:", type="tertiary", on_click=clear)
    for reason in found.failed():
        st.markdown(f"- {widgets.plain(reason)}")
    st.html(faces_html(_page(rows), marks))


def _page(rows: Sequence[Row]) -> Sequence[Row]:
    pages = -(-len(rows) // _FACES_A_PAGE)
    first = _FACES_A_PAGE * (st.pagination(pages, key="faces compared") - 1) if pages > 1 else 0
    return rows[first : first + _FACES_A_PAGE]
