"""Postgres: a few connections, each used by one at a time."""

import asyncio
import os
import re
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection, errors

from notes.stores import Password, PasswordWatch, Refused, Unavailable

T = TypeVar("T")
Connection = AsyncConnection[Any]

# A server that has nothing to say for so long has no answer.
PATIENCE = 3.0
CONNECT = {
    "connect_timeout": 2,
    "tcp_user_timeout": 3000,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    # Of several servers the one that takes the writes.
    "target_session_attrs": "read-write",
    "options": "-c statement_timeout=2500",
    "application_name": "notes",
}
# Two replicas may start at the same moment, and Postgres lets one of two equal CREATEs fail.
LOCK = "SELECT pg_advisory_xact_lock(hashtext('notes'))"
TABLE = """CREATE TABLE IF NOT EXISTS notes (
    id uuid PRIMARY KEY,
    text text NOT NULL,
    created timestamptz NOT NULL DEFAULT clock_timestamp()
)"""
INDEX = "CREATE INDEX IF NOT EXISTS notes_created ON notes (created DESC)"

# That the server, or the way there, is not what it was; and that somebody else takes the writes now.
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, errors.ReadOnlySqlTransaction)


class Database:
    """Whatever is asked of it may be asked twice: it asks again where a connection turns out to be dead."""

    def __init__(
        self, connections: int, watch: PasswordWatch, conninfo: str = "", password: Password | None = None
    ) -> None:
        self._free = asyncio.Semaphore(connections)
        self._idle: list[Connection] = []
        self._watch = watch
        self._conninfo = conninfo
        self._password = password or Password(None)
        self._prepared = False

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        try:
            await asyncio.wait_for(self._free.acquire(), PATIENCE)
        except TimeoutError:
            raise Unavailable("all connections to Postgres are in use") from None
        try:
            return await self._tried(work)
        except (*AWAY, errors.UndefinedTable) as error:
            raise Unavailable(fault_of(error)) from error
        finally:
            self._free.release()

    async def close(self) -> None:
        for connection in self._idle:
            await connection.close()
        self._idle.clear()

    async def _tried(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        while self._idle:
            with suppress(*AWAY, errors.UndefinedTable):
                return await self._used(self._idle.pop(), work)
        return await self._used(await self._connect(), work)

    async def _used(self, connection: Connection, work: Callable[[Connection], Awaitable[T]]) -> T:
        timer = asyncio.get_running_loop().call_later(PATIENCE, _cut, connection)
        try:
            result = await work(connection)
        except BaseException as error:
            # Somebody may have put another database in this one's place.
            self._prepared = self._prepared and not isinstance(error, errors.UndefinedTable)
            await connection.close()
            raise
        finally:
            timer.cancel()
        self._idle.append(connection)
        return result

    async def _connect(self) -> Connection:
        connection = await self._let_in()
        self._watch.taken("Postgres")
        if not self._prepared:
            await self._prepare(connection)
        return connection

    async def _let_in(self) -> Connection:
        refused = Refused("Postgres refuses the user or password")
        for password in self._password.candidates():
            login = {} if password is None else {"password": password}
            try:
                return await AsyncConnection.connect(self._conninfo, autocommit=True, **CONNECT, **login)  # type: ignore[arg-type]
            except psycopg.OperationalError as error:
                if not isinstance(_fault(error), Refused):
                    raise
        # Whoever starts again would read the same file.
        if not self._password.follows:
            self._watch.refused("Postgres")
        raise refused

    async def _prepare(self, connection: Connection) -> None:
        timer = asyncio.get_running_loop().call_later(PATIENCE, _cut, connection)
        try:
            async with connection.transaction():
                for statement in (LOCK, TABLE, INDEX):
                    await connection.execute(statement)
        except BaseException:
            await connection.close()
            raise
        finally:
            timer.cancel()
        self._prepared = True


def _cut(connection: Connection) -> None:
    """A frozen server keeps a connection open and is silent, and could not be asked to cancel either."""
    if connection.closed:
        return
    with socket.socket(fileno=os.dup(connection.fileno())) as way, suppress(OSError):
        way.shutdown(socket.SHUT_RDWR)


def fault_of(error: Exception) -> str:
    """In words for a reader of a log or a probe."""
    return str(_fault(error))


def _fault(error: Exception) -> Unavailable:
    text = str(error)
    state = getattr(error, "sqlstate", None)
    if re.search(
        r"(password|SCRAM) authentication failed|no password supplied|role \".*\" is not permitted to log in", text
    ):
        return Refused("Postgres refuses the user or password")
    if re.search("certificate|SSL", text):
        return Unavailable("the certificate of Postgres is not accepted, or it speaks no TLS")
    if re.search("too many (clients|connections)|connection slots", text):
        return Unavailable("Postgres takes no more connections")
    if isinstance(error, errors.UndefinedTable):
        return Unavailable("Postgres has lost the table of the notes")
    if isinstance(error, errors.ReadOnlySqlTransaction) or "read-only" in text:
        return Unavailable("this Postgres takes no writes")
    if re.search("starting up|shutting down|recovery", text):
        return Unavailable("Postgres is starting or stopping")
    if "timeout" in text:
        return Unavailable("Postgres does not answer in time")
    return Unavailable(f"Postgres cannot be reached{f' ({state})' if state else ''}")
