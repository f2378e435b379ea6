"""What the GraphQL API answers about loans, records, anchors and the whole, asked over HTTP."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graphql_api.types.node import node_id
from tests.support.graphql_world import World, book, history, make_world, mirror_everything, tamper
from tests.support.postgres import PostgresServer, postgres

__all__ = ["postgres"]

EVERYTHING = """
query Page($first: Int) {
  loans(first: $first) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { cursor node {
      id loanKey status lender { name } servicer { name } product { code }
      borrower { name idMasked consents { purpose } }
      outstanding { minor currency text } daysPastDue assetClass head headOnChain verification verifiedAt
      anchor { state blockNumber confirmations } liens { assetTag anchor { state } } transfer { expiresAt }
      decision { outcome score { points contributions { feature effect } } checks { rule result }
                 reasons { code text } receipt { anchor { state } } }
      schedule { number dueOn paid { minor } }
      records(first: 10) { totalCount edges { node {
        sequence kind amount { minor } allocation { principal { minor } } commitment headAfter
        anchor { state transactionHash blockTime } verification fields { name redacted digest } reverses { sequence }
      } } }
    } }
  }
}
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    url = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    made = make_world(tmp_path, url)
    yield made
    made.engine.dispose()


def loan_id(local: str) -> str:
    return str(node_id("Loan", local))


@pytest.mark.parametrize("query", [EVERYTHING])
def test_a_page_of_loans_takes_the_same_number_of_statements_whatever_its_size(world: World, query: str) -> None:
    book(world, [history(number) for number in range(50)])
    mirror_everything(world)
    counted = {}
    for size in (5, 50):
        reply = world.ask("lender1", query, {"first": size})
        assert len(reply.data["loans"]["edges"]) == size
        assert len(reply.data["loans"]["edges"][0]["node"]["records"]["edges"]) == 10
        counted[size] = len(world.statements)

    assert counted[5] == counted[50]


def test_one_query_tells_a_loan_with_records_anchors_score_and_checks(world: World) -> None:
    (local,) = book(world, [history(1)])
    mirror_everything(world)

    page = world.ask("lender1", EVERYTHING, {"first": 1}).data["loans"]

    loan = page["edges"][0]["node"]
    assert page["totalCount"] == 1
    assert loan["id"] == loan_id(local)
    assert loan["verification"] == "VERIFIED"
    assert loan["head"] == loan["headOnChain"]
    assert loan["borrower"] == {
        "name": "王小明1", "idMasked": "E*********01", "consents": [{"purpose": "CREDIT_CHECK"}]
    }  # fmt: skip
    assert loan["decision"]["score"]["points"] == 640
    assert loan["decision"]["checks"] == [{"rule": "rate_cap", "result": "PASS"}]
    assert [edge["node"]["sequence"] for edge in loan["records"]["edges"]] == list(range(10))
    assert loan["records"]["totalCount"] == 12
    states = [edge["node"]["anchor"]["state"] for edge in loan["records"]["edges"]]
    assert states == ["FINAL"] * 6 + ["ANCHORED"] * 4


def test_a_record_altered_in_the_file_shows_as_a_mismatch_at_once(world: World) -> None:
    (local,) = book(world, [history(1)])
    mirror_everything(world)
    tamper(world, local, 3, amount_minor=1)

    query = "query ($id: ID!) { loan(id: $id) { records(first: 5) { edges { node { verification } } } } }"
    edges = world.ask("auditor", query, {"id": loan_id(local)}).data["loan"]["records"]["edges"]

    assert [edge["node"]["verification"] for edge in edges] == ["VERIFIED"] * 3 + ["MISMATCH", "VERIFIED"]


