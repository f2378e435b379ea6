"""The committed artifact: fresh, deployable, and the same wherever it is deployed."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sha3

from chain import compile as compiling
from chain.artifacts import ArtifactMissing, load_artifact
from tests.support.devnet import TOOLS, Chain, install_tools

ROOT = Path(__file__).parents[2]


def test_the_committed_sources_are_those_the_artifact_was_compiled_from() -> None:
    assert load_artifact().source_hash == compiling.source_hash(compiling.sources())


def test_recompiling_gives_the_committed_artifact() -> None:
    install_tools()

    assert compiling.check() == load_artifact()


def test_a_changed_source_makes_the_check_fail_and_says_what_to_do(tmp_path: Path) -> None:
    install_tools()
    for part in ("chain", "contracts", "registry"):
        shutil.copytree(ROOT / part, tmp_path / part)
    (tmp_path / TOOLS.name).symlink_to(TOOLS)
    source = tmp_path / "contracts" / "src" / "LoanRegistry.sol"
    source.write_text(source.read_text() + "\n// one line more\n")

    done = subprocess.run(
        [sys.executable, "-m", "chain.compile", "--check"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == compiling.ArtifactStale.exit_code != 0
    assert "LoanRegistry.json is stale: source_hash differ" in done.stderr  # a comment changes no code
    assert "python -m chain.compile" in done.stderr


def test_the_source_hash_covers_names_texts_and_their_borders() -> None:
    texts = {"src/A.sol": "one", "src/B.sol": "two"}
    changed = [
        {"src/A.sol": "one", "src/C.sol": "two"},
        {"src/A.sol": "one\n", "src/B.sol": "two"},
        {"src/A.sol": "onetwo", "src/B.sol": ""},
    ]

    hashes = {compiling.source_hash(version) for version in [texts, *changed]}

    assert len(hashes) == 4
    assert compiling.source_hash(dict(reversed(texts.items()))) == compiling.source_hash(texts)


def test_every_deployment_has_the_code_hash_of_the_artifact(chain: Chain) -> None:
    second = Chain(chain.info, chain.artifact)
    assert second.address != chain.address

    for address in (chain.address, second.address):
        code = bytes.fromhex(chain.rpc.call("eth_getCode", address, "latest")[2:])
        assert sha3.keccak_256(code).digest() == chain.artifact.code_hash
        assert chain.rpc.call("eth_getProof", address, [], "latest")["codeHash"][2:] == chain.artifact.code_hash.hex()
    second.rpc.close()


def test_the_artifact_survives_being_written_and_read() -> None:
    artifact = load_artifact()

    assert type(artifact).from_json(artifact.to_json()) == artifact


def test_an_artifact_that_does_not_exist_is_named() -> None:
    with pytest.raises(ArtifactMissing, match=r"python -m chain\.compile"):
        load_artifact("Nothing")


def test_the_contract_stays_small(chain: Chain) -> None:
    assert len(chain.artifact.deployed_bytecode) <= 6_000  # bytes; the limit of the EVM is 24,576


def test_every_error_about_a_loan_names_the_loan_first() -> None:
    errors = [entry for entry in load_artifact().abi if entry["type"] == "error"]
    named = [entry for entry in errors if any(field["name"] == "loanKey" for field in entry["inputs"])]

    others = {entry["name"] for entry in named if entry["inputs"][0]["name"] != "loanKey"}
    assert others == {"AssetAlreadyPledged"}
