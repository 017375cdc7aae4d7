import socket
import time
from typing import Any

import pytest
from client import Answer, ask, raw
from servers import Postgres, Service, running

NOTES = "/api/notes"
ID = "0b9c9a5e-5d0a-4f0e-9a53-2f6f0e9a1c11"

BODIES: list[tuple[str, Any, int, str, str | None]] = [
    ("no field", {}, 422, "invalid_field", "text"),
    ("an empty text", {"text": ""}, 422, "invalid_field", "text"),
    ("too long a text", {"text": "x" * 1001}, 422, "invalid_field", "text"),
    ("a text that is a number", {"text": 1}, 422, "invalid_field", "text"),
    ("a text that is null", {"text": None}, 422, "invalid_field", "text"),
    ("a text that cannot be kept", {"text": "a\0b"}, 422, "invalid_field", "text"),
    ("half a character", '{"text": "\\ud800"}', 422, "invalid_field", "text"),
    ("an id that is none", {"text": "x", "id": "1"}, 422, "invalid_field", "id"),
    ("an unknown field", {"text": "x", "colour": "red"}, 422, "invalid_field", "colour"),
    ("an unknown field that is not repeated", {"text": "x", "<script>": 1}, 422, "invalid_field", None),
    ("an unknown field of half a character", '{"text": "x", "\\ud800": 1}', 400, "malformed_json", None),
    ("half an object", '{"text": "x"', 400, "malformed_json", None),
    ("no JSON", "hush", 400, "malformed_json", None),
    ("a list", "[]", 400, "malformed_json", None),
    ("a text alone", '"x"', 400, "malformed_json", None),
    ("null", "null", 400, "malformed_json", None),
    ("what is no UTF-8", b'{"text": "\xff"}', 400, "malformed_json", None),
    ("what is nested too deep", "[" * 16_000, 400, "malformed_json", None),
    ("a number without end", '{"text": ' + "9" * 10_000 + "}", 400, "malformed_json", None),
    ("too much", {"text": "x" * 20_000}, 413, "too_large", None),
]


def clear(answer: Answer) -> Answer:
    """It says what is wrong, and nothing of what is inside."""
    assert len(answer.body["error"]["message"]) > 10
    for word in ("Traceback", "site-packages", 'File "', "psycopg", "pydantic"):
        assert word not in answer.text
    return answer


@pytest.mark.parametrize(("what", "body", "status", "code", "field"), BODIES, ids=[each[0] for each in BODIES])
def test_refuses(service: Service, what: str, body: Any, status: int, code: str, field: str | None) -> None:
    answer = clear(ask(service.port, "POST", NOTES, body))
    assert (answer.status, answer.code, answer.body["error"].get("field")) == (status, code, field)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""]
)
def test_refuses_another_kind_of_content(service: Service, kind: str) -> None:
    answer = clear(ask(service.port, "POST", NOTES, {"text": "x"}, {"Content-Type": kind} if kind else {}))
    assert (answer.status, answer.code, answer.headers["accept"]) == (415, "not_json", "application/json")


def test_refuses_no_content_at_all(service: Service) -> None:
    assert ask(service.port, "POST", NOTES).status == 415
    assert clear(ask(service.port, "POST", NOTES, b"")).status == 400


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/",
        "/api/note",
        f"{NOTES}/",
        f"{NOTES}/1",
        f"{NOTES}/{ID}",
        f"{NOTES}/%00",
        "/%ff",
        "/../etc/passwd",
    ],
)
def test_refuses_a_path_that_leads_nowhere(service: Service, path: str) -> None:
    answer = clear(ask(service.port, "GET", path))
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", NOTES, "GET, POST"),
        ("PUT", f"{NOTES}/{ID}", "GET"),
        ("POST", "/api/docs", "GET"),
        ("BREW", "/healthz", "GET"),
    ],
)
def test_refuses_another_method(service: Service, method: str, path: str, allowed: str) -> None:
    answer = clear(ask(service.port, method, path))
    assert answer.status == 405
    assert set(allowed.split(", ")) == set(answer.headers["allow"].split(", "))


def test_refuses_a_body_that_grows_beyond_the_limit(service: Service) -> None:
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    head = (
        b"POST /api/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    assert raw(service.port, head + chunk * 10 + b"0\r\n\r\n").startswith("HTTP/1.1 413 ")


def test_hears_too_much_to_its_end_before_it_says_so(service: Service) -> None:
    size = 200_000
    head = f"POST /api/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall(head.encode() + b"x" * (size - 1))
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(10)
        connection.sendall(b"x")
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00 this is TLS\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /api/notes HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"GET /api/notes HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 400_000 + b"\r\n\r\n",
    ],
)
def test_refuses_what_is_no_request(service: Service, request_: bytes) -> None:
    assert raw(service.port, request_).startswith("HTTP/1.1 400 ")


def test_waits_for_a_slow_client_no_longer_than_it_says(postgres: Postgres) -> None:
    with running(**postgres.environment) as service:
        start = time.monotonic()
        head = b"POST /api/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{"
        with socket.create_connection(("127.0.0.1", service.port), 15) as way:
            way.sendall(head)
            assert way.recv(65_536).startswith(b"HTTP/1.1 408 ")
        assert 9 < time.monotonic() - start < 30


def test_ten_thousand_of_them_leave_its_memory_as_it_was(postgres: Postgres) -> None:
    """Of every kind, by a connection each as rude clients do, and with new names each time."""
    with running(**postgres.environment) as service:

        def rudely(times: int) -> None:
            for number in range(times):
                field = ask(service.port, "POST", NOTES, {"text": "x", f"field{number}": "y" * 5000})
                assert field.status == 422
                assert ask(service.port, "POST", NOTES, "{" * 5000).status == 400
                assert ask(service.port, "GET", f"/api/{number}").status == 404
                assert ask(service.port, "DELETE", f"{NOTES}?{number}").status == 405
                assert ask(service.port, "POST", NOTES, b"x" * 20_000).status == 413

        rudely(400)
        before = service.memory()
        rudely(2000)
        assert service.memory() - before < 2**20, f"{before} became {service.memory()}"
        assert ask(service.port, "GET", "/readyz").status == 200
        assert "Traceback" not in service.said()
