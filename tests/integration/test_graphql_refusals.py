"""Bad requests: a clear error, a stable code, the right HTTP status, and nothing changed."""

from pathlib import Path
from typing import Any

import pytest
from graphql import get_introspection_query

from graphql_api.context import Limits, Readiness
from graphql_api.types.node import node_id
from registry.storage import access_keys
from tests.support.graphql_world import World, book, history, make_world, mirror_everything

REPAY = """mutation ($input: RecordRepaymentInput!) { recordRepayment(input: $input) { __typename
  ... on Refusal { code message retryable }
  ... on RecordRepaymentPayload { record { sequence amount { minor } } } } }"""
GRAPHQL = "application/graphql-response+json"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path)
    made.loans = book(made, [history(1), history(2)])  # type: ignore[attr-defined]
    mirror_everything(made)
    return made


def loan(world: World, number: int = 0) -> str:
    return str(node_id("Loan", world.loans[number]))  # type: ignore[attr-defined]


def repayment(world: World, **changed: Any) -> dict[str, Any]:
    given = {
        "idempotencyKey": "key-1",
        "loanId": loan(world),
        "amount": {"minor": "56500", "currency": "CNY"},
        "receivedOn": "2026-06-10",
    }
    return {"input": {**given, **changed}}


@pytest.mark.parametrize(
    ("changed", "kind", "code"),
    [
        ({"amount": {"minor": "100", "currency": "XXX"}}, "InvalidInput", "CURRENCY_UNKNOWN"),
        ({"amount": {"minor": "100", "currency": "USD"}}, "InvalidInput", "CURRENCY_MISMATCH"),
        ({"amount": {"minor": "-100", "currency": "CNY"}}, "InvalidInput", "AMOUNT_INVALID"),
        ({"amount": {"minor": "0", "currency": "CNY"}}, "InvalidInput", "AMOUNT_INVALID"),
        ({"amount": {"minor": "9" * 25, "currency": "CNY"}}, "InvalidInput", "AMOUNT_INVALID"),
        ({"amount": {"minor": "99999999", "currency": "CNY"}}, "RuleRefused", "REPAYMENT_EXCEEDS_OUTSTANDING"),
        ({"loanId": str(node_id("Loan", "1." + "0" * 24))}, "NotFound", "LOAN_UNKNOWN"),
        ({"loanId": "not an id"}, "InvalidInput", "ID_MALFORMED"),
        ({"loanId": str(node_id("Borrower", "1." + "0" * 24))}, "InvalidInput", "ID_MALFORMED"),
        ({"receivedOn": "2030-01-01"}, "InvalidInput", "DATE_NOT_ALLOWED"),
        ({"idempotencyKey": ""}, "InvalidInput", "IDEMPOTENCY_KEY_INVALID"),
    ],
)
def test_a_repayment_that_cannot_be_booked_is_refused_by_kind_and_code(
    world: World, changed: dict[str, Any], kind: str, code: str
) -> None:
    before = world.counts()

    reply = world.ask("lender1", REPAY, repayment(world, **changed))

    answer = reply.data["recordRepayment"]
    assert (reply.status, answer["__typename"], answer["code"]) == (200, kind, code)
    assert len(answer["message"]) > 20
    assert answer["retryable"] is False
    assert world.counts() == before


def test_a_loan_of_another_lender_looks_like_one_that_does_not_exist(world: World) -> None:
    before = world.counts()

    answer = world.ask("lender2", REPAY, repayment(world)).data["recordRepayment"]

    missing = "1." + "0" * 24
    unknown = world.ask("lender2", REPAY, repayment(world, loanId=str(node_id("Loan", missing))))
    assert (answer["__typename"], answer["code"]) == ("NotFound", "LOAN_UNKNOWN")
    local = world.loans[0]  # type: ignore[attr-defined]
    assert answer["message"].replace(local, missing) == unknown.data["recordRepayment"]["message"]
    assert world.counts() == before


def test_the_same_request_again_gets_the_first_answer_and_books_nothing(world: World) -> None:
    first = world.ask("lender1", REPAY, repayment(world)).data["recordRepayment"]
    before = world.counts()

    again = world.ask("colleague1", REPAY, repayment(world)).data["recordRepayment"]

    assert first == again == {
        "__typename": "RecordRepaymentPayload", "record": {"sequence": 12, "amount": {"minor": "56500"}}
    }  # fmt: skip
    assert world.counts() == before


@pytest.mark.parametrize(
    "changed", [{"amount": {"minor": "56501", "currency": "CNY"}}, {"receivedOn": "2026-06-11"}, {"channel": "CASH"}]
)
def test_a_reused_idempotency_key_with_another_body_is_refused(world: World, changed: dict[str, Any]) -> None:
    world.ask("lender1", REPAY, repayment(world))
    before = world.counts()

    answer = world.ask("lender1", REPAY, repayment(world, **changed)).data["recordRepayment"]

    assert (answer["__typename"], answer["code"]) == ("InvalidInput", "IDEMPOTENCY_KEY_REUSED")
    assert world.counts() == before


