"""What every part of the relay works with."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from chain.contract import LoanRegistryContract
from chain.relay_settings import RelaySettings
from chain.rpc import Rpc
from chain.signer import KeyRing
from registry.domain.chain_binding import ChainBinding
from registry.ports import Clock


@dataclass(frozen=True, slots=True)
class RelayContext:
    """Database, node, contract, keys, settings and clock of one relay."""

    engine: Engine
    rpc: Rpc
    binding: ChainBinding
    contract: LoanRegistryContract
    keyring: KeyRing
    settings: RelaySettings
    clock: Clock

    def now(self) -> datetime:
        return self.clock.now()

    def retry_at(self, attempts: int) -> datetime:
        """When to try again after the `attempts`-th failure in a row."""
        return self.now() + timedelta(seconds=self.settings.backoff(attempts))
