"""What the ledger refuses to book, as facts."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from registry.domain.allocation import Component
from registry.domain.errors import InvalidInput, RuleRefused
from registry.domain.kinds import LoanStatus, RecordKind
from registry.domain.money import Money


@dataclass(eq=False)
class RepaymentExceedsOutstanding(RuleRefused):
    """A repayment is above the pay-off amount of its day."""

    outstanding: Money
    given: Money
    code: ClassVar[str] = "REPAYMENT_EXCEEDS_OUTSTANDING"

    def __str__(self) -> str:
        return f"A repayment of {self.given} is above the {self.outstanding} that pays the loan off; give at most that."


@dataclass(eq=False)
class LoanNotDisbursed(RuleRefused):
    """Money or a charge was booked on a loan that has not been paid out by that day."""

    kind: RecordKind
    on: date
    code: ClassVar[str] = "LOAN_NOT_DISBURSED"

    def __str__(self) -> str:
        return f"A {self.kind.name} record on {self.on} precedes the payout; book the disbursement first."


@dataclass(eq=False)
class RecoveryExpected(RuleRefused):
    """A repayment was booked on a charged-off loan."""

    on: date
    code: ClassVar[str] = "RECOVERY_EXPECTED"

    def __str__(self) -> str:
        return f"The loan is charged off on {self.on}; book the money as a recovery, or reopen the loan."


@dataclass(eq=False)
class RecoveryExceedsChargedOff(RuleRefused):
    """A recovery is above what is left of the charged-off claim."""

    left: Money
    given: Money
    code: ClassVar[str] = "RECOVERY_EXCEEDS_CHARGED_OFF"

    def __str__(self) -> str:
        return f"A recovery of {self.given} is above the {self.left} left of the charged-off claim."


@dataclass(eq=False)
class LoanClosed(RuleRefused):
    """A record was booked on a settled or cancelled loan."""

    status: LoanStatus
    kind: RecordKind
    code: ClassVar[str] = "LOAN_CLOSED"

    def __str__(self) -> str:
        how = "reopen it first" if self.status is LoanStatus.SETTLED else "a cancelled loan stays closed"
        return f"The loan is {self.status.name}: a {self.kind.name} record cannot be added; {how}."


@dataclass(eq=False)
class BalanceOutstanding(RuleRefused):
    """A loan was to be closed although something is still owed."""

    kind: RecordKind
    outstanding: Money
    on: date
    code: ClassVar[str] = "BALANCE_OUTSTANDING"

    def __str__(self) -> str:
        return f"{self.outstanding} is owed on {self.on}; a {self.kind.name} record needs that paid first."


@dataclass(eq=False)
class DisbursementMismatch(RuleRefused):
    """The payout is not the amount or not in the time that the agreement says."""

    expected: Money
    given: Money
    on: date
    first_due_on: date
    code: ClassVar[str] = "DISBURSEMENT_MISMATCH"

    def __str__(self) -> str:
        return (
            f"The agreement pays out {self.expected} once, before {self.first_due_on}; "
            f"{self.given} on {self.on} is something else."
        )


@dataclass(eq=False)
class SequenceNotRising(RuleRefused):
    """An event does not follow the ones already booked."""

    last: int
    given: int
    code: ClassVar[str] = "SEQUENCE_NOT_RISING"

    def __str__(self) -> str:
        return f"Sequence {self.given} does not follow {self.last}; events are booked in rising sequence."


@dataclass(eq=False)
class ReversalTargetInvalid(RuleRefused):
    """A reversal names a record that is missing, was reversed before, or is of a kind that is not reversed."""

    reverses: int
    why: str
    code: ClassVar[str] = "REVERSAL_TARGET_INVALID"

    def __str__(self) -> str:
        return f"Record {self.reverses} cannot be reversed: {self.why}."


@dataclass(eq=False)
class ChargeComponentInvalid(InvalidInput):
    """A charge is neither a fee nor a penalty."""

    given: Component
    code: ClassVar[str] = "CHARGE_COMPONENT_INVALID"

    def __str__(self) -> str:
        return f"A charge cannot be {self.given.value}; it is a FEE or a PENALTY."


@dataclass(eq=False)
class DateBeforeState(InvalidInput):
    """A state was asked about a day before the one it describes."""

    state_on: date
    given: date
    code: ClassVar[str] = "DATE_BEFORE_STATE"

    def __str__(self) -> str:
        return f"This state describes {self.state_on} and later; for {self.given} take the ledger's state of that day."
