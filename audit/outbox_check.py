"""The queue of one loan compared with its history, and whether what is not on chain yet will still get there."""

from collections.abc import Mapping, Sequence

from audit.cells import malformed
from audit.finding import Rule
from audit.loan_file import FileOutbox, FileRecord
from audit.loan_result import LoanResult
from audit.ports import MirrorCursor, RelayProgress
from audit.truth import History
from registry.domain.kinds import RecordKind
from registry.domain.outbox import OutboxAction

_CARRIES_RECORD = {OutboxAction.REGISTER, OutboxAction.APPEND, OutboxAction.ACCEPT}
_IMPLIED_KIND = {OutboxAction.REGISTER: RecordKind.AGREEMENT, OutboxAction.ACCEPT: RecordKind.TRANSFER}


def by_sequence(entries: Sequence[FileOutbox], result: LoanResult) -> dict[int, FileOutbox]:
    """The entries that carry a record; of two for one record the first counts, the other is reported."""
    queued: dict[int, FileOutbox] = {}
    for entry in sorted(entries, key=lambda entry: entry.position):
        for name in malformed(entry):
            result.report(Rule.CELL_MALFORMED, "outbox", name, "a value of the column's type", getattr(entry, name))
        if entry.action not in _CARRIES_RECORD:
            continue
        sequence = 0 if entry.action == OutboxAction.REGISTER and entry.sequence is None else entry.sequence
        if sequence is None or sequence in queued:
            result.report(Rule.OUTBOX_DUPLICATE, "outbox", "sequence", "one entry", entry.position, sequence=sequence)
            continue
        queued[sequence] = entry
    return queued


def compare(
    entries: Sequence[FileOutbox],
    queued: Mapping[int, FileOutbox],
    key: bytes,
    history: History,
    result: LoanResult,
) -> None:
    """Report every cell of the queue that is not what the history makes it."""
    for entry in entries:
        if entry.loan_key != key:
            result.report(Rule.OUTBOX_ALTERED, "outbox", "loan_key", key, entry.loan_key, sequence=entry.sequence)
    for sequence, entry in queued.items():
        if not 0 <= sequence < len(history.links):
            result.report(Rule.OUTBOX_UNKNOWN, "outbox", "", None, entry.commitment, sequence=sequence)
            continue
        link = history.links[sequence]
        previous = history.heads[sequence - 1] if sequence else None
        found = (entry.kind, entry.commitment, entry.previous_head)
        if found == (link.kind, link.commitment, previous):
            continue
        if entry.kind != link.kind and not (entry.kind is None and _IMPLIED_KIND.get(_action(entry)) == link.kind):
            result.report(Rule.OUTBOX_ALTERED, "outbox", "kind", link.kind, entry.kind, sequence=sequence)
        if entry.commitment != link.commitment:
            result.report(
                Rule.OUTBOX_ALTERED, "outbox", "commitment", link.commitment, entry.commitment, sequence=sequence
            )
        if entry.previous_head != previous:
            result.report(
                Rule.OUTBOX_ALTERED, "outbox", "previous_head", previous, entry.previous_head, sequence=sequence
            )


def check_waiting(
    queued: Mapping[int, FileOutbox],
    filed: Mapping[int, FileRecord],
    history: History,
    progress: Mapping[tuple[int, int], RelayProgress],
    cursor: MirrorCursor,
    result: LoanResult,
) -> None:
    """Report each record that is not on chain and will not get there; the others are merely not there yet."""
    for sequence in range(history.anchored, len(history.links)):
        entry = queued.get(sequence)
        if entry is None:
            if sequence in filed:
                result.report(Rule.RECORD_NOT_QUEUED, "outbox", "", "an entry", None, sequence=sequence)
            continue
        known = progress.get((entry.lender_id, entry.position))
        if known is None:
            continue
        final = min(cursor.final_number, cursor.block_number)
        if known.refused_block is not None and known.refused_block <= final:
            result.report(
                Rule.RECORD_REFUSED, "loan_records", "", "anchored", f"refused at block {known.refused_block}",
                sequence=sequence,
            )  # fmt: skip
        elif known.mined_block is not None and known.mined_block <= final:
            result.report(
                Rule.RECORD_NOT_ON_CHAIN, "loan_records", "", f"anchored in block {known.mined_block}", None,
                sequence=sequence,
            )  # fmt: skip


def _action(entry: FileOutbox) -> OutboxAction:
    return OutboxAction(entry.action)
