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
from registry.domain.product import Product
from registry.services.book_histories import HistoryEvent, LoanHistory

INPUT_PLACES = Decimal("0.000001")


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


def history_of(row: TapeRow, mapping: TapeMapping, product: Product) -> LoanHistory | RowError | RowSkipped:
    """The history a row tells, or what is wrong with it; the events fit the ledger."""
    try:
        values = _values(row, mapping)
        for name in mapping.skip_without:
            if values[name] is None:
                return RowSkipped(row.line, name)
        return _history(row, mapping, product, values)
    except CellInvalid as fault:
        return RowError(row.line, fault.column, fault.problem)
    except RegistryError as fault:
        return RowError(row.line, "", str(fault))


def _values(row: TapeRow, mapping: TapeMapping) -> dict[str, Value | None]:
    return {name: value_of(rule, row.cells, mapping.currency) for name, rule in mapping.values.items()}


def _history(row: TapeRow, mapping: TapeMapping, product: Product, values: Mapping[str, Value | None]) -> LoanHistory:
    for name, value in values.items():
        if value is None:
            raise CellInvalid(mapping.values[name].column or name, "it is empty")
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

    last_on = found["last_received_on"]
    return CashTotals(
        principal=money("principal_received"),
        interest=money("interest_received"),
        late_fees=money("late_fees_received"),
        recovered=money("recovered"),
        last_received_on=last_on if isinstance(last_on, date) else None,
        last_received=money("last_received"),
        charged_off=found["charged_off"] == "yes",
    )


def _plain(value: Value | None) -> FieldValue:
    """An input as it is sealed and hashed: text, whole number, or exact decimal of at most six places."""
    if isinstance(value, Decimal):
        rounded = value.quantize(INPUT_PLACES)
        return format(rounded.normalize(), "f") if rounded else "0"
    if isinstance(value, str | int) or value is None:
        return value
    return str(value)
