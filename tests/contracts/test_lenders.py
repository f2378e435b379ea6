"""Lenders and administration: admission, accounts, suspension, pause, hand-over."""

import secrets
from typing import Any

import pytest

from tests.contracts.deployment import ALPHA, BETA, GAMMA, Registry
from tests.contracts.kinds import Kind
from tests.support import chain_oracle as oracle
from tests.support.devnet import Chain, Event, Refusal

ADMINISTRATOR = 0
STRANGER = 9
ZERO = "0x" + "00" * 20
WORD = bytes(32)

LENDER_WRITES: list[tuple[str, tuple[Any, ...]]] = [
    ("registerLoans", ([(WORD, WORD)],)),
    ("appendRecords", ([(WORD, WORD, 1, WORD)],)),
    ("offerTransfer", (WORD, BETA, 0, 2**63)),
    ("withdrawOffer", (WORD,)),
    ("acceptTransfer", (WORD, WORD, WORD)),
    ("refuseTransfer", (WORD,)),
    ("appointServicer", (WORD, BETA)),
    ("pledge", (WORD, WORD)),
    ("release", (WORD,)),
]
ADMINISTRATOR_WRITES: list[tuple[str, tuple[Any, ...]]] = [
    ("admitLender", (ZERO,)),
    ("addAccount", (ALPHA, ZERO)),
    ("removeAccount", (ZERO,)),
    ("suspendLender", (ALPHA,)),
    ("reinstateLender", (ALPHA,)),
    ("pause", ()),
    ("unpause", ()),
    ("offerAdministration", (ZERO,)),
]


def test_every_function_that_writes_is_covered_by_the_lists_above(chain: Chain) -> None:
    functions = [entry for entry in chain.artifact.abi if entry["type"] == "function"]
    writes = {entry["name"] for entry in functions if entry["stateMutability"] not in {"view", "pure"}}

    assert writes - {"acceptAdministration"} == {name for name, _ in LENDER_WRITES + ADMINISTRATOR_WRITES}
    assert not [entry for entry in chain.artifact.abi if entry.get("stateMutability") == "payable"]


def test_lender_ids_count_from_one_without_gaps(chain: Chain) -> None:
    admitted = [chain.send("admitLender", chain.accounts[n], sender=chain.administrator) for n in (5, 6, 7)]

    assert [receipt.events for receipt in admitted] == [
        (Event("LenderAdmitted", {"lenderId": lender_id, "account": chain.accounts[lender_id + 4].lower()}),)
        for lender_id in (1, 2, 3)
    ]
    assert chain.view("lenderCount") == 3
    assert [chain.view("lenderOf", chain.accounts[n]) for n in (4, 5, 6, 7)] == [0, 1, 2, 3]
    assert [chain.view("lenderActive", lender_id) for lender_id in range(5)] == [False, True, True, True, False]


def test_a_lenders_accounts_rotate_behind_its_id(registry: Registry) -> None:
    key = registry.loan()
    added = registry.send("addAccount", ALPHA, registry.account(8), by=ADMINISTRATOR)
    removed = registry.send("removeAccount", registry.account(ALPHA), by=ADMINISTRATOR)

    old, new = registry.account(ALPHA), registry.account(8)
    assert added.events == (Event("AccountAdded", {"lenderId": ALPHA, "account": new.lower()}),)
    assert removed.events == (Event("AccountRemoved", {"lenderId": ALPHA, "account": old.lower()}),)
    records = registry.records(key, Kind.DISBURSEMENT)
    assert registry.refusal("appendRecords", records, by=ALPHA) == Refusal("NotALender", (old.lower(),))
    registry.send("appendRecords", records, by=8)


def test_an_account_acts_for_one_lender_only(registry: Registry) -> None:
    account = registry.account(BETA)
    taken = Refusal("AccountTaken", (account.lower(), BETA))

    assert registry.refusal("admitLender", account, by=ADMINISTRATOR) == taken
    assert registry.refusal("addAccount", ALPHA, account, by=ADMINISTRATOR) == taken
    assert registry.refusal("addAccount", BETA, account, by=ADMINISTRATOR) == taken


def test_the_zero_address_acts_for_nobody(registry: Registry) -> None:
    assert registry.refusal("admitLender", ZERO, by=ADMINISTRATOR) == Refusal("AccountZero")
    assert registry.refusal("addAccount", ALPHA, ZERO, by=ADMINISTRATOR) == Refusal("AccountZero")


@pytest.mark.parametrize("lender_id", [0, 4, 2**32 - 1])
def test_unknown_lenders_are_named(registry: Registry, lender_id: int) -> None:
    unknown = Refusal("LenderUnknown", (lender_id,))

    assert registry.refusal("addAccount", lender_id, registry.account(8), by=ADMINISTRATOR) == unknown
    assert registry.refusal("suspendLender", lender_id, by=ADMINISTRATOR) == unknown
    assert registry.refusal("reinstateLender", lender_id, by=ADMINISTRATOR) == unknown


def test_an_account_of_nobody_cannot_be_removed(registry: Registry) -> None:
    account = registry.account(STRANGER)

    refusal = registry.refusal("removeAccount", account, by=ADMINISTRATOR)

    assert refusal == Refusal("NotALender", (account.lower(),))


