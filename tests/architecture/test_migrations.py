"""The migrations make exactly the tables that the packages declare."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from app.migrate import ALL_TABLES, migrate, newest_revision, revision_of
from registry.storage.engine import open_engine


def test_a_migrated_database_has_the_declared_tables(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    migrate(engine)
    with engine.connect() as connection:
        assert revision_of(connection) == newest_revision()
        assert compare_metadata(MigrationContext.configure(connection), list(ALL_TABLES)) == []
        declared = {name for metadata in ALL_TABLES for name in metadata.tables}
        assert set(inspect(connection).get_table_names()) == declared | {"alembic_version"}


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'again.sqlite3'}")
    migrate(engine)
    before = inspect(engine).get_table_names()
    migrate(engine)
    assert inspect(engine).get_table_names() == before
