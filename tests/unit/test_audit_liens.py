"""A lien's row holds only what the chain holds, or what the queue will still bring there."""

import pytest

from audit.finding import Finding, Rule
from audit.lien_check import Calls, compare
from audit.loan_file import FileLien, FileOutbox
from audit.loan_result import LoanResult
from audit.ports import MirrorLien, RelayProgress
from tests.support.audit_liens import LIEN_STATES

TAG, OTHER, KEY, FINAL = bytes([1]) * 32, bytes([2]) * 32, bytes([9]) * 32, 100


def queue(*actions: str) -> list[FileOutbox]:
    arguments = f'{{"asset_tag":"{TAG.hex()}"}}'
    return [
        FileOutbox(1, position, action, 1, "LN-1", KEY, None, None, None, None, arguments)
        for position, action in enumerate(actions, 1)
    ]


def rows(*released: bool, tag: bytes = TAG) -> list[FileLien]:
    return [FileLien(1, "LN-1", tag, "2026-03-01T00:00:00Z" if ended else None) for ended in released]


def found(
    filed: list[FileLien],
    calls: list[FileOutbox],
    pledged: int = 0,
    released: int = 0,
    progress: dict[int, RelayProgress] | None = None,
) -> list[Finding]:
    result = LoanResult(1, "LN-1", KEY)
    mirrored = [MirrorLien(TAG, pledged, released)] if pledged else []
    known = {(1, position): state for position, state in (progress or {}).items()}
    compare(filed, calls, mirrored, Calls(known, FINAL), result)
    return result.findings


def rules(findings: list[Finding]) -> list[tuple[Rule, str]]:
    assert all(finding.table == "liens" for finding in findings)
    return [(finding.rule, finding.field) for finding in findings]


@pytest.mark.parametrize(("calls", "pledged", "released"), LIEN_STATES)
def test_a_lien_that_is_as_chain_and_queue_have_it_raises_no_alarm_and_its_opposite_does(
    calls: tuple[str, ...], pledged: int, released: int
) -> None:
    true = [turn < calls.count("RELEASE") for turn in range(calls.count("PLEDGE"))]
    assert found(rows(*true), queue(*calls), pledged, released) == []
    false = [*true[:-1], not true[-1]]
    assert rules(found(rows(*false), queue(*calls), pledged, released)) == [(Rule.LIEN_ALTERED, "released_at")]
    assert rules(found(rows(*true[1:]), queue(*calls), pledged, released)) == [(Rule.LIEN_MISSING, "")]


def test_a_lien_that_nothing_brought_or_will_bring_to_the_chain_is_found() -> None:
    assert rules(found(rows(False), [])) == [(Rule.LIEN_NOT_ON_CHAIN, "asset_tag")]


def test_a_pledge_that_was_finally_refused_does_not_wait() -> None:
    not_final, final = RelayProgress(FINAL + 1, None), RelayProgress(FINAL, None)
    assert found(rows(False), queue("PLEDGE"), progress={1: not_final}) == []
    assert rules(found(rows(False), queue("PLEDGE"), progress={1: final})) == [(Rule.LIEN_NOT_ON_CHAIN, "asset_tag")]


def test_a_pledge_whose_transaction_is_final_but_that_is_not_on_chain_does_not_wait() -> None:
    mined = RelayProgress(None, FINAL)
    assert rules(found(rows(False), queue("PLEDGE"), progress={1: mined})) == [(Rule.LIEN_NOT_ON_CHAIN, "asset_tag")]


def test_a_lien_moved_to_another_asset_is_missing_for_the_one_and_unknown_for_the_other() -> None:
    moved = found(rows(False, tag=OTHER), queue("PLEDGE"), 1)
    assert rules(moved) == [(Rule.LIEN_MISSING, ""), (Rule.LIEN_NOT_ON_CHAIN, "asset_tag")]


def test_a_lien_entered_twice_is_found() -> None:
    assert rules(found(rows(False, False), queue("PLEDGE"), 1)) == [(Rule.LIEN_NOT_ON_CHAIN, "asset_tag")]
    twice = found(rows(False, False), queue("PLEDGE", "RELEASE", "PLEDGE"), 2, 1)
    assert rules(twice) == [(Rule.LIEN_ALTERED, "released_at")]


def test_a_pledge_and_a_release_that_wait_in_two_lenders_queues_may_come_in_either_order() -> None:
    pledge, release = queue("PLEDGE", "RELEASE")
    for filed in (rows(False), rows(True)):
        assert found(filed, [pledge, release._replace(lender_id=2, position=1)]) == []


def test_a_cell_of_the_wrong_type_is_a_finding() -> None:
    wrong = FileLien(1, "LN-1", "text", None)  # type: ignore[arg-type]
    assert (Rule.CELL_MALFORMED, "asset_tag") in rules(found([wrong], []))
