"""Answers that are not what was asked for: what is wrong, and what is allowed. None quotes the request."""

import json
import logging
import re
import time
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from notes.stores import Unavailable

log = logging.getLogger("notes")
MENTION_EVERY = 10.0
RETRY_AFTER = "2"
JSON = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?', re.IGNORECASE)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class Problem(Exception):
    """Each is raised once: an exception keeps the frames of every raise."""

    def __init__(
        self, status: int, code: str, message: str, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.headers = dict(headers or {})

    def response(self) -> Response:
        error = {"code": self.code, "message": self.message} | ({"field": self.field} if self.field else {})
        return answer({"error": error}, self.status, self.headers)


def no_such_note() -> Problem:
    return Problem(404, "not_found", "There is no such note.")


def not_json() -> Problem:
    message = "Send the request as application/json, in UTF-8."
    return Problem(415, "not_json", message, headers={"Accept": "application/json"})


def malformed() -> Problem:
    return Problem(400, "malformed_json", "The body is not a JSON object.")


def only_json(request: Request) -> None:
    if not JSON.fullmatch(request.headers.get("content-type", "")):
        raise not_json()


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(value) + "\n", status, headers, "application/json")


def of_validation(errors: list[dict[str, Any]]) -> Problem:
    """The first of them is enough to go on with."""
    place, *rest = errors[0]["loc"]
    if place == "path":
        return no_such_note()
    field = str(rest[0]) if rest else ""
    if errors[0]["type"] == "json_invalid" or (place == "body" and not rest):
        return malformed()
    known = field if NAME.fullmatch(field) else None
    return Problem(422, "invalid_field", f"{errors[0]['msg']}.", known)


def of_http(request: Request, error: HTTPException) -> Problem:
    if error.status_code == 404:
        return Problem(404, "not_found", "There is nothing here.")
    if error.status_code == 400:
        # What the parser did not understand at all.
        return malformed()
    if error.status_code == 405:
        found = [route for route in request.app.routes if route.matches(request.scope)[0] != Match.NONE]
        allowed = ", ".join(sorted({method for route in found for method in route.methods or ()}))
        return Problem(405, "method_not_allowed", f"Allowed here: {allowed}.", headers={"Allow": allowed})
    return Problem(error.status_code, "bad_request", "The request cannot be read.")


class Mentions:
    """While a store is away every request fails alike."""

    def __init__(self) -> None:
        self._last = -MENTION_EVERY

    def mention(self, reason: str) -> None:
        if time.monotonic() - self._last >= MENTION_EVERY:
            self._last = time.monotonic()
            log.error(reason)


def add_problems(app: FastAPI) -> None:
    mentions = Mentions()

    @app.exception_handler(Problem)
    def problem(_: Request, error: Problem) -> Response:
        return error.response()

    @app.exception_handler(RequestValidationError)
    def validation(_: Request, error: RequestValidationError) -> Response:
        return of_validation(list(error.errors())).response()

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        return of_http(request, error).response()

    @app.exception_handler(Unavailable)
    def unavailable(_: Request, error: Unavailable) -> Response:
        mentions.mention(str(error))
        message = "This cannot be done at the moment. Please try again in a few seconds."
        return Problem(503, "unavailable", message, headers={"Retry-After": RETRY_AFTER}).response()

    @app.exception_handler(Exception)
    def unforeseen(_: Request, __: Exception) -> Response:
        return Problem(500, "internal", "Something went wrong here. It is not your fault.").response()