@pytest.mark.parametrize(("function", "values"), LENDER_WRITES)
def test_strangers_suspended_lenders_and_a_pause_stop_every_write(
    registry: Registry, function: str, values: tuple[Any, ...]
) -> None:
    stranger = registry.account(STRANGER)
    assert registry.refusal(function, *values, by=STRANGER) == Refusal("NotALender", (stranger.lower(),))

    registry.send("suspendLender", GAMMA, by=ADMINISTRATOR)
    assert registry.refusal(function, *values, by=GAMMA) == Refusal("LenderNotActive", (GAMMA,))

    registry.send("pause", by=ADMINISTRATOR)
    assert registry.refusal(function, *values, by=ALPHA) == Refusal("RegistryPaused")


def test_a_suspended_lender_comes_back_with_its_loans(registry: Registry) -> None:
    key = registry.loan()
    suspended = registry.send("suspendLender", ALPHA, by=ADMINISTRATOR)
    assert registry.refusal("suspendLender", ALPHA, by=ADMINISTRATOR) == Refusal("LenderNotActive", (ALPHA,))
    assert registry.view("standing", key)[:2] == (ALPHA, ALPHA)

    reinstated = registry.send("reinstateLender", ALPHA, by=ADMINISTRATOR)

    assert suspended.events == (Event("LenderSuspended", {"lenderId": ALPHA}),)
    assert reinstated.events == (Event("LenderReinstated", {"lenderId": ALPHA}),)
    assert registry.refusal("reinstateLender", ALPHA, by=ADMINISTRATOR) == Refusal("LenderNotSuspended", (ALPHA,))
    registry.append(key, Kind.DISBURSEMENT, by=ALPHA)


def test_a_pause_never_blocks_reading_or_administration(registry: Registry) -> None:
    key = registry.loan()
    before = registry.chain.head(key)
    paused = registry.send("pause", by=ADMINISTRATOR)

    assert paused.events == (Event("Paused", {}),)
    assert registry.view("paused") is True
    assert registry.refusal("pause", by=ADMINISTRATOR) == Refusal("RegistryPaused")
    assert registry.chain.head(key) == before
    assert registry.view("standing", key)[:2] == (ALPHA, ALPHA)
    assert registry.view("lenderHead", ALPHA) == oracle.lender_head([(oracle.REGISTERED_BY, key)])
    registry.send("admitLender", registry.account(8), by=ADMINISTRATOR)
    registry.send("suspendLender", BETA, by=ADMINISTRATOR)

    resumed = registry.send("unpause", by=ADMINISTRATOR)
    assert resumed.events == (Event("Unpaused", {}),)
    assert registry.refusal("unpause", by=ADMINISTRATOR) == Refusal("RegistryNotPaused")
    registry.append(key, Kind.DISBURSEMENT, by=ALPHA)


@pytest.mark.parametrize(("function", "values"), ADMINISTRATOR_WRITES)
def test_only_the_administrator_administers(registry: Registry, function: str, values: tuple[Any, ...]) -> None:
    refusal = registry.refusal(function, *values, by=ALPHA)

    assert refusal == Refusal("NotAdministrator", (registry.account(ALPHA).lower(),))


def test_administration_is_handed_over_in_two_steps(registry: Registry) -> None:
    old, new = registry.account(ADMINISTRATOR), registry.account(STRANGER)
    assert registry.view("administrator") == old.lower()

    offered = registry.send("offerAdministration", new, by=ADMINISTRATOR)
    assert registry.view("pendingAdministrator") == new.lower()
    assert registry.view("administrator") == old.lower()
    assert registry.refusal("acceptAdministration", by=BETA) == Refusal(
        "NotPendingAdministrator", (registry.account(BETA).lower(),)
    )
    accepted = registry.send("acceptAdministration", by=STRANGER)

    assert offered.events == (Event("AdministrationOffered", {"account": new.lower()}),)
    assert accepted.events == (Event("AdministrationAccepted", {"account": new.lower()}),)
    assert registry.view("administrator") == new.lower()
    assert registry.view("pendingAdministrator") == ZERO
    assert registry.refusal("pause", by=ADMINISTRATOR) == Refusal("NotAdministrator", (old.lower(),))
    registry.send("pause", by=STRANGER)


def test_an_offer_of_administration_can_be_taken_back(registry: Registry) -> None:
    new = registry.account(STRANGER)
    registry.send("offerAdministration", new, by=ADMINISTRATOR)
    registry.send("offerAdministration", ZERO, by=ADMINISTRATOR)

    assert registry.refusal("acceptAdministration", by=STRANGER) == Refusal("NotPendingAdministrator", (new.lower(),))


def test_the_administrator_cannot_write_to_loans(registry: Registry) -> None:
    key = registry.loan()
    administrator = registry.account(ADMINISTRATOR)

    for function, values in (
        ("appendRecords", (registry.records(key, Kind.DISBURSEMENT),)),
        ("appointServicer", (key, BETA)),
        ("pledge", (secrets.token_bytes(32), key)),
    ):
        refusal = registry.refusal(function, *values, by=ADMINISTRATOR)
        assert refusal == Refusal("NotALender", (administrator.lower(),))
