"""A loan's life through the API: from application to settlement, to another lender, to erasure."""

from pathlib import Path
from typing import Any

import pytest

from graphql_api.types.node import node_id
from registry.domain.origination import Outcome
from tests.support.graphql_world import World, book, history, make_world, mirror_everything

KEYS = iter(range(10**6))
CNY = "CNY"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def change(world: World, who: str, operation: str, selection: str, **given: Any) -> Any:
    """Run a mutation with a fresh key; its payload or refusal."""
    kind = operation[0].upper() + operation[1:]
    query = f"""mutation ($input: {kind}Input!) {{ done: {operation}(input: $input) {{ __typename
      ... on Refusal {{ code message }} ... on {kind}Payload {{ {selection} }} }} }}"""
    body = {"idempotencyKey": f"key-{next(KEYS)}", **given}
    return world.ask(who, query, {"input": body}).data["done"]


def amount(minor: int) -> dict[str, str]:
    return {"minor": str(minor), "currency": CNY}


def applied(world: World, **changed: Any) -> Any:
    given = {
        "productId": str(node_id("Product", "consumer-cny@1")),
        "amount": amount(1_200_000),
        "termMonths": 12,
        "purpose": "CONSUMPTION",
        "inputs": {"income": "5000.00"},
        "identity": {
            "name": "李雷", "kind": "PERSON", "identityKind": "PASSPORT", "number": "E98765432", "bornOn": "1990-05-05"
        },
        "consents": [{"purpose": "CREDIT_CHECK", "textVersion": "2026-1"}],
        "externalReference": "APP-1",
        **changed,
    }  # fmt: skip
    return change(world, "lender1", "submitApplication", SUBMITTED, **given)


SUBMITTED = (
    "application { id status amount { minor } borrower { id name idMasked consents { purpose } } decision { id } }"
)
BOOKED = "loan { id status outstanding { minor } } record { id sequence kind anchor { state } }"


def signed(world: World) -> str:
    application = applied(world)["application"]["id"]
    change(world, "lender1", "decideApplication", "decision { id }", applicationId=application)
    dates = {"disburseOn": "2026-06-15", "firstDueOn": "2026-07-15"}
    done = change(world, "lender1", "signAgreement", BOOKED, applicationId=application, **dates)
    assert done["record"] | {"id": None} == {
        "id": None, "sequence": 0, "kind": "AGREEMENT", "anchor": {"state": "QUEUED"}
    }  # fmt: skip
    loan: str = done["loan"]["id"]
    return loan


def test_a_loan_goes_from_application_to_settlement(world: World) -> None:
    application = applied(world)["application"]
    assert (application["status"], application["decision"]) == ("SUBMITTED", None)
    assert application["borrower"]["name"] == "李雷"
    decided = change(
        world,
        "lender1",
        "decideApplication",
        "application { status } decision { outcome decidedBy score { grade points probabilityOfDefault } }",
        applicationId=application["id"],
    )
    assert decided["application"]["status"] == "APPROVED"
    assert decided["decision"]["score"] == {"grade": "B", "points": 640, "probabilityOfDefault": 0.042}
    dates = {"disburseOn": "2026-06-15", "firstDueOn": "2026-07-15"}
    loan = change(world, "lender1", "signAgreement", BOOKED, applicationId=application["id"], **dates)["loan"]
    assert loan["status"] == "REGISTERED"

    on = {"loanId": loan["id"]}
    paid_out = change(
        world, "lender1", "disburseLoan", BOOKED, **on, amount=amount(1_200_000), disbursedOn="2026-06-15"
    )
    assert (paid_out["loan"]["status"], paid_out["loan"]["outstanding"]["minor"]) == ("ACTIVE", "1200000")
    repaid = change(world, "lender1", "recordRepayment", BOOKED, **on, amount=amount(200_000), receivedOn="2026-06-15")
    assert int(repaid["loan"]["outstanding"]["minor"]) < 1_200_000
    record = repaid["record"]["id"]
    back = change(
        world, "lender1", "reverseRecord", BOOKED, recordId=record, effectiveOn="2026-06-15", reason="wrong account"
    )
    assert back["loan"]["outstanding"]["minor"] == "1200000"
    final = {"finalAmount": amount(1_200_000), "effectiveOn": "2026-06-15", "reason": "early repayment"}
    settled = change(world, "lender1", "settleLoan", BOOKED, **on, **final)
    assert (settled["loan"]["status"], settled["record"]["kind"]) == ("SETTLED", "SETTLEMENT")
    reopened = change(world, "lender1", "reopenLoan", BOOKED, **on, effectiveOn="2026-06-15", reason="bounced")
    assert reopened["loan"]["status"] == "ACTIVE"


