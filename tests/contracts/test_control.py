"""Control: offers, acceptance of exactly the history seen, refusal, servicers."""

import secrets

import pytest

from tests.contracts.deployment import ALPHA, BETA, GAMMA, Registry
from tests.contracts.kinds import WAY_TO, Kind, Status
from tests.support import chain_oracle as oracle
from tests.support.devnet import Event, Refusal

COMMITMENT = bytes(range(32))


@pytest.mark.parametrize("status", list(WAY_TO))
def test_accepting_passes_control_and_servicing_in_every_status(registry: Registry, status: Status) -> None:
    key = registry.loan(*WAY_TO[status])
    registry.offer(key, to=BETA)
    head = registry.chain.head(key)

    receipt = registry.send("acceptTransfer", key, head, COMMITMENT, by=BETA)

    assert registry.view("standing", key) == (BETA, BETA, status)
    assert registry.chain.head(key) == oracle.next_head(head, Kind.TRANSFER, COMMITMENT)
    assert registry.view("offer", key) == (0, 0, 0)
    assert receipt.events == (
        Event("RecordAppended", {"loanKey": key, "kind": Kind.TRANSFER, "commitment": COMMITMENT}),
        Event("TransferAccepted", {"loanKey": key, "fromLenderId": ALPHA, "toLenderId": BETA, "servicerId": BETA}),
    )


def test_a_transfer_is_written_into_both_lenders_heads(registry: Registry) -> None:
    one, two = registry.loan(), registry.loan(of=BETA)
    registry.offer(one, to=BETA)
    registry.send("acceptTransfer", one, registry.chain.head(one), COMMITMENT, by=BETA)

    assert registry.view("lenderHead", ALPHA) == oracle.lender_head(
        [(oracle.REGISTERED_BY, one), (oracle.CONTROL_LEFT, one)]
    )
    assert registry.view("lenderHead", BETA) == oracle.lender_head(
        [(oracle.REGISTERED_BY, two), (oracle.CONTROL_ARRIVED, one)]
    )


def test_the_offer_may_name_another_servicer(registry: Registry) -> None:
    key = registry.loan(Kind.DISBURSEMENT)
    expires_at = registry.offer(key, to=BETA, servicer=ALPHA)
    assert registry.view("offer", key) == (BETA, ALPHA, expires_at)

    registry.send("acceptTransfer", key, registry.chain.head(key), COMMITMENT, by=BETA)

    assert registry.view("standing", key) == (BETA, ALPHA, Status.ACTIVE)
    registry.append(key, Kind.REPAYMENT, by=ALPHA)


def test_the_sellers_stragglers_are_refused_after_a_transfer(registry: Registry) -> None:
    key = registry.loan(Kind.DISBURSEMENT)
    straggler = registry.records(key, Kind.REPAYMENT)
    registry.offer(key, to=BETA)
    registry.send("acceptTransfer", key, registry.chain.head(key), COMMITMENT, by=BETA)

    refusal = registry.refusal("appendRecords", straggler, by=ALPHA)

    assert refusal == Refusal("NotServicer", (key, ALPHA, BETA))


def test_a_record_after_the_offer_makes_the_history_seen_stale(registry: Registry) -> None:
    key = registry.loan(Kind.DISBURSEMENT)
    registry.offer(key, to=BETA)
    seen = registry.chain.head(key)
    registry.append(key, Kind.REPAYMENT, by=ALPHA)

    refusal = registry.refusal("acceptTransfer", key, seen, COMMITMENT, by=BETA)

    assert refusal == Refusal("HistoryChanged", (key, seen, registry.chain.head(key)))
    registry.send("acceptTransfer", key, registry.chain.head(key), COMMITMENT, by=BETA)


def test_an_offer_cannot_be_accepted_from_its_end_on(registry: Registry) -> None:
    key = registry.loan()
    expires_at = registry.offer(key, to=BETA, seconds=1000)
    head = registry.chain.head(key)

    registry.chain.pass_time_until(expires_at - 1)
    assert registry.chain.rpc.call(
        "eth_call",
        registry.chain.transaction("acceptTransfer", key, head, COMMITMENT, sender=registry.account(BETA)),
        "latest",
    )
    registry.chain.pass_time_until(expires_at)

    refusal = registry.refusal("acceptTransfer", key, head, COMMITMENT, by=BETA)
    assert (refusal.name, refusal.values[:2]) == ("OfferExpired", (key, expires_at))
    assert refusal.values[2] >= expires_at


def test_an_offer_must_end_in_the_future(registry: Registry) -> None:
    key, now = registry.loan(), registry.chain.now()

    refusal = registry.refusal("offerTransfer", key, BETA, 0, now, by=ALPHA)

    assert (refusal.name, refusal.values[:2]) == ("OfferExpired", (key, now))


def test_only_the_lender_offered_accepts_or_refuses(registry: Registry) -> None:
    key = registry.loan()
    registry.offer(key, to=BETA)
    head = registry.chain.head(key)
    not_you = Refusal("OfferNotForYou", (key, GAMMA, BETA))

    assert registry.refusal("acceptTransfer", key, head, COMMITMENT, by=GAMMA) == not_you
    assert registry.refusal("refuseTransfer", key, by=GAMMA) == not_you
    assert registry.refusal("acceptTransfer", key, head, COMMITMENT, by=ALPHA).name == "OfferNotForYou"


