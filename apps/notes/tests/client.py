"""Asks the service, as the edge does."""

import http.client
import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])


def ask(port: int, method: str, path: str, body: Any = None, headers: dict[str, str] = JSON) -> Answer:
    """A body that is neither text nor bytes is sent as JSON."""
    content = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, content, headers if body is not None else {})
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read().decode())
    finally:
        connection.close()


def raw(port: int, request: bytes) -> str:
    with socket.create_connection(("127.0.0.1", port), 30) as way:
        # A server that has read enough may hang up on the rest.
        with suppress(ConnectionError):
            way.sendall(request)
        return way.recv(65_536).decode()
