"""Appending records: order, authority, lifecycle, batches."""

import secrets

import pytest

from tests.contracts.deployment import ALPHA, BETA, Registry
from tests.contracts.kinds import WAY_TO, Kind, Status, status_after
from tests.support import chain_oracle as oracle
from tests.support.devnet import Event, Refusal

REPAYMENT, FEE = Kind.REPAYMENT, Kind.FEE


@pytest.mark.parametrize("status", list(WAY_TO))
def test_each_kind_may_follow_each_status_exactly_as_the_lifecycle_says(registry: Registry, status: Status) -> None:
    key = registry.loan(*WAY_TO[status])
    assert registry.view("standing", key)[2] == status

    for kind in [*range(17), 128, 255]:
        [record] = registry.records(key, kind)
        expected = status_after(status, kind)
        outcome = registry.chain.outcome("appendRecords", [record], sender=registry.account(ALPHA))
        if expected is None:
            assert outcome == Refusal("KindNotAllowed", (key, kind, status))
            continue
        assert registry.view("standing", key) == (ALPHA, ALPHA, expected)
        if expected != status:
            key = registry.loan(*WAY_TO[status])


def test_the_head_folds_every_record_and_each_has_its_event(registry: Registry) -> None:
    key = registry.loan()
    start = registry.chain.head(key)
    records = registry.records(key, Kind.DISBURSEMENT, REPAYMENT, FEE, Kind.SETTLEMENT, Kind.DISPUTE)

    receipt = registry.send("appendRecords", records, by=ALPHA)

    assert registry.chain.head(key) == oracle.fold(start, [(kind, commitment) for *_, kind, commitment in records])
    assert receipt.events == tuple(
        Event("RecordAppended", {"loanKey": key, "kind": kind, "commitment": commitment})
        for _, _, kind, commitment in records
    )


def test_a_status_change_inside_a_batch_rules_the_next_record(registry: Registry) -> None:
    key = registry.loan(Kind.DISBURSEMENT)
    records = registry.records(key, Kind.SETTLEMENT, REPAYMENT)

    refusal = registry.refusal("appendRecords", records, by=ALPHA)

    assert refusal == Refusal("KindNotAllowed", (key, REPAYMENT, Status.SETTLED))


def test_status_and_head_are_carried_through_a_batch_that_returns_to_a_loan(registry: Registry) -> None:
    one, two = registry.loan(), registry.loan()
    first = registry.records(one, Kind.DISBURSEMENT, Kind.SETTLEMENT, Kind.REOPENING)
    second = registry.records(two, Kind.DISBURSEMENT)
    mixed = [first[0], second[0], first[1], first[2]]

    registry.send("appendRecords", mixed, by=ALPHA)

    assert registry.chain.head(one) == oracle.next_head(*first[2][1:])
    assert registry.chain.head(two) == oracle.next_head(*second[0][1:])
    assert registry.view("standing", one)[2] == registry.view("standing", two)[2] == Status.ACTIVE


@pytest.mark.parametrize("change", ["lost", "swapped", "doubled", "invented"])
def test_a_batch_out_of_order_is_refused_with_the_head_expected(registry: Registry, change: str) -> None:
    key = registry.loan(Kind.DISBURSEMENT)
    one, two, three = registry.records(key, REPAYMENT, FEE, REPAYMENT)
    invented = (key, secrets.token_bytes(32), FEE, secrets.token_bytes(32))
    batch = {
        "lost": [one, three],
        "swapped": [two, one, three],
        "doubled": [one, one, two],
        "invented": [one, invented, two],
    }[change]
    culprit = {"lost": three, "swapped": two, "doubled": one, "invented": invented}[change]
    expected = one[1] if change == "swapped" else two[1]

    refusal = registry.refusal("appendRecords", batch, by=ALPHA)

    assert refusal == Refusal("RecordOutOfOrder", (key, culprit[1], expected))


def test_a_transaction_sent_twice_is_refused_as_out_of_order_even_when_the_status_changed(registry: Registry) -> None:
    key = registry.loan(Kind.DISBURSEMENT)
    records = registry.records(key, Kind.SETTLEMENT)
    registry.send("appendRecords", records, by=ALPHA)

    again = registry.refusal("appendRecords", records, by=ALPHA)

    assert again == Refusal("RecordOutOfOrder", (key, records[0][1], registry.chain.head(key)))


def test_one_bad_record_leaves_every_loan_of_the_batch_as_it_was(registry: Registry) -> None:
    good, bad = registry.loan(Kind.DISBURSEMENT), registry.loan()
    head = registry.chain.head(good)
    batch = [*registry.records(good, REPAYMENT), *registry.records(bad, REPAYMENT)]

    refusal = registry.refusal("appendRecords", batch, by=ALPHA)

    assert refusal == Refusal("KindNotAllowed", (bad, REPAYMENT, Status.REGISTERED))
    assert registry.chain.head(good) == head


def test_only_the_servicer_appends(registry: Registry) -> None:
    key = registry.loan(Kind.DISBURSEMENT)

    refusal = registry.refusal("appendRecords", registry.records(key, REPAYMENT), by=BETA)

    assert refusal == Refusal("NotServicer", (key, BETA, ALPHA))


def test_a_record_of_an_unknown_loan_is_refused(registry: Registry) -> None:
    key = secrets.token_bytes(32)

    refusal = registry.refusal("appendRecords", [(key, bytes(32), Kind.DISBURSEMENT, bytes(32))], by=ALPHA)

    assert refusal == Refusal("LoanUnknown", (key,))


def test_an_empty_batch_is_refused(registry: Registry) -> None:
    assert registry.refusal("appendRecords", [], by=ALPHA) == Refusal("EmptyBatch")


def test_a_kind_that_does_not_fit_a_byte_is_refused(registry: Registry) -> None:
    key = registry.loan()
    [record] = registry.records(key, Kind.DISBURSEMENT)
    call = registry.chain.transaction("appendRecords", [record], sender=registry.account(ALPHA))
    kind_word = 4 + 32 * 4  # selector, offset, length, loanKey, previousHead
    data = bytearray.fromhex(call["data"][2:])
    data[kind_word + 30] = 1  # 256 + DISBURSEMENT

    refusal = registry.chain.refusal_of_call({**call, "data": "0x" + data.hex()})

    assert refusal == Refusal("", (b"",))
    assert registry.view("standing", key)[2] == Status.REGISTERED
