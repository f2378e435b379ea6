"""What the mirror answers equals a plain reading of the independent fold."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from chain.finality import FinalityKind, FinalityRule
from indexer import queries
from indexer.indexer import Indexer, IndexSettings
from indexer.queries import KEYS_MAX
from tests.support.fold import FoldedChain, fold_logs
from tests.support.log_maker import CHAIN_ID, CONTRACT, MemoryChain, MemoryNode
from tests.support.mirrors import fixed_clock, mirror, new_mirror
from tests.support.postgres import postgres

__all__ = ["mirror", "new_mirror", "postgres"]


@pytest.fixture
def chain() -> MemoryChain:
    chain = MemoryChain(Random(3))
    for _ in range(60):
        chain.mine(8)
    return chain


@pytest.fixture
def fold(chain: MemoryChain) -> FoldedChain:
    return fold_logs(chain.all_logs(), CHAIN_ID, CONTRACT)


@pytest.fixture
def connection(mirror: Engine, chain: MemoryChain) -> Iterator[Connection]:
    finality = FinalityRule(FinalityKind.DEPTH, 4)
    Indexer(mirror, MemoryNode(chain), chain.binding(), finality, IndexSettings(), fixed_clock).catch_up(10)
    with queries.snapshot(mirror) as connection:
        yield connection


def test_records_come_whole_and_in_sequence_with_their_blocks(
    connection: Connection, chain: MemoryChain, fold: FoldedChain
) -> None:
    found = queries.records_of(connection, [*fold.loans, b"\x00" * 32])

    assert {key: len(records) for key, records in found.items()} == {
        key: loan.records for key, loan in fold.loans.items()
    }
    for key, records in found.items():
        assert [record.sequence for record in records] == list(range(len(records)))
        for record in records:
            assert _as_folded(record) == fold.records[key, record.sequence]
            assert record.mined_at.timestamp() == int(chain.blocks[record.block_number]["timestamp"], 16)


def test_records_are_found_by_position_and_by_commitment_and_only_those_asked_for(
    connection: Connection, fold: FoldedChain
) -> None:
    wanted = sorted(fold.records)[::3]

    by_position = queries.records_at(connection, [*wanted, (b"\x00" * 32, 0), (wanted[0][0], 9_999)])
    by_commitment = queries.records_with(connection, [fold.records[place][1] for place in wanted] + [b"\x00" * 32])

    assert {place: _as_folded(record) for place, record in by_position.items()} == {
        place: fold.records[place] for place in wanted
    }
    assert (
        sorted((record.loan_key, record.sequence) for records in by_commitment.values() for record in records) == wanted
    )


def test_more_keys_than_fit_one_statement_are_answered_too(connection: Connection, fold: FoldedChain) -> None:
    unknown = [number.to_bytes(32, "big") for number in range(KEYS_MAX + 10)]

    assert queries.loans(connection, [*unknown, *fold.loans]).keys() == fold.loans.keys()
    assert len(queries.records_at(connection, [*((key, 0) for key in unknown), *fold.records])) == len(fold.records)
    assert queries.loans(connection, []) == {}


def test_loans_and_lenders_stand_as_folded(connection: Connection, fold: FoldedChain) -> None:
    for key, loan in queries.loans(connection, fold.loans).items():
        expected = fold.loans[key]
        assert (loan.registered_by, loan.controller_id, loan.servicer_id) == (
            expected.registered_by,
            expected.controller,
            expected.servicer,
        )
        assert (loan.status, loan.records, loan.head) == (expected.status, expected.records, expected.head)
    assert {number: (it.account, it.active, it.head) for number, it in queries.lenders(connection).items()} == {
        number: (it.account, it.active, it.head) for number, it in fold.lenders.items()
    }


def test_liens_are_the_pledges_not_released(connection: Connection, fold: FoldedChain) -> None:
    pledged: dict[bytes, bytes] = {}
    tags = [event["asset"] for event in fold.events if "asset" in event]
    for event in fold.events:
        if event["name"] == "AssetPledged":
            pledged[event["asset"]] = event["loan"]
        elif event["name"] == "AssetReleased":
            del pledged[event["asset"]]
    assert 0 < len(pledged) < len(set(tags))

    by_tag = queries.liens(connection, asset_tags=tags)
    by_loan = queries.liens(connection, loan_keys=fold.loans)

    assert {lien.asset_tag: lien.loan_key for lien in by_tag} == pledged
    assert by_loan == by_tag
    one = by_tag[0]
    assert one in queries.liens(connection, asset_tags=[one.asset_tag], loan_keys=[one.loan_key])


def test_offers_are_the_ones_still_open(connection: Connection, fold: FoldedChain) -> None:
    opened = _open_offers(fold)
    closed = {event["loan"] for event in fold.events if event["name"] == "TransferOffered"} - set(opened)
    assert opened
    assert closed

    found = queries.offers(connection, fold.loans)

    assert {key: (it.from_lender_id, it.to_lender_id, it.expires_at) for key, it in found.items()} == opened


def test_shared_loans_are_others_loans_that_concern_the_lender(connection: Connection, fold: FoldedChain) -> None:
    opened = _open_offers(fold)
    for number in fold.lenders:
        expected = sorted(
            key
            for key, loan in fold.loans.items()
            if loan.registered_by != number
            and (number in (loan.controller, loan.servicer) or opened.get(key, (0, 0))[1] == number)
        )
        assert [loan.loan_key for loan in queries.shared_loans(connection, number)] == expected
    assert any(queries.shared_loans(connection, number) for number in fold.lenders)


def _open_offers(fold: FoldedChain) -> dict[bytes, tuple[int, int, int]]:
    opened: dict[bytes, tuple[int, int, int]] = {}
    for event in fold.events:
        if event["name"] == "TransferOffered":
            opened[event["loan"]] = event["lender"], event["other"], event["expiry"]
        elif event["name"] in {"TransferWithdrawn", "TransferRefused", "TransferAccepted"}:
            opened.pop(event["loan"])
    return opened


def _as_folded(record: queries.MirrorRecord) -> tuple[Any, ...]:
    place = record.block_number, record.block_hash, record.log_index, record.transaction_hash
    return (record.kind, record.commitment, record.head, record.status, *place)
