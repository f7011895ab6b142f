"""Photos: find the faces of photos and classify their expressions."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Literal

import streamlit as st

from app_pages.photos.session import Photo, Tray, View
from app_pages.photos.sources import clear, intake, open_tray, welcome
from app_pages.shared import face_cards, sidebar, widgets
from fer import FERPipeline, Prediction
from fer.colors import color_of
from fer.records import to_csv, to_json_lines

FACES_A_PAGE = 4


def classify(tray: Tray, pipeline: FERPipeline) -> None:
    """Fill in what is missing; results survive an interruption."""
    bar = st.empty()
    for done in tray.classify(pipeline):
        bar.progress(
            done / len(tray.photos), f"{done} of {widgets.count(len(tray.photos), 'photo')}"
        )
    bar.empty()


def summary(tray: Tray, pipeline: FERPipeline) -> None:
    """The totals, and what can be done with all photos together."""
    st.space("xsmall")
    labels = pipeline.classifier.labels
    counts = Counter(face.label for face in tray.faces())
    totals = f"{widgets.count(len(tray.photos), 'photo')}, {widgets.count(counts.total(), 'face')}"
    failed = f", {len(tray.failed())} failed" if tray.failed() else ""
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
    ):
        with st.container(width="content", gap="xxsmall"):
            st.markdown(f"**{totals}{failed}**")
            st.html(face_cards.legend(labels, {label: counts[label] for label in labels}))
        with st.container(horizontal=True, width="content", gap="xsmall"):
            records = tray.records(pipeline)
            widgets.download("CSV", "expressions.csv", "text/csv", to_csv(records, labels))
            widgets.download(
                "JSON", "expressions.jsonl", "application/jsonl", to_json_lines(records)
            )
            widgets.download(
                "Annotated ZIP", "annotated.zip", "application/zip", tray.annotated_zip
            )
            st.button("Clear", icon=":material/close:", type="tertiary", on_click=clear)


def choose(tray: Tray, labels: tuple[str, ...]) -> str:
    """The id of the photo to look at; from two photos on, a table of all of them asks."""
    identities = list(tray.photos)
    if len(identities) == 1:
        return identities[0]
    rows = [row(tray, identity) for identity in identities]
    st.dataframe(
        rows,
        key="table",
        on_select="rerun",
        selection_mode="single-row-required",
        hide_index=True,
        row_height=44,
        height=round(38 + 44 * min(len(rows), 6.5)),  # half a row says that there is more
        column_order=["Photo", "File", "Expressions", "Scores", "Faces", "Problem"][
            : None if tray.failed() else -1
        ],
        column_config={
            "Photo": st.column_config.ImageColumn(width=64),
            "File": st.column_config.TextColumn(width=140),
            "Faces": st.column_config.NumberColumn(width=64),
            "Expressions": st.column_config.MultiselectColumn(
                options=labels, color=[color_of(label, labels) for label in labels], width=260
            ),
            "Scores": st.column_config.TextColumn(width=130),
            "Problem": st.column_config.TextColumn(width=130),
        },
        alt="All photos with their expressions; the selected one is shown below",
    )
    return identities[selected(len(identities))]


def row(tray: Tray, identity: str) -> dict[str, Any]:
    """A photo in the table; of what is wrong with it only the first words."""
    name, outcome = tray.photos[identity].name, tray.outcomes[identity]
    return {
        "Photo": outcome.thumbnail or None,
        "File": name,
        "Faces": None if outcome.error else len(outcome.predictions),
        "Expressions": [face.label for face in outcome.predictions],
        "Scores": " ".join(f"{face.score:.2f}" for face in outcome.predictions),
        "Problem": re.split(r" \(|;", outcome.error.removeprefix(f"{name}: "))[0],
    }


def selected(count: int) -> int:
    """The row that is selected in the table, of `count`."""
    rows = st.session_state.get("table", {}).get("selection", {}).get("rows", [])
    return min(rows[0], count - 1) if rows else 0


def select(index: int) -> None:
    st.session_state.table = {"selection": {"rows": [index]}}


def details(tray: Tray, identity: str, pipeline: FERPipeline) -> None:
    """One photo: annotated on the left, its faces on the right."""
    photo, outcome = tray.photos[identity], tray.outcomes[identity]
    heading(tray, photo)
    if outcome.error:
        widgets.show_error(outcome.error)
        return
    view = tray.view(identity, pipeline)
    left, right = st.columns(2, gap="medium")
    with left, st.container(key="picture"):
        width, height = view.size
        words = "; ".join(
            f"{n} {face.label} {face.score:.2f}" for n, face in enumerate(outcome.predictions, 1)
        )
        shown: int | Literal["stretch"] = (
            "stretch" if width >= height else round(640 * width / height)
        )
        st.image(view.picture, width=shown, alt=f"{photo.name}: {words or 'no face found'}")
    with right:
        if outcome.predictions:
            faces(outcome.predictions, view, identity)
        else:
            st.info(
                "No face found in this photo. Try one in which the face is larger, looks towards"
                " the camera, and is well lit and uncovered; or choose another face detector. For a"
                " picture that is nothing but a face, there is “None: the picture is a face”.",
                icon=":material/search_off:",
            )


def failures(tray: Tray) -> None:
    """Every photo that could not be used, with the reason in full.

    A single photo says so itself.
    """
    if tray.failed() and len(tray.photos) > 1:
        st.subheader("Failed", anchor=False)
        for _, reason in tray.failed():
            st.markdown(f"- {widgets.plain(reason)}")


def heading(tray: Tray, photo: Photo) -> None:
    """The photo's name, and buttons to step through the photos and to remove this one."""
    index, last = list(tray.photos).index(photo.id), len(tray.photos) - 1
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(widgets.plain(photo.name), anchor=False)
        if last:
            step("Previous photo", ":material/chevron_left:", index - 1, disabled=index == 0)
            step("Next photo", ":material/chevron_right:", index + 1, disabled=index == last)
        st.button(
            "Remove",
            icon=":material/delete:",
            type="tertiary",
            on_click=tray.remove,
            args=(photo.id,),
        )


