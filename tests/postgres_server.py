"""A private PostgreSQL server for one test run.

It listens on a unix socket in its own temporary folder, so it needs no port, no password and no configuration of the
machine, and two test runs side by side do not meet.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import psycopg
from psycopg import sql

ROLE = "lotus"
START_SECONDS_MAX = 60
# A test database may vanish with the machine: durability is tested where it is promised, by the crash tests.
FAST_AND_FORGETFUL = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "listen_addresses": "",
}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; databases are made from templates, which takes tens of milliseconds."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count, compare=False)

    def url(self, database: str = "postgres") -> str:
        """The database's address as SQLAlchemy writes it."""
        return f"postgresql+psycopg://{ROLE}@/{database}?host={self.folder}"

    def conninfo(self, database: str = "postgres") -> str:
        """The database's address as libpq writes it."""
        return f"host={self.folder} user={ROLE} dbname={database}"

    def create_database(self, *, template: str = "template1") -> str:
        """The name of a new database that is a copy of the template; nobody may be connected to the template."""
        name = f"test_{next(self._numbers)}"
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)
        return name

    def drop_database(self, name: str) -> None:
        """The database is gone, and so are connections that a test left open."""
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def find_programs() -> Path | None:
    """The folder with the newest PostgreSQL's `initdb` and `postgres`, or None."""
    on_path = shutil.which("initdb")
    if on_path and shutil.which("postgres"):
        return Path(on_path).resolve().parent
    versions = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    versions = [path for path in versions if (path / "postgres").exists()]
    return max(versions, key=lambda path: tuple(map(int, path.parent.name.split("."))), default=None)


@contextlib.contextmanager
def running_postgres(programs: Path) -> Iterator[PostgresServer]:
    """A new, empty server for as long as the context lasts; nothing of it is left afterwards."""
    user = _user_for_server()
    # Not pytest's temporary folder: only its owner may enter that one, and its path can exceed a socket's 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="lotus-postgres-", dir="/tmp"))
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        options = ["--username", ROLE, "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync"]
        _as_user(user, [str(programs / "initdb"), "--pgdata", str(folder / "data"), *options])
        with _serving(programs, folder, user):
            yield PostgresServer(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _serving(programs: Path, folder: Path, user: pwd.struct_passwd | None) -> Iterator[None]:
    settings = [f"--{name}={value}" for name, value in FAST_AND_FORGETFUL.items()]
    log = folder / "log"
    with (
        log.open("wb") as log_file,
        subprocess.Popen(
            [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *settings],
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_plain_environment(),
            # An interrupt at the keyboard ends the tests; they then end the server.
            start_new_session=True,
            **_identity(user),
        ) as process,
    ):
        try:
            _wait_until_ready(PostgresServer(folder), process, log)
            yield
        finally:
            process.send_signal(signal.SIGQUIT)  # "immediate": there is nothing worth a checkpoint
            process.wait(timeout=30)


def _wait_until_ready(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            psycopg.connect(server.conninfo(), connect_timeout=5).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                message = f"PostgreSQL did not start:\n{log.read_text(errors='replace')}"
                raise RuntimeError(message) from None
            time.sleep(0.05)
        else:
            return


def _user_for_server() -> pwd.struct_passwd | None:
    """Whom the server runs as: PostgreSQL refuses to run as root; None means as whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    message = "PostgreSQL does not run as root, and this machine has neither a user `postgres` nor `nobody`"
    raise RuntimeError(message)


class _Identity(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


def _identity(user: pwd.struct_passwd | None) -> _Identity:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _as_user(user: pwd.struct_passwd | None, command: list[str]) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=_plain_environment(),
        **_identity(user),
    )
    if done.returncode != 0:
        message = f"{command[0]} failed:\n{done.stdout}{done.stderr}"
        raise RuntimeError(message)


def _plain_environment() -> dict[str, str]:
    """The environment without what would point the programs at another server or a missing locale."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}
