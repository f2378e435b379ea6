"""The fold: equal to an independent one over lawful histories, and every unlawful step is refused."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.apply import Fold, touched_loans
from indexer.decode import LoanRegistered, OtherEvent, RecordAppended, decode
from indexer.errors import ChainInconsistent
from tests.support import chain_oracle
from tests.support.fold import FoldedLoan, fold_logs
from tests.support.log_maker import CHAIN_ID, CONTRACT, LAWFUL, LEADS_TO, MemoryChain

TRANSACTION = bytes(32)
NONCE = b"n" * 32
KEY = chain_oracle.loan_key(1, NONCE)


def an_empty_fold() -> Fold:
    return Fold(CHAIN_ID, CONTRACT, {}, {})


def a_fold_with_a_loan(kinds: tuple[int, ...] = ()) -> Fold:
    fold = an_empty_fold()
    fold.apply([OtherEvent(1, 0, TRANSACTION, "LenderAdmitted", lender_id=1, account=bytes(20))])
    fold.apply([LoanRegistered(1, 1, TRANSACTION, KEY, 1, NONCE, bytes(32))])
    fold.apply([RecordAppended(1, 2 + at, TRANSACTION, KEY, kind, bytes(32)) for at, kind in enumerate(kinds)])
    return fold


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 6), max_size=8), st.integers(0, 8))
def test_a_lawful_history_folds_to_the_independent_fold(seed: int, acts: list[int], cut: int) -> None:
    chain = MemoryChain(Random(seed))
    for count in acts:
        chain.mine(count)
    logs = chain.all_logs()
    fold = an_empty_fold()

    fold.apply(decode(logs[:cut]))  # in two parts, as batches come
    fold.apply(decode(logs[cut:]))

    expected = fold_logs(logs, CHAIN_ID, CONTRACT)
    assert {key: _loan(loan) for key, loan in fold.loans.items()} == expected.loans
    assert {(row[0], row[1]): row[2:6] for row in fold.records} == {
        place: values[:4] for place, values in expected.records.items()
    }
    assert {number: (it.account, it.active, it.head) for number, it in fold.lenders.items()} == {
        number: (it.account, it.active, it.head) for number, it in expected.lenders.items()
    }
    assert [event.name for event in fold.events] == [event["name"] for event in expected.events]
    assert set(fold.loans) == fold.loans_new
    assert fold.loans_changed <= touched_loans(decode(logs))


PATHS: dict[int, tuple[int, ...]] = {1: (), 2: (1,), 3: (1, 9), 4: (1, 7), 5: (10,)}


@pytest.mark.parametrize("status", PATHS)
@pytest.mark.parametrize("kind", range(17))
def test_a_record_is_taken_exactly_where_the_contract_takes_it(status: int, kind: int) -> None:
    fold = a_fold_with_a_loan(PATHS[status])
    record = RecordAppended(2, 0, TRANSACTION, KEY, kind, b"c" * 32)

    if kind in LAWFUL[status] or kind == 12:
        fold.apply([record])
        assert fold.loans[KEY].status == LEADS_TO.get(kind, status)
    else:
        with pytest.raises(ChainInconsistent) as stop:
            fold.apply([record])
        assert (stop.value.block_number, stop.value.log_index) == (2, 0)
        assert stop.value.exit_code == 3


@pytest.mark.parametrize(
    "event",
    [
        RecordAppended(2, 0, TRANSACTION, b"x" * 32, 2, bytes(32)),
        LoanRegistered(2, 0, TRANSACTION, KEY, 1, NONCE, bytes(32)),
        LoanRegistered(2, 0, TRANSACTION, b"x" * 32, 1, NONCE, bytes(32)),
        LoanRegistered(2, 0, TRANSACTION, chain_oracle.loan_key(9, NONCE), 9, NONCE, bytes(32)),
        OtherEvent(2, 0, TRANSACTION, "LenderAdmitted", lender_id=1, account=bytes(20)),
        OtherEvent(2, 0, TRANSACTION, "LenderSuspended", lender_id=9),
        OtherEvent(2, 0, TRANSACTION, "TransferAccepted", KEY, lender_id=2, other_lender_id=1, servicer_id=1),
        OtherEvent(2, 0, TRANSACTION, "TransferAccepted", KEY, lender_id=1, other_lender_id=9, servicer_id=9),
        OtherEvent(2, 0, TRANSACTION, "ServicerAppointed", b"x" * 32, servicer_id=1),
    ],
    ids=[
        "record of an unknown loan",
        "loan twice",
        "key not of its nonce",
        "unknown lender registers",
        "lender twice",
        "unknown lender suspended",
        "sold by another than the controller",
        "bought by an unknown lender",
        "servicer of an unknown loan",
    ],
)
def test_an_impossible_event_is_refused(event: Any) -> None:
    with pytest.raises(ChainInconsistent):
        a_fold_with_a_loan().apply([event])


def _loan(state: Any) -> FoldedLoan:
    control = state.registered_by, state.controller_id, state.servicer_id
    return FoldedLoan(*control, state.status, state.records, state.head, state.registered_block, state.last_block)
