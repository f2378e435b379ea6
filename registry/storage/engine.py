"""One place that opens a database: SQLite (the default, in WAL mode) or PostgreSQL, with the same promises."""

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

SQLITE_BUSY_MILLISECONDS = 60_000


def open_engine(url: str, *, pool_size: int = 8) -> Engine:
    """An engine for `url`; transactions are serialised on SQLite (BEGIN IMMEDIATE) unless opened read only.

    Use `reading(engine)` for transactions that only read: they never wait for a writer on SQLite.
    """
    if url.startswith("sqlite"):
        return _open_sqlite(url, pool_size)
    return create_engine(url, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True)


def reading(engine: Engine) -> Engine:
    """The same engine for transactions that only read."""
    return engine.execution_options(read_only=True)


def is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _open_sqlite(url: str, pool_size: int) -> Engine:
    engine = create_engine(url, pool_size=pool_size, max_overflow=pool_size)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",  # an acknowledged record survives a power cut
            f"busy_timeout = {SQLITE_BUSY_MILLISECONDS}",
            "foreign_keys = ON",
            "secure_delete = ON",  # what is erased leaves no trace in free pages
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options: dict[str, Any] = dict(connection.get_execution_options())
        connection.exec_driver_sql("BEGIN" if options.get("read_only") else "BEGIN IMMEDIATE")

    return engine
