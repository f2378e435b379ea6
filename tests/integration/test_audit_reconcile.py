"""Reconciliation finds every altered cell and row, where it is, and nothing else."""

import random
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from registry.storage import tables
from tests.support.audit_mutations import KINDS_OF_MUTATION, Portfolio, a_portfolio, names
from tests.support.audit_portfolio import FakeMirror

MUTATIONS = 1_000


@pytest.fixture(scope="module")
def portfolios() -> Iterator[list[Portfolio]]:
    made = [a_portfolio(seed) for seed in range(40)]
    yield made
    for portfolio in made:
        portfolio.connection.close()


def test_a_hundred_clean_portfolios_raise_no_alarm() -> None:
    loans = 0
    for seed in range(100):
        portfolio = a_portfolio(1_000 + seed, loans=1 + seed % 5)
        for with_chain in (True, False):
            assert portfolio.findings(portfolio.sources(with_chain=with_chain)) == []
        loans += len(portfolio.loans)
        portfolio.connection.close()
    assert loans == 300


@pytest.mark.parametrize("with_chain", [True, False])
def test_every_mutation_is_found_and_located(portfolios: list[Portfolio], with_chain: bool) -> None:
    rng = random.Random(20_261 + with_chain)
    kinds = [rng.choice(KINDS_OF_MUTATION) for _ in range(MUTATIONS)]
    for number, kind in enumerate(kinds):
        portfolio = rng.choice(portfolios)
        mutation = kind(rng, rng.choice(portfolio.loans))
        sources = portfolio.sources(with_chain=with_chain)
        assert isinstance(sources.mirror, FakeMirror)
        mutation.apply(portfolio.connection, sources.mirror)
        found = portfolio.findings(sources)
        portfolio.connection.rollback()
        described = (
            f"mutation {number}: {kind.__name__} {mutation.table}.{mutation.field} {mutation.sequence} gave {found}"
        )
        assert any(names(mutation, finding) for finding in found), described
        own = {mutation.loan.row["id"], None}
        assert {finding.loan_id for finding in found} <= own, described


def test_findings_hold_no_personal_data(portfolios: list[Portfolio]) -> None:
    for portfolio in portfolios[:10]:
        c = tables.loan_records.c
        portfolio.connection.execute(update(tables.loan_records).values(secret=bytes(32), sealed=b"x" * 80))
        portfolio.connection.execute(
            update(tables.loan_records).where(c.sequence > 0).values(fields='{"reason":"张伟"}')
        )
        for finding in portfolio.findings(portfolio.sources()):
            assert "张伟" not in finding.expected + finding.found
            assert len(finding.expected + finding.found) < 200
        portfolio.connection.rollback()
