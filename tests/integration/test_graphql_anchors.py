"""How far a record has come, as the API derives it from rows of relay and mirror written here by hand."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from chain.tables import relay_items, relay_transactions
from graphql_api.types.node import node_id
from indexer.tables import mirror_blocks, mirror_events
from registry.domain.access import Actor, Request, Role
from registry.services.pledge_asset import Asset
from registry.services.transfer_control import Offer, offer_transfer
from registry.storage.tables import outbox
from registry.storage.unit_of_work import SqlUnitOfWork
from tests.support.graphql_world import FINAL, HEAD, NOW, World, book, history, make_world, mirror_everything

SENDER = b"\x0a" * 20
RECORDS = """query ($id: ID!) { loan(id: $id) { records(first: 20) { edges { node { sequence anchor {
  state transactionHash blockNumber blockTime logIndex confirmations refusal nextAttemptAt
  blockedBy { sequence loan { id } } } } } } } }"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def put_item(world: World, loan_id: str, sequence: int, state: str, **values: Any) -> int:
    """Write what the relay knows of a record's outbox entry; its position."""
    with world.engine.begin() as connection:
        entry = outbox.c.loan_id == loan_id, outbox.c.sequence == sequence
        position: int = connection.execute(select(outbox.c.position).where(*entry)).scalar_one()
        row = {"lender_id": 1, "position": position, "state": state, "attempts": 1, **values}
        connection.execute(insert(relay_items), row)
    return position


def put_transaction(world: World, nonce: int, state: str, **values: Any) -> bytes:
    row = {
        "lender_id": 1, "sender": SENDER, "nonce": nonce, "transaction_hash": nonce.to_bytes(32, "big"), "raw": b"",
        "state": state, "attempts": 1, "signed_at": NOW, **values,
    }  # fmt: skip
    with world.engine.begin() as connection:
        connection.execute(insert(relay_transactions), row)
    return nonce.to_bytes(32, "big")


def anchors(world: World, loan_id: str) -> dict[int, dict[str, Any]]:
    data = world.ask("lender1", RECORDS, {"id": str(node_id("Loan", loan_id))}).data
    return {edge["node"]["sequence"]: edge["node"]["anchor"] for edge in data["loan"]["records"]["edges"]}


def test_a_record_nobody_has_taken_up_is_queued(world: World) -> None:
    (loan,) = book(world, [history(1, paid=1)])

    anchor = anchors(world, loan)[0]

    assert anchor.pop("state") == "QUEUED"
    assert set(anchor.values()) == {None}


@pytest.mark.parametrize(
    ("transaction", "state"),
    [("SIGNED", "QUEUED"), ("SENT", "SENT"), ("MINED", "SENT"), ("FINAL", "SENT"), ("DISPLACED", "QUEUED")],
)
def test_a_record_in_a_transaction_is_sent_once_the_transaction_is_and_anchored_only_by_the_mirror(
    world: World, transaction: str, state: str
) -> None:
    (loan,) = book(world, [history(1, paid=1)])
    hashed = put_transaction(world, 7, transaction, next_attempt_at=NOW)
    put_item(world, loan, 0, "ASSIGNED", sender=SENDER, nonce=7)

    anchor = anchors(world, loan)[0]

    assert (anchor["state"], anchor["transactionHash"]) == (state, f"0x{hashed.hex()}")
    assert anchor["nextAttemptAt"] == "2026-06-15T12:00:00Z"


def test_a_mirrored_record_is_final_up_to_the_final_block_and_counts_its_confirmations(world: World) -> None:
    (loan,) = book(world, [history(1)])
    mirror_everything(world)

    found = anchors(world, loan)

    for sequence, anchor in found.items():
        block = 95 + sequence
        assert anchor["state"] == ("FINAL" if block <= FINAL else "ANCHORED")
        assert (anchor["blockNumber"], anchor["logIndex"]) == (str(block), sequence)
        assert anchor["confirmations"] == HEAD - block + 1
        assert anchor["blockTime"].endswith("Z")


@pytest.mark.parametrize(("seen_at", "state"), [(FINAL, "REFUSED"), (FINAL + 1, "QUEUED")])
def test_a_refusal_is_shown_as_such_only_once_its_block_is_final(world: World, seen_at: int, state: str) -> None:
    (loan,) = book(world, [history(1, paid=2)])
    mirror_everything(world, skip_last=2)
    refusal = "NotServicer(0x01, 1, 2)"
    culprit = put_item(world, loan, 2, "REFUSED", refusal=refusal, refusal_name="NotServicer", refused_block=seen_at)
    put_item(world, loan, 3, "BLOCKED", blocked_by=culprit)

    found = anchors(world, loan)

    assert (found[2]["state"], found[2]["refusal"]) == (state, refusal)
    assert found[3]["state"] == "QUEUED"
    assert found[3]["blockedBy"] == {"sequence": 2, "loan": {"id": str(node_id("Loan", loan))}}


def test_a_refused_record_that_is_in_the_mirror_after_all_is_anchored(world: World) -> None:
    (loan,) = book(world, [history(1)])
    mirror_everything(world)
    put_item(world, loan, 2, "REFUSED", refusal="x", refusal_name="x", refused_block=FINAL)

    assert anchors(world, loan)[2]["state"] == "FINAL"
    assert anchors(world, loan)[2]["refusal"] is None


