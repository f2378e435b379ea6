"""`outbox`: what waits to reach the chain, why, until when; and taking a refused record out."""

from typing import Annotated

import typer

from app.cli.config import chosen, open_registry
from app.cli.output import show, show_table
from app.wiring import one_time_request, operator
from chain import queries
from chain.outbox_item import ItemState
from registry.domain.errors import NotFound
from registry.domain.identifiers import lender_of
from registry.services.resolve_refusal import resolve_refusal
from registry.storage.engine import reading

app = typer.Typer(help="What waits to reach the chain.", no_args_is_help=True)

COLUMNS = ("lender", "position", "action", "loan", "sequence", "state", "refusal", "blocked_by", "next_attempt_at")


class EntryUnknown(NotFound):
    """The outbox has no such position."""

    code = "OUTBOX_ENTRY_UNKNOWN"

    def __str__(self) -> str:
        return "The outbox has no entry at that position; see `loan-registry outbox list`."


@app.command("list")
def list_entries(
    state: Annotated[str | None, typer.Option(help="QUEUED or a state of the relay, such as REFUSED.")] = None,
    lender: Annotated[int | None, typer.Option(help="Only what this lender signs.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """Entries that are not on chain yet, or those in one state."""
    if state is not None and state not in {"QUEUED", *ItemState}:
        raise typer.BadParameter(f"state is one of QUEUED, {', '.join(ItemState)}")
    with reading(open_registry().engine).connect() as connection:
        found = [
            row
            for wanted in ([state] if state else ["QUEUED", ItemState.WAITING, ItemState.REFUSED, ItemState.BLOCKED])
            for row in queries.list_outbox(connection, lender_id=lender, state=wanted, limit=limit)
        ]
    rows = [
        (
            row.lender_id,
            row.position,
            row.action.value,
            row.loan_id,
            row.sequence,
            row.item_state.value if row.item_state else "QUEUED",
            row.refusal,
            row.blocked_by,
            row.next_attempt_at,
        )
        for row in found[:limit]
    ]
    show_table(COLUMNS, rows, as_json=chosen.json)


@app.command("show")
def show_entry(lender: int, position: int) -> None:
    """Everything known about one entry."""
    with reading(open_registry().engine).connect() as connection:
        row = queries.show(connection, lender, position)
    if row is None:
        raise EntryUnknown
    named = {name: getattr(row, name) for name in row.__dataclass_fields__}
    if row.transaction_hash is not None:
        named["transaction_hash"] = f"0x{row.transaction_hash.hex()}"
    show({name: value for name, value in named.items() if value is not None}, as_json=chosen.json)


@app.command()
def resolve(
    loan: Annotated[str, typer.Argument(help="The loan's id.")],
    sequence: Annotated[int, typer.Argument(min=1, help="The refused record.")],
    reason: Annotated[str, typer.Option(help="Why it is taken out; kept for audit.")],
) -> None:
    """Take a finally refused record out of the history; later ones are committed to anew."""
    registry = open_registry()
    actor = operator(lender_id=lender_of(loan))
    request = one_time_request(actor, "resolveRefusal", f"{loan}/{sequence}/{registry.clock.now().isoformat()}")
    show(
        resolve_refusal(registry.unit_of_work(), loan, sequence, reason, request, registry.facilities),
        as_json=chosen.json,
    )
