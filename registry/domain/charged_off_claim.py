"""What a charge-off leaves to collect: the claim written off, and what is recovered of it."""

from registry.domain.allocation import FEE, INTEREST, PENALTY, PRINCIPAL, Allocation


class ChargedOffClaim:
    """The claim by component in minor units: as it was written off, and what is left of it. Nothing accrues on it."""

    __slots__ = ("left", "recovered_minor", "written_off")

    def __init__(self, principal: int = 0, interest: int = 0, fees: int = 0, penalty: int = 0) -> None:
        self.written_off = (principal, interest, fees, penalty)
        self.left = list(self.written_off)
        self.recovered_minor = 0

    def copy(self) -> "ChargedOffClaim":
        other = ChargedOffClaim(*self.written_off)
        other.left = self.left[:]
        other.recovered_minor = self.recovered_minor
        return other

    @property
    def left_minor(self) -> int:
        return sum(self.left)

    def recover(self, amount_minor: int, order: tuple[int, ...]) -> Allocation:
        """Take what came in off the claim, at most what is left, in the order of payment."""
        taken = [0, 0, 0, 0]
        rest = amount_minor
        for component in order:
            taken[component] = min(rest, self.left[component])
            self.left[component] -= taken[component]
            rest -= taken[component]
        self.recovered_minor += amount_minor - rest
        return Allocation(taken[PRINCIPAL], taken[INTEREST], taken[FEE], taken[PENALTY], rest)
