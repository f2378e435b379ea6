"""The deployed registry as its lenders use it, in short words for the tests."""

import secrets
from typing import Any

from tests.support import chain_oracle as oracle
from tests.support.devnet import Chain, Receipt, Refusal

ALPHA, BETA, GAMMA = 1, 2, 3


class Registry:
    """The deployed registry as its lenders use it; lender n writes from account n, the administrator from account 0."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    def account(self, lender_id: int) -> str:
        return self.chain.accounts[lender_id]

    def send(self, function: str, *values: Any, by: int) -> Receipt:
        return self.chain.send(function, *values, sender=self.account(by))

    def refusal(self, function: str, *values: Any, by: int) -> Refusal:
        return self.chain.refusal(function, *values, sender=self.account(by))

    def view(self, function: str, *values: Any) -> Any:
        return self.chain.view(function, *values)

    def loan(self, *kinds: int, of: int = ALPHA) -> bytes:
        """A newly registered loan of lender `of`, with records of `kinds` after its agreement; its key."""
        nonce = secrets.token_bytes(32)
        self.send("registerLoans", [(nonce, secrets.token_bytes(32))], by=of)
        key = oracle.loan_key(of, nonce)
        if kinds:
            self.append(key, *kinds, by=of)
        return key

    def append(self, key: bytes, *kinds: int, by: int) -> list[bytes]:
        """Append records of `kinds`; their commitments."""
        records = self.records(key, *kinds)
        self.send("appendRecords", records, by=by)
        return [commitment for *_, commitment in records]

    def records(self, key: bytes, *kinds: int) -> list[tuple[bytes, bytes, int, bytes]]:
        """Records of `kinds` that continue the loan's present head one after the other."""
        head, made = self.chain.head(key), []
        for kind in kinds:
            commitment = secrets.token_bytes(32)
            made.append((key, head, kind, commitment))
            head = oracle.next_head(head, kind, commitment)
        return made

    def offer(self, key: bytes, *, to: int, by: int = ALPHA, servicer: int = 0, seconds: int = 3600) -> int:
        """Offer control of the loan; when the offer ends (unix seconds)."""
        expires_at = self.chain.now() + seconds
        self.send("offerTransfer", key, to, servicer, expires_at, by=by)
        return expires_at
