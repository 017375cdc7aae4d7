"""The service over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.responses import RedirectResponse, Response

from notes import __doc__ as description
from notes.database import Connection, Database
from notes.docs import add_docs
from notes.guard import Guard
from notes.problems import Problem, add_problems, answer, no_such_note, only_json
from notes.reads import Reads
from notes.stores import Unavailable

# Outside of what the edge leads here: health is nobody's business but the cluster's.
API = "/api"
LISTED = 100
# A probe that waits longer than this has its answer.
READY_WITHIN = 1.0

LIST = "SELECT id, text, created FROM notes ORDER BY created DESC, id LIMIT %s"
ONE = "SELECT id, text, created FROM notes WHERE id = %s"
ADD = "INSERT INTO notes (id, text) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING id, text, created"


def _storable(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("no_nul", "The character NUL cannot be kept")
    return text


class NewNote(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_storable)]
    id: UUID | None = Field(None, description="A random one, so that a note that is sent again is kept once.")


class Note(BaseModel):
    id: UUID
    text: str
    created: datetime


class ReadNote(Note):
    reads: int | None = Field(None, description="How often it was read, where that is counted.")


class Notes(BaseModel):
    notes: list[Note]


def create_app(database: Database, reads: Reads | None = None) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await database.close()
        if reads:
            await reads.close()

    app = FastAPI(
        title="Notes",
        description=description or "",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
        redirect_slashes=False,
    )
    app.add_middleware(Guard)
    add_problems(app)
    _add_notes(app, database, reads)
    add_docs(app, API)
    _add_health(app, database, reads)
    return app


def _add_notes(app: FastAPI, database: Database, reads: Reads | None) -> None:
    @app.get(f"{API}/notes")
    async def latest() -> Notes:
        """The latest hundred, the newest first."""
        rows = await _rows(database, LIST, LISTED)
        return Notes(notes=[_note(row) for row in rows])

    @app.get(f"{API}/notes/{{id}}", responses={404: {"description": "There is no such note."}})
    async def one(id: UUID) -> ReadNote:
        rows = await _rows(database, ONE, id)
        if not rows:
            raise no_such_note()
        count = await reads.count(id) if reads else None
        return ReadNote(**_note(rows[0]).model_dump(), reads=count)

    @app.post(
        f"{API}/notes",
        status_code=201,
        dependencies=[Depends(only_json)],
        responses={
            200: {"model": Note, "description": "It is there already."},
            409: {"description": "Another has its id."},
        },
    )
    async def add(new: NewNote, response: Response) -> Note:
        """Answered once Postgres has it for good."""
        id = new.id or uuid4()
        rows = await _rows(database, ADD, id, new.text)
        if rows:
            return _note(rows[0])
        [kept] = await _rows(database, ONE, id)
        if kept[1] != new.text:
            raise Problem(409, "taken", "Another note has this id.", "id")
        response.status_code = 200
        return _note(kept)


def _add_health(app: FastAPI, database: Database, reads: Reads | None) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def alive() -> Response:
        return answer({"alive": True})

    # Below the path as well: who asks by the edge sees no other of its addresses.
    @app.get("/readyz", include_in_schema=False)
    @app.get(f"{API}/readyz", include_in_schema=False)
    async def ready() -> Response:
        asked = {"postgres": _rows(database, "SELECT 1"), **({"redis": reads.look()} if reads else {})}
        faults = dict(zip(asked, await asyncio.gather(*map(_fault, asked.values())), strict=True))
        # By name what is wrong, or null.
        return answer({"ready": not any(faults.values()), **faults}, 503 if any(faults.values()) else 200)

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> Response:
        return RedirectResponse(f"{API}/docs")


async def _fault(question: Coroutine[Any, Any, Any]) -> str | None:
    """What is not answered in time is left to end by itself: it does, and soon."""
    asked = asyncio.create_task(question)
    done, _ = await asyncio.wait([asked], timeout=READY_WITHIN)
    if not done:
        asked.add_done_callback(lambda task: task.cancelled() or task.exception())
        return "it does not answer in time"
    error = asked.exception()
    if error is None:
        return None
    if isinstance(error, Unavailable):
        return str(error)
    raise error


async def _rows(database: Database, statement: str, *values: object) -> list[tuple[Any, ...]]:
    async def ask(connection: Connection) -> list[tuple[Any, ...]]:
        cursor = await connection.execute(statement, values)
        return await cursor.fetchall()

    return await database.run(ask)


def _note(row: tuple[Any, ...]) -> Note:
    return Note(id=row[0], text=row[1], created=row[2])
