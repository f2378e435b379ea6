"""Any sequence of calls, allowed or not, leaves the contract and the plain-Python model in the same state."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.contracts.deployment import ALPHA, BETA, GAMMA, Registry
from tests.contracts.kinds import Kind, status_after
from tests.contracts.model import Model, Record, Refused
from tests.support import chain_oracle as oracle
from tests.support.devnet import Receipt, Refusal

WALKS, STEPS = 8, 180
LENDERS = (ALPHA, BETA, GAMMA)
TAGS = tuple(bytes([number]) * 32 for number in range(1, 5))
UNKNOWN = bytes(32)
FAR = 2**40  # an expiry that no walk reaches; the clock is tested on its own


class Walk:
    """Makes calls on the chain and on the model side by side; three in four are meant to be allowed."""

    def __init__(self, registry: Registry, random: Random, seen: Counter[str]) -> None:
        chain = registry.chain
        self.registry, self.random, self.seen = registry, random, seen
        self.model = Model(chain.info.chain_id, chain.address_bytes, lender_count=len(LENDERS))

    def step(self) -> None:
        actions = {self.append: 8, self.register: 2, self.offer: 4, self.accept: 4, self.appoint: 2, self.pledge: 2}
        actions |= {self.release: 2, self.withdraw: 2, self.refuse: 2, self.suspend: 1, self.reinstate: 3}
        [action] = self.random.choices(list(actions), list(actions.values()))
        action()

    def register(self) -> None:
        by = self._anyone()
        pairs = [(self._nonce(), self.random.randbytes(32)) for _ in range(self.random.randint(1, 3))]
        self._both("registerLoans", (pairs,), by, lambda: self.model.register(by, pairs))

    def append(self) -> None:
        keys = self.random.choices([*self.model.loans, *self.model.loans] or [UNKNOWN], k=self.random.randint(1, 5))
        by = self.model.loans[keys[0]].servicer if self._lawful() and keys[0] in self.model.loans else self._anyone()
        if self._lawful():
            keys = [key for key in keys if key in self.model.loans and self.model.loans[key].servicer == by] or keys
        records = self._records(keys)
        self._both("appendRecords", (records,), by, lambda: self.model.append(by, records))

    def offer(self) -> None:
        key, by = self._controlled()
        to, servicer = self._anyone(), self.random.choice([0, 0, 4, *LENDERS])
        self._both("offerTransfer", (key, to, servicer, FAR), by, lambda: self.model.offer(by, key, to, servicer, FAR))

    def withdraw(self) -> None:
        key, by = self._controlled()
        if self.model.offers and self._lawful():
            key = self.random.choice(list(self.model.offers))
            by = self.model.loans[key].controller
        self._both("withdrawOffer", (key,), by, lambda: self.model.withdraw(by, key))

    def accept(self) -> None:
        key, by = self._offered()
        loan, commitment = self.model.loans.get(key), self.random.randbytes(32)
        head = loan.head if loan and self._lawful() else commitment
        values = (key, head, commitment)
        self._both("acceptTransfer", values, by, lambda: self.model.accept(by, *values))

    def refuse(self) -> None:
        key, by = self._offered()
        self._both("refuseTransfer", (key,), by, lambda: self.model.refuse(by, key))

    def appoint(self) -> None:
        key, by = self._controlled()
        servicer = self.random.choice([0, 4, *LENDERS, *LENDERS])
        self._both("appointServicer", (key, servicer), by, lambda: self.model.appoint(by, key, servicer))

    def pledge(self) -> None:
        key, by = self._controlled()
        tag = self.random.choice(TAGS)
        self._both("pledge", (tag, key), by, lambda: self.model.pledge(by, tag, key))

    def release(self) -> None:
        tag = self.random.choice(TAGS)
        loan = self.model.loans.get(self.model.liens.get(tag, UNKNOWN))
        by = loan.controller if loan and self._lawful() else self._anyone()
        self._both("release", (tag,), by, lambda: self.model.release(by, tag))

    def suspend(self) -> None:
        lender = self._anyone()
        self._both("suspendLender", (lender,), 0, lambda: self.model.suspend(lender))

    def reinstate(self) -> None:
        lender = self.random.choice([*self.model.suspended] or LENDERS)
        self._both("reinstateLender", (lender,), 0, lambda: self.model.reinstate(lender))

    def compare(self) -> None:
        """Every view of every loan, asset and lender, in one request; heads also folded anew from the whole history."""
        model, expected = self.model, list[tuple[tuple[Any, ...], Any]]()
        for key, loan in model.loans.items():
            (_, agreement), *records = loan.history
            head = oracle.fold(oracle.first_head(model.chain_id, model.address, key, agreement), records)
            offer = model.offers.get(key)
            expected += [
                (("standing", key), (loan.controller, loan.servicer, loan.status)),
                (("head", key), head),
                (("offer", key), (offer.to, offer.servicer, offer.expires_at) if offer else (0, 0, 0)),
            ]
        expected += [(("lien", tag), model.liens.get(tag, UNKNOWN)) for tag in TAGS]
        for lender, events in model.population.items():
            expected.append((("lenderHead", lender), oracle.lender_head(events)))
            expected.append((("lenderActive", lender), lender not in model.suspended))
        views = self.registry.chain.views([call for call, _ in expected])
        assert list(zip([call for call, _ in expected], views, strict=True)) == expected

    def _both(self, function: str, values: tuple[Any, ...], by: int, on_model: Callable[[], None]) -> None:
        outcome = self.registry.chain.outcome(function, *values, sender=self.registry.account(by))
        refusal = _refusal_by(on_model)
        self.seen[refusal.name if refusal else function] += 1
        assert outcome == refusal if refusal else isinstance(outcome, Receipt), (function, values, by, outcome)

    def _lawful(self) -> bool:
        return self.random.random() < 0.75

    def _anyone(self) -> int:
        return self.random.choice(LENDERS)

    def _nonce(self) -> bytes:
        return self.random.randrange(12).to_bytes(32, "big")  # few, so that they meet again

    def _controlled(self) -> tuple[bytes, int]:
        """A loan and, if lawful, its controller."""
        key = self.random.choice([*self.model.loans, *self.model.loans, UNKNOWN])
        loan = self.model.loans.get(key)
        return key, loan.controller if loan and self._lawful() else self._anyone()

    def _offered(self) -> tuple[bytes, int]:
        """A loan and, if lawful, the lender it is offered to."""
        if not self.model.offers or not self._lawful():
            return self._controlled()
        key = self.random.choice(list(self.model.offers))
        return key, self.model.offers[key].to if self._lawful() else self._anyone()

    def _records(self, keys: list[bytes]) -> list[Record]:
        """Records on these loans, in this order; most continue the head and the life of their loan."""
        heads = {key: loan.head for key, loan in self.model.loans.items()}
        statuses = {key: loan.status for key, loan in self.model.loans.items()}
        records: list[Record] = []
        for key in keys:
            allowed = [kind for kind in Kind if key in statuses and status_after(statuses[key], kind) is not None]
            wild = self.random.random() < 0.05
            kind = self.random.choice(allowed) if allowed and not wild else self.random.randrange(18)
            previous = heads.get(key, UNKNOWN) if self.random.random() < 0.97 else self.random.randbytes(32)
            commitment = self.random.randbytes(32)
            records.append((key, previous, int(kind), commitment))
            if kind in allowed:
                heads[key] = oracle.next_head(previous, int(kind), commitment)
                statuses[key] = status_after(statuses[key], kind) or statuses[key]
        return records


def _refusal_by(on_model: Callable[[], None]) -> Refusal | None:
    try:
        on_model()
    except Refused as refused:
        return refused.refusal
    return None


def test_any_sequence_of_calls_does_what_the_model_does(registry: Registry) -> None:
    rpc, seen = registry.chain.rpc, Counter[str]()

    @settings(max_examples=WALKS, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(seed=st.integers(0, 2**64))
    def walk(seed: int) -> None:
        snapshot = rpc.call("evm_snapshot")
        walk = Walk(registry, Random(seed), seen)
        walk.register()
        for _ in range(STEPS):
            walk.step()
            walk.compare()
        rpc.call("evm_revert", snapshot)

    walk()

    # Otherwise the draws have become too narrow to say anything.
    done = {"registerLoans", "appendRecords", "offerTransfer", "acceptTransfer", "refuseTransfer", "withdrawOffer"}
    done |= {"appointServicer", "pledge", "release", "suspendLender", "reinstateLender"}
    met = {"RecordOutOfOrder", "KindNotAllowed", "NotServicer", "NotController", "LoanExists", "HistoryChanged"}
    met |= {"AssetAlreadyPledged", "OfferNotForYou", "OfferMissing", "CounterpartyNotActive", "LenderNotActive"}
    assert done | met <= set(seen), seen
