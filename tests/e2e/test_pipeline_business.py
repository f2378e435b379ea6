"""What lenders do with anchored loans, through the use cases and on the chain, on SQLite and PostgreSQL."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.auditing import evidence_of, trust_of
from app.simulation.people import draw_person
from audit.disclosure import DisclosureProfile
from audit.evidence import evidence_bytes
from audit.finding import Rule
from audit.verify import verify
from graphql_api.anchors import AnchorState, anchors_of_records
from registry.domain.access import Actor
from registry.domain.kinds import LoanStatus, RecordKind
from registry.domain.money import Money
from registry.domain.outbox import OutboxAction, OutboxEntry
from registry.services import change_standing, pledge_asset, record_money, transfer_control
from registry.services.authority import ServicerOnly
from registry.services.pledge_asset import Asset, AssetAlreadyPledged
from registry.services.record_money import Repayment
from registry.services.resolve_refusal import NotRefused, resolve_refusal
from registry.services.transfer_control import Offer
from registry.storage.tables import outbox, voided_records
from tests.support.installation import disbursed, front_end, load, request, today
from tests.support.postgres import PostgresServer, postgres
from tests.support.running import Running, running

__all__ = ["postgres"]

PRINCIPAL = Money(6_000_000, "CNY")
SELLER, BUYER = front_end(1, "seller"), front_end(2, "buyer")
# The first of Anvil's accounts is the administrator's; these were given to nobody.
SECOND_ACCOUNT = 7


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    url = None
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    with running(tmp_path_factory.mktemp(request.param), url) as installation:
        yield installation


def test_money_that_comes_in_and_goes_back_is_final_on_chain(made: Running) -> None:
    loan_id = anchored_loan(made, "money")
    repay(made, loan_id, 500_000, "money-1")
    change_standing.reverse_record(
        uow(made), loan_id, 2, today(), "sent back by the bank", request("reverseRecord", "money-2"), use(made)
    )
    assert states(made, loan_id) == [AnchorState.FINAL] * 2 + [AnchorState.QUEUED] * 2

    made.anchor()

    assert states(made, loan_id) == [AnchorState.FINAL] * 4
    assert load(made.registry, loan_id).ledger.payoff(today()) == PRINCIPAL
    made.assert_all_anchored()


def test_a_charge_off_and_what_is_recovered_after_it_are_final_on_chain(made: Running) -> None:
    loan_id = anchored_loan(made, "loss")
    change_standing.charge_off_loan(uow(made), loan_id, today(), "fraud", request("chargeOffLoan", "loss-1"), use(made))
    record_money.record_recovery(
        uow(made), loan_id, Money(100_000, "CNY"), today(), None, request("recordRecovery", "loss-2"), use(made)
    )

    made.anchor()

    assert kinds(made, loan_id)[-2:] == [RecordKind.CHARGE_OFF, RecordKind.RECOVERY]
    assert states(made, loan_id) == [AnchorState.FINAL] * 4
    assert made.fold().loans[load(made.registry, loan_id).key].status == LoanStatus.CHARGED_OFF
    made.assert_all_anchored()


def test_after_a_transfer_the_buyer_books_and_the_seller_does_not(made: Running) -> None:
    loan_id = anchored_loan(made, "sale")
    offer(made, loan_id, "sale-1")
    made.anchor()
    transfer_control.accept_transfer(uow(made), loan_id, request("acceptTransfer", "sale-2", BUYER), use(made))
    with pytest.raises(ServicerOnly):
        repay(made, loan_id, 1_000, "sale-3", SELLER)
    repay(made, loan_id, 2_000, "sale-4", BUYER)

    made.anchor()

    loan = load(made.registry, loan_id)
    assert kinds(made, loan_id)[-2:] == [RecordKind.TRANSFER, RecordKind.REPAYMENT]
    assert states(made, loan_id) == [AnchorState.FINAL] * 4
    mirrored = made.fold().loans[loan.key]
    assert (mirrored.registered_by, mirrored.controller, mirrored.servicer) == (1, 2, 2)
    refusal = made.chain().refusal("appendRecords", [(loan.key, loan.head, 2, bytes(32))], sender=account(made, 1))
    assert refusal.name == "NotServicer"
    made.assert_all_anchored()


def test_a_refused_offer_leaves_the_claim_where_it_was(made: Running) -> None:
    loan_id = anchored_loan(made, "unwanted")
    offer(made, loan_id, "unwanted-1")
    made.anchor()
    transfer_control.refuse_transfer(uow(made), loan_id, request("refuseTransfer", "unwanted-2", BUYER), use(made))
    repay(made, loan_id, 3_000, "unwanted-3", SELLER)

    made.anchor()

    fold = made.fold()
    key = load(made.registry, loan_id).key
    assert [event["name"] for event in fold.events if event.get("loan") == key] == [
        "TransferOffered",
        "TransferRefused",
    ]
    assert fold.loans[key].controller == 1
    made.assert_all_anchored()


def test_an_asset_secures_one_loan_until_it_is_released(made: Running) -> None:
    mine, theirs = anchored_loan(made, "car-1"), anchored_loan(made, "car-2", BUYER)
    car = Asset("VEHICLE", "LSVAU033872012345")
    pledge_asset.pledge_asset(uow(made), mine, car, request("pledgeAsset", "car-3"), use(made))
    made.anchor()
    with pytest.raises(AssetAlreadyPledged):
        pledge_asset.pledge_asset(uow(made), theirs, car, request("pledgeAsset", "car-4", BUYER), use(made))
    pledge_asset.release_asset(uow(made), mine, car, request("releaseAsset", "car-5"), use(made))
    pledge_asset.pledge_asset(uow(made), theirs, car, request("pledgeAsset", "car-6", BUYER), use(made))

    made.anchor()

    holder = made.chain().view("lien", made.registry.vault.asset_tag(car.normalised()))
    assert holder == load(made.registry, theirs).key
    made.assert_all_anchored()


def test_a_double_pledge_that_slips_past_sql_is_refused_by_the_contract(made: Running) -> None:
    mine, theirs = anchored_loan(made, "slip-1"), anchored_loan(made, "slip-2", BUYER)
    house = Asset("PROPERTY", "TITLE-0815")
    pledge_asset.pledge_asset(uow(made), mine, house, request("pledgeAsset", "slip-3"), use(made))
    made.anchor()
    tag, loan = made.registry.vault.asset_tag(house.normalised()), load(made.registry, theirs)
    entry = OutboxEntry(2, OutboxAction.PLEDGE, 2, theirs, loan.key, arguments={"asset_tag": tag.hex()})
    with uow(made) as work:
        work.outbox.queue([entry], made.registry.clock.now())
        work.commit()

    made.anchor()

    (refused,) = made.command("outbox", "list", "--state", "REFUSED")
    holder = load(made.registry, mine).key
    assert (refused["lender"], refused["action"], refused["loan"]) == (2, "PLEDGE", theirs)
    assert refused["refusal"].startswith("AssetAlreadyPledged(")
    assert tag.hex() in refused["refusal"]
    assert holder.hex() in refused["refusal"]
    assert made.chain().view("lien", tag) == holder
    (finding,) = made.findings()
    assert (finding.rule, finding.loan_id) == (Rule.LIEN_MISSING, theirs)
    with made.registry.engine.begin() as connection:
        place = (outbox.c.lender_id == 2, outbox.c.position == refused["position"])
        connection.execute(update(outbox).where(*place).values(voided_at=made.registry.clock.now()))
    made.anchor()
    made.assert_all_anchored()


def test_a_refused_record_is_taken_out_and_what_followed_is_committed_anew(made: Running) -> None:
    """The owner had another servicer appointed on chain while a repayment waited, and takes that back later."""
    loan_id = anchored_loan(made, "stray")
    key, chain = load(made.registry, loan_id).key, made.chain()
    chain.send("addAccount", 1, chain.accounts[SECOND_ACCOUNT], sender=chain.administrator)
    chain.send("appointServicer", key, 2, sender=chain.accounts[SECOND_ACCOUNT])
    repay(made, loan_id, 10_000, "stray-1")
    repay(made, loan_id, 20_000, "stray-2")
    made.registry.relay().drain(60)
    made.registry.indexer().catch_up(60)
    with pytest.raises(NotRefused):  # it may still pass as long as the refusal is not final
        resolve(made, loan_id, 2, "stray-3")
    made.mine()
    made.registry.indexer().catch_up(60)
    assert states(made, loan_id) == [AnchorState.FINAL] * 2 + [AnchorState.REFUSED, AnchorState.QUEUED]
    (entry,) = [row for row in made.command("outbox", "list", "--lender", "1") if row["state"] == "REFUSED"]
    assert entry["refusal"].startswith("NotServicer(")
    gone = load(made.registry, loan_id).records[2:]

    resolve(made, loan_id, 2, "stray-4")
    chain.send("appointServicer", key, 1, sender=chain.accounts[SECOND_ACCOUNT])
    made.anchor()

    kept = load(made.registry, loan_id).records
    assert [record.amount.minor for record in kept if record.amount] == [PRINCIPAL.minor, PRINCIPAL.minor, 20_000]
    assert kept[2].commitment not in {record.commitment for record in gone}
    with made.registry.engine.connect() as connection:
        voided = connection.execute(select(voided_records).where(voided_records.c.loan_id == loan_id)).all()
    assert {row.commitment for row in voided} >= {gone[0].commitment}
    assert load(made.registry, loan_id).ledger.payoff(today()) == Money(PRINCIPAL.minor - 20_000, "CNY")
    assert states(made, loan_id) == [AnchorState.FINAL] * 3
    made.assert_all_anchored()
    proof = evidence_of(made.registry, loan_id, DisclosureProfile.AUDITOR)
    assert verify(evidence_bytes(proof), trust_of(made.registry, int(proof["block"]["number"]))).verified


def anchored_loan(made: Running, key: str, actor: Actor = SELLER) -> str:
    somebody = draw_person(random.Random(key), date(2026, 1, 1))
    loan_id = disbursed(made.registry, key, actor, identity=somebody)
    made.anchor()
    return loan_id


def repay(made: Running, loan_id: str, minor: int, key: str, actor: Actor = SELLER) -> None:
    given = Repayment(loan_id, Money(minor, "CNY"), today(), reference=key)
    record_money.record_repayment(uow(made), given, request("recordRepayment", key, actor), use(made))


def offer(made: Running, loan_id: str, key: str) -> None:
    given = Offer(loan_id, 2, made.registry.clock.now() + timedelta(days=1), price=Money(5_900_000, "CNY"))
    transfer_control.offer_transfer(uow(made), given, request("offerTransfer", key, SELLER), use(made))


def resolve(made: Running, loan_id: str, sequence: int, key: str) -> None:
    asked = request("resolveRefusal", key, SELLER)
    resolve_refusal(uow(made), loan_id, sequence, "another servicer", asked, use(made))


def states(made: Running, loan_id: str) -> list[AnchorState]:
    """The anchor state of each record of the loan, in order."""
    records = load(made.registry, loan_id).records
    with made.registry.engine.connect() as connection:
        views = anchors_of_records(connection, [record.commitment for record in records])
    return [views[record.commitment].state for record in records]


def kinds(made: Running, loan_id: str) -> list[RecordKind]:
    return [record.kind for record in load(made.registry, loan_id).records]


def account(made: Running, lender_id: int) -> str:
    with uow(made) as work:
        return f"0x{work.lenders.get(lender_id).account.hex()}"


def uow(made: Running) -> Any:
    return made.registry.unit_of_work()


def use(made: Running) -> Any:
    return made.registry.facilities