def test_a_buyer_refuses_and_nothing_else_changes(registry: Registry) -> None:
    key = registry.loan(Kind.DISBURSEMENT)
    before = (registry.view("standing", key), registry.chain.head(key))
    expires_at = registry.offer(key, to=BETA)
    registry.chain.pass_time_until(expires_at + 1)

    receipt = registry.send("refuseTransfer", key, by=BETA)

    assert receipt.events == (Event("TransferRefused", {"loanKey": key, "byLenderId": BETA}),)
    assert (registry.view("standing", key), registry.chain.head(key)) == before
    assert registry.refusal("acceptTransfer", key, before[1], COMMITMENT, by=BETA) == Refusal("OfferMissing", (key,))


def test_the_controller_withdraws_its_offer(registry: Registry) -> None:
    key = registry.loan()
    registry.offer(key, to=BETA)
    assert registry.refusal("withdrawOffer", key, by=BETA) == Refusal("NotController", (key, BETA, ALPHA))

    receipt = registry.send("withdrawOffer", key, by=ALPHA)

    assert receipt.events == (Event("TransferWithdrawn", {"loanKey": key}),)
    assert registry.refusal("withdrawOffer", key, by=ALPHA) == Refusal("OfferMissing", (key,))
    assert registry.refusal("refuseTransfer", key, by=BETA) == Refusal("OfferMissing", (key,))


def test_a_new_offer_replaces_the_open_one(registry: Registry) -> None:
    key = registry.loan()
    registry.offer(key, to=BETA)
    expires_at = registry.chain.now() + 50

    receipt = registry.send("offerTransfer", key, GAMMA, BETA, expires_at, by=ALPHA)

    values = {"loanKey": key, "fromLenderId": ALPHA, "toLenderId": GAMMA, "servicerId": BETA, "expiresAt": expires_at}
    assert receipt.events == (Event("TransferOffered", values),)
    assert registry.view("offer", key) == (GAMMA, BETA, expires_at)


def test_only_the_controller_offers_and_never_to_itself(registry: Registry) -> None:
    key, later = registry.loan(), registry.chain.now() + 100

    assert registry.refusal("offerTransfer", key, GAMMA, 0, later, by=BETA) == Refusal(
        "NotController", (key, BETA, ALPHA)
    )
    assert registry.refusal("offerTransfer", key, ALPHA, 0, later, by=ALPHA) == Refusal("OfferToSelf", (key, ALPHA))


@pytest.mark.parametrize("lender_id", [0, 4, GAMMA])
def test_buyers_and_servicers_must_be_admitted_and_not_suspended(registry: Registry, lender_id: int) -> None:
    key, later = registry.loan(), registry.chain.now() + 100
    registry.send("suspendLender", GAMMA, by=0)
    refused = Refusal("CounterpartyNotActive", (key, lender_id))

    assert registry.refusal("offerTransfer", key, lender_id, 0, later, by=ALPHA) == refused
    assert registry.refusal("appointServicer", key, lender_id, by=ALPHA) == refused
    if lender_id:  # 0 stands for the buyer here
        assert registry.refusal("offerTransfer", key, BETA, lender_id, later, by=ALPHA) == refused


def test_a_servicer_suspended_since_the_offer_stops_the_acceptance(registry: Registry) -> None:
    key = registry.loan()
    registry.offer(key, to=BETA, servicer=GAMMA)
    registry.send("suspendLender", GAMMA, by=0)

    refusal = registry.refusal("acceptTransfer", key, registry.chain.head(key), COMMITMENT, by=BETA)

    assert refusal == Refusal("CounterpartyNotActive", (key, GAMMA))


def test_what_a_lender_offered_cannot_be_accepted_while_it_is_suspended(registry: Registry) -> None:
    key = registry.loan()
    registry.offer(key, to=BETA)
    registry.send("suspendLender", ALPHA, by=0)
    head = registry.chain.head(key)

    refusal = registry.refusal("acceptTransfer", key, head, COMMITMENT, by=BETA)
    assert refusal == Refusal("CounterpartyNotActive", (key, ALPHA))

    registry.send("reinstateLender", ALPHA, by=0)
    registry.send("acceptTransfer", key, head, COMMITMENT, by=BETA)


def test_the_controller_appoints_the_servicer_and_takes_servicing_back(registry: Registry) -> None:
    key = registry.loan(Kind.DISBURSEMENT)
    receipt = registry.send("appointServicer", key, GAMMA, by=ALPHA)
    assert receipt.events == (Event("ServicerAppointed", {"loanKey": key, "servicerId": GAMMA}),)

    registry.append(key, Kind.REPAYMENT, by=GAMMA)
    refused = registry.refusal("appendRecords", registry.records(key, Kind.FEE), by=ALPHA)
    assert refused == Refusal("NotServicer", (key, ALPHA, GAMMA))
    assert registry.refusal("appointServicer", key, GAMMA, by=GAMMA) == Refusal("NotController", (key, GAMMA, ALPHA))

    registry.send("suspendLender", GAMMA, by=0)
    registry.send("appointServicer", key, ALPHA, by=ALPHA)
    registry.append(key, Kind.FEE, by=ALPHA)


@pytest.mark.parametrize(
    ("function", "values"),
    [
        ("offerTransfer", (BETA, 0, 2**63)),
        ("withdrawOffer", ()),
        ("appointServicer", (BETA,)),
    ],
)
def test_control_of_an_unknown_loan_is_refused(registry: Registry, function: str, values: tuple[int, ...]) -> None:
    key = secrets.token_bytes(32)

    assert registry.refusal(function, key, *values, by=ALPHA) == Refusal("LoanUnknown", (key,))


def test_an_unknown_loan_has_no_offer(registry: Registry) -> None:
    key = secrets.token_bytes(32)

    assert registry.refusal("acceptTransfer", key, bytes(32), bytes(32), by=BETA) == Refusal("OfferMissing", (key,))
    assert registry.refusal("refuseTransfer", key, by=BETA) == Refusal("OfferMissing", (key,))
