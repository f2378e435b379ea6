"""How the relay batches, paces and retries."""

from dataclasses import dataclass, field

from chain.finality import FinalityKind, FinalityRule


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """All waits in seconds; `gas_max` per transaction stays below the cap of EIP-7825 (16,777,216).

    `transactions_in_flight_max` counts a lender's transactions that are signed and not mined yet.
    """

    records_per_transaction: int = 400
    gas_max: int = 16_000_000
    transactions_in_flight_max: int = 4
    finality: FinalityRule = field(default_factory=lambda: FinalityRule(FinalityKind.DEPTH, 12))
    poll_seconds: float = 0.1  # between passes while something is under way
    idle_seconds: float = 1.0  # between passes while nothing is
    backoff_seconds: float = 1.0  # after the first failure; doubles with each further one
    backoff_seconds_max: float = 60.0
    resend_seconds: float = 30.0  # a transaction the node knows and does not mine is sent again after this

    def backoff(self, attempts: int) -> float:
        """The wait after the `attempts`-th failure in a row (from 1)."""
        return float(min(self.backoff_seconds * 2 ** min(attempts - 1, 30), self.backoff_seconds_max))
