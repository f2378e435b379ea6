"""Empty mirrors on both engines, and what a mirror holds, for tests of the indexer.

Use by `from tests.support.mirrors import new_mirror` and `from tests.support.postgres import postgres`.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from indexer.queries import MirrorCursor, cursor, mirror_digest, snapshot
from indexer.tables import metadata
from registry.storage.engine import open_engine
from tests.support.postgres import PostgresServer

NewMirror = Callable[[], Engine]


def fixed_clock() -> datetime:
    return datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_mirror(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewMirror]:
    """Opens new, empty mirrors of one kind of database."""
    opened: list[Engine] = []

    def new() -> Engine:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path}/mirror{len(opened)}.db"
        else:
            server: PostgresServer = request.getfixturevalue("postgres")
            url = server.new_database()
        engine = open_engine(url)
        metadata.create_all(engine)
        opened.append(engine)
        return engine

    yield new
    for engine in opened:
        engine.dispose()


@pytest.fixture
def mirror(new_mirror: NewMirror) -> Engine:
    """One new, empty mirror."""
    return new_mirror()


def position(engine: Engine) -> MirrorCursor:
    with snapshot(engine) as connection:
        found = cursor(connection)
    assert found is not None
    return found


def digest_of(engine: Engine) -> bytes:
    with snapshot(engine) as connection:
        return mirror_digest(connection)