def test_a_late_loan_is_charged_a_penalty_charged_off_and_recovered(world: World) -> None:
    (local,) = book(world, [history(1, paid=2)])
    on = {"loanId": str(node_id("Loan", local)), "effectiveOn": "2026-06-10"}

    fee = change(world, "lender1", "chargeFee", BOOKED, **on, amount=amount(5_000), component="PENALTY", reason="late")
    written_off = change(world, "lender1", "chargeOffLoan", BOOKED, **on, reason="uncollectable")
    recovery = {"loanId": on["loanId"], "amount": amount(1_000), "receivedOn": "2026-06-11"}
    recovered = change(world, "lender1", "recordRecovery", BOOKED, **recovery)

    assert fee["record"]["kind"] == "FEE"
    assert (written_off["loan"]["status"], written_off["loan"]["outstanding"]["minor"]) == ("CHARGED_OFF", "0")
    assert recovered["record"]["kind"] == "RECOVERY"


def test_an_agreement_can_be_called_off_before_the_payout(world: World) -> None:
    loan = signed(world)

    done = change(world, "lender1", "cancelLoan", BOOKED, loanId=loan, effectiveOn="2026-06-15", reason="withdrawn")

    assert done["loan"]["status"] == "CANCELLED"


def test_a_referred_application_is_decided_by_another_person_than_submitted_it(world: World) -> None:
    world.underwriter.outcome = Outcome.REFER
    application = applied(world)["application"]["id"]
    word = {"applicationId": application, "override": "APPROVE"}

    same = change(world, "lender1", "decideApplication", "decision { outcome }", **word)
    other = change(world, "colleague1", "decideApplication", "decision { outcome decidedBy }", **word)

    assert (same["__typename"], same["code"]) == ("RuleRefused", "MAKER_IS_CHECKER")
    assert other["decision"] == {"outcome": "APPROVE", "decidedBy": "colleague1"}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"inputs": {"income": 0.5}}, "INPUT_INEXACT"),
        ({"inputs": []}, "FIGURES_INVALID"),
        ({"amount": {"minor": "1", "currency": "CNY"}}, "AMOUNT_OUT_OF_RANGE"),
        ({"amount": {"minor": "120000", "currency": "USD"}}, "CURRENCY_NOT_OFFERED"),
        ({"termMonths": 400}, "TERM_OUT_OF_RANGE"),
        ({"productId": str(node_id("Product", "nothing@1"))}, "PRODUCT_UNKNOWN"),
        ({"borrowerId": str(node_id("Borrower", "1." + "0" * 24)), "identity": None}, "BORROWER_UNKNOWN"),
    ],
)
def test_an_application_that_cannot_be_taken_is_refused_and_leaves_nothing(
    world: World, changed: dict[str, Any], code: str
) -> None:
    before = world.counts()

    assert applied(world, **changed)["code"] == code
    assert world.counts() == before


def test_a_claim_is_offered_accepted_and_booked_on_by_its_new_owner_alone(world: World) -> None:
    (local,) = book(world, [history(1)])
    mirror_everything(world)
    loan = {"loanId": str(node_id("Loan", local))}
    terms = {"toLenderId": str(node_id("Lender", 2)), "expiresAt": "2026-07-01T00:00:00Z", "price": amount(500_000)}

    offered = change(
        world, "lender1", "offerTransfer", "transfer { state price { minor } to { name } }", **loan, **terms
    )
    wrong = change(world, "lender3", "acceptTransfer", BOOKED, **loan)
    accepted = change(
        world, "lender2", "acceptTransfer", "loan { lender { name } } record { kind amount { minor } }", **loan
    )
    payment = {"amount": amount(1_000), "receivedOn": "2026-06-15"}
    seller = change(world, "lender1", "recordRepayment", BOOKED, **loan, **payment)
    buyer = change(world, "lender2", "recordRepayment", BOOKED, **loan, **payment)

    assert offered["transfer"] == {"state": "OFFERED", "price": {"minor": "500000"}, "to": {"name": "Lender 2"}}
    assert wrong["__typename"] == "NotFound"
    assert accepted["record"] == {"kind": "TRANSFER", "amount": {"minor": "500000"}}
    assert accepted["loan"] == {"lender": {"name": "Lender 2"}}
    assert (seller["__typename"], seller["code"]) == ("RuleRefused", "NOT_SERVICER")
    assert buyer["record"]["sequence"] == 13