def test_a_loan_whose_newest_record_is_not_mirrored_is_not_yet_verified(world: World) -> None:
    (local,) = book(world, [history(1)])
    mirror_everything(world, skip_last=1)

    query = "query ($id: ID!) { loan(id: $id) { verification anchor { state } head headOnChain } }"
    loan = world.ask("lender1", query, {"id": loan_id(local)}).data["loan"]

    assert loan["verification"] == "NOT_YET"
    assert loan["anchor"]["state"] == "QUEUED"
    assert loan["head"] != loan["headOnChain"]


@pytest.mark.parametrize("state", ["VERIFIED", "NOT_YET", "MISMATCH"])
def test_the_verification_filter_finds_exactly_the_loans_in_that_state(world: World, state: str) -> None:
    ids = book(world, [history(number) for number in range(3)])
    mirror_everything(world)
    tamper(world, ids[1], 11, head=b"\x09" * 32)
    query = """query ($state: Verification!) { loans(filter: {verification: [$state]}) { totalCount
               edges { node { id verification } } } }"""

    page = world.ask("lender1", query, {"state": state}).data["loans"]

    wanted = {"VERIFIED": [ids[0], ids[2]], "MISMATCH": [ids[1]], "NOT_YET": []}[state]
    assert sorted(edge["node"]["id"] for edge in page["edges"]) == sorted(map(loan_id, wanted))
    assert {edge["node"]["verification"] for edge in page["edges"]} <= {state}
    assert page["totalCount"] == len(wanted)


ORDERS = [
    "DISBURSED_ON_ASC", "DISBURSED_ON_DESC", "OUTSTANDING_ASC", "OUTSTANDING_DESC", "DAYS_PAST_DUE_DESC", "LOAN_KEY_ASC"
]  # fmt: skip