def test_one_bad_repayment_of_a_batch_refuses_the_whole(world: World) -> None:
    before = world.counts()
    query = """mutation ($input: RecordRepaymentsInput!) { recordRepayments(input: $input) { __typename
      ... on Refusal { code message } ... on RecordRepaymentsPayload { records { loan { id } sequence } } } }"""
    good = repayment(world)["input"]
    del good["idempotencyKey"]
    bad = {**good, "loanId": loan(world, 1), "amount": {"minor": "99999999", "currency": "CNY"}}

    answer = world.ask("lender1", query, {"input": {"idempotencyKey": "b", "repayments": [good, bad]}})

    refusal = answer.data["recordRepayments"]
    assert (refusal["__typename"], refusal["code"]) == ("RuleRefused", "REPAYMENT_EXCEEDS_OUTSTANDING")
    assert "Repayment 1 of the batch" in refusal["message"]
    assert world.counts() == before
    booked = world.ask("lender1", query, {"input": {"idempotencyKey": "c", "repayments": [good, good]}})
    assert [record["sequence"] for record in booked.data["recordRepayments"]["records"]] == [12, 13]


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{ loans(first: 101) { totalCount } }", {}, "PAGE_TOO_LARGE"),
        ("query ($n: Int) { loans(first: $n) { totalCount } }", {"n": 5000}, "PAGE_TOO_LARGE"),
        ("query ($n: Int = 101) { loans(last: $n) { totalCount } }", {}, "PAGE_TOO_LARGE"),
        ("{ loans(first: 100) { edges { node { records(first: 100) { edges { node { anchor { state } } } } } } } }", {},
         "QUERY_TOO_COSTLY"),
        ("{ a: viewer { name } " + " ".join(f"a{i}: viewer {{ name }}" for i in range(40)) + "}", {},
         "QUERY_TOO_MANY_ALIASES"),
        ("{ loans { edges { node " + "{ records { edges { node { loan " * 4 + "{ id }" + " } } } }" * 4 + " } } }", {},
         "QUERY_TOO_DEEP"),
        ("{" + " name" * 4000 + "}", {}, "QUERY_TOO_LONG"),
        ("{" + "a{" * 600 + "b" + "}" * 601, {}, "QUERY_TOO_DEEP"),
        ("{ loans ", {}, "GRAPHQL_SYNTAX"),
        ("{ nothing }", {}, "GRAPHQL_INVALID"),
        ("query ($n: Int!) { loans(first: $n) { totalCount } }", {"n": "many"}, "GRAPHQL_INVALID"),
        ('{ record(commitment: "0x12") { id } }', {}, "GRAPHQL_INVALID"),
        ('mutation { recordRepayment(input: {idempotencyKey: "k", loanId: "x", receivedOn: "2026-02-30", '
         'amount: {minor: "1", currency: "CNY"}}) { __typename } }', {}, "GRAPHQL_INVALID"),
        ('mutation { recordRepayment(input: {idempotencyKey: "k", loanId: "x", receivedOn: "2026-02-20", '
         'amount: {minor: "1.5", currency: "CNY"}}) { __typename } }', {}, "GRAPHQL_INVALID"),
    ],
)  # fmt: skip
def test_an_operation_that_cannot_run_is_200_with_json_and_400_with_the_graphql_type(
    world: World, query: str, variables: dict[str, Any], code: str
) -> None:
    before = world.counts()

    old, new = world.ask("lender1", query, variables), world.ask("lender1", query, variables, accept=GRAPHQL)

    assert (old.status, new.status) == (200, 400)
    assert set(old.codes) == set(new.codes) == {code}
    assert "data" not in new.body
    assert new.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    assert world.counts() == before


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ loans(first: 0) { totalCount } }", "PAGE_INVALID"),
        ("{ loans(first: 1, last: 1) { totalCount } }", "PAGE_INVALID"),
        ('{ loans(after: "bad") { totalCount } }', "CURSOR_INVALID"),
        ('{ node(id: "bad") { id } }', "ID_MALFORMED"),
        ('{ loan(id: "TG9hbjox") { id } }', "ID_MALFORMED"),
        ("{ loan { id } }", "PAGE_INVALID"),
        ('{ loans(filter: {currency: "XXX"}) { totalCount } }', "CURRENCY_UNKNOWN"),
    ],
)
def test_an_argument_that_makes_no_sense_is_a_coded_error_of_its_field(world: World, query: str, code: str) -> None:
    reply = world.ask("lender1", query)

    assert (reply.status, reply.codes) == (200, [code])
    assert reply.body["errors"][0]["path"]


