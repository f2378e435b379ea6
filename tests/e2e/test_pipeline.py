"""The whole way on SQLite and PostgreSQL with a real chain: loans simulated, anchored, mirrored, reconciled, proven."""

import random
from collections.abc import Iterator

import pytest

from app.auditing import evidence_of, trust_of
from app.simulation.run import simulate
from audit.disclosure import DisclosureProfile
from audit.evidence import evidence_bytes
from audit.verdict import Exit
from audit.verify import verify
from registry.domain.kinds import RecordKind
from tests.support.fold import ask
from tests.support.installation import today
from tests.support.postgres import PostgresServer, postgres
from tests.support.running import Running, running

__all__ = ["postgres"]

LOANS, SEED = 40, 11


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def anchored(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Forty simulated loans of two lenders, relayed, final and mirrored."""
    url = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    with running(tmp_path_factory.mktemp(request.param), url) as made:
        report = simulate(made.registry, [1, 2], LOANS, SEED, today())
        assert (report.loans, report.decisions, report.undecided) == (LOANS, LOANS, 0)
        made.anchor()
        yield made


def test_every_record_is_on_chain_once_and_the_mirror_is_the_fold_of_the_raw_logs(anchored: Running) -> None:
    anchored.assert_all_anchored()
    assert anchored.references() == [f"SIM-{SEED}-{number:06d}" for number in range(1, LOANS + 1)]
    kinds = {kind for kind, _ in anchored.filed().values()}
    assert kinds >= {RecordKind.AGREEMENT, RecordKind.DISBURSEMENT, RecordKind.REPAYMENT, RecordKind.SETTLEMENT}


def test_both_lenders_sign_for_their_own_loans(anchored: Running) -> None:
    fold = anchored.fold()
    with anchored.registry.unit_of_work() as uow:
        accounts = {lender.account: lender.id for lender in uow.lenders.all()}
    by_transaction = {record[7]: key for (key, _), record in fold.records.items()}
    signed = set()
    for transaction, key in by_transaction.items():
        sender = ask(anchored.info.url, "eth_getTransactionByHash", f"0x{transaction.hex()}")["from"]
        assert accounts[bytes.fromhex(sender[2:])] == fold.loans[key].registered_by
        signed.add(fold.loans[key].registered_by)
    assert signed == {1, 2}


@pytest.mark.parametrize("profile", DisclosureProfile)
def test_the_evidence_of_a_loan_verifies_offline_under_every_profile(
    anchored: Running, profile: DisclosureProfile
) -> None:
    for loan_id in random.Random(profile.value).sample(loan_ids(anchored), 3):
        made = evidence_of(anchored.registry, loan_id, profile)
        trust = trust_of(anchored.registry, int(made["block"]["number"]))

        verdict = verify(evidence_bytes(made), trust)

        assert verdict.verified, verdict
        assert verdict.subject is not None
        assert verdict.subject.records == records_of(anchored, loan_id)
        assert verify(evidence_bytes(made), None).exit_code is Exit.NOT_CHECKED


def test_relaying_indexing_and_simulating_again_changes_nothing(anchored: Running) -> None:
    head = ask(anchored.info.url, "eth_blockNumber")
    before = anchored.filed()

    again = simulate(anchored.registry, [1, 2], LOANS, SEED, today())
    relayed = anchored.registry.relay().drain(60)
    indexed = anchored.registry.indexer().catch_up(60)

    assert (again.loans, again.known) == (0, LOANS)
    assert (relayed.sent, indexed.records) == (0, 0)
    assert ask(anchored.info.url, "eth_blockNumber") == head
    assert anchored.filed() == before


def loan_ids(made: Running) -> list[str]:
    with made.registry.engine.connect() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT id FROM loans ORDER BY id")]


def records_of(made: Running, loan_id: str) -> int:
    with made.registry.unit_of_work() as uow:
        return len(uow.loans.get(loan_id).records)
