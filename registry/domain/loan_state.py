"""What is true of a loan on a day: balances, instalments paid and due, and what follows if nothing more happens."""

from dataclasses import dataclass, field
from datetime import date

from registry.domain.agreement import AgreementTerms
from registry.domain.allocation import FEE, INTEREST, PENALTY, PRINCIPAL, take_from_last
from registry.domain.kinds import LoanStatus
from registry.domain.money import Money
from registry.domain.position import Position
from registry.domain.refusals import DateBeforeState


@dataclass(frozen=True, slots=True)
class InstalmentState:
    """One instalment as it stands; amounts in minor units, each the sum of what is paid and what is left.

    For an instalment that has not fallen due (`is_due` false) interest and fee are what they will be if everything
    until then is paid on its day. Prepayments have already lowered the principal of the last instalments, and so has
    what the credit will leave over. `paid_minor` of the next instalment counts the credit held for it, as far as it
    goes, so that `unpaid_minor` is what the borrower still has to bring by its due date.
    """

    number: int
    due_on: date
    is_due: bool
    principal_minor: int
    interest_minor: int
    fees_minor: int
    penalty_minor: int
    paid_minor: int
    outstanding_after_minor: int

    @property
    def total_minor(self) -> int:
        return self.principal_minor + self.interest_minor + self.fees_minor + self.penalty_minor

    @property
    def unpaid_minor(self) -> int:
        return self.total_minor - self.paid_minor


@dataclass(frozen=True, slots=True)
class LoanState:
    """A loan on `as_of`: the day of its last event that counts, or the later day that was asked for.

    `interest_due_minor`, `fees_due_minor` and `penalty_due_minor` are payable now; `minor_days` is the accrual since
    the last due date (principal in minor units × days). `credit_minor` is money held for the next instalment and in
    none of the paid amounts; with them it makes up all that was repaid. `charged_off_minor` is the claim written off.
    """

    terms: AgreementTerms
    status: LoanStatus
    as_of: date
    disbursed_on: date | None
    principal_outstanding_minor: int
    principal_due_minor: int
    interest_due_minor: int
    fees_due_minor: int
    penalty_due_minor: int
    minor_days: int
    principal_paid_minor: int
    interest_paid_minor: int
    fees_paid_minor: int
    penalty_paid_minor: int
    credit_minor: int
    charged_off_minor: int
    charged_off_principal_minor: int
    recovered_minor: int
    next_unpaid_due_on: date | None
    instalments: tuple[InstalmentState, ...]
    _position: Position = field(repr=False, compare=False)

    @property
    def due_minor(self) -> int:
        """What is payable now, in minor units."""
        return self.principal_due_minor + self.interest_due_minor + self.fees_due_minor + self.penalty_due_minor

    def payoff(self, as_of: date) -> Money:
        """What clears the loan on a day: penalty, fees, interest to it, principal, less credit; or the claim left."""
        return Money(self._on(as_of).payoff_minor(), self.terms.currency)

    def outstanding(self, as_of: date) -> Money:
        """The principal outstanding on a day; nothing before the payout, nor once charged off or closed."""
        return Money(self._on(as_of).principal_minor, self.terms.currency)

    def days_past_due(self, as_of: date) -> int:
        """Calendar days since the oldest unpaid due date; 0 when nothing due is unpaid or the loan is closed.

        An instalment that the credit held pays in full on its due date is not unpaid.
        """
        self._on_or_after(as_of)
        return days_past_due(self._position, as_of)

    def _on(self, as_of: date) -> Position:
        self._on_or_after(as_of)
        return rolled(self._position, as_of)

    def _on_or_after(self, as_of: date) -> None:
        if as_of < self.as_of:
            raise DateBeforeState(self.as_of, as_of)


def rolled(position: Position, as_of: date) -> Position:
    """The position on a later day, in a copy unless it is there already."""
    if position.status is not LoanStatus.ACTIVE or as_of <= position.rolled_to:
        return position
    ahead = position.copy()
    ahead.roll(as_of)
    return ahead


