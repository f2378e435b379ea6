"""When a block is final: a rule chosen by configuration, the same for the relay, the indexer and evidence."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self

from registry.domain.errors import InvalidInput


class FinalityKind(StrEnum):
    """Which rule says that a block can no longer be replaced."""

    IMMEDIATE = "immediate"  # every block, as under QBFT
    DEPTH = "depth"  # a block with `depth` blocks above it
    FINALIZED = "finalized"  # the node's own `finalized` tag


@dataclass(eq=False)
class FinalityRuleInvalid(InvalidInput):
    """The finality rule in the settings is not one of the known ones."""

    given: str
    code: ClassVar[str] = "FINALITY_RULE_INVALID"

    def __str__(self) -> str:
        return f"Finality rule {self.given!r} is not known; write `immediate`, `depth 12` or `finalized`."


@dataclass(frozen=True, slots=True)
class FinalityRule:
    """The rule; `depth` counts the blocks that must stand above a final one and is 0 for the other kinds."""

    kind: FinalityKind
    depth: int = 0

    def __post_init__(self) -> None:
        if self.depth < 0 or (self.depth > 0) != (self.kind is FinalityKind.DEPTH):
            raise FinalityRuleInvalid(str(self))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The rule as written in the settings: `immediate`, `depth 12`, `finalized`."""
        kind, _, depth = text.strip().partition(" ")
        try:
            return cls(FinalityKind(kind), int(depth or 0))
        except ValueError:
            raise FinalityRuleInvalid(text) from None

    def __str__(self) -> str:
        return f"{self.kind} {self.depth}" if self.kind is FinalityKind.DEPTH else str(self.kind)

    def final_number(self, head_number: int, tagged_number: int | None = None) -> int:
        """The highest final block under a head; `tagged_number` is the node's `finalized` block where the rule asks."""
        if self.kind is FinalityKind.FINALIZED:
            return tagged_number or 0
        return max(0, head_number - self.depth)
