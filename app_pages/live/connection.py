"""The camera of the page Live: its connection, and help where it fails."""

from __future__ import annotations

from time import monotonic

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile
from streamlit_webrtc import WebRtcMode, webrtc_streamer
from streamlit_webrtc.component import WebRtcStreamerState

from app_pages.live import library_patches
from app_pages.live.ice_servers import camera_allowed, find_ice_servers, tell_operator
from app_pages.live.session import CONNECTION, PHOTO, STARTED, STREAM
from app_pages.live.stream import DisplayedValues, Stream
from app_pages.photos.photo import Photo
from app_pages.shared import streamlit_internals, widgets
from fer import FERError, FERPipeline, annotate
from fer.streams.engine import StreamSettings

_CONNECT_SECONDS = 8.0  # from START to the first frame; on localhost it takes about one
_SILENT_SECONDS = 3.0  # without a frame, until the visitor is told
_CAMERA = {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}}
_VIDEO = {"autoPlay": True, "muted": True, "playsInline": True, "style": {"width": "100%"}}


def open_stream(settings: StreamSettings | None) -> Stream | None:
    """This visitor's stream under these settings; without any, as it is, or None."""
    stream: Stream | None = st.session_state.get(STREAM)
    if settings and stream:
        stream.use(settings)
    elif settings:
        stream = Stream(settings)
        st.session_state[STREAM] = stream
    return stream


def connect(stream: Stream) -> WebRtcStreamerState:
    """Show the video with its START and STOP, and tell whether it plays."""
    servers, problem = find_ice_servers(st.context.url or "")
    if problem:
        tell_operator(problem)
        st.warning(
            "The TURN servers of this app are set up wrongly or do not answer, so the camera may"
            " not connect behind a firewall. Whoever runs this app finds the reason in its log.",
            icon=":material/warning:",
        )
    library_patches.forgive_reruns()
    library_patches.keep_no_queue()
    context = webrtc_streamer(
        CONNECTION,  # a key that changed with the version would restart the camera
        WebRtcMode.SENDRECV,
        rtc_configuration={"iceServers": servers},
        media_stream_constraints={"video": _CAMERA, "audio": False},
        queued_video_frames_callback=stream.receive,
        on_video_ended=stream.ended,
        sendback_audio=False,
        video_html_attrs=_VIDEO,
        media_toggle_controls=False,
    )
    _note_start(context.state)
    library_patches.end_with_tab(context, stream.silence)
    return context.state


def may_start() -> bool:
    """Whether the browser will give this page the camera; if not, say why."""
    allowed = camera_allowed(st.context.url or "")
    if not allowed:
        widgets.show_error(
            "Browsers give the camera only to pages served over https, or on localhost; this page"
            " came over plain http. Serve it over https, or open it on the machine it runs on."
            " Photos can be uploaded all the same."
        )
        st.page_link(
            "app_pages/photos/page.py", label="Go to Photos", icon=":material/photo_library:"
        )
    return allowed


def notice() -> None:
    """What happens once the camera is on, told before it is asked for."""
    st.info(
        "**START** asks your browser for the camera. Each frame is sent to the machine that runs"
        " this app; faces are found, expressions classified, and the frame is gone: frames stay in"
        " memory only, and none is stored. What you see is the expression on a face, not what"
        " anybody feels.",
        icon=":material/visibility:",
    )


def trouble(state: WebRtcStreamerState, values: DisplayedValues) -> str:
    """What is wrong with the connection, in words, or ""."""
    since_start = _seconds_since_start()
    silence = values.silence
    has_frames = since_start is not None and silence is not None and silence <= since_start
    if state.playing and has_frames and silence and silence > _SILENT_SECONDS:
        return (
            "No frame has come for a while. The camera may be in use elsewhere, or the network too"
            " slow."
        )
    late = since_start is not None and since_start > _CONNECT_SECONDS
    if (state.playing or state.signalling) and late and not has_frames:
        return (
            "No picture has come through. Browser and server probably cannot reach each other;"
            " behind a firewall or a router a TURN server is needed, which whoever runs this app"
            " sets as FER_ICE_SERVERS."
        )
    return ""


def help_with_camera(pipeline: FERPipeline | None) -> None:
    """What to try when nothing starts, and one photo instead of a stream."""
    with st.expander("The camera does not start?", icon=":material/help:"):
        st.markdown(
            "- **Permission refused:** allow the camera at the symbol in the address bar, then"
            " press START again.\n- **No camera found, or in use:** connect one, close other"
            " programs that use it, press START again.\n- **Connecting for long:** a firewall or"
            " router stands between browser and server; a TURN server helps. Whoever runs this app"
            " sets it as `FER_ICE_SERVERS`."
        )
        if pipeline and st.toggle("Take a single photo instead", key="single_photo"):
            _single_photo(pipeline)
        else:
            st.session_state.pop(PHOTO, None)


def _single_photo(pipeline: FERPipeline) -> None:
    st.caption("The photo is kept in memory until you clear it, take another or leave this page.")
    st.camera_input("Take a photo", key="snapshot", on_change=_take_snapshot, width=480)
    photo: Photo | None = st.session_state.get(PHOTO)
    if photo is None:
        return
    try:
        image = photo.load()
        predictions = pipeline(image)
    except FERError as error:
        widgets.show_error(str(error))
        return
    words = "; ".join(f"{p.label} {p.score:.2f}" for p in predictions)
    st.image(annotate(image, predictions), width=480, alt=words or "no face found")
    if not predictions:
        st.info("No face was found. More light, or a face nearer to the camera, may help.")


def _take_snapshot() -> None:
    """Keep the photo that was taken, until the next one, or until it is cleared in the widget."""
    snapshot = st.session_state.snapshot
    if snapshot is None:
        st.session_state.pop(PHOTO, None)
    elif isinstance(snapshot, UploadedFile):  # else it is one that was taken before
        st.session_state[PHOTO] = Photo("the photo", snapshot.getvalue())
        streamlit_internals.forget_upload(snapshot)


def _note_start(state: WebRtcStreamerState) -> None:
    if state.playing or state.signalling:
        st.session_state.setdefault(STARTED, monotonic())
    else:
        st.session_state.pop(STARTED, None)


def _seconds_since_start() -> float | None:
    started: float | None = st.session_state.get(STARTED)
    return None if started is None else monotonic() - started
