"""Why the contract refused a call: its custom errors, decoded from the revert bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from eth_abi.exceptions import DecodingError

from chain import abi
from chain.rpc import CallFailed
from registry.domain.errors import RuleRefused

# These concern the lender or the registry as a whole: no record of the batch is to blame.
OF_THE_LENDER = frozenset({"NotALender", "LenderNotActive", "RegistryPaused"})
UNKNOWN = "Unknown"


@dataclass(eq=False)
class ContractRefusal(RuleRefused):
    """A call reverted; `arguments` are the values the contract's error carries, by name.

    An error the contract does not declare has the name `Unknown` and its bytes, or the node's words, as argument.
    """

    name: str
    arguments: Mapping[str, int | bytes | str]
    code: ClassVar[str] = "CONTRACT_REFUSED"

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={_shown(value)}" for name, value in self.arguments.items())
        return f"{self.name}({shown})"

    @property
    def loan_key(self) -> bytes | None:
        """The loan the error names, if it names one."""
        value = self.arguments.get("loanKey")
        return value if isinstance(value, bytes) else None

    @classmethod
    def decode(cls, revert: bytes) -> Self:
        """The error in revert bytes; what cannot be decoded stays hexadecimal."""
        entry = abi.errors_by_selector().get(revert[:4])
        if entry is None:
            return cls(UNKNOWN, {"data": revert})
        names = [argument["name"] for argument in entry["inputs"]]
        try:
            values = abi.decode_values([argument["type"] for argument in entry["inputs"]], revert[4:])
        except DecodingError:
            return cls(UNKNOWN, {"data": revert})
        return cls(entry["name"], dict(zip(names, values, strict=True)))

    @classmethod
    def of(cls, failure: CallFailed) -> Self:
        """The refusal behind a failed call; without revert bytes the node's own words are kept."""
        if failure.data:
            return cls.decode(failure.data)
        return cls(UNKNOWN, {"reason": failure.reason[:200]})


def _shown(value: Any) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
