"""Loading a rule book and choosing the rules in force on a day."""

import tomllib
import types
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar, get_args, get_origin, get_type_hints

from compliance.rulebook import rules as shapes
from registry.domain.errors import InvalidInput

R = TypeVar("R", bound=shapes.Rule)
S = TypeVar("S", shapes.Rule, shapes.Cap)

DEFAULT_PATH = Path(__file__).parent
SHAPES: dict[str, type[shapes.Rule]] = {
    "identity": shapes.IdentityRule,
    "age": shapes.AgeRule,
    "screening": shapes.ScreeningRule,
    "lpr": shapes.LprRule,
    "rate_cap": shapes.RateCapRule,
    "net_disbursement": shapes.NetDisbursementRule,
    "affordability": shapes.AffordabilityRule,
    "exposure": shapes.ExposureRule,
    "over_indebtedness": shapes.OverIndebtednessRule,
    "velocity": shapes.VelocityRule,
    "product": shapes.ProductRule,
    "purpose": shapes.PurposeRule,
    "consent": shapes.ConsentRule,
    "maker_checker": shapes.MakerCheckerRule,
}


@dataclass(eq=False)
class RuleBookInvalid(InvalidInput):
    """A rule file is missing, malformed, or says something no rule knows."""

    file: str
    rule: str
    code: ClassVar[str] = "RULE_BOOK_INVALID"

    def __str__(self) -> str:
        return f"Rule file {self.file} cannot be used: {self.rule}."


@dataclass(eq=False)
class NoRuleInForce(InvalidInput):
    """No version of the rule applies on that day; the check that needs it refers."""

    rule: str
    on: date
    code: ClassVar[str] = "NO_RULE_IN_FORCE"

    def __str__(self) -> str:
        return f"No version of rule {self.rule!r} is in force on {self.on}; add a dated version to the rule book."


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in force on one day."""

    on: date
    by_name: Mapping[str, shapes.Rule]

    def get(self, name: str, shape: type[R]) -> R:
        rule = self.by_name.get(name)
        if not isinstance(rule, shape):
            raise NoRuleInForce(name, self.on)
        return rule

    def version(self, name: str) -> str:
        """The version in force, or `none`."""
        rule = self.by_name.get(name)
        return rule.version if rule else "none"


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Every version of every rule, oldest first."""

    versions: Mapping[str, tuple[shapes.Rule, ...]]

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read `<rule>.toml` for every rule from a folder; without one, the rule book that comes with the registry."""
        folder = path or DEFAULT_PATH
        if unknown := sorted({file.stem for file in folder.glob("*.toml")} - SHAPES.keys()):
            raise RuleBookInvalid(f"{unknown[0]}.toml", "there is no rule of that name")
        return cls({name: _read_rule(folder / f"{name}.toml", shape) for name, shape in SHAPES.items()})

    def on(self, day: date) -> Rules:
        """The last version of each rule that began on or before `day`."""
        chosen = {}
        for name, versions in self.versions.items():
            if begun := [rule for rule in versions if rule.valid_from <= day]:
                chosen[name] = begun[-1]
        return Rules(day, chosen)


def _read_rule(file: Path, shape: type[shapes.Rule]) -> tuple[shapes.Rule, ...]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RuleBookInvalid(file.name, "the file is missing") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise RuleBookInvalid(file.name, str(cause)) from cause
    if content.keys() != {"source", "rule"}:
        raise RuleBookInvalid(file.name, "it needs exactly `source` and the list `[[rule]]`")
    versions = tuple(_build(shape, entry, file.name) for entry in content["rule"])
    starts = [version.valid_from for version in versions]
    if not starts or starts != sorted(set(starts)):
        raise RuleBookInvalid(file.name, "versions must be in order of valid_from, each on its own day")
    if len({version.version for version in versions}) != len(versions):
        raise RuleBookInvalid(file.name, "every version needs a name of its own")
    return versions


def _build(shape: type[S], entry: Mapping[str, object], file: str) -> S:
    hints = get_type_hints(shape)
    known = {item.name: item for item in fields(shape)}
    if unknown := sorted(entry.keys() - known.keys()):
        raise RuleBookInvalid(file, f"key {unknown[0]!r} is unknown")
    required = {name for name, item in known.items() if item.default is MISSING}
    if missing := sorted(required - entry.keys()):
        raise RuleBookInvalid(file, f"key {missing[0]!r} is missing")
    values: dict[str, Any] = {key: _value(hints[key], value, file, key) for key, value in entry.items()}
    try:
        return shape(**values)
    except ValueError as cause:
        raise RuleBookInvalid(file, str(cause)) from cause


def _value(hint: object, value: object, file: str, key: str) -> object:
    if isinstance(hint, types.UnionType):
        hint = next(part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is tuple and isinstance(value, list):
        part = get_args(hint)[0]
        if part is shapes.Cap:
            return tuple(_build(shapes.Cap, item, file) for item in value)
        return tuple(_value(part, item, file, key) for item in value)
    if hint is Decimal and isinstance(value, str):
        try:
            return Decimal(value)
        except InvalidOperation:
            raise RuleBookInvalid(file, f"{key!r} is not a decimal") from None
    if isinstance(hint, type) and issubclass(hint, StrEnum) and isinstance(value, str):
        if value not in list(hint):
            raise RuleBookInvalid(file, f"{key!r} is none of {', '.join(hint)}")
        return hint(value)
    if isinstance(hint, type) and type(value) is hint:
        return value
    raise RuleBookInvalid(file, f"{key!r} has the wrong type; decimals are written as text")
