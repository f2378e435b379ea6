"""A mapping: which column of a tape means what, and what follows where the tape says nothing. A dated TOML file."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, Self

from registry.domain.errors import InvalidInput, NotFound
from registry.domain.money import MINOR_DIGITS

SHIPPED = files("app.tape").joinpath("mappings")
FORMS = frozenset(
    {"text", "money", "decimal", "integer", "month", "day", "exp_money", "exp_decimal", "months_before_agreement"}
)
MONEY, NUMBER, DAY = (
    frozenset({"money", "exp_money"}),
    frozenset({"decimal", "exp_decimal"}),
    frozenset({"month", "day"}),
)
TEXT, WHOLE = frozenset({"text"}), frozenset({"integer"})
# The forms each value may have.
VALUES: Mapping[str, frozenset[str]] = {
    "reference": TEXT,
    "principal": MONEY,
    "annual_rate": NUMBER,
    "term_months": WHOLE,
    "agreed_on": DAY,
    "purpose": TEXT,
}
CASH_VALUES: Mapping[str, frozenset[str]] = {
    "principal_received": MONEY,
    "interest_received": MONEY,
    "late_fees_received": MONEY,
    "recovered": MONEY,
    "last_received_on": DAY,
    "last_received": MONEY,
    "charged_off": TEXT,
}
PLACES_MAX = 12


@dataclass(eq=False)
class MappingMissing(NotFound):
    """No mapping file of that name or path."""

    name: str
    code: ClassVar[str] = "MAPPING_MISSING"

    def __str__(self) -> str:
        shipped = ", ".join(sorted(entry.name.removesuffix(".toml") for entry in SHIPPED.iterdir()))
        return f"There is no mapping {self.name}; give a file, or one of those that ship: {shipped}."


@dataclass(eq=False)
class MappingInvalid(InvalidInput):
    """A mapping file says something that cannot be."""

    name: str
    problem: str
    code: ClassVar[str] = "MAPPING_INVALID"

    def __str__(self) -> str:
        return f"Mapping {self.name} cannot be used: {self.problem}."


@dataclass(frozen=True, slots=True)
class Rule:
    """Where one value comes from, and its form.

    `column` names a cell; `one_of` a set of 0/1 columns with the value each stands for; `constant` needs no cell. `map`
    translates the cell's text. `scale` multiplies a number, `places` rounds it half up. An empty cell gives
    `default`, or None.
    """

    form: str = "text"
    column: str | None = None
    constant: str | None = None
    one_of: Mapping[str, str] = field(default_factory=dict)
    map: Mapping[str, str] = field(default_factory=dict)
    scale: str | None = None
    places: int | None = None
    default: str | None = None

    @classmethod
    def of(cls, name: str, where: str, given: Any) -> Self:
        if not isinstance(given, dict):
            raise MappingInvalid(name, f'{where} must be a table such as {{ column = "…" }}')
        values = dict(given)
        form = values.pop("as", "text")
        if form not in FORMS:
            raise MappingInvalid(name, f"{where}: {form!r} is not a form; use one of {', '.join(sorted(FORMS))}")
        sources = [key for key in ("column", "constant", "one_of") if key in values]
        if len(sources) != 1:
            raise MappingInvalid(name, f"{where} needs exactly one of column, constant, one_of")
        unknown = sorted(set(values) - set(_ENTRIES))
        if unknown:
            raise MappingInvalid(name, f"{where} has unknown entries: {', '.join(unknown)}")
        for entry, value in values.items():
            fits, what = _ENTRIES[entry]
            if not fits(value):
                raise MappingInvalid(name, f"{where}.{entry} must be {what}")
        return cls(form=form, **values)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(_is_text, value.values()))


def _is_scale(value: Any) -> bool:
    return _is_text(value) and re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", value) is not None


def _is_places(value: Any) -> bool:
    return type(value) is int and 0 <= value <= PLACES_MAX


_ENTRIES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "column": (_is_text, "text"),
    "constant": (_is_text, "text"),
    "one_of": (_is_texts, "a table of texts"),
    "map": (_is_texts, "a table of texts"),
    "scale": (_is_scale, 'a decimal number as text, such as "0.01"'),
    "places": (_is_places, f"a whole number from 0 to {PLACES_MAX}"),
    "default": (_is_text, "text"),
}


@dataclass(frozen=True, slots=True)
class TapeMapping:
    """Everything needed to read one kind of tape. `derived` tells readers which facts are inferred, and how."""

    id: str
    version: int
    description: str
    currency: str
    product: str
    values: Mapping[str, Rule]
    inputs: Mapping[str, Rule]
    cash: Mapping[str, Rule]
    unavailable: Mapping[str, str]
    derived: tuple[str, ...]
    skip_without: tuple[str, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        """Every column the mapping reads."""
        rules = (*self.values.values(), *self.inputs.values(), *self.cash.values())
        named = {rule.column for rule in rules if rule.column is not None}
        return frozenset(named.union(*(rule.one_of for rule in rules)))


def load_mapping(name: str) -> TapeMapping:
    """A mapping by path, or by the name of one that ships."""
    path = Path(name)
    if path.is_file():
        return _read(path.name, path.read_bytes())
    shipped = SHIPPED.joinpath(f"{name}.toml")
    if "/" in name or not shipped.is_file():
        raise MappingMissing(name)
    return _read(f"{name}.toml", shipped.read_bytes())


def _read(name: str, data: bytes) -> TapeMapping:
    try:
        body = tomllib.loads(data.decode())
    except ValueError as fault:
        raise MappingInvalid(name, str(fault)) from None
    known = {"id", "version", "description", "currency", "product", "skip_without", "derived"}
    tables = {"values", "cash", "inputs", "unavailable"}
    for key in body:
        if key not in known | tables:
            raise MappingInvalid(name, f"{key!r} is not known")
    for key in ("id", "version", "description", "currency", "product", "values"):
        if key not in body:
            raise MappingInvalid(name, f"{key!r} is missing")
    for key in tables & set(body):
        if not isinstance(body[key], dict):
            raise MappingInvalid(name, f"{key} must be a table")
    _check_plain(name, body)
    return TapeMapping(
        id=body["id"],
        version=body["version"],
        description=body["description"],
        currency=body["currency"],
        product=body["product"],
        values=_rules(name, "values", body["values"], VALUES),
        inputs=_rules(name, "inputs", body.get("inputs", {})),
        cash=_rules(name, "cash", body["cash"], CASH_VALUES) if "cash" in body else {},
        unavailable=dict(body.get("unavailable", {})),
        derived=tuple(body.get("derived", ())),
        skip_without=tuple(body.get("skip_without", ())),
    )


def _check_plain(name: str, body: Mapping[str, Any]) -> None:
    """Refuse entries outside the rules that have the wrong type or name something that is not there."""
    for key in ("id", "description", "currency", "product"):
        if not _is_text(body[key]):
            raise MappingInvalid(name, f"{key} must be text")
    if type(body["version"]) is not int:
        raise MappingInvalid(name, "version must be a whole number")
    if body["currency"] not in MINOR_DIGITS:
        raise MappingInvalid(name, f"currency {body['currency']!r} is not known")
    for key in ("skip_without", "derived"):
        entries = body.get(key, [])
        if not isinstance(entries, list) or not all(map(_is_text, entries)):
            raise MappingInvalid(name, f"{key} must be a list of texts")
    for key in body.get("skip_without", ()):
        if key not in VALUES:
            raise MappingInvalid(name, f"skip_without: {key!r} is not one of the values")
    if not all(map(_is_text, body.get("unavailable", {}).values())):
        raise MappingInvalid(name, "unavailable must be a table of texts")


def _rules(
    name: str, table: str, given: Mapping[str, Any], forms: Mapping[str, frozenset[str]] | None = None
) -> dict[str, Rule]:
    rules = {key: Rule.of(name, f"{table}.{key}", entry) for key, entry in given.items()}
    if forms is None:
        return rules
    missing = [key for key in forms if key not in given]
    unknown = [key for key in given if key not in forms]
    if missing or unknown:
        raise MappingInvalid(name, f"[{table}] lacks {missing} and does not know {unknown}")
    for key, rule in rules.items():
        if rule.form not in forms[key]:
            raise MappingInvalid(name, f"{table}.{key} must be read as {' or '.join(sorted(forms[key]))}")
    return rules
