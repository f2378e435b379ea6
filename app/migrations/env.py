"""How Alembic runs here: on the connection `app.migrate` hands over, over the tables of every package."""

from typing import Any, Literal

from alembic import context

from app.migrate import ALL_TABLES
from registry.storage.tables import Instant


def render_item(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Revisions name plain types only, so that they do not change when the program does."""
    return "sa.DateTime()" if kind == "type" and isinstance(item, Instant) else False


attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=list(attributes.get("tables", ALL_TABLES)),
    render_as_batch=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
