"""A thousand alterations of a portfolio as the product made and anchored it: each is found, and where it is.

`FAULT_MUTATIONS=10000` tries ten thousand.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from app.audit_ports import ChainState, SealedFields
from app.auditing import reconcile_all, trust_of
from app.simulation.run import simulate
from audit import loan_file
from audit.disclosure import DisclosureProfile
from audit.evidence import build_evidence, evidence_bytes
from audit.finding import Verification
from audit.queries import verification_of
from audit.trust import Trust
from audit.verify import verify
from registry.domain.errors import RegistryError
from tests.faults.alterations import KINDS, Copy, KnownChain, copy_of
from tests.support.installation import today
from tests.support.mirrors import position
from tests.support.running import Running, running

LOANS, LOANS_A_COPY = 60, 2
MUTATIONS = int(os.environ.get("FAULT_MUTATIONS", "1000"))
CLEAN_PORTFOLIOS, LOANS_A_PORTFOLIO = 100, 2


@dataclass
class Stand:
    """The installation, and its anchored loans in copies of a few."""

    made: Running
    copies: list[Copy]
    trust: Trust


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with running(tmp_path_factory.mktemp("tampering")) as made:
        simulate(made.registry, [1, 2], LOANS, 60, today())
        made.anchor()
        made.assert_all_anchored()
        final, block = position(made.registry.engine).final_number, position(made.registry.engine).block_number
        reader = ChainState(made.registry.rpc, made.registry.binding.contract)
        with made.registry.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT id, loan_key FROM loans ORDER BY loan_key").all()
        keys = [row.loan_key for row in rows]
        chain = KnownChain(reader.heads(keys, block), {key: reader.proof([key], final) for key in keys[:20]})
        groups = [rows[start : start + LOANS_A_COPY] for start in range(0, LOANS, LOANS_A_COPY)]
        copies = [copy_of(made.registry, [row.id for row in group], chain) for group in groups]
        yield Stand(made, copies, trust_of(made.registry, final))
        for copy in copies:
            copy.connection.close()


def test_an_untouched_copy_of_anchored_loans_raises_no_alarm_and_gives_evidence(stand: Stand) -> None:
    for copy in stand.copies:
        assert copy.findings() == []
    for copy in stand.copies[:5]:
        for loan in copy.loans:
            assert proves(copy, loan.id, stand.trust)


def test_every_alteration_is_found_and_located(stand: Stand) -> None:
    rng = random.Random(f"tampering {LOANS}")
    tried: Counter[str] = Counter()
    for number in range(MUTATIONS):
        copy = rng.choice(stand.copies)
        loan, kind = rng.choice(copy.loans), rng.choice(KINDS)
        alteration = kind(rng, copy, loan)
        found = copy.findings()
        shows = alteration.in_evidence and loan.loan_key in copy.chain.proofs
        is_proven = shows and proves(copy, loan.id, stand.trust)
        copy.connection.rollback()
        where = f"{alteration.table}.{alteration.column} {alteration.sequence}"
        described = f"alteration {number}: {kind.__name__} {where} gave {found}"
        assert any(alteration.is_named_by(finding) for finding in found), described
        assert all(finding.loan_id in {loan.id, None} for finding in found), described
        assert not is_proven, described
        tried[kind.__name__] += 1
        tried["evidence refused"] += shows
    assert set(tried) == {kind.__name__ for kind in KINDS} | {"evidence refused"}
    assert tried["evidence refused"] > MUTATIONS // 20


def test_a_hundred_clean_portfolios_that_wait_for_their_anchoring_raise_no_alarm(stand: Stand) -> None:
    registry = stand.made.registry
    for seed in range(1_000, 1_000 + CLEAN_PORTFOLIOS):
        simulate(registry, [1, 2], LOANS_A_PORTFOLIO, seed, today())

    report = reconcile_all(registry)

    with registry.engine.connect() as connection:
        names = [
            (row.lender_id, row.id)
            for row in connection.exec_driver_sql(
                "SELECT lender_id, id FROM loans WHERE loan_key NOT IN (SELECT loan_key FROM mirror_loans)"
            )
        ]
        states = [found.state for found in verification_of(connection, set(names)).values()]
    assert report.findings == 0
    assert len(names) == CLEAN_PORTFOLIOS * LOANS_A_PORTFOLIO
    assert states == [Verification.NOT_YET] * len(names)


def proves(copy: Copy, loan_id: str, trust: Trust) -> bool:
    """Whether evidence can be made from the copy and verifies."""
    loan = loan_file.loan_of(copy.connection, loan_id)
    assert loan is not None
    records = loan_file.records_of(copy.connection, loan)
    proof = copy.chain.proofs[loan.loan_key]
    opener = SealedFields(copy.registry.vault)
    try:
        made = build_evidence(loan, records, proof, copy.registry.binding, DisclosureProfile.AUDITOR, opener)
    except RegistryError:
        return False
    return verify(evidence_bytes(made), trust).verified
