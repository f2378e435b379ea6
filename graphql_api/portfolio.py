"""The portfolio: what many loans add up to, today from columns, on a past day by replaying each loan."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar

import orjson
from sqlalchemy import Connection

from registry.domain.agreement import AgreementTerms
from registry.domain.delinquency import AssetClass, buckets, classification_rules
from registry.domain.errors import RuleRefused
from registry.domain.kinds import LoanStatus, RecordKind
from registry.domain.loan_history import ledger_of
from registry.storage.queries_keyset import Window
from registry.storage.queries_loans import FiledLoan, LoanQuery, LoanSort, page_of_loans
from registry.storage.queries_portfolio import balance_groups, cohort_groups, largest_borrowers
from registry.storage.queries_records import FiledRecord, histories_of_loans
from registry.storage.queries_sight import Sight

DEFAULT_DAYS = 90  # past due by so many days counts as default (Basel framework, CRE36.69)
LARGEST_BORROWERS = 10
_BASIS_POINTS = 10_000


@dataclass(eq=False)
class PortfolioTooLarge(RuleRefused):
    """A past day replays every loan, and there are more than one request may replay."""

    most: int
    code: ClassVar[str] = "PORTFOLIO_TOO_LARGE"

    def __str__(self) -> str:
        return f"A past day replays each loan, at most {self.most} at a time; narrow the filter or leave asOf out."


@dataclass(frozen=True, slots=True)
class Holding:
    """Loans alike in all that the portfolio counts; the sum in minor units. `is_owing`: active or charged off."""

    currency: str
    product_id: str
    is_owing: bool
    days_past_due: int
    loans: int
    outstanding_minor: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """Loans paid out on one day that defaulted on one day, or did not."""

    disbursed_on: date
    defaulted_on: date | None
    loans: int


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the portfolio in one currency; `share` is its part of what is outstanding in that currency."""

    key: str
    currency: str
    loans: int
    outstanding_minor: int
    share: float


@dataclass(frozen=True, slots=True)
class VintageRates:
    """Loans paid out in one month; rate *k* is the part that defaulted by the end of the *k*-th month after it."""

    month: str
    loans: int
    cumulative_default_rate: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PortfolioFigures:
    """Everything the portfolio shows, as of one day."""

    as_of: date
    holdings: tuple[Holding, ...]
    cohorts: tuple[Cohort, ...]
    largest: tuple[tuple[str, int], ...]  # currency and what the borrower owes, most first

    @property
    def loans(self) -> int:
        return sum(holding.loans for holding in self.holdings)

    @property
    def outstanding(self) -> dict[str, int]:
        """What is outstanding by currency, in minor units."""
        sums: Counter[str] = Counter()
        for holding in self.holdings:
            sums[holding.currency] += holding.outstanding_minor
        return dict(sorted(sums.items()))

    def by_asset_class(self) -> list[Share]:
        rules = classification_rules(self.as_of)
        order = [asset_class.name for asset_class in AssetClass]
        return self._shares(lambda holding: rules.classify(holding.days_past_due).name, order)

    def by_days_past_due(self) -> list[Share]:
        rules = buckets(self.as_of)
        return self._shares(lambda holding: rules.bucket_of(holding.days_past_due), list(rules.names))

    def by_product(self) -> list[Share]:
        order = sorted({holding.product_id for holding in self.holdings})
        return self._shares(lambda holding: holding.product_id, order)

    def vintages(self) -> list[VintageRates]:
        by_month: dict[tuple[int, int], list[Cohort]] = defaultdict(list)
        for cohort in self.cohorts:
            by_month[cohort.disbursed_on.year, cohort.disbursed_on.month].append(cohort)
        return [_vintage(month, cohorts, self.as_of) for month, cohorts in sorted(by_month.items())]

    def concentration(self) -> dict[str, Any]:
        """By currency: the Herfindahl index over products and the largest borrowers' shares, in basis points."""
        found: dict[str, Any] = {}
        for currency, owed in self.outstanding.items():
            products = [share.outstanding_minor for share in self.by_product() if share.currency == currency]
            found[currency] = {
                "herfindahlByProductBasisPoints": sum(part * part for part in products) * _BASIS_POINTS // owed**2
                if owed
                else 0,
                "largestBorrowersBasisPoints": [
                    minor * _BASIS_POINTS // owed for code, minor in self.largest if code == currency and owed
                ],
            }
        return found

    def _shares(self, key_of: Callable[[Holding], str], order: Sequence[str]) -> list[Share]:
        totals, loans, owed = self.outstanding, Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for holding in self.holdings:
            if holding.is_owing:
                part = key_of(holding), holding.currency
                loans[part] += holding.loans
                owed[part] += holding.outstanding_minor
        return [
            Share(key, currency, loans[key, currency], owed[key, currency], _ratio(owed[key, currency], total))
            for key in order
            for currency, total in totals.items()
            if loans[key, currency]
        ]


def portfolio_now(connection: Connection, sight: Sight, query: LoanQuery, today: date) -> PortfolioFigures:
    """The portfolio as it stands, from the columns kept with each loan."""
    holdings = [
        Holding(
            group.currency,
            group.product_id,
            group.is_owing,
            _days_since(group.next_unpaid_due_on, today),
            group.loans,
            group.outstanding_minor,
        )
        for group in balance_groups(connection, sight, query)
    ]
    cohorts = [
        Cohort(group.disbursed_on, _default_day(group.charged_off_on, group.unpaid_since, today), group.loans)
        for group in cohort_groups(connection, sight, query)
    ]
    largest = largest_borrowers(connection, sight, query, LARGEST_BORROWERS)
    owed = tuple((borrower.currency, borrower.outstanding_minor) for borrower in largest)
    return PortfolioFigures(today, tuple(holdings), tuple(cohorts), owed)


def portfolio_on(connection: Connection, sight: Sight, query: LoanQuery, as_of: date, most: int) -> PortfolioFigures:
    """The portfolio as it stood on a past day, each loan replayed to it; loans agreed later are not in it."""
    page = page_of_loans(connection, sight, query, LoanSort.LOAN_KEY_ASC, Window(most))
    if page.has_next:
        raise PortfolioTooLarge(most)
    found: Iterable[FiledLoan] = page.rows
    found = [loan for loan in found if sight.lender_id in {None, loan.controller_id}]  # a loan sold is the buyer's
    histories = histories_of_loans(connection, sight, [(loan.lender_id, loan.id) for loan in found])
    holdings, cohorts = [], []
    by_borrower: Counter[tuple[str, int, str]] = Counter()
    for loan in found:
        history = histories.get(loan.id, ())
        if not history or history[0].record.effective_on > as_of:
            continue
        holding, charged_off_on, disbursed_on = _replayed(loan, history, as_of)
        holdings.append(holding)
        by_borrower[loan.currency, loan.lender_id, loan.borrower_id] += holding.outstanding_minor
        if disbursed_on is not None:
            unpaid_since = as_of - timedelta(days=holding.days_past_due)
            cohorts.append(Cohort(disbursed_on, _default_day(charged_off_on, unpaid_since, as_of), 1))
    ranked = sorted(((owed, key[0]) for key, owed in by_borrower.items() if owed), reverse=True)
    per_currency: Counter[str] = Counter()
    largest = []
    for owed, currency in ranked:
        per_currency[currency] += 1
        if per_currency[currency] <= LARGEST_BORROWERS:
            largest.append((currency, owed))
    return PortfolioFigures(as_of, tuple(holdings), tuple(cohorts), tuple(largest))


def _replayed(loan: FiledLoan, history: Sequence[FiledRecord], as_of: date) -> tuple[Holding, date | None, date | None]:
    ledger = ledger_of(AgreementTerms.from_dict(orjson.loads(loan.terms)), [filed.record for filed in history])
    state = ledger.state_on(as_of)
    is_owing = state.status in {LoanStatus.ACTIVE, LoanStatus.CHARGED_OFF}
    past_due = ledger.days_past_due(as_of) if is_owing else 0
    charged_off_on = next(
        (
            filed.record.effective_on
            for filed in history
            if filed.record.kind is RecordKind.CHARGE_OFF and filed.record.effective_on <= as_of
        ),
        None,
    )
    holding = Holding(loan.currency, loan.product_id, is_owing, past_due, 1, state.principal_outstanding_minor)
    stands = state.status in {LoanStatus.CHARGED_OFF, LoanStatus.SETTLED}
    return holding, charged_off_on if stands else None, state.disbursed_on


def _vintage(month: tuple[int, int], cohorts: Sequence[Cohort], as_of: date) -> VintageRates:
    year, number = month
    loans = sum(cohort.loans for cohort in cohorts)
    ages = (as_of.year - year) * 12 + as_of.month - number
    defaulted: Counter[int] = Counter()
    for cohort in cohorts:
        if cohort.defaulted_on is not None:
            defaulted[(cohort.defaulted_on.year - year) * 12 + cohort.defaulted_on.month - number] += cohort.loans
    rates, sum_so_far = [], 0
    for age in range(max(0, ages) + 1):
        sum_so_far += defaulted[age]
        rates.append(_ratio(sum_so_far, loans))
    return VintageRates(f"{year:04d}-{number:02d}", loans, tuple(rates))


def _default_day(charged_off_on: date | None, unpaid_since: date | None, as_of: date) -> date | None:
    """The first of charge-off and ninety days past due, if either has come."""
    days = [charged_off_on] if charged_off_on is not None and charged_off_on <= as_of else []
    if unpaid_since is not None and unpaid_since + timedelta(days=DEFAULT_DAYS) <= as_of:
        days.append(unpaid_since + timedelta(days=DEFAULT_DAYS))
    return min(days, default=None)


def _days_since(due_on: date | None, today: date) -> int:
    return max(0, (today - due_on).days) if due_on is not None else 0


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
