"""The root of all mutations."""

import strawberry

from graphql_api.mutations.control import ControlMutations
from graphql_api.mutations.origination import OriginationMutations
from graphql_api.mutations.servicing import ServicingMutations


@strawberry.type(
    description="Everything that can be changed, by keys with role LENDER. Each change takes an idempotency key: the "
    "same request again under it gets the first answer; another request under it is refused."
)
class Mutation(OriginationMutations, ServicingMutations, ControlMutations):
    """The mutations of the public schema."""
