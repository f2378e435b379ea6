"""A mapping: which column of a tape means what, and what follows where the tape says nothing. A dated TOML file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, Self

from registry.domain.errors import InvalidInput, NotFound

SHIPPED = files("app.tape").joinpath("mappings")
FORMS = frozenset(
    {"text", "money", "decimal", "integer", "month", "day", "exp_money", "exp_decimal", "months_before_agreement"}
)
VALUES = ("reference", "principal", "annual_rate", "term_months", "agreed_on", "purpose")
CASH_VALUES = (
    "principal_received",
    "interest_received",
    "late_fees_received",
    "recovered",
    "last_received_on",
    "last_received",
    "charged_off",
)


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
        try:
            return cls(form=form, **values)
        except TypeError:
            unknown = sorted(set(values) - {"column", "constant", "one_of", "map", "scale", "places", "default"})
            raise MappingInvalid(name, f"{where} has unknown entries: {', '.join(unknown)}") from None


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
    tables = {"values": VALUES, "cash": CASH_VALUES, "inputs": None, "unavailable": None}
    for key in body:
        if key not in known | set(tables):
            raise MappingInvalid(name, f"{key!r} is not known")
    for key in ("id", "version", "description", "currency", "product", "values"):
        if key not in body:
            raise MappingInvalid(name, f"{key!r} is missing")
    return TapeMapping(
        id=body["id"],
        version=body["version"],
        description=body["description"],
        currency=body["currency"],
        product=body["product"],
        values=_rules(name, "values", body["values"], required=VALUES),
        inputs=_rules(name, "inputs", body.get("inputs", {})),
        cash=_rules(name, "cash", body.get("cash", {}), required=CASH_VALUES if "cash" in body else ()),
        unavailable=dict(body.get("unavailable", {})),
        derived=tuple(body.get("derived", ())),
        skip_without=tuple(body.get("skip_without", ())),
    )


def _rules(name: str, table: str, given: Mapping[str, Any], required: tuple[str, ...] = ()) -> dict[str, Rule]:
    missing = [key for key in required if key not in given]
    unknown = [key for key in given if required and key not in required]
    if missing or unknown:
        raise MappingInvalid(name, f"[{table}] lacks {missing} and does not know {unknown}")
    return {key: Rule.of(name, f"{table}.{key}", entry) for key, entry in given.items()}
