"""From a cell's text to a value, or to a sentence that says what is wrong with it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import ClassVar

from app.tape.mapping import Rule
from registry.domain.errors import InvalidInput
from registry.domain.money import MINOR_DIGITS, AmountInvalid, CurrencyUnknown, Money

Value = str | int | Decimal | date | Money

FLAG_SET = frozenset({"1", "1.0", "true", "True"})
FLAG_UNSET = frozenset({"", "0", "0.0", "false", "False"})
# Plain or scientific notation, of at most 40 digits before the exponent; `Decimal` alone would also take "1_000".
_NUMBER = re.compile(r"(?=.{1,42}$|.{1,42}[eE])[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?")
MAGNITUDE_MAX, EXPONENT_MAX = Decimal(10) ** 18, 42
# Wide enough that no cell is rounded before it is rounded half up.
_EXACT = Context(prec=200, rounding=ROUND_HALF_UP)


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
    marked = [column for column in rule.one_of if _flag(column, cells[column].strip())]
    if len(marked) > 1:
        raise CellInvalid(marked[1], f"it is set together with {marked[0]}; only one of them may be")
    return (marked[0], rule.one_of[marked[0]]) if marked else ("/".join(rule.one_of), None)


def _flag(column: str, text: str) -> bool:
    if text not in FLAG_SET | FLAG_UNSET:
        raise CellInvalid(column, f"{text!r} is neither 0 nor 1")
    return text in FLAG_SET


def _number(column: str, text: str, rule: Rule) -> Decimal:
    if _NUMBER.fullmatch(text) is None:
        raise CellInvalid(column, f"{text[:60]!r} is not a number")
    number = Decimal(text)
    if rule.form.startswith("exp_"):
        number = MAGNITUDE_MAX if number > EXPONENT_MAX else number.exp()
    number = _EXACT.multiply(number, Decimal(rule.scale)) if rule.scale is not None else number
    if abs(number) >= MAGNITUDE_MAX:
        raise CellInvalid(column, f"{text!r} is too large a number")
    return number if rule.places is None else round_half_up(number, rule.places)


def round_half_up(number: Decimal, places: int) -> Decimal:
    """A decimal of `places` places; binary fractions such as 0.11220000000000001 become what was meant."""
    return number.quantize(Decimal(1).scaleb(-places), context=_EXACT)


def _money(column: str, amount: Decimal, currency: str) -> Money:
    """Sources carry binary fractions such as 29.999999999842; they are rounded half up to the minor unit."""
    if currency not in MINOR_DIGITS:
        raise CurrencyUnknown(currency)
    if amount < 0:
        raise CellInvalid(column, f"{amount} is negative")
    minor = amount.scaleb(MINOR_DIGITS[currency], _EXACT).to_integral_value(context=_EXACT)
    try:
        return Money(int(minor), currency)
    except AmountInvalid as invalid:
        raise CellInvalid(column, f"{amount} is not an amount: {invalid.rule}") from None


def _day(column: str, text: str) -> date:
    try:
        if _DAY.fullmatch(text) is not None:
            return date.fromisoformat(text if len(text) > len("YYYY-MM") else f"{text}-01")
    except ValueError:
        pass  # such as 2011-02-30
    raise CellInvalid(column, f"{text!r} is not a day (YYYY-MM-DD) or month (YYYY-MM)")


def _months(began: date, until: date) -> int:
    return max(0, (until.year - began.year) * 12 + until.month - began.month)
