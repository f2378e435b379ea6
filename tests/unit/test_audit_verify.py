"""Evidence verifies as it was made, under the trust it was made for."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.disclosure import DisclosureProfile
from audit.evidence import HistoryDiffers, NotOnChainYet, build_evidence, evidence_bytes
from audit.ports import OnChain
from audit.trust import TrustInvalid, read_trust
from audit.verdict import Exit, Outcome
from audit.verify import verify
from registry.domain.chain_binding import ChainBinding
from registry.domain.errors import Unavailable
from tests.support.audit_evidence import (
    FULL,
    LOANS,
    OPENER,
    ORIGINAL,
    TRUST,
    WORLD,
    evidence_of,
    file_loan,
    file_records,
)
from tests.support.audit_portfolio import CHAIN_ID, CONTRACT, KINDS, PERSONAL, Maker
from tests.support.audit_world import World


@pytest.mark.parametrize("profile", DisclosureProfile)
def test_evidence_of_every_anchored_loan_verifies_in_every_profile(profile: DisclosureProfile) -> None:
    made = [loan for loan in LOANS if loan.standing]
    assert len(made) >= 8
    for loan in made:
        verdict = verify(evidence_bytes(evidence_of(loan, profile)), TRUST)
        assert verdict.exit_code is Exit.VERIFIED, verdict
        assert verdict.subject is not None
        assert verdict.subject.records == len(loan.mirror_records)
        assert [step.number for step in verdict.steps] == list(range(1, 11))


def test_each_profile_opens_what_it_may_and_no_more() -> None:
    transferred = next(
        loan for loan in LOANS if any(row["kind"] == 12 for row in loan.records[: len(loan.mirror_records)])
    )
    opened = {
        profile: {
            (record["kind"], field["name"])
            for loan in (*FULL, transferred)
            for record in evidence_of(loan, profile)["records"]
            for field in record.get("fields", ())
            if "value" in field
        }
        for profile in DisclosureProfile
    }
    personal = {("AGREEMENT", name) for name in PERSONAL}
    assert opened[DisclosureProfile.AUDITOR] >= personal
    between_lenders = {("TRANSFER", name) for name in ("amount_minor", "currency", "price_minor")}
    assert opened[DisclosureProfile.AUDITOR] >= between_lenders
    assert opened[DisclosureProfile.PARTNER] == opened[DisclosureProfile.AUDITOR] - personal - between_lenders
    assert opened[DisclosureProfile.BORROWER] == opened[DisclosureProfile.AUDITOR] - between_lenders
    assert opened[DisclosureProfile.PUBLIC] == set()
    assert all("fields" not in record for record in evidence_of(FULL[0], DisclosureProfile.PUBLIC)["records"])


def test_the_verdict_says_when_no_contents_were_shown() -> None:
    shown = verify(evidence_bytes(evidence_of(FULL[0])), TRUST)
    hidden = verify(evidence_bytes(evidence_of(FULL[0], DisclosureProfile.PUBLIC)), TRUST)
    assert shown.verified
    assert hidden.verified
    assert shown.headline.startswith("Verified: ")
    assert shown.headline.endswith(", unaltered.")
    assert hidden.headline == shown.headline[:-1] + "; their contents were not shown."


def test_evidence_never_holds_a_records_secret_or_sealed_text() -> None:
    for loan in FULL:
        text = evidence_bytes(evidence_of(loan)).decode()
        for row in loan.records:
            assert row["secret"].hex() not in text
            assert row["sealed"] is None or row["sealed"].hex() not in text


def test_an_erased_borrowers_fields_stay_as_digests_and_the_evidence_still_verifies() -> None:
    loan = next(loan for loan in LOANS if loan.borrower["key_id"] is None and loan.standing)
    agreement = evidence_of(loan)["records"][0]
    assert [field["name"] for field in agreement["fields"] if "digest" in field] == PERSONAL


def test_records_booked_after_the_block_are_left_out() -> None:
    loan = next(loan for loan in LOANS if 0 < len(loan.mirror_records) < len(loan.records))
    assert len(evidence_of(loan)["records"]) == len(loan.mirror_records)


def test_a_loan_that_is_not_on_chain_has_no_evidence_yet() -> None:
    loan = Maker(99).loan(77, anchored=0)
    with pytest.raises(NotOnChainYet) as refusal:
        evidence_of(loan)
    assert refusal.value.exit_code == Exit.NOT_FINAL


@pytest.mark.parametrize("column", ["fields", "commitment", "head", "secret", "kind"])
def test_no_evidence_is_made_of_a_file_that_differs_from_the_chain(column: str) -> None:
    loan = FULL[0]
    records = file_records(loan)
    altered = {
        "fields": records[0].fields.replace("2026", "2027", 1), "commitment": bytes(32), "head": bytes(32),
        "secret": bytes(32), "kind": 15,
    }  # fmt: skip
    at = 0 if column == "fields" else len(records) - 1
    records[at] = records[at]._replace(**{column: altered[column]})
    with pytest.raises(HistoryDiffers) as refusal:
        build_evidence(
            file_loan(loan),
            records,
            WORLD.proof(loan.row["loan_key"]),
            WORLD.binding,
            DisclosureProfile.AUDITOR,
            OPENER,
        )
    assert refusal.value.exit_code == Exit.MISMATCH


def test_without_trust_settings_evidence_is_self_consistent_only() -> None:
    verdict = verify(evidence_bytes(ORIGINAL), None)
    assert verdict.exit_code is Exit.NOT_CHECKED == 6
    assert verdict.headline.startswith("Self-consistent only")
    assert verify(evidence_bytes(ORIGINAL), replace(TRUST, block_hash=None, block_number=None)).exit_code == 6


@pytest.mark.parametrize("name", ["chain_id", "genesis_hash", "contract", "code_hash", "block_hash", "block_number"])
def test_other_trust_settings_are_told_apart_from_tampering(name: str) -> None:
    value = getattr(TRUST, name)
    other = value + 1 if isinstance(value, int) else bytes(len(value))
    verdict = verify(evidence_bytes(ORIGINAL), replace(TRUST, **{name: other}))
    assert verdict.exit_code is Exit.WRONG_CHAIN == 7
    assert [step.number for step in verdict.steps if step.outcome is Outcome.FAILED] == [3]


def test_a_whole_invented_chain_is_self_consistent_but_not_trusted() -> None:
    forged = World(LOANS, CHAIN_ID, CONTRACT, seed=2)
    evidence = evidence_bytes(evidence_of(FULL[0], world=forged))
    assert verify(evidence, None).exit_code == 6
    assert verify(evidence, TRUST).exit_code == 7


def test_an_unknown_version_could_not_be_checked() -> None:
    assert verify(evidence_bytes(ORIGINAL | {"version": 2}), TRUST).exit_code == 6


def test_evidence_reads_the_same_with_other_white_space_and_member_order() -> None:
    backwards = json.dumps(dict(reversed(ORIGINAL.items())), indent=3, ensure_ascii=True).encode()
    assert verify(backwards, TRUST).verified


@dataclass
class FakeNode:
    """A node that has the world's block, with what a test changes about it."""

    chain: ChainBinding = WORLD.binding
    hash: bytes | None = WORLD.block_hash
    final: int = WORLD.number + 3
    now: OnChain | None = None
    reachable: bool = True

    def binding(self, contract: bytes) -> ChainBinding:
        if not self.reachable:
            raise Unavailable
        return self.chain

    def block_hash(self, number: int) -> bytes | None:
        return self.hash

    def final_number(self) -> int:
        return self.final

    def loan(self, contract: bytes, loan_key: bytes) -> OnChain | None:
        return self.now


