"""From one row of a tape to the history of a loan."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.tape.cash import CashTotals, Derivation
from app.tape.cells import CellInvalid, Value, value_of
from app.tape.mapping import TapeMapping
from app.tape.source import TapeRow
from registry.domain.commitments import FieldValue
from registry.domain.errors import RegistryError
from registry.domain.kinds import RecordKind
from registry.domain.money import Money
from registry.domain.parties import Identity
from registry.domain.product import AmountOutOfRange, Product, RateOutOfRange, TermOutOfRange
from registry.services.book_histories import HistoryEvent, LoanHistory

INPUT_PLACES = Decimal("0.000001")
CHARGED_OFF, REPAID = "yes", "no"
# Which value is at fault when the product's bounds are broken.
_BOUNDED_BY: Mapping[type[RegistryError], str] = {
    AmountOutOfRange: "principal",
    TermOutOfRange: "term_months",
    RateOutOfRange: "annual_rate",
}
_BEFORE_RECOVERY = ("principal_received", "interest_received", "late_fees_received")


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one cell or row, and where it stands."""

    line: int
    column: str
    problem: str


@dataclass(frozen=True, slots=True)
class RowSkipped:
    """A row that the mapping says not to import."""

    line: int
    column: str


def history_of(
    row: TapeRow, mapping: TapeMapping, product: Product, today: date
) -> LoanHistory | RowError | RowSkipped:
    """The history a row tells, or what is wrong with it; the events fit the ledger and happened by `today`."""
    try:
        values = _values(row, mapping)
        for name in mapping.skip_without:
            if values[name] is None:
                return RowSkipped(row.line, name)
        told = _history(row, mapping, product, values)
    except CellInvalid as fault:
        return RowError(row.line, fault.column, fault.problem)
    except RegistryError as fault:
        return RowError(row.line, _column(mapping, _BOUNDED_BY.get(type(fault), "")), str(fault))
    last_on = max([told.agreed_on, *(event.on for event in told.events)])
    if last_on > today:
        return RowError(row.line, _column(mapping, "agreed_on"), f"it leads to {last_on}, a day that is still to come")
    return told


def _column(mapping: TapeMapping, value: str) -> str:
    """Where a value comes from, for people who look for it in the tape."""
    rule = mapping.values.get(value)
    return "" if rule is None else rule.column or "/".join(rule.one_of) or value


def _values(row: TapeRow, mapping: TapeMapping) -> dict[str, Value | None]:
    return {name: value_of(rule, row.cells, mapping.currency) for name, rule in mapping.values.items()}


def _history(row: TapeRow, mapping: TapeMapping, product: Product, values: Mapping[str, Value | None]) -> LoanHistory:
    for name, value in values.items():
        if value is None:
            raise CellInvalid(_column(mapping, name), "it is empty")
    agreed_on, principal = values["agreed_on"], values["principal"]
    rate, term = values["annual_rate"], values["term_months"]
    if not (
        isinstance(agreed_on, date)
        and isinstance(principal, Money)
        and isinstance(rate, Decimal)
        and isinstance(term, int)
    ):
        raise CellInvalid("(mapping)", "a value has not the form it needs")
    terms = product.terms_for(principal, term, rate, agreed_on)
    inputs = {
        name: _plain(value_of(rule, row.cells, mapping.currency, agreed_on)) for name, rule in mapping.inputs.items()
    }
    cash = _cash(row, mapping)
    story = (
        Derivation(terms, cash).run()
        if cash is not None
        else [HistoryEvent(RecordKind.DISBURSEMENT, agreed_on, principal)]
    )
    return LoanHistory(
        external_reference=f"{mapping.id}:{values['reference']}",
        identity=Identity(name="", kind="PERSON"),
        product_id=product.id,
        terms=terms,
        purpose=str(values["purpose"]),
        inputs=inputs,
        events=story,
        agreed_on=agreed_on,
        unavailable=mapping.unavailable,
    )


def _cash(row: TapeRow, mapping: TapeMapping) -> CashTotals | None:
    if not mapping.cash:
        return None
    zero = Money.zero(mapping.currency)
    found = {name: value_of(rule, row.cells, mapping.currency) for name, rule in mapping.cash.items()}

    def money(name: str) -> Money:
        value = found[name]
        return value if isinstance(value, Money) else zero

    last_on, status = found["last_received_on"], found["charged_off"]
    if status not in {CHARGED_OFF, REPAID}:
        column, said = mapping.cash["charged_off"].column or "charged_off", "empty" if status is None else repr(status)
        raise CellInvalid(column, f"it is {said}, where the mapping has to make it {CHARGED_OFF!r} or {REPAID!r}")
    if last_on is None and any(money(name).minor for name in _BEFORE_RECOVERY):
        raise CellInvalid(
            mapping.cash["last_received_on"].column or "last_received_on", "it is empty, but cash came in"
        )
    return CashTotals(
        principal=money("principal_received"),
        interest=money("interest_received"),
        late_fees=money("late_fees_received"),
        recovered=money("recovered"),
        last_received_on=last_on if isinstance(last_on, date) else None,
        last_received=money("last_received"),
        charged_off=status == CHARGED_OFF,
    )


def _plain(value: Value | None) -> FieldValue:
    """An input as it is sealed and hashed: text, whole number, or exact decimal of at most six places."""
    if isinstance(value, Money):
        value = value.major
    if isinstance(value, Decimal):
        rounded = value.quantize(INPUT_PLACES)
        return format(rounded.normalize(), "f") if rounded else "0"
    if isinstance(value, str | int) or value is None:
        return value
    return str(value)
