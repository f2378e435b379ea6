"""The running position of one loan: what is owed, moved forward event by event in the order of effective days.

The rules, all in integers:

1. Interest accrues each day on the principal really outstanding, with the agreement's day count. It becomes due with
   the instalment and is rounded once, then; after the last due date it goes on in monthly steps and is added to the
   last instalment. A due date comes before the events of its day; events of one day follow their sequence.
2. A payment first meets what is due, oldest instalment first, each instalment completely before the next, inside it
   in the agreement's order of payment.
3. What is above that secures the next instalment. It is held as a credit up to what that instalment will ask: its
   principal still left, its charges, its fee, and the interest it will bear by its due date on the present principal;
   less the credit already held. The payment's allocation names this part as unallocated. (The single instalment of a
   bullet loan is secured in its last 31 days only: before that, money that comes in lowers the principal.)
4. What is above that prepays principal: the scheduled principal of the last instalments falls first, so the term
   shortens. Interest accrued since the last due date stays accrued and falls due with the next instalment.
5. A credit is money of the borrower: it lowers what pays the loan off, but no principal, so interest runs on. On the
   due date it pays what is then due, by rule 2. What it leaves over, because principal was prepaid after it was
   measured and the interest came out lower, prepays principal that day. Nothing stays held past a due date.
6. The pay-off amount of a day is all that is due, the interest accrued and the principal, less the credit. A payment
   of exactly that clears the loan, and the credit with it: the payment meets what is due, the credit the rest in the
   order of payment, the payment what remains. More is refused. Whenever the whole principal is paid, the interest
   accrued to that day is due that day.
7. A charge is payable from its day. It belongs to the oldest instalment in arrears, or else to the current one. No
   credit pays it before the due date of its instalment.
8. A charge-off ends accrual and moves all that is owed, with the interest to that day, to the charged-off claim. A
   credit pays first: what is due, then the current instalment with the interest accrued, then principal. The same goes
   for a settlement; at a cancellation the credit pays principal before all else. Nothing is held on a closed loan.
"""

from datetime import date

from registry.domain.accrual import NEVER, Accrual
from registry.domain.agreement import AgreementTerms
from registry.domain.allocation import (
    FEE,
    INTEREST,
    PENALTY,
    PRINCIPAL,
    Allocation,
    Component,
    Parts,
    copied,
    pay_row,
    positions,
    take_from_last,
)
from registry.domain.charged_off_claim import ChargedOffClaim
from registry.domain.events import Cancelled, ChargedOff, Disbursed, FeeCharged, LoanEvent, Recovered, Repaid, Settled
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
from registry.domain.schedule import Instalment

CREDIT_DAYS_MAX = 31


