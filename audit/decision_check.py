"""The decision behind a loan compared with its receipt, and the receipt with the hash of it that is anchored."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

from audit import bounded_json
from audit.cells import malformed
from audit.finding import Rule, Severity
from audit.loan_file import FileDecision, FileLoan
from audit.loan_result import LoanResult
from registry.domain.commitments import FieldValue

TABLE = "decisions"
RECEIPT_PREFIX = b"\x15"
BY_POLICY = "policy"
REFERRED = "REFER"
_ERASED_SALT = bytes(32)
_ERASABLE = {"score", "limit_minor"}  # null once the borrower is erased
_HIDDEN = {"score", "reasons"}  # what they say about a person is not repeated in a finding


def compare(
    loan: FileLoan, row: FileDecision | None, agreed: Mapping[str, FieldValue] | None, result: LoanResult
) -> None:
    """Report what differs. `agreed` are the agreement's values, None when they are not sound themselves."""
    anchored = agreed.get("decision_receipt") if agreed is not None else None
    if loan.decision_id is None:
        if anchored is not None:
            result.report(Rule.CELL_ALTERED, "loans", "decision_id", "the decision agreed upon", None)
        return
    if agreed is not None and anchored is None:
        result.report(Rule.CELL_ALTERED, "loans", "decision_id", None, loan.decision_id)
        return
    if row is None:
        result.report(Rule.DECISION_MISSING, f"loans|{TABLE}", "decision_id|id", loan.decision_id, None)
        return
    if wrong := malformed(row):
        for name in wrong:
            result.report(Rule.CELL_MALFORMED, TABLE, name, "a value of the column's type", type(row).__name__)
        return
    if _receipt_is_sound(row, anchored, result):
        _compare_columns(row, result, is_erased=loan.borrower_key_id is None)


def _receipt_is_sound(row: FileDecision, anchored: FieldValue, result: LoanResult) -> bool:
    made = sha256(RECEIPT_PREFIX + row.receipt.encode(errors="surrogatepass")).digest()
    if anchored is None:  # the agreement is altered, which its own finding says
        if made != row.receipt_commitment:
            result.report(Rule.DECISION_ALTERED, TABLE, "receipt|receipt_commitment", row.receipt_commitment, made)
        return made == row.receipt_commitment
    for name, found in (("receipt", made), ("receipt_commitment", row.receipt_commitment)):
        if found.hex() != anchored:
            result.report(Rule.DECISION_ALTERED, TABLE, name, anchored, found.hex())
    return made.hex() == anchored


def _compare_columns(row: FileDecision, result: LoanResult, *, is_erased: bool) -> None:
    said = _said(row.receipt)
    if said is None:
        result.report(
            Rule.DECISION_UNREADABLE,
            TABLE,
            "receipt",
            "a receipt of a known form",
            _digest(row.receipt),
            severity=Severity.WARNING,
        )
        return
    found = {
        "outcome": row.outcome,
        "offered_rate": row.offered_rate,
        "limit_minor": row.limit_minor,
        "reasons": _parsed(row.reasons),
        "policy_version": row.policy_version,
        "model_hash": row.model_hash.hex(),
        "inputs_hash": row.inputs_hash.hex(),
        "score": None if row.score is None else _score(_parsed(row.score)),
    }
    for name, expected in said.items():
        if found[name] == expected or (is_erased and name in _ERASABLE and getattr(row, name) is None):
            continue
        if name == "outcome" and row.decided_by != BY_POLICY and expected == REFERRED:
            continue  # a person decided what the policy referred to one
        shown = (_digest(expected), _digest(getattr(row, name))) if name in _HIDDEN else (expected, found[name])
        result.report(Rule.DECISION_ALTERED, TABLE, name, *shown)
    if row.inputs_salt == _ERASED_SALT and not is_erased:
        result.report(Rule.DECISION_ALTERED, TABLE, "inputs_salt", "the salt of the inputs", row.inputs_salt)


def _said(receipt: str) -> dict[str, Any] | None:
    """What the receipt says the columns hold; None when it is of no form known here."""
    body = _parsed(receipt)
    try:
        rate, model, score = body["offered_rate"], body["model"], body["score"]
        return {
            "outcome": body["outcome"],
            "offered_rate": None if rate is None else format(Decimal(rate), "f"),
            "limit_minor": int(body["limit"]["minor"]),
            "reasons": body["reasons"],
            "policy_version": body["policy"]["version"],
            "model_hash": model["sha256"],
            "inputs_hash": body["inputs_hash"],
            "score": (score["probability"], score["points"], score["grade"], model["version"], model["sha256"]),
        }
    except (LookupError, TypeError, ValueError, InvalidOperation):
        return None


def _score(stored: Any) -> tuple[object, ...] | None:
    """The parts of a stored score that the receipt repeats; contributions stand there only as a salted hash."""
    try:
        return tuple(stored[name] for name in ("probability", "points", "grade", "model_version", "model_hash"))
    except (LookupError, TypeError):
        return None


def _parsed(text: str) -> Any:
    try:
        return bounded_json.loads(text)
    except ValueError:
        return None


def _digest(value: object) -> bytes | None:
    return None if value is None else sha256(str(value).encode(errors="surrogatepass")).digest()
