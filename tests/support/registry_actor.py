"""Random lawful use of a deployed registry on a real devnet; what exists is asked of the contract before each act."""

import time
from random import Random
from typing import Any

from tests.support import chain_oracle
from tests.support.devnet import Chain
from tests.support.log_maker import LAWFUL, LEADS_TO

LENDERS = (1, 2, 3)


class RegistryActor:
    """Acts as three lenders. It keeps no state that a reorganisation could make false, only the keys it ever made."""

    def __init__(self, chain: Chain, seed: int) -> None:
        self.chain = chain
        self.random = Random(seed)
        self.keys: list[bytes] = []
        self.tags: list[bytes] = []

    def admit(self) -> None:
        for number in LENDERS:
            self.chain.send("admitLender", self.chain.accounts[number], sender=self.chain.administrator)

    def account(self, lender_id: int) -> str:
        return self.chain.accounts[lender_id]

    def register(self, count: int = 3) -> dict[str, Any]:
        """A transaction that registers `count` loans of one lender."""
        lender = self.random.choice(LENDERS)
        nonces = [self.random.randbytes(32) for _ in range(count)]
        self.keys += [chain_oracle.loan_key(lender, nonce) for nonce in nonces]
        loans = [(nonce, self.random.randbytes(32)) for nonce in nonces]
        return self.chain.transaction("registerLoans", loans, sender=self.account(lender))

    def append(self, count: int = 4) -> dict[str, Any]:
        """A transaction that appends `count` records to loans of one servicer; a registration if there are none."""
        standing = self.standing()
        if not standing:
            return self.register()
        servicer = self.random.choice([servicer for _, servicer, _ in standing.values()])
        states = {key: [self.chain.head(key), status] for key, (_, who, status) in standing.items() if who == servicer}
        records = []
        for _ in range(count):
            key = self.random.choice(list(states))
            head, status = states[key]
            kind, commitment = self.random.choice(LAWFUL[status]), self.random.randbytes(32)
            records.append((key, head, kind, commitment))
            states[key] = [chain_oracle.next_head(head, kind, commitment), LEADS_TO.get(kind, status)]
        return self.chain.transaction("appendRecords", records, sender=self.account(servicer))

    def control(self) -> dict[str, Any]:
        """A transaction that offers, accepts, refuses, withdraws, appoints, pledges or releases."""
        standing = self.standing()
        if not standing:
            return self.register()
        key, (controller, _, _) = self.random.choice(list(standing.items()))
        to_lender, _, _ = self.chain.view("offer", key)
        call: tuple[int, str, tuple[Any, ...]]
        if to_lender:
            head, commitment = self.chain.head(key), self.random.randbytes(32)
            call = self.random.choice(
                [
                    (to_lender, "acceptTransfer", (key, head, commitment)),
                    (to_lender, "refuseTransfer", (key,)),
                    (controller, "withdrawOffer", (key,)),
                ]
            )
        else:
            call = self._other_act(key, controller)
        lender, function, values = call
        return self.chain.transaction(function, *values, sender=self.account(lender))

    def act(self) -> dict[str, Any]:
        return self.random.choice([self.register, self.append, self.append, self.append, self.control])()

    def mine(self, *transactions: dict[str, Any]) -> None:
        """Send each transaction; every one gets a block of its own."""
        for transaction in transactions:
            sent = self.chain.rpc.call("eth_sendTransaction", transaction)
            while (receipt := self.chain.rpc.call("eth_getTransactionReceipt", sent)) is None:
                time.sleep(0.001)  # the block comes just after the answer
            assert receipt["status"] == "0x1", transaction

    def run(self, acts: int) -> None:
        for _ in range(acts):
            self.mine(self.act())

    def height(self) -> int:
        return int(self.chain.rpc.call("eth_blockNumber"), 16)

    def block_hash(self, number: int) -> bytes:
        block = self.chain.rpc.call("eth_getBlockByNumber", hex(number), False)
        return bytes.fromhex(block["hash"][2:])

    def reorganise(self, depth: int, *, replace: bool) -> None:
        """Replace the last `depth` blocks by empty ones, or by ones with a registration of two loans each."""
        transactions: list[Any] = []
        if replace:
            transactions = [[self.register(2), offset] for offset in range(depth)]
        first = self.height() - depth + 1
        self.chain.rpc.call("anvil_reorg", depth, transactions)
        for number in range(first, first + depth):
            block = self.chain.rpc.call("eth_getBlockByNumber", hex(number), False)
            assert len(block["transactions"]) == int(replace), block

    def standing(self) -> dict[bytes, tuple[int, int, int]]:
        """Controller, servicer and status of those of the keys that exist now."""
        keys = self.keys[-40:]
        views = self.chain.views([("standing", key) for key in keys])
        return {key: view for key, view in zip(keys, views, strict=True) if view[2]}

    def _other_act(self, key: bytes, controller: int) -> tuple[int, str, tuple[Any, ...]]:
        other = self.random.choice([number for number in LENDERS if number != controller])
        pledged = [tag for tag in self.tags if self.chain.view("lien", tag) == key]
        tag = self.random.randbytes(32)
        choice = self.random.choice(["offer", "offer", "appoint", "pledge", "release"])
        if choice == "offer":
            return controller, "offerTransfer", (key, other, self.random.choice([0, other]), 2**40)
        if choice == "appoint":
            return controller, "appointServicer", (key, other)
        if choice == "release" and pledged:
            return controller, "release", (pledged[0],)
        self.tags.append(tag)
        return controller, "pledge", (tag, key)
