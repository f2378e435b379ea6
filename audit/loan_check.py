"""One loan compared cell by cell: its file, queue and mirror against its true history and the chain."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from audit import agreement_check, decision_check, lien_check, outbox_check, record_check
from audit.cells import malformed
from audit.finding import Rule, Severity
from audit.loan_file import FileDecision, FileLien, FileLoan, FileOutbox, FileRecord
from audit.loan_result import LoanResult
from audit.ports import (
    Balances,
    MirrorCursor,
    MirrorLien,
    MirrorLoan,
    MirrorRecord,
    OnChain,
    PersonalOpener,
    RelayProgress,
)
from audit.truth import Copies, History, true_history
from registry.domain import commitments
from registry.domain.chain_binding import ChainBinding
from registry.domain.errors import RegistryError
from registry.domain.kinds import LoanStatus, RecordKind

_CLOSED = {LoanStatus.SETTLED, LoanStatus.CANCELLED}


@dataclass(slots=True)
class LoanCopies:
    """Everything there is about one loan. `chain_read` tells an absent loan from a chain that was not asked."""

    loan: FileLoan
    records: Sequence[FileRecord]
    outbox: Sequence[FileOutbox]
    liens: Sequence[FileLien]
    decision: FileDecision | None
    accepted_servicer: int | None  # named by the last transfer that was accepted here
    mirror_loans: Mapping[bytes, MirrorLoan]
    mirror_records: Mapping[bytes, Sequence[MirrorRecord]]
    mirror_liens: Mapping[bytes, Sequence[MirrorLien]]
    on_chain: Mapping[bytes, OnChain]
    chain_read: bool
    progress: Mapping[tuple[int, int], RelayProgress]


@dataclass(frozen=True, slots=True)
class Terms:
    """What every loan of a run is checked under; a port that is None leaves its check out."""

    binding: ChainBinding
    cursor: MirrorCursor
    balances: Balances | None
    opener: PersonalOpener | None


def check_loan(copies: LoanCopies, terms: Terms) -> LoanResult:
    """Everything that differs in one loan, each difference where it is."""
    loan = copies.loan
    key = _key(copies)
    result = LoanResult(loan.lender_id, loan.id, key)
    if wrong := malformed(loan):
        for name in wrong:
            result.report(Rule.CELL_MALFORMED, "loans", name, "a value of the column's type", type(loan).__name__)
        return result
    _check_key(copies, key, result)
    filed = record_check.sound(copies.records, result)
    readings = {record.sequence: record_check.read(key, record) for record in filed}
    queued = outbox_check.by_sequence(copies.outbox, result)
    mirror_loan = copies.mirror_loans.get(key)
    mirrored = {record.sequence: record for record in copies.mirror_records.get(key, ())}
    on_chain = copies.on_chain.get(key)
    anchor = on_chain.head if on_chain else mirror_loan.head if mirror_loan and not copies.chain_read else None
    by_sequence = {record.sequence: record for record in filed}
    recomputed = {sequence: made.commitment for sequence, made in readings.items() if made.commitment is not None}
    history = true_history(
        Copies(by_sequence, recomputed, queued, mirrored, anchor, loan.head, loan.next_sequence), terms.binding, key
    )
    if copies.chain_read and on_chain is None:
        history.anchored = 0
    result.records, result.anchored = len(history.links), history.anchored
    result.head = history.heads[-1] if history.heads else None
    keyed = loan._replace(loan_key=key)  # what was sealed is bound to the true key
    record_check.compare(keyed, key, by_sequence, readings, history, terms.opener, result)
    outbox_check.compare(copies.outbox, queued, key, history, result)
    outbox_check.check_waiting(queued, by_sequence, history, copies.progress, terms.cursor, result)
    _compare_mirror(mirrored, history, terms, result)
    anchored_controller = _controller(loan, readings, history, history.anchored)
    _compare_mirror_loan(loan, mirror_loan, on_chain, anchored_controller, history, result)
    _compare_chain(copies, mirror_loan, mirrored, on_chain, history, result)
    rows_are_sound = not result.findings
    controller = _controller(loan, readings, history, len(history.links))
    _compare_loan(loan, controller, history, result)
    agreement = agreement_check.compare(loan, readings, history, result)
    _compare_servicer(copies, history, on_chain, mirror_loan, result)
    if rows_are_sound and terms.balances is not None:
        _compare_balance(loan, filed, terms.balances, result)
    decision_check.compare(loan, copies.decision, agreement, result)
    calls = lien_check.Calls.of(copies.progress, terms.cursor)
    lien_check.compare(copies.liens, copies.outbox, copies.mirror_liens.get(key, ()), calls, result)
    _warn_of_liens(copies, history, result)
    return result


def _warn_of_liens(copies: LoanCopies, history: History, result: LoanResult) -> None:
    if not history.statuses or history.statuses[-1] not in _CLOSED:
        return
    for lien in copies.liens:
        if lien.released_at is None:
            result.report(
                Rule.LIEN_ON_CLOSED_LOAN, "liens", "released_at", "a release", lien.asset_tag, severity=Severity.WARNING
            )


def keys_of(loan: FileLoan) -> set[bytes]:
    """The loan keys this row may mean: the one it holds, and the one its lender and nonce make."""
    keys = {loan.loan_key}
    if type(loan.nonce) is bytes and type(loan.lender_id) is int and 0 <= loan.lender_id < 2**32:
        keys.add(commitments.loan_key(loan.lender_id, loan.nonce))
    return {key for key in keys if type(key) is bytes}


def _key(copies: LoanCopies) -> bytes:
    """The true loan key: of those the row may mean, the one that rows, mirror and chain know."""
    candidates = keys_of(copies.loan)
    if len(candidates) == 1:
        return next(iter(candidates))
    rows: list[FileRecord | FileOutbox] = [*copies.records, *copies.outbox]
    votes = Counter(row.loan_key for row in rows if row.loan_key in candidates)
    votes.update(key for source in (copies.mirror_loans, copies.on_chain) for key in candidates if key in source)
    return max(sorted(candidates), key=lambda key: votes[key], default=b"")


def _check_key(copies: LoanCopies, key: bytes, result: LoanResult) -> None:
    loan = copies.loan
    if loan.loan_key != key:
        result.report(Rule.CELL_ALTERED, "loans", "loan_key", key, loan.loan_key)
    elif commitments.loan_key(loan.lender_id, loan.nonce) != key:
        result.report(Rule.CELL_ALTERED, "loans", "nonce", "the nonce of the loan key", loan.nonce)


def _controller(
    loan: FileLoan, readings: Mapping[int, record_check.Reading], history: History, records: int
) -> int | None:
    """Who owns the claim after the first `records`: the last buyer; None when a transfer's contents are not sound."""
    controller = loan.lender_id
    for sequence, link in enumerate(history.links[:records]):
        if link.kind != RecordKind.TRANSFER:
            continue
        made = readings.get(sequence)
        if made is None or made.contents is None or made.commitment != link.commitment:
            return None
        buyer = made.contents.values.get("to_lender_id")
        controller = buyer if type(buyer) is int else 0
    return controller


