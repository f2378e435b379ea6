"""What secures a loan, who may be forgotten, and what a buyer accepts."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.wiring import Registry
from indexer.tables import mirror_records
from registry.domain.claims import ControlTransfer, TransferState
from registry.domain.identifiers import new_id
from registry.domain.money import Money
from registry.services import change_standing
from registry.services.erase_borrower import ErasureOnHold, OthersInvolved, erase_borrower
from registry.services.pledge_asset import Asset, AssetInvalid, AssetKind, NothingToSecure, pledge_asset, release_asset
from registry.services.transfer_control import OfferChanged, OfferOpen, Seen, accept_transfer
from registry.storage.tables import borrowers, decisions, loans
from tests.support.installation import disbursed, front_end, load, new_registry, registry, request, sign, today
from tests.support.postgres import postgres

__all__ = ["new_registry", "postgres", "registry"]

VIN = "LSVAU033872012345"
CAR = Asset("VEHICLE", VIN)


@given(st.lists(st.sampled_from([" ", "-", "\u200b", "/", ".", "（", ")"]), min_size=17, max_size=17), st.booleans())
def test_an_asset_is_the_same_however_it_is_spelled(between: list[str], lower: bool) -> None:
    spelled = "".join(a + b for a, b in zip(VIN, between, strict=True))
    wide = "".join(chr(ord(character) + 0xFEE0) for character in VIN)

    assert Asset("vehicle", spelled.lower() if lower else spelled).normalised() == CAR.normalised()
    assert Asset(" Vehicle ", wide).normalised() == CAR.normalised()


@pytest.mark.parametrize(
    ("kind", "identifier"),
    [("car", VIN), ("VEHICLE", VIN[:-1]), ("PROPERTY", "-- --"), ("INVOICE", "1" * 201), ("", "1")],
)
def test_what_cannot_name_an_asset_is_refused(kind: str, identifier: str) -> None:
    with pytest.raises(AssetInvalid):
        Asset(kind, identifier).normalised()


def test_different_assets_have_different_names() -> None:
    assert len({Asset(kind, VIN).normalised() for kind in AssetKind}) == len(AssetKind)


def test_a_closed_loan_cannot_hold_an_asset(registry: Registry) -> None:
    loan_id = sign(registry)
    use = registry.facilities
    change_standing.cancel_loan(registry.unit_of_work(), loan_id, today(), "", request("cancelLoan", "c"), use)

    with pytest.raises(NothingToSecure):
        pledge_asset(registry.unit_of_work(), loan_id, CAR, request("pledgeAsset", "p"), use)


def offered(registry: Registry, loan_id: str, price: int) -> str:
    """An open offer of the loan to lender 2, as it stands once all records are on chain."""
    loan, now = load(registry, loan_id), registry.clock.now()
    transfer = ControlTransfer(
        lender_id=1,
        id=new_id(1),
        loan_id=loan_id,
        from_lender_id=1,
        to_lender_id=2,
        servicer_id=0,
        price=Money(price, "CNY"),
        offered_at=now,
        expires_at=now + timedelta(days=1),
        state=TransferState.OFFERED,
    )
    with registry.unit_of_work() as uow:
        uow.claims.add_transfer(transfer)
        for record in loan.records:
            uow.connection.execute(
                mirror_records.insert().values(
                    loan_key=loan.key,
                    sequence=record.sequence,
                    kind=int(record.kind),
                    commitment=record.commitment,
                    head=record.head,
                    status=int(loan.status),
                    block_number=1,
                    log_index=record.sequence,
                    transaction_hash=bytes(32),
                )
            )
        uow.commit()
    return transfer.id


def test_a_buyer_accepts_only_the_offer_and_history_it_read(registry: Registry) -> None:
    loan_id = disbursed(registry)
    transfer_id, head, use = offered(registry, loan_id, 1_000), load(registry, loan_id).head, registry.facilities
    buyer = front_end(2)

    for seen in (Seen(new_id(1), head), Seen(transfer_id, bytes(32))):
        with pytest.raises(OfferChanged):
            accept_transfer(registry.unit_of_work(), loan_id, request("acceptTransfer", "a", buyer), use, seen=seen)
    accept_transfer(
        registry.unit_of_work(),
        loan_id,
        request("acceptTransfer", "b", buyer),
        use,
        seen=Seen(transfer_id, head),
    )

    assert load(registry, loan_id).controller_id == 2


def test_what_secures_a_loan_does_not_change_while_it_is_offered(registry: Registry) -> None:
    loan_id, use = disbursed(registry), registry.facilities
    pledge_asset(registry.unit_of_work(), loan_id, CAR, request("pledgeAsset", "p"), use)
    offered(registry, loan_id, 1_000)

    with pytest.raises(OfferOpen):
        release_asset(registry.unit_of_work(), loan_id, CAR, request("releaseAsset", "r"), use)


def test_who_owes_money_or_owes_it_to_another_lender_is_not_forgotten(registry: Registry) -> None:
    charged_off, sold = disbursed(registry, "one"), disbursed(registry, "two")
    use = registry.facilities
    change_standing.charge_off_loan(
        registry.unit_of_work(), charged_off, today(), "", request("chargeOffLoan", "c"), use
    )
    owed = load(registry, sold).ledger.payoff(today())
    change_standing.settle_loan(registry.unit_of_work(), sold, today(), owed, "", request("settleLoan", "s"), use)
    with registry.engine.begin() as connection:
        connection.execute(update(loans).where(loans.c.id == sold).values(controller_id=2))

    with pytest.raises(ErasureOnHold):
        erase_borrower(
            registry.unit_of_work(), load(registry, charged_off).borrower_id, "", request("eraseBorrower", "a"), use
        )
    with pytest.raises(OthersInvolved):
        erase_borrower(
            registry.unit_of_work(), load(registry, sold).borrower_id, "", request("eraseBorrower", "b"), use
        )


def test_erasing_leaves_no_figures_of_the_borrower(registry: Registry) -> None:
    loan_id, use = disbursed(registry), registry.facilities
    loan = load(registry, loan_id)
    change_standing.settle_loan(
        registry.unit_of_work(), loan_id, today(), loan.ledger.payoff(today()), "", request("settleLoan", "s"), use
    )

    erase_borrower(registry.unit_of_work(), loan.borrower_id, "asked for", request("eraseBorrower", "e"), use)

    with registry.engine.connect() as connection:
        decision = connection.execute(select(decisions).where(decisions.c.id == loan.decision_id)).one()
        borrower = connection.execute(select(borrowers).where(borrowers.c.id == loan.borrower_id)).one()
    assert (decision.score, decision.limit_minor, decision.inputs_salt) == (None, None, bytes(32))
    assert (borrower.sealed, borrower.blind_index, borrower.external_reference) == (None, None, None)
