"""The receipt: the same inputs give the same bytes, and whatever differs is named."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from registry.domain.money import Money
from scoring.decision import DecisionInputs, InputsDisagree, decide
from scoring.model import Model
from scoring.policy import POLICY_FOLDER, ChecksOutcome, Outcome, Policy
from scoring.receipt import DecisionReceipt, Override, receipt_commitment, reproduce

MODEL = Model.load()
POLICY = Policy.shipped()
SALT = bytes(range(32))


def some_inputs(checks: ChecksOutcome = ChecksOutcome.PASS, **changes: Any) -> DecisionInputs:
    features: dict[str, Any] = {
        "amount": "20000", "term_months": 24, "annual_income": "80000", "debt_to_income": "0.25",
        "employment_years": "3.5", "home_ownership": "rent", "purpose": "car", "product_category": "auto",
        "prior_delinquencies_24m": 0, "inquiries_6m": 1, "open_accounts": 5, "public_records": 0,
        "revolving_utilisation": "0.4", "credit_history_months": 60,
    }  # fmt: skip
    return DecisionInputs(features | changes, Money(20_000_00, "CNY"), Money(80_000_00, "CNY"), checks)


RISKY: dict[str, Any] = {
    "prior_delinquencies_24m": 6,
    "public_records": 3,
    "revolving_utilisation": "0.99",
    "debt_to_income": "1.2",
}


def receipt_of(inputs: DecisionInputs) -> bytes:
    return DecisionReceipt.of(decide(inputs, MODEL, POLICY), SALT, MODEL, POLICY).canonical


def test_the_same_inputs_give_the_same_bytes() -> None:
    first, again = receipt_of(some_inputs()), receipt_of(some_inputs())

    assert first == again
    assert reproduce(first, some_inputs(), SALT, Model.load(), Policy.shipped()).identical


def test_the_commitment_is_sha256_under_its_own_first_byte() -> None:
    receipt = DecisionReceipt.of(decide(some_inputs(), MODEL, POLICY), SALT, MODEL, POLICY)

    assert receipt.commitment == hashlib.sha256(bytes([0x15]) + receipt.canonical).digest()
    assert receipt.commitment == receipt_commitment(receipt.canonical)


def test_a_receipt_names_every_cause_and_holds_no_float_and_no_input() -> None:
    raw = receipt_of(some_inputs(annual_income="80000", employment_years="3.57"))
    body = json.loads(raw)

    assert body["model"] == {"version": "default-1", "sha256": MODEL.hash}
    assert body["policy"] == {"version": "default-1", "sha256": POLICY.hash}
    assert body["schema"] == {"version": "application@1", "sha256": MODEL.schema.digest}
    assert body["libraries"].keys() >= {"catboost", "numpy"}
    assert len(body["inputs_hash"]) == len(body["request_hash"]) == len(body["contributions_hash"]) == 64
    assert b"3.57" not in raw
    assert b"80000" not in raw
    json.loads(raw, parse_float=lambda text: pytest.fail(f"a float in a receipt: {text}"))


def test_hashes_in_a_receipt_change_with_the_salt() -> None:
    decision = decide(some_inputs(), MODEL, POLICY)
    first = DecisionReceipt.of(decision, SALT, MODEL, POLICY).body
    other = DecisionReceipt.of(decision, bytes(32), MODEL, POLICY).body

    for name in ("inputs_hash", "request_hash", "contributions_hash"):
        assert first[name] != other[name]


def names(differences: tuple[str, ...]) -> set[str]:
    return {difference.split(":")[0] for difference in differences}


def test_other_inputs_are_named_as_what_differs() -> None:
    receipt = receipt_of(some_inputs())

    result = reproduce(receipt, some_inputs(open_accounts=6), SALT, MODEL, POLICY)

    assert not result.identical
    assert {"inputs_hash", "contributions_hash"} <= names(result.differences)
    assert not {"model.sha256", "policy.sha256", "request_hash"} & names(result.differences)


def test_another_amount_or_check_is_named_apart_from_the_features() -> None:
    receipt = receipt_of(some_inputs())

    result = reproduce(receipt, some_inputs(ChecksOutcome.REFER), SALT, MODEL, POLICY)

    assert names(result.differences) >= {"request_hash", "outcome", "reasons"}
    assert "inputs_hash" not in names(result.differences)


def test_another_policy_is_named_even_when_the_outcome_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "default-1.toml"
    path.write_bytes((POLICY_FOLDER / "default-1.toml").read_bytes() + b"\n# a comment\n")

    result = reproduce(receipt_of(some_inputs()), some_inputs(), SALT, MODEL, Policy.load(path))

    assert names(result.differences) == {"policy.sha256"}


def test_another_model_file_is_named(tmp_path: Path) -> None:
    other = Model.of(replace(MODEL.bundle, version="default-1b"))

    result = reproduce(receipt_of(some_inputs()), some_inputs(), SALT, other, POLICY)

    assert names(result.differences) == {"model.sha256", "model.version"}


def test_a_receipt_of_another_library_version_is_said_to_be_so() -> None:
    body = json.loads(receipt_of(some_inputs()))
    body["libraries"]["catboost"] = "1.2.9"

    result = reproduce(rfc8785.dumps(body), some_inputs(), SALT, MODEL, POLICY)

    assert not result.identical
    assert len(result.differences) == 1
    assert result.differences[0].startswith("library catboost: the receipt was written with 1.2.9")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda body: body.update(outcome="DECLINE"), "outcome"),
        (lambda body: body.update(offered_rate="0.01"), "offered_rate"),
        (lambda body: body["limit"].update(minor="1"), "limit.minor"),
        (lambda body: body["score"].update(points=1), "score.points"),
        (lambda body: body["score"].update(points=True), "score.points"),
        (lambda body: body.update(reasons=["X"]), "reasons"),
        (lambda body: body.pop("outcome"), "outcome"),
        (lambda body: body.update(extra=None), "extra"),
    ],
)
def test_an_altered_fact_is_named_and_nothing_else(change: Callable[[dict[str, Any]], object], named: str) -> None:
    body = json.loads(receipt_of(some_inputs()))
    change(body)

    result = reproduce(rfc8785.dumps(body), some_inputs(), SALT, MODEL, POLICY)

    assert names(result.differences) == {named}


@pytest.mark.parametrize("receipt", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_what_is_no_receipt_is_not_identical(receipt: bytes) -> None:
    result = reproduce(receipt, some_inputs(), SALT, MODEL, POLICY)

    assert not result.identical
    assert result.differences[0].startswith("receipt:")


def test_the_same_facts_in_other_bytes_are_not_identical() -> None:
    pretty = json.dumps(json.loads(receipt_of(some_inputs())), indent=1).encode()

    result = reproduce(pretty, some_inputs(), SALT, MODEL, POLICY)

    assert result.differences == ("receipt: the same facts, but not in canonical form",)


def test_inputs_the_schema_refuses_are_a_difference_not_a_crash() -> None:
    result = reproduce(receipt_of(some_inputs()), some_inputs(loan_status="Charged Off"), SALT, MODEL, POLICY)

    assert not result.identical
    assert "loan_status" in result.differences[0]


def test_a_persons_override_is_carried_and_the_machines_part_still_reproduces() -> None:
    override = Override("officer:17", Outcome.APPROVE, "Salary slip seen")
    decision = decide(some_inputs(ChecksOutcome.REFER), MODEL, POLICY)
    receipt = DecisionReceipt.of(decision, SALT, MODEL, POLICY, override)

    assert receipt.body["override"] == {"decided_by": "officer:17", "outcome": "APPROVE", "reason": "Salary slip seen"}
    assert receipt.body["outcome"] == "REFER"
    assert reproduce(receipt.canonical, some_inputs(ChecksOutcome.REFER), SALT, MODEL, POLICY).identical


def test_a_risky_application_is_declined_for_reasons_the_borrower_can_act_on() -> None:
    decision = decide(some_inputs(**RISKY), MODEL, POLICY)

    assert decision.outcome.outcome is Outcome.DECLINE
    codes = [reason.code for reason in decision.reasons]
    assert 1 <= len(codes) <= 4
    assert "LATE_PAYMENTS" in codes
    assert "RISK_TOO_HIGH" not in codes


def test_a_failed_check_is_the_only_reason_given() -> None:
    decision = decide(some_inputs(ChecksOutcome.FAIL, **RISKY), MODEL, POLICY)

    assert [reason.code for reason in decision.reasons] == ["CHECKS_NOT_PASSED"]


def test_what_is_scored_must_be_what_is_decided_on() -> None:
    with pytest.raises(InputsDisagree) as refusal:
        decide(some_inputs(amount="20001"), MODEL, POLICY)

    assert refusal.value.feature == "amount"
    assert Decimal(refusal.value.scored) == 20001