def test_the_outbox_finds_records_by_how_far_they_have_come(world: World) -> None:
    (loan,) = book(world, [history(1, paid=2)])
    mirror_everything(world, skip_last=2)
    put_item(world, loan, 2, "REFUSED", refusal="x", refusal_name="x", refused_block=FINAL)
    query = "query ($state: [AnchorState!]) { outbox(state: $state) { totalCount edges { node { sequence } } } }"

    found = {
        state: [
            edge["node"]["sequence"] for edge in world.ask("lender1", query, {"state": [state]}).data["outbox"]["edges"]
        ]
        for state in ("QUEUED", "SENT", "ANCHORED", "FINAL", "REFUSED")
    }

    assert found == {"QUEUED": [3], "SENT": [], "ANCHORED": [], "FINAL": [0, 1], "REFUSED": [2]}
    assert world.ask("lender1", query).data["outbox"]["totalCount"] == 2


def put_event(world: World, name: str, block: int, transaction: bytes, **values: Any) -> None:
    with world.engine.begin() as connection:
        if not connection.execute(select(mirror_blocks).where(mirror_blocks.c.number == block)).all():
            row = {"number": block, "hash": bytes(32), "parent_hash": bytes(32), "mined_at": NOW}
            connection.execute(insert(mirror_blocks), row)
        row = {"block_number": block, "log_index": 50, "name": name, "transaction_hash": transaction, **values}
        connection.execute(insert(mirror_events), row)


def assign_call(world: World, action: str, nonce: int) -> tuple[bytes, bytes]:
    """Put the queued call into a mined transaction; its hash, and the loan key."""
    hashed = put_transaction(world, nonce, "MINED")
    with world.engine.begin() as connection:
        entry = connection.execute(select(outbox).where(outbox.c.action == action)).one()
        row = {"lender_id": 1, "position": entry.position, "state": "ASSIGNED", "sender": SENDER, "nonce": nonce}
        connection.execute(insert(relay_items), {**row, "attempts": 1})
    return hashed, entry.loan_key


def test_a_lien_is_anchored_by_the_event_of_its_own_transaction(world: World) -> None:
    book(world, [history(1, asset=Asset("VEHICLE", "LSVAE49L5A2123456"))])
    mirror_everything(world)
    query = "{ loans { edges { node { liens { assetTag anchor { state blockNumber } } } } } }"

    def lien() -> dict[str, Any]:
        found: dict[str, Any] = world.ask("lender1", query).data["loans"]["edges"][0]["node"]["liens"][0]
        return found

    tag = bytes.fromhex(lien()["assetTag"][2:])
    assert lien()["anchor"] == {"state": "QUEUED", "blockNumber": None}
    hashed, key = assign_call(world, "PLEDGE", 9)
    assert lien()["anchor"]["state"] == "SENT"
    put_event(world, "AssetPledged", 99, b"\xff" * 32, loan_key=key, asset_tag=tag)
    assert lien()["anchor"]["state"] == "SENT"
    put_event(world, "AssetPledged", 101, hashed, loan_key=key, asset_tag=tag)
    assert lien()["anchor"] == {"state": "ANCHORED", "blockNumber": "101"}


def test_an_offer_is_anchored_by_the_event_of_its_own_transaction(world: World) -> None:
    (loan,) = book(world, [history(1)])
    mirror_everything(world)
    request = Request(Actor("seller", Role.LENDER, 1), "offerTransfer", "k", bytes(32))
    given = Offer(loan, 2, NOW + timedelta(days=9))
    offer_transfer(SqlUnitOfWork(world.engine), given, request, world.facilities)
    query = "{ transfers(incoming: false) { edges { node { state to { name } anchor { state blockNumber } } } } }"
    hashed, key = assign_call(world, "OFFER", 9)
    put_event(world, "TransferOffered", 100, hashed, loan_key=key)

    (edge,) = world.ask("lender1", query).data["transfers"]["edges"]

    assert edge["node"] == {
        "state": "OFFERED", "to": {"name": "Lender 2"}, "anchor": {"state": "FINAL", "blockNumber": "100"}
    }  # fmt: skip


def test_a_decisions_receipt_is_anchored_with_the_agreement_it_led_to(world: World) -> None:
    book(world, [history(1)])
    query = "{ applications { edges { node { decision { receipt { anchor { state blockNumber } } } } } } }"

    def receipt() -> dict[str, Any]:
        edge = world.ask("lender1", query).data["applications"]["edges"][0]
        found: dict[str, Any] = edge["node"]["decision"]["receipt"]["anchor"]
        return found

    assert receipt()["state"] == "QUEUED"
    mirror_everything(world)
    assert receipt() == {"state": "FINAL", "blockNumber": "95"}


def test_an_entry_that_was_voided_no_longer_speaks_for_a_record(world: World) -> None:
    (loan,) = book(world, [history(1, paid=1)])
    put_item(world, loan, 2, "REFUSED", refusal="x", refusal_name="x", refused_block=1)
    with world.engine.begin() as connection:
        connection.execute(update(outbox).where(outbox.c.sequence == 2).values(voided_at=NOW))

    assert anchors(world, loan)[2]["refusal"] is None
