"""Loaders of one request: keys asked for in the same turn are read in one statement, in a worker thread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from sqlalchemy import Connection
from strawberry.dataloader import DataLoader

from graphql_api import anchors, verification
from graphql_api.anchors import AnchorView
from graphql_api.personal_data import identities_of, personal_fields_of
from graphql_api.verification import LoanVerdict, RecordVerdict
from registry.domain.agreement import AgreementTerms
from registry.domain.claims import ControlTransfer, Lien
from registry.domain.commitments import FieldValue
from registry.domain.kinds import RecordKind
from registry.domain.ledger import LoanLedger
from registry.domain.loan_history import ledger_of
from registry.domain.origination import Application, Decision
from registry.domain.parties import Borrower, Consent, Identity, Lender
from registry.storage import (
    queries_claims,
    queries_loans,
    queries_origination,
    queries_parties,
    queries_records,
)
from registry.storage.queries_loans import FiledLoan
from registry.storage.queries_parties import PublishedProduct
from registry.storage.queries_records import FiledRecord, RecordWindow

if TYPE_CHECKING:
    from graphql_api.request_context import RequestContext

Name = tuple[int, str]
Key = TypeVar("Key")
Value = TypeVar("Value")
Found = Mapping[Any, Value]


def _second(name: tuple[Any, ...]) -> Hashable:
    second: Hashable = name[1]
    return second


class Loaders:
    """One loader per thing that is read by key; a thing not found or not visible is None, a list empty."""

    def __init__(self, request: RequestContext) -> None:
        sight, vault = request.sight, request.api.facilities.vault
        self._request = request
        loans, records, claims = queries_loans, queries_records, queries_claims
        self._read_people()

        self.loan: DataLoader[Name, FiledLoan | None] = self._by(lambda c, k: loans.loans_by_id(c, sight, k))
        self.loan_of_key: DataLoader[bytes, FiledLoan | None] = self._by(
            lambda c, k: loans.loans_by_key(c, sight, k), _itself
        )
        self.loan_of_application: DataLoader[Name, FiledLoan | None] = self._by(
            lambda c, k: loans.loans_of_applications(c, sight, k)
        )
        self.record: DataLoader[tuple[int, str, int], FiledRecord | None] = self._by(
            lambda c, k: records.records_at(c, sight, k), lambda key: key[1:]
        )
        self.record_with: DataLoader[bytes, FiledRecord | None] = self._by(
            lambda c, k: records.records_with(c, sight, k), _itself
        )
        self.records: DataLoader[tuple[Name, RecordWindow], tuple[FiledRecord, ...]] = self._grouped(
            lambda c, k, window: records.records_of_loans(c, sight, k, window), ()
        )
        self.record_count: DataLoader[tuple[Name, frozenset[RecordKind]], int] = self._grouped(
            lambda c, k, kinds: records.counts_of_loans(c, sight, k, kinds), 0
        )
        self.ledger: DataLoader[tuple[int, str, str], LoanLedger] = self._by(self._ledgers)
        self.liens: DataLoader[Name, list[Lien]] = self._by(lambda c, k: claims.liens_of_loans(c, sight, k), default=[])
        self.open_transfer: DataLoader[Name, ControlTransfer | None] = self._by(
            lambda c, k: claims.open_transfers_of_loans(c, sight, k)
        )
        self.anchor: DataLoader[bytes, AnchorView | None] = self._by(anchors.anchors_of_records, _itself)
        self.agreement_anchor: DataLoader[Name, AnchorView | None] = self._by(anchors.anchors_of_agreements)
        self.loan_anchor: DataLoader[Name, AnchorView | None] = self._by(anchors.anchors_of_loans)
        self.lien_anchor: DataLoader[Name, AnchorView | None] = self._by(anchors.anchors_of_liens)
        self.transfer_anchor: DataLoader[Name, AnchorView | None] = self._by(anchors.anchors_of_transfers)
        self.verdict: DataLoader[Name, LoanVerdict | None] = self._by(verification.loan_verdicts)
        self.record_verdict: DataLoader[FiledRecord, RecordVerdict] = self._by(
            lambda c, k: verification.record_verdicts(c, [(filed.lender_id, filed.record) for filed in k]), _place
        )
        self.personal: DataLoader[FiledRecord, Mapping[str, FieldValue] | None] = self._by(
            lambda c, k: personal_fields_of(c, sight, vault, k), _place
        )

    def _read_people(self) -> None:
        """The loaders of lenders, products, borrowers, and of what leads to a loan."""
        sight, vault = self._request.sight, self._request.api.facilities.vault
        loans, parties, origination = queries_loans, queries_parties, queries_origination
        self.lenders: DataLoader[None, dict[int, Lender]] = self._by(
            lambda c, _: {None: parties.all_lenders(c)}, _itself
        )
        self.product: DataLoader[str, PublishedProduct | None] = self._by(parties.products_by_id, _itself)
        self.borrower: DataLoader[Name, Borrower | None] = self._by(lambda c, k: parties.borrowers_by_id(c, sight, k))
        self.identity: DataLoader[Name, Identity | None] = self._by(lambda c, k: identities_of(c, sight, vault, k))
        self.consents: DataLoader[Name, list[Consent]] = self._by(
            lambda c, k: parties.consents_of(c, sight, k), default=[]
        )
        self.borrower_loans: DataLoader[tuple[Name, tuple[int, str | None]], tuple[FiledLoan, ...]] = self._grouped(
            lambda c, k, page: loans.loans_of_borrowers(c, sight, k, *page), ()
        )
        self.borrower_loan_count: DataLoader[Name, int] = self._by(
            lambda c, k: loans.counts_of_borrowers(c, sight, k), default=0
        )
        self.application: DataLoader[Name, Application | None] = self._by(
            lambda c, k: origination.applications_by_id(c, sight, k)
        )
        self.decision: DataLoader[Name, Decision | None] = self._by(
            lambda c, k: origination.decisions_by_id(c, sight, k)
        )
        self.decision_of_application: DataLoader[Name, Decision | None] = self._by(
            lambda c, k: origination.decisions_of_applications(c, sight, k)
        )

    def _by(
        self,
        query: Callable[[Connection, Any], Found[Any]],
        found_under: Callable[[Any], Hashable] = _second,
        default: Any = None,
    ) -> DataLoader[Any, Any]:
        """A loader over one query that answers for many keys; `found_under` is where a key's answer stands."""

        async def load(keys: Sequence[Any]) -> list[Any]:
            found = await self._request.read(lambda connection: query(connection, keys))
            return [found.get(found_under(key), default) for key in keys]

        cache_key = found_under if found_under is _place else None
        return DataLoader(load_fn=load, cache_key_fn=cache_key)

    def _grouped(
        self, query: Callable[[Connection, list[Name], Any], Found[Any]], default: Any
    ) -> DataLoader[Any, Any]:
        """A loader of keys (name, arguments): one statement for all names with the same arguments."""

        def read(keys: Sequence[tuple[Name, Any]], connection: Connection) -> dict[Any, Found[Any]]:
            by_arguments: dict[Any, list[Name]] = defaultdict(list)
            for name, arguments in keys:
                by_arguments[arguments].append(name)
            return {arguments: query(connection, names, arguments) for arguments, names in by_arguments.items()}

        async def load(keys: list[tuple[Name, Any]]) -> list[Any]:
            found = await self._request.read(partial(read, keys))
            return [found[arguments].get(name[1], default) for name, arguments in keys]

        return DataLoader(load_fn=load)

    def _ledgers(self, connection: Connection, keys: Sequence[tuple[int, str, str]]) -> dict[str, LoanLedger]:
        names = [(lender_id, loan_id) for lender_id, loan_id, _ in keys]
        histories = queries_records.histories_of_loans(connection, self._request.sight, names)
        return {
            loan_id: ledger_of(
                AgreementTerms.from_dict(orjson.loads(terms)), [filed.record for filed in histories[loan_id]]
            )
            for _, loan_id, terms in keys
            if loan_id in histories
        }


def _itself(key: Hashable) -> Hashable:
    return key


def _place(filed: FiledRecord) -> Hashable:
    return filed.record.loan_id, filed.record.sequence


async def required(found: Awaitable[Value | None], missing: Callable[[], Exception]) -> Value:
    """What a loader must find, or the error that says so."""
    value = await found
    if value is None:
        raise missing()
    return value
