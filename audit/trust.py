"""Trust settings: which chain, contract and block a verifier believes in; they never come from the evidence itself."""

import tomllib
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from audit import bounded_json
from registry.domain.chain_binding import ChainBinding
from registry.domain.errors import WrongChain

_LENGTHS = {"genesis_hash": 32, "contract": 20, "code_hash": 32, "block_hash": 32}
_REQUIRED = ("chain_id", "genesis_hash", "contract", "code_hash")
_OPTIONAL = ("block_hash", "block_number")


@dataclass(eq=False)
class TrustInvalid(WrongChain):
    """The trust settings cannot be read as what they have to be."""

    reason: str
    code: ClassVar[str] = "TRUST_INVALID"

    def __str__(self) -> str:
        return (
            f"The trust settings cannot be used: {self.reason}. Give {', '.join(_REQUIRED)}, block_hash and, "
            "if you like, block_number, as TOML or JSON, from a source other than the evidence."
        )


@dataclass(frozen=True, slots=True)
class Trust:
    """What is believed; without `block_hash` a node has to vouch for the block."""

    chain_id: int
    genesis_hash: bytes
    contract: bytes
    code_hash: bytes
    block_hash: bytes | None = None
    block_number: int | None = None

    @classmethod
    def of(cls, binding: ChainBinding, block_hash: bytes | None = None, block_number: int | None = None) -> Self:
        """Trust in the chain and contract a registry is bound to."""
        return cls(
            binding.chain_id, binding.genesis_hash, binding.contract, binding.code_hash, block_hash, block_number
        )

    def as_settings(self) -> dict[str, str | int]:
        """The settings as they stand in a trust file; `read_trust` gives the same trust back."""
        given = {name: getattr(self, name) for name in (*_REQUIRED, *_OPTIONAL)}
        return {
            name: f"0x{value.hex()}" if isinstance(value, bytes) else value
            for name, value in given.items()
            if value is not None
        }


def read_trust(data: bytes) -> Trust:
    """The settings in a TOML or JSON file, or `TrustInvalid`."""
    try:
        text = data.decode()
        settings: Any = bounded_json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (ValueError, RecursionError) as fault:
        raise TrustInvalid(f"the file is neither TOML nor JSON ({fault})") from None
    for name in _REQUIRED:
        if name not in settings:
            raise TrustInvalid(f"{name} is missing")
    for name in settings:
        if name not in (*_REQUIRED, *_OPTIONAL):
            raise TrustInvalid(f"{name!r} is not a setting")
    return Trust(**{name: _setting(name, value) for name, value in settings.items()})


def _setting(name: str, value: Any) -> Any:
    if name not in _LENGTHS:
        if type(value) is not int or value < 0:
            raise TrustInvalid(f"{name} must be a whole number")
        return value
    length = _LENGTHS[name]
    if not isinstance(value, str) or not value.startswith("0x") or len(value) != 2 + 2 * length:
        raise TrustInvalid(f"{name} must be 0x and {2 * length} hex digits")
    try:
        return bytes.fromhex(value[2:])
    except ValueError:
        raise TrustInvalid(f"{name} must be 0x and {2 * length} hex digits") from None
