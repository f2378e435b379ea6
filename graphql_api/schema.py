"""The schema: queries and mutations with their scalars; names are the public contract."""

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from graphql_api.mutations.mutation import Mutation
from graphql_api.query import Query
from graphql_api.scalars import SCALARS
from graphql_api.types.claim import ControlTransfer, Lien
from graphql_api.types.loan import Loan
from graphql_api.types.origination import Application, Decision
from graphql_api.types.party import Borrower, Consent, Lender, Product
from graphql_api.types.record import LoanRecord
from graphql_api.types.whole import Finding

NODES = (Loan, LoanRecord, Lender, Borrower, Product, Lien, ControlTransfer, Consent, Application, Decision, Finding)


def build_schema(*, debug: bool = False) -> strawberry.Schema:
    """A new schema; with `debug`, errors suggest the names a client may have meant."""
    config = StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=not debug)
    return strawberry.Schema(query=Query, mutation=Mutation, types=list(NODES), config=config)


def core_schema(schema: strawberry.Schema) -> GraphQLSchema:
    """The graphql-core schema underneath, for validation, limits and execution."""
    return schema._schema  # noqa: SLF001 - Strawberry's own extensions reach for it the same way
