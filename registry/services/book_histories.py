"""Booking whole loan lives at once, as an import or a simulation gives them: many loans in one commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from registry.domain.access import Actor
from registry.domain.agreement import AgreementTerms
from registry.domain.chain_binding import ChainBinding
from registry.domain.claims import Lien
from registry.domain.commitments import FieldValue
from registry.domain.errors import InvalidInput
from registry.domain.identifiers import new_id
from registry.domain.kinds import LoanStatus, RecordKind
from registry.domain.loan import Loan
from registry.domain.money import Money
from registry.domain.origination import Application, ApplicationStatus, Decision
from registry.domain.outbox import OutboxAction, OutboxEntry
from registry.domain.parties import Borrower, Consent, Identity, Lender
from registry.ports import Facilities, UnderwritingCase, UnitOfWork
from registry.services.booking import store_new
from registry.services.personal import new_borrower, seal_inputs
from registry.services.pledge_asset import Asset
from registry.services.sign_agreement import Origin, make_loan


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One thing that happened to a loan; a repayment without an amount is whatever pays the loan off that day."""

    kind: RecordKind
    on: date
    amount: Money | None = None
    component: str | None = None
    reason: str | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class LoanHistory:
    """A loan as its source tells it: who, on which terms, with which figures, and what happened, in order.

    `unavailable` names what the source can never say, with the reason; checks that need it do not apply.
    """

    external_reference: str
    identity: Identity
    product_id: str
    terms: AgreementTerms
    purpose: str
    inputs: Mapping[str, FieldValue]
    events: Sequence[HistoryEvent]
    agreed_on: date
    consents: Mapping[str, str] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)
    asset: Asset | None = None


@dataclass(frozen=True, slots=True)
class Booked:
    """What one call booked; `skipped` were there already, by their external reference.

    `undecided` loans could not be scored: the source lacks a figure that the model needs.
    """

    loans: int
    records: int
    decisions: int
    undecided: int
    skipped: int


def book_histories(
    uow: UnitOfWork, lender_id: int, histories: Sequence[LoanHistory], actor: Actor, use: Facilities, *, decide: bool
) -> Booked:
    """Book loans with all their records in one commit; with `decide`, scored and checked first.

    A history is booked whatever the decision says, as it has happened: the decision says what today's rules make of it.
    Calling again with histories that are there already changes nothing.
    """
    with uow:
        known = uow.loans.known_references(lender_id, [history.external_reference for history in histories])
        fresh = [history for history in histories if history.external_reference not in known]
        now = use.clock.now()
        batch = _Batch(uow, uow.lenders.get(lender_id), uow.bindings.get(), actor, use, now, decide=decide)
        batch.keys = use.vault.new_keys(len(fresh))
        loans = [batch.loan_of(history) for history in fresh]
        batch.store_origins()
        records = sum(len(loan.fresh) for loan in loans)
        store_new(uow, loans, now)
        batch.store_claims()
        uow.audit.append(actor, "HistoriesBooked", f"{len(loans)} loans", now)
        uow.commit()
    return Booked(len(loans), records, len(batch.decisions), batch.undecided, len(known))


