"""What the relay meets that somebody should look at; it goes on working, and says so."""

from dataclasses import dataclass
from typing import ClassVar

from registry.domain.errors import RegistryError


@dataclass(eq=False)
class NonceUsedByAnother(RegistryError):
    """A nonce we signed for was used by a transaction that was not made here: somebody else holds the key."""

    lender_id: int
    account: bytes
    nonce: int
    transaction_hash: bytes
    code: ClassVar[str] = "NONCE_USED_BY_ANOTHER"

    def __str__(self) -> str:
        return (
            f"Nonce {self.nonce} of lender {self.lender_id}'s account 0x{self.account.hex()} was used by a transaction "
            f"other than 0x{self.transaction_hash.hex()}. Its records are sent anew; find out who else holds the key."
        )


@dataclass(eq=False)
class ChainWentBackwards(RegistryError):
    """The chain has lost transactions that were final; the stored bytes are sent again."""

    lender_id: int
    account: bytes
    first_nonce: int
    last_nonce: int
    code: ClassVar[str] = "CHAIN_WENT_BACKWARDS"

    def __str__(self) -> str:
        return (
            f"The chain no longer holds final transactions of lender {self.lender_id} (account 0x{self.account.hex()}, "
            f"nonces {self.first_nonce} to {self.last_nonce}). They are sent again; find out why the chain was rewound."
        )


@dataclass(eq=False)
class LenderHeld(RegistryError):
    """The contract takes nothing from the lender at present."""

    lender_id: int
    reason: str
    code: ClassVar[str] = "LENDER_HELD"
    retryable: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"The contract takes no writes of lender {self.lender_id} now: {self.reason}. They wait and are retried."


@dataclass(eq=False)
class SendingFailed(RegistryError):
    """The node does not take a signed transaction."""

    lender_id: int
    nonce: int
    reason: str
    code: ClassVar[str] = "SENDING_FAILED"
    retryable: ClassVar[bool] = True

    def __str__(self) -> str:
        return (
            f"The node did not take transaction {self.nonce} of lender {self.lender_id} ({self.reason}); it is sent "
            "again later. Fund the account if it lacks the means to pay for gas."
        )
