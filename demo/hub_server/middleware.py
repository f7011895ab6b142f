"""The log of requests, and the faults on demand, in front of the Hub's routes."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.hub_server.faults import (
    Answer,
    Corrupt,
    Delay,
    Fault,
    Hang,
    LoseAnswer,
    Request,
    Truncate,
)

POLL_SECONDS = 0.02


class LogAndFaults:
    """The outermost layer: it notes each request, applies the rules, and keeps the path as sent."""

    def __init__(self, app: ASGIApp, faults: list[Fault], log: list[Request]) -> None:
        self.app = app
        self.faults = faults
        self.log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = _request(scope)
        self.log.append(request)
        scope = {**scope, "path": request.path}
        fault = await self._wait_and_choose(request)
        if fault:
            await self._act(fault, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _wait_and_choose(self, request: Request) -> Fault | None:
        """Sleep for all delays, and return the first rule that does something else."""
        for fault in list(self.faults):
            if fault.applies(request):
                if not isinstance(fault.action, Delay):
                    return fault
                await asyncio.sleep(fault.action.seconds)
        return None

    async def _act(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        match fault.action:
            case Answer() as answer:
                await _answer(answer, send)
            case Hang(handled=False):
                body = await _read(receive)
                if await self._hold(fault, receive):
                    await self.app(scope, _replay(body, receive), send)
            case Hang():
                await self.app(scope, receive, self._held(fault, receive, send))
            case Truncate() | Corrupt() | LoseAnswer() as action:
                await self.app(scope, receive, _damaged(action, send))

    async def _hold(self, fault: Fault, receive: Receive) -> bool:
        """Wait until the rule is cleared; False if the client is gone by then."""
        while True:
            cleared = fault not in self.faults
            try:
                message = await asyncio.wait_for(receive(), POLL_SECONDS)
            except TimeoutError:
                if cleared:
                    return True
                continue
            if message["type"] == "http.disconnect":
                return False

    def _held(self, fault: Fault, receive: Receive, send: Send) -> Send:
        async def hold_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._hold(fault, receive)
            await send(message)

        return hold_and_send


def _request(scope: Scope) -> Request:
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    return Request(scope["method"], scope["raw_path"].decode("ascii"), headers)


async def _answer(answer: Answer, send: Send) -> None:
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(answer.body)),
        **answer.headers,
    }
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
    await send({"type": "http.response.body", "body": answer.body})


async def _read(receive: Receive) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that begins with a body that was read before."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again


def _damaged(action: Truncate | Corrupt | LoseAnswer, send: Send) -> Send:
    """A `send` that spoils the body; Uvicorn closes a connection whose body stays too short."""

    async def send_damaged(message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] == "http.response.start":
            await send(message)
        elif isinstance(action, Corrupt):
            await send({**message, "body": _flip_middle(body)})
        else:
            await send({**message, "body": body[: _kept(action, body)], "more_body": True})

    return send_damaged


def _kept(action: Truncate | LoseAnswer, body: bytes) -> int:
    """How many bytes of the body are sent."""
    if isinstance(action, LoseAnswer):
        return 0
    return len(body) // 2 if action.keep is None else action.keep


def _flip_middle(body: bytes) -> bytes:
    changed = bytearray(body)
    if changed:
        changed[len(changed) // 2] ^= 0xFF
    return bytes(changed)