STANDING = OnChain(
    *next(made.standing for made in FULL if made.row["loan_key"].hex() in ORIGINAL["loan"]["loan_key"]) or ()
)


@pytest.mark.parametrize(
    ("node", "code"),
    [
        (FakeNode(now=STANDING), Exit.VERIFIED),
        (FakeNode(now=STANDING, final=WORLD.number), Exit.VERIFIED),
        (FakeNode(now=STANDING, final=WORLD.number - 1), Exit.NOT_FINAL),
        (FakeNode(now=STANDING, hash=bytes(32), final=WORLD.number - 1), Exit.NOT_FINAL),
        (FakeNode(now=STANDING, hash=bytes(32)), Exit.MISMATCH),
        (FakeNode(now=STANDING, hash=None, final=3), Exit.NOT_FINAL),
        (FakeNode(now=None), Exit.MISMATCH),
        (FakeNode(now=replace(STANDING, head=bytes(32))), Exit.MISMATCH),
        (FakeNode(now=replace(STANDING, servicer_id=9)), Exit.MISMATCH),
        (FakeNode(now=STANDING, chain=replace(WORLD.binding, chain_id=5)), Exit.WRONG_CHAIN),
        (FakeNode(now=STANDING, chain=replace(WORLD.binding, code_hash=bytes(32))), Exit.WRONG_CHAIN),
        (FakeNode(now=STANDING, reachable=False), Exit.NOT_CHECKED),
    ],
)
def test_a_node_adds_finality_and_the_present_head(node: FakeNode, code: Exit) -> None:
    assert verify(evidence_bytes(ORIGINAL), TRUST, node).exit_code is code
    without_block = replace(TRUST, block_hash=None, block_number=None)
    assert verify(evidence_bytes(ORIGINAL), without_block, node).exit_code is code


def test_trust_settings_read_back_from_toml_and_json() -> None:
    settings_ = TRUST.as_settings()
    toml = "\n".join(f"{name} = {json.dumps(value)}" for name, value in settings_.items())
    assert read_trust(toml.encode()) == read_trust(json.dumps(settings_).encode()) == TRUST


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": None}, {"chain_id": "5"}, {"chain_id": True}, {"contract": "0x12"}, {"code_hash": "0x" + "g" * 64},
        {"block_hash": "ab" * 32}, {"unknown": 1}, {"genesis_hash": ["0x"]},
    ],
)  # fmt: skip
def test_trust_settings_that_are_not_exactly_so_are_refused(change: dict[str, Any]) -> None:
    given_settings = {name: value for name, value in (TRUST.as_settings() | change).items() if value is not None}
    with pytest.raises(TrustInvalid) as refusal:
        read_trust(json.dumps(given_settings).encode())
    assert refusal.value.exit_code == Exit.WRONG_CHAIN


@given(st.binary(max_size=60))
def test_any_other_trust_file_is_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(TrustInvalid):
        read_trust(data)


def test_every_kind_of_record_was_put_to_the_test() -> None:
    kinds = {record["kind"] for loan in LOANS if loan.standing for record in evidence_of(loan)["records"]}
    assert len(kinds) >= 10, set(KINDS) - kinds
