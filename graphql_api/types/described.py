"""Resolvers with their description: nothing enters the schema without a sentence for its readers."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry

Resolver = TypeVar("Resolver", bound=Callable[..., Any])


def described(description: str, *, name: str | None = None) -> Callable[[Resolver], Resolver]:
    """A field resolved by the function; the type checker goes on seeing the function."""
    return cast(Callable[[Resolver], Resolver], strawberry.field(description=description, name=name))


def mutation(description: str) -> Callable[[Resolver], Resolver]:
    """A mutation resolved by the function."""
    return cast(Callable[[Resolver], Resolver], strawberry.mutation(description=description))
