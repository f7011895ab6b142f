"""The bar above the photos: how many faces of which expression, and the downloads."""

from __future__ import annotations

from collections import Counter
from functools import partial

import streamlit as st

from app_pages.photos.exports import annotated_zip, records_of
from app_pages.photos.session import Visit
from app_pages.photos.sources import clear
from app_pages.shared import face_cards, widgets
from fer import FERPipeline
from fer.records import to_csv, to_json_lines


def show(visit: Visit, pipeline: FERPipeline) -> None:
    """Show the totals, and what can be done with all photos together."""
    st.space("xsmall")
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        with st.container(width="content", gap="xxsmall"):
            _counts(visit, pipeline.classifier.labels)
        with st.container(horizontal=True, width="content", gap="xsmall"):
            _downloads(visit, pipeline)
            st.button("Clear", icon=":material/close:", type="tertiary", on_click=clear)


def _counts(visit: Visit, labels: tuple[str, ...]) -> None:
    by_label = Counter(face.label for face in visit.faces())
    photos = widgets.count(len(visit.photos), "photo")
    faces = widgets.count(by_label.total(), "face")
    failed = f", {len(visit.failed())} failed" if visit.failed() else ""
    st.markdown(f"**{photos}, {faces}{failed}**")
    st.html(face_cards.legend(labels, {label: by_label[label] for label in labels}))


def _downloads(visit: Visit, pipeline: FERPipeline) -> None:
    records = records_of(visit, pipeline)
    csv = to_csv(records, pipeline.classifier.labels)
    widgets.download("CSV", "expressions.csv", "text/csv", csv)
    widgets.download("JSON", "expressions.jsonl", "application/jsonl", to_json_lines(records))
    pictures = partial(annotated_zip, visit)
    widgets.download("Annotated ZIP", "annotated.zip", "application/zip", pictures)
