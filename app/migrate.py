"""Bringing a database to the present tables, by Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData

from audit.tables import metadata as audit_tables
from chain.tables import metadata as relay_tables
from compliance.storage import metadata as screening_tables
from indexer.tables import metadata as mirror_tables
from registry.storage.tables import metadata as file_tables

SCRIPTS = Path(__file__).parent / "migrations"
ALL_TABLES: tuple[MetaData, ...] = (file_tables, relay_tables, mirror_tables, audit_tables, screening_tables)


def migrate(engine: Engine) -> None:
    """Upgrade to the newest revision; nothing happens when the database is there already."""
    with engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def revision_of(connection: Connection) -> str | None:
    """The revision a database is at; None when it has never been migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return config
