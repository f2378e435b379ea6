"""POST /graphql: who asks, what they ask, whether it is within limits, the answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

import orjson
import strawberry
from anyio import to_thread
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, execute
from starlette.requests import Request
from starlette.responses import Response
from strawberry.execution import optimized_is_awaitable

from graphql_api.authentication import KeyMissing, KeyRejected, authenticated, bearer_token
from graphql_api.chain_status import MirrorDigests
from graphql_api.context import ApiContext
from graphql_api.documents import Documents
from graphql_api.http_refusals import BodyMalformed, BodyTooLarge, ContentTypeUnsupported, NotAcceptable
from graphql_api.http_request import GRAPHQL_TYPE, JSON_TYPE, GraphQLRequest, negotiated, read_request
from graphql_api.masking import of_parsing, refusal_body, shown_errors
from graphql_api.operation_limits import check_operation
from graphql_api.request_context import RequestContext
from graphql_api.schema import core_schema
from registry.domain.access import Actor
from registry.domain.errors import RegistryError

_IS_AWAITABLE = cast(Callable[[Any], TypeGuard[Awaitable[Any]]], optimized_is_awaitable)


@dataclass(frozen=True, slots=True)
class _Answer:
    body: dict[str, Any]
    is_request_error: bool  # nothing was executed


class GraphQLEndpoint:
    """Answers /graphql.

    With `application/graphql-response+json` a request that cannot be executed is answered 400; with `application/json`,
    as older clients expect, 200 with errors. What does not get as far as GraphQL has its HTTP status in both.
    """

    def __init__(self, api: ApiContext, schema: strawberry.Schema) -> None:
        self._api = api
        self._executor = schema.execution_context_class
        self._schema: GraphQLSchema = core_schema(schema)
        self._documents = Documents(self._schema, api.limits.tokens)
        self._digests = MirrorDigests()

    async def respond(self, request: Request) -> Response:
        request_id = request.scope["state"]["request_id"]
        try:
            media = negotiated(request.headers.get("accept"))
        except NotAcceptable as refusal:
            return _refused(refusal, refusal.status, request_id)
        try:
            token = bearer_token(request)
            actor = await to_thread.run_sync(authenticated, self._api.engine, token)
            given = await read_request(request, self._api.limits.body_bytes)
        except (KeyMissing, KeyRejected) as refusal:
            return _refused(refusal, 401, request_id, {"WWW-Authenticate": 'Bearer realm="loan-registry"'})
        except (BodyTooLarge, ContentTypeUnsupported, BodyMalformed) as refusal:
            return _refused(refusal, refusal.status, request_id)
        answer = await self._answer(given, actor, request_id)
        status = 400 if answer.is_request_error and media == GRAPHQL_TYPE else 200
        return _response(answer.body, status, request_id, media)

    async def _answer(self, given: GraphQLRequest, actor: Actor, request_id: str) -> _Answer:
        limits = self._api.limits
        try:
            document = self._documents.parsed(given.query)
            check_operation(self._schema, document, given.operation_name, given.variables, limits)
        except RegistryError as refusal:
            return _Answer({"errors": [refusal_body(refusal, request_id)]}, is_request_error=True)
        except (GraphQLError, RecursionError) as fault:
            return _request_error([of_parsing(fault, limits.tokens, limits.depth)], request_id)
        faults = self._documents.validated(given.query, document)
        if faults:
            return _request_error(list(faults), request_id)
        context = RequestContext(self._api, self._digests, actor, request_id, self._api.facilities.clock.now())
        result = execute(
            self._schema,
            document,
            context_value=context,
            variable_values=given.variables,
            operation_name=given.operation_name,
            executor_class=self._executor,
            is_awaitable=_IS_AWAITABLE,
            hide_suggestions=not self._api.debug,
        )
        finished = result if isinstance(result, ExecutionResult) else await result
        return _executed(finished, request_id)


def _executed(result: ExecutionResult, request_id: str) -> _Answer:
    errors = result.errors or []
    if result.data is None and errors and all(error.path is None for error in errors):
        return _request_error(errors, request_id)
    body: dict[str, Any] = {"data": result.data}
    if errors:
        body["errors"] = shown_errors(errors, request_id, is_before_execution=False)
    return _Answer(body, is_request_error=False)


def _request_error(faults: list[Any], request_id: str) -> _Answer:
    shown = [
        refusal_body(fault, request_id)
        if isinstance(fault, RegistryError)
        else shown_errors([fault], request_id, is_before_execution=True)[0]
        for fault in faults
    ]
    return _Answer({"errors": shown}, is_request_error=True)


def _refused(refusal: RegistryError, status: int, request_id: str, headers: dict[str, str] | None = None) -> Response:
    body = {"errors": [refusal_body(refusal, request_id)]}
    return _response(body, status, request_id, JSON_TYPE, headers)


def _response(
    body: dict[str, Any], status: int, request_id: str, media: str, headers: dict[str, str] | None = None
) -> Response:
    common = {"Cache-Control": "no-store", "Vary": "Accept, Authorization", "X-Request-Id": request_id}
    return Response(
        orjson.dumps(body),
        status_code=status,
        headers={**common, **(headers or {})},
        media_type=f"{media}; charset=utf-8",
    )
