"""What a pass of the relay did, in counts, and what it could not do."""

from dataclasses import dataclass, field

from registry.domain.errors import RegistryError


@dataclass
class RelayReport:
    """Counts of one or several passes; `faults` are what somebody should look at."""

    taken: int = 0  # outbox positions seen for the first time
    assigned: int = 0  # items put into transactions
    sent: int = 0  # transactions sent for the first time
    resent: int = 0  # transactions sent again, the same bytes
    mined: int = 0
    reverted: int = 0
    final: int = 0
    returned: int = 0  # items that wait again because their transaction did not settle them
    refused: int = 0
    blocked: int = 0
    readmitted: int = 0  # refused and blocked items that wait again because the refusal is gone
    found: int = 0  # items whose records were on chain already
    voided: int = 0
    under_way: int = 0  # transactions signed and not mined, at the end
    waiting: int = 0  # items waiting for a transaction, at the end
    faults: list[RegistryError] = field(default_factory=list)

    @property
    def moved(self) -> bool:
        """Whether anything changed, so that another pass at once is worth while."""
        return any((self.taken, self.assigned, self.sent, self.mined, self.reverted, self.readmitted, self.found))

    @property
    def is_drained(self) -> bool:
        """Whether nothing is left that this relay could still bring on chain."""
        return not (self.under_way or self.waiting)

    def add(self, later: "RelayReport") -> None:
        """Add the counts of a later pass; what is left at the end is the later one's."""
        for name, value in vars(later).items():
            if name in {"under_way", "waiting"}:
                setattr(self, name, value)
            elif name == "faults":
                self.faults += later.faults
            else:
                setattr(self, name, getattr(self, name) + value)