class _Batch:
    """What is gathered while the loans of one commit are made, to be stored in few statements."""

    def __init__(
        self,
        uow: UnitOfWork,
        lender: Lender,
        binding: ChainBinding,
        actor: Actor,
        use: Facilities,
        now: datetime,
        *,
        decide: bool,
    ) -> None:
        self.uow, self.lender, self.binding, self.actor = uow, lender, binding, actor
        self.use, self.now, self.decide = use, now, decide
        self.undecided = 0
        self.keys: list[str] = []
        self.borrowers: list[Borrower] = []
        self.consents: list[Consent] = []
        self.applications: list[Application] = []
        self.decisions: list[Decision] = []
        self.liens: list[Lien] = []
        self.calls: list[OutboxEntry] = []

    def loan_of(self, history: LoanHistory) -> Loan:
        lender_id, vault = self.lender.id, self.use.vault
        borrower = new_borrower(
            vault, self.keys.pop(), new_id(lender_id), history.identity, history.external_reference, self.now
        )
        self.borrowers.append(borrower)
        signed_at = datetime.combine(history.agreed_on, time.min, UTC)
        granted = [
            Consent(lender_id, new_id(lender_id), borrower.id, purpose, None, version, signed_at)
            for purpose, version in sorted(history.consents.items())
        ]
        self.consents.extend(granted)
        application = self._application(history, borrower)
        decision = self._decision(history, borrower, application, granted) if self.decide else None
        origin = Origin(
            self.binding,
            borrower,
            history.identity,
            self.uow.products.get(history.product_id),
            application,
            decision,
        )
        loan = make_loan(
            vault,
            origin,
            history.terms,
            external_reference=history.external_reference,
            agreed_on=history.agreed_on,
            now=self.now,
        )
        for event in history.events:
            book_event(loan, event, self.now)
        if history.asset is not None:
            self._pledge(loan, history.asset)
        return loan

    def store_origins(self) -> None:
        self.uow.borrowers.add(self.borrowers)
        self.uow.borrowers.grant(self.consents)
        self.uow.applications.add(self.applications)
        self.uow.applications.decide(self.decisions)

    def store_claims(self) -> None:
        for lien in self.liens:
            self.uow.claims.add_lien(lien)
        self.uow.outbox.queue(self.calls, self.now)

    def _application(self, history: LoanHistory, borrower: Borrower) -> Application:
        application = Application(
            lender_id=self.lender.id,
            id=new_id(self.lender.id),
            borrower_id=borrower.id,
            product_id=history.product_id,
            amount=history.terms.principal,
            term_months=history.terms.term_months,
            purpose=history.purpose,
            sealed=None,
            status=ApplicationStatus.SIGNED,
            submitted_by=self.actor.name,
            submitted_at=self.now,
        )
        application = seal_inputs(self.use.vault, borrower, application, history.inputs)
        self.applications.append(application)
        return application

    def _decision(
        self, history: LoanHistory, borrower: Borrower, application: Application, granted: Sequence[Consent]
    ) -> Decision | None:
        case = UnderwritingCase(
            lender=self.lender,
            application=application,
            product=self.uow.products.get(history.product_id),
            identity=history.identity,
            inputs=history.inputs,
            consents=granted,
            exposure=self.uow.borrowers.exposure(borrower.blind_index, self.now),
            maker=self.actor.name,
            checker="policy",
            decided_at=self.now,
            unavailable=history.unavailable,
            terms=history.terms,
        )
        try:
            assessed = self.use.underwriter.assess(case)
        except InvalidInput:
            self.undecided += 1
            return None
        decision = Decision(
            self.lender.id, new_id(self.lender.id), application.id, assessed, assessed.outcome, "policy", self.now
        )
        self.decisions.append(decision)
        return decision

    def _pledge(self, loan: Loan, asset: Asset) -> None:
        """Pledge the asset the loan is secured by; a settled loan has given it free again."""
        tag = self.use.vault.asset_tag(asset.normalised())
        released_at = self.now if loan.status is LoanStatus.SETTLED else None
        self.liens.append(
            Lien(loan.lender_id, new_id(loan.lender_id), tag, loan.id, 1, loan.lender_id, self.now, released_at)
        )
        actions = [OutboxAction.PLEDGE] + ([OutboxAction.RELEASE] if released_at else [])
        self.calls.extend(
            OutboxEntry(loan.lender_id, action, loan.lender_id, loan.id, loan.key, arguments={"asset_tag": tag.hex()})
            for action in actions
        )


def book_event(loan: Loan, event: HistoryEvent, now: datetime) -> None:
    """Add the record an event stands for; a final repayment and a settlement's waiver follow from the ledger."""
    on, amount = event.on, event.amount
    reason = event.reason or ""
    match event.kind:
        case RecordKind.DISBURSEMENT:
            loan.disburse(amount or loan.terms.principal, on=on, now=now, channel=event.channel)
        case RecordKind.REPAYMENT:
            loan.repay(amount or loan.ledger.payoff(on), on=on, now=now, channel=event.channel)
        case RecordKind.FEE:
            given = amount or Money.zero(loan.currency)
            loan.charge_fee(given, on=on, now=now, component=event.component or "FEE", reason=event.reason)
        case RecordKind.CHARGE_OFF:
            loan.charge_off(on=on, now=now, reason=reason)
        case RecordKind.RECOVERY:
            given = amount or Money.zero(loan.currency)
            loan.recover(given, on=on, now=now, channel=event.channel, reason=event.reason)
        case RecordKind.SETTLEMENT:
            loan.settle(on=on, now=now, reason=reason, waive=amount)
        case RecordKind.REVERSAL:
            loan.reverse(loan.next_sequence - 1, on=on, now=now, reason=reason)
        case _:
            loan.append(event.kind, on=on, now=now, amount=amount, details={"reason": reason})
