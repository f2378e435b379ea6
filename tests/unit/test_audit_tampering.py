"""No alteration of an evidence file is ever verified, and none makes the verifier fail."""

import json
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.evidence import evidence_bytes
from audit.verdict import Exit
from audit.verify import verify
from tests.support.audit_evidence import ORIGINAL, OTHER, TRUST

MUTATIONS = 1_000


def is_original(mutated: Any) -> bool:
    """Equal as JSON, telling 1 from true."""
    return json.dumps(mutated, sort_keys=True) == SORTED


SORTED = json.dumps(ORIGINAL, sort_keys=True)


def refused(mutated: bytes, described: object) -> None:
    verdict = verify(mutated, TRUST)
    assert verdict.exit_code in {Exit.MISMATCH, Exit.NOT_CHECKED, Exit.WRONG_CHAIN}, (described, verdict)
    assert verdict.exit_code is not Exit.NOT_CHECKED or b'"version":1,' not in mutated.replace(b" ", b"")


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in inner for place in _places(child, (*path, key)))]


TEXT = evidence_bytes(ORIGINAL).decode()
PLACES = _places(ORIGINAL)[1:]


def _container(evidence: Any, path: tuple[Any, ...]) -> Any:
    for step in path[:-1]:
        evidence = evidence[step]
    return evidence


def _other_value(rng: random.Random, value: Any) -> Any:
    options: list[Any] = [None, 0, "", [], {}, True, -1, 2**80, "0x", [value], {"value": value}]
    if isinstance(value, str) and value.startswith("0x") and len(value) > 2:
        at = rng.randrange(2, len(value))
        flipped = value[:at] + format(int(value[at], 16) ^ 1, "x") + value[at + 1 :]
        options += [flipped, flipped, flipped, value[:-2], value + "00", "0X" + value[2:], value.upper(), value[2:]]
    elif isinstance(value, str):
        options += [value + "\u200b", value.lower() + " ", value[:-1], value.swapcase()]
    elif isinstance(value, int):
        options += [value + 1, value - 1, str(value), float(value), -value]
    return rng.choice(options)


def _edit(rng: random.Random) -> Any:
    evidence = json.loads(TEXT)
    path = rng.choice(PLACES)
    holder = _container(evidence, path)
    match rng.randrange(4):
        case 0:
            del holder[path[-1]]
        case 1 if isinstance(holder, dict):
            holder[rng.choice(["extra", "value", "digest", "fields", "version", ""])] = rng.choice(
                [None, 1, "0x00", []]
            )
        case 2 if isinstance(holder, dict):
            other: Any = OTHER
            for step in path:
                other = other.get(step) if isinstance(other, dict) else other[min(step, len(other) - 1)]
            holder[path[-1]] = other
        case _:
            holder[path[-1]] = _other_value(rng, holder[path[-1]])
    return evidence


def _shuffle(rng: random.Random) -> Any:
    evidence = json.loads(TEXT)
    lists: list[list[Any]] = [
        evidence["records"], *evidence["proof"].values(), *(record["fields"] for record in evidence["records"])
    ]  # fmt: skip
    chosen = rng.choice(lists)
    at, to = rng.randrange(len(chosen)), rng.randrange(len(chosen))
    match rng.randrange(4):
        case 0:
            chosen[at], chosen[to] = chosen[to], chosen[at]
        case 1:
            del chosen[at]
        case 2:
            chosen.insert(to, chosen[at])
        case _:
            chosen[:] = chosen[:at]
    return evidence


def _transplant(rng: random.Random) -> Any:
    evidence = json.loads(TEXT)
    part = rng.choice(["loan", "records", "proof", "standing", "head", "record"])
    if part in {"standing", "head"}:
        evidence["proof"][part] = OTHER["proof"][part]
    elif part == "record":
        at = rng.randrange(min(len(evidence["records"]), len(OTHER["records"])))
        evidence["records"][at] = OTHER["records"][at]
    else:
        evidence[part] = OTHER[part]
    return evidence


def test_no_edit_of_the_json_is_ever_verified() -> None:
    rng = random.Random(20_260)
    kinds: list[Callable[[random.Random], Any]] = [_edit, _edit, _edit, _shuffle, _transplant]
    tried = 0
    while tried < MUTATIONS:
        mutated = rng.choice(kinds)(rng)
        if is_original(mutated):
            continue
        refused(json.dumps(mutated, ensure_ascii=False).encode(), mutated)
        tried += 1


def test_no_flipped_cut_or_doubled_byte_is_ever_verified() -> None:
    rng = random.Random(20_261)
    original = evidence_bytes(ORIGINAL)
    for _ in range(MUTATIONS):
        at = rng.randrange(len(original))
        mutated = rng.choice([
            original[:at] + bytes([original[at] ^ (1 << rng.randrange(8))]) + original[at + 1 :],
            original[:at] + original[at + 1 :],
            original[:at] + original[at : at + 1] + original[at:],
            original[:at],
        ])  # fmt: skip
        try:
            is_same = is_original(json.loads(mutated))
        except ValueError:
            is_same = False
        if is_same:
            assert verify(mutated, TRUST).exit_code in {Exit.VERIFIED, Exit.MISMATCH}
        else:
            refused(mutated, mutated)


def test_a_name_given_twice_is_refused_even_with_the_same_value() -> None:
    text = evidence_bytes(ORIGINAL).decode()
    for name in ("version", "chain", "number", "salt", "records", "nonce"):
        at = text.index(f'"{name}":')
        value = json.JSONDecoder().raw_decode(text, at + len(name) + 3)[0]
        doubled = text[:at] + f'"{name}":{json.dumps(value)},' + text[at:]
        assert json.loads(doubled) == ORIGINAL
        assert verify(doubled.encode(), TRUST).exit_code is Exit.MISMATCH


@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode)))
def test_no_input_makes_the_verifier_raise(data: bytes) -> None:
    assert verify(data, TRUST).exit_code is Exit.MISMATCH


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(st.sampled_from(PLACES), json_values)
@settings(max_examples=150, deadline=None)
def test_no_value_in_any_place_is_verified_but_the_right_one(path: tuple[Any, ...], value: Any) -> None:
    mutated = json.loads(TEXT)
    _container(mutated, path)[path[-1]] = value
    if not is_original(mutated):
        refused(json.dumps(mutated).encode(), path)


@pytest.fixture
def deep_stack() -> Iterator[None]:
    """The recursion limit as some libraries leave it, at which the standard parser would end the process."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("deep_stack")
@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000, b'{"a":' * 50_000, b'{"format":"loan-registry/evidence","version":1}', b"null", b"\xff\xfe{}",
        b"\xef\xbb\xbf{}", b'{"version":' + b"9" * 5_000 + b"}", b'{"version":NaN}', b"{}" * 2, b"1" * 70_000_000,
    ],
)  # fmt: skip
def test_hostile_files_are_refused_without_a_crash(data: bytes) -> None:
    assert verify(data, TRUST).exit_code is Exit.MISMATCH


@pytest.mark.usefixtures("deep_stack")
def test_deeply_nested_values_are_refused_without_a_crash() -> None:
    text = evidence_bytes(ORIGINAL).decode()
    for depth in (60, 64, 100, 900, 3_000, 100_000):
        nested = text.replace('"value":null', '"value":' + "[" * depth + "]" * depth, 1)
        assert nested != text
        assert verify(nested.encode(), TRUST).exit_code is Exit.MISMATCH
