"""The typed reads, the administrator's acts and the proofs, against a real Anvil and independent code."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import rlp
from trie import HexaryTrie

from chain.binding import CodeMissing, bind
from chain.contract import Offer, Standing
from chain.deploy import Administration
from chain.keccak import keccak256
from chain.proof import fetch_proof
from chain.refusal import ContractRefusal
from chain.rpc import CallFailed
from tests.support.chain_oracle import standing_slot
from tests.support.relay_book import DISBURSEMENT, REPAYMENT
from tests.support.relay_stand import RelayStand, relay_stand

STATE_ROOT = 3


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[RelayStand]:
    with relay_stand(tmp_path) as ready:
        yield ready


def test_reads_are_of_the_block_they_name(stand: RelayStand) -> None:
    lender_id, buyer = stand.add_lender(), stand.add_lender()
    contract = stand.contract()
    (loan,) = stand.book.register(lender_id)
    stand.relay().drain(20)
    registered, first_head = int(stand.rpc.call("eth_blockNumber"), 16), loan.head
    block_hash = bytes.fromhex(stand.rpc.call("eth_getBlockByNumber", hex(registered), False)["hash"][2:])
    stand.book.append(loan, DISBURSEMENT)
    stand.book.control(lender_id, "OFFER", loan, to_lender_id=buyer, servicer_id=0, expires_at=2**40)
    stand.relay().drain(20)
    unknown = bytes(32)

    assert contract.heads([loan.key, unknown], registered) == [first_head, bytes(32)]
    assert contract.head(loan.key, block_hash) == first_head
    assert contract.head(loan.key, "latest") == loan.head
    assert contract.standings([loan.key, unknown], "latest") == [Standing(lender_id, lender_id, 2), Standing(0, 0, 0)]
    assert contract.standing(loan.key, registered).status == 1
    assert contract.offer(loan.key, "latest") == Offer(buyer, 0, 2**40)
    assert contract.offer(loan.key, registered) == Offer(0, 0, 0)
    assert (contract.lender_count("latest"), contract.lender_active(buyer, "latest")) == (2, True)
    assert contract.lien(unknown, "latest") is None
    assert not contract.paused("latest")
    with pytest.raises(CallFailed):
        contract.head(loan.key, b"\x07" * 32)


def test_a_proof_leads_from_the_block_hash_to_both_slots(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    loans = stand.book.register(lender_id, 40)
    stand.book.append_many([(loan, kind) for loan in loans for kind in (DISBURSEMENT, REPAYMENT)])
    stand.relay().drain(20)
    absent = b"\x05" * 32

    proof = fetch_proof(stand.rpc, stand.binding.contract, [loan.key for loan in loans] + [absent], "latest")

    assert keccak256(proof.header) == proof.block_hash
    state_root = rlp.decode(proof.header)[STATE_ROOT]
    account = HexaryTrie.get_from_proof(
        state_root, keccak256(proof.contract), [rlp.decode(node) for node in proof.nodes]
    )
    assert rlp.decode(account)[2:] == [proof.storage_root, proof.code_hash]
    assert proof.code_hash == stand.binding.code_hash
    standing = ((2 << 64) | (lender_id << 32) | lender_id).to_bytes(32, "big")
    expected = {loan.key: (standing, loan.head) for loan in loans} | {absent: (bytes(32), bytes(32))}
    for found in proof.loans:
        slot = standing_slot(0, found.loan_key)
        assert (found.standing.key, found.head.key) == (slot.to_bytes(32, "big"), (slot + 1).to_bytes(32, "big"))
        assert (found.standing.value, found.head.value) == expected[found.loan_key]
        for entry in (found.standing, found.head):
            nodes = [rlp.decode(node) for node in entry.nodes]
            proven = HexaryTrie.get_from_proof(proof.storage_root, keccak256(entry.key), nodes)
            assert (rlp.decode(proven) if proven else b"") == entry.value.lstrip(b"\0")


def test_the_administrator_acts_and_nobody_else_can(stand: RelayStand) -> None:
    lender_id = stand.add_lender()
    contract = stand.contract()
    key = stand.keyring.lender(lender_id)
    outsider = Administration(stand.rpc, stand.binding, key)

    with pytest.raises(ContractRefusal) as refusal:
        outsider.pause()
    stand.administration.pause()
    paused = contract.paused("latest")
    stand.administration.unpause()
    stand.administration.suspend_lender(lender_id)
    suspended = not contract.lender_active(lender_id, "latest")
    with pytest.raises(ContractRefusal) as taken:
        stand.administration.add_account(lender_id, key.address)

    assert str(refusal.value) == f"NotAdministrator(account=0x{key.address.hex()})"
    assert taken.value.name == "AccountTaken"
    assert paused
    assert suspended
    assert contract.lender_of(key.address, "latest") == lender_id


def test_a_contract_is_bound_only_where_there_is_one(stand: RelayStand) -> None:
    again = bind(stand.rpc, stand.binding.contract, deployed_block=stand.binding.deployed_block)

    assert again == stand.binding
    with pytest.raises(CodeMissing):
        bind(stand.rpc, b"\x09" * 20)
