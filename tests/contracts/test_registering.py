"""Registering loans: keys, first heads, populations."""

import secrets

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.deployment import ALPHA, BETA, Registry
from tests.contracts.kinds import Status
from tests.support import chain_oracle as oracle
from tests.support.devnet import Event, Refusal

WORD = st.binary(min_size=32, max_size=32)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(WORD, WORD), min_size=1, max_size=5, unique_by=lambda pair: pair[0]))
def test_keys_heads_and_the_lender_head_are_the_written_hashes(
    registry: Registry, pairs: list[tuple[bytes, bytes]]
) -> None:
    chain = registry.chain
    snapshot = chain.rpc.call("evm_snapshot")
    receipt = registry.send("registerLoans", pairs, by=BETA)

    keys = [oracle.loan_key(BETA, nonce) for nonce, _ in pairs]
    assert receipt.events == tuple(
        Event("LoanRegistered", {"loanKey": key, "lenderId": BETA, "nonce": nonce, "commitment": commitment})
        for key, (nonce, commitment) in zip(keys, pairs, strict=True)
    )
    for key, (_, commitment) in zip(keys, pairs, strict=True):
        assert chain.head(key) == oracle.first_head(chain.info.chain_id, chain.address_bytes, key, commitment)
        assert registry.view("standing", key) == (BETA, BETA, Status.REGISTERED)
    assert registry.view("lenderHead", BETA) == oracle.lender_head((oracle.REGISTERED_BY, key) for key in keys)
    chain.rpc.call("evm_revert", snapshot)


def test_the_lender_head_runs_on_over_batches(registry: Registry) -> None:
    keys = [registry.loan(), registry.loan(), registry.loan()]

    assert registry.view("lenderHead", ALPHA) == oracle.lender_head((oracle.REGISTERED_BY, key) for key in keys)
    assert registry.view("lenderHead", BETA) == bytes(32)


def test_a_nonce_is_used_once_by_a_lender(registry: Registry) -> None:
    nonce = secrets.token_bytes(32)
    registry.send("registerLoans", [(nonce, bytes(32))], by=ALPHA)

    again = registry.refusal("registerLoans", [(nonce, secrets.token_bytes(32))], by=ALPHA)

    assert again == Refusal("LoanExists", (oracle.loan_key(ALPHA, nonce),))


def test_a_nonce_twice_in_one_batch_is_refused(registry: Registry) -> None:
    pair = (secrets.token_bytes(32), secrets.token_bytes(32))

    refusal = registry.refusal("registerLoans", [pair, pair], by=ALPHA)

    assert refusal == Refusal("LoanExists", (oracle.loan_key(ALPHA, pair[0]),))


def test_nobody_can_take_the_key_of_another_lender(registry: Registry) -> None:
    nonce = secrets.token_bytes(32)
    registry.send("registerLoans", [(nonce, bytes(32))], by=BETA)
    registry.send("registerLoans", [(nonce, bytes(32))], by=ALPHA)

    assert registry.view("standing", oracle.loan_key(ALPHA, nonce))[0] == ALPHA
    assert registry.view("standing", oracle.loan_key(BETA, nonce))[0] == BETA


def test_an_empty_batch_is_refused(registry: Registry) -> None:
    assert registry.refusal("registerLoans", [], by=ALPHA) == Refusal("EmptyBatch")


def test_one_bad_registration_refuses_the_whole_batch(registry: Registry) -> None:
    nonce, fresh = secrets.token_bytes(32), secrets.token_bytes(32)
    registry.send("registerLoans", [(nonce, bytes(32))], by=ALPHA)
    before = registry.view("lenderHead", ALPHA)

    registry.refusal("registerLoans", [(fresh, bytes(32)), (nonce, bytes(32))], by=ALPHA)

    assert registry.view("standing", oracle.loan_key(ALPHA, fresh)) == (0, 0, Status.NONE)
    assert registry.view("lenderHead", ALPHA) == before


def test_an_unknown_loan_reads_as_zero(registry: Registry) -> None:
    unknown = secrets.token_bytes(32)

    assert registry.view("standing", unknown) == (0, 0, Status.NONE)
    assert registry.view("head", unknown) == bytes(32)
    assert registry.view("offer", unknown) == (0, 0, 0)
    assert registry.view("lien", unknown) == bytes(32)


def test_a_loan_occupies_the_two_slots_that_evidence_proves(registry: Registry) -> None:
    key = registry.loan(1)
    base = oracle.standing_slot(registry.chain.artifact.loans_slot, key)

    def slot(number: int) -> int:
        word = registry.chain.rpc.call("eth_getStorageAt", registry.chain.address, hex(number), "latest")
        return int(word, 16)

    controller_id, servicer_id, status = registry.view("standing", key)
    assert slot(base) == controller_id | servicer_id << 32 | status << 64
    assert slot(base + 1).to_bytes(32, "big") == registry.chain.head(key)
    assert slot(base + 2) == 0
