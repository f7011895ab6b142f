"""Where photos come from: files, a folder, the camera, the samples. All end in the session's tray."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app_pages.common import count, plain
from app_pages.tray import MAX_PHOTOS, MAX_TOTAL, Photo, Tray
from fer.images import ACCEPTED_SUFFIXES

SAMPLES = Path(__file__).with_name("samples")
_SOURCES = {"Files": ":material/image:", "Folder": ":material/folder:", "Camera": ":material/photo_camera:"}
_LIMITS = f"{MAX_PHOTOS} photos and {MAX_TOTAL / 1e6:.0f} MB together"


def open_tray() -> Tray:
    """The photos of this session; they survive a visit to another page."""
    tray: Tray = st.session_state.setdefault("tray", Tray())
    return tray


def intake(tray: Tray) -> None:
    """Offer the sources. What arrives moves into the tray and leaves the widget empty for the next."""
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
        st.file_uploader(
            f"At most {_LIMITS}",
            type=ACCEPTED_SUFFIXES,
            accept_multiple_files="directory" if source == "Folder" else True,
            key=key,
            on_change=_take_uploads,
            args=(key,),
        )
    if tray.refused:
        names = ", ".join(tray.refused[:5]) + (" and others" if len(tray.refused) > 5 else "")
        text = f"{count(len(tray.refused), 'photo')} left out, beyond {_LIMITS}: {names}. Clear, then add them."
        st.warning(plain(text), icon=":material/warning:")


def welcome() -> None:
    """What to do on an empty page."""
    with st.container(border=True):
        st.markdown("**No photos yet.** Add some above, or look at two portraits first.")
        st.button("Try two sample photos", type="primary", icon=":material/face:", on_click=_take_samples)


def clear() -> None:
    """Forget every photo and every result."""
    del st.session_state.tray


def _camera(key: str) -> None:
    """The camera goes on only at a click, after the visitor has read what happens, and off after each photo."""
    if st.session_state.get("camera_on"):
        st.camera_input("Take a photo", key=key, on_change=_take_picture, args=(key,), width=480)
        st.button("Switch the camera off", icon=":material/videocam_off:", on_click=_switch_camera, args=(False,))
    else:
        st.write("Your browser asks for the camera. Only the photo that you take is sent here, and it is not stored.")
        st.button("Switch the camera on", icon=":material/photo_camera:", on_click=_switch_camera, args=(True,))


def _switch_camera(on: bool) -> None:
    st.session_state.camera_on = on


def _take_uploads(key: str) -> None:
    open_tray().add(Photo(upload.name, upload.getvalue()) for upload in st.session_state[key])
    st.session_state.uploads += 1


def _take_picture(key: str) -> None:
    st.session_state.uploads += 1
    _switch_camera(False)
    if picture := st.session_state[key]:
        open_tray().add([Photo(f"camera-{st.session_state.uploads}.jpg", picture.getvalue())])


def _take_samples() -> None:
    open_tray().add(Photo(path.name, path.read_bytes()) for path in sorted(SAMPLES.glob("*.jpg")))
