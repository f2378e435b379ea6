"""POST /graphql: who asks, what they ask, whether it is within limits, the answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeGuard, cast

import orjson
import strawberry
from anyio import CapacityLimiter, to_thread
from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema, execute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from strawberry.execution import optimized_is_awaitable

from graphql_api.authentication import KeyMissing, KeyRejected, authenticated, bearer_token
from graphql_api.chain_status import MirrorDigests
from graphql_api.context import ApiContext
from graphql_api.documents import Documents
from graphql_api.http_refusals import BODY_REFUSALS, NotAcceptable, TooManyRequests
from graphql_api.http_request import GRAPHQL_TYPE, JSON_TYPE, GraphQLRequest, negotiated, read_request
from graphql_api.in_flight import InFlight
from graphql_api.introspection import is_pure
from graphql_api.masking import of_parsing, refusal_body, shown_errors, too_deep
from graphql_api.operation_limits import check_operation
from graphql_api.request_context import RequestContext
from graphql_api.schema import core_schema
from registry.domain.access import Actor
from registry.domain.errors import RegistryError

READERS = 4  # threads that read and check documents and describe the schema; more would only wait for each other
RETRY_SECONDS = "1"
CLIENT_GONE = 499  # nobody reads it; the log and the metrics do

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
        self._in_flight = InFlight(api.limits.in_flight)
        self._readers = CapacityLimiter(READERS)

    async def respond(self, request: Request) -> Response:
        request_id = request.scope["state"]["request_id"]
        try:
            media = negotiated(request.headers.get("accept"))
        except NotAcceptable as refusal:
            return _refused(refusal, refusal.status, request_id)
        try:
            token = bearer_token(request)
            with self._in_flight.place(token):
                answer = await self._asked(request, token, request_id)
        except (KeyMissing, KeyRejected) as refusal:
            return _refused(refusal, 401, request_id, {"WWW-Authenticate": 'Bearer realm="loan-registry"'})
        except TooManyRequests as refusal:
            return _refused(refusal, refusal.status, request_id, {"Retry-After": RETRY_SECONDS})
        except BODY_REFUSALS as refusal:
            return _refused(refusal, refusal.status, request_id)
        except ClientDisconnect:
            return Response(status_code=CLIENT_GONE)
        status = 400 if answer.is_request_error and media == GRAPHQL_TYPE else 200
        return _response(answer.body, status, request_id, media)

    async def _asked(self, request: Request, token: str, request_id: str) -> _Answer:
        limits = self._api.limits
        actor = await to_thread.run_sync(authenticated, self._api.engine, token)
        given = await read_request(request, limits.body_bytes, limits.body_seconds)
        return await self._answer(given, actor, request_id)

    async def _answer(self, given: GraphQLRequest, actor: Actor, request_id: str) -> _Answer:
        limits = self._api.limits
        try:
            if self._documents.is_known(given.query):
                document, faults = self._checked(given)
            else:
                document, faults = await to_thread.run_sync(self._checked, given, limiter=self._readers)
        except RegistryError as refusal:
            return _Answer({"errors": [refusal_body(refusal, request_id)]}, is_request_error=True)
        except (GraphQLError, RecursionError) as fault:
            return _request_error([of_parsing(fault, limits.tokens, limits.depth)], request_id)
        if faults:
            return _request_error(list(faults), request_id)
        context = RequestContext(self._api, self._digests, actor, request_id, self._api.facilities.clock.now())
        try:
            finished = await self._executed(given, document, context)
        except RecursionError:  # of variables, before anything ran
            return _request_error([too_deep()], request_id)
        return _executed(finished, request_id)

    def _checked(self, given: GraphQLRequest) -> tuple[DocumentNode, tuple[GraphQLError, ...]]:
        """The document, within its limits, and what is wrong with it."""
        document = self._documents.parsed(given.query)
        check_operation(self._schema, document, given.operation_name, given.variables, self._api.limits)
        return document, self._documents.validated(given.query, document)

    async def _executed(
        self, given: GraphQLRequest, document: DocumentNode, context: RequestContext
    ) -> ExecutionResult:
        run = partial(
            execute,
            self._schema,
            document,
            context_value=context,
            variable_values=given.variables,
            operation_name=given.operation_name,
            executor_class=self._executor,
            is_awaitable=_IS_AWAITABLE,
            hide_suggestions=not self._api.debug,
        )
        is_described = is_pure(document, given.operation_name)  # no resolver of ours runs, and others need not wait
        result = await to_thread.run_sync(run, limiter=self._readers) if is_described else run()
        return result if isinstance(result, ExecutionResult) else await result


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
