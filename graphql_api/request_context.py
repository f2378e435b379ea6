"""What one GraphQL request carries: who asks, when, what they may see, and loaders that read in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any, ParamSpec, TypeVar, cast

import strawberry
from anyio import to_thread
from sqlalchemy import Connection

from graphql_api.chain_status import MirrorDigests
from graphql_api.context import ApiContext
from graphql_api.loaders import Loaders
from registry.domain.access import Actor
from registry.storage.engine import reading
from registry.storage.queries_sight import Sight

Given = ParamSpec("Given")
Found = TypeVar("Found")


@dataclass
class RequestContext:
    """One request of one actor. `now` stands still while it runs, so that all its answers are of one moment."""

    api: ApiContext
    digests: MirrorDigests
    actor: Actor
    request_id: str
    now: datetime
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.renew()

    @property
    def sight(self) -> Sight:
        return Sight(self.actor.role, self.actor.lender_id, self.now)

    @property
    def today(self) -> date:
        return self.now.date()

    def renew(self) -> None:
        """Forget what was read: after a mutation, what it changed is read again."""
        self.now = self.api.facilities.clock.now()
        self.loaders = Loaders(self)

    async def read(self, query: Callable[[Connection], Found]) -> Found:
        """The answer of a query, run in a worker thread on a connection that only reads."""
        return await to_thread.run_sync(self._read, query)

    async def work(self, call: Callable[Given, Found], *args: Given.args, **kwargs: Given.kwargs) -> Found:
        """The answer of a blocking call, made in a worker thread."""
        return await to_thread.run_sync(partial(call, *args, **kwargs))

    async def evidence(self, loan_id: str, profile: str) -> Mapping[str, Any]:
        """The evidence of a loan, made in a worker thread when one of the few places for it is free."""
        return await to_thread.run_sync(self.api.evidence, loan_id, profile, limiter=self.api.evidence_places)

    async def gather(self, awaited: Iterable[Awaitable[Found]]) -> list[Found]:
        """The answers in order, asked for at once, so that loaders read them together."""
        return list(await asyncio.gather(*awaited))

    def _read(self, query: Callable[[Connection], Found]) -> Found:
        with reading(self.api.engine).connect() as connection:
            return query(connection)


def context_of(info: strawberry.Info) -> RequestContext:
    """The request a resolver runs in."""
    return cast(RequestContext, info.context)
