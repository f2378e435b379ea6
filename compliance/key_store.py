"""Where wrapped data keys live: a SQLite file of its own, outside every database backup."""

import os
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self

from registry.domain.errors import NotFound, RuleRefused, Unavailable

_SCHEMA = """
CREATE TABLE IF NOT EXISTS data_keys (
    key_id TEXT PRIMARY KEY,
    wrapped_key BLOB NOT NULL,
    created_at TEXT NOT NULL,
    destroyed_at TEXT
) WITHOUT ROWID
"""
_BUSY_SECONDS = 10.0


@dataclass(eq=False)
class KeyUnknown(NotFound):
    """No data key has this id."""

    key_id: str
    code: ClassVar[str] = "KEY_UNKNOWN"

    def __str__(self) -> str:
        return f"Data key {self.key_id} is not in the key store; check that the key store belongs to this database."


@dataclass(eq=False)
class KeyDestroyed(RuleRefused):
    """The data key was destroyed: what it sealed is gone for ever."""

    key_id: str
    destroyed_at: datetime | None = None
    code: ClassVar[str] = "KEY_DESTROYED"

    def __str__(self) -> str:
        when = f" at {self.destroyed_at.isoformat()}" if self.destroyed_at else ""
        return f"Data key {self.key_id} was destroyed{when}; the data it sealed cannot be read again."


@dataclass(eq=False)
class KeyStoreUnreadable(Unavailable):
    """The key store file cannot be opened, read or written."""

    path: Path
    cause: str
    code: ClassVar[str] = "KEY_STORE_UNREADABLE"

    def __str__(self) -> str:
        return f"Key store {self.path} cannot be used ({self.cause}); check the path, its permissions and free space."


class KeyStore:
    """Rows (key id, wrapped key, created, destroyed); one connection, guarded by a lock.

    A write-ahead log would keep old pages after a key is destroyed, so the journal is truncated after each
    commit and freed cells are zeroed. Blocks the file system freed earlier are outside its reach.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None
            )
            for pragma in ("journal_mode=TRUNCATE", "secure_delete=ON", "synchronous=FULL"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as cause:
            raise KeyStoreUnreadable(path, str(cause)) from cause

    def add(self, keys: Sequence[tuple[str, bytes]]) -> None:
        """Store wrapped keys in one commit."""
        now = datetime.now(UTC).isoformat()
        rows = [(key_id, wrapped, now) for key_id, wrapped in keys]
        with self._lock:
            self._write("INSERT INTO data_keys (key_id, wrapped_key, created_at) VALUES (?, ?, ?)", rows)

    def wrapped(self, key_id: str) -> bytes:
        """The wrapped key, or KeyUnknown, or KeyDestroyed."""
        row = self._row("SELECT wrapped_key, destroyed_at FROM data_keys WHERE key_id = ?", key_id)
        if row is None:
            raise KeyUnknown(key_id)
        if row[1] is not None:
            raise KeyDestroyed(key_id, datetime.fromisoformat(row[1]))
        return bytes(row[0])

    def destroy(self, key_id: str) -> datetime:
        """Overwrite the key; returns when it was destroyed (the first time, if it was before)."""
        now = datetime.now(UTC).isoformat()
        with self._lock:
            self._write(
                "UPDATE data_keys SET wrapped_key = zeroblob(length(wrapped_key)), destroyed_at = ?"
                " WHERE key_id = ? AND destroyed_at IS NULL",
                [(now, key_id)],
            )
        row = self._row("SELECT destroyed_at FROM data_keys WHERE key_id = ?", key_id)
        if row is None:
            raise KeyUnknown(key_id)
        return datetime.fromisoformat(row[0])

    def generation(self) -> int:
        """Changes whenever another connection has written, so that cached keys can be dropped."""
        row = self._row("PRAGMA data_version")
        return int(row[0]) if row else 0

    def count(self) -> int:
        """Keys that are not destroyed."""
        row = self._row("SELECT count(*) FROM data_keys WHERE destroyed_at IS NULL")
        return int(row[0]) if row else 0

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _row(self, statement: str, *parameters: str) -> tuple[Any, ...] | None:
        try:
            with self._lock:
                row: tuple[Any, ...] | None = self._connection.execute(statement, parameters).fetchone()
        except sqlite3.Error as cause:
            raise KeyStoreUnreadable(self.path, str(cause)) from cause
        return row

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany(statement, rows)
            except sqlite3.Error:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as cause:
            raise KeyStoreUnreadable(self.path, str(cause)) from cause
