"""The use cases on SQLite and PostgreSQL: what they book, what they refuse, and that a refusal changes nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.wiring import Registry
from compliance.vault import KeyDestroyed
from registry.domain.access import Actor, NotPermitted, Role
from registry.domain.kinds import LoanStatus, RecordKind
from registry.domain.loan import DateNotAllowed
from registry.domain.money import AmountInvalid, CurrencyMismatch, Money
from registry.domain.refusals import BalanceOutstanding, RepaymentExceedsOutstanding
from registry.services import change_standing, pledge_asset, record_money
from registry.services.authority import LoanNotYours
from registry.services.erase_borrower import ErasureOnHold, erase_borrower
from registry.services.personal import identity_of
from registry.services.pledge_asset import Asset, AssetAlreadyPledged, AssetNotPledged
from registry.services.record_money import Repayment, RepaymentRefused
from registry.services.transfer_control import Offer, OfferMissing, RecordsWaiting, accept_transfer, offer_transfer
from registry.storage.loans import LoanUnknown
from registry.storage.requests import KeyReused
from registry.storage.tables import audit_entries, borrowers, decisions, loan_records, outbox
from tests.support.installation import (
    counts,
    disbursed,
    front_end,
    load,
    new_registry,
    registry,
    request,
    sign,
    today,
)
from tests.support.postgres import postgres

__all__ = ["new_registry", "postgres", "registry"]


def repay(
    registry: Registry, loan_id: str, amount: Money, key: str = "repay", actor: Actor | None = None
) -> dict[str, object]:
    given = Repayment(loan_id, amount, today())
    asked = request("recordRepayment", key, actor)
    return record_money.record_repayment(registry.unit_of_work(), given, asked, registry.facilities)


def test_a_loan_lives_from_application_to_settlement(registry: Registry) -> None:
    loan_id = disbursed(registry)
    use = registry.facilities
    repay(registry, loan_id, Money(500_000, "CNY"))
    change_standing.reverse_record(
        registry.unit_of_work(), loan_id, 2, today(), "sent back", request("reverseRecord", "r"), use
    )
    owed = load(registry, loan_id).ledger.payoff(today())
    change_standing.settle_loan(
        registry.unit_of_work(), loan_id, today(), owed, "repaid early", request("settleLoan", "s"), use
    )

    loan = load(registry, loan_id)

    assert [record.kind for record in loan.records] == [
        RecordKind.AGREEMENT,
        RecordKind.DISBURSEMENT,
        RecordKind.REPAYMENT,
        RecordKind.REVERSAL,
        RecordKind.REPAYMENT,
        RecordKind.SETTLEMENT,
    ]
    assert loan.status is LoanStatus.SETTLED
    assert loan.ledger.payoff(today()).minor == 0
    assert loan.records[3].reverses == 2
    assert owed == Money(6_000_000, "CNY")


def test_every_record_is_queued_once_in_the_order_it_was_booked(registry: Registry) -> None:
    first, second = disbursed(registry, "one"), disbursed(registry, "two")
    repay(registry, first, Money(1_000, "CNY"))

    with registry.engine.connect() as connection:
        rows = connection.execute(select(outbox).order_by(outbox.c.position)).all()
        records = connection.execute(select(loan_records)).all()

    assert [row.position for row in rows] == list(range(1, 6))
    assert [(row.loan_id, row.sequence) for row in rows] == [
        (first, 0),
        (first, 1),
        (second, 0),
        (second, 1),
        (first, 2),
    ]
    assert {row.commitment for row in rows} == {record.commitment for record in records}


def test_personal_data_is_nowhere_in_clear(registry: Registry) -> None:
    loan_id = sign(registry)
    name = "identity"
    with registry.unit_of_work() as uow:
        loan = uow.loans.get(loan_id)
        borrower = uow.borrowers.get(1, loan.borrower_id)
    with registry.engine.connect() as connection:
        everything = [
            str(dict(row))
            for table in (borrowers, loan_records, decisions)
            for row in connection.execute(select(table)).mappings()
        ]
    known = identity_of(registry.vault, borrower)
    assert known.number is not None
    assert not any(known.name in text or known.number in text for text in everything), name


def test_a_second_currency_is_refused(registry: Registry) -> None:
    loan_id = disbursed(registry)
    before = counts(registry)

    with pytest.raises(CurrencyMismatch):
        repay(registry, loan_id, Money(1_000, "USD"))

    assert counts(registry) == before


def test_a_repayment_above_what_is_owed_is_refused_and_changes_nothing(registry: Registry) -> None:
    loan_id = disbursed(registry)
    before = counts(registry)

    with pytest.raises(RepaymentExceedsOutstanding) as refusal:
        repay(registry, loan_id, Money(6_000_001, "CNY"))

    assert refusal.value.outstanding == Money(6_000_000, "CNY")
    assert counts(registry) == before


@pytest.mark.parametrize("minor", [0, -1, -500_000])
def test_an_amount_that_is_not_positive_is_refused(registry: Registry, minor: int) -> None:
    loan_id = disbursed(registry)
    before = counts(registry)

    with pytest.raises(AmountInvalid):
        repay(registry, loan_id, Money(minor, "CNY"))

    assert counts(registry) == before


def test_a_repayment_of_tomorrow_is_refused(registry: Registry) -> None:
    loan_id = disbursed(registry)
    given = Repayment(loan_id, Money(1_000, "CNY"), today() + timedelta(days=1))

    with pytest.raises(DateNotAllowed):
        record_money.record_repayment(
            registry.unit_of_work(), given, request("recordRepayment", "later"), registry.facilities
        )


def test_an_unknown_loan_and_another_lenders_loan_look_the_same(registry: Registry) -> None:
    loan_id = disbursed(registry)
    unknown = loan_id[:-6] + "abcdef"

    with pytest.raises(LoanUnknown) as missing:
        repay(registry, unknown, Money(1_000, "CNY"))
    with pytest.raises(LoanNotYours) as foreign:
        repay(registry, loan_id, Money(1_000, "CNY"), actor=front_end(2))

    assert missing.value.code == foreign.value.code == "LOAN_UNKNOWN"
    assert str(missing.value).replace(unknown, "") == str(foreign.value).replace(loan_id, "")


def test_only_a_lenders_front_end_writes(registry: Registry) -> None:
    loan_id = disbursed(registry)

    with pytest.raises(NotPermitted):
        repay(registry, loan_id, Money(1_000, "CNY"), actor=Actor("auditor", Role.AUDITOR))


def test_the_same_request_is_answered_once(registry: Registry) -> None:
    loan_id = disbursed(registry)
    first = repay(registry, loan_id, Money(1_000, "CNY"), "same")
    before = counts(registry)

    again = repay(registry, loan_id, Money(1_000, "CNY"), "same")

    assert again == first
    assert counts(registry) == before


def test_a_key_with_another_body_is_refused(registry: Registry) -> None:
    loan_id = disbursed(registry)
    repay(registry, loan_id, Money(1_000, "CNY"), "same")
    before = counts(registry)
    given = Repayment(loan_id, Money(2_000, "CNY"), today())

    with pytest.raises(KeyReused):
        record_money.record_repayment(
            registry.unit_of_work(),
            given,
            request("recordRepayment", "same", body=b"\x01" * 32),
            registry.facilities,
        )

    assert counts(registry) == before


def test_one_refused_repayment_of_a_batch_refuses_all(registry: Registry) -> None:
    loan_id = disbursed(registry)
    before = counts(registry)
    batch = [Repayment(loan_id, Money(minor, "CNY"), today()) for minor in (1_000, 2_000, 99_000_000)]

    with pytest.raises(RepaymentRefused) as refusal:
        record_money.record_repayments(
            registry.unit_of_work(), batch, request("recordRepayments", "b"), registry.facilities
        )

    assert refusal.value.index == 2
    assert refusal.value.code == "REPAYMENT_EXCEEDS_OUTSTANDING"
    assert counts(registry) == before


def test_a_loan_with_money_owed_is_not_settled(registry: Registry) -> None:
    loan_id = disbursed(registry)

    with pytest.raises(BalanceOutstanding):
        change_standing.settle_loan(
            registry.unit_of_work(), loan_id, today(), None, "", request("settleLoan", "s"), registry.facilities
        )


def test_what_comes_in_after_a_charge_off_is_a_recovery(registry: Registry) -> None:
    loan_id = disbursed(registry)
    use = registry.facilities
    change_standing.charge_off_loan(
        registry.unit_of_work(), loan_id, today(), "fraud", request("chargeOffLoan", "c"), use
    )
    record_money.record_recovery(
        registry.unit_of_work(), loan_id, Money(100_000, "CNY"), today(), None, request("recordRecovery", "r"), use
    )

    loan = load(registry, loan_id)

    assert loan.status is LoanStatus.CHARGED_OFF
    assert loan.ledger.state.recovered_minor == 100_000
    assert loan.records[-1].amount == Money(100_000, "CNY")


def test_one_asset_secures_one_loan_over_all_lenders(registry: Registry) -> None:
    mine, theirs = disbursed(registry, "mine"), disbursed(registry, "theirs", front_end(2))
    use, car = registry.facilities, Asset("VEHICLE", "LSVAU033872012345")
    pledge_asset.pledge_asset(registry.unit_of_work(), mine, car, request("pledgeAsset", "p"), use)
    before = counts(registry)

    with pytest.raises(AssetAlreadyPledged):
        pledge_asset.pledge_asset(
            registry.unit_of_work(),
            theirs,
            Asset("vehicle", "lsvau 0338 7201 2345"),
            request("pledgeAsset", "q", front_end(2)),
            use,
        )
    assert counts(registry) == before
    with pytest.raises(AssetNotPledged):
        pledge_asset.release_asset(
            registry.unit_of_work(), theirs, car, request("releaseAsset", "q", front_end(2)), use
        )
    pledge_asset.release_asset(registry.unit_of_work(), mine, car, request("releaseAsset", "r"), use)
    pledge_asset.pledge_asset(registry.unit_of_work(), theirs, car, request("pledgeAsset", "again", front_end(2)), use)


def test_a_claim_with_records_under_way_is_not_offered(registry: Registry) -> None:
    loan_id = disbursed(registry)
    offer = Offer(loan_id, 2, registry.clock.now() + timedelta(days=1))

    with pytest.raises(RecordsWaiting) as waiting:
        offer_transfer(registry.unit_of_work(), offer, request("offerTransfer", "o"), registry.facilities)

    assert waiting.value.waiting == 2
    assert waiting.value.retryable
    with pytest.raises(LoanNotYours):
        accept_transfer(
            registry.unit_of_work(), loan_id, request("acceptTransfer", "a", front_end(2)), registry.facilities
        )
    with pytest.raises(OfferMissing):
        accept_transfer(registry.unit_of_work(), loan_id, request("acceptTransfer", "a"), registry.facilities)


def test_erasing_a_borrower_leaves_the_heads_and_nothing_personal(registry: Registry) -> None:
    loan_id = disbursed(registry)
    use = registry.facilities
    loan = load(registry, loan_id)
    with registry.unit_of_work() as uow:
        key_id = uow.borrowers.get(1, loan.borrower_id).key_id
    assert key_id is not None
    with pytest.raises(ErasureOnHold):
        erase_borrower(registry.unit_of_work(), loan.borrower_id, "asked for", request("eraseBorrower", "x"), use)
    change_standing.settle_loan(
        registry.unit_of_work(),
        loan_id,
        today(),
        loan.ledger.payoff(today()),
        "",
        request("settleLoan", "s"),
        use,
    )

    erase_borrower(registry.unit_of_work(), loan.borrower_id, "asked for", request("eraseBorrower", "y"), use)

    after = load(registry, loan_id)
    assert after.records[-1].kind is RecordKind.ERASURE
    assert after.records[0].sealed is None
    assert after.records[0].head == loan.records[0].head
    with pytest.raises(KeyDestroyed):
        registry.vault.derive(key_id, b"anything")
    with registry.engine.connect() as connection:
        row = connection.execute(select(borrowers).where(borrowers.c.id == loan.borrower_id)).one()
    assert (row.sealed, row.blind_index, row.key_id) == (None, None, None)


def test_every_change_leaves_an_audit_entry(registry: Registry) -> None:
    disbursed(registry)

    with registry.engine.connect() as connection:
        actions = [row.action for row in connection.execute(select(audit_entries).order_by(audit_entries.c.id))]

    assert actions == ["ApplicationSubmitted", "ApplicationDecided", "AgreementSigned", "LoanDisbursed"]
