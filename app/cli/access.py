"""`keys`: access keys of the API."""

from typing import Annotated

import typer

from app.cli.config import chosen, open_registry
from app.cli.output import show, show_table
from registry.domain.access import Role
from registry.storage import access_keys
from registry.storage.engine import reading

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
    if lender is not None:
        with registry.unit_of_work() as uow:
            uow.lenders.get(lender)
    with registry.engine.begin() as connection:
        token = access_keys.issue(connection, name, role, lender, registry.clock.now())
    show({"name": name, "role": role.value, "lender": lender, "key": token}, as_json=chosen.json)


@app.command("list")
def list_keys() -> None:
    """Every key by name; the keys themselves are not kept."""
    with reading(open_registry().engine).connect() as connection:
        found = access_keys.listed(connection)
    rows = [(key.id, key.name, key.role.value, key.lender_id, key.created_at, key.revoked_at) for key in found]
    show_table(("id", "name", "role", "lender", "created_at", "revoked_at"), rows, as_json=chosen.json)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The key's id, from `keys list`.")]) -> None:
    """End a key at once; ending it again changes nothing."""
    registry = open_registry()
    with registry.engine.begin() as connection:
        access_keys.revoke(connection, key_id, registry.clock.now())
    show({"revoked": key_id}, as_json=chosen.json)
