"""`deploy`, `admit`, `relay`, `index`: the way to the chain and back."""

import signal
import threading
from typing import Annotated

import typer

from app.cli.config import chosen, open_registry
from app.cli.output import say, show
from app.deployment import NewLender, admit_lender, deploy_contract, publish_shipped_products
from app.lifeline import end_with_supervisor
from compliance.subject import LenderType


def deploy() -> None:
    """Deploy the contract, bind this registry to it for good, and publish the shipped products."""
    registry = open_registry()
    binding = deploy_contract(registry)
    show(
        {
            "contract": f"0x{binding.contract.hex()}",
            "chain_id": binding.chain_id,
            "code_hash": f"0x{binding.code_hash.hex()}",
            "products": publish_shipped_products(registry),
        },
        as_json=chosen.json,
    )


def admit(
    code: Annotated[str, typer.Argument(help="A short name, unique in the registry.")],
    name: Annotated[str, typer.Argument(help="The lender's full name.")],
    licence: Annotated[LenderType, typer.Option(case_sensitive=False)] = LenderType.BANK,
    lei: Annotated[str | None, typer.Option(help="Legal entity identifier, if it has one.")] = None,
) -> None:
    """Admit a lender: a key of its own, gas money, a number in the contract."""
    registry = open_registry()
    registry.check_chain()
    lender = admit_lender(registry, NewLender(code, name, licence.value, lei))
    show({"lender": lender.id, "code": lender.code, "account": f"0x{lender.account.hex()}"}, as_json=chosen.json)


def relay(
    once: Annotated[bool, typer.Option(help="End when everything that can be is on chain.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="With --once: at most this many seconds.")] = 600.0,
) -> int:
    """Bring what waits onto the chain. Safe to kill and start again at any moment."""
    registry = open_registry()
    relay = registry.relay()
    if not once:
        end_with_supervisor()
        relay.run(until_signalled())
        return 0
    report = relay.drain(timeout)
    for fault in report.faults:
        say(f"{fault.code}: {fault}")
    show({name: value for name, value in vars(report).items() if name != "faults"}, as_json=chosen.json)
    return 0 if report.is_drained else 5


def index(
    once: Annotated[bool, typer.Option(help="End at the node's head.")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="With --once: at most this many seconds.")] = 600.0,
) -> None:
    """Mirror the chain into SQL. Safe to kill and start again at any moment."""
    indexer = open_registry().indexer()
    if not once:
        end_with_supervisor()
        indexer.follow(until_signalled())
        return
    report = indexer.catch_up(timeout)
    show({"to_block": report.to_block, "records": report.records, "rewound": report.rewound}, as_json=chosen.json)


def until_signalled() -> threading.Event:
    """An event that SIGTERM or Ctrl-C sets, so that work in hand is finished."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
