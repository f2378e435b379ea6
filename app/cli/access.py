"""`keys`: access keys of the API."""

from typing import Annotated

import typer
from sqlalchemy import select, update

from app.cli.config import chosen, open_registry
from app.cli.output import show, show_table
from registry.domain.access import Role
from registry.storage.access_keys import issue
from registry.storage.tables import access_keys

app = typer.Typer(help="Access keys of the API.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    role: Annotated[Role, typer.Option(case_sensitive=False)],
    lender: Annotated[int | None, typer.Option(help="The lender it acts for (roles LENDER and PARTNER).")] = None,
) -> None:
    """Make a key; it is shown once and kept as a hash."""
    if (role in {Role.LENDER, Role.PARTNER}) != (lender is not None):
        raise typer.BadParameter("give --lender for roles LENDER and PARTNER, and for no other")
    registry = open_registry()
    with registry.engine.begin() as connection:
        token = issue(connection, name, role, lender, registry.clock.now())
    show({"name": name, "role": role.value, "lender": lender, "key": token}, as_json=chosen.json)


@app.command("list")
def list_keys() -> None:
    """Every key by name; the keys themselves are not kept."""
    table = access_keys.c
    with open_registry().engine.connect() as connection:
        found = connection.execute(
            select(table.id, table.name, table.role, table.lender_id, table.created_at, table.revoked_at).order_by(
                table.created_at
            )
        ).all()
    show_table(("id", "name", "role", "lender", "created_at", "revoked_at"), found, as_json=chosen.json)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The key's id, from `keys list`.")]) -> None:
    """End a key at once."""
    registry = open_registry()
    with registry.engine.begin() as connection:
        ended = connection.execute(
            update(access_keys)
            .where(access_keys.c.id == key_id, access_keys.c.revoked_at.is_(None))
            .values(revoked_at=registry.clock.now())
        )
    show({"revoked": ended.rowcount}, as_json=chosen.json)