def _compare_loan(
    loan: FileLoan,
    controller: int | None,
    history: History,
    result: LoanResult,
) -> None:
    expected: dict[str, object] = {"next_sequence": len(history.links)}
    if history.links:
        expected |= {"head": history.heads[-1], "status": history.statuses[-1]}
    if controller is not None:
        expected["controller_id"] = controller
    for name, value in expected.items():
        if getattr(loan, name) != value:
            result.report(Rule.CELL_ALTERED, "loans", name, value, getattr(loan, name))


def _compare_servicer(
    copies: LoanCopies,
    history: History,
    on_chain: OnChain | None,
    mirror_loan: MirrorLoan | None,
    result: LoanResult,
) -> None:
    """The servicer is in no record: what is waiting, the chain, or the mirror says who it is."""
    loan, table = copies.loan, "loans"
    if any(link.kind == RecordKind.TRANSFER for link in history.links[history.anchored :]):
        expected = copies.accepted_servicer
    elif on_chain is not None:
        expected = on_chain.servicer_id
    elif mirror_loan is not None:
        expected, table = mirror_loan.servicer_id, "loans|mirror_loans"
    elif copies.accepted_servicer is None:
        expected = loan.lender_id
    else:
        expected = copies.accepted_servicer
    if expected is not None and loan.servicer_id != expected:
        result.report(Rule.CELL_ALTERED, table, "servicer_id", expected, loan.servicer_id)


