import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from client import Answer, ask
from servers import PASSWORD, REDIS, Postgres, Redis, Service, eventually, free_port, no_redis, running

pytestmark = pytest.mark.skipif(no_redis() is not None, reason=f"{no_redis()}: its path into REDIS_SERVER")


SENTINEL = """
port 0
tls-port {port}
tls-cert-file tls.crt
tls-key-file tls.key
tls-ca-cert-file tls.crt
tls-auth-clients no
tls-replication yes
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel monitor main localhost {server} 1
sentinel auth-user main app
sentinel auth-pass main {password}
user default off
user app on >{password} &+switch-master +ping +info +subscribe +client|setname +sentinel|get-master-addr-by-name \
+sentinel|master +sentinel|masters +sentinel|replicas +sentinel|slaves +sentinel|sentinels
"""


@contextmanager
def counting(postgres: Postgres, redis: Redis, **change: str) -> Iterator[Service]:
    with running(**postgres.environment, **(redis.environment | change)) as service:
        yield service


def ready(service: Service) -> Answer:
    return ask(service.port, "GET", "/readyz")


def reads(service: Service) -> list[int]:
    """Of a new note, read three times."""
    note = ask(service.port, "POST", "/api/notes", {"text": "read me"}).body["id"]
    answers = [ask(service.port, "GET", f"/api/notes/{note}") for _ in range(3)]
    assert [answer.status for answer in answers] == [200] * 3, service.said()
    return [answer.body["reads"] for answer in answers]


def is_sound(service: Service) -> None:
    eventually(lambda: ready(service).body == {"ready": True, "postgres": None, "redis": None})
    assert reads(service) == [1, 2, 3]


def test_every_reading_is_counted_under_the_databases_name(postgres: Postgres, redis: Redis) -> None:
    with counting(postgres, redis) as service:
        is_sound(service)
        redis.end()
        [file] = (redis.directory / "appendonlydir").glob("*.incr.aof")
        assert b"notes:reads:" in file.read_bytes()


def test_readiness_follows_each_of_the_two_away_and_back(postgres: Postgres, redis: Redis) -> None:
    with counting(postgres, redis) as service:
        is_sound(service)
        redis.end()
        broken = ready(service)
        assert (broken.status, broken.body["postgres"], broken.body["redis"]) == (503, None, "Redis cannot be reached")
        assert ask(service.port, "GET", "/healthz").status == 200
        redis.start()
        is_sound(service)
        postgres.end()
        broken = ready(service)
        assert (broken.status, broken.body["postgres"], broken.body["redis"]) == (
            503,
            "Postgres cannot be reached",
            None,
        )
        postgres.start()
        is_sound(service)


def test_a_note_is_kept_while_redis_is_away(postgres: Postgres, redis: Redis) -> None:
    with counting(postgres, redis) as service:
        redis.end()
        made = ask(service.port, "POST", "/api/notes", {"text": "kept"})
        assert made.status == 201
        assert ask(service.port, "GET", f"/api/notes/{made.body['id']}").code == "unavailable"
        redis.start()
        assert ask(service.port, "GET", f"/api/notes/{made.body['id']}").body["text"] == "kept"


def test_a_redis_that_falls_silent_keeps_nobody_waiting(postgres: Postgres, redis: Redis) -> None:
    with counting(postgres, redis) as service:
        is_sound(service)
        redis.freeze(True)
        start = time.monotonic()
        assert ready(service).body["redis"] == "it does not answer in time"
        assert time.monotonic() - start < 5
        redis.freeze(False)
        eventually(lambda: ready(service).status == 200)


def test_it_follows_a_password_in_a_file_whoever_hears_of_it_first(
    postgres: Postgres, redis: Redis, tmp_path: Path
) -> None:
    file = tmp_path / "REDIS_PASSWORD"
    file.write_text(PASSWORD)
    with counting(postgres, redis, REDIS_PASSWORD="never good", REDIS_PASSWORD_FILE=str(file)) as service:
        is_sound(service)
        file.write_text("next")
        for password in (PASSWORD, "next"):
            redis.end()
            redis.start(password)
            is_sound(service)
        redis.end()
        redis.start("last")
        assert ready(service).body["redis"] == "Redis refuses the user or password"
        file.write_text("last")
        assert reads(service) == [1, 2, 3]


def test_it_ends_when_redis_refuses_its_password_for_a_while(postgres: Postgres, redis: Redis) -> None:
    with counting(postgres, redis) as service:
        is_sound(service)
        redis.end()
        redis.start(password="changed")
        assert ready(service).body["redis"] == "Redis refuses the user or password"

        def ended() -> bool:
            if service.process.poll() is None:
                ready(service)
            return service.process.poll() is not None

        eventually(ended, 60)
        assert "a password is refused" in service.said()
        assert PASSWORD not in service.said() and "changed" not in service.said()


def test_it_trusts_the_authority_that_it_is_given_and_no_other(postgres: Postgres) -> None:
    redis, other = Redis(tls=True), Redis(tls=True)
    try:
        with counting(postgres, redis) as service:
            is_sound(service)
        with counting(postgres, redis, REDIS_CA=other.environment["REDIS_CA"]) as service:
            assert ready(service).body["redis"] == "the certificate of Redis is not accepted"
        with counting(postgres, redis, REDIS_HOST="127.0.0.1") as service:
            assert ready(service).body["redis"] == "the certificate of Redis is not accepted"
    finally:
        redis.remove()
        other.remove()


def test_it_counts_in_a_cluster(postgres: Postgres) -> None:
    announced = ["--cluster-announce-hostname", "localhost", "--cluster-preferred-endpoint-type", "hostname"]
    admin = ["--user", "admin", "on", f">{PASSWORD}", "~*", "+@all"]
    # The client turns this one name into its address.
    redis = Redis("--cluster-enabled", "yes", *admin, *announced, tls=True, names="DNS:localhost,IP:127.0.0.1")
    try:
        with counting(postgres, redis, REDIS_MODE="cluster") as service:
            assert ready(service).status == 503
            cli(redis, "cluster", "addslotsrange", "0", "16383")
            eventually(lambda: is_sound(service))
            redis.end()
            assert ready(service).status == 503
            redis.start()
            eventually(lambda: is_sound(service))
    finally:
        redis.remove()


def test_it_counts_where_sentinels_say(postgres: Postgres) -> None:
    redis = Redis(tls=True)
    port = free_port()
    config = redis.directory / "sentinel.conf"
    config.write_text(SENTINEL.format(port=port, server=redis.port, password=PASSWORD))
    sentinel = subprocess.Popen([REDIS, str(config), "--sentinel"], cwd=redis.directory, stdout=subprocess.DEVNULL)
    try:
        change = {"REDIS_MODE": "sentinel", "REDIS_SENTINEL_NAME": "main", "REDIS_PORT": str(port)}
        with counting(postgres, redis, **change) as service:
            eventually(lambda: is_sound(service))
        with counting(postgres, redis, **change, REDIS_PASSWORD="wrong") as service:
            assert ready(service).status == 503
    finally:
        sentinel.kill()
        sentinel.wait()
        redis.remove()


def cli(redis: Redis, *command: str) -> None:
    program = REDIS.replace("redis-server", "redis-cli")
    login = ["--no-auth-warning", "--user", "admin", "-a", PASSWORD, "--tls", "--cacert", "tls.crt", "-h", "localhost"]
    done = subprocess.run(
        [program, *login, "-p", str(redis.port), *command], cwd=redis.directory, capture_output=True, text=True
    )
    assert done.stdout.strip() == "OK", done.stdout + done.stderr
