"""The section "On your photos" of the page Compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from app_pages.compare.charts import MARKS
from app_pages.compare.gallery import gallery_html, summary
from app_pages.compare.side_by_side import ComparedFace, SideBySide
from app_pages.photos.session import Visit
from app_pages.photos.sources import add_photos, clear, current_visit, welcome
from app_pages.shared import sidebar, widgets
from app_pages.shared.catalogue import Catalogue
from app_pages.shared.entry import Entry, Labelling
from fer import EmotionClassifier, FaceDetector, FERError, FERPipeline

_FACES_A_PAGE = 12


def on_your_photos(
    catalogue: Catalogue,
    chosen: Sequence[Entry],
    labelling: Labelling,  # noqa: ARG001
) -> None:
    """The chosen versions on the same faces, those first on which they disagree."""
    visit = current_visit()
    add_photos(visit)
    with st.container(width=240):
        detector = sidebar.choose_detector()
    if not visit.photos:
        welcome()
        return
    classifiers = _loaded(catalogue, chosen, detector) if detector else []
    if detector and classifiers:
        loaded = {classifier.version.name for classifier in classifiers}
        marks = {
            entry.name: MARKS[place].glyph
            for place, entry in enumerate(chosen)
            if entry.name in loaded
        }
        side_by_side = _classified(visit, detector, classifiers)
        _show(side_by_side, visit, classifiers, marks)


def _loaded(
    catalogue: Catalogue, chosen: Sequence[Entry], detector: FaceDetector
) -> list[EmotionClassifier]:
    """The versions that can be used with this detector; of the others, why not."""
    classifiers = []
    for entry in chosen:
        try:
            pipeline = FERPipeline(detector, catalogue.classifier(entry))
        except FERError as error:
            widgets.show_error(str(error))
        else:
            classifiers.append(pipeline.classifier)
    return classifiers


def _classified(
    visit: Visit, detector: FaceDetector, classifiers: Sequence[EmotionClassifier]
) -> SideBySide:
    side_by_side: SideBySide = st.session_state.setdefault("side_by_side", SideBySide())
    total = len(visit.photos)
    bar = st.empty()
    for done in side_by_side.classify(visit.photos, detector, classifiers):
        bar.progress(done / total, f"{done} of {widgets.count(total, 'photo')}")
    bar.empty()
    return side_by_side


def _show(
    side_by_side: SideBySide,
    visit: Visit,
    classifiers: Sequence[EmotionClassifier],
    marks: Mapping[str, str],
) -> None:
    faces = side_by_side.faces(visit.photos, classifiers)
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        st.markdown(f"**{widgets.plain(summary(faces, len(classifiers)))}**")
        st.button("Clear", icon=":material/close:", type="tertiary", on_click=clear)
    for reason in side_by_side.failed(visit.photos, classifiers):
        st.markdown(f"- {widgets.plain(reason)}")
    st.html(gallery_html(_page(faces), marks))


def _page(faces: Sequence[ComparedFace]) -> Sequence[ComparedFace]:
    """The faces of the page of the gallery that is open."""
    pages = -(-len(faces) // _FACES_A_PAGE)
    first = 0
    if pages > 1:
        first = _FACES_A_PAGE * (st.pagination(pages, key="faces compared") - 1)
    return faces[first : first + _FACES_A_PAGE]
