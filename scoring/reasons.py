"""Principal reasons of a decision, at most four, in sentences a borrower understands (English and Chinese)."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Self

from registry.domain.errors import NotFound
from scoring.model import Contribution, Score

# Regulation B (US), official interpretation of section 1002.9(b)(2): more than four reasons are not likely to help.
REASONS_MAX = 4
# Below this many log-odds a feature did not matter; naming it would mislead.
EFFECT_LEAST = Decimal("0.01")

BOOKS: dict[str, str] = {
    "application@1": "application-1",
    "lendingclub@1": "lendingclub-1",
    "lendingclub_price@1": "lendingclub-1",
    "lendingclub_state@1": "lendingclub-1",
}
POLICY_BOOK = "policy-1"


@dataclass(eq=False)
class ReasonUnknown(NotFound):
    """No sentence is written for this reason or feature."""

    reason: str
    code = "REASON_UNKNOWN"

    def __str__(self) -> str:
        return f"No sentence is written for {self.reason!r}; add it to the reasons of its schema or policy."


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable code with its sentence in English and Chinese."""

    code: str
    text_en: str
    text_zh: str

    def text(self, locale: str = "en") -> str:
        """The sentence for a locale such as `en`, `zh` or `zh-CN`; English where nothing closer is written."""
        return self.text_zh if locale.lower().startswith("zh") else self.text_en


@dataclass(frozen=True)
class ReasonBook:
    """The sentences of one schema or policy, and which feature leads to which of them.

    `features` maps a feature to its reason code; `absent` to the code used when its value was not given.
    """

    reasons: dict[str, Reason]
    features: dict[str, str]
    absent: dict[str, str]

    @classmethod
    def read(cls, name: str) -> Self:
        body = tomllib.loads(files("scoring").joinpath("reasons", f"{name}.toml").read_text("utf-8"))
        reasons = {code: Reason(code, text["en"], text["zh"]) for code, text in body["reasons"].items()}
        return cls(reasons, body.get("features", {}), body.get("absent", {}))

    def of_feature(self, contribution: Contribution) -> Reason:
        """The reason a contribution stands for."""
        codes = self.absent if contribution.value is None and contribution.feature in self.absent else self.features
        if contribution.feature not in codes:
            raise ReasonUnknown(contribution.feature)
        return self.reasons[codes[contribution.feature]]


def adverse_reasons(score: Score, schema_version: str, most: int = REASONS_MAX) -> tuple[Reason, ...]:
    """What spoke most against the applicant, strongest first; features with one reason count together."""
    book = book_of(schema_version)
    effects: dict[str, Decimal] = {}
    for contribution in score.contributions:
        reason = book.of_feature(contribution)
        effects[reason.code] = effects.get(reason.code, Decimal(0)) + contribution.effect
    adverse = [(-effect, code) for code, effect in effects.items() if effect >= EFFECT_LEAST]
    return tuple(book.reasons[code] for _, code in sorted(adverse)[:most])


def reasons_of(codes: Iterable[str], schema_version: str) -> tuple[Reason, ...]:
    """The reasons behind stored codes, of a policy or of a schema's features."""
    books = (book_of(schema_version), _book(POLICY_BOOK))
    return tuple(_find(code, books) for code in codes)


def book_of(schema_version: str) -> ReasonBook:
    """The reason book of a feature schema."""
    if schema_version not in BOOKS:
        raise ReasonUnknown(schema_version)
    return _book(BOOKS[schema_version])


@cache
def _book(name: str) -> ReasonBook:
    return ReasonBook.read(name)


def _find(code: str, books: tuple[ReasonBook, ...]) -> Reason:
    for book in books:
        if code in book.reasons:
            return book.reasons[code]
    raise ReasonUnknown(code)
