"""Every private reach into Streamlit for the sake of what visitors upload, each with its reason.

`tests/app_pages/shared/test_streamlit_internals.py` fails where a new Streamlit has moved what is
used here.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from functools import partial
from typing import cast

from streamlit import runtime
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

Refusal = Callable[[str, str, int], str]
"""Why a file of this session, name and number of bytes is not wanted, or ""."""

_REFUSED = "refused: "
_known: dict[str, weakref.ref[AppSession]] = {}


def keeps_uploads() -> bool:
    """Whether this process serves the app and keeps uploads in memory, as `AppTest` does not."""
    if not runtime.exists():
        return False
    return isinstance(runtime.get_instance().uploaded_file_mgr, MemoryUploadedFileManager)


def session_id() -> str:
    """The visitor whose script is running."""
    context = get_script_run_ctx()
    if context is None:
        raise RuntimeError("no page's script is running; call session_id() from one.")
    return context.session_id


def forget_upload(upload: UploadedFile) -> None:
    """Take an upload of the running session out of the upload manager.

    The manager keeps it until the session ends, whatever becomes of the widget it came through.
    """
    context = get_script_run_ctx()
    if context and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, upload.file_id)


def forget_all_uploads() -> None:
    """Take all of them out, those as well that were on their way when the visitor left the page."""
    if context := get_script_run_ctx():
        context.uploaded_file_mgr.remove_session_files(context.session_id)


def waiting_bytes(session: str | None = None) -> int:
    """Bytes of uploads that no page has taken yet: of one session, or of all.

    The manager tells only a total, through its statistics, and nothing of a single session.
    """
    if not keeps_uploads():
        return 0
    storage = _upload_manager().file_storage
    sessions = list(storage.values()) if session is None else [storage.get(session, {})]
    return sum(len(file.data) for files in sessions for file in list(files.values()))


def guard_uploads(refusal: Refusal) -> None:
    """Ask `refusal` about every file on its arrival, and keep but the name of an unwanted one.

    Streamlit takes all that a browser sends; the page hears of it when the last file has come.
    """
    manager = _upload_manager()
    manager.add_file = partial(_add_file, manager, refusal)  # type: ignore[method-assign]


def refusal_of(upload: UploadedFile) -> str:
    """Why the guard kept no bytes of this upload, or ""."""
    return upload.type.removeprefix(_REFUSED) if upload.type.startswith(_REFUSED) else ""


def end_sessions() -> list[str]:
    """Empty the sessions that have ended since the last call, and return their ids.

    Streamlit drops an expired session at the next visitor's departure, and then leaves it to the
    garbage collector, which never finds what `gc.freeze` has set aside. The storage of sessions is
    for the server's event loop alone.
    """
    loop = runtime.get_instance()._get_async_objs().eventloop
    if loop.is_closed():
        return []
    return asyncio.run_coroutine_threadsafe(_end_sessions(), loop).result()


def forget_media() -> None:
    """Drop pictures and downloads that no page shows; Streamlit does so when a script ends."""
    runtime.get_instance().media_file_mgr.remove_orphaned_files()


async def _end_sessions() -> list[str]:
    manager = runtime.get_instance()._session_mgr
    manager._session_storage._cache.expire()  # type: ignore[attr-defined]
    living = {info.session.id: weakref.ref(info.session) for info in manager.list_sessions()}
    ended = [identity for identity in _known if identity not in living]
    for identity in ended:
        if session := _known.pop(identity)():
            session.shutdown()
            session.session_state.clear()
    _known.update(living)
    return ended


def _add_file(
    manager: MemoryUploadedFileManager,
    refusal: Refusal,
    session_id: str,
    file: UploadedFileRec,
) -> None:
    if reason := refusal(session_id, file.name, len(file.data)):
        file = file._replace(type=f"{_REFUSED}{reason}", data=b"")
    MemoryUploadedFileManager.add_file(manager, session_id, file)


def _upload_manager() -> MemoryUploadedFileManager:
    return cast(MemoryUploadedFileManager, runtime.get_instance().uploaded_file_mgr)