def test_a_cursor_of_another_order_is_refused(world: World) -> None:
    page = world.ask("lender1", "{ loans(first: 1) { pageInfo { endCursor } } }").data["loans"]
    query = "query ($after: String) { loans(orderBy: LOAN_KEY_ASC, after: $after) { totalCount } }"

    assert world.ask("lender1", query, {"after": page["pageInfo"]["endCursor"]}).codes == ["CURSOR_INVALID"]


@pytest.mark.parametrize(
    ("who", "code"),
    [(None, "ACCESS_KEY_MISSING"), ("lrk_unknown", "ACCESS_KEY_REJECTED"), ("unlike", "ACCESS_KEY_REJECTED")],
)
def test_without_a_valid_key_the_answer_is_401(world: World, who: str | None, code: str) -> None:
    reply = world.ask(who, "{ viewer { name } }")

    assert (reply.status, reply.codes) == (401, [code])
    assert reply.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"query=%7Bviewer%7Bname%7D%7D", {"content_type": "application/x-www-form-urlencoded"}, 415,
         "CONTENT_TYPE_UNSUPPORTED"),
        (b"--x--", {"content_type": "multipart/form-data; boundary=x"}, 415, "CONTENT_TYPE_UNSUPPORTED"),
        (b"{}", {"content_type": "text/plain"}, 415, "CONTENT_TYPE_UNSUPPORTED"),
        (b"{", {"content_type": "application/json"}, 400, "BODY_MALFORMED"),
        (b"[]", {"content_type": "application/json"}, 400, "BODY_MALFORMED"),
        (b"{}", {"content_type": "application/json"}, 400, "BODY_MALFORMED"),
        (b"[" * 100_000, {"content_type": "application/json"}, 400, "BODY_MALFORMED"),
        (b'{"query": "' + b" " * 1_000_001 + b'"}', {"content_type": "application/json"}, 413, "BODY_TOO_LARGE"),
        (b"{}", {"content_type": "application/json", "accept": "text/html"}, 406, "NOT_ACCEPTABLE"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_graphql_request_is_told_so_by_its_status(
    world: World, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    reply = world.post(body, "lender1", **headers)

    assert (reply.status, reply.codes) == (status, [code])


def test_what_goes_wrong_inside_is_masked_with_a_request_id(world: World, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_loan: str, _profile: str) -> dict[str, Any]:
        raise ZeroDivisionError("secret 王小明")

    world.serve()
    endpoint = next(route.endpoint for route in world.api.routes if route.path == "/graphql")  # type: ignore[attr-defined]
    object.__setattr__(endpoint.__self__._api, "evidence", broken)
    reply = world.ask("lender1", "query ($id: ID!) { loan(id: $id) { id evidence } }", {"id": loan(world)})

    (error,) = reply.body["errors"]
    assert error["message"] == "Internal error"
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["extensions"]["requestId"] == reply.headers["x-request-id"]
    assert "王小明" not in str(reply.body)


def test_limits_are_settings(world: World) -> None:
    world.serve(Limits(depth=2, page_max=3))

    assert world.ask("lender1", "{ loans { edges { cursor } } }").codes == ["QUERY_TOO_DEEP"]
    assert world.ask("lender1", "{ loans(first: 4) { totalCount } }").codes == ["PAGE_TOO_LARGE"]
    assert world.ask("lender1", "{ loans(first: 3) { totalCount } }").data == {"loans": {"totalCount": 2}}


def test_introspection_works_within_the_limits(world: World) -> None:
    assert world.ask("lender1", get_introspection_query()).data["__schema"]["queryType"]["name"] == "Query"


def test_a_revoked_key_ends_at_once(world: World) -> None:
    with world.engine.begin() as connection:
        key = next(key for key in access_keys.listed(connection) if key.name == "lender3")
        access_keys.revoke(connection, key.id, world.clock.now())

    assert world.ask("lender3", "{ viewer { name } }").status == 401
    assert world.ask("lender1", "{ viewer { name } }").status == 200


def test_health_metrics_and_the_redirect_need_no_key(world: World) -> None:
    assert world.get("/livez")[0] == 200
    assert world.get("/readyz")[0] == 200
    world.readiness = Readiness({"database": None, "indexer": "300 seconds behind"})
    status, text, _ = world.get("/readyz")
    assert status == 503
    assert "300 seconds behind" in text
    assert 'loan_registry_http_requests_total{route="/readyz",status="503"} 1.0' in world.get("/metrics")[1]
    assert world.get("/")[2]["location"] == "/graphiql"


@pytest.mark.parametrize("path", ["../page.js", "..%2f..%2fcontext.py", "react.js%2f..", "package.json", "/etc/passwd"])
def test_assets_are_names_on_a_list_and_never_paths(world: World, path: str) -> None:
    assert world.get(f"/assets/graphiql/{path}")[0] == 404


def test_the_query_page_allows_nothing_from_other_hosts(world: World) -> None:
    status, _, headers = world.get("/assets/graphiql/page.js")

    assert status == 200
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
