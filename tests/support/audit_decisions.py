"""Terms and decisions for made portfolios, written out a second time with hashlib and json alone."""

import calendar
import hashlib
import json
import random
from datetime import UTC, date, datetime
from typing import Any


def terms_of(rng: random.Random) -> dict[str, str]:
    """The terms of an agreement as they are stored: strings only."""
    return {
        "principal_minor": "1000000", "currency": "CNY", "annual_rate": "0.0875",
        "term_months": str(rng.randrange(1, 61)), "method": "EQUAL_INSTALMENT", "day_count": "ACT_365F",
        "rounding": "HALF_UP", "disbursed_on": "2026-01-31",
        "first_due_on": f"2026-02-{rng.randrange(1, 29):02}" if rng.random() < 0.5 else "2026-03-31",
        "upfront_fee_minor": "0", "instalment_fee_minor": "0",
        "allocation_order": "PENALTY,FEE,INTEREST,PRINCIPAL", "calculator_version": "1",
    }  # fmt: skip


def last_due_on(terms: dict[str, str]) -> date:
    """`term_months - 1` months after the first due date, on its day or the month's last."""
    first = date.fromisoformat(terms["first_due_on"])
    year, month = divmod(first.month - 1 + int(terms["term_months"]) - 1, 12)
    year, month = first.year + year, month + 1
    return date(year, month, min(first.day, calendar.monthrange(year, month)[1]))


def a_decision(rng: random.Random, lender_id: int, decision_id: str, *, is_erased: bool) -> dict[str, Any]:
    """A row of `decisions` with its receipt: approved, declined, or referred and then decided by a person."""
    outcome = rng.choice(["APPROVE", "DECLINE", "REFER"])
    rate, minor = rng.choice([None, "0.0875", "0.1"]), rng.randrange(10**9)
    points, model, inputs = rng.randrange(300, 850), rng.randbytes(32), rng.randbytes(32)
    reasons = rng.choice([[], ["INCOME_LOW"], ["GRADE", "收入"]])
    probability = f"0.{rng.randrange(10**6):06}"
    receipt = _text({
        "format": "loan-registry/receipt/1", "inputs_hash": inputs.hex(), "request_hash": rng.randbytes(32).hex(),
        "schema": {"version": "application@1", "sha256": "00"}, "model": {"version": "m@1", "sha256": model.hex()},
        "policy": {"version": "policy@3", "sha256": "11"}, "libraries": {"python": "3.11"},
        "score": {"probability": probability, "points": points, "grade": "B"}, "contributions_hash": "22",
        "outcome": outcome, "offered_rate": rate, "limit": {"minor": str(minor), "currency": "CNY"},
        "reasons": reasons, "override": None,
    })  # fmt: skip
    score = {
        "probability": probability, "points": points, "grade": "B", "model_version": "m@1", "model_hash": model.hex(),
        "contributions": [{"feature": "amount", "value": "1", "effect": "0.5"}],
    }  # fmt: skip
    return {
        "lender_id": lender_id, "id": decision_id, "application_id": f"AP{decision_id[2:]}",
        "outcome": "APPROVE" if outcome == "REFER" else outcome, "score": None if is_erased else _text(score),
        "reasons": _text(reasons), "offered_rate": rate, "limit_minor": None if is_erased else minor,
        "policy_version": "policy@3", "decided_by": "officer 7" if outcome == "REFER" else "policy",
        "decided_at": datetime(2026, 1, 5, tzinfo=UTC), "receipt": receipt,
        "receipt_commitment": hashlib.sha256(b"\x15" + receipt.encode()).digest(), "inputs_hash": inputs,
        "inputs_salt": bytes(32) if is_erased else rng.randbytes(32), "model_hash": model,
    }  # fmt: skip


def application_of(decision: dict[str, Any], loan: dict[str, Any]) -> dict[str, Any]:
    """The application that was decided upon."""
    return {
        "lender_id": loan["lender_id"], "id": decision["application_id"], "borrower_id": loan["borrower_id"],
        "product_id": loan["product_id"], "amount_minor": 1_000_000, "currency": "CNY", "term_months": 12,
        "purpose": "CAR", "status": "DECIDED", "submitted_by": "branch",
        "submitted_at": datetime(2026, 1, 4, tzinfo=UTC),
    }  # fmt: skip


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
