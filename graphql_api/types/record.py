"""A record of a loan: its figures, its fields disclosed or redacted, and how far it is anchored."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.scalars import JSON

from audit.disclosure import opens
from graphql_api.loaders import required
from graphql_api.request_context import context_of
from graphql_api.scalars import Bytes32
from graphql_api.types.anchor import Anchor, anchor_of
from graphql_api.types.described import described
from graphql_api.types.enums import DisclosureProfile, RecordKind, Verification
from graphql_api.types.money import MoneyValue, money, money_of
from graphql_api.types.node import Node, node_id
from registry.domain.records import FINANCIAL_FIELDS, PERSONAL_FIELDS, Allocated, financial_digests
from registry.services.authority import LoanNotYours
from registry.storage.queries_records import FiledRecord
from registry.storage.queries_sight import Access

if TYPE_CHECKING:
    from graphql_api.types.loan import Loan


@strawberry.type(description="How a repayment was split when it was booked; the parts add up to its amount.")
class Allocation:
    """The split of one repayment."""

    principal: MoneyValue = strawberry.field(description="What repaid principal.")
    interest: MoneyValue = strawberry.field(description="What paid interest.")
    fees: MoneyValue = strawberry.field(description="What paid fees.")
    penalty: MoneyValue = strawberry.field(description="What paid penalties.")
    unallocated: MoneyValue = strawberry.field(description="What was left over.")


@strawberry.type(description="One field of a record: with its value, or redacted to the digest that was committed to.")
class RecordField:
    """A field as this reader is shown it."""

    name: str = strawberry.field(description="The name, fixed by the record's kind.")
    value: JSON | None = strawberry.field(description="The value; null when redacted, or when there is none.")
    redacted: bool = strawberry.field(description="Whether the value is withheld or was erased.")
    digest: Bytes32 = strawberry.field(description="The salted digest of the field, part of the record's commitment.")


@strawberry.type(description="One append-only entry of a loan's history; corrections are further, linked records.")
class LoanRecord(Node):
    """A record as its row has it."""

    filed: strawberry.Private[FiledRecord]

    @classmethod
    def of(cls, filed: FiledRecord) -> "LoanRecord":
        record = filed.record
        return cls(id=node_id("LoanRecord", f"{record.loan_id}/{record.sequence}"), filed=filed)

    @described("The loan it belongs to.")
    async def loan(self, info: strawberry.Info) -> Annotated["Loan", strawberry.lazy("graphql_api.types.loan")]:
        from graphql_api.types.loan import Loan  # noqa: PLC0415 - loans have records, records have loans

        loan_id = self.filed.record.loan_id
        found = context_of(info).loaders.loan.load((self.filed.lender_id, loan_id))
        return Loan.of(await required(found, lambda: LoanNotYours(loan_id)))

    @described("Its place in the loan's history, from 0.")
    def sequence(self) -> int:
        return self.filed.record.sequence

    @described("What it records.")
    def kind(self) -> RecordKind:
        return self.filed.record.kind

    @described("The day it counts from.")
    def effective_on(self) -> date:
        return self.filed.record.effective_on

    @described("When it was booked.")
    def posted_at(self) -> datetime:
        return self.filed.record.posted_at

    @described("The amount, if its kind has one.")
    def amount(self) -> MoneyValue | None:
        return money_of(self.filed.record.amount)

    @described("How a repayment was split.")
    def allocation(self) -> Allocation | None:
        record = self.filed.record
        split = record.allocation
        return None if split is None or record.amount is None else _allocation(split, record.amount.currency)

    @described("All fields in the order of the commitment, each disclosed or redacted.")
    async def fields(self, info: strawberry.Info) -> list[RecordField]:
        record, profile = self.filed.record, _profile(self.filed.access)
        digests = financial_digests(record.kind, record.fields, record.secret)
        shown = [
            _field(name, record.fields.get(name), digest, is_open=opens(profile, record.kind, name))
            for name, digest in zip(FINANCIAL_FIELDS[record.kind], digests, strict=True)
        ]
        names = PERSONAL_FIELDS[record.kind]
        if not names:
            return shown
        personal = await context_of(info).loaders.personal.load(self.filed)
        values = personal or {}
        shown += [
            _field(name, values.get(name), digest, is_open=personal is not None)
            for name, digest in zip(names, record.personal_digests, strict=False)
        ]
        return shown

    @described("What goes on chain for it.")
    def commitment(self) -> Bytes32:
        return Bytes32(self.filed.record.commitment)

    @described("The loan's running head after it, as the file computes it.")
    def head_after(self) -> Bytes32:
        return Bytes32(self.filed.record.head)

    @described("The record a reversal takes back.")
    async def reverses(self, info: strawberry.Info) -> "LoanRecord | None":
        target = self.filed.record.reverses
        if target is None:
            return None
        place = (self.filed.lender_id, self.filed.record.loan_id, target)
        found = await context_of(info).loaders.record.load(place)
        return LoanRecord.of(found) if found is not None else None

    @described("How far it has come on its way to the chain.")
    async def anchor(self, info: strawberry.Info) -> Anchor:
        return anchor_of(await context_of(info).loaders.anchor.load(self.filed.record.commitment))

    @described(
        "Whether its stored fields still make its commitment and the mirror has the same one, now, and "
        "what the last reconciliation found."
    )
    async def verification(self, info: strawberry.Info) -> Verification:
        return (await context_of(info).loaders.record_verdict.load(self.filed)).state

    @described("When a reconciliation last looked at its loan; null before the first.")
    async def verified_at(self, info: strawberry.Info) -> datetime | None:
        return (await context_of(info).loaders.record_verdict.load(self.filed)).verified_at


def _profile(access: Access) -> DisclosureProfile:
    return DisclosureProfile.AUDITOR if access is Access.FULL else DisclosureProfile.PARTNER


def _field(name: str, value: object, digest: bytes, *, is_open: bool) -> RecordField:
    shown = JSON(value) if is_open and value is not None else None
    return RecordField(name=name, value=shown, redacted=not is_open, digest=Bytes32(digest))


def _allocation(split: Allocated, currency: str) -> Allocation:
    return Allocation(
        principal=money(split.principal_minor, currency),
        interest=money(split.interest_minor, currency),
        fees=money(split.fees_minor, currency),
        penalty=money(split.penalty_minor, currency),
        unallocated=money(split.unallocated_minor, currency),
    )
