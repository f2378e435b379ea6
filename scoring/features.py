"""The feature definition, the only door into a score: ordered, versioned, exact, closed to what came later."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from enum import StrEnum
from functools import cached_property
from typing import Self, TypeAlias

import rfc8785

from scoring.feature_errors import (
    FeatureInvalid,
    FeatureMissing,
    FeatureNotKnownAtApplication,
    FeatureProtected,
    FeatureUnknown,
    SaltInvalid,
)
from scoring.leakage import is_protected, why_not_at_application

Raw: TypeAlias = str | int | Decimal | None
Numbers: TypeAlias = Mapping[str, Decimal | None]

SALT_BYTES = 32
DIGITS_MAX = 18
PLACES_MAX = 12
DERIVED_PLACES = 6
SHOWN_MAX = 60

_PLAIN_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,12})?", re.ASCII)


class Kind(StrEnum):
    """What a feature's value is."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"


@dataclass(frozen=True, slots=True)
class Feature:
    """One variable of a score: its unit, its range, and which way it may move the probability of default.

    `monotone` is +1 when a higher value must never lower the probability of default, -1 when it must never raise
    it, 0 when free. `other` is the category that unknown ones become; without it they are refused. `never` is the
    number that stands for an absent value whose absence means "it never happened". An input that is not
    `modelled` is hashed and feeds derived features only. A derived feature has a `formula` and its `derive`.
    """

    name: str
    kind: Kind
    unit: str
    description_en: str
    description_zh: str
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    places: int = 0
    monotone: int = 0
    categories: tuple[str, ...] = ()
    other: str | None = None
    required: bool = True
    modelled: bool = True
    never: Decimal | None = None
    formula: str = ""
    derive: Callable[[Numbers], Decimal | None] | None = field(default=None, compare=False, repr=False)

    def canonical(self, raw: Raw) -> str | None:
        """The value as the one string that stands for it: a plain decimal without trailing zeros, or a category."""
        if raw is None:
            return None
        return self._number(raw) if self.kind is Kind.NUMERIC else self._category(raw)

    def definition(self) -> dict[str, object]:
        """What changes the meaning of a value; wording is left out."""
        return {
            "name": self.name, "kind": self.kind.value, "unit": self.unit, "low": str(self.low), "high": str(self.high),
            "places": self.places, "monotone": self.monotone, "categories": list(self.categories), "other": self.other,
            "required": self.required, "modelled": self.modelled, "formula": self.formula,
            "never": None if self.never is None else str(self.never),
        }  # fmt: skip

    def _number(self, raw: str | int | Decimal) -> str:
        value = self._decimal(raw)
        if not self.low <= value <= self.high:
            raise FeatureInvalid(self.name, _shown(raw), f"it must lie between {self.low} and {self.high} {self.unit}")
        if value != round(value, self.places):
            raise FeatureInvalid(self.name, _shown(raw), f"it may have {self.places} decimal places")
        return plain(value)

    def _decimal(self, raw: str | int | Decimal) -> Decimal:
        """The exact number; binary floats, NaN, infinities and numbers too long to be real are refused."""
        if isinstance(raw, str) and _PLAIN_DECIMAL.fullmatch(raw):
            return Decimal(raw)
        if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 10**DIGITS_MAX:
            return Decimal(raw)
        if isinstance(raw, Decimal) and raw.is_finite() and _fits(raw):
            return raw
        raise FeatureInvalid(
            self.name, _shown(raw), "give a plain decimal such as 1200 or 0.35, as text, int or Decimal"
        )

    def _category(self, raw: str | int | Decimal) -> str:
        if isinstance(raw, str):
            value = raw.strip().lower()
            if value in self.categories:
                return value
            if self.other is not None and value:
                return self.other
        raise FeatureInvalid(self.name, _shown(raw), f"it must be one of {', '.join(self.categories)}")