class Position:
    """Balances and accrual of one loan at `rolled_to`; `due_count` instalments have fallen due by then.

    `left` and `paid` hold amounts by component, then by instalment (0 is the first). `left` of an instalment that has
    not fallen due holds its scheduled principal and its charges only. What the borrower paid is the sum of `received`
    and `credit_minor`; a credit is always less than what would clear the loan.
    """

    __slots__ = (
        "_order", "_tail", "accrual", "allocations", "charged_on", "claim", "credit_minor", "disbursed_on", "due",
        "due_count", "due_on", "first_open", "left", "paid", "principal_minor", "received", "rolled_to", "status",
        "terms",
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
        self.claim = ChargedOffClaim()
        self.charged_on: dict[int, date] = {}
        self.allocations: dict[int, Allocation] = {}
        self.principal_minor = 0
        self.credit_minor = 0
        self.due_count = 0
        self.first_open = 0
        self.rolled_to = terms.disbursed_on
        self.accrual = Accrual(terms, self.due_on)
        self._tail = count - 1
        self._order = positions(terms.allocation_order)

    def copy(self) -> "Position":
        """An independent position to look ahead with; it shares the allocations, so nothing is booked on it."""
        other = object.__new__(Position)
        for name in Position.__slots__:
            setattr(other, name, getattr(self, name))
        other.left = copied(self.left)
        other.paid = copied(self.paid)
        other.due = self.due[:]
        other.received = self.received[:]
        other.claim = self.claim.copy()
        other.charged_on = dict(self.charged_on)
        other.accrual = self.accrual.copy()
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
        accrual = self.accrual
        while accrual.next_due <= to and accrual.next_due != NEVER:
            self._fall_due()
        if self.principal_minor:
            accrual.run(self.principal_minor, to)
        self.rolled_to = to

    # What is owed

    def due_minor(self) -> int:
        """What is payable now."""
        due = self.due
        return due[PRINCIPAL] + due[INTEREST] + due[FEE] + due[PENALTY]

    def accrued_minor(self) -> int:
        """The interest accrued since the last due date, rounded."""
        return self.accrual.earned_minor()

    def payoff_minor(self) -> int:
        """What clears the loan now, beside the credit held; of a charged-off loan, what is left of the claim."""
        if self.status is LoanStatus.CHARGED_OFF:
            return self.claim.left_minor
        if self.status is not LoanStatus.ACTIVE:
            return 0
        undue = self.principal_minor - self.due[PRINCIPAL]
        return self.due_minor() + self.accrued_minor() + undue - self.credit_minor

    def interest_ahead(self, row: int, balance_minor: int) -> int:
        """The interest instalment `row` will bear if the principal before it is `balance_minor`."""
        if not self.disbursed_on or self.status is not LoanStatus.ACTIVE:
            return 0
        if row == self.due_count:
            return self.accrual.by_due_date_minor(self.principal_minor)
        return self.accrual.of_period_minor(row, balance_minor)

    def next_asks_minor(self) -> int:
        """What the next instalment will ask on its due date, as things stand; the credit held is not counted."""
        row, left = self.due_count, self.left
        if row >= len(self.due_on) or not self.principal_minor:
            return 0
        asks = left[PRINCIPAL][row] + left[FEE][row] + left[PENALTY][row] + self.terms.instalment_fee_minor
        return asks + self.accrual.by_due_date_minor(self.principal_minor)

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
        self.accrual.begin(event.on)

    def _repay(self, event: Repaid) -> Allocation:
        amount = self._positive(event.amount_minor)
        self.roll(event.on)
        payoff = self.payoff_minor()
        if amount > payoff:
            raise RepaymentExceedsOutstanding(self._money(payoff), self._money(amount))
        if amount == payoff:
            taken, held = self._pay_off(amount), 0
        else:
            taken = [0, 0, 0, 0]
            self._pay_due(min(amount, self.due_minor()), taken)
            held = self._pay_ahead(amount - sum(taken), taken)
        return Allocation(taken[PRINCIPAL], taken[INTEREST], taken[FEE], taken[PENALTY], held)

    def _pay_ahead(self, amount: int, taken: list[int]) -> int:
        """Book what was not due; returns the part of it that is held for the next instalment."""
        held = 0
        if self.principal_minor:
            if amount and self._is_next_near():
                held = min(amount, max(self.next_asks_minor() - self.credit_minor, 0))
                self.credit_minor += held
            prepaid = min(amount - held, self.principal_minor)
            self._prepay(prepaid, taken)
            if self.principal_minor:
                return held
            amount -= held + prepaid
        if taken[PRINCIPAL]:
            self._bring_forward()
        self._pay_due(amount, taken)
        return held

    def _is_next_near(self) -> bool:
        """Whether a credit is held for the next instalment: not for the single one of a bullet loan far ahead."""
        return len(self.due_on) > 1 or (self.due_on[0] - self.rolled_to).days <= CREDIT_DAYS_MAX

    def _pay_off(self, amount: int) -> list[int]:
        """Clear the loan with a payment and the credit held; returns what the payment met."""
        taken, rest, credit = [0, 0, 0, 0], [0, 0, 0, 0], self.credit_minor
        self.credit_minor = 0
        self._pay_due(min(amount, self.due_minor()), taken)
        self._pay_due(self.due_minor(), rest)
        self._prepay(self.principal_minor, rest)
        self._bring_forward()
        self._pay_due(self.due_minor(), rest)
        for component in self._order:
            part = min(credit, rest[component])
            credit -= part
            taken[component] += rest[component] - part
        return taken

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
        self._tail = take_from_last(amount, self.left[PRINCIPAL], self._tail)

    def _fall_due(self) -> None:
        """The current instalment, or a month after the last one, falls due; a credit held for it is applied."""
        row, principal = self.due_count, self.principal_minor
        self.accrual.finish(principal)
        self._interest_due()
        if row < len(self.due_on):
            self.due[PRINCIPAL] += self.left[PRINCIPAL][row]
            fee = self.terms.instalment_fee_minor if principal else 0
            self.left[FEE][row] += fee
            self.due[FEE] += fee
        self._open_period()
        if self.credit_minor:
            self._credit_due()
            self._prepay(self.credit_minor, [0, 0, 0, 0])
            self.credit_minor = 0

    def _bring_forward(self) -> None:
        """The principal is gone: what has accrued falls due today."""
        if self.accrual.minor_days:
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
        self.due_count += 1
        self.accrual.open(self.due_count, owing=self.principal_minor > 0)

    def _credit_due(self) -> None:
        """Pay what is due from the credit, as far as it goes."""
        part = min(self.credit_minor, self.due_minor())
        self._pay_due(part, [0, 0, 0, 0])
        self.credit_minor -= part

    def _spend_credit(self) -> None:
        """Use the credit up on a loan that ends: what is due, the current instalment to this day, other principal."""
        if not self.credit_minor:
            return
        self._credit_due()
        self._interest_due()
        self.accrual.end()
        taken = [0, 0, 0, 0]
        rest = pay_row(self.credit_minor, self.due_count, self.left, self.paid, self._order, taken)
        self.due[INTEREST] -= taken[INTEREST]
        self.received[INTEREST] += taken[INTEREST]
        self.received[PRINCIPAL] += taken[PRINCIPAL]
        self.principal_minor -= taken[PRINCIPAL]
        self._prepay(rest, taken)
        self.credit_minor = 0

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
        self._spend_credit()
        due = self.due
        interest = due[INTEREST] + self.accrued_minor()
        self.claim = ChargedOffClaim(self.principal_minor, interest, due[FEE], due[PENALTY])
        self._stop(LoanStatus.CHARGED_OFF)

    def _recover(self, event: Recovered) -> Allocation:
        amount = self._positive(event.amount_minor)
        left = self.claim.left_minor
        if amount > left:
            raise RecoveryExceedsChargedOff(self._money(left), self._money(amount))
        self.rolled_to = event.on
        return self.claim.recover(amount, self._order)

    def _close(self, event: Settled | Cancelled, status: LoanStatus) -> None:
        self.roll(event.on)
        if isinstance(event, Cancelled):
            back = min(self.credit_minor, self.principal_minor)
            self.credit_minor -= back
            self._prepay(back, [0, 0, 0, 0])
            owed = self.principal_minor
        else:
            owed = self.payoff_minor() - event.waived_minor
        if self.status is LoanStatus.ACTIVE and owed:
            raise BalanceOutstanding(event.kind, self._money(owed), event.on)
        self._spend_credit()
        self._stop(status)
        self.rolled_to = event.on

    def _stop(self, status: LoanStatus) -> None:
        """End accrual: nothing is due any more on the loan itself."""
        self.status = status
        self.principal_minor = 0
        self.due = [0, 0, 0, 0]
        self.accrual.end()

    def _owes(self, row: int) -> bool:
        return any(component[row] for component in self.left)

    def _positive(self, amount_minor: int) -> int:
        if amount_minor <= 0:
            raise AmountInvalid(str(self._money(amount_minor)), "it must be positive")
        return amount_minor

    def _money(self, minor: int) -> Money:
        return Money(minor, self.terms.currency)
