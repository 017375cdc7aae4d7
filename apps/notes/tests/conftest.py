from collections.abc import Iterator

import pytest
from servers import Postgres, Redis, Service, no_postgres, no_redis, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if reason := no_postgres():
        pytest.skip(f"{reason}: install postgresql-15, or name its folder in POSTGRES_BIN")
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture
def redis() -> Iterator[Redis]:
    if reason := no_redis():
        pytest.skip(f"{reason}: put redis-server on PATH, or its path into REDIS_SERVER")
    server = Redis()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def service(postgres: Postgres) -> Iterator[Service]:
    with running(**postgres.environment) as started:
        yield started
