"""Around the whole service: how large and how slow a request may be, and what every answer says to browsers."""

import asyncio
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from notes.problems import Problem

MAX_BODY = 16 * 1024
HEARD = 1024 * 1024
PATIENCE = 10.0

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
CLOSE = {"Connection": "close"}


class Guard:
    def __init__(self, app: ASGIApp, patience: float = PATIENCE) -> None:
        self._app = app
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        send = _with_headers(send)
        try:
            body = await asyncio.wait_for(_body_of(scope, receive), self._patience)
        except TimeoutError:
            slow = Problem(408, "too_slow", "The request took too long.", headers=CLOSE)
            return await slow.response()(scope, receive, send)
        except Problem as problem:
            return await problem.response()(scope, receive, send)
        if body is None:
            return None
        # The server leaves the body out of what it sends.
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        return await self._app(scope, _once(body, receive), send)


async def _body_of(scope: Scope, receive: Receive) -> bytes | None:
    """
    None where the client has gone meanwhile. What is too much is heard to its end, within reason: who is still sending when
    the connection closes, as a proxy may be, takes that for a failure and never hears the answer.
    """
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if int(declared) > HEARD:
        raise _too_large()
    body: bytes = b""
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > HEARD:
            raise _too_large()
        if size <= MAX_BODY:
            body += part
        if not message.get("more_body", False):
            if size > MAX_BODY:
                raise _too_large()
            return body


def _too_large() -> Problem:
    return Problem(413, "too_large", f"Send no more than {MAX_BODY} bytes.", headers=CLOSE)


def _once(body: bytes, receive: Receive) -> Receive:
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def read() -> Message:
        return messages.pop() if messages else await receive()

    return read


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name for name, _ in message["headers"]}
            more = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in own]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return sent
