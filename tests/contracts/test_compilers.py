"""The wrapped compiler, and Forge on top of it: both must give what is committed."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chain.artifacts import load_artifact
from chain.compile import CONTRACTS, SOLC_VERSION
from chain.devnet import anvil_binary
from tests.support.devnet import TOOLS, install_tools

SOLC = TOOLS / "solc.js"


@pytest.fixture(autouse=True, scope="module")
def _tools() -> None:
    install_tools()


def solc(*arguments: str | Path, given: str | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SOLC, *arguments], input=given, cwd=cwd, capture_output=True, text=True, check=False)


def an_input(**sources: Any) -> str:
    settings = {"outputSelection": {"*": {"*": ["abi"]}}}
    return json.dumps({"language": "Solidity", "sources": sources, "settings": settings})


def problems(answer: subprocess.CompletedProcess[str]) -> list[str]:
    return [error["message"] for error in json.loads(answer.stdout).get("errors", []) if error["severity"] == "error"]


def test_the_version_is_said_as_the_native_compiler_says_it() -> None:
    answer = solc("--version")

    assert answer.returncode == 0
    assert answer.stdout.startswith("solc, the solidity compiler commandline interface\nVersion: ")
    assert re.search(rf"Version: {re.escape(SOLC_VERSION)}\+commit\.[0-9a-f]{{8}}\.", answer.stdout)


def test_standard_json_is_answered_from_standard_input_and_from_a_file_with_nothing_around_it(tmp_path: Path) -> None:
    given = an_input(**{"A.sol": {"content": "pragma solidity ^0.8.28; contract A {}"}})
    (tmp_path / "input.json").write_text(given)

    answers = [solc("--standard-json", given=given), solc("--standard-json", tmp_path / "input.json")]

    for answer in answers:
        assert answer.returncode == 0
        assert answer.stdout.startswith("{")
        assert ">>>" not in answer.stdout + answer.stderr
        assert "A" in json.loads(answer.stdout)["contracts"]["A.sol"]


def test_imports_are_found_below_base_and_include_paths(tmp_path: Path) -> None:
    for folder, name in (("base", "Base"), ("include", "Included")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.sol").write_text(f"pragma solidity ^0.8.28; contract {name} {{}}")
    text = 'pragma solidity ^0.8.28; import "Base.sol"; import "Included.sol"; contract A is Base, Included {}'

    found = solc(
        "--standard-json",
        *("--base-path", tmp_path / "base", "--include-path", tmp_path / "include"),
        *("--allow-paths", f"{tmp_path / 'base'},{tmp_path / 'include'}"),
        given=an_input(**{"A.sol": {"content": text}}),
    )

    assert problems(found) == []


def test_an_import_outside_the_allowed_directories_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "Secret.sol").write_text("pragma solidity ^0.8.28; contract Secret {}")
    text = f'pragma solidity ^0.8.28; import "{tmp_path / "Secret.sol"}"; contract A {{}}'
    given = an_input(**{"A.sol": {"content": text}})

    refused = solc("--standard-json", "--base-path", tmp_path / "base", given=given, cwd=tmp_path / "base")
    allowed = solc("--standard-json", "--base-path", tmp_path / "base", "--allow-paths", tmp_path, given=given)

    assert any("outside of allowed directories" in problem for problem in problems(refused))
    assert problems(allowed) == []


def test_combined_json_serves_the_analysers(tmp_path: Path) -> None:
    (tmp_path / "A.sol").write_text("pragma solidity ^0.8.28; contract A { function f() external {} }")

    answer = solc("--combined-json", "abi,bin-runtime,hashes", "--optimize", "A.sol", cwd=tmp_path)

    contract = json.loads(answer.stdout)["contracts"]["A.sol:A"]
    assert set(contract) == {"abi", "bin-runtime", "hashes"}
    assert contract["hashes"] == {"f()": "26121ff0"}  # the published selector of f()
    assert ">>>" not in answer.stdout


@pytest.mark.parametrize("arguments", [("--no-such-option",), ("--base-path",), ()])
def test_what_the_wrapper_does_not_know_ends_with_a_usage_text(arguments: tuple[str, ...]) -> None:
    answer = solc(*arguments)

    assert answer.returncode == 1
    assert "Usage:" in answer.stderr


def test_a_source_that_does_not_compile_is_an_error_and_not_an_answer(tmp_path: Path) -> None:
    (tmp_path / "A.sol").write_text("contract A {")

    answer = solc("--combined-json", "abi", "A.sol", cwd=tmp_path)

    assert (answer.returncode, answer.stdout) == (1, "")
    assert "Error" in answer.stderr


def test_forges_fuzz_tests_pass_and_forge_compiles_the_committed_code(tmp_path: Path) -> None:
    forge = Path(str(anvil_binary(TOOLS)).replace("anvil", "forge"))
    command = [forge, "test", "--out", tmp_path / "out", "--cache-path", tmp_path / "cache", "--json"]

    done = subprocess.run(command, cwd=CONTRACTS, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    suites = json.loads(done.stdout)
    results = {name: test["status"] for suite in suites.values() for name, test in suite["test_results"].items()}
    assert len(results) == 10
    assert set(results.values()) == {"Success"}
    built = json.loads((tmp_path / "out" / "LoanRegistry.sol" / "LoanRegistry.json").read_text())
    assert built["deployedBytecode"]["object"] == "0x" + load_artifact().deployed_bytecode.hex()
