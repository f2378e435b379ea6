"""Evidence of loans that really stand on a devnet: its proofs verify, and nothing that differs from the chain does."""

from dataclasses import dataclass, replace

import pytest

from app.audit_ports import ChainState, LiveNode
from audit.chain_state import LOANS_MAPPING_SLOT, head_slot, read_account, read_header, read_loan, standing_slot
from audit.disclosure import DisclosureProfile
from audit.evidence import HistoryDiffers, NotOnChainYet, build_evidence, evidence_bytes
from audit.ports import OnChain
from audit.trie import ProofRejected
from audit.trust import Trust
from audit.verdict import Exit
from audit.verify import verify
from chain.artifacts import load_artifact
from chain.binding import bind
from chain.finality import FinalityKind, FinalityRule
from chain.proof import fetch_proof
from registry.domain.chain_binding import ChainBinding
from tests.support.audit_evidence import OPENER, file_loan, file_records
from tests.support.audit_portfolio import MadeLoan, Maker
from tests.support.devnet import Chain, chain, deployed, devnet

__all__ = ["chain", "deployed", "devnet"]

TRANSFER = 12


@dataclass
class Stand:
    """Loans on the devnet, with one record of the first still waiting."""

    chain: Chain
    binding: ChainBinding
    loans: list[MadeLoan]

    @property
    def reader(self) -> ChainState:
        return ChainState(self.chain.rpc, self.binding.contract)

    @property
    def height(self) -> int:
        return int(self.chain.rpc.call("eth_blockNumber"), 16)

    def live(self, depth: int = 0) -> LiveNode:
        rule = FinalityRule(FinalityKind.DEPTH, depth) if depth else FinalityRule(FinalityKind.IMMEDIATE)
        return LiveNode(self.chain.rpc, rule)

    def evidence(self, made: MadeLoan, profile: DisclosureProfile = DisclosureProfile.AUDITOR) -> bytes:
        proof = self.reader.proof([made.row["loan_key"]], self.height)
        built = build_evidence(file_loan(made), file_records(made), proof, self.binding, profile, OPENER)
        return evidence_bytes(built)

    def trust(self, block: int) -> Trust:
        found = self.chain.rpc.call("eth_getBlockByNumber", hex(block), False)
        return Trust.of(self.binding, bytes.fromhex(found["hash"][2:]), block)

    def append(self, record: dict[str, bytes | int], by: int) -> None:
        entry = (record["loan_key"], record["previous_head"], record["kind"], record["commitment"])
        self.chain.send("appendRecords", [entry], sender=self.chain.accounts[by])


@pytest.fixture
def stand(chain: Chain) -> Stand:
    for lender_id in (1, 2):
        chain.send("admitLender", chain.accounts[lender_id], sender=chain.administrator)
    maker = Maker(12, chain_id=int(chain.rpc.call("eth_chainId"), 16), contract=chain.address_bytes)
    loans: list[MadeLoan] = []
    while len(loans) < 12:
        made = maker.loan(len(loans), 8)
        if len(made.records) >= 3 and all(record["kind"] != TRANSFER for record in made.records):
            loans.append(made)
    stand = Stand(chain, bind(chain.rpc, chain.address_bytes), loans)
    for made in loans:
        lender_id = made.row["lender_id"]
        registration = [(made.row["nonce"], made.records[0]["commitment"])]
        chain.send("registerLoans", registration, sender=chain.accounts[lender_id])
        for record in made.records[1:-1] if made is loans[0] else made.records[1:]:
            stand.append(record, lender_id)
    return stand


def test_evidence_of_every_loan_verifies_offline_and_with_the_node(stand: Stand) -> None:
    trust = stand.trust(stand.height)
    for made in stand.loans:
        for profile in DisclosureProfile:
            evidence = stand.evidence(made, profile)
            verdict = verify(evidence, trust)
            assert verdict.verified, verdict
            assert verdict.subject is not None
            assert verdict.subject.records == len(made.records) - (made is stand.loans[0])
        assert verify(evidence, trust, stand.live()).verified
        assert verify(evidence, None).exit_code is Exit.NOT_CHECKED


