"""Lenders, borrowers, products and consents."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry.scalars import JSON

from graphql_api.paging import decode_cursor, encode_cursor, page_size
from graphql_api.personal_data import mask_identity
from graphql_api.request_context import RequestContext, context_of
from graphql_api.scalars import Address
from graphql_api.types.described import described
from graphql_api.types.money import Locale
from graphql_api.types.node import Connection, Node, connection_of, node_id
from registry.domain import parties
from registry.domain.access import Role
from registry.storage.lenders import LenderUnknown
from registry.storage.queries_keyset import Slice
from registry.storage.queries_parties import PublishedProduct

if TYPE_CHECKING:
    from graphql_api.types.loan import Loan

First = Annotated[int | None, strawberry.argument(description="The size of the page: 1 to 100, 20 if not given.")]
After = Annotated[str | None, strawberry.argument(description="Go on behind this cursor.")]


@strawberry.type(description="A lender that takes part in the registry.")
class Lender(Node):
    """A lender as its row has it."""

    row: strawberry.Private[parties.Lender]

    @classmethod
    def of(cls, row: parties.Lender) -> "Lender":
        return cls(id=node_id("Lender", row.id), row=row)

    @described("Its name.")
    def name(self) -> str:
        return self.row.name

    @described("Its short code.")
    def code(self) -> str:
        return self.row.code

    @described("The number the contract knows it by.")
    def number(self) -> int:
        return self.row.id

    @described("Its Legal Entity Identifier (ISO 17442), if it has one.")
    def lei(self) -> str | None:
        return self.row.lei

    @described("The account that signs for it on chain.")
    def account(self) -> Address:
        return Address(self.row.account)

    @described("Whether it may write.")
    def active(self) -> bool:
        return self.row.active


@strawberry.type(description="One version of a loan product; once published it never changes.")
class Product(Node):
    """A product as it was published."""

    row: strawberry.Private[PublishedProduct]

    @classmethod
    def of(cls, row: PublishedProduct) -> "Product":
        return cls(id=node_id("Product", row.product.id), row=row)

    @described("The code that all versions share.")
    def code(self) -> str:
        return self.row.product.code

    @described("The version, counted from 1.")
    def version(self) -> int:
        return self.row.product.version

    @described("What it is for.")
    def category(self) -> str:
        return self.row.product.category.value

    @described("Its name in a language, English if there is none.")
    def name(self, locale: Locale = "en") -> str:
        return self.row.product.name(locale or "en")

    @described("Everything it says: bounds, methods, fees, late rule; amounts and rates as strings.")
    def terms(self) -> JSON:
        return JSON(self.row.terms)

    @described("Whether it is still offered.")
    def active(self) -> bool:
        return self.row.is_active


@strawberry.type(description="A borrower's consent to one purpose, in one version of the text.")
class Consent(Node):
    """A consent as it was given."""

    row: strawberry.Private[parties.Consent]

    @classmethod
    def of(cls, row: parties.Consent) -> "Consent":
        return cls(id=node_id("Consent", row.id), row=row)

    @described("What the data may be used for.")
    def purpose(self) -> str:
        return self.row.purpose

    @described("Who may use it; null is the lender of the file.")
    async def recipient(self, info: strawberry.Info) -> Lender | None:
        number = self.row.recipient_lender_id
        return None if number is None else await lender_of(context_of(info), number)

    @described("When it was given.")
    def granted_at(self) -> datetime:
        return self.row.granted_at

    @described("When it was withdrawn.")
    def withdrawn_at(self) -> datetime | None:
        return self.row.withdrawn_at

    @described("The version of the text agreed to.")
    def text_version(self) -> str:
        return self.row.text_version


@strawberry.type(description="A borrower, to those who may see people.")
class Borrower(Node):
    """A borrower; its data is opened only for those who may see it in clear."""

    row: strawberry.Private[parties.Borrower]

    @classmethod
    def of(cls, row: parties.Borrower) -> "Borrower":
        return cls(id=node_id("Borrower", row.id), row=row)

    @described("The name; null to auditors and once erased.")
    async def name(self, info: strawberry.Info) -> str | None:
        context = context_of(info)
        if context.actor.role is not Role.LENDER:
            return None
        identity = await context.loaders.identity.load(self._name)
        return identity.name if identity is not None else None

    @described("The identity number with its middle hidden; null once erased or never given.")
    async def id_masked(self, info: strawberry.Info) -> str | None:
        identity = await context_of(info).loaders.identity.load(self._name)
        return mask_identity(identity.number) if identity is not None and identity.number else None

    @described("When the personal data was destroyed.")
    def erased_at(self) -> datetime | None:
        return self.row.erased_at

    @described("The consents given, withdrawn ones included, oldest first.")
    async def consents(self, info: strawberry.Info) -> list[Consent]:
        return [Consent.of(row) for row in await context_of(info).loaders.consents.load(self._name)]

    @described("The borrower's loans at this lender, oldest first.")
    async def loans(
        self, info: strawberry.Info, first: First = None, after: After = None
    ) -> Connection[Annotated["Loan", strawberry.lazy("graphql_api.types.loan")]]:
        from graphql_api.types.loan import Loan  # noqa: PLC0415 - borrowers have loans, loans have borrowers

        context = context_of(info)
        size = page_size(context.api.limits, first)
        behind = decode_cursor("borrower", (str,), after)[0] if after is not None else None
        rows = await context.loaders.borrower_loans.load((self._name, (size, behind)))
        page = Slice(rows[:size], len(rows) > size, after is not None)
        cursors = [encode_cursor("borrower", (row.id,)) for row in page.rows]

        async def count() -> int:
            return await context.loaders.borrower_loan_count.load(self._name)

        return connection_of(page, [Loan.of(row) for row in page.rows], cursors, count)

    @property
    def _name(self) -> tuple[int, str]:
        return self.row.lender_id, self.row.id


async def lender_of(context: RequestContext, number: int) -> Lender:
    """The lender by its number."""
    row = (await context.loaders.lenders.load(None)).get(number)
    if row is None:
        raise LenderUnknown(number)
    return Lender.of(row)


async def borrower_of(context: RequestContext, name: tuple[int, str]) -> Borrower | None:
    """The borrower, if it may be seen."""
    row = await context.loaders.borrower.load(name)
    return Borrower.of(row) if row is not None else None


async def product_of(context: RequestContext, product_id: str) -> Product | None:
    row = await context.loaders.product.load(product_id)
    return Product.of(row) if row is not None else None
