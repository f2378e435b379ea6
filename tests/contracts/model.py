"""The registry in plain Python: what every call must do or be refused with, kept in dictionaries."""

from dataclasses import dataclass, field

from tests.contracts.kinds import Kind, Status, status_after
from tests.support import chain_oracle as oracle
from tests.support.devnet import Refusal

Record = tuple[bytes, bytes, int, bytes]


@dataclass
class ModelLoan:
    controller: int
    servicer: int
    status: Status
    head: bytes
    history: list[tuple[int, bytes]] = field(default_factory=list)


@dataclass
class ModelOffer:
    to: int
    servicer: int
    expires_at: int


class Refused(Exception):
    def __init__(self, name: str, *values: object) -> None:
        super().__init__(name, *values)
        self.refusal = Refusal(name, values)


class Model:
    """State of the registry after the calls made so far. Each method raises `Refused` and then changes nothing."""

    def __init__(self, chain_id: int, address: bytes, lender_count: int) -> None:
        self.chain_id, self.address = chain_id, address
        self.loans: dict[bytes, ModelLoan] = {}
        self.offers: dict[bytes, ModelOffer] = {}
        self.liens: dict[bytes, bytes] = {}
        self.suspended: set[int] = set()
        self.lenders = range(1, lender_count + 1)
        self.population: dict[int, list[tuple[int, bytes]]] = {lender: [] for lender in self.lenders}

    def register(self, by: int, pairs: list[tuple[bytes, bytes]]) -> None:
        self._writer(by)
        fresh: dict[bytes, ModelLoan] = {}
        for nonce, commitment in pairs:
            key = oracle.loan_key(by, nonce)
            if key in self.loans or key in fresh:
                raise Refused("LoanExists", key)
            head = oracle.first_head(self.chain_id, self.address, key, commitment)
            fresh[key] = ModelLoan(by, by, Status.REGISTERED, head, [(Kind.AGREEMENT, commitment)])
        self.loans |= fresh
        self.population[by] += [(oracle.REGISTERED_BY, key) for key in fresh]

    def append(self, by: int, records: list[Record]) -> None:
        self._writer(by)
        drafts: dict[bytes, ModelLoan] = {}
        for key, previous, kind, commitment in records:
            if key not in self.loans:
                raise Refused("LoanUnknown", key)
            loan = self.loans[key]
            draft = drafts.setdefault(
                key, ModelLoan(loan.controller, loan.servicer, loan.status, loan.head, [*loan.history])
            )
            if draft.servicer != by:
                raise Refused("NotServicer", key, by, draft.servicer)
            if previous != draft.head:
                raise Refused("RecordOutOfOrder", key, previous, draft.head)
            after = status_after(draft.status, kind)
            if after is None:
                raise Refused("KindNotAllowed", key, kind, draft.status)
            draft.status, draft.head = after, oracle.next_head(draft.head, kind, commitment)
            draft.history.append((kind, commitment))
        self.loans |= drafts

    def offer(self, by: int, key: bytes, to: int, servicer: int, expires_at: int) -> None:
        self._controlled(by, key)
        if to == by:
            raise Refused("OfferToSelf", key, by)
        self._active(key, to)
        if servicer:
            self._active(key, servicer)
        self.offers[key] = ModelOffer(to, servicer, expires_at)

    def withdraw(self, by: int, key: bytes) -> None:
        self._controlled(by, key)
        if key not in self.offers:
            raise Refused("OfferMissing", key)
        del self.offers[key]

    def accept(self, by: int, key: bytes, expected: bytes, commitment: bytes) -> None:
        offer = self._offered(by, key)
        servicer = offer.servicer or by
        self._active(key, servicer)
        loan = self.loans[key]
        if expected != loan.head:
            raise Refused("HistoryChanged", key, expected, loan.head)
        self._active(key, loan.controller)
        self.population[loan.controller].append((oracle.CONTROL_LEFT, key))
        self.population[by].append((oracle.CONTROL_ARRIVED, key))
        loan.controller, loan.servicer = by, servicer
        loan.head = oracle.next_head(loan.head, Kind.TRANSFER, commitment)
        loan.history.append((Kind.TRANSFER, commitment))
        del self.offers[key]

    def refuse(self, by: int, key: bytes) -> None:
        self._offered(by, key)
        del self.offers[key]

    def appoint(self, by: int, key: bytes, servicer: int) -> None:
        self._controlled(by, key)
        self._active(key, servicer)
        self.loans[key].servicer = servicer

    def pledge(self, by: int, tag: bytes, key: bytes) -> None:
        self._controlled(by, key)
        if tag in self.liens:
            raise Refused("AssetAlreadyPledged", tag, self.liens[tag])
        self.liens[tag] = key

    def release(self, by: int, tag: bytes) -> None:
        self._writer(by)
        if tag not in self.liens:
            raise Refused("AssetNotPledged", tag)
        self._controlled(by, self.liens[tag])
        del self.liens[tag]

    def suspend(self, lender: int) -> None:
        if lender in self.suspended:
            raise Refused("LenderNotActive", lender)
        self.suspended.add(lender)

    def reinstate(self, lender: int) -> None:
        if lender not in self.suspended:
            raise Refused("LenderNotSuspended", lender)
        self.suspended.remove(lender)

    def _writer(self, lender: int) -> None:
        if lender in self.suspended:
            raise Refused("LenderNotActive", lender)

    def _controlled(self, lender: int, key: bytes) -> None:
        self._writer(lender)
        if key not in self.loans:
            raise Refused("LoanUnknown", key)
        if self.loans[key].controller != lender:
            raise Refused("NotController", key, lender, self.loans[key].controller)

    def _offered(self, lender: int, key: bytes) -> ModelOffer:
        self._writer(lender)
        if key not in self.offers:
            raise Refused("OfferMissing", key)
        if self.offers[key].to != lender:
            raise Refused("OfferNotForYou", key, lender, self.offers[key].to)
        return self.offers[key]

    def _active(self, key: bytes, lender: int) -> None:
        if lender in self.suspended or lender not in self.lenders:
            raise Refused("CounterpartyNotActive", key, lender)
