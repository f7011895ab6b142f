"""One photo in detail: annotated on the left, its faces on the right."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app_pages.photos.photo import AnnotatedPhoto, Photo
from app_pages.photos.session import Visit
from app_pages.photos.table import select_row
from app_pages.shared import face_cards, widgets
from fer import FERPipeline, Prediction

_FACES_A_PAGE = 4
_PORTRAIT_HEIGHT = 640  # of an upright photo on the page
_FACE_WIDTH = 96


def show(visit: Visit, identity: str, pipeline: FERPipeline) -> None:
    """Show a photo of the visit with its faces, or why it could not be used."""
    photo = visit.photos[identity]
    result = visit.results[identity]
    _heading(visit, photo)
    if result.error:
        widgets.show_error(result.error)
        return
    annotated = visit.annotated(identity, pipeline)
    left, right = st.columns(2, gap="medium")
    with left, st.container(key="picture"):
        _picture(photo, annotated, result.predictions)
    with right:
        if result.predictions:
            _faces(result.predictions, annotated, identity)
        else:
            _no_face()


def _heading(visit: Visit, photo: Photo) -> None:
    """The photo's name, and buttons to step through the photos and to remove this one."""
    index = list(visit.photos).index(photo.id)
    last = len(visit.photos) - 1
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(widgets.plain(photo.name), anchor=False)
        if last:
            _step("Previous photo", ":material/chevron_left:", index - 1, disabled=index == 0)
            _step("Next photo", ":material/chevron_right:", index + 1, disabled=index == last)
        st.button(
            "Remove",
            icon=":material/delete:",
            type="tertiary",
            on_click=visit.remove,
            args=(photo.id,),
        )


def _step(label: str, icon: str, index: int, *, disabled: bool) -> None:
    st.button(
        label,
        icon=icon,
        key=label,
        help=label,
        on_click=select_row,
        args=(index,),
        disabled=disabled,
    )


def _picture(photo: Photo, annotated: AnnotatedPhoto, predictions: Sequence[Prediction]) -> None:
    faces = "; ".join(
        f"{number} {face.label} {face.score:.2f}" for number, face in enumerate(predictions, 1)
    )
    width, height = annotated.size
    st.image(
        annotated.picture,
        width="stretch" if width >= height else round(_PORTRAIT_HEIGHT * width / height),
        alt=f"{photo.name}: {faces or 'no face found'}",
    )


def _no_face() -> None:
    st.info(
        "No face found in this photo. Try one in which the face is larger, looks towards"
        " the camera, and is well lit and uncovered; or choose another face detector. For a"
        " picture that is nothing but a face, there is “None: the picture is a face”.",
        icon=":material/search_off:",
    )


def _faces(predictions: Sequence[Prediction], annotated: AnnotatedPhoto, identity: str) -> None:
    """The faces, largest first, a few at a time."""
    pages = -(-len(predictions) // _FACES_A_PAGE)
    first = 0
    if pages > 1:
        first = _FACES_A_PAGE * (st.pagination(pages, key=f"faces {identity}") - 1)
    for index in range(first, min(first + _FACES_A_PAGE, len(predictions))):
        _face(index, predictions, annotated)


def _face(index: int, predictions: Sequence[Prediction], annotated: AnnotatedPhoto) -> None:
    """One face: what was photographed, what the model saw, and the scores."""
    number = index + 1
    portrait_words = f"Face {number}, cut from the photo"
    crop_words = f"Face {number} as the model saw it"
    prediction = predictions[index]
    with st.container(border=True, gap="xsmall", key=f"face-{index}"):
        st.html(face_cards.face_title(prediction, number if len(predictions) > 1 else None))
        with st.container(horizontal=True, gap="small"):
            st.image(annotated.portraits[index], "photo", width=_FACE_WIDTH, alt=portrait_words)
            st.image(annotated.crops[index], "model saw", width=_FACE_WIDTH, alt=crop_words)
            face_cards.score_chart(prediction, key=f"scores {index}")
