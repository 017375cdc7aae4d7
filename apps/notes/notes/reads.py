"""Redis: how often each note was read."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from redis import exceptions
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider

from notes.settings import RedisSettings
from notes.stores import Password, PasswordWatch, Refused, Unavailable

SECONDS = 1.5
# What is wrong with a whole cluster is no RedisError.
FAILURES = (exceptions.RedisError, exceptions.RedisClusterException, OSError, asyncio.TimeoutError)


class Login(CredentialProvider):
    """Of two passwords the one that was not refused last; each new connection asks."""

    def __init__(self, username: str | None, password: Password) -> None:
        self._username = username or "default"
        self._password = password
        self._known: list[str | None] = []
        self._turn = 0

    def get_credentials(self) -> tuple[str, ...]:
        found = self._password.candidates()
        if found != self._known:
            self._known, self._turn = found, 0
        return (self._username, found[self._turn % len(found)] or "")

    def has_another(self) -> bool:
        self._turn += 1
        return len(self._password.candidates()) > 1


class Reads:
    """In any of the three modes. Nothing is sent twice: a reading would be counted twice."""

    def __init__(self, settings: RedisSettings, name: str, watch: PasswordWatch) -> None:
        self._password = Password(settings.password_file, settings.password)
        self._login = Login(settings.username, self._password) if settings.password_file else None
        self._client = _client(settings, self._login)
        self._name = name
        self._watch = watch

    async def count(self, note: UUID) -> int:
        return int(await self._asked(lambda: self._client.incr(f"{self._name}:reads:{note}")))

    async def look(self) -> None:
        """By a key: a cluster's client pings every node, and the loss of one of them would count as that of all."""
        await self._asked(lambda: self._client.exists(f"{self._name}:reads"))

    async def close(self) -> None:
        await self._client.aclose()

    async def _asked(self, question: Callable[[], Awaitable[Any]]) -> Any:
        try:
            answer = await question()
        except FAILURES as error:
            fault = fault_of(error)
            # Whoever was not let in has asked nothing yet.
            if not isinstance(fault, Refused) or not self._login or not self._login.has_another():
                self._failed(fault)
                raise fault from error
            answer = await self._asked_again(question)
        self._watch.taken("Redis")
        return answer

    async def _asked_again(self, question: Callable[[], Awaitable[Any]]) -> Any:
        try:
            return await question()
        except FAILURES as error:
            raise fault_of(error) from error

    def _failed(self, fault: Unavailable) -> None:
        # Whoever starts again would read the same file.
        if isinstance(fault, Refused) and not self._password.follows:
            self._watch.refused("Redis")


def fault_of(error: Exception) -> Unavailable:
    cause: BaseException | None = error
    while cause is not None:
        text = str(cause)
        if isinstance(cause, exceptions.AuthenticationError) or "WRONGPASS" in text or "NOAUTH" in text:
            return Refused("Redis refuses the user or password")
        cause = cause.__cause__ or cause.__context__
    text = str(error)
    if isinstance(error, exceptions.NoPermissionError):
        return Unavailable("the Redis user may not run this command (NOPERM)")
    if isinstance(error, exceptions.BusyLoadingError):
        return Unavailable("Redis is still loading its data")
    if isinstance(error, (exceptions.TimeoutError, asyncio.TimeoutError)):
        return Unavailable("Redis does not answer in time")
    if "CERTIFICATE" in text:
        return Unavailable("the certificate of Redis is not accepted")
    if isinstance(error, (exceptions.ConnectionError, exceptions.RedisClusterException, OSError)):
        return Unavailable("Redis cannot be reached")
    word = text.split(" ", 1)[0]
    return Unavailable(f"Redis answers with an error{f' ({word})' if word.isupper() else ''}")


def _client(settings: RedisSettings, login: Login | None) -> Any:
    options: dict[str, Any] = {
        **({"credential_provider": login} if login else {"username": settings.username, "password": settings.password}),
        "socket_timeout": SECONDS,
        "socket_connect_timeout": SECONDS,
    }
    if settings.tls:
        options |= {"ssl": True, "ssl_ca_data": settings.ca, "ssl_check_hostname": True}
    retry = Retry(NoBackoff(), 0)
    if settings.mode == "cluster":
        return RedisCluster(host=settings.host, port=settings.port, retry=retry, **options)
    # A user made for this service alone may not say who it is.
    options |= {"lib_name": None, "lib_version": None, "retry": retry}
    if settings.mode == "sentinel":
        sentinels = Sentinel([(settings.host, settings.port)], sentinel_kwargs=options)
        return sentinels.master_for(settings.sentinel_name, **options)
    return Redis(host=settings.host, port=settings.port, **options)
