"""What a reconciliation says: findings, each located at one record, table and field, and the state of each loan."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """ERROR: something is not what was anchored. WARNING: it is, but somebody should look."""

    ERROR = "ERROR"
    WARNING = "WARNING"


class Verification(StrEnum):
    """The state of a loan or record after it was compared with the chain; the gravest last."""

    VERIFIED = "VERIFIED"
    NOT_YET = "NOT_YET"
    MISSING_IN_FILE = "MISSING_IN_FILE"
    MISSING_ON_CHAIN = "MISSING_ON_CHAIN"
    MISMATCH = "MISMATCH"


class Rule(StrEnum):
    """The rule a finding is about; codes are stable."""

    CELL_ALTERED = "CELL_ALTERED"  # a cell of the file is not what the history makes it
    CELL_MALFORMED = "CELL_MALFORMED"  # a cell does not even have its column's type
    CONTENTS_ALTERED = "CONTENTS_ALTERED"  # the contents are not what was committed to
    FIELDS_NOT_CANONICAL = "FIELDS_NOT_CANONICAL"
    SEALED_ALTERED = "SEALED_ALTERED"  # the sealed personal fields do not open, or not to what was committed to
    SEALED_MISSING = "SEALED_MISSING"  # they are gone although their key is not
    KIND_NOT_ALLOWED = "KIND_NOT_ALLOWED"
    RECORD_MISSING = "RECORD_MISSING"  # anchored or queued, but not in the file
    RECORD_UNKNOWN = "RECORD_UNKNOWN"  # in the file, but never queued or anchored
    RECORD_OUT_OF_PLACE = "RECORD_OUT_OF_PLACE"  # the row of another position or another loan
    RECORD_NOT_QUEUED = "RECORD_NOT_QUEUED"  # not on chain, and nothing will bring it there
    RECORD_REFUSED = "RECORD_REFUSED"  # finally refused by the contract
    RECORD_NOT_ON_CHAIN = "RECORD_NOT_ON_CHAIN"  # its transaction is final, the record is not there
    BALANCE_DIFFERS = "BALANCE_DIFFERS"
    BALANCE_NOT_REPLAYABLE = "BALANCE_NOT_REPLAYABLE"
    OUTBOX_ALTERED = "OUTBOX_ALTERED"
    OUTBOX_DUPLICATE = "OUTBOX_DUPLICATE"
    OUTBOX_UNKNOWN = "OUTBOX_UNKNOWN"  # queued for a record that is not part of the history
    MIRROR_ALTERED = "MIRROR_ALTERED"
    MIRROR_MISSING = "MIRROR_MISSING"
    MIRROR_UNKNOWN = "MIRROR_UNKNOWN"
    CHAIN_DIFFERS = "CHAIN_DIFFERS"  # file and mirror do not fold to the head on chain
    CHAIN_MISSING = "CHAIN_MISSING"  # mirrored, but the chain has no such loan
    LOAN_UNKNOWN = "LOAN_UNKNOWN"  # on chain, but not in the file
    LOAN_ROW_MISSING = "LOAN_ROW_MISSING"  # rows are filed under a loan that does not exist
    DECISION_ALTERED = "DECISION_ALTERED"  # not what the anchored receipt says, or another receipt
    DECISION_MISSING = "DECISION_MISSING"
    DECISION_UNREADABLE = "DECISION_UNREADABLE"  # the receipt is the anchored one, of a form not known here
    LIEN_ALTERED = "LIEN_ALTERED"  # released in the file and not on chain, or the other way round
    LIEN_NOT_ON_CHAIN = "LIEN_NOT_ON_CHAIN"  # never pledged there, and nothing will bring it there
    LIEN_MISSING = "LIEN_MISSING"  # pledged on chain or queued, but not in the file
    LIEN_ON_CLOSED_LOAN = "LIEN_ON_CLOSED_LOAN"


_STATES = {
    Rule.RECORD_MISSING: Verification.MISSING_IN_FILE,
    Rule.LOAN_UNKNOWN: Verification.MISSING_IN_FILE,
    Rule.RECORD_UNKNOWN: Verification.MISSING_ON_CHAIN,
    Rule.RECORD_NOT_QUEUED: Verification.MISSING_ON_CHAIN,
    Rule.RECORD_REFUSED: Verification.MISSING_ON_CHAIN,
    Rule.RECORD_NOT_ON_CHAIN: Verification.MISSING_ON_CHAIN,
    Rule.DECISION_MISSING: Verification.MISSING_IN_FILE,
    Rule.LIEN_MISSING: Verification.MISSING_IN_FILE,
    Rule.LIEN_NOT_ON_CHAIN: Verification.MISSING_ON_CHAIN,
    Rule.CHAIN_MISSING: Verification.MISSING_ON_CHAIN,
}
_GRAVITY = {state: position for position, state in enumerate(Verification)}


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. `expected` and `found` are digests or shortened values, never personal data.

    `field` is a column, `fields.<name>` for one value inside a record's contents, several columns joined by `|` where
    their joint commitment cannot tell which one it is, or empty when the whole row is meant.
    """

    severity: Severity
    rule: Rule
    lender_id: int | None
    loan_id: str | None
    loan_key: bytes | None
    sequence: int | None
    table: str
    field: str
    expected: str
    found: str

    @property
    def state(self) -> Verification:
        """The state this finding puts its loan, or its record, into."""
        if self.severity is Severity.WARNING:
            return Verification.VERIFIED
        return _STATES.get(self.rule, Verification.MISMATCH)


def gravest(*states: Verification) -> Verification:
    """The gravest of these states; VERIFIED when there are none."""
    return max(states, key=_GRAVITY.__getitem__, default=Verification.VERIFIED)


def shortened(value: object) -> str:
    """A value as it may stand in a finding."""
    if isinstance(value, bytes):
        return f"0x{value[:8].hex()}…" if len(value) > 8 else f"0x{value.hex()}"
    text = "null" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
