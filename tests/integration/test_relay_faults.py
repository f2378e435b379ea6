"""The relay under faults on a real Anvil: crashes, reorganisations, outages, wrong chains and keys, foreign hands."""

import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.binding import ChainIdDiffers, CodeDiffers, CodeMissing, GenesisDiffers
from chain.devnet import Devnet
from chain.finality import FinalityRule
from chain.relay_settings import RelaySettings
from chain.rpc import NodeUnreachable, Rpc
from chain.sender import send
from chain.signer import create_key
from tests.support.devnet import TOOLS
from tests.support.postgres import PostgresServer, postgres
from tests.support.relay_book import DISBURSEMENT, REPAYMENT, BookedLoan
from tests.support.relay_process import ENDED, KILLED, run_forked, run_spawned
from tests.support.relay_stand import ETHER, SETTINGS, RelayStand, relay_stand, wait_until

__all__ = ["postgres"]

SMALL = dataclasses.replace(SETTINGS, records_per_transaction=4)


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[RelayStand]:
    with relay_stand(tmp_path) as ready:
        yield ready


def book_some(stand: RelayStand, lender_id: int, count: int = 6) -> list[BookedLoan]:
    loans = stand.book.register(lender_id, count)
    stand.book.append_many([(loan, kind) for loan in loans for kind in (DISBURSEMENT, REPAYMENT)])
    return loans


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("failpoint", ["K3", "K4", "K5", "K6", "K7"])
def test_a_crash_at_any_point_loses_and_doubles_nothing(
    failpoint: str, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = None
    if database == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    with relay_stand(tmp_path, url) as stand:
        for lender_id in (stand.add_lender(), stand.add_lender()):
            book_some(stand, lender_id)
        for _ in range(3):  # a relay that dies each time it is started, then one that does not
            assert run_forked(stand, failpoint) == KILLED
        assert run_forked(stand, None) == ENDED

        stand.assert_chain_is_book()


def test_a_failpoint_armed_by_the_environment_kills_and_the_next_run_finishes(stand: RelayStand) -> None:
    book_some(stand, stand.add_lender())

    assert run_spawned(stand, "K4") == KILLED
    assert stand.records_on_chain() == {}
    assert run_spawned(stand, None) == ENDED
    stand.assert_chain_is_book()


@pytest.mark.parametrize("depth", [1, 3, 10])
def test_what_a_reorganisation_drops_is_sent_again_with_the_same_bytes(stand: RelayStand, depth: int) -> None:
    lender_id = stand.add_lender()
    loans = book_some(stand, lender_id)
    relay = stand.relay(SMALL)
    relay.drain(20)
    stand.book.append_many([(loan, REPAYMENT) for loan in loans])
    relay.drain(20)
    stand.mine(max(0, depth - 5))
    before = stand.rows("SELECT nonce, raw FROM relay_transactions ORDER BY nonce")
    records_before = stand.records_on_chain()

    Devnet.reorg(stand.home, depth)
    dropped = records_before != stand.records_on_chain()
    report = relay.drain(20)

    assert dropped
    assert report.resent > 0
    assert not report.faults
    assert stand.rows("SELECT nonce, raw FROM relay_transactions ORDER BY nonce") == before
    stand.assert_chain_is_book()


def test_records_booked_after_a_reorganisation_follow_the_ones_sent_again(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    loans = book_some(stand, lender_id)
    relay = stand.relay()
    relay.drain(20)

    Devnet.reorg(stand.home, 2)
    stand.book.append_many([(loan, REPAYMENT) for loan in loans])
    relay.drain(20)
    Devnet.reorg(stand.home, 1)
    relay.drain(20)

    stand.assert_chain_is_book()


def test_final_transactions_the_chain_has_lost_are_sent_again_and_reported(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    book_some(stand, lender_id)
    relay = stand.relay(dataclasses.replace(SETTINGS, finality=FinalityRule.parse("immediate")))
    settled = relay.drain(20)

    Devnet.reorg(stand.home, 2)
    report = relay.drain(20)

    assert settled.final == 2
    assert [fault.code for fault in report.faults] == ["CHAIN_WENT_BACKWARDS"]
    stand.assert_chain_is_book()


def test_while_the_node_is_down_nothing_is_lost_and_it_goes_on_by_itself(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    loans = book_some(stand, lender_id)
    relay = stand.relay()
    relay.drain(20)
    Devnet.down(stand.home)
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    try:
        stand.book.append_many([(loan, REPAYMENT) for loan in loans])
        with pytest.raises(NodeUnreachable):
            stand.relay().run_once()
        Devnet.up(stand.home, TOOLS)
        wait_until(lambda: stand.records_on_chain() == {loan.key: loan.records for loan in loans})
    finally:
        stop.set()
        thread.join(timeout=20)
    assert not thread.is_alive()
    stand.assert_chain_is_book()


def test_a_node_that_does_not_mine_gets_a_few_transactions_and_no_more(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    book_some(stand, lender_id, 20)
    stand.rpc.call("evm_setAutomine", False)
    relay = stand.relay(SMALL)

    report = relay.drain(1)
    pool = stand.rpc.call("txpool_status")
    stand.rpc.call("evm_setAutomine", True)
    stand.mine(1)
    relay.drain(30)

    assert not report.is_drained
    assert (report.sent, report.under_way) == (SMALL.transactions_in_flight_max,) * 2
    assert int(pool["pending"], 16) == SMALL.transactions_in_flight_max
    stand.assert_chain_is_book()


def test_a_chain_with_a_block_time_is_kept_busy_with_several_transactions_a_block(tmp_path: Path) -> None:
    with relay_stand(tmp_path, block_time=1) as stand:
        lender_id = stand.add_lender()
        loans = stand.book.register(lender_id, 24)
        stand.book.append_many([(loan, DISBURSEMENT) for loan in loans])

        stand.relay(dataclasses.replace(SETTINGS, records_per_transaction=8)).drain(30)

        blocks = stand.rows("SELECT block_number, COUNT(*) AS n FROM relay_transactions GROUP BY block_number")
        assert max(row["n"] for row in blocks) > 1
        stand.assert_chain_is_book()


def test_a_transaction_the_pool_dropped_is_sent_again(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    book_some(stand, lender_id)
    stand.rpc.call("evm_setAutomine", False)
    relay = stand.relay()
    relay.run_once()
    (row,) = stand.rows("SELECT transaction_hash FROM relay_transactions WHERE nonce = 0")
    stand.rpc.call("anvil_dropTransaction", "0x" + row["transaction_hash"].hex())

    report = relay.run_once()
    stand.rpc.call("evm_setAutomine", True)
    stand.mine(1)
    relay.drain(20)

    assert report.resent in {1, 2}  # the pool drops what follows it, too
    stand.assert_chain_is_book()


def test_a_transaction_that_reverts_after_all_gives_its_records_back(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    book_some(stand, lender_id)
    stand.rpc.call("evm_setAutomine", False)
    relay = stand.relay()
    relay.run_once()  # tried, signed and in the pool
    drop_pool(stand)
    stand.rpc.call("evm_setAutomine", True)
    stand.administration.suspend_lender(lender_id)  # overtakes it
    relay.run_once()
    reverted = relay.drain(1)
    stand.administration.reinstate_lender(lender_id)

    report = relay.drain(20)

    assert reverted.reverted > 0
    assert reverted.returned > 0
    assert report.is_drained
    stand.assert_chain_is_book()


def test_a_nonce_used_by_a_foreign_hand_is_an_alarm_and_its_records_are_sent_anew(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    book_some(stand, lender_id)
    stand.rpc.call("evm_setAutomine", False)
    relay = stand.relay(dataclasses.replace(SETTINGS, finality=FinalityRule.parse("depth 2")))
    relay.run_once()
    drop_pool(stand)
    stand.rpc.call("evm_setAutomine", True)
    send(stand.rpc, stand.keyring.lender(lender_id), bytes(20), value=1)  # takes nonce 0
    unproven = relay.run_once()
    stand.mine(3)

    report = relay.drain(20)

    assert unproven.faults == []
    assert [fault.code for fault in report.faults] == ["NONCE_USED_BY_ANOTHER"]
    assert {row["state"] for row in stand.rows("SELECT state FROM relay_transactions WHERE nonce = 0")} == {"DISPLACED"}
    stand.assert_chain_is_book()


def test_two_relays_on_one_database_send_everything_once(stand: RelayStand) -> None:
    for lender_id in (stand.add_lender(), stand.add_lender()):
        book_some(stand, lender_id, 40)
    stop = threading.Event()
    relays = [stand.relay(SMALL, Rpc(stand.info.url)) for _ in range(2)]
    threads = [threading.Thread(target=relay.run, args=(stop,)) for relay in relays]
    for thread in threads:
        thread.start()
    try:
        total = sum(len(loan.records) for loan in stand.book.loans.values())
        wait_until(lambda: sum(map(len, stand.records_on_chain().values())) >= total, seconds_max=60)
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=20)
    stand.assert_chain_is_book()


def test_a_lender_whose_account_rotates_goes_on_from_the_new_one(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    loans = book_some(stand, lender_id)
    stand.relay().drain(20)
    old = stand.keyring.lender(lender_id)
    stand.keyring.path_of(lender_id).unlink()
    new = create_key(stand.keyring.path_of(lender_id))
    stand.administration.fund(new.address, 10 * ETHER)
    stand.administration.rotate_account(lender_id, old.address, new.address)
    stand.book.append_many([(loan, REPAYMENT) for loan in loans])

    report = stand.relay().drain(20)

    assert not report.faults
    assert {row["sender"] for row in stand.rows("SELECT sender FROM relay_transactions")} == {old.address, new.address}
    stand.assert_chain_is_book()


@pytest.mark.parametrize("fault", ["wrong key", "no key", "open file"])
def test_a_lender_without_its_key_waits_and_the_others_do_not(stand: RelayStand, fault: str) -> None:
    bare, armed = stand.add_lender(), stand.add_lender()
    book_some(stand, bare)
    loans = book_some(stand, armed)
    path = stand.keyring.path_of(bare)
    if fault == "open file":
        path.chmod(0o640)
    else:
        path.unlink()
    if fault == "wrong key":
        path.write_text(stand.keyring.path_of(armed).read_text())
        path.chmod(0o600)

    report = stand.relay().run_once()
    stand.relay().drain(1)

    codes = {"wrong key": "WRONG_KEY", "no key": "SIGNER_MISSING", "open file": "SIGNER_FILE_EXPOSED"}
    assert [entry.code for entry in report.faults] == [codes[fault]]
    assert stand.records_on_chain() == {loan.key: loan.records for loan in loans}


def test_nothing_is_written_to_another_chain(stand: RelayStand, tmp_path: Path) -> None:
    lender_id = stand.add_lender()
    book_some(stand, lender_id)
    other_home = tmp_path / "other"
    other = Devnet.up(other_home, TOOLS)
    try:
        with Rpc(other.url) as rpc, pytest.raises(ChainIdDiffers) as other_id:
            stand.relay(rpc=rpc).run_once()
    finally:
        Devnet.down(other_home)

    assert (other_id.value.bound, other_id.value.found) == (stand.info.chain_id, other.chain_id)
    genesis = stand.binding.genesis_hash
    stand.binding = dataclasses.replace(stand.binding, genesis_hash=bytes(32))
    with pytest.raises(GenesisDiffers) as other_genesis:
        stand.relay().run_once()
    assert other_genesis.value.found == genesis
    assert stand.rows("SELECT * FROM relay_items") == []
    assert stand.rows("SELECT * FROM relay_transactions") == []


def test_another_contract_or_none_at_the_address_is_refused(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    book_some(stand, lender_id)
    where = "0x" + stand.binding.contract.hex()

    stand.rpc.call("anvil_setCode", where, "0x6001")
    with pytest.raises(CodeDiffers) as another:
        stand.relay().run_once()
    stand.rpc.call("anvil_setCode", where, "0x")
    with pytest.raises(CodeMissing):
        stand.relay().run_once()

    assert another.value.bound == stand.binding.code_hash
    assert stand.rows("SELECT * FROM relay_transactions") == []


def test_an_account_without_means_is_reported_and_goes_on_once_funded(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    book_some(stand, lender_id)
    account = "0x" + stand.keyring.lender(lender_id).address.hex()
    stand.rpc.call("anvil_setBalance", account, "0x1")
    relay = stand.relay()

    broke = relay.drain(1)
    stand.rpc.call("anvil_setBalance", account, hex(ETHER))
    report = relay.drain(20)

    assert {fault.code for fault in broke.faults} == {"SENDING_FAILED"}
    assert report.is_drained
    stand.assert_chain_is_book()


def test_a_long_backlog_goes_out_in_full_transactions(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    loans = stand.book.register(lender_id, 300)
    stand.book.append_many([(loan, kind) for loan in loans for kind in (DISBURSEMENT, REPAYMENT, REPAYMENT)])

    report = stand.relay(RelaySettings(poll_seconds=0.02)).drain(60)

    assert report.sent <= 6
    stand.assert_chain_is_book()


def drop_pool(stand: RelayStand) -> None:
    for row in stand.rows("SELECT transaction_hash FROM relay_transactions"):
        stand.rpc.call("anvil_dropTransaction", "0x" + row["transaction_hash"].hex())
