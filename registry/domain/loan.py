"""A loan: its agreed terms, its history of records with their running head, and the balances that follow from them."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Self

from registry.domain import commitments, events
from registry.domain.agreement import AgreementTerms
from registry.domain.allocation import Allocation, Component
from registry.domain.chain_binding import ChainBinding
from registry.domain.commitments import FieldValue
from registry.domain.errors import InvalidInput, NotFound
from registry.domain.kinds import LoanStatus, RecordKind, status_after
from registry.domain.ledger import LoanLedger
from registry.domain.loan_history import event_of, ledger_of
from registry.domain.money import AmountInvalid, CurrencyMismatch, Money
from registry.domain.records import LoanRecord, check_fields, instant_text, record_commitment


@dataclass(eq=False)
class RecordUnknown(NotFound):
    """The loan has no record at that position."""

    loan_id: str
    sequence: int
    code: ClassVar[str] = "RECORD_UNKNOWN"

    def __str__(self) -> str:
        return f"Loan {self.loan_id} has no record {self.sequence}."


@dataclass(eq=False)
class DateNotAllowed(InvalidInput):
    """A record's effective date lies in the future or before the loan's disbursement."""

    given: date
    earliest: date
    latest: date
    code: ClassVar[str] = "DATE_NOT_ALLOWED"

    def __str__(self) -> str:
        return f"{self.given} is not allowed here; give a day from {self.earliest} to {self.latest}."


@dataclass(frozen=True, slots=True)
class Agreed:
    """What an agreement record says besides the terms; personal fields come as digests and ciphertext."""

    product_code: str
    product_version: int
    secret: bytes
    personal_digests: tuple[bytes, ...]
    sealed: bytes | None
    schedule_sha256: str
    disclosed_apr: Decimal | None
    decision_receipt: bytes | None
    agreed_on: date
    reference: str | None = None


@dataclass(slots=True)
class Loan:
    """One loan, changed only by adding records; `fresh` are those not stored yet.

    `lender_id` is the originator, under whom the file is kept; `controller_id` owns the claim, `servicer_id` books.
    """

    lender_id: int
    id: str
    key: bytes
    nonce: bytes
    borrower_id: str
    product_id: str
    terms: AgreementTerms
    disclosed_apr: Decimal | None
    application_id: str | None
    decision_id: str | None
    external_reference: str | None
    controller_id: int
    servicer_id: int
    status: LoanStatus
    head: bytes
    records: list[LoanRecord]
    ledger: LoanLedger
    fresh: list[LoanRecord] = field(default_factory=list)

    @classmethod
    def agree(
        cls,
        agreed: Agreed,
        terms: AgreementTerms,
        *,
        lender_id: int,
        loan_id: str,
        nonce: bytes,
        borrower_id: str,
        product_id: str,
        binding: ChainBinding,
        now: datetime,
        application_id: str | None = None,
        decision_id: str | None = None,
        external_reference: str | None = None,
    ) -> Self:
        """A loan begins with its AGREEMENT record, sequence 0, and the head that binds it to the contract."""
        key = commitments.loan_key(lender_id, nonce)
        loan = cls(
            lender_id=lender_id,
            id=loan_id,
            key=key,
            nonce=nonce,
            borrower_id=borrower_id,
            product_id=product_id,
            terms=terms,
            disclosed_apr=agreed.disclosed_apr,
            application_id=application_id,
            decision_id=decision_id,
            external_reference=external_reference,
            controller_id=lender_id,
            servicer_id=lender_id,
            status=LoanStatus.REGISTERED,
            head=b"",
            records=[],
            ledger=LoanLedger(terms),
        )
        fields = _agreement_fields(agreed, terms, lender_id, external_reference, now)
        made = record_commitment(key, 0, RecordKind.AGREEMENT, fields, agreed.secret, agreed.personal_digests)
        loan.head = commitments.first_head(binding.chain_id, binding.contract, key, made)
        record = LoanRecord(
            loan_id=loan_id,
            loan_key=key,
            sequence=0,
            kind=RecordKind.AGREEMENT,
            effective_on=agreed.agreed_on,
            posted_at=now,
            amount=terms.principal,
            fields=fields,
            sealed=agreed.sealed,
            personal_digests=agreed.personal_digests,
            secret=agreed.secret,
            commitment=made,
            previous_head=None,
            head=loan.head,
        )
        loan.records.append(record)
        loan.fresh.append(record)
        return loan

    @property
    def currency(self) -> str:
        return self.terms.principal.currency

    @property
    def next_sequence(self) -> int:
        return self.records[-1].sequence + 1 if self.records else 0

    @property
    def disbursed_on(self) -> date | None:
        return next((r.effective_on for r in self.records if r.kind is RecordKind.DISBURSEMENT), None)

    def disburse(self, amount: Money, *, on: date, now: datetime, channel: str | None = None) -> LoanRecord:
        """Pay out the whole principal; the agreement's upfront fee is kept back of it."""
        if amount != self.terms.principal:
            raise AmountInvalid(str(amount), f"the agreement is over {self.terms.principal}, paid out at once")
        self._dated(on, now)
        net = self.terms.net_disbursement
        self.ledger.apply(events.Disbursed(on=on, amount_minor=net.minor, sequence=self.next_sequence))
        details: dict[str, FieldValue] = {
            "net_minor": str(net.minor),
            "fees_withheld_minor": str(self.terms.upfront_fee_minor),
            "channel": channel,
        }
        return self.append(RecordKind.DISBURSEMENT, on=on, now=now, amount=amount, details=details)

    def repay(
        self, amount: Money, *, on: date, now: datetime, channel: str | None = None, reference: str | None = None
    ) -> LoanRecord:
        """Book money in; its allocation is fixed in the record as the ledger makes it now."""
        self._positive(amount)
        self._dated(on, now)
        event = events.Repaid(on=on, amount_minor=amount.minor, sequence=self.next_sequence)
        split = self.ledger.apply(event) or Allocation()
        details: dict[str, FieldValue] = {**_split_fields(split, self.ledger), "channel": channel}
        return self.append(RecordKind.REPAYMENT, on=on, now=now, amount=amount, details=details, reference=reference)

    def charge_fee(self, amount: Money, *, on: date, now: datetime, component: str, reason: str | None) -> LoanRecord:
        """Charge a fee or penalty (`component` FEE or PENALTY), due at once."""
        self._positive(amount)
        self._dated(on, now)
        part = Component(component)
        self.ledger.apply(
            events.FeeCharged(on=on, sequence=self.next_sequence, amount_minor=amount.minor, component=part)
        )
        details: dict[str, FieldValue] = {"component": component, "reason": reason}
        return self.append(RecordKind.FEE, on=on, now=now, amount=amount, details=details)

    def reverse(self, sequence: int, *, on: date, now: datetime, reason: str) -> LoanRecord:
        """Take a record back by a linked one; nothing is overwritten, the balances replay without it."""
        target = self.record(sequence)
        self._dated(on, now)
        self.ledger.apply(events.Reversed(on=on, sequence=self.next_sequence, reverses=sequence))
        details: dict[str, FieldValue] = {
            "reverses_sequence": sequence,
            "reverses_commitment": target.commitment.hex(),
            "reason": reason,
        }
        return self.append(RecordKind.REVERSAL, on=on, now=now, amount=target.amount, details=details)

    def charge_off(self, *, on: date, now: datetime, reason: str) -> LoanRecord:
        """Write off what is owed; the claim stays, recoveries follow."""
        self._dated(on, now)
        days = self.ledger.days_past_due(on)
        written_off = self.ledger.principal_outstanding_minor
        self.ledger.apply(events.ChargedOff(on=on, sequence=self.next_sequence))
        details: dict[str, FieldValue] = {"days_past_due": days, "reason": reason}
        amount = Money(written_off, self.currency)
        return self.append(RecordKind.CHARGE_OFF, on=on, now=now, amount=amount, details=details)

    def recover(self, amount: Money, *, on: date, now: datetime, channel: str | None, reason: str | None) -> LoanRecord:
        """Book money that came in after the charge-off."""
        self._positive(amount)
        self._dated(on, now)
        self.ledger.apply(events.Recovered(on=on, sequence=self.next_sequence, amount_minor=amount.minor))
        details: dict[str, FieldValue] = {"channel": channel, "reason": reason}
        return self.append(RecordKind.RECOVERY, on=on, now=now, amount=amount, details=details)

    def settle(self, *, on: date, now: datetime, reason: str, waive: Money | None = None) -> LoanRecord:
        """Close a loan on which nothing is owed, or by agreement on forgiving exactly what still is (`waive`).

        After a charge-off nothing needs to be named: the claim that is left ends with the settlement.
        """
        self._dated(on, now)
        waived = waive.minor if waive is not None else 0
        self.ledger.apply(events.Settled(on=on, sequence=self.next_sequence, waived_minor=waived))
        return self.append(RecordKind.SETTLEMENT, on=on, now=now, amount=waive, details={"reason": reason})

    def reopen(self, *, on: date, now: datetime, reason: str) -> LoanRecord:
        """Open a closed loan again; precedes the reversal of a closing or earlier record."""
        self._dated(on, now)
        self.ledger.apply(events.Reopened(on=on, sequence=self.next_sequence))
        return self.append(RecordKind.REOPENING, on=on, now=now, amount=None, details={"reason": reason})

    def cancel(self, *, on: date, now: datetime, reason: str) -> LoanRecord:
        """Call a loan off before its principal was out, or after all of it came back."""
        self.ledger.apply(events.Cancelled(on=on, sequence=self.next_sequence))
        return self.append(RecordKind.CANCELLATION, on=on, now=now, amount=None, details={"reason": reason})

    def accept(self, buyer_id: int, servicer_id: int, *, price: Money | None, on: date, now: datetime) -> LoanRecord:
        """Hand the claim to `buyer_id` with its TRANSFER record; `servicer_id` 0 makes the buyer the servicer."""
        details: dict[str, FieldValue] = {
            "from_lender_id": self.controller_id,
            "to_lender_id": buyer_id,
            "price_minor": str(price.minor) if price else None,
        }
        record = self.append(RecordKind.TRANSFER, on=on, now=now, amount=price, details=details)
        self.controller_id = buyer_id
        self.servicer_id = servicer_id or buyer_id
        return record

    def record(self, sequence: int) -> LoanRecord:
        if not 0 <= sequence < len(self.records):
            raise RecordUnknown(self.id, sequence)
        return self.records[sequence]

    def append(
        self,
        kind: RecordKind,
        *,
        on: date,
        now: datetime,
        amount: Money | None,
        details: Mapping[str, FieldValue],
        reference: str | None = None,
    ) -> LoanRecord:
        """Add a record at the end of the history; the balances are the caller's business."""
        fields: dict[str, FieldValue] = {
            "effective_on": on.isoformat(),
            "posted_at": instant_text(now),
            "amount_minor": str(amount.minor) if amount else None,
            "currency": amount.currency if amount else None,
            "reference": reference,
            **details,
        }
        check_fields(kind, fields, {})
        self.status = status_after(self.status, kind)
        record = self._seal(kind, on, now, amount, fields)
        self.records.append(record)
        self.fresh.append(record)
        self.head = record.head
        return record

    def recommit(self, refused: int) -> Sequence[LoanRecord]:
        """Take out the record at `refused`, and what reversed it; make the later ones anew on the head before it.

        Later records keep their amounts and get new secrets, places and commitments; balances, standing and the split
        of repayments replay. Returns the records that are in no head any more; one that no longer fits raises.
        """
        gone = self.records[refused:]
        del self.records[refused:]
        self.head, self.status = self.records[-1].head, LoanStatus.REGISTERED
        for record in self.records[1:]:
            self.status = status_after(self.status, record.kind)
        moved: dict[int, LoanRecord] = {}
        self.ledger = ledger_of(self.terms, self.records)
        for record in gone[1:]:
            fields, target = record.fields, record.reverses
            if target == refused or (target is not None and target > refused and target not in moved):
                continue
            if target in moved:
                now_at = moved[target]
                fields = {
                    **fields,
                    "reverses_sequence": now_at.sequence,
                    "reverses_commitment": now_at.commitment.hex(),
                }
            event = event_of(replace(record, sequence=self.next_sequence, fields=fields))
            split = self.ledger.apply(event) if event is not None else None
            if record.kind is RecordKind.REPAYMENT and split is not None:
                fields = {**fields, **_split_fields(split, self.ledger)}
            self.status = status_after(self.status, record.kind)
            remade = self._seal(record.kind, record.effective_on, record.posted_at, record.amount, fields)
            moved[record.sequence] = remade
            self.records.append(remade)
            self.fresh.append(remade)
            self.head = remade.head
        return gone

    def _seal(
        self, kind: RecordKind, on: date, now: datetime, amount: Money | None, fields: Mapping[str, FieldValue]
    ) -> LoanRecord:
        sequence, secret = self.next_sequence, secrets.token_bytes(32)
        made = record_commitment(self.key, sequence, kind, fields, secret, ())
        return LoanRecord(
            loan_id=self.id,
            loan_key=self.key,
            sequence=sequence,
            kind=kind,
            effective_on=on,
            posted_at=now,
            amount=amount,
            fields=fields,
            sealed=None,
            personal_digests=(),
            secret=secret,
            commitment=made,
            previous_head=self.head,
            head=commitments.next_head(self.head, kind, made),
        )

    def _positive(self, amount: Money) -> None:
        if amount.currency != self.currency:
            raise CurrencyMismatch(self.currency, amount.currency)
        if amount.minor <= 0:
            raise AmountInvalid(str(amount), "it must be above zero")

    def _dated(self, on: date, now: datetime) -> None:
        earliest = self.disbursed_on or self.records[0].effective_on
        if not earliest <= on <= now.date():
            raise DateNotAllowed(on, earliest, now.date())


