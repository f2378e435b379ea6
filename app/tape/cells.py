"""From a cell's text to a value, or to a sentence that says what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import ClassVar

from app.tape.mapping import Rule
from registry.domain.errors import InvalidInput
from registry.domain.money import MINOR_DIGITS, CurrencyUnknown, Money

Value = str | int | Decimal | date | Money

FLAG_SET = frozenset({"1", "1.0", "true", "True"})


@dataclass(eq=False)
class CellInvalid(InvalidInput):
    """One cell cannot be read as what the mapping says it is."""

    column: str
    problem: str
    code: ClassVar[str] = "CELL_INVALID"

    def __str__(self) -> str:
        return f"column {self.column}: {self.problem}"


def value_of(rule: Rule, cells: Mapping[str, str], currency: str, agreed_on: date | None = None) -> Value | None:
    """The value a rule gives for a row; None where the row says nothing and the mapping has no default."""
    column, text = _text(rule, cells)
    if text is None or text == "":
        text = rule.default
    if text is None:
        return None
    if rule.map:
        if text not in rule.map and text != rule.default:
            raise CellInvalid(column, f"{text!r} is not in the mapping")
        text = rule.map.get(text, text)
        if not text:
            return None
    if rule.form == "text":
        return text
    if rule.form in {"month", "day"}:
        return _day(column, text)
    if rule.form == "months_before_agreement":
        began = _day(column, text)
        return None if agreed_on is None else _months(began, agreed_on)
    number = _number(column, text, rule)
    if rule.form == "integer":
        if number != number.to_integral_value():
            raise CellInvalid(column, f"{text!r} is not a whole number")
        return int(number)
    return _money(column, number, currency) if rule.form in {"money", "exp_money"} else number


def _text(rule: Rule, cells: Mapping[str, str]) -> tuple[str, str | None]:
    if rule.constant is not None:
        return "(constant)", rule.constant
    if rule.column is not None:
        return rule.column, cells[rule.column].strip()
    for column, meaning in rule.one_of.items():
        if cells[column].strip() in FLAG_SET:
            return column, meaning
    return "/".join(rule.one_of), None


def _number(column: str, text: str, rule: Rule) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise CellInvalid(column, f"{text!r} is not a number") from None
    if not number.is_finite():
        raise CellInvalid(column, f"{text!r} is not a finite number")
    if rule.form.startswith("exp_"):
        number = number.exp()
    number = number * Decimal(rule.scale) if rule.scale is not None else number
    return number if rule.places is None else round_half_up(number, rule.places)


def round_half_up(number: Decimal, places: int) -> Decimal:
    """A decimal of `places` places; binary fractions such as 0.11220000000000001 become what was meant."""
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _money(column: str, amount: Decimal, currency: str) -> Money:
    """Sources carry binary fractions such as 29.999999999842; they are rounded half up to the minor unit."""
    if currency not in MINOR_DIGITS:
        raise CurrencyUnknown(currency)
    if amount < 0:
        raise CellInvalid(column, f"{amount} is negative")
    minor = amount.scaleb(MINOR_DIGITS[currency]).to_integral_value(ROUND_HALF_UP)
    return Money(int(minor), currency)


def _day(column: str, text: str) -> date:
    try:
        return date.fromisoformat(text if len(text) > len("YYYY-MM") else f"{text}-01")
    except ValueError:
        raise CellInvalid(column, f"{text!r} is not a day (YYYY-MM-DD) or month (YYYY-MM)") from None


def _months(began: date, until: date) -> int:
    return max(0, (until.year - began.year) * 12 + until.month - began.month)
