"""The verdicts of `verify` through the real command line, on evidence as made and altered; nothing is written."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.demonstration import Installation

pytestmark = pytest.mark.usefixtures("unchanged")


def test_evidence_with_the_right_trust_is_verified(registry: Installation) -> None:
    for live in ((), ("--live",)):
        ended = registry.command.json("verify", registry.evidence, "--trust", registry.trust, *live)
        assert (ended.code, ended.result["verdict"]) == (0, "VERIFIED")


def test_it_needs_neither_home_nor_node(registry: Installation, tmp_path: Path) -> None:
    elsewhere = registry.command.on(tmp_path / "none", rpc_url="http://127.0.0.1:9")

    assert elsewhere.json("verify", registry.evidence, "--trust", registry.trust).code == 0
    assert not (tmp_path / "none").exists()


def test_without_trust_it_is_self_consistent_only(registry: Installation) -> None:
    ended = registry.command.json("verify", registry.evidence)

    assert (ended.code, ended.result["verdict"]) == (6, "NOT_CHECKED")
    assert ended.result["headline"].startswith("Self-consistent only: No trust settings were given")


@pytest.mark.parametrize("name", ["chain_id", "genesis_hash", "contract", "code_hash", "block_hash", "block_number"])
def test_with_the_trust_of_another_chain_it_is_the_wrong_chain(
    registry: Installation, tmp_path: Path, name: str
) -> None:
    trust = json.loads(registry.trust.read_text())
    value = trust[name]
    trust[name] = value + 1 if isinstance(value, int) else f"0x{int(value, 16) ^ 1:0{len(value) - 2}x}"
    (tmp_path / "trust.json").write_text(json.dumps(trust))

    ended = registry.command.json("verify", registry.evidence, "--trust", tmp_path / "trust.json")

    assert (ended.code, ended.result["verdict"]) == (7, "WRONG_CHAIN")
    assert name in ended.result["headline"]


def test_a_block_that_may_still_go_is_not_final(registry: Installation) -> None:
    ended = registry.command.given(finality="depth 100000").json(
        "verify", registry.evidence, "--trust", registry.trust, "--live"
    )

    assert (ended.code, ended.result["verdict"]) == (5, "NOT_FINAL")


def test_every_altered_value_is_tampering(registry: Installation, tmp_path: Path) -> None:
    """One value of each record, the standing, the header and the proof, changed by one digit."""
    whole = json.loads(registry.evidence.read_text())
    altered = list(alterations(whole))

    assert len(altered) > 20
    for where, changed in altered[:: max(1, len(altered) // 12)]:
        (tmp_path / "evidence.json").write_text(json.dumps(changed))
        ended = registry.command.json("verify", tmp_path / "evidence.json", "--trust", registry.trust)
        assert ended.code == 3, where


@pytest.mark.parametrize("how", ["cut", "repeated name", "fraction"])
def test_a_file_that_is_not_read_strictly_is_tampering(registry: Installation, tmp_path: Path, how: str) -> None:
    text = registry.evidence.read_text()
    (tmp_path / "evidence.json").write_text(
        {
            "cut": text[:-20],
            "repeated name": text.replace("{", '{"version":1,', 1),
            "fraction": text.replace('"version":1', '"version":1.0', 1),
        }[how]
    )

    assert registry.command.json("verify", tmp_path / "evidence.json", "--trust", registry.trust).code == 3


def test_evidence_is_not_verified_against_a_node_of_another_chain(registry: Installation, another_chain: str) -> None:
    ended = registry.command.given(rpc_url=another_chain).json(
        "verify", registry.evidence, "--trust", registry.trust, "--live"
    )

    assert (ended.code, ended.result["verdict"]) == (7, "WRONG_CHAIN")


def alterations(whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The evidence with one thing changed at a time: each record's commitment and opened values, loan and proof."""

    def copy() -> dict[str, Any]:
        return dict(json.loads(json.dumps(whole)))

    for path, value in leaves(whole, ()):
        inside = path[0] in {"records", "loan", "proof"} or path == ("block", "header")
        if inside and isinstance(value, str) and any(sign.isdigit() for sign in value):
            changed: Any = copy()
            at: Any = changed
            for part in path[:-1]:
                at = at[part]
            place = max(index for index, sign in enumerate(value) if sign.isdigit())
            at[path[-1]] = f"{value[:place]}{(int(value[place]) + 1) % 10}{value[place + 1 :]}"
            yield "/".join(map(str, path)), changed


def leaves(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))
    else:
        yield path, value
