"""What the use cases need from outside: storage, keys, underwriting, a clock. The adapters are wired in `app`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from registry.domain.access import Actor, Request
from registry.domain.agreement import AgreementTerms
from registry.domain.chain_binding import ChainBinding
from registry.domain.claims import ControlTransfer, Lien
from registry.domain.commitments import FieldValue
from registry.domain.loan import Loan
from registry.domain.origination import Application, Assessment, Decision, Exposure
from registry.domain.outbox import OutboxEntry
from registry.domain.parties import Borrower, Consent, Identity, Lender
from registry.domain.product import Product
from registry.domain.records import LoanRecord


class Clock(Protocol):
    """The present, as the use cases see it."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class Vault(Protocol):
    """Personal data under one data key per borrower; destroying it erases all it sealed or derived."""

    def new_keys(self, count: int) -> list[str]:
        """Make data keys and return their ids."""
        ...

    def seal(self, key_id: str, plaintext: bytes, aad: bytes) -> bytes: ...
    def open(self, key_id: str, sealed: bytes, aad: bytes) -> bytes: ...
    def derive(self, key_id: str, info: bytes, length: int = 32) -> bytes: ...
    def destroy(self, key_id: str) -> object: ...
    def blind_index(self, normalised: bytes) -> bytes: ...
    def asset_tag(self, normalised: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class UnderwritingCase:
    """All that is known when an application is decided; `inputs` are the borrower's declared figures and history.

    `unavailable` names what the source can never have, with the reason: checks that need it answer NOT_APPLICABLE.
    """

    lender: Lender
    application: Application
    product: Product
    identity: Identity
    inputs: Mapping[str, FieldValue]
    consents: Sequence[Consent]
    exposure: Exposure | None
    maker: str
    checker: str
    decided_at: datetime
    unavailable: Mapping[str, str]
    terms: AgreementTerms | None = None  # of a loan that was agreed already, as a tape tells it


class Underwriter(Protocol):
    """Scores, checks and applies the policy to one case; changes nothing."""

    def assess(self, case: UnderwritingCase) -> Assessment: ...


class Requests(Protocol):
    """The answers that were given, so that a request is answered once."""

    def answered(self, request: Request) -> Mapping[str, FieldValue] | None:
        """The first answer to this request, None if it is new; another body under the key is `KeyReused`."""
        ...

    def answer(self, request: Request, answer: Mapping[str, FieldValue], at: datetime) -> None: ...


class Lenders(Protocol):
    """The lenders of the registry."""

    def get(self, lender_id: int) -> Lender: ...
    def add(self, lender: Lender) -> None: ...
    def all(self) -> list[Lender]: ...
    def change_account(self, lender_id: int, account: bytes) -> None: ...


class Bindings(Protocol):
    """The chain and contract the registry belongs to."""

    def get(self) -> ChainBinding: ...
    def bind(self, binding: ChainBinding) -> None: ...


class Products(Protocol):
    """The published products."""

    def get(self, product_id: str) -> Product: ...
    def publish(self, product: Product, at: datetime) -> None: ...


class Borrowers(Protocol):
    """Borrowers, sealed, with their consents."""

    def get(self, lender_id: int, borrower_id: str) -> Borrower: ...
    def add(self, borrowers: Iterable[Borrower]) -> None: ...
    def erase(self, borrower: Borrower, at: datetime) -> None: ...
    def grant(self, consents: Iterable[Consent]) -> None: ...
    def withdraw(self, lender_id: int, consent_id: str, at: datetime) -> None: ...
    def consents(self, lender_id: int, borrower_id: str) -> list[Consent]: ...
    def exposure(self, blind_index: bytes | None, now: datetime) -> Exposure | None:
        """What everybody with this identity number owes; None where the source gives no number."""
        ...


class Applications(Protocol):
    """Applications with their decisions."""

    def get(self, lender_id: int, application_id: str) -> Application: ...
    def add(self, applications: Iterable[Application]) -> None: ...
    def save(self, application: Application) -> None: ...
    def decide(self, decisions: Iterable[Decision]) -> None: ...
    def decision_of(self, lender_id: int, application_id: str) -> Decision: ...


class Loans(Protocol):
    """Loans with their whole history."""

    def get(self, loan_id: str) -> Loan: ...
    def many(self, loan_ids: Sequence[str]) -> dict[str, Loan]: ...
    def add(self, loans: Iterable[Loan]) -> None:
        """Store new loans with their fresh records."""
        ...

    def save(self, loans: Iterable[Loan]) -> None:
        """Store the present standing of loans and their fresh records."""
        ...

    def known_references(self, lender_id: int, references: Sequence[str]) -> set[str]:
        """Which of these external references the lender's loans have already."""
        ...

    def of_borrower(self, lender_id: int, borrower_id: str) -> list[str]:
        """The ids of a borrower's loans."""
        ...

    def drop_sealed(self, lender_id: int, loan_ids: Sequence[str]) -> None:
        """Delete the ciphertext of the personal fields of these loans' records; the digests stay."""
        ...

    def void(self, loan: Loan, records: Sequence[LoanRecord], reason: str, actor: str, at: datetime) -> None:
        """Take records that never reached the chain out of the history, keeping them for audit."""
        ...


class Claims(Protocol):
    """Liens and offers of control."""

    def lien(self, asset_tag: bytes) -> Lien | None: ...
    def add_lien(self, lien: Lien) -> None: ...
    def release(self, lien: Lien, at: datetime) -> None: ...
    def open_transfer(self, loan_id: str) -> ControlTransfer | None: ...
    def add_transfer(self, transfer: ControlTransfer) -> None: ...
    def save_transfer(self, transfer: ControlTransfer) -> None: ...


class Outbox(Protocol):
    """What waits to reach the chain."""

    def queue(self, entries: Iterable[OutboxEntry], at: datetime) -> None: ...
    def void(self, loan: Loan, from_sequence: int, at: datetime) -> None: ...


class AuditTrail(Protocol):
    """Who did what."""

    def append(self, actor: Actor, action: str, subject: str, at: datetime) -> None: ...


class UnitOfWork(Protocol):
    """One use case, one transaction: it rolls back unless told to commit."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    @property
    def requests(self) -> Requests: ...
    @property
    def lenders(self) -> Lenders: ...
    @property
    def bindings(self) -> Bindings: ...
    @property
    def products(self) -> Products: ...
    @property
    def borrowers(self) -> Borrowers: ...
    @property
    def applications(self) -> Applications: ...
    @property
    def loans(self) -> Loans: ...
    @property
    def claims(self) -> Claims: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def audit(self) -> AuditTrail: ...

    def commit(self) -> None: ...


class Anchors(Protocol):
    """What the relay and the mirror know about a loan's records at this moment."""

    def waiting(self, loan: Loan) -> int:
        """How many records and calls of the loan are not on chain yet."""
        ...

    def take_back(self, uow: "UnitOfWork", loan: Loan, sequence: int) -> bool:
        """Take a record that was refused in a final block, and all behind it, out of the relay's hands.

        Part of the unit of work's transaction. False, and nothing is taken, when any of them may still reach the chain.
        """
        ...


@dataclass(frozen=True, slots=True)
class Facilities:
    """What every use case may use besides its unit of work."""

    clock: Clock
    vault: Vault
    underwriter: Underwriter
    anchors: Anchors
