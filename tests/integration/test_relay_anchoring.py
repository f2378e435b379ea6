"""The relay on a real Anvil: everything queued reaches the chain once and in order, and what is refused steps aside."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain import abi, outbox_queue, queries
from chain.finality import FinalityRule
from chain.outbox_item import ItemState
from chain.sender import send
from chain.transaction_store import TransactionState
from tests.support.postgres import PostgresServer, postgres
from tests.support.relay_book import CHARGE_OFF, DISBURSEMENT, OTHER, RECOVERY, REPAYMENT, SETTLEMENT
from tests.support.relay_stand import SETTINGS, RelayStand, relay_stand

__all__ = ["postgres"]


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[RelayStand]:
    with relay_stand(tmp_path) as ready:
        yield ready


@pytest.fixture(params=["sqlite", "postgresql"])
def any_stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RelayStand]:
    url = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    with relay_stand(tmp_path, url) as ready:
        yield ready


def test_everything_two_lenders_queue_reaches_the_chain_once_and_in_order(any_stand: RelayStand) -> None:
    stand = any_stand
    for lender_id in (stand.add_lender(), stand.add_lender()):
        loans = stand.book.register(lender_id, 30)
        stand.book.append_many([(loan, DISBURSEMENT) for loan in loans])
        for loan in loans[::2]:
            stand.book.append(loan, REPAYMENT, REPAYMENT, SETTLEMENT)
        stand.book.register(lender_id, 3)

    report = stand.relay().drain(30)

    assert report.is_drained
    assert not report.faults
    assert report.assigned == 2 * (30 + 30 + 45 + 3)
    stand.assert_chain_is_book()


def test_a_relay_that_runs_again_sends_nothing_twice(any_stand: RelayStand) -> None:
    stand = any_stand
    lender_id = stand.add_lender()
    (loan,) = stand.book.register(lender_id)
    stand.relay().drain(20)
    stand.book.append(loan, DISBURSEMENT)

    report = stand.relay().drain(20)
    again = stand.relay().drain(20)

    assert (report.sent, again.sent, again.resent, again.taken) == (1, 0, 0, 0)
    stand.assert_chain_is_book()


def test_a_refused_record_holds_back_its_loan_and_nothing_else(any_stand: RelayStand) -> None:
    stand = any_stand
    lender_id = stand.add_lender()
    good, bad, other = stand.book.register(lender_id, 3)
    stand.book.append_many([(good, DISBURSEMENT), (bad, REPAYMENT), (other, DISBURSEMENT)])  # not yet disbursed
    stand.book.append_many([(bad, DISBURSEMENT), (good, REPAYMENT)])

    report = stand.relay().drain(20)
    later = stand.book.append(bad, OTHER)[0]
    later_report = stand.relay().drain(20)

    assert (report.refused, report.blocked, later_report.refused) == (1, 1, 0)
    stand.assert_chain_is_book(without={bad.key: 1})
    with stand.engine.connect() as connection:
        rows = queries.anchor_rows(connection, [(lender_id, bad.id, sequence) for sequence in range(4)])
    refused = rows[lender_id, bad.id, 1]
    assert rows[lender_id, bad.id, 0].item_state is ItemState.ASSIGNED
    assert refused.item_state is ItemState.REFUSED
    assert refused.refusal == f"KindNotAllowed(loanKey=0x{bad.key.hex()}, kind={REPAYMENT}, status=1)"
    assert refused.refused_block is not None
    assert [rows[lender_id, bad.id, n].item_state for n in (2, 3)] == [ItemState.BLOCKED] * 2
    assert {rows[lender_id, bad.id, n].blocked_by for n in (2, 3)} == {refused.position}
    assert rows[lender_id, bad.id, 3].position == later


def test_the_record_to_blame_is_found_behind_good_ones_of_its_loan(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    (loan,) = stand.book.register(lender_id)
    kinds = [DISBURSEMENT] + [REPAYMENT] * 12 + [SETTLEMENT, OTHER, REPAYMENT, OTHER]  # no repayment once settled
    positions = stand.book.append(loan, *kinds)

    report = stand.relay().drain(20)

    assert (report.refused, report.blocked) == (1, 1)
    stand.assert_chain_is_book(without={loan.key: 1 + 15})
    with stand.engine.connect() as connection:
        refused = queries.list_outbox(connection, state=ItemState.REFUSED)
    assert [row.position for row in refused] == [positions[15]]
    assert refused[0].refusal_name == "KindNotAllowed"


def test_many_bad_loans_in_one_batch_do_not_stop_the_good_ones(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    loans = stand.book.register(lender_id, 120)
    for number, loan in enumerate(loans):
        stand.book.append(loan, *((REPAYMENT, OTHER) if number % 3 == 0 else (DISBURSEMENT, REPAYMENT)))

    report = stand.relay().drain(30)

    assert (report.refused, report.blocked) == (40, 40)
    stand.assert_chain_is_book(without={loan.key: 1 for loan in loans[::3]})


def test_a_refusal_that_is_gone_lets_the_loan_go_on(stand: RelayStand) -> None:
    lender_id, other_id = stand.add_lender(), stand.add_lender()
    (loan,) = stand.book.register(lender_id)
    stand.relay().drain(20)
    appoint(stand, lender_id, loan.key, other_id)  # the lender services its loan no more
    stand.book.append(loan, DISBURSEMENT, REPAYMENT)
    refused = stand.relay().drain(20)
    stand.book.append(loan, REPAYMENT)
    stand.relay().drain(20)
    with stand.engine.connect() as connection:
        names = [row.refusal_name for row in queries.list_outbox(connection, state=ItemState.REFUSED)]
    appoint(stand, lender_id, loan.key, lender_id)
    stand.clock.forward(1)

    report = stand.relay().drain(20)

    assert (refused.refused, refused.blocked, names) == (1, 1, ["NotServicer"])
    assert report.readmitted == 3
    stand.assert_chain_is_book()


def test_a_refusal_keeps_the_block_it_was_first_seen_at_while_it_is_tried_again(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    (loan,) = stand.book.register(lender_id)
    (position,) = stand.book.append(loan, REPAYMENT)
    stand.relay().drain(20)

    def row() -> queries.AnchorRow:
        with stand.engine.connect() as connection:
            found = queries.show(connection, lender_id, position)
        assert found is not None
        return found

    first = row()
    stand.mine(5)
    stand.clock.forward(1)
    stand.relay().drain(20)

    assert row().refused_block == first.refused_block
    assert row().attempts == 2
    assert row().item_state is ItemState.REFUSED


def test_voided_records_are_never_sent_and_their_replacements_are(any_stand: RelayStand) -> None:
    stand = any_stand
    lender_id = stand.add_lender()
    (loan,) = stand.book.register(lender_id)
    stand.book.append(loan, REPAYMENT, OTHER)
    stand.relay().drain(20)
    with stand.engine.begin() as connection:
        voided = outbox_queue.void_refused(connection, lender_id, lender_id, loan.id)
    stand.book.void(lender_id, list(voided))
    loan.head, loan.records = stand.head(loan.key), loan.records[:1]
    (untaken,) = stand.book.append(loan, OTHER)
    stand.book.void(lender_id, [untaken])
    loan.head, loan.records = stand.head(loan.key), loan.records[:1]
    stand.book.append(loan, DISBURSEMENT, REPAYMENT)

    report = stand.relay().drain(20)

    assert len(voided) == 2
    assert report.assigned == 2
    stand.assert_chain_is_book()
    with stand.engine.connect() as connection:
        assert queries.counts(connection)["VOIDED"] == 3
        rows = queries.anchor_rows(connection, [(lender_id, loan.id, 1)])
    assert rows[lender_id, loan.id, 1].item_state is ItemState.ASSIGNED


def test_what_a_transaction_carries_cannot_be_voided(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    (loan,) = stand.book.register(lender_id)
    stand.relay().drain(20)

    with stand.engine.begin() as connection:
        assert outbox_queue.void_refused(connection, lender_id, lender_id, loan.id) == ()


def test_control_passes_from_one_lender_to_the_other_and_the_buyer_goes_on(stand: RelayStand) -> None:
    seller, buyer = stand.add_lender(), stand.add_lender()
    (loan,) = stand.book.register(seller)
    stand.book.append(loan, DISBURSEMENT)
    tag = "ab" * 32
    stand.book.control(seller, "PLEDGE", loan, asset_tag=tag)
    stand.book.control(seller, "OFFER", loan, to_lender_id=buyer, servicer_id=0, expires_at=2**40)
    stand.book.accept(buyer, loan)
    stand.book.append(loan, REPAYMENT, signer=buyer)
    stand.book.control(buyer, "RELEASE", loan, asset_tag=tag)
    relay = stand.relay()

    relay.drain(20)
    stand.clock.forward(1)  # whatever was refused because the other lender was not through yet
    relay.drain(20)

    stand.assert_chain_is_book()
    with stand.engine.connect() as connection:
        assert queries.counts(connection)["ASSIGNED"] == 7
    contract = stand.contract()
    assert contract.standing(loan.key, "latest").controller_id == buyer
    assert contract.lien(bytes.fromhex(tag), "latest") is None


def test_a_refused_pledge_does_not_hold_back_records(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    first, second = stand.book.register(lender_id, 2)
    tag = "cd" * 32
    stand.book.control(lender_id, "PLEDGE", first, asset_tag=tag)
    stand.book.control(lender_id, "PLEDGE", second, asset_tag=tag)
    stand.book.append(second, DISBURSEMENT)

    report = stand.relay().drain(20)

    assert (report.refused, report.blocked) == (1, 0)
    stand.assert_chain_is_book()


def test_a_suspended_lender_waits_and_the_others_do_not(stand: RelayStand) -> None:
    idle, busy = stand.add_lender(), stand.add_lender()
    stand.book.register(idle, 2)
    stand.book.register(busy, 2)
    stand.administration.suspend_lender(idle)

    report = stand.relay().drain(1)
    stand.administration.reinstate_lender(idle)
    later = stand.relay().drain(20)

    assert report.refused == 0
    assert report.waiting == 2
    assert {fault.code for fault in report.faults} == {"LENDER_HELD"}
    assert later.is_drained
    stand.assert_chain_is_book()


def test_an_entry_that_cannot_be_encoded_is_refused_alone(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    loans = stand.book.register(lender_id, 3)
    stand.book.control(lender_id, "PLEDGE", loans[0])  # without its asset tag
    stand.book.append(loans[0], DISBURSEMENT)

    report = stand.relay().drain(20)

    assert report.refused == 1
    stand.assert_chain_is_book()
    with stand.engine.connect() as connection:
        (row,) = queries.list_outbox(connection, state=ItemState.REFUSED)
    assert row.refusal == "EntryInvalid(reason=KeyError: 'asset_tag')"


def test_records_the_chain_already_holds_are_found_and_not_sent_again(stand: RelayStand) -> None:
    """As after the database was restored from a backup older than what reached the chain."""
    lender_id = stand.add_lender()
    loans = stand.book.register(lender_id, 5)
    stand.book.append_many([(loan, kind) for loan in loans for kind in (DISBURSEMENT, REPAYMENT)])
    stand.book.control(lender_id, "PLEDGE", loans[0], asset_tag="ef" * 32)
    stand.relay().drain(20)
    stand.execute("DELETE FROM relay_items")
    stand.execute("DELETE FROM relay_transactions")
    stand.book.append_many([(loan, REPAYMENT) for loan in loans])
    relay = stand.relay()

    report = relay.drain(20)
    stand.mine(30)
    relay.drain(20)

    assert (report.found, report.assigned, report.refused) == (16, 5, 0)
    stand.assert_chain_is_book()
    assert stand.rows("SELECT COUNT(*) AS n FROM relay_items WHERE state = 'FOUND' AND refused_block IS NULL") == [
        {"n": 16}
    ]


def test_transactions_become_final_under_the_rule(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    stand.book.register(lender_id)
    relay = stand.relay(dataclasses.replace(SETTINGS, finality=FinalityRule.parse("depth 3")))
    relay.drain(20)

    stand.mine(2)
    early = relay.run_once()
    stand.mine(1)
    late = relay.run_once()

    assert (early.final, late.final) == (0, 1)
    with stand.engine.connect() as connection:
        assert queries.transaction_counts(connection)["FINAL"] == 1


def test_the_gas_asked_for_covers_what_is_used_and_is_not_far_above(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    loans = stand.book.register(lender_id, 100)
    relay = stand.relay()
    relay.drain(20)
    for kinds in ((DISBURSEMENT,), (REPAYMENT,) * 4, (CHARGE_OFF,), (RECOVERY,)):
        stand.book.append_many([(loan, kind) for loan in loans for kind in kinds])
        relay.drain(20)

    transactions = stand.rows("SELECT transaction_hash, gas_used FROM relay_transactions")
    asked = [stand.rpc.call("eth_getTransactionByHash", "0x" + row["transaction_hash"].hex()) for row in transactions]

    assert len(transactions) == 5
    for row, transaction in zip(transactions, asked, strict=True):
        assert row["gas_used"] < int(transaction["gas"], 16) < 1.7 * row["gas_used"]


def test_the_states_others_read_add_up(any_stand: RelayStand) -> None:
    stand = any_stand
    lender_id = stand.add_lender()
    loans = stand.book.register(lender_id, 4)
    stand.book.append(loans[0], REPAYMENT, OTHER)
    now = stand.clock.now()
    with stand.engine.connect() as connection:
        before = queries.counts(connection)
        queued = queries.list_outbox(connection, state="QUEUED", after=(lender_id, 4))
        age = queries.oldest_queued_seconds(connection, now)
    stand.relay().drain(20)
    with stand.engine.connect() as connection:
        after = queries.counts(connection)
        states = queries.transaction_counts(connection)
        rows = queries.list_outbox(connection, limit=100)
        settled_age = queries.oldest_queued_seconds(connection, now)

    assert (before["QUEUED"], sum(before.values())) == (6, 6)
    assert [row.position for row in queued] == [5, 6]
    assert age is not None
    assert 0 <= age < 60
    assert settled_age is None
    assert (after["ASSIGNED"], after["REFUSED"], after["BLOCKED"], after["QUEUED"]) == (4, 1, 1, 0)
    assert states["MINED"] == 1
    assert [row.position for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[0].transaction_state is TransactionState.MINED
    assert rows[0].transaction_hash is not None
    assert rows[4].next_attempt_at is not None


def appoint(stand: RelayStand, lender_id: int, loan_key: bytes, servicer_id: int) -> None:
    call = abi.encode_call("appointServicer", loan_key, servicer_id)
    send(stand.rpc, stand.keyring.lender(lender_id), stand.binding.contract, call)
