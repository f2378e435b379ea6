"""The waterfall: how one payment is split over what is owed, one instalment completely before the next.

The default order within an instalment is penalty, fee, interest, principal; the agreement may name another one. (By
law, without agreement: costs of enforcement, interest, principal; Civil Code of China, Art. 561.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from registry.domain.errors import InvalidInput


class Component(StrEnum):
    """What an amount owed consists of."""

    PRINCIPAL = "PRINCIPAL"
    INTEREST = "INTEREST"
    FEE = "FEE"
    PENALTY = "PENALTY"


AllocationOrder = tuple[Component, ...]
Parts = tuple[list[int], list[int], list[int], list[int]]

DEFAULT_ORDER: AllocationOrder = (Component.PENALTY, Component.FEE, Component.INTEREST, Component.PRINCIPAL)

# Positions of the components in `Parts`: amounts by component, then by instalment.
PRINCIPAL, INTEREST, FEE, PENALTY = range(4)
_POSITION = {
    Component.PRINCIPAL: PRINCIPAL,
    Component.INTEREST: INTEREST,
    Component.FEE: FEE,
    Component.PENALTY: PENALTY,
}


@dataclass(eq=False)
class AllocationOrderInvalid(InvalidInput):
    """An order of payment that does not name each component exactly once."""

    given: AllocationOrder
    code: ClassVar[str] = "ALLOCATION_ORDER_INVALID"

    def __str__(self) -> str:
        named = ", ".join(self.given)
        return f"Order of payment ({named}) must name PRINCIPAL, INTEREST, FEE and PENALTY once each."


@dataclass(frozen=True, slots=True)
class Allocation:
    """How one payment was split, in minor units; the five parts always add up to the payment.

    Of a repayment, `unallocated_minor` is held as a credit for the next instalment.
    """

    principal_minor: int = 0
    interest_minor: int = 0
    fees_minor: int = 0
    penalty_minor: int = 0
    unallocated_minor: int = 0

    @property
    def total_minor(self) -> int:
        return (
            self.principal_minor + self.interest_minor + self.fees_minor + self.penalty_minor + self.unallocated_minor
        )


@dataclass(frozen=True, slots=True)
class Owed:
    """What is due and unpaid of one instalment, in minor units."""

    principal_minor: int = 0
    interest_minor: int = 0
    fees_minor: int = 0
    penalty_minor: int = 0


def positions(order: AllocationOrder) -> tuple[int, ...]:
    """The order as positions in `Parts`; refused unless it names every component once."""
    if len(order) != len(_POSITION) or set(order) != set(_POSITION):
        raise AllocationOrderInvalid(order)
    return tuple(_POSITION[component] for component in order)


def allocate(amount_minor: int, owed: Sequence[Owed], order: AllocationOrder = DEFAULT_ORDER) -> Allocation:
    """Split a payment over instalments given oldest first; what nothing is owed for stays unallocated."""
    left: Parts = (
        [row.principal_minor for row in owed],
        [row.interest_minor for row in owed],
        [row.fees_minor for row in owed],
        [row.penalty_minor for row in owed],
    )
    taken = [0, 0, 0, 0]
    paid: Parts = tuple([0] * len(owed) for _ in range(4))  # type: ignore[assignment]
    rest = amount_minor
    for row in range(len(owed)):
        rest = pay_row(rest, row, left, paid, positions(order), taken)
    return Allocation(taken[PRINCIPAL], taken[INTEREST], taken[FEE], taken[PENALTY], rest)


def pay_row(amount_minor: int, row: int, left: Parts, paid: Parts, order: tuple[int, ...], taken: list[int]) -> int:
    """Pay one instalment in `order`, in place: `left` falls, `paid` and `taken` rise; returns what remains."""
    for component in order:
        owed = left[component][row]
        if not owed:
            continue
        if owed > amount_minor:
            left[component][row] = owed - amount_minor
            paid[component][row] += amount_minor
            taken[component] += amount_minor
            return 0
        left[component][row] = 0
        paid[component][row] += owed
        taken[component] += owed
        amount_minor -= owed
    return amount_minor


def take_from_last(amount_minor: int, amounts: list[int], row: int) -> int:
    """Lower the amounts from `row` backwards, in place; returns the row that was reached."""
    while amount_minor:
        part = min(amount_minor, amounts[row])
        amounts[row] -= part
        amount_minor -= part
        row -= bool(amount_minor)
    return row


def copied(parts: Parts) -> Parts:
    return (parts[0][:], parts[1][:], parts[2][:], parts[3][:])