def test_our_slots_and_values_are_the_contracts(stand: Stand) -> None:
    assert load_artifact().loans_slot == LOANS_MAPPING_SLOT
    keys = [made.row["loan_key"] for made in stand.loans]
    found = fetch_proof(stand.chain.rpc, stand.binding.contract, keys, stand.height)
    header = read_header(found.header)
    account = read_account(header.state_root, stand.binding.contract, found.nodes)
    assert (header.number, account.code_hash) == (stand.height, load_artifact().code_hash)
    assert account.storage_root == found.storage_root
    proof = stand.reader.proof(keys, stand.height)
    heads = stand.reader.heads(keys, stand.height)
    for loan, key in zip(found.loans, keys, strict=True):
        assert (loan.standing.key, loan.head.key) == (standing_slot(key), head_slot(key))
        stored = read_loan(account.storage_root, key, proof.loans[key])
        assert stored == heads[key] == OnChain(*stand.chain.view("standing", key), stand.chain.head(key))
        assert stored.head == int.from_bytes(loan.head.value, "big").to_bytes(32, "big")


def test_another_loans_proof_proves_nothing_about_this_one(stand: Stand) -> None:
    one, other = (made.row["loan_key"] for made in stand.loans[:2])
    proof = stand.reader.proof([one, other], stand.height)
    root = read_account(read_header(proof.header).state_root, stand.binding.contract, proof.account).storage_root
    swapped = replace(proof.loans[one], head=proof.loans[other].head)
    with pytest.raises(ProofRejected):
        read_loan(root, one, swapped)
    with pytest.raises(ProofRejected):
        read_account(read_header(proof.header).state_root, bytes(20), proof.account)


def test_a_loan_not_registered_is_proven_absent(stand: Stand) -> None:
    stranger = Maker(99).loan(99)
    with pytest.raises(NotOnChainYet):
        stand.evidence(stranger)


def test_evidence_grows_old_when_a_record_is_added(stand: Stand) -> None:
    made = stand.loans[0]
    trust, evidence = stand.trust(stand.height), stand.evidence(made)
    assert verify(evidence, trust, stand.live()).verified
    stand.append(made.records[-1], made.row["lender_id"])
    assert verify(evidence, trust).verified
    assert verify(evidence, trust, stand.live()).exit_code is Exit.MISMATCH
    anew = stand.evidence(made)
    assert verify(anew, trust).exit_code is Exit.WRONG_CHAIN
    verdict = verify(anew, stand.trust(stand.height), stand.live())
    assert verdict.verified
    assert verdict.subject is not None
    assert verdict.subject.records == len(made.records)


def test_a_block_that_is_not_final_or_was_replaced_is_not_final_yet(stand: Stand) -> None:
    made = stand.loans[1]
    trust, evidence = stand.trust(stand.height), stand.evidence(made)
    assert verify(evidence, trust, stand.live(depth=3)).exit_code is Exit.NOT_FINAL
    stand.chain.rpc.call("anvil_mine", "0x3")
    assert verify(evidence, trust, stand.live(depth=3)).verified


def test_a_file_whose_history_is_not_the_chains_gives_no_evidence(stand: Stand) -> None:
    made = stand.loans[2]
    rewritten = Maker(5, chain_id=stand.binding.chain_id, contract=stand.binding.contract).loan(
        2, 8, lender_id=made.row["lender_id"], nonce=made.row["nonce"]
    )
    assert rewritten.row["loan_key"] == made.row["loan_key"]
    with pytest.raises(HistoryDiffers):
        stand.evidence(rewritten)


def test_the_same_loan_on_another_contract_does_not_verify(stand: Stand) -> None:
    evidence = stand.evidence(stand.loans[3])
    trust = replace(stand.trust(stand.height), contract=bytes(20))
    assert verify(evidence, trust).exit_code is Exit.WRONG_CHAIN
    moved = evidence.replace(stand.binding.contract.hex().encode(), bytes(20).hex().encode())
    assert verify(moved, trust).exit_code is Exit.MISMATCH
