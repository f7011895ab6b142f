"""Where photos come from: files, a folder, the camera or the samples; all join the visit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app_pages.photos import capacity
from app_pages.photos.left_out import LIMITS, remember_page, show_left_out
from app_pages.photos.photo import Photo, unwanted
from app_pages.photos.session import LeftOut, Visit
from app_pages.shared import streamlit_internals
from app_pages.shared.settings import max_uploads
from app_pages.shared.widgets import show_error
from fer import FERError
from fer.images import MAX_BYTES

SAMPLES = Path(__file__).with_name("samples")
_SOURCES = {
    "Files": ":material/image:",
    "Folder": ":material/folder:",
    "Camera": ":material/photo_camera:",
}


def current_visit() -> Visit:
    """The photos of this visitor; they survive a look at another page."""
    if "visit" not in st.session_state:
        st.session_state.visit = capacity.new_visit(streamlit_internals.session_id())
    visit: Visit = st.session_state.visit
    return visit


def add_photos(visit: Visit) -> None:
    """Offer the sources; what arrives joins the visit and leaves the widget empty for the next."""
    try:
        max_uploads()
    except FERError as error:
        show_error(str(error))
        return
    source = st.segmented_control(
        "Photos from",
        tuple(_SOURCES),
        default="Files",
        required=True,
        format_func=lambda source: f"{_SOURCES[source]} {source}",
        key="source",
        label_visibility="collapsed",
    )
    key = f"{source}-{st.session_state.setdefault('uploads', 0)}"
    if source == "Camera":
        _camera(key)
    else:
        _uploader(key, folder=source == "Folder")
    show_left_out(visit)


def welcome() -> None:
    """What to do on an empty page."""
    with st.container(border=True):
        st.markdown("**No photos yet.** Add some above, or look at two portraits first.")
        st.button(
            "Try two sample photos", type="primary", icon=":material/face:", on_click=_take_samples
        )


def clear() -> None:
    """Forget every photo and every result."""
    current_visit().clear()
    st.session_state.pop("side_by_side", None)
    streamlit_internals.forget_all_uploads()


def _uploader(key: str, *, folder: bool) -> None:
    """Files of every type are accepted here, so that those that are left out can be named."""
    with st.container(key="uploader"):
        st.file_uploader(
            f"At most {MAX_BYTES / 1e6:.0f} MB a photo, {LIMITS} together",
            accept_multiple_files="directory" if folder else True,
            key=key,
            on_change=_take_uploads,
            args=(key,),
        )


def _camera(key: str) -> None:
    """The camera goes on at a click, once the visitor has read what happens; a photo ends it."""
    if st.session_state.get("camera_on"):
        st.camera_input("Take a photo", key=key, on_change=_take_picture, args=(key,), width=480)
        st.button(
            "Switch the camera off",
            icon=":material/videocam_off:",
            on_click=_switch_camera,
            args=(False,),
        )
    else:
        st.write(
            "Your browser asks for the camera. Only the photo that you take is sent here, and it is"
            " not stored."
        )
        st.button(
            "Switch the camera on",
            icon=":material/photo_camera:",
            on_click=_switch_camera,
            args=(True,),
        )


def _switch_camera(on: bool) -> None:
    st.session_state.camera_on = on


def _take_uploads(key: str) -> None:
    photos = []
    left_out = []
    # A run that was cut short leaves the widget's files to the next one, but they are taken
    # already.
    uploads = [upload for upload in st.session_state[key] if isinstance(upload, UploadedFile)]
    for upload in uploads:
        streamlit_internals.forget_upload(upload)
        if reason := streamlit_internals.refusal_of(upload) or unwanted(upload.name, upload.size):
            left_out.append(LeftOut(upload.name, reason))
        else:
            photos.append(Photo(upload.name, upload.getvalue()))
    if uploads:
        st.session_state.uploads += 1
        _add(photos, left_out)


def _take_picture(key: str) -> None:
    picture = st.session_state[key]
    _switch_camera(False)
    st.session_state.uploads += 1
    if isinstance(picture, UploadedFile):
        streamlit_internals.forget_upload(picture)
        _add([Photo(f"camera-{st.session_state.uploads}.jpg", picture.getvalue())])


def _take_samples() -> None:
    _add([Photo(path.name, path.read_bytes()) for path in sorted(SAMPLES.glob("*.jpg"))])


def _add(photos: Iterable[Photo], left_out: Iterable[LeftOut] = ()) -> None:
    capacity.add(current_visit(), photos, left_out)
    remember_page()