def _compare_balance(loan: FileLoan, filed: Sequence[FileRecord], balances: Balances, result: LoanResult) -> None:
    try:
        balance = balances.replayed(loan, filed)
    except RegistryError as refused:
        result.report(Rule.BALANCE_NOT_REPLAYABLE, "loans", "outstanding_minor", "a balance", refused.code)
        return
    except (ValueError, LookupError, TypeError, ArithmeticError) as fault:  # contents that were never lending's own
        result.report(Rule.BALANCE_NOT_REPLAYABLE, "loans", "outstanding_minor", "a balance", type(fault).__name__)
        return
    due_on = balance.next_unpaid_due_on.isoformat() if balance.next_unpaid_due_on is not None else None
    for name, expected in (("outstanding_minor", balance.outstanding_minor), ("next_unpaid_due_on", due_on)):
        if getattr(loan, name) != expected:
            result.report(Rule.BALANCE_DIFFERS, "loans", name, expected, getattr(loan, name))


def _compare_mirror(mirrored: Mapping[int, MirrorRecord], history: History, terms: Terms, result: LoanResult) -> None:
    block = 0
    for sequence in range(history.anchored):
        row = mirrored.get(sequence)
        if row is None:
            result.report(Rule.MIRROR_MISSING, "mirror_records", "", "a row", None, sequence=sequence)
            continue
        link, head, status = history.links[sequence], history.heads[sequence], history.statuses[sequence]
        if (row.kind, row.commitment, row.head, row.status) != (link.kind, link.commitment, head, status):
            expected = {"kind": link.kind, "commitment": link.commitment, "head": head, "status": status}
            _report_cells(result, "mirror_records", expected, row, sequence)
        if not block <= row.block_number <= terms.cursor.block_number:
            result.report(
                Rule.MIRROR_ALTERED, "mirror_records", "block_number", f"{block} to {terms.cursor.block_number}",
                row.block_number, sequence=sequence,
            )  # fmt: skip
        else:
            block = row.block_number
    for sequence in sorted(mirrored):
        if not 0 <= sequence < history.anchored:
            result.report(
                Rule.MIRROR_UNKNOWN, "mirror_records", "", None, mirrored[sequence].commitment, sequence=sequence
            )


def _compare_mirror_loan(
    loan: FileLoan,
    row: MirrorLoan | None,
    on_chain: OnChain | None,
    controller: int | None,
    history: History,
    result: LoanResult,
) -> None:
    if row is None:
        if history.anchored:
            result.report(Rule.MIRROR_MISSING, "mirror_loans", "", "a row", None)
        return
    if not history.anchored:
        result.report(Rule.MIRROR_UNKNOWN, "mirror_loans", "", None, row.head)
        return
    expected: dict[str, object] = {
        "registered_by": loan.lender_id,
        "status": history.statuses[history.anchored - 1],
        "records": history.anchored,
        "head": history.heads[history.anchored - 1],
    }
    if on_chain is not None:
        expected |= {"controller_id": on_chain.controller_id, "servicer_id": on_chain.servicer_id}
    elif controller is not None:
        expected["controller_id"] = controller
    _report_cells(result, "mirror_loans", expected, row, None)


def _report_cells(
    result: LoanResult, table: str, expected: Mapping[str, object], row: object, sequence: int | None
) -> None:
    for name, value in expected.items():
        if getattr(row, name) != value:
            result.report(Rule.MIRROR_ALTERED, table, name, value, getattr(row, name), sequence=sequence)


def _compare_chain(
    copies: LoanCopies,
    mirror_loan: MirrorLoan | None,
    mirrored: Mapping[int, MirrorRecord],
    on_chain: OnChain | None,
    history: History,
    result: LoanResult,
) -> None:
    if not copies.chain_read:
        return
    if on_chain is None:
        if mirror_loan is not None or mirrored:
            result.report(Rule.CHAIN_MISSING, "chain", "", "the loan", None)
        return
    if not history.proven:
        folded = history.heads[history.anchored - 1] if history.anchored else None
        result.report(Rule.CHAIN_DIFFERS, "chain", "head", folded, on_chain.head)
    elif on_chain.status != history.statuses[history.anchored - 1]:
        result.report(Rule.CHAIN_DIFFERS, "chain", "status", history.statuses[history.anchored - 1], on_chain.status)