@pytest.mark.parametrize(("who", "operation", "state"), [
    ("lender2", "refuseTransfer", "REFUSED"), ("lender1", "withdrawTransfer", "WITHDRAWN"),
])  # fmt: skip
def test_an_offer_is_ended_by_either_side(world: World, who: str, operation: str, state: str) -> None:
    (local,) = book(world, [history(1)])
    loan = {"loanId": str(node_id("Loan", local))}
    terms = {"toLenderId": str(node_id("Lender", 2)), "expiresAt": "2026-07-01T00:00:00Z"}
    change(world, "lender1", "offerTransfer", "transfer { state }", **loan, **terms)

    done = change(world, who, operation, "loan { id } transfer { state }", **loan)

    assert done["transfer"] == {"state": state}
    assert done["loan"] == ({"id": loan["loanId"]} if who == "lender1" else None)


def test_an_asset_secures_one_loan_at_a_time_over_all_lenders(world: World) -> None:
    (first,) = book(world, [history(1)])
    (second,) = book(world, [history(1, lender_id=2)], lender_id=2)
    asset = {"assetKind": "vehicle", "assetIdentifier": "lsv ae49l5 a2123456"}

    pledged = change(world, "lender1", "pledgeAsset", LIEN, loanId=str(node_id("Loan", first)), **asset)
    again = change(world, "lender2", "pledgeAsset", LIEN, loanId=str(node_id("Loan", second)), **asset)
    released = change(world, "lender1", "releaseAsset", LIEN, loanId=str(node_id("Loan", first)), **asset)
    free = change(world, "lender2", "pledgeAsset", LIEN, loanId=str(node_id("Loan", second)), **asset)

    assert pledged["lien"]["releasedAt"] is None
    assert (again["__typename"], again["code"]) == ("RuleRefused", "ASSET_ALREADY_PLEDGED")
    assert released["lien"]["releasedAt"] is not None
    assert free["lien"]["assetTag"] == pledged["lien"]["assetTag"]


LIEN = "lien { assetTag rank releasedAt loan { id } }"


def test_an_erased_borrower_has_no_name_left_and_the_heads_still_verify(world: World) -> None:
    loan = signed(world)
    change(world, "lender1", "cancelLoan", BOOKED, loanId=loan, effectiveOn="2026-06-15", reason="withdrawn")
    query = (
        "query ($id: ID!) { loan(id: $id) { borrower { id name idMasked erasedAt } records { edges { node {"
        " verification fields { name value redacted } } } } } }"
    )
    borrower = world.ask("lender1", query, {"id": loan}).data["loan"]["borrower"]["id"]

    done = change(
        world,
        "lender1",
        "eraseBorrower",
        "records borrower { name idMasked erasedAt }",
        borrowerId=borrower,
        reason="x",
    )
    mirror_everything(world)
    after = world.ask("lender1", query, {"id": loan}).data["loan"]

    assert done["records"] == 1
    assert (done["borrower"]["name"], done["borrower"]["idMasked"]) == (None, None)
    assert done["borrower"]["erasedAt"] is not None
    assert {edge["node"]["verification"] for edge in after["records"]["edges"]} == {"VERIFIED"}
    personal = [f for f in after["records"]["edges"][0]["node"]["fields"] if f["name"].startswith("borrower_")]
    assert [(field["value"], field["redacted"]) for field in personal] == [(None, True)] * 4


def test_two_changes_in_one_document_each_see_what_the_one_before_left(world: World) -> None:
    (local,) = book(world, [history(1)])
    loan = str(node_id("Loan", local))
    one = """recordRepayment(input: {idempotencyKey: "KEY", loanId: $id, receivedOn: "2026-06-15",
      amount: {minor: "10000", currency: "CNY"}}) {
        ... on RecordRepaymentPayload { record { sequence } loan { records(first: 1) { totalCount } } } }"""
    query = f"mutation ($id: ID!) {{ a: {one.replace('KEY', 'a')} b: {one.replace('KEY', 'b')} }}"

    data = world.ask("lender1", query, {"id": loan}).data

    assert [data[name]["record"]["sequence"] for name in "ab"] == [12, 13]
    assert [data[name]["loan"]["records"]["totalCount"] for name in "ab"] == [13, 14]
