"""The camera of the page Live.

Its connection, what to do when it fails, and one photo instead of a stream.
"""

from __future__ import annotations

import threading
import weakref
from functools import partial
from time import monotonic, sleep
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile
from streamlit_webrtc import WebRtcMode, webrtc_streamer
from streamlit_webrtc.component import WebRtcStreamerContext, WebRtcStreamerState
from streamlit_webrtc.relay import get_global_relay

from app_pages.live.ice_servers import camera_allowed, find_ice_servers, tell_operator
from app_pages.live.stream import Readout, Settings, Stream
from app_pages.photos.photo import Photo
from app_pages.shared import streamlit_internals, widgets
from fer import FERError, FERPipeline, annotate

_STREAM, _CONNECTION, _SINCE, _WATCHED = "live_stream", "live", "live_since", "live_watched"
_PHOTO = "live_photo"
_TAB_SECONDS = 2.0  # without a frame, and without the page's own connection
_PATIENCE = 8.0  # seconds from START to the first frame; on localhost it takes about one
_CAMERA = {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}}


def open_stream(settings: Settings | None) -> Stream | None:
    """This visitor's stream under these settings.

    Without any it keeps those it has, and None if it has none.
    """
    stream: Stream | None = st.session_state.get(_STREAM)
    if settings and stream:
        stream.use(settings)
    elif settings:
        stream = st.session_state[_STREAM] = Stream(settings)
    return stream


def leave() -> None:
    """Let go of the stream, as every page but Live does: the library then stops the camera within a second or two.

    Without this, a visitor who returns would meet the remains of the old connection.
    """
    for key in (_STREAM, _CONNECTION, _SINCE, _WATCHED, _PHOTO):
        st.session_state.pop(key, None)


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
    _forgive_reruns()
    _keep_no_queue()
    context = webrtc_streamer(
        _CONNECTION,  # a key that changed with the version would restart the camera
        WebRtcMode.SENDRECV,
        rtc_configuration={"iceServers": servers},
        media_stream_constraints={"video": _CAMERA, "audio": False},
        queued_video_frames_callback=stream.receive,
        on_video_ended=stream.ended,
        sendback_audio=False,
        video_html_attrs={
            "autoPlay": True,
            "muted": True,
            "playsInline": True,
            "style": {"width": "100%"},
        },
        media_toggle_controls=False,
    )
    _note_start(context.state)
    _watch(context, stream)
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


def trouble(state: WebRtcStreamerState, readout: Readout) -> str:
    """What is wrong with the connection, in words, or ""."""
    started = st.session_state.get(_SINCE)
    waiting = started is not None and monotonic() - started > _PATIENCE
    seen = (
        readout.silence is not None
        and started is not None
        and monotonic() - readout.silence >= started
    )
    if state.playing and seen and readout.silence and readout.silence > 3:
        return (
            "No frame has come for a while. The camera may be in use elsewhere, or the network too"
            " slow."
        )
    if (state.playing or state.signalling) and waiting and not seen:
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
            st.session_state.pop(_PHOTO, None)


def _single_photo(pipeline: FERPipeline) -> None:
    st.caption("The photo is kept in memory until you clear it, take another or leave this page.")
    st.camera_input("Take a photo", key="snapshot", on_change=_take_snapshot, width=480)
    photo: Photo | None = st.session_state.get(_PHOTO)
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
        st.session_state.pop(_PHOTO, None)
    elif isinstance(snapshot, UploadedFile):  # else it is one that was taken before
        st.session_state[_PHOTO] = Photo("the photo", snapshot.getvalue())
        streamlit_internals.forget_upload(snapshot)


def _forgive_reruns() -> None:
    """Keep the library from taking a connection for orphaned when Streamlit skips a run while it is being made.

    `leave` does that job here. Without this, about one start in ten is torn down and START must be
    pressed again (streamlit-webrtc 0.72 to 0.79 compare counters of script runs); the attribute is
    private, hence the guard.
    """
    context: Any = st.session_state.get(_CONNECTION)
    if hasattr(context, "_last_rendered_run_count"):
        context._last_rendered_run_count = None


def _keep_no_queue() -> None:
    """Send the newest frame; one that the encoder had no time for is dropped.

    The library queues the frames on their way back without a bound: on a server that encodes more
    slowly than the camera films, the picture falls behind by seconds and the memory grows for as
    long as the camera runs.
    """
    relay = get_global_relay()
    relay.subscribe = partial(type(relay).subscribe, relay, buffered=False)  # type: ignore[method-assign]


def _watch(context: WebRtcStreamerContext[Any, Any], stream: Stream) -> None:
    """Watch every new connection once.

    The worker, which alone can be stopped, has no public name in the library.
    """
    worker = context._get_worker()
    session = get_script_run_ctx()
    if (
        worker is not None
        and session is not None
        and st.session_state.get(_WATCHED) != weakref.ref(worker)
    ):
        # an id would come back with the next connection
        st.session_state[_WATCHED] = weakref.ref(worker)
        watch = _end_with_its_tab, (weakref.ref(worker), stream, session.session_id)
        threading.Thread(target=watch[0], args=watch[1], name="tab watch", daemon=True).start()


def _end_with_its_tab(worker: weakref.ref[Any], stream: Stream, session_id: str) -> None:
    """Stop a connection whose tab was closed.

    By itself the library notices after 30 s, when ICE consent expires.
    """
    while (connection := worker()) is not None and connection.pc.connectionState != "closed":
        silence = stream.readout().silence
        if (
            silence
            and silence > _TAB_SECONDS
            and not runtime.get_instance().is_active_session(session_id)
        ):
            connection.stop()
            return
        del connection
        sleep(1.0)


def _note_start(state: WebRtcStreamerState) -> None:
    if not (state.playing or state.signalling):
        st.session_state.pop(_SINCE, None)
    else:
        st.session_state.setdefault(_SINCE, monotonic())
