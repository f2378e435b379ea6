"""Reconciliation: the whole file against the mirror and the chain at one block, a batch of loans at a time."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from sqlalchemy import Connection, Engine

from audit import loan_file, run_store
from audit.finding import Finding, Rule, Severity, shortened
from audit.loan_check import LoanCopies, Terms, check_loan, keys_of
from audit.loan_file import FileBatch, LoanName
from audit.loan_result import LoanResult
from audit.ports import (
    Balances,
    ChainReader,
    MirrorCursor,
    MirrorReader,
    OnChain,
    PersonalOpener,
    RelayProgress,
    RelayReader,
)
from audit.run_store import Report
from registry.domain.chain_binding import ChainBinding
from registry.domain.errors import NotFound, WrongChain
from registry.ports import Clock

_KEYS_PER_PAGE = 500


@dataclass(eq=False)
class MirrorOfAnotherChain(WrongChain):
    """File and mirror are bound to different chains or contracts; comparing them would mean nothing."""

    file: ChainBinding
    mirror: MirrorCursor
    code: ClassVar[str] = "MIRROR_OF_ANOTHER_CHAIN"

    def __str__(self) -> str:
        return (
            f"The file is bound to contract 0x{self.file.contract.hex()} on chain {self.file.chain_id}, the mirror to "
            f"0x{self.mirror.contract.hex()} on chain {self.mirror.chain_id}; rebuild the mirror from the right node."
        )


@dataclass(eq=False)
class FileNotBound(NotFound):
    """The file belongs to no chain yet, so there is nothing to compare it with."""

    code: ClassVar[str] = "FILE_NOT_BOUND"

    def __str__(self) -> str:
        return "This registry is bound to no chain yet; deploy or bind a contract first."


@dataclass(frozen=True, slots=True)
class Sources:
    """What is compared with the file, and what helps; a part that is None leaves its checks out.

    `chain` is read at the mirror's block. Without it the mirror's own head stands for the chain's.
    """

    mirror: MirrorReader
    chain: ChainReader | None = None
    relay: RelayReader | None = None
    balances: Balances | None = None
    opener: PersonalOpener | None = None


@dataclass(slots=True)
class BatchResult:
    """The outcome for some loans, and what belongs to no loan of the file."""

    loans: list[LoanResult] = field(default_factory=list)
    strays: list[Finding] = field(default_factory=list)


def differences(file: Connection, sources: Sources, lenders: Collection[int] | None = None) -> Iterator[BatchResult]:
    """Every loan of the file compared, and every loan of the mirror that the file lacks; nothing is written.

    `file` must be one snapshot, not older than the mirror's: on PostgreSQL a REPEATABLE READ transaction. `lenders`
    limits both to loans that these lenders registered.
    """
    binding = loan_file.binding_of(file)
    if binding is None:
        raise FileNotBound
    cursor = sources.mirror.cursor()
    if (cursor.chain_id, cursor.genesis_hash, cursor.contract, cursor.code_hash) != (
        binding.chain_id, binding.genesis_hash, binding.contract, binding.code_hash,
    ):  # fmt: skip
        raise MirrorOfAnotherChain(binding, cursor)
    terms = Terms(binding, cursor, sources.balances, sources.opener)
    for batch in loan_file.batches(file, lenders):
        yield _compared(batch, sources, terms)
    yield from _unknown_loans(file, sources.mirror, lenders)


def reconcile(
    file: Connection, sources: Sources, results: Engine, clock: Clock, lenders: Collection[int] | None = None
) -> Report:
    """Compare everything and keep the outcome in the audit's tables, a short transaction per batch."""
    cursor = sources.mirror.cursor()
    run = run_store.start(results, cursor, clock.now(), chain_read=sources.chain is not None)
    loans = records = not_yet = found = errors = 0
    for batch in differences(file, sources, lenders):
        run_store.keep(results, run, batch.loans, batch.strays, clock.now())
        loans += len(batch.loans)
        records += sum(loan.records for loan in batch.loans)
        not_yet += sum(loan.records - loan.anchored for loan in batch.loans)
        batch_findings = [*batch.strays, *(finding for loan in batch.loans for finding in loan.findings)]
        found += len(batch_findings)
        errors += sum(finding.severity is Severity.ERROR for finding in batch_findings)
    report = Report(run, cursor.block_number, loans, records, not_yet, found, errors)
    run_store.finish(results, report, clock.now(), lenders)
    return report


def _compared(batch: FileBatch, sources: Sources, terms: Terms) -> BatchResult:
    keys = sorted({key for loan in batch.loans.values() for key in keys_of(loan)})
    mirror_loans = sources.mirror.loans(keys)
    mirror_records = sources.mirror.records(keys)
    mirror_liens = sources.mirror.liens(keys)
    on_chain: Mapping[bytes, OnChain] = {}
    if sources.chain is not None:
        on_chain = sources.chain.heads(keys, terms.cursor.block_number)
    progress = _progress(batch, sources)
    result = BatchResult()
    for name, loan in batch.loans.items():
        copies = LoanCopies(
            loan,
            batch.records.get(name, ()),
            batch.outbox.get(name, ()),
            batch.liens.get(name, ()),
            batch.decisions.get(name),
            batch.accepted_servicer.get(name),
            mirror_loans,
            mirror_records,
            mirror_liens,
            on_chain,
            sources.chain is not None,
            progress,
        )
        result.loans.append(check_loan(copies, terms))
    result.strays.extend(_strays(batch))
    return result


def _progress(batch: FileBatch, sources: Sources) -> Mapping[tuple[int, int], RelayProgress]:
    if sources.relay is None:
        return {}
    return sources.relay.progress(
        [(entry.lender_id, entry.position) for entries in batch.outbox.values() for entry in entries]
    )


def _strays(batch: FileBatch) -> Iterator[Finding]:
    """Rows filed under a loan that the file does not have."""
    tables: Sequence[tuple[str, Mapping[LoanName, Sequence[object]]]] = (
        ("loan_records", batch.records),
        ("outbox", batch.outbox),
        ("liens", batch.liens),
    )
    for table, rows_by_loan in tables:
        for name, rows in rows_by_loan.items():
            if name in batch.loans:
                continue
            key = getattr(rows[0], "loan_key", None)
            yield Finding(
                Severity.ERROR, Rule.LOAN_ROW_MISSING, name[0], name[1], key if type(key) is bytes else None, None,
                "loans", "", f"the loan of {len(rows)} rows in {table}", "null",
            )  # fmt: skip


def _unknown_loans(file: Connection, mirror: MirrorReader, lenders: Collection[int] | None) -> Iterator[BatchResult]:
    after: bytes | None = None
    while keys := mirror.known_keys(after, _KEYS_PER_PAGE):
        missing = sorted(set(keys) - loan_file.known_keys(file, keys))
        standing = mirror.loans(missing) if missing else {}
        strays = []
        for key in missing:
            registered_by = standing[key].registered_by if key in standing else None
            if lenders is not None and registered_by not in lenders:
                continue
            rule, table = (Rule.LOAN_UNKNOWN, "loans") if key in standing else (Rule.MIRROR_UNKNOWN, "mirror_records")
            strays.append(
                Finding(
                    Severity.ERROR, rule, registered_by, None, key, None, table, "", shortened(key), "null",
                )
            )  # fmt: skip
        yield BatchResult(strays=strays)
        after = keys[-1]
