import re
from pathlib import Path

import pytest

from notes.settings import Faults, settings

PG = {"PGHOST": "db", "PGUSER": "notes", "PGDATABASE": "notes"}
REDIS = {"REDIS_HOST": "cache", "REDIS_USERNAME": "app", "REDIS_PASSWORD": "secret"}


def test_has_usual_values_and_no_redis_unless_it_is_named() -> None:
    found = settings(PG)
    assert (found.host, found.port, found.connections, found.name, found.redis) == ("0.0.0.0", 8000, 2, "notes", None)


def test_reads_a_redis_in_every_mode(tmp_path: Path) -> None:
    for mode in ("standalone", "cluster"):
        redis = settings({**PG, **REDIS, "REDIS_MODE": mode}).redis
        assert redis and (redis.mode, redis.host, redis.port, redis.tls) == (mode, "cache", 6379, False)
    (tmp_path / "ca.crt").write_text("a certificate")
    more = {"REDIS_MODE": "sentinel", "REDIS_SENTINEL_NAME": "main", "REDIS_TLS": "true", "REDIS_PORT": "26379"}
    redis = settings({**PG, **REDIS, **more, "REDIS_CA": str(tmp_path / "ca.crt")}).redis
    assert redis and (redis.sentinel_name, redis.tls, redis.ca, redis.port) == ("main", True, "a certificate", 26379)
    given = settings({**PG, **REDIS, "REDIS_CA": "-----BEGIN CERTIFICATE-----"}).redis
    assert given and given.ca == "-----BEGIN CERTIFICATE-----"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"PGHOST": ""}, "PGHOST is not set"),
        ({"PORT": "http"}, 'PORT is "http": give a number from 1 to 65535'),
        ({"PORT": "0"}, 'PORT is "0": give a number from 1 to 65535'),
        ({"CONNECTIONS": "101"}, 'CONNECTIONS is "101": give a number from 1 to 100'),
        ({**REDIS, "REDIS_PORT": "tcp://10.0.0.1:6379"}, "REDIS_PORT is"),
        ({**REDIS, "REDIS_MODE": "two"}, 'REDIS_MODE is "two": give standalone, sentinel, cluster'),
        ({**REDIS, "REDIS_MODE": "sentinel"}, "REDIS_SENTINEL_NAME is not set"),
        ({**REDIS, "REDIS_TLS": "yes"}, 'REDIS_TLS is "yes": give true or false'),
        ({**REDIS, "REDIS_CA": "/nowhere"}, 'REDIS_CA is "/nowhere", which cannot be read'),
    ],
)
def test_says_what_is_wrong(change: dict[str, str], fault: str) -> None:
    with pytest.raises(Faults, match=re.escape(fault)):
        settings(PG | change)


def test_says_all_of_it_at_once() -> None:
    with pytest.raises(Faults, match="PGHOST is not set; PGUSER is not set; PGDATABASE is not set; PORT is"):
        settings({"PORT": "x"})
