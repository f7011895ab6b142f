"""Photos: find the faces of photos and classify their expressions."""

from __future__ import annotations

import streamlit as st

from app_pages.photos import one_photo, table, totals
from app_pages.photos.session import Visit
from app_pages.photos.sources import add_photos, current_visit, welcome
from app_pages.shared import sidebar, widgets
from fer import FERPipeline


def classify(visit: Visit, pipeline: FERPipeline) -> None:
    """Fill in the missing results; those that are there survive an interruption."""
    total = len(visit.photos)
    bar = st.empty()
    for done in visit.classify(pipeline):
        bar.progress(done / total, f"{done} of {widgets.count(total, 'photo')}")
    bar.empty()


def show_failures(visit: Visit) -> None:
    """Name every photo that could not be used with the full reason; a single one says so itself."""
    if visit.failed() and len(visit.photos) > 1:
        st.subheader("Failed", anchor=False)
        for _, reason in visit.failed():
            st.markdown(f"- {widgets.plain(reason)}")


visit = current_visit()
pipeline = sidebar.choose_pipeline()
st.title("Photos", anchor=False)
add_photos(visit)
if not visit.photos:
    welcome()
elif pipeline:
    classify(visit, pipeline)
    totals.show(visit, pipeline)
    chosen = table.choose_photo(visit, pipeline.classifier.labels)
    one_photo.show(visit, chosen, pipeline)
    show_failures(visit)
else:
    waiting = widgets.count(len(visit.photos), "photo")
    st.info(
        f"{waiting} waiting. Choose a version and a detector that work.",
        icon=":material/hourglass_empty:",
    )
widgets.photos_note()
