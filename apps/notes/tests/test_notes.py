from uuid import uuid4

from client import ask
from servers import Postgres, Service, eventually


def test_a_note_is_kept_and_found_again(service: Service, postgres: Postgres) -> None:
    text = "bread 🍞 and 'salt'; DROP TABLE notes"
    made = ask(service.port, "POST", "/api/notes", {"text": text})
    assert (made.status, made.body["text"]) == (201, text)
    one = ask(service.port, "GET", f"/api/notes/{made.body['id']}")
    assert (one.status, one.body) == (200, {**made.body, "reads": None})
    assert ask(service.port, "GET", "/api/notes").body["notes"][0] == made.body
    assert postgres.sql(f"SELECT text FROM notes WHERE id = '{made.body['id']}'", "notes") == text


def test_a_note_that_is_sent_again_is_kept_once(service: Service) -> None:
    note = {"id": str(uuid4()), "text": "once"}
    first, again = (ask(service.port, "POST", "/api/notes", note) for _ in range(2))
    assert (first.status, again.status) == (201, 200)
    assert first.body == again.body
    other = ask(service.port, "POST", "/api/notes", {**note, "text": "another"})
    assert (other.status, other.code, other.body["error"]["field"]) == (409, "taken", "id")


def test_the_latest_come_first_and_no_more_than_a_hundred(service: Service) -> None:
    for number in range(102):
        ask(service.port, "POST", "/api/notes", {"text": str(number)})
    notes = ask(service.port, "GET", "/api/notes").body["notes"]
    assert [note["text"] for note in notes] == [str(number) for number in range(101, 1, -1)]


def test_text_may_be_as_long_as_it_says(service: Service) -> None:
    assert ask(service.port, "POST", "/api/notes", {"text": "€" * 1000}).status == 201


def test_health_is_told_outside_of_the_api_and_readiness_to_visitors_too(service: Service) -> None:
    assert ask(service.port, "GET", "/healthz").body == {"alive": True}
    eventually(lambda: ask(service.port, "GET", "/readyz").body == {"ready": True, "postgres": None})
    assert ask(service.port, "GET", "/api/readyz").body == {"ready": True, "postgres": None}


def test_the_api_is_described_without_anything_from_elsewhere(service: Service) -> None:
    page = ask(service.port, "GET", "/api/docs")
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    assert "//" not in page.text.replace("<!doctype html>", "")
    for file, content in [
        ("docs.js", "SwaggerUIBundle"),
        ("swagger-ui-bundle.js", "SwaggerUI"),
        ("swagger-ui.css", ".swagger-ui"),
    ]:
        assert f'"docs/{file}"' in page.text
        found = ask(service.port, "GET", f"/api/docs/{file}")
        assert found.status == 200 and content in found.text
    assert set(ask(service.port, "GET", "/api/openapi.json").body["paths"]) == {"/api/notes", "/api/notes/{id}"}
    short = ask(service.port, "GET", "/docs")
    assert (short.status, short.headers["location"]) == (307, "/api/docs")


def test_head_is_answered_where_get_is(service: Service) -> None:
    head, get = (ask(service.port, method, "/api/docs/docs.js") for method in ("HEAD", "GET"))
    assert (head.status, head.text) == (200, "")
    assert head.headers["content-length"] == get.headers["content-length"] != "0"


def test_answers_tell_browsers_to_be_careful(service: Service) -> None:
    for path in ("/api/notes", "/api/docs", "/nowhere"):
        headers = ask(service.port, "GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers
