"""The running position of one loan: what is owed, moved forward event by event in the order of effective days.

The rules, all in integers:

1. Interest accrues each day on the principal really outstanding, with the agreement's day count. It becomes due with
   the instalment and is rounded once, then; after the last due date it goes on in monthly steps and is added to the
   last instalment. A due date comes before the events of its day; events of one day follow their sequence.
2. A payment first meets what is due, oldest instalment first, each instalment completely before the next, inside it
   in the agreement's order of payment.
3. What is above that prepays principal: the scheduled principal of the last instalments falls first, so the term
   shortens. Interest accrued since the last due date stays accrued and falls due with the next instalment.
4. When the whole principal is paid, the interest accrued to that day is due that day. Hence a payment of the pay-off
   amount clears everything; more than that is refused.
5. A charge is payable from its day. It belongs to the oldest instalment in arrears, or else to the current one.
6. A charge-off ends accrual and moves all that is owed, with the interest to that day, to the charged-off claim.
"""

from datetime import date

from registry.domain.agreement import AgreementTerms
from registry.domain.allocation import (
    FEE,
    INTEREST,
    PENALTY,
    PRINCIPAL,
    Allocation,
    Component,
    Parts,
    pay_row,
    positions,
)
from registry.domain.calendar import DateOutOfRange, add_months
from registry.domain.events import (
    Cancelled,
    ChargedOff,
    Disbursed,
    FeeCharged,
    LoanEvent,
    Recovered,
    Repaid,
    Settled,
)
from registry.domain.history import admit
from registry.domain.kinds import LoanStatus
from registry.domain.money import AmountInvalid, Money
from registry.domain.refusals import (
    BalanceOutstanding,
    ChargeComponentInvalid,
    DisbursementMismatch,
    RecoveryExceedsChargedOff,
    RepaymentExceedsOutstanding,
)
from registry.domain.rounding import divide
from registry.domain.schedule import Instalment, period_days

NEVER = date.max


class Position:
    """Balances and accrual of one loan at `rolled_to`; `due_count` instalments have fallen due by then.

    `left` and `paid` hold amounts by component, then by instalment (0 is the first). `left` of an instalment that has
    not fallen due holds its scheduled principal only.
    """

    __slots__ = (
        "_closed_days", "_days", "_denominator", "_numerator", "_order", "_period_days", "_period_start", "_tail",
        "allocations", "charged_off", "charged_on", "claim", "disbursed_on", "due", "due_count", "due_on", "first_open",
        "left", "minor_days", "next_due", "paid", "principal_minor", "received", "recovered_minor",
        "rolled_to", "status", "terms",
    )  # fmt: skip

    def __init__(self, terms: AgreementTerms, schedule: tuple[Instalment, ...]) -> None:
        count = len(schedule)
        self.terms = terms
        self.status = LoanStatus.REGISTERED
        self.disbursed_on: date | None = None
        self.due_on = tuple(row.due_on for row in schedule)
        self.left: Parts = ([row.principal_minor for row in schedule], [0] * count, [0] * count, [0] * count)
        self.paid: Parts = ([0] * count, [0] * count, [0] * count, [0] * count)
        self.due = [0, 0, 0, 0]
        self.received = [0, 0, 0, 0]
        self.charged_off = [0, 0, 0, 0]
        self.claim = [0, 0, 0, 0]
        self.charged_on: dict[int, date] = {}
        self.allocations: dict[int, Allocation] = {}
        self.principal_minor = 0
        self.recovered_minor = 0
        self.due_count = 0
        self.first_open = 0
        self.minor_days = 0
        self.rolled_to = terms.disbursed_on
        self.next_due = NEVER
        self._days: tuple[int, ...] = ()
        self._period_start = terms.disbursed_on
        self._period_days = 0
        self._closed_days = 0
        self._tail = count - 1
        self._order = positions(terms.allocation_order)
        self._numerator, self._denominator = terms.interest_ratio()

    def copy(self) -> "Position":
        """An independent position to look ahead with; it shares the allocations, so nothing is booked on it."""
        other = object.__new__(Position)
        for name in Position.__slots__:
            setattr(other, name, getattr(self, name))
        other.left = _copied(self.left)
        other.paid = _copied(self.paid)
        other.due = self.due[:]
        other.received = self.received[:]
        other.claim = self.claim[:]
        other.charged_on = dict(self.charged_on)
        return other

    # What happens

    def book(self, event: LoanEvent) -> None:
        """Move the position over one event; after a refusal it may have rolled forward and must not be used further."""
        admit(self.status, event)
        if isinstance(event, Repaid):
            self.allocations[event.sequence] = self._repay(event)
        elif isinstance(event, FeeCharged):
            self._charge(event)
        elif isinstance(event, Disbursed):
            self._disburse(event)
        elif isinstance(event, ChargedOff):
            self._charge_off(event.on)
        elif isinstance(event, Recovered):
            self.allocations[event.sequence] = self._recover(event)
        elif isinstance(event, Settled):
            self._close(event, LoanStatus.SETTLED)
        elif isinstance(event, Cancelled):
            self._close(event, LoanStatus.CANCELLED)

    def roll(self, to: date) -> None:
        """Let instalments fall due and interest accrue up to a day, its due date included."""
        if self.status is not LoanStatus.ACTIVE or to <= self.rolled_to:
            return
        while self.next_due <= to and self.next_due != NEVER:
            self._fall_due()
        if self.principal_minor:
            gone = self.terms.day_count.elapsed(self._period_start, to, self._period_days)
            self.minor_days += self.principal_minor * (gone - self._closed_days)
            self._closed_days = gone
        self.rolled_to = to

    # What is owed

    def due_minor(self) -> int:
        """What is payable now."""
        due = self.due
        return due[PRINCIPAL] + due[INTEREST] + due[FEE] + due[PENALTY]

    def accrued_minor(self) -> int:
        """The interest accrued since the last due date, rounded."""
        if not self.minor_days:
            return 0
        return divide(self.minor_days * self._numerator, self._denominator, self.terms.rounding)

    def payoff_minor(self) -> int:
        """What clears the loan now; of a charged-off loan, what is left of the claim."""
        if self.status is LoanStatus.CHARGED_OFF:
            return sum(self.claim)
        if self.status is not LoanStatus.ACTIVE:
            return 0
        undue = self.principal_minor - self.due[PRINCIPAL]
        return self.due_minor() + self.accrued_minor() + undue

    def interest_ahead(self, row: int, balance_minor: int) -> int:
        """The interest instalment `row` will bear if the principal before it is `balance_minor`."""
        if not self._days or self.status is not LoanStatus.ACTIVE:
            return 0
        if row == self.due_count:
            minor_days = self.minor_days + self.principal_minor * (self._period_days - self._closed_days)
        else:
            minor_days = balance_minor * self._days[row]
        return divide(minor_days * self._numerator, self._denominator, self.terms.rounding)

    def oldest_unpaid(self) -> int | None:
        """The first instalment that has fallen due and is not fully paid."""
        for row in range(self.first_open, min(self.due_count, len(self.due_on))):
            if self._owes(row):
                return row
        return None

    def unpaid_since(self, row: int) -> date:
        """From which day an unpaid instalment counts as past due: a later charge alone counts from its own day."""
        due_on = self.due_on[row]
        if self.left[PRINCIPAL][row] or self.left[INTEREST][row]:
            return due_on
        return max(due_on, self.charged_on.get(row, due_on))

    # How each event moves it

    def _disburse(self, event: Disbursed) -> None:
        terms = self.terms
        payout = terms.net_disbursement
        first = self.due_on[0]
        if self.disbursed_on or event.amount_minor != payout.minor or event.on >= first:
            raise DisbursementMismatch(payout, self._money(event.amount_minor), event.on, first)
        self.status = LoanStatus.ACTIVE
        self.disbursed_on = event.on
        self.principal_minor = terms.principal.minor
        self.rolled_to = event.on
        self._days = period_days(terms, self.due_on, event.on)
        self._period_start = event.on
        self._period_days = self._days[0]
        self.next_due = first

    def _repay(self, event: Repaid) -> Allocation:
        amount = self._positive(event.amount_minor)
        self.roll(event.on)
        taken = [0, 0, 0, 0]
        owed = self.due_minor()
        if amount > owed and amount > (payoff := self.payoff_minor()):
            raise RepaymentExceedsOutstanding(self._money(payoff), self._money(amount))
        self._pay_due(min(amount, owed), taken)
        prepaid = min(max(amount - owed, 0), self.principal_minor)
        if prepaid:
            self._prepay(prepaid, taken)
        if taken[PRINCIPAL] and not self.principal_minor:
            self._bring_forward()
            self._pay_due(amount - sum(taken), taken)
        return Allocation(taken[PRINCIPAL], taken[INTEREST], taken[FEE], taken[PENALTY], 0)

    def _pay_due(self, amount: int, taken: list[int]) -> None:
        """Pay that much of what is due; the caller gives no more than that."""
        before = taken[:]
        left, paid, order = self.left, self.paid, self._order
        row, end = self.first_open, min(self.due_count, len(self.due_on))
        while amount and row < end:
            amount = pay_row(amount, row, left, paid, order, taken)
            row += bool(amount)
        self.first_open = row
        if amount:
            charges = tuple(component for component in order if component in {FEE, PENALTY})
            pay_row(amount, row, left, paid, charges, taken)
        due, received = self.due, self.received
        for component in range(4):
            part = taken[component] - before[component]
            due[component] -= part
            received[component] += part
        self.principal_minor -= taken[PRINCIPAL] - before[PRINCIPAL]

    def _prepay(self, amount: int, taken: list[int]) -> None:
        """Take an amount off the scheduled principal of the last instalments."""
        self.principal_minor -= amount
        self.received[PRINCIPAL] += amount
        taken[PRINCIPAL] += amount
        scheduled = self.left[PRINCIPAL]
        while amount:
            part = min(amount, scheduled[self._tail])
            scheduled[self._tail] -= part
            amount -= part
            self._tail -= bool(amount)

    def _fall_due(self) -> None:
        """The current instalment, or a month after the last one, falls due."""
        row, principal = self.due_count, self.principal_minor
        self.minor_days += principal * (self._period_days - self._closed_days)
        self._interest_due()
        if row < len(self.due_on):
            self.due[PRINCIPAL] += self.left[PRINCIPAL][row]
            fee = self.terms.instalment_fee_minor if principal else 0
            self.left[FEE][row] += fee
            self.due[FEE] += fee
        self._open_period()

    def _bring_forward(self) -> None:
        """The principal is gone: what has accrued falls due today."""
        if self.minor_days:
            self._interest_due()
            self._open_period()

    def _interest_due(self) -> None:
        interest = self.accrued_minor()
        if not interest:
            return
        row = min(self.due_count, len(self.due_on) - 1)
        self.left[INTEREST][row] += interest
        self.due[INTEREST] += interest

    def _open_period(self) -> None:
        self.minor_days = 0
        self._closed_days = 0
        self._period_start = self.next_due
        self.due_count += 1
        row, count = self.due_count, len(self.due_on)
        if row < count:
            self.next_due = self.due_on[row]
            self._period_days = self._days[row]
        elif self.principal_minor:
            self.next_due = self._after_maturity(row - count + 1)
            self._period_days = self.terms.day_count.period_days(row + 1, self._period_start, self.next_due)
        else:
            self.next_due = NEVER

    def _after_maturity(self, months: int) -> date:
        try:
            return add_months(self.terms.first_due_on, self.terms.term_months - 1 + months)
        except DateOutOfRange:
            return NEVER

    def _charge(self, event: FeeCharged) -> None:
        amount = self._positive(event.amount_minor)
        if event.component not in {Component.FEE, Component.PENALTY}:
            raise ChargeComponentInvalid(event.component)
        self.roll(event.on)
        oldest = self.oldest_unpaid()
        row = min(self.due_count, len(self.due_on) - 1) if oldest is None else oldest
        component = FEE if event.component is Component.FEE else PENALTY
        self.left[component][row] += amount
        self.due[component] += amount
        self.charged_on[row] = event.on

    def _charge_off(self, on: date) -> None:
        self.roll(on)
        due = self.due
        self.claim = [self.principal_minor, due[INTEREST] + self.accrued_minor(), due[FEE], due[PENALTY]]
        self.charged_off = self.claim[:]
        self._stop(LoanStatus.CHARGED_OFF)

    def _recover(self, event: Recovered) -> Allocation:
        amount = self._positive(event.amount_minor)
        left = sum(self.claim)
        if amount > left:
            raise RecoveryExceedsChargedOff(self._money(left), self._money(amount))
        before = self.claim[:]
        for component in self._order:
            part = min(amount, self.claim[component])
            self.claim[component] -= part
            amount -= part
        self.recovered_minor += event.amount_minor
        self.rolled_to = event.on
        taken = [was - now for was, now in zip(before, self.claim, strict=True)]
        return Allocation(taken[PRINCIPAL], taken[INTEREST], taken[FEE], taken[PENALTY], 0)

    def _close(self, event: Settled | Cancelled, status: LoanStatus) -> None:
        self.roll(event.on)
        owed = self.principal_minor if isinstance(event, Cancelled) else self.payoff_minor() - event.waived_minor
        if self.status is LoanStatus.ACTIVE and owed:
            raise BalanceOutstanding(event.kind, self._money(owed), event.on)
        self._stop(status)
        self.rolled_to = event.on

    def _stop(self, status: LoanStatus) -> None:
        """End accrual: nothing is due any more on the loan itself."""
        self.status = status
        self.principal_minor = 0
        self.due = [0, 0, 0, 0]
        self.minor_days = 0

    def _owes(self, row: int) -> bool:
        return any(component[row] for component in self.left)

    def _positive(self, amount_minor: int) -> int:
        if amount_minor <= 0:
            raise AmountInvalid(str(self._money(amount_minor)), "it must be positive")
        return amount_minor

    def _money(self, minor: int) -> Money:
        return Money(minor, self.terms.currency)


def _copied(parts: Parts) -> Parts:
    return (parts[0][:], parts[1][:], parts[2][:], parts[3][:])
