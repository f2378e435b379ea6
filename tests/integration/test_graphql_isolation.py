"""What one key may see: every field and connection is walked with another lender's ids."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from graphql_api.types.node import node_id
from registry.domain.access import Actor, Request, Role
from registry.services.pledge_asset import Asset
from registry.services.transfer_control import Offer, offer_transfer
from registry.storage.unit_of_work import SqlUnitOfWork
from tests.support.graphql_world import NOW, World, book, history, make_world, mirror_everything

HIDDEN = """query ($id: ID!, $key: Bytes32!, $commitment: Bytes32!, $application: ID!, $ids: [ID!]!) {
  loan(id: $id) { id }
  byKey: loan(loanKey: $key) { id }
  record(commitment: $commitment) { id }
  application(id: $application) { id }
  nodes(ids: $ids) { id }
  loans { totalCount edges { node { id } } }
  searched: loans(filter: {search: "REF-1"}) { totalCount edges { node { id } } }
  applications { totalCount edges { node { id } } }
  outbox { totalCount edges { node { id } } }
  transfers { totalCount }
  sent: transfers(incoming: false) { totalCount }
  portfolio { loans outstanding { minor } byProduct { key } vintages { month } concentration }
  past: portfolio(asOf: "2026-01-01") { loans }
  findings { id }
}"""
EVERYTHING_OF_LENDER_1 = """{
  loans { edges { node { id loanKey borrower { id consents { id } } decision { id } liens { id }
    records { edges { node { id commitment } } } } } }
  applications { edges { node { id } } }
}"""
LOAN = """query ($id: ID!) { loan(id: $id) { id outstanding { minor } borrower { id name idMasked } decision { id }
  records(first: 1) { edges { node { fields { name value redacted } } } } } }"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path)
    book(made, [history(1, asset=Asset("VEHICLE", "LSVAE49L5A2123456")), history(2)])
    book(made, [history(1, lender_id=2)], lender_id=2)
    mirror_everything(made)
    return made


def known_to_lender_1(world: World) -> dict[str, Any]:
    data = world.ask("lender1", EVERYTHING_OF_LENDER_1).data
    loan = next(edge["node"] for edge in data["loans"]["edges"] if edge["node"]["liens"])
    record, application = loan["records"]["edges"][0]["node"], data["applications"]["edges"][0]["node"]
    ids = [loan["id"], loan["borrower"]["id"], loan["borrower"]["consents"][0]["id"], loan["decision"]["id"]]
    ids += [loan["liens"][0]["id"], record["id"], application["id"]]
    return {
        "id": loan["id"],
        "key": loan["loanKey"],
        "commitment": record["commitment"],
        "application": application["id"],
        "ids": ids,
    }


@pytest.mark.parametrize("who", ["lender3", "administrator"])
def test_a_key_without_a_right_to_a_loan_finds_nothing_of_it_anywhere(world: World, who: str) -> None:
    known = known_to_lender_1(world)

    data = world.ask(who, HIDDEN, known).data

    nothing = {"totalCount": 0, "edges": []}
    assert data["nodes"] == [None] * 7
    for field in ("loan", "byKey", "record", "application"):
        assert data[field] is None
    for field in ("loans", "searched", "applications", "outbox"):
        assert data[field] == nothing
    assert data["portfolio"] == {"loans": 0, "outstanding": [], "byProduct": [], "vintages": [], "concentration": {}}
    assert data["past"] == {"loans": 0}
    assert (data["transfers"], data["sent"], data["findings"]) == ({"totalCount": 0}, {"totalCount": 0}, [])


def test_another_lender_sees_only_its_own_loans(world: World) -> None:
    known = known_to_lender_1(world)

    data = world.ask("lender2", HIDDEN, known).data

    assert data["nodes"] == [None] * 7
    assert (data["loan"], data["byKey"], data["record"], data["application"]) == (None, None, None, None)
    assert data["loans"]["totalCount"] == data["applications"]["totalCount"] == data["portfolio"]["loans"] == 1
    assert data["searched"]["totalCount"] == 0
    assert known["id"] not in [edge["node"]["id"] for edge in data["loans"]["edges"]]


