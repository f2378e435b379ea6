"""The decision receipt: canonical bytes that name every cause of a decision, so that it can be run again and compared.

commitment = sha256(0x15 || receipt bytes). Hashes of personal inputs are salted (32 bytes): a plain hash is guessable.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

import rfc8785

from registry.domain.errors import InvalidInput
from scoring.decision import Decision, DecisionInputs, decide
from scoring.libraries import libraries
from scoring.model import Model, Score
from scoring.policy import Outcome, Policy

RECEIPT_PREFIX = b"\x15"
FORMAT = "loan-registry/receipt/1"


@dataclass(frozen=True, slots=True)
class Override:
    """A person's decision instead of the machine's: who, what, and why in words."""

    decided_by: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class DecisionReceipt:
    """A receipt's canonical bytes with what they say."""

    canonical: bytes
    body: dict[str, Any]

    @classmethod
    def of(
        cls, decision: Decision, salt: bytes, model: Model, policy: Policy, override: Override | None = None
    ) -> Self:
        """The receipt of a decision just made by `model` and `policy`."""
        body = _body(decision, salt, model, policy)
        body["override"] = None if override is None else _override(override)
        return cls(rfc8785.dumps(body), body)

    @property
    def commitment(self) -> bytes:
        """What is anchored: 32 bytes."""
        return receipt_commitment(self.canonical)


@dataclass(frozen=True, slots=True)
class Reproduction:
    """Whether a decision run again gave the same bytes, and exactly what differs when it did not."""

    identical: bool
    differences: tuple[str, ...]


def receipt_commitment(receipt: bytes) -> bytes:
    """sha256(0x15 || receipt), 32 bytes."""
    return hashlib.sha256(RECEIPT_PREFIX + receipt).digest()


def reproduce(receipt: bytes, inputs: DecisionInputs, salt: bytes, model: Model, policy: Policy) -> Reproduction:
    """Run the decision again and compare it with the receipt, fact by fact.

    A person's override is no function of the inputs: it is carried over, not judged.
    """
    try:
        written = json.loads(receipt)
    except (ValueError, RecursionError):
        return Reproduction(identical=False, differences=("receipt: not readable as JSON",))
    if not isinstance(written, dict):
        return Reproduction(identical=False, differences=("receipt: not a JSON object",))
    try:
        decision = decide(inputs, model, policy)
        computed = _body(decision, salt, model, policy)
    except InvalidInput as refusal:
        return Reproduction(identical=False, differences=(f"inputs: {refusal}",))
    computed["override"] = written.get("override")
    differences = _differences(written, computed)
    if not differences and rfc8785.dumps(computed) != receipt:
        differences = ("receipt: the same facts, but not in canonical form",)
    return Reproduction(identical=not differences, differences=differences)


def _body(decision: Decision, salt: bytes, model: Model, policy: Policy) -> dict[str, Any]:
    score, outcome = decision.score, decision.outcome
    return {
        "format": FORMAT,
        "inputs_hash": decision.vector.inputs_hash(salt).hex(),
        "request_hash": decision.inputs.request_hash(salt).hex(),
        "schema": {"version": model.schema.version, "sha256": model.schema.digest},
        "model": {"version": model.version, "sha256": model.hash},
        "policy": {"version": policy.version, "sha256": policy.hash},
        "libraries": libraries(),
        "score": {"probability": str(score.probability), "points": score.points, "grade": score.grade},
        "contributions_hash": _contributions_hash(score, salt).hex(),
        "outcome": outcome.outcome.value,
        "offered_rate": None if outcome.offered_rate is None else str(outcome.offered_rate),
        "limit": {"minor": str(outcome.limit.minor), "currency": outcome.limit.currency},
        "reasons": [reason.code for reason in decision.reasons],
    }


def _contributions_hash(score: Score, salt: bytes) -> bytes:
    """Salted, as contributions hold the inputs."""
    parts: list[Any] = [[c.feature, c.value, str(c.effect)] for c in score.contributions]
    body: list[Any] = [str(score.baseline), parts]
    return hashlib.sha256(salt + rfc8785.dumps(body)).digest()


def _override(override: Override) -> dict[str, str]:
    return {"decided_by": override.decided_by, "outcome": override.outcome.value, "reason": override.reason}


def _differences(written: dict[str, Any], computed: dict[str, Any]) -> tuple[str, ...]:
    before, now = _flat(written), _flat(computed)
    return tuple(
        _difference(name, before.get(name), now.get(name))
        for name in sorted(before.keys() | now.keys())
        if name not in before
        or name not in now
        or before[name] != now[name]
        or type(before[name]) is not type(now[name])
    )


def _difference(name: str, before: object, now: object) -> str:
    if name.startswith("libraries."):
        library = name.removeprefix("libraries.")
        return f"library {library}: the receipt was written with {before}, this is {now}"
    return f"{name}: receipt says {before!r}, computed {now!r}"


def _flat(body: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in body.items():
        if isinstance(value, dict) and value and name != "override":
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat
