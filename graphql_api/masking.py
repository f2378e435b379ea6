"""Errors as clients see them: stable codes for what they can act on, nothing but a request id for the rest."""

import re
from collections.abc import Sequence
from typing import Any

import structlog
from graphql import GraphQLError, GraphQLSyntaxError

from graphql_api.infrastructure import told
from graphql_api.operation_limits import QueryTooDeep, QueryTooLong
from registry.domain.errors import InvalidInput, RegistryError

INTERNAL = "INTERNAL"
SYNTAX = "GRAPHQL_SYNTAX"
INVALID = "GRAPHQL_INVALID"
NESTED_TOO_DEEPLY = "A value in the variables or arguments nests too deeply; send it flatter."

_log = structlog.get_logger("graphql_api")


def shown_errors(errors: Sequence[GraphQLError], request_id: str, *, is_before_execution: bool) -> list[dict[str, Any]]:
    """The errors as they go out; internal ones are logged, without values, and masked."""
    return [_shown(error, request_id, is_before_execution=is_before_execution) for error in errors]


def refusal_body(refusal: RegistryError, request_id: str) -> dict[str, Any]:
    """One refusal that concerns the request as a whole."""
    extensions = {"code": refusal.code, "retryable": refusal.retryable, "requestId": request_id}
    return {"message": told(refusal), "extensions": extensions}


def _shown(error: GraphQLError, request_id: str, *, is_before_execution: bool) -> dict[str, Any]:
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    formatted: dict[str, Any] = dict(error.formatted)
    extensions: dict[str, Any] = {"requestId": request_id}
    if isinstance(cause, RegistryError):
        formatted["message"] = told(cause)
        extensions |= {"code": cause.code, "retryable": cause.retryable}
    elif isinstance(cause, RecursionError):
        formatted["message"] = NESTED_TOO_DEEPLY
        extensions |= {"code": InvalidInput.code, "retryable": False}
    elif isinstance(error, GraphQLSyntaxError):
        extensions["code"] = SYNTAX
    elif cause is None or isinstance(cause, GraphQLError) or is_before_execution:
        extensions["code"] = INVALID
    else:
        _log.error("graphql.internal", request_id=request_id, fault=type(cause).__name__, path=_path(error))
        formatted["message"] = "Internal error"
        extensions["code"] = INTERNAL
    formatted["extensions"] = extensions
    return formatted


def of_parsing(fault: Exception, most_tokens: int, most_depth: int) -> RegistryError | GraphQLError:
    """What a document that cannot be read is told."""
    if isinstance(fault, RecursionError) or "nested too deeply" in str(fault):
        return QueryTooDeep(most_depth)
    if re.search(r"more than \d+ tokens", str(fault)):
        return QueryTooLong(most_tokens)
    return fault if isinstance(fault, GraphQLError) else GraphQLError("The document cannot be read.")


def too_deep() -> GraphQLError:
    """What a request is told whose variables nest deeper than they can be read."""
    return GraphQLError(NESTED_TOO_DEEPLY, original_error=RecursionError())


def _path(error: GraphQLError) -> str:
    return ".".join(str(part) for part in error.path or ())
