"""`decision`: run a kept decision again and compare the bytes."""

from typing import Annotated

import typer

from app.cli.config import chosen, open_registry
from app.cli.output import show, write_json
from registry.domain.identifiers import lender_of
from registry.services.decide_application import case_of

app = typer.Typer(help="Decisions on applications.", no_args_is_help=True)

IDENTICAL, DIFFERS = 0, 3


@app.command()
def reproduce(decision: Annotated[str, typer.Argument(help="The decision's id.")]) -> int:
    """Score and decide again from the sealed inputs; ends with 3 when the receipt's bytes differ."""
    registry = open_registry()
    lender_id = lender_of(decision)
    with registry.unit_of_work() as uow:
        kept = uow.applications.decision(lender_id, decision)
        application = uow.applications.get(lender_id, kept.application_id)
        case = case_of(uow, application, kept.decided_by, kept.decided_at, registry.facilities)
    made = kept.assessment
    again = registry.underwriting.reproduce(made.receipt, case, made.inputs_salt, made.checks)
    result = {
        "decision": decision,
        "identical": again.identical,
        "receipt": f"0x{made.receipt_commitment.hex()}",
        "differences": list(again.differences),
    }
    if chosen.json:
        write_json(result)
    else:
        show(result | {"differences": "; ".join(again.differences) or "none"}, as_json=False)
    return IDENTICAL if again.identical else DIFFERS