MUTATIONS = {
    "disburseLoan": '{idempotencyKey: "k", loanId: $loan, amount: {minor: "1200000", currency: "CNY"}, '
    'disbursedOn: "2026-06-01"}',
    "recordRepayment": '{idempotencyKey: "k", loanId: $loan, amount: {minor: "1", currency: "CNY"}, '
    'receivedOn: "2026-06-01"}',
    "recordRepayments": '{idempotencyKey: "k", repayments: [{loanId: $loan, amount: {minor: "1", currency: "CNY"}, '
    'receivedOn: "2026-06-01"}]}',
    "reverseRecord": '{idempotencyKey: "k", recordId: $record, effectiveOn: "2026-06-01", reason: "r"}',
    "settleLoan": '{idempotencyKey: "k", loanId: $loan, effectiveOn: "2026-06-01", reason: "r"}',
    "chargeOffLoan": '{idempotencyKey: "k", loanId: $loan, effectiveOn: "2026-06-01", reason: "r"}',
    "recordRecovery": '{idempotencyKey: "k", loanId: $loan, amount: {minor: "1", currency: "CNY"}, '
    'receivedOn: "2026-06-01"}',
    "cancelLoan": '{idempotencyKey: "k", loanId: $loan, effectiveOn: "2026-06-01", reason: "r"}',
    "reopenLoan": '{idempotencyKey: "k", loanId: $loan, effectiveOn: "2026-06-01", reason: "r"}',
    "chargeFee": '{idempotencyKey: "k", loanId: $loan, amount: {minor: "1", currency: "CNY"}, '
    'effectiveOn: "2026-06-01", component: FEE}',
    "offerTransfer": '{idempotencyKey: "k", loanId: $loan, toLenderId: $lender, expiresAt: "2026-07-01T00:00:00Z"}',
    "acceptTransfer": '{idempotencyKey: "k", loanId: $loan}',
    "refuseTransfer": '{idempotencyKey: "k", loanId: $loan}',
    "withdrawTransfer": '{idempotencyKey: "k", loanId: $loan}',
    "pledgeAsset": '{idempotencyKey: "k", loanId: $loan, assetKind: "VEHICLE", assetIdentifier: "VIN-9"}',
    "releaseAsset": '{idempotencyKey: "k", loanId: $loan, assetKind: "VEHICLE", assetIdentifier: "LSVAE49L5A2123456"}',
    "decideApplication": '{idempotencyKey: "k", applicationId: $application}',
    "signAgreement": '{idempotencyKey: "k", applicationId: $application, disburseOn: "2026-06-01", '
    'firstDueOn: "2026-07-01"}',
    "eraseBorrower": '{idempotencyKey: "k", borrowerId: $borrower, reason: "r"}',
    "submitApplication": '{idempotencyKey: "k", productId: $product, amount: {minor: "500000", currency: "CNY"}, '
    'termMonths: 12, purpose: "CONSUMPTION", inputs: {}, borrowerId: $borrower}',
}
_TYPES = {"loan": "Loan", "record": "LoanRecord", "application": "Application", "borrower": "Borrower"}


def change(world: World, who: str, operation: str, known: dict[str, Any]) -> dict[str, Any]:
    body = MUTATIONS[operation]
    values = {
        "loan": known["id"], "record": known["ids"][5], "application": known["application"],
        "borrower": known["ids"][1], "lender": str(node_id("Lender", 2)),
        "product": str(node_id("Product", "consumer-cny@1")),
    }  # fmt: skip
    used = {name: value for name, value in values.items() if f"${name}" in body}
    declared = ", ".join(f"${name}: ID!" for name in used)
    query = f"mutation ({declared}) {{ done: {operation}(input: {body}) {{ __typename ... on Refusal {{ code }} }} }}"
    answer: dict[str, Any] = world.ask(who, query, used).data["done"]
    return answer


@pytest.mark.parametrize("operation", MUTATIONS)
def test_another_lender_can_change_nothing_and_does_not_learn_that_the_thing_exists(
    world: World, operation: str
) -> None:
    known, before = known_to_lender_1(world), world.counts()

    answer = change(world, "lender3", operation, known)

    assert answer["__typename"] == "NotFound"
    assert world.counts() == before


