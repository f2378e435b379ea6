"""`demo`: the main job from end to end, on simulated loans or on a real tape."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from sqlalchemy import select

from app.auditing import evidence_of, reconcile_all, trust_of
from app.cli.config import chosen, open_registry
from app.cli.output import progress, say, show
from app.cli.serving import up
from app.deployment import NewLender, admit_lender, deploy_contract, publish_shipped_products
from app.simulation.run import simulate
from app.tape.importer import import_tape
from app.tape.mapping import load_mapping
from app.wiring import Registry
from audit.disclosure import DisclosureProfile
from audit.evidence import evidence_bytes
from audit.verify import verify
from chain.devnet import Devnet
from compliance.storage import import_demonstration_list
from registry.domain.access import Role
from registry.domain.kinds import LoanStatus
from registry.storage.access_keys import issue
from registry.storage.engine import reading
from registry.storage.tables import loans

DEMO_SEED, DEMO_LOANS = 2026, 1_000
DRAIN_SECONDS = 1_800.0
BLOCK_SECONDS = 2
DIFFERS = 3
LENDERS = (
    NewLender("harbour", "Harbour Bank Ltd", "BANK"),
    NewLender("lotus", "Lotus Consumer Finance Co., Ltd", "CONSUMER_FINANCE"),
)
MARKETPLACE = NewLender("marketplace", "Marketplace Lending Inc.", "MARKETPLACE")
KEY_FILE = "access-keys.txt"


class Stages:
    """Runs the stages one after the other and keeps what each took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def run(self, name: str, work: Callable[[], Any]) -> Any:
        started = time.monotonic()
        result = work()
        self.seconds[name] = time.monotonic() - started
        say(f"{self.seconds[name]:7.1f} s  {name}")
        return result


def demo(
    once: Annotated[bool, typer.Option(help="End after the summary instead of serving.")] = False,
    loans_: Annotated[int, typer.Option("--loans", min=1, help="How many loans to simulate.")] = DEMO_LOANS,
    seed: Annotated[int, typer.Option(help="Which portfolio to simulate.")] = DEMO_SEED,
    tape: Annotated[Path | None, typer.Option(help="A real loan tape instead of simulated loans.")] = None,
    mapping: Annotated[str | None, typer.Option(help="The tape's mapping.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many rows of the tape.")] = None,
) -> int:
    """Devnet, contract, loans, scores, checks, chain, mirror, reconciliation, evidence; then GraphQL until Ctrl-C."""
    if (tape is None) != (mapping is None):
        raise typer.BadParameter("give --tape and --mapping together")
    registry, stages = open_registry(), Stages()
    try:
        return _demonstrate(registry, stages, _Loans(loans_, seed, tape, mapping, limit), once=once)
    finally:
        if registry.settings.rpc_url is None:
            Devnet.down(registry.settings.devnet_home)


@dataclass(frozen=True, slots=True)
class _Loans:
    """Which loans the demonstration is about."""

    count: int
    seed: int
    tape: Path | None
    mapping: str | None
    limit: int | None


def _demonstrate(registry: Registry, stages: Stages, wanted: _Loans, *, once: bool) -> int:
    prepare(registry, stages)
    if wanted.tape is not None and wanted.mapping is not None:
        _tape(registry, stages, wanted.tape, wanted.mapping, wanted.limit)
    else:
        _simulated(registry, stages, wanted.count, wanted.seed)
    verified = anchor_and_audit(registry, stages)
    if once or not verified:
        return 0 if verified else DIFFERS
    if registry.settings.rpc_url is None:
        Devnet.mine_every(registry.settings.devnet_home, BLOCK_SECONDS)
    up()
    return 0


def prepare(registry: Registry, stages: Stages) -> None:
    """Everything before the first loan: devnet, tables, contract, products, a demonstration list."""
    if registry.settings.rpc_url is None:
        stages.run("devnet up", lambda: Devnet.up(registry.settings.devnet_home, registry.settings.tools))
    stages.run("contract deployed", lambda: deploy_contract(registry))
    publish_shipped_products(registry)
    with registry.engine.begin() as connection:
        import_demonstration_list(connection)


