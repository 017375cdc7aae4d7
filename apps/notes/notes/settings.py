"""What the environment says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MODES = ("standalone", "sentinel", "cluster")
NEEDED = ("PGHOST", "PGUSER", "PGDATABASE")


@dataclass(frozen=True)
class RedisSettings:
    mode: str
    host: str
    port: int
    sentinel_name: str
    username: str | None
    password: str | None
    # Which holds the password, and another one when it was changed.
    password_file: str | None
    tls: bool
    # PEM of the authority that signed the servers' certificates.
    ca: str | None


@dataclass(frozen=True)
class Settings:
    host: str
    port: int
    # At once, of this process.
    connections: int
    # Which holds the password of Postgres, and another one when it was changed.
    password_file: str | None
    # Of the database, which is the application's own: its keys in a Redis that others share begin with it.
    name: str
    redis: RedisSettings | None


class Faults(Exception):
    """All that is wrong, each with its variable and what is allowed."""


def settings(environment: Mapping[str, str]) -> Settings:
    """libpq reads PGHOST and the rest of its variables by itself."""
    faults = [f"{name} is not set" for name in NEEDED if not environment.get(name)]
    found = Settings(
        host=environment.get("HOST") or "0.0.0.0",
        port=_number("PORT", environment.get("PORT") or "8000", 65_535, faults),
        connections=_number("CONNECTIONS", environment.get("CONNECTIONS") or "2", 100, faults),
        password_file=_file("PGPASSWORD_FILE", environment, faults),
        name=environment.get("PGDATABASE", ""),
        redis=_redis(environment, faults) if environment.get("REDIS_HOST") else None,
    )
    if faults:
        raise Faults("; ".join(faults))
    return found


def _redis(environment: Mapping[str, str], faults: list[str]) -> RedisSettings:
    mode = environment.get("REDIS_MODE") or "standalone"
    if mode not in MODES:
        faults.append(f'REDIS_MODE is "{mode}": give {", ".join(MODES)}')
    name = environment.get("REDIS_SENTINEL_NAME", "")
    if mode == "sentinel" and not name:
        faults.append("REDIS_SENTINEL_NAME is not set, but REDIS_MODE is sentinel: give the name of the master")
    tls = environment.get("REDIS_TLS") or "false"
    if tls not in ("true", "false"):
        faults.append(f'REDIS_TLS is "{tls}": give true or false')
    return RedisSettings(
        mode=mode,
        host=environment["REDIS_HOST"],
        port=_number("REDIS_PORT", environment.get("REDIS_PORT") or "6379", 65_535, faults),
        sentinel_name=name,
        username=environment.get("REDIS_USERNAME") or None,
        password=environment.get("REDIS_PASSWORD") or None,
        password_file=_file("REDIS_PASSWORD_FILE", environment, faults),
        tls=tls == "true",
        ca=_authority(environment.get("REDIS_CA"), faults),
    )


def _number(name: str, value: str, most: int, faults: list[str]) -> int:
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0
    if not 1 <= number <= most:
        faults.append(f'{name} is "{value}": give a number from 1 to {most}')
    return number


def _file(name: str, environment: Mapping[str, str], faults: list[str]) -> str | None:
    given = environment.get(name) or None
    try:
        if given and not Path(given).read_text().strip():
            faults.append(f'{name} is "{given}", which is empty')
    except OSError as error:
        faults.append(f'{name} is "{given}", which cannot be read: {error.strerror}')
    return given


def _authority(given: str | None, faults: list[str]) -> str | None:
    """The certificate itself, or the file that holds it."""
    if not given or given.startswith("-----BEGIN "):
        return given or None
    try:
        return Path(given).read_text()
    except OSError as error:
        faults.append(f'REDIS_CA is "{given}", which cannot be read: {error.strerror}')
        return None
