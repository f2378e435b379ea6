"""`reconcile`, `evidence`, `verify`: what an auditor does."""

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from app.auditing import evidence_of, live_node, reconcile_all, snapshot, trust_of
from app.cli.config import chosen, open_registry
from app.cli.output import say, show, show_table, write_json
from app.settings import load_settings
from app.wiring import Registry
from audit.disclosure import DisclosureProfile
from audit.evidence import evidence_bytes
from audit.finding import Finding
from audit.queries import list_findings
from audit.trust import Trust, read_trust
from audit.verdict import Exit
from audit.verify import verify as verify_evidence
from registry.storage.engine import reading

FINDINGS_SHOWN = 50
FINDING_COLUMNS = ("severity", "rule", "loan", "record", "table", "field", "expected", "found")


def reconcile(
    offline: Annotated[bool, typer.Option(help="Compare with the mirror only, without asking the node.")] = False,
) -> int:
    """Compare file, mirror and chain; every difference is located. Ends with 3 when there are any."""
    registry = _bound(open_registry(), with_chain=not offline)
    report = reconcile_all(registry, with_chain=not offline)
    summary = {
        "block": report.block_number,
        "loans": report.loans,
        "records": report.records,
        "not_on_chain_yet": report.not_yet,
        "differences": report.errors,
        "warnings": report.findings - report.errors,
    }
    if not report.findings:
        show(summary, as_json=chosen.json)
        return Exit.VERIFIED
    with reading(registry.engine).connect() as connection:
        found = list_findings(connection, first=FINDINGS_SHOWN)
    rows = [_finding_row(item.finding) for item in found]
    if chosen.json:
        write_json(summary | {"first": [dict(zip(FINDING_COLUMNS, r, strict=True)) for r in rows]})
    else:
        show(summary, as_json=False)
        show_table(FINDING_COLUMNS, rows, as_json=False)
    return Exit.MISMATCH if report.errors else Exit.VERIFIED


def evidence(
    loan: Annotated[str, typer.Argument(help="The loan's id.")],
    profile: Annotated[
        DisclosureProfile, typer.Option(case_sensitive=False, help="What is disclosed.")
    ] = DisclosureProfile.AUDITOR,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; standard output by default.")] = None,
    trust: Annotated[
        Path | None, typer.Option(help="Also write trust settings as this registry's node gives them.")
    ] = None,
) -> None:
    """Write one self-contained file that proves a loan's history, offline."""
    registry = _bound(open_registry())
    made = evidence_of(registry, loan, profile)
    body = evidence_bytes(made)
    if trust is not None:
        settings = trust_of(registry, int(made["block"]["number"])).as_settings()
        trust.write_bytes(orjson.dumps(settings, option=orjson.OPT_INDENT_2) + b"\n")
    if out is None:
        sys.stdout.buffer.write(body)
    else:
        out.write_bytes(body)
        say(f"{len(body)} bytes of evidence in {out}")


def verify(
    file: Annotated[Path, typer.Argument(help="The evidence file.", exists=True, dir_okay=False)],
    trust: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Trust settings, from elsewhere.")
    ] = None,
    live: Annotated[bool, typer.Option(help="Also ask the node for the loan's head now.")] = False,
) -> int:
    """Check an evidence file. 0 verified, 3 tampering, 5 not final, 6 could not check, 7 wrong chain or trust."""
    given: Trust | None = read_trust(trust.read_bytes()) if trust is not None else None
    node = None
    if live:
        node = live_node(Registry(load_settings(**chosen.settings)))
    verdict = verify_evidence(file.read_bytes(), given, node)
    if chosen.json:
        write_json(
            {
                "verdict": verdict.exit_code.name,
                "headline": verdict.headline,
                "steps": [
                    {"number": s.number, "name": s.name, "outcome": s.outcome.value, "sentence": s.sentence}
                    for s in verdict.steps
                ],
            }
        )
        return verdict.exit_code
    rows = [(step.number, step.outcome.value, step.name, step.sentence) for step in verdict.steps]
    show_table(("step", "outcome", "what", "finding"), rows, as_json=False)
    say(verdict.headline)
    return verdict.exit_code


def _bound(registry: Registry, *, with_chain: bool = True) -> Registry:
    """The registry, once it has indexed something and its node is known to serve the chain it is bound to."""
    with snapshot(registry):
        if with_chain:
            registry.check_chain()
    return registry


def _finding_row(finding: Finding) -> tuple[object, ...]:
    """A finding as it is shown: where it is, and what is there instead."""
    loan = finding.loan_id or (f"0x{finding.loan_key.hex()}" if finding.loan_key else None)
    return (
        finding.severity.value,
        finding.rule.value,
        loan,
        finding.sequence,
        finding.table,
        finding.field,
        finding.expected,
        finding.found,
    )
