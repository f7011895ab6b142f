"""Where photos come from: files, a folder, the camera, the samples.

All end in the session's tray.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app_pages.photos import capacity
from app_pages.photos.session import (
    APP_FULL,
    MAX_PHOTOS,
    MAX_TOTAL,
    TRAY_FULL,
    LeftOut,
    Photo,
    Tray,
    unwanted,
)
from app_pages.shared import streamlit_internals
from app_pages.shared.settings import max_uploads
from app_pages.shared.widgets import count, plain, show_error
from fer import FERError
from fer.images import MAX_BYTES

SAMPLES = Path(__file__).with_name("samples")
_SOURCES = {
    "Files": ":material/image:",
    "Folder": ":material/folder:",
    "Camera": ":material/photo_camera:",
}
_LIMITS = f"{MAX_PHOTOS} photos and {MAX_TOTAL / 1e6:.0f} MB"
_NAMED = 9  # files in a sentence; more make a table


def open_tray() -> Tray:
    """The photos of this session; they survive a visit to another page."""
    if "tray" not in st.session_state:
        st.session_state.tray = capacity.new_tray(streamlit_internals.session_id())
    tray: Tray = st.session_state.tray
    return tray


def intake(tray: Tray) -> None:
    """Offer the sources.

    What arrives moves into the tray and leaves the widget empty for the next.
    """
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
        with st.container(key="uploader"):
            st.file_uploader(
                f"At most {MAX_BYTES / 1e6:.0f} MB a photo, {_LIMITS} together",
                accept_multiple_files=(
                    "directory" if source == "Folder" else True
                ),  # of every type, to name those that are left out
                key=key,
                on_change=_take_uploads,
                args=(key,),
            )
    _show_receipt(tray)


def welcome() -> None:
    """What to do on an empty page."""
    with st.container(border=True):
        st.markdown("**No photos yet.** Add some above, or look at two portraits first.")
        st.button(
            "Try two sample photos", type="primary", icon=":material/face:", on_click=_take_samples
        )


def clear() -> None:
    """Forget every photo and every result."""
    open_tray().clear()
    st.session_state.pop("side_by_side", None)
    streamlit_internals.forget_all_uploads()


def _camera(key: str) -> None:
    """The camera goes on only at a click, after the visitor has read what happens.

    And off after each photo.
    """
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
    capacity.add(open_tray(), photos, left_out)
    st.session_state.receipt_page = st.context.url


def _show_receipt(tray: Tray) -> None:
    """Name the files that were left out, on the page that they came through."""
    if st.session_state.get("receipt_page") != st.context.url:
        tray.receipt = None
    if tray.receipt is None or not tray.receipt.left_out:
        return
    left_out = tray.receipt.left_out
    reasons = {file.reason for file in left_out}
    added = count(tray.receipt.added, "photo") if tray.receipt.added else "No photo"
    remedy = " ".join(remedy for reason, remedy in _remedies().items() if reason in reasons)
    folded = len(left_out) > _NAMED
    if folded:
        summary = f"{len(left_out)} files were left out."
    else:
        names = ", ".join(f"{file.name} ({file.reason})" for file in left_out)
        summary = f"Left out: {names}."
    st.warning(plain(f"{added} added. {summary} {remedy}"), icon=":material/warning:")
    if folded:
        with st.expander("Which files were left out, and why"):
            rows = [{"File": file.name, "Reason": file.reason} for file in left_out]
            st.dataframe(rows, hide_index=True)


def _remedies() -> dict[str, str]:
    """What to do where there was no room, by the reason."""
    return {
        TRAY_FULL: (
            f"You can have {_LIMITS} here at a time: download your results, clear, then add the"
            " rest."
        ),
        APP_FULL: (
            f"The photos of all visitors may take {max_uploads() / 1e6:,.0f} MB together, and "
            "that is used up: clear those that you no longer need, or try again in a few minutes."
        ),
    }
