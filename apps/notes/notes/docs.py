"""The page that describes the API and tries it out, with all its files from here."""

from importlib.resources import files

from fastapi import FastAPI
from starlette.responses import Response

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FILES = {
    "/docs": ("notes", "docs.html", "text/html"),
    "/docs/docs.js": ("notes", "docs.js", "text/javascript"),
    "/docs/swagger-ui-bundle.js": ("fastapi_offline", "swagger-ui-bundle.js", "text/javascript"),
    "/docs/swagger-ui.css": ("fastapi_offline", "swagger-ui.css", "text/css"),
}


def add_docs(app: FastAPI, prefix: str) -> None:
    for path, (package, file, kind) in FILES.items():
        content = (files(package) / "static" / file).read_bytes()
        app.add_api_route(prefix + path, _file(content, kind), methods=["GET"], include_in_schema=False)


def _file(content: bytes, kind: str):  # type: ignore[no-untyped-def]
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "max-age=3600"}

    def give() -> Response:
        return Response(content, media_type=kind, headers=headers)

    return give
