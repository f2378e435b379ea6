"""The filter over loans: from global ids and classes to conditions on columns."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import strawberry

from graphql_api.global_id import local_id, number_id
from graphql_api.types.enums import AssetClass, LoanStatus, Verification
from graphql_api.verification import with_verification
from registry.domain.delinquency import classification_rules
from registry.domain.money import MINOR_DIGITS, CurrencyUnknown
from registry.storage.queries_loans import LoanQuery

if TYPE_CHECKING:
    from collections.abc import Collection

DAYS_MAX = 100_000


@strawberry.input(description="Which loans: every part that is given narrows.")
class LoanFilter:
    """A filter as a client gives it."""

    status: list[LoanStatus] | None = strawberry.field(default=None, description="In one of these standings.")
    lender: list[strawberry.ID] | None = strawberry.field(default=None, description="Owned by one of these lenders.")
    product: list[strawberry.ID] | None = strawberry.field(default=None, description="Of one of these products.")
    asset_class: list[AssetClass] | None = strawberry.field(default=None, description="In one of these classes today.")
    min_days_past_due: int | None = strawberry.field(default=None, description="At least so many days past due today.")
    disbursed_from: date | None = strawberry.field(default=None, description="Paid out on this day or later.")
    disbursed_to: date | None = strawberry.field(default=None, description="Paid out on this day or earlier.")
    currency: str | None = strawberry.field(default=None, description="In this currency, an ISO 4217 code.")
    verification: list[Verification] | None = strawberry.field(
        default=None, description="In one of these states of verification now."
    )
    search: str | None = strawberry.field(
        default=None, description="The lender's own reference beginning so, or exactly the loan key."
    )


def loan_query(given: LoanFilter | None, today: date) -> LoanQuery:
    """The conditions a filter stands for, on a day."""
    if given is None:
        return LoanQuery()
    if given.currency is not None and given.currency not in MINOR_DIGITS:
        raise CurrencyUnknown(given.currency)
    days = given.min_days_past_due
    return LoanQuery(
        statuses=given.status,
        controllers=[number_id(one, "Lender") for one in given.lender] if given.lender is not None else None,
        products=[local_id(one, "Product") for one in given.product] if given.product is not None else None,
        due_before=today - timedelta(days=min(days, DAYS_MAX)) if days is not None and days > 0 else None,
        due_ranges=_due_ranges(given.asset_class, today) if given.asset_class is not None else None,
        disbursed_from=given.disbursed_from,
        disbursed_to=given.disbursed_to,
        currency=given.currency,
        search=given.search,
        conditions=[with_verification(given.verification)] if given.verification is not None else [],
    )


def _due_ranges(classes: "Collection[AssetClass]", today: date) -> list[tuple[date | None, date | None]]:
    """The ranges [from, before) of the first unpaid due date that put a loan into one of these classes today."""
    rules = classification_rules(today)
    floors = [(0, AssetClass.NORMAL), *zip(rules.from_days, rules.classes, strict=True)]
    ranges: list[tuple[date | None, date | None]] = []
    for index, (from_days, asset_class) in enumerate(floors):
        if asset_class not in classes:
            continue
        is_last = index == len(floors) - 1
        since = None if is_last else today - timedelta(days=floors[index + 1][0] - 1)
        before = None if from_days == 0 else today - timedelta(days=from_days - 1)
        ranges.append((since, before))
    return ranges