def _agreement_fields(
    agreed: Agreed, terms: AgreementTerms, lender_id: int, external_reference: str | None, now: datetime
) -> dict[str, FieldValue]:
    return {
        "effective_on": agreed.agreed_on.isoformat(),
        "posted_at": instant_text(now),
        "amount_minor": str(terms.principal.minor),
        "currency": terms.principal.currency,
        "reference": agreed.reference,
        "lender_id": lender_id,
        "product_code": agreed.product_code,
        "product_version": agreed.product_version,
        "annual_rate": format(terms.annual_rate, "f"),
        "term_months": terms.term_months,
        "terms": dict(terms.to_dict()),
        "schedule_sha256": agreed.schedule_sha256,
        "disclosed_apr": format(agreed.disclosed_apr, "f") if agreed.disclosed_apr is not None else None,
        "decision_receipt": agreed.decision_receipt.hex() if agreed.decision_receipt else None,
        "external_reference": external_reference,
    }


def _split_fields(split: Allocation, ledger: LoanLedger) -> dict[str, FieldValue]:
    """What a repayment's record says of its allocation, and of the principal outstanding after it."""
    return {
        "principal_minor": str(split.principal_minor),
        "interest_minor": str(split.interest_minor),
        "fees_minor": str(split.fees_minor),
        "penalty_minor": str(split.penalty_minor),
        "unallocated_minor": str(split.unallocated_minor),
        "outstanding_minor": str(ledger.principal_outstanding_minor),
    }