def anchor_and_audit(registry: Registry, stages: Stages) -> bool:
    """Anchor all that waits, index it, make it final, reconcile, prove one loan; True when everything agrees."""
    anchored = stages.run("anchored", lambda: registry.relay().drain(DRAIN_SECONDS))
    if registry.settings.rpc_url is None:
        Devnet.mine(registry.settings.devnet_home, registry.settings.finality_rule.depth + 1)
    indexer = registry.indexer()
    stages.run("indexed", lambda: indexer.catch_up(DRAIN_SECONDS))
    report = stages.run("reconciled", lambda: reconcile_all(registry))
    loan_id = _shown_loan(registry)
    evidence, trust = registry.settings.home / "loan.evidence.json", registry.settings.home / "trust.json"
    verdict = stages.run("evidence written and verified", lambda: _prove(registry, loan_id, evidence, trust))
    show(
        {
            "loans": report.loans,
            "records": report.records,
            "on_chain": report.records - report.not_yet,
            "differences": report.errors,
            "refused": anchored.refused,
            "loan": loan_id,
            "evidence": f"{evidence} ({verdict.exit_code.name})",
            "trust": str(trust),
            "access_keys": str(_access_keys(registry)),
            "graphql": f"http://{registry.settings.host}:{registry.settings.port}/graphql",
            "graphiql": f"http://{registry.settings.host}:{registry.settings.port}/graphiql",
            "seconds": {name: round(taken, 1) for name, taken in stages.seconds.items()},
        },
        as_json=chosen.json,
    )
    return bool(report.errors == 0 and report.not_yet == 0 and verdict.verified)


def _simulated(registry: Registry, stages: Stages, count: int, seed: int) -> None:
    lender_ids = [admit_lender(registry, lender).id for lender in LENDERS]
    today = datetime.now(UTC).date()
    with progress("Simulating, scoring, checking", count) as booked:
        stages.run(
            f"{count} loans simulated, scored, checked and booked",
            lambda: simulate(registry, lender_ids, count, seed, today, on_booked=booked),
        )


def _tape(registry: Registry, stages: Stages, tape: Path, mapping: str, limit: int | None) -> None:
    lender = admit_lender(registry, MARKETPLACE)
    admit_lender(registry, LENDERS[0])
    with progress("Importing, scoring, checking", limit) as booked:
        report = stages.run(
            "tape imported, scored, checked and booked",
            lambda: import_tape(registry, tape, load_mapping(mapping), lender.id, limit=limit, on_booked=booked),
        )
    say(f"           {report.rows} rows, {report.loans} loans, {report.records} records, {report.decisions} decisions")


def _prove(registry: Registry, loan_id: str, evidence: Path, trust: Path) -> Any:
    made = evidence_of(registry, loan_id, DisclosureProfile.AUDITOR)
    evidence.write_bytes(evidence_bytes(made))
    settings = trust_of(registry, int(made["block"]["number"]))
    trust.write_bytes(orjson.dumps(settings.as_settings(), option=orjson.OPT_INDENT_2) + b"\n")
    return verify(evidence.read_bytes(), settings)


def _shown_loan(registry: Registry) -> str:
    """The settled loan with the most records, or any."""
    with reading(registry.engine).connect() as connection:
        return str(
            connection.execute(
                select(loans.c.id)
                .order_by((loans.c.status == LoanStatus.SETTLED).desc(), loans.c.next_sequence.desc(), loans.c.id)
                .limit(1)
            ).scalar_one()
        )


def _access_keys(registry: Registry) -> Path:
    """One key for each role, made once and written to a file only its owner can read."""
    path = registry.settings.home / KEY_FILE
    if path.exists():
        return path
    with registry.unit_of_work() as uow:
        lender_ids = [lender.id for lender in uow.lenders.all()]
    wanted: list[tuple[str, Role, int | None]] = [
        ("auditor", Role.AUDITOR, None),
        ("administrator", Role.ADMINISTRATOR, None),
    ]
    wanted += [(f"front-end-{number}", Role.LENDER, number) for number in lender_ids]
    wanted += [(f"partner-{number}", Role.PARTNER, number) for number in lender_ids]
    path.touch(mode=0o600)
    with registry.engine.begin() as connection, path.open("w") as file:
        for name, role, lender_id in wanted:
            file.write(f"{name} {issue(connection, name, role, lender_id, registry.clock.now())}\n")
    return path
