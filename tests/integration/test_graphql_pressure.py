"""What one access key can do to the server: nothing that others would feel, and no fault without a code."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.asgi import _open
from app.auditing import evidence_of
from app.settings import Settings
from app.wiring import Registry
from audit.disclosure import DisclosureProfile
from chain.rpc import CallFailed, NodeUnreachable, Rpc
from compliance.key_store import KeyStoreUnreadable
from graphql_api import endpoint as module
from graphql_api.context import EVIDENCE_AT_ONCE, Limits
from graphql_api.infrastructure import NOT_AVAILABLE
from graphql_api.paging import encode_cursor
from graphql_api.types.node import node_id
from registry.domain.errors import RegistryError
from registry.storage.engine import open_engine
from tests.support.graphql_world import BINDING, World, book, history, make_world, mirror_everything

EVIDENCE = "{ loans(first: 20) { edges { node { evidence } } } }"
SUBMIT = """mutation ($input: SubmitApplicationInput!) { done: submitApplication(input: $input) { __typename
  ... on Refusal { code message retryable } } }"""
Receive = Callable[[], Awaitable[dict[str, Any]]]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


async def post(world: World, who: str, receive: Receive) -> tuple[int, dict[str, Any]]:
    """POST /graphql with a body that comes as `receive` gives it; the status and the answer."""
    headers = [
        (b"content-type", b"application/json"),
        (b"authorization", f"Bearer {world.tokens[who]}".encode()),
    ]
    scope = {
        "type": "http", "method": "POST", "path": "/graphql", "raw_path": b"/graphql", "query_string": b"",
        "headers": headers, "http_version": "1.1", "scheme": "http", "root_path": "", "client": None, "server": None,
        "asgi": {"version": "3.0"},
    }  # fmt: skip
    status, body = 0, b""

    async def send(message: Any) -> None:
        nonlocal status, body
        status = message.get("status", status)
        body += message.get("body", b"")

    await world.api(scope, receive, send)  # type: ignore[arg-type]
    return status, json.loads(body) if body else {}


def asked(query: str) -> Receive:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps({"query": query}).encode(), "more_body": False}

    return receive


def endless(seen: list[str] | None = None) -> Receive:
    """A body of which one part comes, and then nothing."""
    parts = iter([{"type": "http.request", "body": b"{", "more_body": True}])

    async def receive() -> dict[str, Any]:
        for part in parts:
            if seen is not None:
                seen.append("begun")
            return part
        await asyncio.Event().wait()
        raise AssertionError

    return receive


def code(body: Mapping[str, Any]) -> str:
    return str(body["errors"][0]["extensions"]["code"])


def endpoint(world: World) -> Any:
    return next(route.endpoint for route in world.api.routes if route.path == "/graphql").__self__  # type: ignore[attr-defined]


def evidence_by(world: World, make: Callable[[str, str], Mapping[str, Any]]) -> None:
    object.__setattr__(endpoint(world)._api, "evidence", make)


def test_a_body_that_never_ends_is_ended(world: World) -> None:
    world.serve(Limits(body_seconds=0.1))

    status, body = asyncio.run(asyncio.wait_for(post(world, "partner2", endless()), 5))

    assert (status, code(body)) == (408, "REQUEST_TIMEOUT")
    assert body["errors"][0]["extensions"]["retryable"] is True


def test_a_client_that_goes_away_is_no_fault_of_the_server(world: World) -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    status, body = asyncio.run(post(world, "lender1", gone))

    assert (status, body) == (499, {})


def test_a_key_has_its_places_gets_them_back_and_takes_none_of_others(world: World) -> None:
    world.serve(Limits(in_flight=2, body_seconds=0.5))

    async def crowd() -> list[Any]:
        begun: list[str] = []
        slow = [asyncio.create_task(post(world, "lender1", endless(begun))) for _ in range(2)]
        while len(begun) < 2:
            await asyncio.sleep(0.005)
        third = await post(world, "lender1", asked("{ viewer { name } }"))
        other = await post(world, "lender2", asked("{ viewer { name } }"))
        ended = await asyncio.gather(*slow)
        return [third, other, *ended, await post(world, "lender1", asked("{ viewer { name } }"))]

    third, other, *ended, after = asyncio.run(crowd())

    assert (third[0], code(third[1])) == (429, "TOO_MANY_REQUESTS")
    assert third[1]["errors"][0]["extensions"]["retryable"] is True
    assert other[1] == {"data": {"viewer": {"name": "lender2"}}}
    assert [status for status, _ in ended] == [408, 408]
    assert after[1] == {"data": {"viewer": {"name": "lender1"}}}


def test_others_are_answered_while_a_document_is_checked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    documents, others_done = endpoint(world)._documents, threading.Event()
    validated, waited = documents.validated, []

    def slow(text: str, document: Any) -> Any:
        if "slow" in text:
            waited.append(others_done.wait(10))
        return validated(text, document)

    monkeypatch.setattr(documents, "validated", slow)

    async def both() -> tuple[Any, Any]:
        first = asyncio.create_task(post(world, "lender1", asked("query slow { viewer { name } }")))
        await asyncio.sleep(0.05)
        other = await post(world, "lender2", asked("{ viewer { name } }"))
        others_done.set()
        return await first, other

    first, other = asyncio.run(both())

    assert waited == [True]
    assert (first[0], other[0]) == (200, 200)


@pytest.mark.parametrize(
    ("query", "is_beside"), [("{ __schema { queryType { name } } }", True), ("{ viewer { name } }", False)]
)
def test_the_schema_is_described_beside_the_event_loop(
    world: World, monkeypatch: pytest.MonkeyPatch, query: str, is_beside: bool
) -> None:
    execute, threads = module.execute, []

    def noted(*given: Any, **named: Any) -> Any:
        threads.append(threading.current_thread() is threading.main_thread())
        return execute(*given, **named)

    monkeypatch.setattr(module, "execute", noted)

    assert "data" in world.ask("lender1", query).body
    assert threads == [not is_beside]


def test_many_descriptions_of_the_schema_in_one_document_are_refused_at_once(world: World) -> None:
    fields = " ".join(f"a{i}: __schema {{ types {{ name }} }}" for i in range(200))

    started = time.perf_counter()
    reply = world.ask("partner2", f"{{ {fields} }}")

    assert reply.codes == ["QUERY_TOO_MANY_ALIASES"]
    assert time.perf_counter() - started < 1


def test_evidence_is_made_at_few_places_at_once(world: World) -> None:
    book(world, [history(number) for number in range(1, 9)])
    lock, now, most = threading.Lock(), 0, 0

    def counted(_loan: str, _profile: str) -> dict[str, Any]:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.05)
        with lock:
            now -= 1
        return {}

    evidence_by(world, counted)

    assert len(world.ask("lender1", EVIDENCE).data["loans"]["edges"]) == 8
    assert most == EVIDENCE_AT_ONCE


def test_evidence_of_a_hundred_loans_is_asked_in_parts(world: World) -> None:
    assert world.ask("auditor", EVIDENCE.replace("20", "100")).codes == ["QUERY_TOO_COSTLY"]


@pytest.fixture
def registry(world: World, tmp_path: Path) -> Registry:
    """A cold registry over the same database, with a pool of two connections and a node that does not answer."""
    cold = Registry(Settings(home=tmp_path / "home"))
    cold.__dict__["engine"] = open_engine(f"sqlite:///{tmp_path / 'registry.db'}", pool_size=1)
    cold.__dict__["rpc"] = Rpc("http://127.0.0.1:9", timeout_seconds=0.2)
    return cold


def test_cold_evidence_needs_one_connection_at_a_time(world: World, registry: Registry) -> None:
    (loan,) = book(world, [history(1)])
    mirror_everything(world)

    with registry.engine.connect(), pytest.raises(NodeUnreachable):  # one of the two is taken: one is left
        evidence_of(registry, loan, DisclosureProfile.AUDITOR)


def test_the_api_opens_its_chain_before_requests_come(registry: Registry) -> None:
    _open(registry)

    assert registry.__dict__["binding"] == BINDING


def test_the_api_starts_without_a_chain_and_says_so(tmp_path: Path) -> None:
    with capture_logs() as logs:
        _open(Registry(Settings(home=tmp_path / "empty")))

    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["chain_not_open"]


FAULTS = [
    NodeUnreachable("http://user:secret@10.1.2.3:8545/key", "connection to 10.1.2.3 refused"),
    CallFailed("eth_call", -32000, "secret revert 10.1.2.3", b""),
    KeyStoreUnreadable(Path("/secret/keys.sqlite3"), "disk 10.1.2.3 full"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.code)
def test_faults_of_the_installation_are_told_by_their_code_alone(world: World, fault: RegistryError) -> None:
    book(world, [history(1)])

    def broken(*_given: Any) -> Any:
        raise fault

    evidence_by(world, broken)
    world.underwriter.assess = broken  # type: ignore[method-assign]
    submitted = world.ask("lender1", SUBMIT.replace("... on Refusal", "... on SubmitApplicationPayload { application "
                          "{ id } } ... on Refusal"), {"input": application()}).data["done"]  # fmt: skip
    decide = """mutation ($input: DecideApplicationInput!) { done: decideApplication(input: $input) {
      ... on Refusal { code message } } }"""
    given = {"idempotencyKey": "d", "applicationId": submitted["application"]["id"]}

    with capture_logs() as logs:
        query = world.ask("lender1", EVIDENCE)
        mutation = world.ask("lender1", decide, {"input": given})

    assert (query.codes, query.body["errors"][0]["message"]) == ([fault.code], NOT_AVAILABLE)
    told = mutation.body["data"]["done"] if "errors" not in mutation.body else mutation.body["errors"][0]
    assert (told.get("code") or told["extensions"]["code"], told["message"]) == (fault.code, NOT_AVAILABLE)
    for word in ("10.1.2.3", "secret"):
        assert word not in f"{query.body}{mutation.body}"
    assert {entry["fault"] for entry in logs if entry["event"] == "graphql.unavailable"} == {str(fault)}


@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "2026-01-01T00:00:00",
        "2026-01-01",
        "0001-01-01T00:00:00+00:00",
    ],
)
@pytest.mark.parametrize("connection", ["applications", "transfers"])
def test_a_cursor_with_an_absurd_moment_is_refused(world: World, connection: str, moment: str) -> None:
    query = f"query ($after: String) {{ {connection}(after: $after) {{ totalCount }} }}"
    cursor = encode_cursor(connection, (moment, "1.0"))

    assert world.ask("lender1", query, {"after": cursor}).codes == ["CURSOR_INVALID"]


def test_a_cursor_with_a_nul_in_it_is_refused(world: World) -> None:
    query = "query ($after: String) { applications(after: $after) { totalCount } }"
    cursor = encode_cursor("applications", ("2026-01-01T00:00:00+00:00", "1.\x00"))

    assert world.ask("lender1", query, {"after": cursor}).codes == ["CURSOR_INVALID"]


def application(**changed: Any) -> dict[str, Any]:
    given = {
        "idempotencyKey": "key-1",
        "productId": str(node_id("Product", "consumer-cny@1")),
        "amount": {"minor": "1200000", "currency": "CNY"},
        "termMonths": 12,
        "purpose": "CONSUMPTION",
        "inputs": {"income": "5000.00"},
        "identity": {"name": "李雷", "kind": "PERSON", "identityKind": "PASSPORT", "number": "E98765432",
                     "bornOn": "1990-05-05"},
        "consents": [{"purpose": "CREDIT_CHECK", "textVersion": "2026-1"}],
    }  # fmt: skip
    return {**given, **changed}


def nested(levels: int) -> Any:
    value: Any = "1"
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("changed", "refused", "field"),
    [
        ({"inputs": nested(900)}, "INVALID_INPUT", "inputs"),
        ({"inputs": {f"f{i}": 1 for i in range(51)}}, "INVALID_INPUT", "inputs"),
        ({"inputs": {"income": "1" * 201}}, "TEXT_INVALID", "inputs"),
        ({"inputs": {"income": "1\x00"}}, "TEXT_INVALID", "inputs"),
        ({"externalReference": "x" * 121}, "TEXT_INVALID", "externalReference"),
        ({"externalReference": "REF\u202e1"}, "TEXT_INVALID", "externalReference"),
        ({"purpose": "x" * 61}, "TEXT_INVALID", "purpose"),
        ({"identity": {"name": "x\x1b[2J", "kind": "PERSON"}}, "TEXT_INVALID", "identity.name"),
        ({"consents": [{"purpose": f"P{i}", "textVersion": "1"} for i in range(21)]}, "INVALID_INPUT", "consents"),
        ({"idempotencyKey": "k\x00"}, "TEXT_INVALID", "idempotencyKey"),
        ({"idempotencyKey": "k" * 121}, "IDEMPOTENCY_KEY_INVALID", "idempotency key"),
        ({"idempotencyKey": "k" * 100_000}, "IDEMPOTENCY_KEY_INVALID", "idempotency key"),
    ],
)
def test_an_input_that_is_too_large_or_hides_characters_is_refused_and_leaves_nothing(
    world: World, changed: dict[str, Any], refused: str, field: str
) -> None:
    before = world.counts()

    answer = world.ask("lender1", SUBMIT, {"input": application(**changed)}).data["done"]

    assert (answer["__typename"], answer["code"], answer["retryable"]) == ("InvalidInput", refused, False)
    assert field in answer["message"]
    assert world.counts() == before


@pytest.mark.parametrize("levels", [10, 100, 900, 1_000, 1_020])
@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
def test_no_nesting_of_variables_is_an_internal_fault(world: World, levels: int, opening: str, closing: str) -> None:
    for field in ("inputs", "identity", "consents", "amount", "termMonths", "idempotencyKey"):
        body = json.dumps({"query": SUBMIT, "variables": {"input": application(**{field: "NESTED"})}})
        text = body.replace('"NESTED"', opening * levels + "1" + closing * levels)

        reply = world.post(text.encode(), "lender1", content_type="application/json")

        found = reply.codes or [reply.data["done"].get("code")]
        assert set(found) <= {"INVALID_INPUT", "GRAPHQL_INVALID", "FIGURES_INVALID", "BODY_MALFORMED"}, field


@pytest.mark.parametrize("levels", [10, 100, 400])
def test_no_nesting_of_arguments_is_an_internal_fault(world: World, levels: int) -> None:
    figures = "{a:" * levels + '"1"' + "}" * levels
    query = """mutation { done: submitApplication(input: {idempotencyKey: "k", productId: "x", termMonths: 1,
      purpose: "P", amount: {minor: "1", currency: "CNY"}, inputs: %s}) { ... on Refusal { code } } }"""

    reply = world.ask("lender1", query % figures)

    assert (reply.codes or [reply.data["done"]["code"]])[0] in {"INVALID_INPUT", "QUERY_TOO_DEEP"}
