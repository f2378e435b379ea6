"""The registry with three lenders admitted."""

import pytest

from tests.contracts.deployment import ALPHA, BETA, GAMMA, Registry
from tests.support.devnet import Chain, chain, deployed, devnet

__all__ = ["chain", "deployed", "devnet", "registry"]


@pytest.fixture
def registry(chain: Chain) -> Registry:
    for lender_id in (ALPHA, BETA, GAMMA):
        chain.send("admitLender", chain.accounts[lender_id], sender=chain.administrator)
    return Registry(chain)
