"""The filed records of one loan compared with its history, and the cell found that makes the difference."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from audit import contents
from audit.cells import malformed
from audit.contents import Contents, Unreadable
from audit.finding import Rule
from audit.loan_file import FileLoan, FileRecord
from audit.loan_result import LoanResult
from audit.ports import PersonalOpener
from audit.truth import History
from registry.domain import records
from registry.domain.commitments import FieldValue
from registry.domain.errors import RegistryError
from registry.domain.kinds import RecordKind

TABLE = "loan_records"
_COPIED = ("effective_on", "posted_at", "amount_minor", "currency")  # columns that repeat a field


class Reading(NamedTuple):
    """What a row's contents come to: None where they cannot be read."""

    contents: Contents | None
    commitment: bytes | None


def sound(rows: Sequence[FileRecord], result: LoanResult) -> list[FileRecord]:
    """The rows whose cells have their columns' types; the others are reported."""
    good = []
    for row in rows:
        wrong = malformed(row)
        for name in wrong:
            sequence = row.sequence if type(row.sequence) is int else None
            found = type(getattr(row, name)).__name__
            result.report(Rule.CELL_MALFORMED, TABLE, name, "a value of the column's type", found, sequence=sequence)
        if not wrong:
            good.append(row)
    return good


def read(key: bytes, row: FileRecord) -> Reading:
    """The row's contents and the commitment they make."""
    try:
        made = contents.read_contents(row.kind, row.fields, row.secret)
    except Unreadable:
        return Reading(None, None)
    return Reading(made, _commitment(key, row.sequence, row.kind, made.digests, row.personal_digests))


def compare(
    loan: FileLoan,
    key: bytes,
    filed: Mapping[int, FileRecord],
    readings: Mapping[int, Reading],
    history: History,
    opener: PersonalOpener | None,
    result: LoanResult,
) -> None:
    """Report every missing and foreign row, and every altered cell of the others."""
    unreadable = {finding.sequence for finding in result.findings if finding.rule is Rule.CELL_MALFORMED}
    for sequence, link in enumerate(history.links):
        row = filed.get(sequence)
        if row is not None:
            _compare_row(loan, key, row, readings[sequence], history, opener, result)
        elif sequence not in unreadable:
            result.report(Rule.RECORD_MISSING, TABLE, "", link.commitment, None, sequence=sequence)
    for sequence in sorted(filed.keys() - range(len(history.links))):
        if not _out_of_place(key, filed[sequence], history, result):
            result.report(Rule.RECORD_UNKNOWN, TABLE, "", None, filed[sequence].commitment, sequence=sequence)
    for sequence in history.not_allowed:
        kind = history.links[sequence].kind
        result.report(Rule.KIND_NOT_ALLOWED, TABLE, "kind", "a kind that may follow", kind, sequence=sequence)


def _compare_row(
    loan: FileLoan,
    key: bytes,
    row: FileRecord,
    reading: Reading,
    history: History,
    opener: PersonalOpener | None,
    result: LoanResult,
) -> None:
    at = row.sequence
    link = history.links[at]
    head, previous = history.heads[at], history.heads[at - 1] if at else None
    found = (row.loan_key, row.kind, row.commitment, row.previous_head, row.head)
    if found != (key, link.kind, link.commitment, previous, head):
        if _out_of_place(key, row, history, result):
            return
        expected = (key, link.kind, link.commitment, previous, head)
        names = ("loan_key", "kind", "commitment", "previous_head", "head")
        for name, right, given in zip(names, expected, found, strict=True):
            if given != right:
                result.report(Rule.CELL_ALTERED, TABLE, name, right, given, sequence=at)
        if row.kind != link.kind:
            row = row._replace(kind=link.kind)
            reading = read(key, row)
    if reading.commitment == link.commitment and reading.contents is not None:
        _compare_copied(row, reading.contents.values, result)
    else:
        _report_contents(loan, key, row, reading.contents, link.commitment, opener, result)
        return
    if opener is not None:
        _compare_sealed(loan, row, opener, result)


def _out_of_place(key: bytes, row: FileRecord, history: History, result: LoanResult) -> bool:
    """Report a row that is sound but belongs to another position of this loan, or to another loan."""
    for place, link in enumerate(history.links):
        if place != row.sequence and link.commitment == row.commitment:
            moved = read(key, row._replace(sequence=place))
            if moved.commitment == row.commitment:
                result.report(Rule.RECORD_OUT_OF_PLACE, TABLE, "sequence", place, row.sequence, sequence=row.sequence)
                return True
    if row.loan_key != key and read(row.loan_key, row).commitment == row.commitment:
        result.report(Rule.RECORD_OUT_OF_PLACE, TABLE, "loan_id", key, row.loan_key, sequence=row.sequence)
        return True
    return False