@dataclass(frozen=True)
class FeatureSchema:
    """An ordered list of features under one version; a change of meaning is a new version."""

    version: str
    features: tuple[Feature, ...]
    price_allowed: bool = False

    @cached_property
    def inputs(self) -> tuple[Feature, ...]:
        return tuple(f for f in self.features if f.derive is None)

    @cached_property
    def derived(self) -> tuple[Feature, ...]:
        return tuple(f for f in self.features if f.derive is not None)

    @cached_property
    def numeric(self) -> tuple[Feature, ...]:
        """The numeric columns of the model's matrix, in order."""
        return tuple(f for f in self.features if f.modelled and f.kind is Kind.NUMERIC)

    @cached_property
    def categorical(self) -> tuple[Feature, ...]:
        """The categorical columns of the model's matrix, in order, after the numeric ones."""
        return tuple(f for f in self.features if f.modelled and f.kind is Kind.CATEGORICAL)

    @cached_property
    def modelled(self) -> tuple[Feature, ...]:
        return self.numeric + self.categorical

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over every feature's definition: two schemas that differ in meaning differ here."""
        body: dict[str, object] = {"version": self.version, "features": [f.definition() for f in self.features]}
        return hashlib.sha256(rfc8785.dumps(body)).hexdigest()  # type: ignore[arg-type]

    @cached_property
    def _input_names(self) -> frozenset[str]:
        return frozenset(f.name for f in self.inputs)

    def refuse(self, name: str) -> None:
        """Raise unless `name` is an input of this schema."""
        if name in self._input_names:
            return
        why = why_not_at_application(name, price_allowed=self.price_allowed)
        if why is not None:
            raise FeatureNotKnownAtApplication(name, self.version, why)
        if is_protected(name):
            raise FeatureProtected(name, self.version)
        raise FeatureUnknown(name, self.version)


@dataclass(frozen=True)
class FeatureVector:
    """One application as a schema sees it: canonical inputs, and every modelled value derived from them."""

    schema: FeatureSchema
    inputs: Mapping[str, str | None]
    values: Mapping[str, str | None]

    @classmethod
    def build(cls, schema: FeatureSchema, raw: Mapping[str, Raw]) -> Self:
        """Pass `raw` through the door; refuses names the schema does not define and values it does not allow."""
        for name in raw:
            schema.refuse(name)
        inputs: dict[str, str | None] = {}
        for feature in schema.inputs:
            inputs[feature.name] = feature.canonical(raw.get(feature.name))
            if feature.required and inputs[feature.name] is None:
                raise FeatureMissing(feature.name, schema.version)
        return cls(schema, inputs, _with_derived(schema, inputs))

    def inputs_hash(self, salt: bytes) -> bytes:
        """sha256(salt || RFC 8785 JSON of schema version and inputs); without a salt it could be guessed."""
        if len(salt) != SALT_BYTES:
            raise SaltInvalid(len(salt))
        return hashlib.sha256(salt + self.canonical_bytes()).digest()

    def canonical_bytes(self) -> bytes:
        """The RFC 8785 bytes of schema version and inputs."""
        return rfc8785.dumps({"schema": self.schema.version, "inputs": dict(self.inputs)})

    def numeric_row(self) -> list[float]:
        """The numeric part of the model's matrix; an absent value is NaN, or the feature's `never`."""
        return [self._as_float(f) for f in self.schema.numeric]

    def categorical_row(self) -> list[bytes]:
        """The categorical part of the model's matrix; an absent category is the empty one."""
        return [(self.values[f.name] or "").encode() for f in self.schema.categorical]

    def _as_float(self, feature: Feature) -> float:
        value = self.values[feature.name]
        if value is not None:
            return float(value)
        return float("nan") if feature.never is None else float(feature.never)


def plain(value: Decimal) -> str:
    """A decimal in its one plain form: no exponent, no trailing zeros, no negative zero."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def _with_derived(schema: FeatureSchema, inputs: Mapping[str, str | None]) -> dict[str, str | None]:
    values = dict(inputs)
    if not schema.derived:
        return values
    numeric = {f.name for f in schema.inputs if f.kind is Kind.NUMERIC}
    numbers = {name: None if text is None else Decimal(text) for name, text in inputs.items() if name in numeric}
    with localcontext(prec=28):
        for feature in schema.derived:
            assert feature.derive is not None  # noqa: S101 - `derived` holds only features that have one
            value = feature.derive(numbers)
            values[feature.name] = None if value is None else _clipped(feature, value)
    return values


def _clipped(feature: Feature, value: Decimal) -> str:
    inside = min(max(value, feature.low), feature.high)
    return plain(round(inside, DERIVED_PLACES))


def _fits(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -PLACES_MAX and value.adjusted() < DIGITS_MAX


def _shown(raw: object) -> str:
    try:
        text = repr(raw)
    except ValueError:  # an int too long to print
        text = f"a number of {type(raw).__name__} too long to show"
    return text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + "…"
