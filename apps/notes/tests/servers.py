"""The real servers, each of its own, on loopback."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

APP = Path(__file__).parents[1]
POSTGRES = os.environ.get("POSTGRES_BIN", "/usr/lib/postgresql/15/bin")
REDIS = os.environ.get("REDIS_SERVER", "redis-server")
PASSWORD = "correct-horse"
LOG_IN = ["scram-sha-256", "127.0.0.1/32"]


def missing(program: str) -> str | None:
    """Why it cannot be used here, or nothing."""
    try:
        subprocess.run([program, "--version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return f"cannot run {program}"
    return None


def no_postgres() -> str | None:
    return next(filter(None, (missing(f"{POSTGRES}/{name}") for name in ("initdb", "postgres", "psql"))), None)


def no_redis() -> str | None:
    return missing(REDIS)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def eventually(look: Callable[[], object], seconds: float = 30.0) -> None:
    """Until it neither raises nor gives False."""
    end = time.monotonic() + seconds
    while True:
        try:
            if look() is not False:
                return
            raise AssertionError("it never came")
        except (AssertionError, OSError):
            if time.monotonic() > end:
                raise
        time.sleep(0.05)


def accepts(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), 1).close()


class Postgres:
    """It refuses to run as root: then somebody else does it."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="notes-postgres-"))
        self.port = free_port()
        self._user = self._other_user()
        if self._user:
            os.chown(self.directory, self._user.pw_uid, self._user.pw_gid)
        self._process: subprocess.Popen[bytes] | None = None
        common = [
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--username=postgres",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
        ]
        self._run(["initdb", "--no-sync", "-D", str(self.data), *common])
        self.start()
        self.sql(f"CREATE ROLE notes LOGIN PASSWORD '{PASSWORD}'")
        self.sql("CREATE DATABASE notes OWNER notes")

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": "notes",
            "PGPASSWORD": PASSWORD,
            "PGDATABASE": "notes",
        }

    def _other_user(self) -> pwd.struct_passwd | None:
        if os.getuid() != 0:
            return None
        names = {entry.pw_name for entry in pwd.getpwall()}
        return pwd.getpwnam("postgres" if "postgres" in names else "nobody")

    @property
    def _identity(self) -> dict[str, int]:
        return {"user": self._user.pw_uid, "group": self._user.pw_gid} if self._user else {}

    def _run(self, command: list[str]) -> str:
        program, *args = command
        done = subprocess.run(
            [f"{POSTGRES}/{program}", *args], cwd=self.directory, capture_output=True, text=True, **self._identity
        )
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout.strip()

    def start(self) -> None:
        where = ["-D", str(self.data), "-p", str(self.port), "-c", f"unix_socket_directories={self.directory}"]
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=10"]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [f"{POSTGRES}/postgres", *where, *options], cwd=self.directory, stdout=log, stderr=log, **self._identity
            )
        eventually(lambda: self.sql("SELECT 1"))

    def sql(self, statement: str, database: str = "postgres") -> str:
        socket_ = ["-h", str(self.directory), "-p", str(self.port), "-U", "postgres"]
        return self._run(["psql", "-XqAt", *socket_, "-d", database, "-c", statement])

    def end(self, signum: int = signal.SIGINT) -> None:
        assert self._process
        self._process.send_signal(signum)
        self._process.wait()
        if signum == signal.SIGKILL:
            # Its children see that, and end by themselves.
            eventually(lambda: not self._children())

    def _children(self) -> list[str]:
        found = subprocess.run(["pgrep", "-f", f"^postgres: .*|{self.data}"], capture_output=True, text=True)
        own = [pid for pid in found.stdout.split() if os.path.exists(f"/proc/{pid}/cwd")]
        return [pid for pid in own if os.readlink(f"/proc/{pid}/cwd") == str(self.data)]

    def freeze(self, frozen: bool) -> None:
        for pid in self._children():
            os.kill(int(pid), signal.SIGSTOP if frozen else signal.SIGCONT)

    def remove(self) -> None:
        if self._process and self._process.poll() is None:
            self.freeze(False)
            self.end(signal.SIGQUIT)
        shutil.rmtree(self.directory)


class Redis:
    def __init__(self, *options: str, tls: bool = False, names: str = "DNS:localhost") -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="notes-redis-"))
        self.port = free_port()
        self._options = options
        self._tls = tls
        if tls:
            certify(self.directory, names)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def environment(self) -> dict[str, str]:
        login = {"REDIS_USERNAME": "app", "REDIS_PASSWORD": PASSWORD}
        tls = {"REDIS_TLS": "true", "REDIS_CA": (self.directory / "tls.crt").read_text()} if self._tls else {}
        return {"REDIS_HOST": "localhost", "REDIS_PORT": str(self.port), **login, **tls}

    def start(self, password: str = PASSWORD) -> None:
        # What an application is allowed by the platform.
        users = ["--user", "app", "on", f">{password}", "~*", "&*", "+@all", "-@admin", "-@dangerous", "+info"]
        nobody = ["--user", "default", "off"]
        port = ["--port", "0", "--tls-port", str(self.port)] if self._tls else ["--port", str(self.port)]
        pair = ["--tls-cert-file", "tls.crt", "--tls-key-file", "tls.key", "--tls-ca-cert-file", "tls.crt"]
        tls = (
            [*pair, "--tls-auth-clients", "no", "--tls-replication", "yes", "--tls-cluster", "yes"] if self._tls else []
        )
        place = ["--dir", str(self.directory), "--bind", "127.0.0.1", "--appendonly", "yes", "--save", ""]
        self._process = subprocess.Popen(
            [REDIS, *port, *place, *tls, *users, *nobody, *self._options],
            cwd=self.directory,
            stdout=subprocess.DEVNULL,
        )
        eventually(lambda: accepts(self.port))

    def end(self, signum: int = signal.SIGTERM) -> None:
        assert self._process
        self._process.send_signal(signum)
        self._process.wait()

    def freeze(self, frozen: bool) -> None:
        assert self._process
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def remove(self) -> None:
        if self._process and self._process.poll() is None:
            self.end(signal.SIGKILL)
        shutil.rmtree(self.directory)


def certify(directory: Path, names: str) -> None:
    """A certificate that vouches for itself."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "tls.key"]
    subject = ["-subj", "/CN=localhost", "-addext", f"subjectAltName={names}"]
    command = ["openssl", "req", "-x509", *key, "-out", "tls.crt", *subject, "-days", "1"]
    subprocess.run(command, cwd=directory, check=True, capture_output=True)


class Service:
    """The process as its image starts it."""

    def __init__(self, **environment: str) -> None:
        self.port = free_port()
        self.log = tempfile.NamedTemporaryFile(prefix="notes-", suffix=".log")
        own = {"PATH": os.environ["PATH"], "PORT": str(self.port), "HOST": "127.0.0.1", "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "notes"], cwd=APP, env=own | environment, stdout=self.log, stderr=self.log
        )

    def said(self) -> str:
        return Path(self.log.name).read_text()

    def memory(self) -> int:
        """Bytes that it holds."""
        [line] = [line for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines() if "VmRSS" in line]
        return int(line.split()[1]) * 1024

    def remove(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()


@contextmanager
def running(**environment: str) -> Iterator[Service]:
    service = Service(**environment)
    try:
        eventually(lambda: accepts(service.port))
        yield service
    finally:
        service.remove()