@pytest.mark.parametrize("order", ORDERS)
def test_paging_forward_and_backward_shows_every_loan_once_in_one_order(world: World, order: str) -> None:
    book(world, [history(number, paid=number % 4) for number in range(9)])
    query = """query ($order: LoanOrder, $first: Int, $after: String, $last: Int, $before: String) {
      loans(orderBy: $order, first: $first, after: $after, last: $last, before: $before) {
        edges { node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

    forward: list[str] = []
    given: dict[str, Any] = {"first": 4}
    while True:
        page = world.ask("lender1", query, {"order": order, **given}).data["loans"]
        forward += [edge["node"]["id"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        given = {"first": 4, "after": page["pageInfo"]["endCursor"]}
    backward: list[str] = []
    given = {"last": 4}
    while True:
        page = world.ask("lender1", query, {"order": order, **given}).data["loans"]
        backward = [edge["node"]["id"] for edge in page["edges"]] + backward
        if not page["pageInfo"]["hasPreviousPage"]:
            break
        given = {"last": 4, "before": page["pageInfo"]["startCursor"]}

    assert len(set(forward)) == 9
    assert forward == backward


def test_figures_of_a_past_day_are_replayed_and_those_of_today_come_from_columns(world: World) -> None:
    (local,) = book(world, [history(1)])
    query = """query ($id: ID!) { loan(id: $id) {
      now: outstanding { minor } today: outstanding(asOf: "2026-06-15") { minor }
      start: outstanding(asOf: "2025-03-15") { minor } before: outstanding(asOf: "2025-02-15") { minor }
      late: daysPastDue thenLate: daysPastDue(asOf: "2025-06-15") assetClass then: assetClass(asOf: "2025-06-15") } }"""

    loan = world.ask("lender1", query, {"id": loan_id(local)}).data["loan"]

    assert loan["now"] == loan["today"]
    assert int(loan["now"]["minor"]) < 1_200_000
    assert loan["start"] == {"minor": "1200000"}
    assert loan["before"] == {"minor": "0"}
    assert loan["late"] == 134  # the instalment of 2026-02-01 is unpaid on 2026-06-15
    assert (loan["thenLate"], loan["then"]) == (0, "NORMAL")
    assert loan["assetClass"] == "SUBSTANDARD"


def test_the_portfolio_adds_up_today_and_the_replay_of_today_gives_the_same(world: World) -> None:
    book(world, [history(number, paid=number) for number in range(6)])
    query = """query ($on: Date) { portfolio(asOf: $on) { loans outstanding { minor currency }
      byAssetClass { key loans outstanding { minor } share } byDaysPastDue { key loans } byProduct { key loans }
      vintages { month loans cumulativeDefaultRate } concentration } }"""

    today = world.ask("lender1", query).data["portfolio"]
    world.clock.at = world.clock.at.replace(day=16)
    replayed = world.ask("lender1", query, {"on": "2026-06-15"}).data["portfolio"]

    assert today["loans"] == 6
    assert sum(bucket["loans"] for bucket in today["byAssetClass"]) == 6
    assert sum(int(bucket["outstanding"]["minor"]) for bucket in today["byAssetClass"]) == int(
        today["outstanding"][0]["minor"]
    )
    assert today["vintages"][0]["month"] == "2025-03"
    assert today["vintages"][0]["cumulativeDefaultRate"] == sorted(today["vintages"][0]["cumulativeDefaultRate"])
    assert len(today["vintages"][0]["cumulativeDefaultRate"]) == 16
    assert replayed == today


def test_the_outbox_lists_what_is_not_on_chain_in_the_order_it_was_queued(world: World) -> None:
    book(world, [history(1), history(2)])
    mirror_everything(world, skip_last=2)
    query = "{ outbox(first: 3) { totalCount edges { node { sequence anchor { state } } } pageInfo { hasNextPage } } }"

    page = world.ask("lender1", query).data["outbox"]

    assert page["totalCount"] == 4
    assert [edge["node"]["sequence"] for edge in page["edges"]] == [10, 11, 10]
    assert page["pageInfo"]["hasNextPage"]
    assert world.ask("lender2", query).data["outbox"]["totalCount"] == 0


def test_the_chain_tells_where_it_stands_and_without_a_mirror_that_nothing_is_indexed(world: World) -> None:
    query = "{ chain { chainId contract head indexed final queued oldestQueuedSeconds digest } }"

    assert world.ask("lender1", query).codes == ["NOT_INDEXED"]
    book(world, [history(1)])
    mirror_everything(world)
    chain = world.ask("lender1", query).data["chain"]

    assert (chain["chainId"], chain["indexed"], chain["final"]) == ("31337", "112", "100")
    assert chain["contract"] == "0x" + "02" * 20
    assert chain["queued"] == 12
    assert world.ask("lender2", query).data["chain"]["queued"] == 0


def test_every_node_is_found_again_by_its_global_id(world: World) -> None:
    book(world, [history(1)])
    mirror_everything(world)
    query = """{ lenders { id } products { id } loans { edges { node { id borrower { id consents { id } }
      decision { id } records { edges { node { id } } } } } } applications { edges { node { id } } } }"""
    data = world.ask("lender1", query).data
    loan = data["loans"]["edges"][0]["node"]
    ids = [lender["id"] for lender in data["lenders"]] + [product["id"] for product in data["products"]]
    ids += [loan["id"], loan["borrower"]["id"], loan["borrower"]["consents"][0]["id"], loan["decision"]["id"]]
    ids += [edge["node"]["id"] for edge in loan["records"]["edges"] + data["applications"]["edges"]]

    found = world.ask("lender1", "query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", {"ids": ids}).data

    assert [node["id"] for node in found["nodes"]] == ids


def test_evidence_is_made_for_the_loan_and_profile_asked_for(world: World) -> None:
    (local,) = book(world, [history(1)])
    query = "query ($id: ID!) { loan(id: $id) { evidence(profile: PARTNER) } }"

    evidence = world.ask("lender1", query, {"id": loan_id(local)}).data["loan"]["evidence"]

    assert evidence == {"format": "evidence", "loan": local, "profile": "PARTNER"}
    assert world.evidence_asked == [(local, "PARTNER")]
