"""The compiled contracts as committed: ABI, code and what they were compiled from. Needs no compiler."""

from dataclasses import dataclass
from importlib.resources import files
from typing import Any, ClassVar, Self

import orjson

from registry.domain.errors import NotFound


@dataclass(eq=False)
class ArtifactMissing(NotFound):
    """No compiled contract of that name is committed."""

    name: str
    code: ClassVar[str] = "ARTIFACT_MISSING"

    def __str__(self) -> str:
        return f"There is no artifact for contract {self.name}; run `python -m chain.compile`."


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract.

    `code_hash` is keccak256 of the runtime code: what EXTCODEHASH and eth_getProof report for every deployment,
    because the contracts have no immutables. `loans_slot` is the storage slot of the mapping of loans.
    """

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes
    deployed_bytecode: bytes
    code_hash: bytes
    loans_slot: int
    compiler: str
    settings: dict[str, Any]
    source_hash: bytes

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        fields = orjson.loads(body)
        return cls(
            name=fields["name"],
            abi=tuple(fields["abi"]),
            bytecode=bytes.fromhex(fields["bytecode"][2:]),
            deployed_bytecode=bytes.fromhex(fields["deployedBytecode"][2:]),
            code_hash=bytes.fromhex(fields["codeHash"][2:]),
            loans_slot=fields["loansSlot"],
            compiler=fields["compiler"],
            settings=fields["settings"],
            source_hash=bytes.fromhex(fields["sourceHash"]),
        )

    def to_json(self) -> bytes:
        fields = {
            "name": self.name,
            "compiler": self.compiler,
            "settings": self.settings,
            "sourceHash": self.source_hash.hex(),
            "codeHash": "0x" + self.code_hash.hex(),
            "codeHashNote": "keccak256 of deployedBytecode; no immutables, so every deployment has this code hash",
            "loansSlot": self.loans_slot,
            "abi": list(self.abi),
            "bytecode": "0x" + self.bytecode.hex(),
            "deployedBytecode": "0x" + self.deployed_bytecode.hex(),
        }
        return orjson.dumps(fields, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def load_artifact(name: str = "LoanRegistry") -> Artifact:
    file = files(__name__) / f"{name}.json"
    if not file.is_file():
        raise ArtifactMissing(name)
    return Artifact.from_json(file.read_bytes())
