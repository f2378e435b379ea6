"""How a fraction of a minor unit is rounded: exact integer division with a named rule, never a float."""

from enum import StrEnum


class Rounding(StrEnum):
    """What happens to a half: `HALF_EVEN` (to the even neighbour) or `HALF_UP` (away from zero)."""

    HALF_EVEN = "HALF_EVEN"
    HALF_UP = "HALF_UP"


def divide(numerator: int, denominator: int, rounding: Rounding) -> int:
    """`numerator / denominator` rounded once to a whole number; both are non-negative, the denominator positive."""
    whole, rest = divmod(numerator, denominator)
    twice = rest + rest
    if twice > denominator:
        return whole + 1
    if twice == denominator and (rounding is Rounding.HALF_UP or whole & 1):
        return whole + 1
    return whole
