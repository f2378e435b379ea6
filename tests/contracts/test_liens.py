"""Liens: an asset secures one loan at a time, follows it, and is let go only by its controller."""

import secrets

import pytest

from tests.contracts.deployment import ALPHA, BETA, Registry
from tests.contracts.kinds import Kind
from tests.support.devnet import Event, Refusal

TAG = bytes(range(32, 64))


def test_an_asset_is_pledged_and_released(registry: Registry) -> None:
    key = registry.loan()

    pledged = registry.send("pledge", TAG, key, by=ALPHA)
    assert registry.view("lien", TAG) == key
    released = registry.send("release", TAG, by=ALPHA)

    assert pledged.events == (Event("AssetPledged", {"assetTag": TAG, "loanKey": key, "lenderId": ALPHA}),)
    assert released.events == (Event("AssetReleased", {"assetTag": TAG, "loanKey": key}),)
    assert registry.view("lien", TAG) == bytes(32)


def test_an_asset_is_not_pledged_twice_by_anybody(registry: Registry) -> None:
    first, own, others = registry.loan(), registry.loan(), registry.loan(of=BETA)
    registry.send("pledge", TAG, first, by=ALPHA)
    taken = Refusal("AssetAlreadyPledged", (TAG, first))

    assert registry.refusal("pledge", TAG, first, by=ALPHA) == taken
    assert registry.refusal("pledge", TAG, own, by=ALPHA) == taken
    assert registry.refusal("pledge", TAG, others, by=BETA) == taken


def test_a_released_asset_can_secure_another_loan(registry: Registry) -> None:
    first, second = registry.loan(), registry.loan(of=BETA)
    registry.send("pledge", TAG, first, by=ALPHA)
    registry.send("release", TAG, by=ALPHA)

    registry.send("pledge", TAG, second, by=BETA)

    assert registry.view("lien", TAG) == second


def test_only_the_controller_pledges_and_releases_not_the_servicer(registry: Registry) -> None:
    key = registry.loan()
    registry.send("appointServicer", key, BETA, by=ALPHA)
    refused = Refusal("NotController", (key, BETA, ALPHA))

    assert registry.refusal("pledge", TAG, key, by=BETA) == refused
    registry.send("pledge", TAG, key, by=ALPHA)
    assert registry.refusal("release", TAG, by=BETA) == refused


def test_a_lien_follows_the_loan_to_its_new_controller(registry: Registry) -> None:
    key = registry.loan()
    registry.send("pledge", TAG, key, by=ALPHA)
    registry.offer(key, to=BETA)
    registry.send("acceptTransfer", key, registry.chain.head(key), bytes(32), by=BETA)

    assert registry.view("lien", TAG) == key
    assert registry.refusal("release", TAG, by=ALPHA) == Refusal("NotController", (key, ALPHA, BETA))
    registry.send("release", TAG, by=BETA)


@pytest.mark.parametrize("closing", [(Kind.DISBURSEMENT, Kind.SETTLEMENT), (Kind.CANCELLATION,)])
def test_closing_a_loan_does_not_release_its_assets(registry: Registry, closing: tuple[Kind, ...]) -> None:
    key = registry.loan()
    registry.send("pledge", TAG, key, by=ALPHA)
    registry.append(key, *closing, by=ALPHA)

    assert registry.view("lien", TAG) == key
    registry.send("release", TAG, by=ALPHA)


def test_what_is_not_pledged_cannot_be_released_and_unknown_loans_take_no_pledge(registry: Registry) -> None:
    unknown = secrets.token_bytes(32)

    assert registry.refusal("release", TAG, by=ALPHA) == Refusal("AssetNotPledged", (TAG,))
    assert registry.refusal("pledge", TAG, unknown, by=ALPHA) == Refusal("LoanUnknown", (unknown,))