@pytest.mark.parametrize("who", ["auditor", "partner2", "administrator"])
@pytest.mark.parametrize("operation", MUTATIONS)
def test_only_keys_of_lenders_write(world: World, operation: str, who: str) -> None:
    known, before = known_to_lender_1(world), world.counts()

    answer = change(world, who, operation, known)

    assert answer["__typename"] in {"RuleRefused", "NotFound"}
    if answer["__typename"] == "RuleRefused":
        assert answer["code"] == "NOT_PERMITTED"
    assert world.counts() == before


def test_every_mutation_of_the_schema_is_walked(world: World) -> None:
    query = '{ __type(name: "Mutation") { fields { name } } }'

    assert {field["name"] for field in world.ask("lender1", query).data["__type"]["fields"]} == set(MUTATIONS)


def test_an_auditor_sees_every_loan_but_nobody_in_clear(world: World) -> None:
    known = known_to_lender_1(world)

    data = world.ask("auditor", LOAN, known).data["loan"]

    assert world.ask("auditor", "{ loans { totalCount } }").data["loans"]["totalCount"] == 3
    assert data["borrower"]["name"] is None
    assert data["borrower"]["idMasked"].count("*") > 5
    personal = [one for one in data["records"]["edges"][0]["node"]["fields"] if one["name"].startswith("borrower_")]
    assert len(personal) == 4
    assert all(one["redacted"] and one["value"] is None for one in personal)
    assert data["decision"] is not None


def offer(world: World, loan_id: str, days: int = 10) -> None:
    given = Offer(loan_id, 2, NOW + timedelta(days=days))
    request = Request(Actor("seller", Role.LENDER, 1), "offerTransfer", f"offer-{loan_id}", bytes(32))
    offer_transfer(SqlUnitOfWork(world.engine), given, request, world.facilities)


@pytest.mark.parametrize("who", ["lender2", "partner2"])
def test_an_offered_loan_is_shown_to_the_buyer_without_its_borrower_until_the_offer_expires(
    world: World, who: str
) -> None:
    (local,) = book(world, [history(7)])
    loan = {"id": str(node_id("Loan", local))}
    assert world.ask(who, LOAN, loan).data["loan"] is None

    offer(world, local)

    shown = world.ask(who, LOAN, loan).data["loan"]
    assert shown["outstanding"]["minor"] == world.ask("lender1", LOAN, loan).data["loan"]["outstanding"]["minor"]
    assert (shown["borrower"], shown["decision"]) == (None, None)
    fields = shown["records"]["edges"][0]["node"]["fields"]
    assert {one["name"]: one["redacted"] for one in fields}["borrower_name"]
    assert world.ask(who, "{ transfers { totalCount edges { node { loan { id } } } } }").data["transfers"] == {
        "totalCount": 1,
        "edges": [{"node": {"loan": loan}}],
    }
    assert world.ask("lender3", LOAN, loan).data["loan"] is None
    refused = world.ask(who, "query ($id: ID!) { loan(id: $id) { evidence(profile: AUDITOR) } }", loan)
    assert refused.codes == ["NOT_PERMITTED"]
    world.clock.at += timedelta(days=11)
    assert world.ask(who, LOAN, loan).data["loan"] is None


def test_a_lender_that_took_a_loan_over_sees_its_borrower_and_the_partner_key_does_not(world: World) -> None:
    (local,) = book(world, [history(7)])
    offer(world, local)
    query = """mutation ($id: ID!) { acceptTransfer(input: {idempotencyKey: "a", loanId: $id}) { __typename
      ... on AcceptTransferPayload { loan { lender { number } servicer { number } } record { kind } } } }"""
    loan = {"id": str(node_id("Loan", local))}

    accepted = world.ask("lender2", query, loan).data["acceptTransfer"]

    assert accepted["record"] == {"kind": "TRANSFER"}
    assert accepted["loan"] == {"lender": {"number": 2}, "servicer": {"number": 2}}
    assert world.ask("lender2", LOAN, loan).data["loan"]["borrower"]["name"] == "王小明7"
    assert world.ask("partner2", LOAN, loan).data["loan"]["borrower"] is None


def test_the_viewer_is_told_who_it_is(world: World) -> None:
    query = "{ viewer { name role lender { name } permissions } }"

    assert world.ask("partner2", query).data["viewer"] == {
        "name": "partner2", "role": "PARTNER", "lender": {"name": "Lender 2"}, "permissions": ["READ_SHARED_LOANS"]
    }  # fmt: skip
    assert world.ask("administrator", query).data["viewer"]["lender"] is None