def days_past_due(position: Position, as_of: date) -> int:
    """Days past due on a day not before the position's."""
    if position.status not in {LoanStatus.ACTIVE, LoanStatus.CHARGED_OFF}:
        return 0
    row = position.oldest_unpaid()
    if row is None and position.accrual.next_due <= as_of:
        position = rolled(position, as_of)
        row = position.oldest_unpaid()
    return 0 if row is None else max(0, (as_of - position.unpaid_since(row)).days)


def next_unpaid_due_on(position: Position) -> date | None:
    """The due date of the first instalment that is not fully paid; None when there is none or nothing is owed.

    The next instalment counts as paid when the credit held is all that it will ask.
    """
    if position.status not in {LoanStatus.ACTIVE, LoanStatus.CHARGED_OFF}:
        return None
    row = position.oldest_unpaid()
    if row is not None:
        return position.unpaid_since(row)
    accrues = bool(position.terms.annual_rate or position.terms.instalment_fee_minor)
    credit = position.credit_minor
    secured = bool(credit) and credit >= position.next_asks_minor()
    for ahead in range(position.due_count + secured, len(position.due_on)):
        charged = position.left[FEE][ahead] or position.left[PENALTY][ahead]
        if position.left[PRINCIPAL][ahead] or charged or (accrues and position.principal_minor):
            return position.due_on[ahead]
    return None


def snapshot(position: Position, as_of: date | None = None) -> LoanState:
    """The state a position describes, on its own day or a later one."""
    position = rolled(position.copy(), as_of or position.rolled_to)
    due, received = position.due, position.received
    return LoanState(
        terms=position.terms,
        status=position.status,
        as_of=as_of or position.rolled_to,
        disbursed_on=position.disbursed_on,
        principal_outstanding_minor=position.principal_minor,
        principal_due_minor=due[PRINCIPAL],
        interest_due_minor=due[INTEREST],
        fees_due_minor=due[FEE],
        penalty_due_minor=due[PENALTY],
        minor_days=position.accrual.minor_days,
        principal_paid_minor=received[PRINCIPAL],
        interest_paid_minor=received[INTEREST],
        fees_paid_minor=received[FEE],
        penalty_paid_minor=received[PENALTY],
        credit_minor=position.credit_minor,
        charged_off_minor=sum(position.claim.written_off),
        charged_off_principal_minor=position.claim.written_off[PRINCIPAL],
        recovered_minor=position.claim.recovered_minor,
        next_unpaid_due_on=next_unpaid_due_on(position),
        instalments=_instalments(position),
        _position=position,
    )


def _instalments(position: Position) -> tuple[InstalmentState, ...]:
    left, paid = position.left, position.paid
    owed = [[a + b for a, b in zip(left[part], paid[part], strict=True)] for part in range(4)]
    credit = position.credit_minor
    held = min(credit, position.next_asks_minor()) if credit else 0
    take_from_last(credit - held, owed[PRINCIPAL], len(position.due_on) - 1)
    balance = sum(owed[PRINCIPAL])
    rows = []
    for row, due_on in enumerate(position.due_on):
        is_due = row < position.due_count
        interest, fee = owed[INTEREST][row], owed[FEE][row]
        if not is_due:
            interest += position.interest_ahead(row, balance)
            fee += position.terms.instalment_fee_minor if balance else 0
        balance -= owed[PRINCIPAL][row]
        settled = paid[PRINCIPAL][row] + paid[INTEREST][row] + paid[FEE][row] + paid[PENALTY][row]
        if row == position.due_count:
            settled += held
        rows.append(
            InstalmentState(
                row + 1, due_on, is_due, owed[PRINCIPAL][row], interest, fee, owed[PENALTY][row], settled, balance
            )
        )
    return tuple(rows)
