"""Serves until it is told to stop, then ends what it began."""

import logging
import os
import signal
import sys

import uvicorn

from notes.database import Database
from notes.reads import Reads
from notes.service import create_app
from notes.settings import Faults, settings
from notes.stores import Password, PasswordWatch

log = logging.getLogger("notes")
# Longer than the edge keeps its idle connections, so that it is the one who closes them.
IDLE_SECONDS = 95
FINISH_SECONDS = 20


def main() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    try:
        given = settings(os.environ)
    except Faults as faults:
        sys.exit(f"cannot start: {faults}")

    def end() -> None:
        log.error("a password is refused: ending, as a container that starts is told the current one")
        signal.raise_signal(signal.SIGTERM)

    watch = PasswordWatch(end)
    reads = Reads(given.redis, given.name, watch) if given.redis else None
    uvicorn.run(
        create_app(Database(given.connections, watch, password=Password(given.password_file)), reads),
        host=given.host,
        port=given.port,
        loop="asyncio",
        http="h11",
        ws="none",
        h11_max_incomplete_event_size=16_384,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=FINISH_SECONDS,
    )


main()
