"""The Node interface, and connections as the Relay specification wants them."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import strawberry

from graphql_api.global_id import GlobalId
from graphql_api.types.described import described
from registry.storage.queries_keyset import Slice


@strawberry.interface(description="Anything with a global id, by which it can be fetched again.")
class Node:
    """The Relay interface: an opaque id that is unique over all types."""

    id: strawberry.ID = strawberry.field(description="The global id: opaque, unique over all types, stable.")


NodeType = TypeVar("NodeType")


def node_id(type_name: str, local: object) -> strawberry.ID:
    """The global id of something by its id in the file."""
    return strawberry.ID(str(GlobalId(type_name, str(local))))


@strawberry.type(description="Where a page stands among the others.")
class PageInfo:
    """Relay page information."""

    has_next_page: bool = strawberry.field(description="Whether there is more behind this page.")
    has_previous_page: bool = strawberry.field(description="Whether there is more before this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last edge.")


@strawberry.type(description="One node of a page with its place in the order.")
class Edge(Generic[NodeType]):
    """A node and its cursor."""

    cursor: str = strawberry.field(description="Names this place in the order; go on after or before it.")
    node: NodeType = strawberry.field(description="The node.")


@strawberry.type(description="A page of nodes.")
class Connection(Generic[NodeType]):
    """A page; the total is counted only when it is asked for."""

    edges: list[Edge[NodeType]] = strawberry.field(description="The nodes of this page in order.")
    page_info: PageInfo = strawberry.field(description="Where this page stands among the others.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @described("How many nodes there are in all pages.")
    async def total_count(self) -> int:
        return await self.count()


def connection_of(
    page: Slice,
    nodes: Sequence[NodeType],
    cursors: Sequence[str],
    count: Callable[[], Awaitable[int]],
) -> Connection[NodeType]:
    """The connection over one page of rows."""
    edges = [Edge(cursor=cursor, node=node) for cursor, node in zip(cursors, nodes, strict=True)]
    info = PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )
    return Connection(edges=edges, page_info=info, count=count)