def step(label: str, icon: str, index: int, *, disabled: bool) -> None:
    st.button(
        label, icon=icon, key=label, help=label, on_click=select, args=(index,), disabled=disabled
    )


def faces(predictions: tuple[Prediction, ...], view: View, identity: str) -> None:
    """The faces, largest first, a few at a time."""
    pages = -(-len(predictions) // FACES_A_PAGE)
    first = 0
    if pages > 1:
        first = FACES_A_PAGE * (st.pagination(pages, key=f"faces {identity}") - 1)
    for index in range(first, min(first + FACES_A_PAGE, len(predictions))):
        face(index, predictions, view)


def face(index: int, predictions: tuple[Prediction, ...], view: View) -> None:
    """One face: what was photographed, what the model saw, and the scores."""
    prediction = predictions[index]
    with st.container(border=True, gap="xsmall", key=f"face-{index}"):
        st.html(face_cards.face_title(prediction, index + 1 if len(predictions) > 1 else None))
        with st.container(horizontal=True, gap="small"):
            st.image(
                view.portraits[index],
                "photo",
                width=96,
                alt=f"Face {index + 1}, cut from the photo",
            )
            st.image(
                view.seen[index], "model saw", width=96, alt=f"Face {index + 1} as the model saw it"
            )
            face_cards.score_chart(prediction, key=f"scores {index}")


tray = open_tray()
pipeline = sidebar.choose_pipeline()
st.title("Photos", anchor=False)
intake(tray)
if not tray.photos:
    welcome()
elif pipeline:
    classify(tray, pipeline)
    summary(tray, pipeline)
    details(tray, choose(tray, pipeline.classifier.labels), pipeline)
    failures(tray)
else:
    waiting = widgets.count(len(tray.photos), "photo")
    st.info(
        f"{waiting} waiting. Choose a version and a detector that work.",
        icon=":material/hourglass_empty:",
    )
widgets.photos_note()
