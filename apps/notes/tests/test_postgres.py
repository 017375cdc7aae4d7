import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from uuid import uuid4

import pytest
from client import Answer, ask
from servers import PASSWORD, Postgres, Service, eventually, no_postgres, running

pytestmark = pytest.mark.skipif(no_postgres() is not None, reason=f"{no_postgres()}: install postgresql-15")


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture
def service(postgres: Postgres) -> Iterator[Service]:
    with running(**postgres.environment) as started:
        yield started


def ready(service: Service) -> Answer:
    return ask(service.port, "GET", "/readyz")


def write(service: Service, text: str = "x") -> Answer:
    return ask(service.port, "POST", "/api/notes", {"text": text})


def is_ready(service: Service) -> bool:
    return ready(service).status == 200


def test_readiness_follows_postgres_away_and_back(service: Service, postgres: Postgres) -> None:
    eventually(lambda: is_ready(service))
    postgres.end()
    assert (ready(service).status, ready(service).body) == (
        503,
        {"ready": False, "postgres": "Postgres cannot be reached"},
    )
    assert ask(service.port, "GET", "/healthz").status == 200
    refused = write(service)
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "unavailable", "2")
    postgres.start()
    # At once: a request that finds its connection dead makes another one.
    assert write(service).status == 201
    eventually(lambda: is_ready(service))


def test_what_was_confirmed_outlives_a_postgres_that_is_killed(service: Service, postgres: Postgres) -> None:
    confirmed = [write(service, str(number)).body["id"] for number in range(20)]
    postgres.end(signal.SIGKILL)
    assert write(service).status == 503
    postgres.start()
    kept = {note["id"] for note in ask(service.port, "GET", "/api/notes").body["notes"]}
    assert kept == set(confirmed)


def test_no_request_sees_that_a_connection_was_cut(service: Service, postgres: Postgres) -> None:
    for _ in range(5):
        postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'notes'")
        assert write(service).status == 201


def test_a_postgres_that_falls_silent_keeps_nobody_waiting(service: Service, postgres: Postgres) -> None:
    eventually(lambda: is_ready(service))
    postgres.freeze(True)
    start = time.monotonic()
    silent = ready(service)
    assert (silent.status, silent.body["postgres"]) == (503, "it does not answer in time")
    assert time.monotonic() - start < 5
    assert write(service).status == 503
    assert time.monotonic() - start < 20
    postgres.freeze(False)
    eventually(lambda: is_ready(service))
    assert write(service).status == 201


def test_a_postgres_that_takes_no_writes_is_none(service: Service, postgres: Postgres) -> None:
    assert write(service).status == 201
    postgres.sql("ALTER ROLE notes SET default_transaction_read_only = on")
    postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'notes'")
    assert (ready(service).status, ready(service).body["postgres"]) == (503, "this Postgres takes no writes")
    postgres.sql("ALTER ROLE notes RESET default_transaction_read_only")
    assert write(service).status == 201
    eventually(lambda: is_ready(service))


def test_it_takes_no_more_connections_than_it_says(postgres: Postgres) -> None:
    with running(**postgres.environment, CONNECTIONS="3") as service:
        with ThreadPoolExecutor(20) as crowd:
            statuses = list(crowd.map(lambda _: write(service).status, range(200)))
        assert statuses == [201] * 200
        assert int(postgres.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'notes'")) <= 3


def test_a_table_that_was_lost_is_made_anew(service: Service, postgres: Postgres) -> None:
    assert write(service).status == 201
    postgres.sql("DROP TABLE notes", "notes")
    eventually(lambda: write(service).status == 201)


def test_several_that_start_at_once_make_one_table(postgres: Postgres) -> None:
    with running(**postgres.environment) as one, running(**postgres.environment) as two:
        for service in (one, two):
            assert write(service).status == 201


def test_it_ends_when_its_password_is_refused_for_a_while(service: Service, postgres: Postgres) -> None:
    assert write(service).status == 201
    postgres.sql("ALTER ROLE notes PASSWORD 'changed'")
    # Who is connected stays so.
    eventually(lambda: is_ready(service))
    postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'notes'")
    start = time.monotonic()
    assert ready(service).body["postgres"] == "Postgres refuses the user or password"

    def ended() -> bool:
        if service.process.poll() is None:
            ask(service.port, "GET", "/readyz")
        return service.process.poll() is not None

    eventually(ended, 60)
    assert 9 < time.monotonic() - start < 50
    assert service.process.returncode != 0
    assert "a password is refused" in service.said()
    for secret in (PASSWORD, "changed"):
        assert secret not in service.said()
    with running(**{**postgres.environment, "PGPASSWORD": "changed"}) as again:
        assert write(again).status == 201


def test_it_follows_a_password_in_a_file_whoever_hears_of_it_first(postgres: Postgres, tmp_path: Path) -> None:
    def cut() -> None:
        postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'notes'")

    file = tmp_path / "PGPASSWORD"
    file.write_text(PASSWORD)
    # What the environment said is worth nothing any more.
    environment = {**postgres.environment, "PGPASSWORD": "never good", "PGPASSWORD_FILE": str(file)}
    with running(**environment) as service:
        assert write(service).status == 201
        file.write_text("next")
        cut()
        assert write(service).status == 201
        postgres.sql("ALTER ROLE notes PASSWORD 'next'")
        cut()
        assert write(service).status == 201
        # And the server first: it is refused, stays, and finds in as soon as the file has it.
        postgres.sql("ALTER ROLE notes PASSWORD 'last'")
        cut()
        assert ready(service).body["postgres"] == "Postgres refuses the user or password"
        file.write_text("last")
        assert write(service).status == 201
        for secret in (PASSWORD, "next", "last", "never good"):
            assert secret not in service.said()


def test_it_is_told_what_is_missing_before_it_starts(postgres: Postgres) -> None:
    service = Service(**{**postgres.environment, "PGHOST": ""})
    try:
        assert service.process.wait(10) == 1
        assert "cannot start: PGHOST is not set" in service.said()
    finally:
        service.remove()


def test_it_ends_what_it_began_when_it_is_told_to_stop(service: Service, postgres: Postgres) -> None:
    answers: list[Answer] = []
    eventually(lambda: is_ready(service))
    postgres.freeze(True)
    asking = Thread(target=lambda: answers.append(write(service, str(uuid4()))))
    asking.start()
    time.sleep(0.5)
    service.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    postgres.freeze(False)
    asking.join()
    assert answers[0].status == 201
    service.process.wait(10)
