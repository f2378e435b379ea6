"""The columns of a loan that repeat its agreement or its payout, which nothing later changes."""

from collections.abc import Mapping
from hashlib import sha256

from audit.contents import canonical_value
from audit.finding import Rule
from audit.loan_file import FileLoan
from audit.loan_result import LoanResult
from audit.record_check import Reading
from audit.truth import History
from registry.domain.agreement import AgreementTerms
from registry.domain.commitments import FieldValue
from registry.domain.errors import RegistryError
from registry.domain.kinds import RecordKind

Values = Mapping[str, FieldValue]


def compare(loan: FileLoan, readings: Mapping[int, Reading], history: History, result: LoanResult) -> Values | None:
    """Report the columns that differ; returns the agreement's values, None when they are not sound."""
    _compare_payout(loan, readings, history, result)
    agreed = _sound(readings, history, 0)
    if agreed is None:
        return None
    # Amendments are records of their own: what was agreed first stays in these columns.
    repeated = [
        ("terms", _digest(canonical_value(agreed.get("terms"))), _digest(loan.terms.encode(errors="surrogatepass"))),
        ("currency", agreed.get("currency"), loan.currency),
        ("principal_minor", str(agreed.get("amount_minor")), str(loan.principal_minor)),
        ("annual_rate", agreed.get("annual_rate"), loan.annual_rate),
        ("disclosed_apr", agreed.get("disclosed_apr"), loan.disclosed_apr),
        ("term_months", str(agreed.get("term_months")), str(loan.term_months)),
        ("external_reference", agreed.get("external_reference"), loan.external_reference),
        ("product_id", f"{agreed.get('product_code')}@{agreed.get('product_version')}", loan.product_id),
    ]
    if (matures_on := _matures_on(agreed)) is not None:
        repeated.append(("matures_on", matures_on, loan.matures_on))
    for name, expected, found in repeated:
        if expected != found:
            result.report(Rule.CELL_ALTERED, "loans", name, expected, found)
    return agreed


def _compare_payout(loan: FileLoan, readings: Mapping[int, Reading], history: History, result: LoanResult) -> None:
    paid_out = (number for number, link in enumerate(history.links) if link.kind == RecordKind.DISBURSEMENT)
    first = next(paid_out, None)
    expected: FieldValue = None
    if first is not None:
        values = _sound(readings, history, first)
        if values is None:
            return
        expected = values.get("effective_on")
    if loan.disbursed_on != expected:
        result.report(Rule.CELL_ALTERED, "loans", "disbursed_on", expected, loan.disbursed_on)


def _sound(readings: Mapping[int, Reading], history: History, sequence: int) -> Values | None:
    """The values of a record whose contents are those committed to; None when they are not."""
    reading = readings.get(sequence)
    if reading is None or reading.contents is None or sequence >= len(history.links):
        return None
    return reading.contents.values if reading.commitment == history.links[sequence].commitment else None


def _matures_on(agreed: Values) -> str | None:
    """The last due date; None when the terms are of no form known here."""
    terms = agreed.get("terms")
    if not isinstance(terms, Mapping):
        return None
    try:
        return AgreementTerms.from_dict({name: str(value) for name, value in terms.items()}).matures_on.isoformat()
    except (RegistryError, ValueError, ArithmeticError):
        return None


def _digest(text: bytes) -> bytes:
    """What stands in a finding for a text too long to be shown."""
    return sha256(text).digest()
