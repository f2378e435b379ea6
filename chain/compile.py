"""Compile contracts/src to the committed artifacts, or check that they are fresh: `python -m chain.compile [--check]`.

py-solc-x drives the compiler: a native solc it has or can download, or the npm build of the same version behind
`hardhat-free-devnet/solc.js`. Both give the same bytes.
"""

import argparse
import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

from eth_utils.crypto import keccak

from chain.artifacts import Artifact, ArtifactMissing, load_artifact
from registry.domain.errors import RegistryError, RuleRefused, Unavailable

__all__ = ["Artifact", "ArtifactMissing", "check", "compile_contract", "load_artifact", "main"]

ROOT = Path(__file__).parents[1]
CONTRACTS = ROOT / "contracts"
ARTIFACTS = ROOT / "chain" / "artifacts"
TOOLS = ROOT / "hardhat-free-devnet"

SOLC_VERSION = "0.8.37"
# Cancun: the newest rules that Besu, the rollups and every EVM network in service have. Runs: benchmarks/gas.py.
# No metadata in the code: comments then do not change the code hash that evidence pins.
SETTINGS: dict[str, Any] = {
    "evmVersion": "cancun",
    "optimizer": {"enabled": True, "runs": 200},
    "viaIR": True,
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
}
OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode", "storageLayout"]


@dataclass(eq=False)
class CompilerMissing(Unavailable):
    """No solc of the pinned version is installed and none could be downloaded."""

    version: str
    reason: str
    code: ClassVar[str] = "COMPILER_MISSING"

    def __str__(self) -> str:
        return f"No solc {self.version} ({self.reason}); run `npm ci` in hardhat-free-devnet, or go online."


@dataclass(eq=False)
class SourceRefused(RuleRefused):
    """The compiler refused the sources, or warned: contracts are kept free of warnings."""

    report: str
    code: ClassVar[str] = "SOURCE_REFUSED"

    def __str__(self) -> str:
        return f"solc does not accept contracts/src:\n{self.report}"


@dataclass(eq=False)
class ArtifactStale(RuleRefused):
    """The committed artifact is not what the sources compile to."""

    name: str
    fields: tuple[str, ...]
    code: ClassVar[str] = "ARTIFACT_STALE"

    def __str__(self) -> str:
        return (
            f"chain/artifacts/{self.name}.json is stale: {', '.join(self.fields)} differ from what contracts/src "
            "compiles to; run `python -m chain.compile` and commit the result."
        )


def sources() -> dict[str, str]:
    """Every Solidity source by its path below contracts/, sorted."""
    found = sorted((CONTRACTS / "src").rglob("*.sol"))
    return {file.relative_to(CONTRACTS).as_posix(): file.read_text("utf-8") for file in found}


def source_hash(texts: Mapping[str, str]) -> bytes:
    """SHA-256 over the sorted sources, each as path, zero byte, length (8 bytes, big-endian) and text."""
    digest = hashlib.sha256()
    for path, text in sorted(texts.items()):
        body = text.encode()
        digest.update(path.encode() + b"\0" + len(body).to_bytes(8, "big") + body)
    return digest.digest()


def compile_contract(name: str = "LoanRegistry", settings: Mapping[str, Any] = SETTINGS) -> Artifact:
    """Compile contracts/src and pick one contract of it; `settings` other than the pinned ones are for measuring."""
    import solcx  # noqa: PLC0415  a compiler's driver: nothing that only loads artifacts should need it

    texts = sources()
    answer = solcx.compile_standard(
        {
            "language": "Solidity",
            "sources": {path: {"content": text} for path, text in texts.items()},
            "settings": {**settings, "outputSelection": {"*": {"*": OUTPUTS}}},
        },
        base_path=CONTRACTS,
        solc_binary=_compiler(),
        allow_empty=True,
    )
    if answer.get("errors"):
        raise SourceRefused("\n".join(problem["formattedMessage"] for problem in answer["errors"]))
    return _artifact(name, answer["contracts"][f"src/{name}.sol"][name], dict(settings), source_hash(texts))


def check(name: str = "LoanRegistry") -> Artifact:
    """The committed artifact if it is what the sources compile to, else ArtifactStale.

    Changed sources or settings are seen without a compiler; only if they are the committed ones is compiled again.
    """
    committed = load_artifact(name)
    given = replace(committed, compiler=SOLC_VERSION, settings=SETTINGS, source_hash=source_hash(sources()))
    _require_equal(committed, given)
    _require_equal(committed, compile_contract(name))
    return committed


def _require_equal(committed: Artifact, fresh: Artifact) -> None:
    names = [field.name for field in fields(Artifact)]
    different = tuple(name for name in names if getattr(committed, name) != getattr(fresh, name))
    if different:
        raise ArtifactStale(committed.name, different)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m chain.compile", description="Compile the contracts.")
    parser.add_argument("--check", action="store_true", help="only compare with the committed artifacts")
    asked = parser.parse_args(arguments)
    try:
        if asked.check:
            artifact = check()
        else:
            artifact = compile_contract()
            (ARTIFACTS / f"{artifact.name}.json").write_bytes(artifact.to_json())
    except RegistryError as refusal:
        sys.stderr.write(f"{refusal}\n")
        return refusal.exit_code
    size = len(artifact.deployed_bytecode)
    sys.stdout.write(f"{artifact.name}: {size} bytes, code hash 0x{artifact.code_hash.hex()}, {artifact.compiler}\n")
    return 0


def _compiler() -> Path | None:
    """The wrapped npm build, or None for the native one that py-solc-x then selects by itself."""
    import solcx  # noqa: PLC0415
    from solcx.exceptions import SolcInstallationError, SolcNotInstalled  # noqa: PLC0415

    wrapper = TOOLS / "solc.js"
    if SOLC_VERSION not in {str(version) for version in solcx.get_installed_solc_versions()}:
        if (TOOLS / "node_modules" / "solc").is_dir():
            return wrapper
        try:
            solcx.install_solc(SOLC_VERSION)
        except (OSError, SolcInstallationError, SolcNotInstalled) as failure:
            raise CompilerMissing(SOLC_VERSION, type(failure).__name__) from failure
    solcx.set_solc_version(SOLC_VERSION)
    return None


def _artifact(name: str, compiled: dict[str, Any], settings: dict[str, Any], sources_hash: bytes) -> Artifact:
    evm = compiled["evm"]
    if evm["deployedBytecode"].get("immutableReferences"):
        raise SourceRefused(f"{name} has immutables: its code hash would differ between deployments.")
    deployed = bytes.fromhex(evm["deployedBytecode"]["object"])
    loans = next(entry for entry in compiled["storageLayout"]["storage"] if entry["label"] == "_loans")
    return Artifact(
        name=name,
        abi=tuple(compiled["abi"]),
        bytecode=bytes.fromhex(evm["bytecode"]["object"]),
        deployed_bytecode=deployed,
        code_hash=keccak(deployed),
        loans_slot=int(loans["slot"]),
        compiler=SOLC_VERSION,
        settings=settings,
        source_hash=sources_hash,
    )


if __name__ == "__main__":
    sys.exit(main())
