"""The private reaches into Streamlit, on a runtime of its own without a web server around it."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from streamlit.runtime import Runtime, RuntimeConfig
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from app_pages.shared import streamlit_internals as internals

SESSION_SECONDS = 0.3


class Server:
    """A runtime and its event loop, in a thread as the web server has it."""

    def __init__(self) -> None:
        self.uploads = MemoryUploadedFileManager("/upload")
        storage = MemorySessionStorage(ttl_seconds=SESSION_SECONDS)
        self.runtime = Runtime(
            RuntimeConfig(
                "app.py", MemoryMediaFileStorage("/media"), self.uploads, session_storage=storage
            )
        )
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self.runtime.start(), self.loop).result()

    def connect(self) -> str:
        async def connect() -> str:
            return self.runtime.connect_session(
                SimpleNamespace(write_forward_msg=lambda _: None), {}
            )

        return asyncio.run_coroutine_threadsafe(connect(), self.loop).result()

    def disconnect(self, session: str) -> None:
        async def disconnect() -> None:
            self.runtime.disconnect_session(session)

        asyncio.run_coroutine_threadsafe(disconnect(), self.loop).result()

    def upload(self, session: str, name: str, data: bytes) -> UploadedFile:
        """As the web server hands a file over, and as the page then gets it."""
        record = UploadedFileRec(file_id=name, name=name, type="image/jpeg", data=data)
        self.uploads.add_file(session_id=session, file=record)
        (kept,) = self.uploads.get_files(session, [name])
        return UploadedFile(kept, None)

    def stop(self) -> None:
        async def stopped() -> None:
            self.runtime.stop()
            await self.runtime.stopped

        asyncio.run_coroutine_threadsafe(stopped(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(Runtime, "_instance", None)
    server = Server()
    yield server
    server.stop()


def test_no_server_keeps_no_uploads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "_instance", None)
    assert not internals.keeps_uploads()
    assert internals.waiting_bytes() == 0


def test_waiting_bytes_are_counted_by_session_and_in_all(server: Server) -> None:
    assert internals.keeps_uploads()
    assert internals.waiting_bytes() == 0
    one, other = server.connect(), server.connect()
    server.upload(one, "a.jpg", b"aaa")
    server.upload(one, "b.jpg", b"bb")
    server.upload(other, "c.jpg", b"c")
    assert [internals.waiting_bytes(session) for session in (one, other, "nobody")] == [5, 1, 0]
    assert internals.waiting_bytes() == 6


def test_guard_keeps_no_bytes_of_what_is_refused(server: Server) -> None:
    session = server.connect()
    asked = []

    def refusal(*file: object) -> str:
        asked.append(file)
        return "too good" if len(asked) > 1 else ""

    internals.guard_uploads(refusal)
    internals.guard_uploads(refusal)  # asked once all the same
    wanted = server.upload(session, "a.jpg", b"aaa")
    refused = server.upload(session, "b.jpg", b"bbbb")
    assert asked == [(session, "a.jpg", 3), (session, "b.jpg", 4)]
    assert (wanted.getvalue(), internals.refusal_of(wanted)) == (b"aaa", "")
    assert (refused.getvalue(), internals.refusal_of(refused)) == (b"", "too good")
    assert internals.waiting_bytes(session) == 3


class Secret:
    """Anything that a page keeps."""


def fill(session: AppSession) -> weakref.ref[Secret]:
    """Put something into a session that, as a page's callbacks do, leads back to the session."""
    secret = Secret()
    session.session_state["secret"] = secret
    session.session_state["callback"] = session.request_rerun
    return weakref.ref(secret)


def test_ended_sessions_are_emptied_though_nobody_comes(server: Server) -> None:
    staying, leaving = server.connect(), server.connect()
    secret = fill(server.runtime.get_app_session(leaving))
    server.upload(leaving, "a.jpg", b"aaa")
    assert internals.end_sessions() == []
    gc.collect()
    gc.freeze()  # as the page Live does: what is alive now, the collector never looks at again
    try:
        server.disconnect(leaving)
        assert internals.end_sessions() == []  # it may come back
        time.sleep(SESSION_SECONDS)
        assert internals.end_sessions() == [leaving]
    finally:
        gc.unfreeze()
    assert internals.end_sessions() == []
    assert secret() is None
    assert internals.waiting_bytes() == 0
    assert server.runtime.is_active_session(staying)
