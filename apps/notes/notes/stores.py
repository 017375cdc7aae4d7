"""What the two stores have in common when they fail."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


class Unavailable(Exception):
    """A store cannot do it now. The message goes to logs and probes: it names no address and no credential."""


class Refused(Unavailable):
    """A store does not take the password."""


class Password:
    """
    What the file holds, and what it held before: of a password that was changed nobody hears at the same moment, so a store
    may still want the former one. Without a file, what the environment said.
    """

    def __init__(self, file: str | None, given: str | None = None) -> None:
        self._file = file
        self._now = given
        self._before: str | None = None
        self.candidates()

    @property
    def follows(self) -> bool:
        return self._file is not None

    def candidates(self) -> list[str | None]:
        """The present one first."""
        if self._file:
            with suppress(OSError):
                found = Path(self._file).read_text().strip()
                if found and found != self._now:
                    self._before, self._now = self._now, found
        return [self._now, self._before] if self._before else [self._now]


class PasswordWatch:
    """
    By its environment a container is told its passwords when it starts. One that is refused for a while therefore ends, to be
    told the new one. Whom a store never took may only have come before his login did.
    """

    def __init__(self, end: Callable[[], None], patience: float = 10.0, at_first: float = 60.0) -> None:
        self._end = end
        self._patience = patience
        self._at_first = at_first
        self._since: dict[str, float] = {}
        self._known: set[str] = set()

    def refused(self, store: str) -> None:
        since = self._since.setdefault(store, time.monotonic())
        if time.monotonic() - since >= (self._patience if store in self._known else self._at_first):
            self._end()

    def taken(self, store: str) -> None:
        self._since.pop(store, None)
        self._known.add(store)