def _compare_copied(row: FileRecord, values: Mapping[str, FieldValue], result: LoanResult) -> None:
    for name in _COPIED:
        value, cell = values.get(name), getattr(row, name)
        if cell != value and not _same(cell, value):
            result.report(Rule.CELL_ALTERED, TABLE, name, value, cell, sequence=row.sequence)


def _same(cell: object, value: FieldValue) -> bool:
    """A column and the field it repeats: an amount may be an integer in one and its digits in the other."""
    return cell is not None and value is not None and type(value) is not bool and str(cell) == str(value)


def _report_contents(
    loan: FileLoan,
    key: bytes,
    row: FileRecord,
    made: Contents | None,
    expected: bytes,
    opener: PersonalOpener | None,
    result: LoanResult,
) -> None:
    if made is None:
        result.report(
            Rule.FIELDS_NOT_CANONICAL, TABLE, "fields", "canonical JSON of the kind's fields",
            f"{len(row.fields)} characters", sequence=row.sequence,
        )  # fmt: skip
        return
    for name, right in _substitutes(row, made):
        digests = contents.with_value(row.kind, made, name, right, row.secret)
        if _commitment(key, row.sequence, row.kind, digests, row.personal_digests) == expected:
            given = made.values.get(name)
            result.report(Rule.CONTENTS_ALTERED, TABLE, f"fields.{name}", right, given, sequence=row.sequence)
            return
    personal = _personal(loan, row, opener) if opener is not None else None
    if len(row.personal_digests) != contents.PERSONAL_BYTES.get(row.kind) or (
        personal is not None
        and personal != row.personal_digests
        and _commitment(key, row.sequence, row.kind, made.digests, personal) == expected
    ):
        field = "personal_digests"
    elif not row.personal_digests or personal == row.personal_digests:
        field = "fields|secret"
    else:
        field = "fields|secret|personal_digests"
    found = _commitment(key, row.sequence, row.kind, made.digests, row.personal_digests)
    result.report(Rule.CONTENTS_ALTERED, TABLE, field, expected, found, sequence=row.sequence)


def _substitutes(row: FileRecord, made: Contents) -> Iterator[tuple[str, FieldValue]]:
    """What a field may have held: the value of the column that repeats it, in either way of writing an amount."""
    for name in _COPIED:
        cell, value = getattr(row, name), made.values.get(name)
        if _same(cell, value) or (cell is None and value is None):
            continue
        if type(cell) is not int or abs(cell) <= contents.SAFE_MAX:
            yield name, cell
        if type(cell) is int:
            yield name, str(cell)


def _compare_sealed(loan: FileLoan, row: FileRecord, opener: PersonalOpener, result: LoanResult) -> None:
    if not row.personal_digests or loan.borrower_key_id is None:
        if row.sealed is not None:  # the kind has nothing to seal, or it was erased
            result.report(Rule.SEALED_ALTERED, TABLE, "sealed", None, row.sealed, sequence=row.sequence)
        return
    if row.sealed is None:
        result.report(Rule.SEALED_MISSING, TABLE, "sealed", "the personal fields", None, sequence=row.sequence)
        return
    try:
        opened = opener.open(loan, row)
        made = opened and b"".join(records.personal_digests(RecordKind(row.kind), opened.values, opened.secret))
    except (RegistryError, ValueError) as refused:
        code = refused.code if isinstance(refused, RegistryError) else "UNREADABLE"
        result.report(Rule.SEALED_ALTERED, TABLE, "sealed", "what was sealed", code, sequence=row.sequence)
        return
    if made is not None and made != row.personal_digests:
        result.report(Rule.SEALED_ALTERED, TABLE, "sealed", row.personal_digests, made, sequence=row.sequence)


def _personal(loan: FileLoan, row: FileRecord, opener: PersonalOpener) -> bytes | None:
    """The personal digests made anew from what is sealed, if it can be opened."""
    if row.sealed is None:
        return None
    try:
        opened = opener.open(loan, row)
        if opened is None:
            return None
        return b"".join(records.personal_digests(RecordKind(row.kind), opened.values, opened.secret))
    except (RegistryError, ValueError):
        return None


def _commitment(key: bytes, sequence: int, kind: int, digests: bytes, personal: bytes) -> bytes | None:
    if len(personal) != contents.PERSONAL_BYTES.get(kind) or not 0 <= sequence < 2**63:
        return None
    return contents.commitment(key, sequence, kind, digests + personal)
