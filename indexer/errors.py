"""What can make the indexer stop or wait, as facts: each says what was seen and what to do."""

from dataclasses import dataclass
from typing import ClassVar

from registry.domain.errors import RegistryError, Unavailable, WrongChain


@dataclass(eq=False)
class MirrorBoundElsewhere(WrongChain):
    """The mirror in this database was built from another chain or contract."""

    field: str
    mirrored: str
    expected: str
    code: ClassVar[str] = "MIRROR_BOUND_ELSEWHERE"

    def __str__(self) -> str:
        return (
            f"The mirror in this database was built from another {self.field}: {self.mirrored}, not {self.expected}. "
            "Use that registry's own database, or an empty one; two chains are never mixed."
        )


@dataclass(eq=False)
class FinalBlockChanged(RegistryError):
    """The chain contradicts a block that was called final; the mirror is left exactly as it was."""

    number: int
    mirrored: bytes
    found: bytes
    code: ClassVar[str] = "FINAL_BLOCK_CHANGED"
    exit_code: ClassVar[int] = 3

    def __str__(self) -> str:
        return (
            f"Block {self.number} was final as 0x{self.mirrored.hex()}, and the node now has 0x{self.found.hex()}. "
            "Nothing was rewritten. Find out which of the two the other parties hold; if the node is right, the "
            "finality rule was too short for this chain: choose a deeper one and rebuild the mirror from an empty one."
        )


@dataclass(eq=False)
class ChainInconsistent(RegistryError):
    """The logs do not fold into a history that the contract allows, so some are missing, foreign or false."""

    block_number: int
    log_index: int
    reason: str
    code: ClassVar[str] = "CHAIN_INCONSISTENT"
    exit_code: ClassVar[int] = 3

    def __str__(self) -> str:
        return (
            f"Log {self.log_index} of block {self.block_number} cannot be true: {self.reason}. Nothing of its batch "
            "was written. The node withholds or invents logs, or the contract is another one: ask another node."
        )


@dataclass(eq=False)
class ReadTorn(Unavailable):
    """The chain changed between two answers that belong together; reading again gives one state."""

    block_number: int
    reason: str
    code: ClassVar[str] = "READ_TORN"

    def __str__(self) -> str:
        return f"The chain changed while block {self.block_number} was read ({self.reason}); it is read again."


@dataclass(eq=False)
class NodeContradictsItself(Unavailable):
    """Two answers of the node about one block cannot both be true."""

    url: str
    block_number: int
    reason: str
    code: ClassVar[str] = "NODE_CONTRADICTS_ITSELF"

    def __str__(self) -> str:
        return f"The node at {self.url} contradicts itself about block {self.block_number}: {self.reason}. Try another."


@dataclass(eq=False)
class MirrorMoved(Unavailable):
    """Another indexer wrote to this mirror at the same time; this one's batch was taken back."""

    block_number: int
    code: ClassVar[str] = "MIRROR_MOVED"

    def __str__(self) -> str:
        return (
            f"Another indexer moved this mirror on from block {self.block_number}; nothing was written twice. "
            "Run one indexer for each database."
        )


@dataclass(eq=False)
class CatchUpTimedOut(Unavailable):
    """The mirror did not reach the node's head in the time given."""

    block_number: int
    head_number: int
    seconds: float
    code: ClassVar[str] = "CATCH_UP_TIMED_OUT"

    def __str__(self) -> str:
        return (
            f"After {self.seconds:g} s the mirror is at block {self.block_number} and the node at {self.head_number}; "
            "check that the node is in step with the chain, or give it more time."
        )
