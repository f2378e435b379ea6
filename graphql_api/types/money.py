"""Money in the schema: minor units with their currency, and a text for people."""

from typing import Annotated

import strawberry
from babel import UnknownLocaleError
from babel.numbers import format_currency

from graphql_api.scalars import MinorUnits
from graphql_api.types.described import described
from registry.domain.money import Money

Locale = Annotated[str | None, strawberry.argument(description="A language tag such as en, zh or de-CH.")]


@strawberry.type(name="Money", description="An amount in minor units of a currency.")
class MoneyValue:
    """An amount as the schema shows it."""

    minor: MinorUnits = strawberry.field(description="The amount in minor units (cents, fen).")
    currency: str = strawberry.field(description="The ISO 4217 code of the currency.")

    @described("The amount written for people of a locale; English for an unknown one.")
    def text(self, locale: Locale = "en") -> str:
        major = Money(self.minor, self.currency).major
        try:
            return format_currency(major, self.currency, locale=(locale or "en").replace("-", "_")[:40])
        except (UnknownLocaleError, ValueError, TypeError):
            return format_currency(major, self.currency, locale="en")


def money(minor: int, currency: str) -> MoneyValue:
    return MoneyValue(minor=MinorUnits(minor), currency=currency)


def money_of(amount: Money | None) -> MoneyValue | None:
    return None if amount is None else money(amount.minor, amount.currency)
